// The indexer in storms: reorgs of every depth with deposits of every kind inside, transactions that come again
// elsewhere, a token that is paused or refuses people, and endpoints that fail and lie over thousands of blocks. After
// each the ledger says what the chain says, and the audit is clean.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { toHex } from '../../testnet/node_modules/viem/_esm/index.js';
import { openIndexed, until } from '../interop/indexed.mjs';
import { transact } from '../interop/escrow.mjs';
import { call } from '../interop/token.mjs';
import { liesAbout, moneyComesIn, payInline, WAYS } from './depositing.mjs';
import { EVERY_FAULT, startLiar } from './liar.mjs';
import { FULL, seeded, short } from './seeded.mjs';

const DEEPEST = 64;
const EPOCH = DEEPEST / 2 + 2; // blocks that are final lie deeper
const DEPTHS = short([1, 7, 33, DEEPEST], Array.from({ length: DEEPEST }, (_, i) => i + 1));

async function seesTheHead(indexed) {
	const { number } = await indexed.chain.client.getBlock();
	await until(`block ${number} is read`, async () => (await indexed.metrics()).indexer_block >= Number(number));
}

// Everything becomes final, and agrees.
async function settleDown(indexed) {
	await indexed.mine(2 * indexed.epoch + 1);
	await indexed.untilLooked();
	await indexed.agrees();
	await indexed.ready();
	await indexed.stop();
	await indexed.audit();
}

// ---- reorgs ----------------------------------------------------------------------------------------------
// The transactions of the newest blocks as they were sent, oldest first.
async function sentIn(indexed, depth) {
	const { client } = indexed.chain;
	const head = Number(await client.getBlockNumber()), sent = [];
	for (let number = head - depth + 1; number <= head; number++) {
		const { transactions } = await client.getBlock({ blockNumber: BigInt(number) });
		for (const hash of transactions)
			sent.push(await client.request({ method: 'eth_getRawTransactionByHash', params: [hash] }));
	}
	return sent;
}

// Some of what was in those blocks comes again, in the same order (accounts have counters) and in other blocks; the
// rest never does.
async function takeBack(indexed, depth, random) {
	const sent = await sentIn(indexed, depth), kept = sent.slice(0, random.below(sent.length + 1));
	const places = kept.map(() => random.below(depth)).sort((a, b) => a - b);
	await indexed.reorg(depth, kept.map((raw, i) => [raw, places[i]]));
	return { kept: kept.length, dropped: sent.length - kept.length };
}

async function fillBlocks(indexed, depth, random, count) {
	for (let block = 0; block < depth; block++)
		if (random.below(depth) < count)
			await moneyComesIn(indexed, random);
		else
			await indexed.mine(1);
}

test('reorgs of every depth with deposits inside, re-included at other places or gone', async (t) => {
	const random = seeded('reorgs'), sums = { kept: 0, dropped: 0 };
	const indexed = await openIndexed({ epoch: EPOCH, env: { FAREBOX_REORG_DEPTH_MAX: String(DEEPEST) } });
	t.after(() => indexed.close());
	await indexed.mine(2 * EPOCH);
	await indexed.start();
	await indexed.ready();
	for (const depth of DEPTHS) {
		await fillBlocks(indexed, depth, random, 8);
		await seesTheHead(indexed);
		const { kept, dropped } = await takeBack(indexed, depth, random);
		sums.kept += kept;
		sums.dropped += dropped;
		await moneyComesIn(indexed, random); // and the chain is longer than before
		await seesTheHead(indexed);
		await indexed.agrees();
	}
	const { result } = await payInlineAndTakeBack(indexed);
	assert.ok(result.success, JSON.stringify(result));
	t.diagnostic(JSON.stringify({ depths: DEPTHS.length, ...sums }));
	await settleDown(indexed);
});

async function payInlineAndTakeBack(indexed) {
	const result = await payInline(indexed, indexed.people[0], 4321);
	await seesTheHead(indexed);
	await indexed.reorg(1); // farebox sends it again by itself
	await indexed.mine(2);
	await indexed.agrees();
	return { result };
}

