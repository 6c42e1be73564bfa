// Settlements that outlast a request: a chain that mines when the test says so, and a farebox that waits half a second.
// A pending answer carries the hash; repeats of it get the success, once, whatever happens to farebox in between.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { toHex } from 'viem';
import { payment } from './payment.mjs';
import { askUntil, openStage, settle } from './stage.mjs';
import { balanceOf, cancel, settleAsStranger } from './token.mjs';

const SLOW_BLOCKS_S = 3;
const WAIT_MS = 500;
const ANSWER_MS = 2500; // in which farebox must have answered, busy machine included
const LOST_MS = 60000;
const CALLERS = 10;
const USED = 'invalid_exact_evm_nonce_already_used';
const HIGH_FEES = { maxFeePerGas: toHex(10n ** 11n), maxPriorityFeePerGas: toHex(10n ** 11n) };
const HASH = /^0x[0-9a-f]{64}$/;
let stage;

before(async () => {
	stage = await openStage({ env: { FAREBOX_SETTLE_WAIT_MS: String(WAIT_MS) } });
	await stage.chain.client.setAutomine(false);
});
after(() => stage?.close());

const pay = () => payment({ payer: stage.payer, payTo: stage.payee.address });
const earned = () => balanceOf(stage.chain, stage.payee.address);
const isPending = ({ errorReason }) => errorReason === 'settlement_pending';

const poolSize = async () => (await stage.chain.client.getTxpoolStatus()).pending;
const mine = () => stage.chain.client.mine({ blocks: 1 });

// Asks until the answer is final, a new block before each time.
async function lastAnswer(body) {
	const ask = async () => {
		await mine();
		return settle(stage, body);
	};
	return (await askUntil(ask, (answer) => !isPending(answer), { timeoutMs: LOST_MS })).at(-1);
}

async function settlePending(body) {
	const started = Date.now();
	const answer = await settle(stage, body);
	assert.ok(Date.now() - started < ANSWER_MS);
	const { success, errorReason, transaction, network } = answer;
	assert.deepEqual({ success, errorReason, network },
		{ success: false, errorReason: 'settlement_pending', network: 'eip155:84532' });
	assert.match(transaction, HASH);
	return transaction;
}

async function settleToTheEnd(body, transaction) {
	const last = await lastAnswer(body);
	assert.equal(last.success, true, JSON.stringify(last));
	assert.equal(last.transaction, transaction);
	const again = await settle(stage, body);
	assert.deepEqual([again.success, again.errorReason, again.transaction], [false, USED, transaction]);
}

// Whatever `between` does to farebox between a pending answer and its repeats: paid once, sold once, sent once.
async function checkResumed(between) {
	const body = await pay();
	const sent = () => stage.chain.client.getTransactionCount({ address: stage.signer.address });
	const earlier = { earned: await earned(), sent: await sent() };
	const transaction = await settlePending(body);
	await between(transaction, body);
	await settleToTheEnd(body, transaction);
	assert.equal((await earned()) - earlier.earned, 1000n);
	assert.equal((await sent()) - earlier.sent, 1);
}

test('settle__pending_then_repeated__is_pending_until_it_is_mined', () => checkResumed(async (transaction, body) => {
	assert.equal(await settlePending(body), transaction);
	assert.equal(await settlePending(body), transaction);
}));

test('settle__pending_and_restarted__succeeds_with_the_same_hash', () => checkResumed(() => stage.restart()));

test('settle__pending_and_killed__succeeds_with_the_same_hash', () => checkResumed(async () => {
	await stage.kill();
	await stage.start();
}));

test('settle__pending_and_down_while_it_is_mined__succeeds_with_the_same_hash', () => checkResumed(async (hash) => {
	await stage.kill();
	await mine();
	assert.equal((await stage.chain.client.getTransactionReceipt({ hash })).status, 'success');
	await stage.start();
}));

test('settle__pending_and_forgotten_by_the_chain__is_sent_again', () => checkResumed(async (hash) => {
	await stage.kill();
	await stage.chain.client.dropTransaction({ hash });
	assert.equal(await poolSize(), 0);
	await stage.start();
}));

test('settle__killed_right_after_sending_and_never_answered__succeeds_for_the_repeat', async () => {
	const body = await pay();
	const client = stage.chain.client;
	const earlier = await earned();
	const pending = () => client.getTransactionCount({ address: stage.signer.address, blockTag: 'pending' });
	const before = await pending();
	const lost = settle(stage, body).catch(() => 'lost');
	await askUntil(pending, (count) => count > before, { pauseMs: 1, timeoutMs: ANSWER_MS });
	await stage.kill();
	assert.equal(await lost, 'lost');
	await stage.start();
	const last = await lastAnswer(body);
	assert.equal(last.success, true, JSON.stringify(last));
	assert.equal((await earned()) - earlier, 1000n);
	assert.equal(await pending(), before + 1);
});

