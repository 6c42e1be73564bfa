// An agent buys one call by hand, over x402 v2: plain HTTP and one signature.
import { randomBytes } from 'node:crypto';
import { privateKeyToAccount } from 'viem/accounts';
import { CHAIN_ID } from './chain.mjs';
import { AUTHORIZATION_TYPES } from './usdc.mjs';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64');
const decode = (text) => JSON.parse(Buffer.from(text, 'base64').toString('utf8'));

function header(response, name) {
	const text = response.headers.get(name);
	if (text === null)
		throw new Error(`the answer (status ${response.status}) has no ${name} header`);
	return decode(text);
}

// What the server wants for url: its PAYMENT-REQUIRED.
export async function ask(url) {
	const response = await fetch(url);
	if (response.status !== 402)
		throw new Error(`expected 402 Payment Required from ${url}, got ${response.status}`);
	return header(response, 'PAYMENT-REQUIRED');
}

// The payer's signed permission to move exactly the price, once, before it expires.
export async function authorize(payer, { amount, payTo, asset, extra, maxTimeoutSeconds }) {
	const authorization = {
		from: payer.address, to: payTo, value: amount, validAfter: '0',
		validBefore: String(Math.floor(Date.now() / 1000) + maxTimeoutSeconds),
		nonce: `0x${randomBytes(32).toString('hex')}`,
	};
	const signature = await privateKeyToAccount(payer.privateKey).signTypedData({
		domain: { name: extra.name, version: extra.version, chainId: CHAIN_ID, verifyingContract: asset },
		types: AUTHORIZATION_TYPES, primaryType: 'TransferWithAuthorization', message: authorization,
	});
	return { authorization, signature };
}

// Sends the payment along: { status, body, receipt }.
export async function pay(url, { resource, accepts: [accepted] }, payload) {
	const payment = { x402Version: 2, payload, resource, accepted };
	const response = await fetch(url, { headers: { 'PAYMENT-SIGNATURE': encode(payment) } });
	const body = await response.text();
	if (response.status !== 200)
		throw new Error(`the paid request was answered ${response.status}: ${body}`);
	return { status: response.status, body, receipt: header(response, 'PAYMENT-RESPONSE') };
}
