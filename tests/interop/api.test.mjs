// What surrounds verifying and settling: what a stock server asks at its start, and how a test rig drives farebox.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openStage } from './stage.mjs';

let stage;

before(async () => {
	stage = await openStage({ env: { FAREBOX_TEST_HOOKS: 'true' } });
});
after(() => stage?.close());

test('supported__asked__lists_both_versions_and_the_signer', async () => {
	const answer = await (await fetch(`${stage.url}/supported`)).json();
	assert.deepEqual(answer.kinds, [
		{ x402Version: 2, scheme: 'exact', network: 'eip155:84532' },
		{ x402Version: 1, scheme: 'exact', network: 'base-sepolia' },
	]);
	assert.ok(Array.isArray(answer.extensions));
	const signers = Object.values(answer.signers).flat().map((address) => address.toLowerCase());
	assert.deepEqual(signers, [stage.signer.address.toLowerCase()]);
});

test('health__asked__is_ok', async () => {
	const response = await fetch(`${stage.url}/health`);
	assert.equal(response.status, 200);
	assert.deepEqual(await response.json(), { status: 'ok' });
});

test('readyz_and_healthz__on_a_live_chain__are_200', async () => {
	assert.equal((await fetch(`${stage.url}/healthz`)).status, 200);
	assert.equal((await fetch(`${stage.url}/readyz`)).status, 200);
});

test('demo__asked_without_payment__quotes_both_versions_of_one_price', async () => {
	const response = await fetch(`${stage.url}/demo`);
	const v1 = await response.json();
	const v2 = JSON.parse(Buffer.from(response.headers.get('PAYMENT-REQUIRED'), 'base64'));
	assert.equal(response.status, 402);
	assert.equal(v1.x402Version, 1);
	assert.equal(v2.x402Version, 2);
	assert.equal(v2.accepts[0].extra.paymentFlow, 'upfront');
	assert.equal(v1.accepts[0].maxAmountRequired, v2.accepts[0].amount);
	assert.ok(!('outputSchema' in v1.accepts[0]));
});

test('close__posted__ends_farebox_well', async () => {
	const response = await fetch(`${stage.url}/close`, { method: 'POST' });
	assert.equal(response.status, 200);
	assert.deepEqual(await stage.farebox.exited, { code: 0, signal: null });
});
