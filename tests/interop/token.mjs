// What tests do to the token directly, past farebox.
import assert from 'node:assert/strict';
import { encodeFunctionData } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { CHAIN_ID } from '../../testnet/chain.mjs';
import { USDC_ABI } from '../../testnet/usdc.mjs';

const CANCEL_TYPES = {
	CancelAuthorization: [{ name: 'authorizer', type: 'address' }, { name: 'nonce', type: 'bytes32' }],
};

// Calls the token by an account of anvil's and waits for the receipt. transaction: from, and fees if they matter.
export async function call(chain, transaction, functionName, ...args) {
	const data = encodeFunctionData({ abi: USDC_ABI, functionName, args });
	const params = [{ ...transaction, to: chain.usdc, data }];
	const hash = await chain.client.request({ method: 'eth_sendTransaction', params });
	const receipt = await chain.client.waitForTransactionReceipt({ hash });
	assert.equal(receipt.status, 'success');
	return receipt;
}

export const send = (chain, from, functionName, ...args) => call(chain, { from }, functionName, ...args);

export const balanceOf = (chain, address) =>
	chain.client.readContract({ address: chain.usdc, abi: USDC_ABI, functionName: 'balanceOf', args: [address] });

// Settles an authorization as a stranger would, who saw it and was faster.
export function settleAsStranger(chain, stranger, { authorization, signature }, fees = {}) {
	const { from, to, value, validAfter, validBefore, nonce } = authorization;
	const numbers = [value, validAfter, validBefore].map(BigInt);
	const transaction = { from: stranger, ...fees };
	return call(chain, transaction, 'transferWithAuthorization', from, to, ...numbers, nonce, signature);
}

// Cancels an authorization by its payer's signature; `sender` pays the gas.
export async function cancel(chain, sender, payer, { authorization }, fees = {}) {
	const { from: authorizer, nonce } = authorization;
	const signature = await privateKeyToAccount(payer.privateKey).signTypedData({
		domain: { name: 'USDC', version: '2', chainId: CHAIN_ID, verifyingContract: chain.usdc },
		types: CANCEL_TYPES, primaryType: 'CancelAuthorization', message: { authorizer, nonce },
	});
	return call(chain, { from: sender, ...fees }, 'cancelAuthorization', authorizer, nonce, signature);
}
