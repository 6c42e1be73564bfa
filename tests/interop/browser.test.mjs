// An agent in a browser, on a page of another site, buys from the paywall with the stock libraries: what it must send
// is allowed, and what it must read is exposed.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { privateKeyToAccount } from 'viem/accounts';
import { x402Client } from '@x402/core/client';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { decodePaymentResponseHeader, wrapFetchWithPayment } from '@x402/fetch';
import { decodeXPaymentResponse, wrapFetchWithPayment as wrapLegacy } from 'x402-fetch';
import { NETWORK } from '../../testnet/chain.mjs';
import { fetchFrom } from './browser.mjs';
import { payment } from './payment.mjs';
import { openStage, settle } from './stage.mjs';

const ORIGIN = 'https://agent.example';
const pageFetch = fetchFrom(ORIGIN);
let stage;

before(async () => {
	stage = await openStage();
});
afterEach(thaw);
after(() => stage?.close());

function thaw() {
	process.kill(stage.chain.pid, 'SIGCONT');
}

test('page__asks_without_payment__reads_the_quote', async () => {
	const response = await pageFetch(`${stage.url}/demo`);
	assert.equal(response.status, 402);
	assert.equal(JSON.parse(atob(response.headers.get('PAYMENT-REQUIRED'))).x402Version, 2);
	assert.equal((await response.json()).x402Version, 1);
});

test('page__stock_client_of_v2__buys_and_reads_the_receipt', async () => {
	const client = new x402Client().register(NETWORK, new ExactEvmScheme(privateKeyToAccount(stage.payer.privateKey)));
	const response = await wrapFetchWithPayment(pageFetch, client)(`${stage.url}/demo`);
	assert.equal(response.status, 200);
	assert.equal((await response.json()).answer, 42);
	assert.equal(decodePaymentResponseHeader(response.headers.get('PAYMENT-RESPONSE')).success, true);
});

test('page__stock_client_of_v1__buys_and_reads_the_receipt', async () => {
	const buy = wrapLegacy(pageFetch, privateKeyToAccount(stage.payer.privateKey));
	const response = await buy(`${stage.url}/demo`);
	assert.equal(response.status, 200);
	assert.equal(decodeXPaymentResponse(response.headers.get('X-PAYMENT-RESPONSE')).success, true);
});

test('page__outcome_unknown__reads_when_to_ask_again', async () => {
	const { resource, accepts: [accepted] } =
		JSON.parse(atob((await pageFetch(`${stage.url}/demo`)).headers.get('PAYMENT-REQUIRED')));
	const { paymentPayload: { payload } } =
		await payment({ payer: stage.payer, payTo: accepted.payTo, amount: accepted.amount });
	const headers = { 'PAYMENT-SIGNATURE': btoa(JSON.stringify({ x402Version: 2, payload, resource, accepted })) };
	process.kill(stage.chain.pid, 'SIGSTOP');
	const response = await pageFetch(`${stage.url}/demo`, { headers });
	assert.equal(response.status, 503);
	assert.match(response.headers.get('Retry-After'), /^\d+$/);
	thaw();
});

test('preflight__asked__allows_no_credentials_and_is_remembered', async () => {
	const response = await fetch(`${stage.url}/demo`, { method: 'OPTIONS', headers: { Origin: ORIGIN } });
	assert.equal(response.status, 204);
	assert.equal(response.headers.get('Access-Control-Allow-Credentials'), null);
	assert.equal(response.headers.get('Allow'), 'GET, HEAD, OPTIONS');
	assert.ok(Number(response.headers.get('Access-Control-Max-Age')) > 0);
});

test('page__asks_what_is_not_for_pages__is_kept_out', async () => {
	const headers = { 'Content-Type': 'application/json' };
	for (const path of ['/verify', '/settle'])
		await assert.rejects(pageFetch(`${stage.url}${path}`, { method: 'POST', headers, body: '{}' }), TypeError);
	await assert.rejects(pageFetch(`${stage.url}/supported`), TypeError);
	await assert.rejects(pageFetch(`${stage.url}/demo`, { headers: { Authorization: 'Bearer x' } }), TypeError);
	await assert.rejects(pageFetch(`${stage.url}/demo`, { method: 'DELETE' }), TypeError);
});

// What a form or a script can post without asking first: nobody reads the answer, but it would be done.
test('page__posts_a_payment_as_a_form_does__settles_nothing', async () => {
	const body = JSON.stringify(await payment({ payer: stage.payer, payTo: stage.payee.address }));
	const headers = { 'Content-Type': 'text/plain', Origin: ORIGIN };
	assert.equal((await fetch(`${stage.url}/settle`, { method: 'POST', headers, body })).status, 403);
	assert.equal((await settle(stage, JSON.parse(body))).success, true);
});
