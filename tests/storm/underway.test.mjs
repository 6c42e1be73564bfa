// What may happen to a chain while payments are under way: restarts, forgotten transactions, fees that jump, blocks
// that are taken back. In the end everything is paid once and sold once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { audit } from './audit.mjs';
import { seeded, short } from './seeded.mjs';
import { openStorm } from './stage.mjs';

const CONCURRENCY = 100;
const PAYMENTS = short(5000, 50_000);
const HEAL_MS = 90_000; // in which what was taken back is in a block again
const POLL_MS = 500;
const MINER_MS = 300;

// Payments without end, and the event `times` times, after random pauses; event() is false when it was not the time.
async function runUnder(t, name, { blockTime = 1, times, pauseMs, event, rules, env }) {
	const random = seeded(name);
	const storm = await openStorm({ payments: PAYMENTS, blockTime, env });
	t.after(storm.close);
	const load = storm.clients.pour(storm.payments, CONCURRENCY);
	const started = Date.now();
	for (let happened = 0; happened < times;) {
		await sleep(random.between(pauseMs / 2, pauseMs * 1.5));
		assert.ok(load.count() < PAYMENTS, 'the load ended before the events');
		if (await event(storm, random) !== false)
			happened++;
	}
	await load.end();
	const seconds = (Date.now() - started) / 1000;
	const result = await healed(storm, rules);
	t.diagnostic(JSON.stringify({ ...result, times, seconds, healedAfter: (Date.now() - started) / 1000 }));
}

// The auditor's word when it has nothing to complain of, or its last complaint: what was taken back may be on its way.
async function healed(storm, rules) {
	const deadline = Date.now() + (rules.fillers ? HEAL_MS : 0);
	for (;;)
		try {
			return await audit(storm, rules);
		} catch (error) {
			if (Date.now() > deadline)
				throw error;
			await sleep(POLL_MS);
		}
}

// What an engine may do about a chain that forgets: sign again, with higher fees, and fill gaps.
const FORGETFUL = { replaced: true, fillers: true, nonceFaults: true };

async function dropOne(storm, random) {
	const { pending } = await storm.chain.client.getTxpoolContent();
	const waiting = Object.values(pending).flatMap((byNonce) => Object.values(byNonce));
	if (waiting.length === 0)
		return false;
	await storm.chain.client.dropTransaction({ hash: random.pick(waiting).hash });
	return true;
}

// Not while anvil's miner is at work: it then takes back the state and leaves the blocks.
async function reorg({ chain: { client }, firstBlock }, depth) {
	await client.setIntervalMining({ interval: 0 });
	await sleep(MINER_MS);
	const blockNumber = await client.getBlockNumber() - BigInt(depth - 1);
	const deepEnough = blockNumber > BigInt(firstBlock);
	if (deepEnough) {
		const { hash } = await client.getBlock({ blockNumber });
		await client.request({ method: 'anvil_reorg', params: [depth, []] });
		assert.notEqual((await client.getBlock({ blockNumber })).hash, hash, 'the chain was not reorganised');
	}
	await client.setIntervalMining({ interval: 1 });
	return deepEnough;
}

async function raiseBaseFee({ chain: { client } }) {
	const { baseFeePerGas } = await client.getBlock();
	await client.setNextBlockBaseFeePerGas({ baseFeePerGas: baseFeePerGas * 10n });
}

test('underway__chain_restarts__all_is_paid_once', (t) => runUnder(t, 'restart', {
	times: short(1, 5), pauseMs: 2000, event: (storm) => storm.restartChain(), rules: FORGETFUL,
}));

test('underway__transactions_are_dropped__all_is_paid_once', (t) => runUnder(t, 'drop', {
	times: short(3, 30), pauseMs: 200, event: dropOne, rules: FORGETFUL,
}));

test('underway__base_fee_rises_tenfold__all_is_paid_once', (t) => runUnder(t, 'fee', {
	times: short(1, 3), pauseMs: 2000, event: raiseBaseFee, rules: FORGETFUL,
}));

// Less deep than `confirmations` (12): as long as a transaction is followed.
for (const depth of short([3], [1, 2, 3, 5, 8]))
	test(`underway__${depth}_blocks_are_taken_back__all_is_paid_once`, (t) => runUnder(t, `reorg ${depth}`, {
		times: short(1, 5), pauseMs: 2000 + depth * 500, event: (storm) => reorg(storm, depth), rules: FORGETFUL,
	}));
