// What tests do to the token directly, past farebox.
import assert from 'node:assert/strict';
import { encodeFunctionData } from 'viem';
import { USDC_ABI } from '../../testnet/usdc.mjs';

// Calls the token from an account of anvil's and waits for the receipt.
export async function send(chain, from, functionName, ...args) {
	const data = encodeFunctionData({ abi: USDC_ABI, functionName, args });
	const hash = await chain.client.request({ method: 'eth_sendTransaction', params: [{ from, to: chain.usdc, data }] });
	const receipt = await chain.client.waitForTransactionReceipt({ hash });
	assert.equal(receipt.status, 'success');
	return receipt;
}

export const balanceOf = (chain, address) =>
	chain.client.readContract({ address: chain.usdc, abi: USDC_ABI, functionName: 'balanceOf', args: [address] });

// Settles an authorization as a stranger would, who saw it and was faster.
export function settleAsStranger(chain, stranger, authorization, signature) {
	const { from, to, value, validAfter, validBefore, nonce } = authorization;
	const numbers = [value, validAfter, validBefore].map(BigInt);
	return send(chain, stranger, 'transferWithAuthorization', from, to, ...numbers, nonce, signature);
}