test('settle__pending_for_ten_callers_who_all_repeat__succeeds_for_one', async () => {
	const body = await pay();
	const earlier = await earned();
	const transaction = await settlePending(body);
	const last = await Promise.all(Array.from({ length: CALLERS }, () => lastAnswer(body)));
	assert.equal(last.filter(({ success }) => success).length, 1);
	last.forEach((answer) => assert.equal(answer.transaction, transaction));
	assert.equal(last.filter(({ errorReason }) => errorReason === USED).length, CALLERS - 1);
	assert.equal((await earned()) - earlier, 1000n);
});

test('settle__pending_and_the_chain_hangs__stays_pending_and_resumes', () => checkResumed(async (hash, body) => {
	process.kill(stage.chain.pid, 'SIGSTOP');
	const answer = await settle(stage, body).finally(() => process.kill(stage.chain.pid, 'SIGCONT'));
	assert.deepEqual([answer.errorReason, answer.transaction], ['settlement_pending', hash]);
}));

// Our intent was durable before the stranger's transaction: what it paid, it paid for us.
test('settle__stranger_settles_it_in_the_same_block__succeeds_once_with_the_strangers_hash', async () => {
	const body = await pay();
	const earlier = await earned();
	const transaction = await settlePending(body);
	const faster = settleAsStranger(stage.chain, stage.other.address, body.paymentPayload.payload, HIGH_FEES);
	await askUntil(() => poolSize(), (size) => size === 2, { pauseMs: 1 });
	const last = await lastAnswer(body);
	const { transactionHash, transactionIndex } = await faster;
	assert.equal(last.success, true, JSON.stringify(last));
	assert.notEqual(last.transaction, transaction);
	assert.equal(last.transaction, transactionHash);
	assert.equal(transactionIndex, 0);
	assert.equal((await earned()) - earlier, 1000n);
	const again = await settle(stage, body);
	assert.deepEqual([again.success, again.transaction], [false, transactionHash]);
});

// Nothing moved and nothing ever will: that is told, and for good.
test('settle__payer_cancels_in_the_same_block__fails_for_good', async () => {
	const body = await pay();
	const earlier = await earned();
	const transaction = await settlePending(body);
	const canceled = cancel(stage.chain, stage.other.address, stage.payer, body.paymentPayload.payload, HIGH_FEES);
	await askUntil(() => poolSize(), (size) => size === 2, { pauseMs: 1 });
	const last = await lastAnswer(body);
	assert.equal((await canceled).transactionIndex, 0);
	assert.equal(last.success, false);
	assert.equal(last.errorReason, 'invalid_exact_evm_nonce_already_used');
	assert.equal(last.transaction, transaction);
	assert.deepEqual(await settle(stage, body), last);
	assert.equal((await earned()) - earlier, 0n);
});

test('settle__another_program_takes_our_account_nonce__is_sent_anew', async () => {
	const body = await pay();
	const { client } = stage.chain;
	const earlier = await earned();
	const hash = await settlePending(body);
	const { nonce } = await client.getTransaction({ hash });
	const transaction = { from: stage.signer.address, to: stage.other.address, nonce: toHex(nonce), ...HIGH_FEES };
	await client.request({ method: 'eth_sendTransaction', params: [transaction] });
	const last = await lastAnswer(body);
	assert.equal(last.success, true, JSON.stringify(last));
	assert.notEqual(last.transaction, hash);
	assert.equal((await earned()) - earlier, 1000n);
});

test('settle__stopped_while_it_waits__is_answered_pending_and_resumes', async () => {
	await stage.restart({ FAREBOX_SETTLE_WAIT_MS: '45000' });
	const body = await pay();
	const waiting = settle(stage, body);
	await sleep(WAIT_MS);
	await stage.restart();
	const { errorReason, transaction } = await waiting;
	assert.equal(errorReason, 'settlement_pending');
	await settleToTheEnd(body, transaction);
});

test('settle__on_a_chain_with_slow_blocks__waits_for_its_block', async () => {
	await stage.restart({ FAREBOX_SETTLE_WAIT_MS: '45000' });
	await stage.chain.client.setIntervalMining({ interval: SLOW_BLOCKS_S });
	const answer = await settle(stage, await pay());
	assert.equal(answer.success, true, JSON.stringify(answer));
});
