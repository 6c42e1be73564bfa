// x402 payments made by hand, so that a test can put exactly one thing wrong.
import { randomBytes } from 'node:crypto';
import { privateKeyToAccount } from 'viem/accounts';
import { CHAIN_ID, NETWORK } from '../../testnet/chain.mjs';
import { AUTHORIZATION_TYPES, USDC_ADDRESS } from '../../testnet/usdc.mjs';

export const V1_NETWORK = 'base-sepolia';
const LIFE_S = 300;

export const freshNonce = () => `0x${randomBytes(32).toString('hex')}`;
export const inSeconds = (seconds) => String(Math.floor(Date.now() / 1000) + seconds);

export function authorize(fields) {
	return { value: '1000', validAfter: '0', validBefore: inSeconds(LIFE_S), nonce: freshNonce(), ...fields };
}

export function typedData(authorization, { name = 'USDC', version = '2', asset = USDC_ADDRESS } = {}) {
	return {
		domain: { name, version, chainId: CHAIN_ID, verifyingContract: asset },
		types: AUTHORIZATION_TYPES, primaryType: 'TransferWithAuthorization', message: authorization,
	};
}

export function sign(privateKey, authorization, domain) {
	return privateKeyToAccount(privateKey).signTypedData(typedData(authorization, domain));
}

export function requirementsV2({ payTo, amount = '1000', asset = USDC_ADDRESS, extra }) {
	return {
		scheme: 'exact', network: NETWORK, amount, asset, payTo, maxTimeoutSeconds: LIFE_S,
		extra: { name: 'USDC', version: '2', ...extra },
	};
}

export function requirementsV1({ payTo, amount = '1000', asset = USDC_ADDRESS, extra }) {
	return {
		scheme: 'exact', network: V1_NETWORK, maxAmountRequired: amount, asset, payTo, maxTimeoutSeconds: LIFE_S,
		resource: 'http://127.0.0.1/thing', description: 'a thing', mimeType: 'application/json',
		extra: { name: 'USDC', version: '2', ...extra },
	};
}

// The body of /verify and /settle.
export function bodyV2({ requirements, authorization, signature }) {
	return {
		x402Version: 2,
		paymentPayload: {
			x402Version: 2, payload: { authorization, signature },
			resource: { url: 'http://127.0.0.1/thing', description: 'a thing', mimeType: 'application/json' },
			accepted: requirements,
		},
		paymentRequirements: requirements,
	};
}

export function bodyV1({ requirements, authorization, signature }) {
	return {
		x402Version: 1,
		paymentPayload: { x402Version: 1, scheme: 'exact', network: V1_NETWORK, payload: { signature, authorization } },
		paymentRequirements: requirements,
	};
}

const VERSIONS = {
	1: { requirementsOf: requirementsV1, bodyOf: bodyV1 },
	2: { requirementsOf: requirementsV2, bodyOf: bodyV2 },
};

// A signed payment ready for /verify or /settle; payer is { address, privateKey }.
export async function payment({ payer, payTo, version = 2, amount = '1000', fields, domain, requirements }) {
	const { requirementsOf, bodyOf } = VERSIONS[version];
	const authorization = authorize({ from: payer.address, to: payTo, value: amount, ...fields });
	const signature = await sign(payer.privateKey, authorization, domain);
	return bodyOf({ requirements: requirementsOf({ payTo, amount, ...requirements }), authorization, signature });
}
