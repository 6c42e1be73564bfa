// Books and escrow that differ: the alarm names the first block, lasts through a restart, and ends only when an
// operator releases it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toHex } from 'viem';
import { openIndexed, until } from './indexed.mjs';

const EPOCH = 2;
const LONG = { skip: process.env.FB_TEST_FULL === '1' ? false : 'in the long form' };
let indexed, alice, ids = 0;

before(async () => {
	indexed = await openIndexed({ epoch: EPOCH });
	[alice] = indexed.people.map(({ address }) => address);
});
after(() => indexed?.close());

const deposit = (amount) => indexed.escrow.write(alice, 'deposit', amount);
const number = async () => Number((await indexed.chain.client.getBlock()).number);

// Money leaves the escrow, and nobody here ordered it. Resolves to the block.
async function drain(amount) {
	const id = toHex(++ids, { size: 32 });
	await indexed.escrow.write(indexed.payoutRole, 'payout', id, indexed.people[1].address, amount);
	return number();
}

async function status(want) {
	const { code, stdout, output } = await indexed.command(['status', '--json']);
	assert.equal(code, want, output);
	return JSON.parse(stdout).reserves;
}

const alarmed = () => until('an alarm', async () => /escrow does not hold/.test(await indexed.readiness()));
const searched = (block) => until('the first block is found', async () =>
	(await indexed.metrics()).reserve_differs_since_block === block);

async function release() {
	await indexed.stop();
	const { code, output } = await indexed.command(['release']);
	assert.equal(code, 0, output);
	assert.match(output, /the reserves differ since block/);
	assert.deepEqual(await status(0), { differ: false });
}

test('a drain between two safe blocks that were compared: the alarm names its block', async () => {
	await deposit(1000n);
	await indexed.mine(2 * EPOCH + 1);
	await indexed.start();
	await indexed.untilLooked();
	await indexed.ready();
	await until('compared', async () => (await indexed.metrics()).reserve_block > 0);
	await indexed.mine(7);
	const first = await drain(10n);
	await indexed.mine(7);
	await alarmed();
	await searched(first);
	assert.match(await indexed.readiness(), new RegExp(`first at block ${first}`));
	const told = await status(1);
	assert.deepEqual([told.which, told.firstBlock, told.lastGoodBlock], ['chain', first, first - 1]);
	assert.equal(BigInt(told.books) - BigInt(told.chain), 10n);
});

test('the alarm lasts through a restart, and comes again after a release while they differ', async () => {
	const { firstBlock } = await status(1);
	await indexed.stop();
	await indexed.start();
	assert.match(await indexed.readiness(), new RegExp(`first at block ${firstBlock}`));
	await release();
	await indexed.start();
	await alarmed();
	await searched(firstBlock); // of blocks that are done with, and final
});

test('an endpoint without old states: the first block is bounded by the last good one', LONG, async () => {
	const { firstBlock } = await status(1);
	await release();
	await indexed.mine(20);
	const kept = await number() - 10;
	indexed.proxy.twist = ({ method, params }, answer) =>
		(method === 'eth_call' && params[1] !== 'latest' && Number(params[1]) < kept ?
			{ jsonrpc: '2.0', id: answer.id, error: { code: -32000, message: 'missing trie node' } } : undefined);
	await indexed.start({ urls: indexed.proxy.url });
	await alarmed();
	await until('searched', async () => {
		const told = await status(1);
		return told.firstBlock < told.seenAtBlock && told.firstBlock >= kept;
	});
	const told = await status(1);
	assert.ok(told.lastGoodBlock < firstBlock, JSON.stringify(told));
	await release();
	indexed.proxy.twist = undefined;
});

test('a balance that an endpoint lied about: the alarm stays when the lie is over', LONG, async () => {
	const open = await openIndexed({ epoch: EPOCH });
	await indexed.close();
	indexed = open;
	[alice] = indexed.people.map(({ address }) => address);
	await deposit(1000n);
	await indexed.mine(2 * EPOCH + 1);
	await indexed.start({ urls: indexed.proxy.url });
	await indexed.untilLooked();
	await until('compared', async () => (await indexed.metrics()).reserve_block > 0);
	indexed.proxy.twist = ({ method, params }, answer) =>
		(method === 'eth_call' && params[0].data.startsWith('0x70a08231') ?
			{ ...answer, result: toHex(999n, { size: 32 }) } : undefined);
	await indexed.mine(2);
	await alarmed();
	indexed.proxy.twist = undefined;
	await indexed.mine(2);
	await indexed.stop();
	await indexed.start();
	await alarmed();
	await release();
	await indexed.start();
	await indexed.mine(1);
	await indexed.ready();
	await indexed.agrees();
	await indexed.stop();
	await indexed.audit();
});