test('a chain that goes back to a snapshot and on from there, to a lower head for a while', async (t) => {
	const random = seeded('snapshot');
	const indexed = await openIndexed({ epoch: EPOCH });
	t.after(() => indexed.close());
	await indexed.mine(2 * EPOCH);
	await indexed.start();
	await indexed.ready();
	for (let round = 0; round < short(2, 20); round++) {
		const id = await indexed.chain.client.snapshot();
		await fillBlocks(indexed, random.between(2, 12), random, 6);
		await seesTheHead(indexed);
		await indexed.chain.client.revert({ id });
		await moneyComesIn(indexed, random);
		await indexed.agrees();
	}
	await settleDown(indexed);
});

// ---- the token -------------------------------------------------------------------------------------------
test('a token that is paused and that refuses people: what did not move is not booked, and what did is', async (t) => {
	const indexed = await openIndexed({ epoch: 2 });
	t.after(() => indexed.close());
	const { chain, escrow, people: [alice, bob, carol], payoutRole } = indexed, admin = { from: chain.owner.address };
	await indexed.start();
	const refused = async (who, data) =>
		assert.equal((await transact(chain, { from: who.address, to: escrow.address, data })).status, '0x0');
	await WAYS.deposit(indexed, alice, bob, 1000n);
	await chain.client.impersonateAccount({ address: chain.owner.address });
	await call(chain, admin, 'pause');
	await refused(alice, escrow.data('deposit', 5n));
	await call(chain, admin, 'unpause');
	await call(chain, admin, 'blacklist', bob.address);
	await refused(bob, escrow.data('deposit', 5n));
	await WAYS.depositFor(indexed, alice, bob, 7n); // for him, by another, is possible
	const id = toHex(1, { size: 32 });
	const events = await escrow.write(payoutRole, 'payoutBatch', [{ id, to: bob.address, amount: 5n }]);
	assert.deepEqual(events.map(({ event }) => event), ['PayoutFailed']); // an event that moves nothing
	await call(chain, admin, 'unBlacklist', bob.address);
	await WAYS.stranger(indexed, carol, bob, 11n);
	await call(chain, admin, 'blacklist', escrow.address);
	await refused(alice, escrow.data('deposit', 5n));
	await call(chain, admin, 'unBlacklist', escrow.address);
	await WAYS.deposit(indexed, bob, carol, 13n);
	await settleDown(indexed);
	assert.equal(await indexed.booked(), 1031n);
	assert.equal(await indexed.balance(carol.address, 'available'), 11n);
});

// ---- endpoints -------------------------------------------------------------------------------------------
const TIMEOUT_MS = 300;
const PACE_MS = 60; // for five blocks
const everyFault = (rate) => Object.fromEntries(EVERY_FAULT.map((name) => [name, rate]));

test('an endpoint that fails and lies over many blocks: nothing is lost, nothing doubled', async (t) => {
	const random = seeded('lies'), told = {}, blocks = short(300, 5000);
	const indexed = await openIndexed({
		epoch: 8, env: { FAREBOX_RPC_TIMEOUT_MS: String(TIMEOUT_MS), FAREBOX_LOG_DOUBTS_MAX: '100000' },
	});
	const liar = await startLiar(indexed.proxy.url, random);
	t.after(() => indexed.close());
	t.after(() => liar.close());
	await fillBlocks(indexed, blocks / 2, random, short(40, 500)); // to be caught up with
	await indexed.start({ urls: liar.url });
	indexed.proxy.twist = liesAbout(random, 150, told);
	liar.rates = everyFault(8);
	for (let done = 0; done < blocks / 2; done += 5) {
		await fillBlocks(indexed, 5, random, 3);
		if (random.below(10) === 0)
			await takeBack(indexed, random.between(1, 6), random);
		await sleep(PACE_MS);
	}
	liar.rates = {};
	indexed.proxy.twist = undefined;
	t.diagnostic(JSON.stringify({ blocks, calls: indexed.proxy.calls, told, faults: liar.done, full: FULL }));
	await settleDown(indexed);
	assert.ok(Object.keys(told).length >= short(1, 6), JSON.stringify(told));
	assert.ok(Object.keys(liar.done).length >= short(3, EVERY_FAULT.length), JSON.stringify(liar.done));
});
