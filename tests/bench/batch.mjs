// Payments as calls of the token, alone and in Multicall3 batches: what a facilitator's transactions carry.
import { encodeFunctionData, multicall3Abi } from '../../testnet/node_modules/viem/_esm/index.js';
import { MULTICALL3_ADDRESS, USDC_ABI, USDC_ADDRESS } from '../../testnet/usdc.mjs';

function splitSignature(signature) {
	const [r, s] = [signature.slice(0, 66), `0x${signature.slice(66, 130)}`];
	return [Number(`0x${signature.slice(130, 132)}`), r, s];
}

// payload: that of an x402 payment, { authorization, signature }.
export function encodePayment({ authorization: a, signature }) {
	return encodeFunctionData({
		abi: USDC_ABI, functionName: 'transferWithAuthorization',
		args: [
			a.from, a.to, BigInt(a.value), BigInt(a.validAfter), BigInt(a.validBefore), a.nonce,
			...splitSignature(signature),
		],
	});
}

// { to, data } of a transaction that makes all the payments: one alone is the token's own call.
export function encodePayments(payloads) {
	if (payloads.length === 1)
		return { to: USDC_ADDRESS, data: encodePayment(payloads[0]) };
	const calls = payloads.map((payload) =>
		({ target: USDC_ADDRESS, allowFailure: true, callData: encodePayment(payload) }));
	const data = encodeFunctionData({ abi: multicall3Abi, functionName: 'aggregate3', args: [calls] });
	return { to: MULTICALL3_ADDRESS, data };
}
