// farebox is killed while payments are under way, and started again on the same records: at random moments, at every
// named place around a durable step (a test build and FAREBOX_KILL_AT), and around what it asks of the chain.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runFarebox } from '../../testnet/farebox.mjs';
import { audit } from './audit.mjs';
import { startLiar } from './liar.mjs';
import { seeded, short } from './seeded.mjs';
import { openStorm } from './stage.mjs';

const CONCURRENCY = 50;
const KILLS_OF_A_DIRECTORY = 50;
const POINT_MS = 60_000; // in which a place is passed, on a busy machine

// Asked again, everybody hears what he was told before.
async function checkAgain(storm) {
	const told = new Map(storm.clients.answers.filter(({ meaning }) => meaning === 'success')
		.map(({ payment, transaction }) => [payment, transaction]));
	for (const [index, transaction] of [...told].slice(-50)) {
		const again = await storm.clients.submit(storm.payments[index]);
		assert.deepEqual([again.meaning, again.transaction], ['used', transaction], `payment ${index}`);
	}
}

async function checkRecords(storm) {
	await storm.stop();
	const { code, output } = await runFarebox(['ledger', 'audit', '--data', `${storm.folder}/data`]);
	assert.equal(code, 0, output);
}

async function finish(t, storm, load, kills) {
	await load.end();
	await checkAgain(storm);
	const result = await audit(storm, { fillers: true, nonceFaults: true });
	await checkRecords(storm);
	t.diagnostic(JSON.stringify({ ...result, kills, seed: storm.seed }));
}

async function killAtRandom(t, name, { kills, blockTime }) {
	const random = seeded(name);
	const storm = await openStorm({ payments: 100 + kills * 150, blockTime });
	t.after(storm.close);
	const load = storm.clients.pour(storm.payments, CONCURRENCY);
	for (let kill = 0; kill < kills; kill++) {
		await sleep(random.below(700));
		await storm.kill();
		if (random.below(3) === 0) // while it starts, or just after
			await storm.start({ timeoutMs: 1 + random.below(100) }).then(storm.kill, () => {});
		await storm.start();
	}
	await finish(t, storm, load, kills);
}

for (const blockTime of [0, 1])
	for (let part = 0; part < short(1, 5); part++)
		test(`kill__at_random_on_blocks_of_${blockTime}_s_${part}__nothing_is_lost_or_doubled`, (t) =>
			killAtRandom(t, `random ${blockTime} ${part}`, { kills: short(3, KILLS_OF_A_DIRECTORY), blockTime }));

// ---- around what is asked of the chain --------------------------------------------------------------------

const METHODS = ['eth_call', 'eth_estimateGas', 'eth_sendRawTransaction', 'eth_getTransactionReceipt'];

// farebox dies when it asks this for the n-th time in this life: before the chain hears it, or before the answer.
async function dieAsking(storm, { method, after, times }) {
	let passed = 0, dead = null;
	const { liar } = storm.between;
	const at = async (calls) => {
		if (!dead && calls.some((call) => call.method === method) && ++passed === times) {
			dead = storm.kill();
			await dead;
		}
	};
	Object.assign(liar, { before: after ? null : at, after: after ? at : null });
	const deadline = Date.now() + POINT_MS;
	while (!dead && Date.now() < deadline)
		await sleep(5);
	assert.ok(dead, `${method} was not asked ${times} times`);
	await dead;
	Object.assign(liar, { before: null, after: null });
	await storm.start();
}

test('kill__around_every_question_to_the_chain__nothing_is_lost_or_doubled', async (t) => {
	const random = seeded('questions');
	const between = async (chainUrl) => {
		const liar = await startLiar(chainUrl, random);
		return { liar, url: liar.url, close: liar.close };
	};
	const storm = await openStorm({ payments: short(4000, 40_000), between });
	t.after(storm.close);
	const load = storm.clients.pour(storm.payments, CONCURRENCY);
	let kills = 0;
	for (const method of short(METHODS.slice(2), METHODS))
		for (const after of [false, true])
			for (const times of short([2], [1, 2, 5, 20])) {
				await dieAsking(storm, { method, after, times });
				kills++;
			}
	await finish(t, storm, load, kills);
});

// ---- around what is made durable --------------------------------------------------------------------------

const STEPS = ['commit', 'anchor'];

async function dieAtPoint(storm, point) {
	await storm.stop();
	await storm.start({ changes: { FAREBOX_KILL_AT: point } });
	const late = sleep(POINT_MS, { signal: 'none in time' }, { ref: false });
	const { signal } = await Promise.race([storm.server.exited, late]);
	assert.equal(signal, 'SIGKILL', point);
	await storm.start();
}

test('kill__around_every_durable_step__nothing_is_lost_or_doubled', async (t) => {
	const random = seeded('points');
	const storm = await openStorm({ payments: short(4000, 40_000) });
	t.after(storm.close);
	const load = storm.clients.pour(storm.payments, CONCURRENCY);
	let kills = 0;
	for (const step of STEPS)
		for (const side of ['before', 'after'])
			for (const times of short([3], [1, 2, 3, 5, 10, 30, 100])) {
				await dieAtPoint(storm, `${side} ${step} ${times}`);
				kills++;
			}
	await finish(t, storm, load, kills);
});
