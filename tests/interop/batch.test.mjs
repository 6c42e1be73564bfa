// Many payments in few transactions, on genuine USDC and Multicall3: a chain that mines when the test says so, so that
// payments gather; good ones beside bad ones.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toHex } from 'viem';
import { payment } from './payment.mjs';
import { askUntil, openStage, settle } from './stage.mjs';
import { balanceOf, send, settleAsStranger } from './token.mjs';
import { openWallet } from './wallet.mjs';

const HIGH_FEES = { maxFeePerGas: toHex(10n ** 11n), maxPriorityFeePerGas: toHex(10n ** 11n) };
const MINE_MS = 50;
let stage;

before(async () => {
	stage = await openStage({ env: { FAREBOX_SETTLE_WAIT_MS: '60000' } });
});
after(() => stage?.close());

const pay = (changes) => payment({ payer: stage.payer, payTo: stage.payee.address, ...changes });
const payMany = (count) => Promise.all(Array.from({ length: count }, () => pay()));
const earned = () => balanceOf(stage.chain, stage.payee.address);
const sent = () => stage.chain.client.getTransactionCount({ address: stage.signer.address });
const pooled = async () => (await stage.chain.client.getTxpoolStatus()).pending;

async function isSigned({ paymentPayload: { payload: { authorization: { from, nonce } } } }) {
	const answer = await fetch(`${stage.url}/v1/settlements?payer=${from}&nonce=${nonce}`);
	return (await answer.json()).state === 'signed';
}

// The last of them whose intent is durable: those that wait for room in the next transaction are not yet.
async function lastSigned(bodies) {
	const look = async () => (await Promise.all(bodies.map(isSigned))).lastIndexOf(true);
	return (await askUntil(look, (index) => index >= 0, { pauseMs: 10 })).at(-1);
}

// Settles all of them while the chain stands; `meanwhile` when they are in the pool; then it goes on.
async function settleTogether(bodies, poolSize, meanwhile = async () => {}) {
	const { client } = stage.chain;
	await client.setAutomine(false);
	const answers = Promise.all(bodies.map((body) => settle(stage, body)));
	await askUntil(pooled, (size) => size >= poolSize);
	const others = await meanwhile();
	const miner = setInterval(() => client.mine({ blocks: 1 }).catch(() => {}), MINE_MS);
	try {
		return [await answers, await others?.work];
	} finally {
		clearInterval(miner);
		await client.setAutomine(true);
	}
}

async function measured(work) {
	const earlier = { earned: await earned(), sent: await sent() };
	const result = await work();
	return { result, gain: (await earned()) - earlier.earned, transactions: (await sent()) - earlier.sent };
}

const failures = (answers) => answers.filter(({ success }) => !success);
const hashes = (answers) => new Set(answers.map(({ transaction }) => transaction));

for (const count of [50, 100])
	test(`batch__${count}_payments_at_once__all_succeed_in_a_few_transactions`, async () => {
		const bodies = await payMany(count);
		const { result: [answers], gain, transactions } = await measured(() => settleTogether(bodies, 2));
		assert.deepEqual(failures(answers), []);
		assert.equal(gain, 1000n * BigInt(count));
		assert.ok(transactions <= count / 5, `${transactions} transactions`);
		assert.equal(hashes(answers).size, transactions);
	});

test('batch__one_payer_blacklisted_meanwhile__fails_alone', async () => {
	const [victim] = stage.rest;
	const bodies = [...await payMany(30), await pay({ payer: victim }), ...await payMany(19)];
	const blacklist = async () => {
		const before = await pooled();
		const work = send(stage.chain, stage.chain.owner.address, 'blacklist', victim.address);
		await askUntil(pooled, (size) => size > before);
		return { work };
	};
	const { result: [answers], gain } = await measured(() => settleTogether(bodies, 2, blacklist));
	const failed = failures(answers);
	await send(stage.chain, stage.chain.owner.address, 'unBlacklist', victim.address);
	assert.equal(failed.length, answers[30].success ? 0 : 1);
	assert.ok(failed.every(({ errorReason }) => /transaction_failed|simulation_failed/.test(errorReason)));
	assert.equal(gain, 1000n * BigInt(50 - failed.length));
	if (failed.length > 0)
		assert.equal((await settle(stage, bodies[30])).success, true); // it is tried anew when it is wanted again
});

test('batch__payer_twice_with_money_for_one__one_of_the_two_and_all_others', async () => {
	const [, poor] = stage.rest;
	const amount = await balanceOf(stage.chain, poor.address);
	await send(stage.chain, poor.address, 'transfer', stage.other.address, amount - 1500n);
	const bodies = [...await payMany(10), await pay({ payer: poor }), ...await payMany(10), await pay({ payer: poor })];
	const { result: [answers], gain } = await measured(() => settleTogether(bodies, 2));
	const failed = failures(answers);
	assert.equal(failed.length, 1);
	assert.equal(failed[0].errorReason, 'invalid_exact_evm_insufficient_balance');
	assert.equal(gain, 21000n);
	assert.equal(await balanceOf(stage.chain, poor.address), 500n);
});

test('batch__smart_wallet_among_them__goes_alone_and_succeeds', async () => {
	const wallet = await openWallet(stage.chain, stage.payer);
	const fromWallet = await pay({ payer: { address: wallet, privateKey: stage.payer.privateKey } });
	const bodies = [...await payMany(10), fromWallet, ...await payMany(10)];
	const { result: [answers], gain } = await measured(() => settleTogether(bodies, 2));
	assert.deepEqual(failures(answers), []);
	assert.equal(gain, 21000n);
	assert.equal(answers.filter(({ transaction }) => transaction === answers[10].transaction).length, 1);
});

test('batch__stranger_settles_one_of_them_first__it_counts_and_the_others_succeed', async () => {
	const bodies = await payMany(20);
	let index;
	const settleFirst = async () => {
		index = await lastSigned(bodies);
		const before = await pooled();
		const { payload } = bodies[index].paymentPayload;
		const work = settleAsStranger(stage.chain, stage.other.address, payload, HIGH_FEES);
		await askUntil(pooled, (size) => size > before);
		return { work };
	};
	const { result: [answers, foreign], gain } = await measured(() => settleTogether(bodies, 2, settleFirst));
	assert.deepEqual(failures(answers), []);
	assert.equal(answers[index].transaction, foreign.transactionHash);
	assert.equal(gain, 20000n);
});
