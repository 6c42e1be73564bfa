// Settlements that outlast a request: a chain that mines every few seconds and a farebox that waits half a second. A
// pending answer carries the hash; repeats of it get the success, once, whatever happens to farebox in between.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { payment } from './payment.mjs';
import { askUntil, openStage, settle } from './stage.mjs';
import { balanceOf } from './token.mjs';

const BLOCK_TIME_S = 5;
const WAIT_MS = 500;
const ANSWER_MS = 2500; // in which farebox must have answered, busy machine included
const CALLERS = 10;
const USED = 'invalid_exact_evm_nonce_already_used';
const HASH = /^0x[0-9a-f]{64}$/;
let stage;

before(async () => {
	stage = await openStage({ blockTime: BLOCK_TIME_S, env: { FAREBOX_SETTLE_WAIT_MS: String(WAIT_MS) } });
});
after(() => stage?.close());

const pay = () => payment({ payer: stage.payer, payTo: stage.payee.address });
const earned = () => balanceOf(stage.chain, stage.payee.address);
const isPending = ({ errorReason }) => errorReason === 'settlement_pending';

// A new block has just come, so that nothing is mined for a while.
async function justAfterABlock() {
	const start = await stage.chain.client.getBlockNumber();
	await askUntil(() => stage.chain.client.getBlockNumber(), (number) => number > start, { pauseMs: 20 });
}

async function settlePending(body) {
	await justAfterABlock();
	const started = Date.now();
	const answer = await settle(stage, body);
	assert.ok(Date.now() - started < ANSWER_MS);
	const { success, errorReason, transaction, network } = answer;
	assert.deepEqual({ success, errorReason, network },
		{ success: false, errorReason: 'settlement_pending', network: 'eip155:84532' });
	assert.match(transaction, HASH);
	return transaction;
}

// Repeats a settlement until it succeeds; all answers before that must be pending with the same hash.
async function settleToTheEnd(body, transaction) {
	const answers = await askUntil(() => settle(stage, body), (answer) => !isPending(answer));
	const last = answers.pop();
	assert.equal(last.success, true, JSON.stringify(last));
	assert.equal(last.transaction, transaction);
	answers.forEach((answer) => assert.equal(answer.transaction, transaction));
	const again = await settle(stage, body);
	assert.deepEqual([again.success, again.errorReason, again.transaction], [false, USED, transaction]);
}

// Whatever `between` does to farebox between a pending answer and its repeats: paid once, sold once, sent once.
async function checkResumed(between) {
	const body = await pay();
	const sent = () => stage.chain.client.getTransactionCount({ address: stage.signer.address });
	const earlier = { earned: await earned(), sent: await sent() };
	const transaction = await settlePending(body);
	await between(transaction);
	await settleToTheEnd(body, transaction);
	assert.equal((await earned()) - earlier.earned, 1000n);
	assert.equal((await sent()) - earlier.sent, 1);
}

test('settle__pending_then_repeated__succeeds_with_the_same_hash', () => checkResumed(() => {}));

test('settle__pending_and_restarted__succeeds_with_the_same_hash', () => checkResumed(() => stage.restart()));

test('settle__pending_and_killed__succeeds_with_the_same_hash', () => checkResumed(async () => {
	await stage.kill();
	await stage.start();
}));

test('settle__pending_and_down_while_it_is_mined__succeeds_with_the_same_hash', () => checkResumed(async (hash) => {
	await stage.kill();
	await stage.chain.client.waitForTransactionReceipt({ hash });
	await stage.start();
}));

test('settle__pending_and_forgotten_by_the_chain__is_sent_again', () => checkResumed(async (hash) => {
	await stage.kill();
	await stage.chain.client.dropTransaction({ hash });
	await stage.start();
}));

test('settle__killed_right_after_sending_and_never_answered__succeeds_for_the_repeat', async () => {
	const body = await pay();
	const client = stage.chain.client;
	const earlier = await earned();
	const pending = () => client.getTransactionCount({ address: stage.signer.address, blockTag: 'pending' });
	await justAfterABlock();
	const before = await pending();
	const lost = settle(stage, body).catch(() => 'lost');
	await askUntil(pending, (count) => count > before, { pauseMs: 1, timeoutMs: ANSWER_MS });
	await stage.kill();
	assert.equal(await lost, 'lost');
	await stage.start();
	const answers = await askUntil(() => settle(stage, body), (answer) => !isPending(answer));
	assert.equal(answers.at(-1).success, true, JSON.stringify(answers.at(-1)));
	assert.equal((await earned()) - earlier, 1000n);
	assert.equal(await pending(), before + 1);
});

test('settle__pending_for_ten_callers_who_all_repeat__succeeds_for_one', async () => {
	const body = await pay();
	const earlier = await earned();
	const transaction = await settlePending(body);
	const call = () => askUntil(() => settle(stage, body), (answer) => !isPending(answer));
	const last = (await Promise.all(Array.from({ length: CALLERS }, call))).map((answers) => answers.at(-1));
	assert.equal(last.filter(({ success }) => success).length, 1);
	last.forEach((answer) => assert.equal(answer.transaction, transaction));
	assert.equal(last.filter(({ errorReason }) => errorReason === USED).length, CALLERS - 1);
	assert.equal((await earned()) - earlier, 1000n);
});

test('settle__stopped_while_it_waits__is_answered_pending_and_resumes', async () => {
	await stage.restart({ FAREBOX_SETTLE_WAIT_MS: '45000' });
	const body = await pay();
	await justAfterABlock();
	const waiting = settle(stage, body);
	await sleep(WAIT_MS);
	await stage.restart();
	const { errorReason, transaction } = await waiting;
	assert.equal(errorReason, 'settlement_pending');
	await settleToTheEnd(body, transaction);
});
