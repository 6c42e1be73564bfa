// The chain's RPC endpoint hangs or is gone. That is never the payer's fault, never a success, and passes.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { payment } from './payment.mjs';
import { askUntil, openStage, post, settle, verify } from './stage.mjs';
import { balanceOf } from './token.mjs';

const ANSWER_MS = 30000; // what a stock client waits for at the least
const VERIFY_ERROR = 'unexpected_verify_error';
const SETTLE_ERROR = 'unexpected_settle_error';
let stage;

beforeEach(async () => {
	stage = await openStage();
});
afterEach(async () => {
	thaw();
	await stage.close();
});

const pay = () => payment({ payer: stage.payer, payTo: stage.payee.address });
const freeze = () => process.kill(stage.chain.pid, 'SIGSTOP');

function thaw() {
	try {
		process.kill(stage.chain.pid, 'SIGCONT');
	} catch (error) {
		assert.equal(error.code, 'ESRCH'); // it is gone
	}
}

async function inTime(work) {
	const started = Date.now();
	const result = await work();
	assert.ok(Date.now() - started < ANSWER_MS);
	return result;
}

async function checkUnexpected(body) {
	const verdict = await inTime(() => post(stage, '/verify', body));
	assert.equal(verdict.status, 200);
	assert.equal(verdict.body.isValid, false);
	assert.equal(verdict.body.invalidReason, VERIFY_ERROR);
	const answer = await inTime(() => post(stage, '/settle', body));
	assert.equal(answer.status, 200);
	assert.equal(answer.body.success, false);
	assert.equal(answer.body.errorReason, SETTLE_ERROR);
	assert.equal(answer.body.transaction, '');
}

test('outage__endpoint_hangs__is_unexpected_and_passes', async () => {
	const body = await pay();
	freeze();
	await checkUnexpected(body);
	thaw();
	await askUntil(() => verify(stage, body), ({ isValid }) => isValid);
	assert.equal((await settle(stage, body)).success, true);
	assert.equal(await balanceOf(stage.chain, stage.payee.address), 1_000_000_001_000n);
});

test('outage__endpoint_hangs__leaves_liveness_and_takes_readiness', async () => {
	freeze();
	await askUntil(() => fetch(`${stage.url}/readyz`), ({ status }) => status === 503);
	assert.equal((await fetch(`${stage.url}/healthz`)).status, 200);
	thaw();
	await askUntil(() => fetch(`${stage.url}/readyz`), ({ status }) => status === 200);
});

test('outage__endpoint_is_gone__is_unexpected', async () => {
	const body = await pay();
	process.kill(stage.chain.pid, 'SIGKILL');
	await stage.chain.exited;
	await checkUnexpected(body);
});

test('outage__demo_with_a_payment__is_no_402', async () => {
	const required = await fetch(`${stage.url}/demo`);
	const header = Buffer.from(required.headers.get('PAYMENT-REQUIRED'), 'base64');
	const { resource, accepts: [accepted] } = JSON.parse(header);
	const body = await payment({ payer: stage.payer, payTo: accepted.payTo, amount: accepted.amount });
	const sent = { x402Version: 2, payload: body.paymentPayload.payload, resource, accepted };
	freeze();
	const headers = { 'PAYMENT-SIGNATURE': Buffer.from(JSON.stringify(sent)).toString('base64') };
	const response = await inTime(() => fetch(`${stage.url}/demo`, { headers }));
	assert.ok(response.status >= 500 && response.headers.has('Retry-After'), `status ${response.status}`);
});
