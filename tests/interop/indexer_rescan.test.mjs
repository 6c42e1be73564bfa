// Reading final blocks again: what every endpoint left out, what a chain took back below `finalized`, and rows that
// were right all along. After each the books say what the chain says.
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { openIndexed, until } from './indexed.mjs';

const EPOCH = 2;
let indexed, alice, bob;

beforeEach(async () => {
	await indexed?.close();
	indexed = await openIndexed({ epoch: EPOCH });
	[alice, bob] = indexed.people.map(({ address }) => address);
});
after(() => indexed?.close());

const deposit = (who, amount) => indexed.escrow.write(who, 'deposit', amount);
const number = async () => Number((await indexed.chain.client.getBlock()).number);

async function rescan(args = [], want = 0) {
	const { code, stdout, output } = await indexed.command(['rescan', '--json', ...args]);
	assert.equal(code, want, output);
	return JSON.parse(stdout);
}

// An endpoint that keeps nothing of old states, and knows nothing of what happened in that block.
function hide(block) {
	const hex = `0x${block.toString(16)}`;
	let hash;
	indexed.proxy.twist = ({ method, params }, answer) => {
		if (method === 'eth_call' && params[1] !== 'latest')
			return { jsonrpc: '2.0', id: answer.id, error: { code: -32000, message: 'missing trie node' } };
		if (method === 'eth_getBlockByNumber' && answer.result?.number === hex)
			({ hash } = answer.result);
		if (method === 'eth_getLogs')
			return {
				...answer, result: params[0].blockHash !== undefined && params[0].blockHash === hash ? [] :
					answer.result.filter(({ blockNumber }) => blockNumber !== hex),
			};
		return undefined;
	};
}

test('rows that are right: nothing differs, beside a running server too, and repair wants the store', async () => {
	await deposit(alice, 5n);
	await indexed.escrow.write(alice, 'depositFor', bob, 7n);
	await indexed.mine(3 * EPOCH);
	await indexed.start();
	await indexed.untilLooked();
	const beside = await rescan(['--check']);
	assert.deepEqual([beside.movements, beside.missing, beside.gone, beside.moved], [2, 0, 0, 0]);
	const refused = await indexed.command(['rescan']);
	assert.equal(refused.code, 74, refused.output);
	assert.match(refused.output, /stop farebox serve first/);
	await indexed.stop();
	const { movements, repaired, postings } = await rescan();
	assert.deepEqual({ movements, repaired, postings }, { movements: 2, repaired: false, postings: 0 });
	const part = await rescan(['--from', String(indexed.escrow.block + 1)]);
	assert.deepEqual([part.missing, part.gone, part.eventNumberDiffers], [0, 0, false]);
	assert.equal((await indexed.command(['rescan', '--from', 'x'])).code, 78);
});

test('a final block that was left out: crediting halts later, rescan repairs, release lets it go on', async () => {
	await deposit(alice, 5n);
	hide(await number());
	await indexed.mine(3 * EPOCH);
	await indexed.start({ urls: indexed.proxy.url });
	await indexed.untilLooked();
	assert.equal(await indexed.booked(), 0n);
	await deposit(bob, 7n); // its number tells that one is missing
	await indexed.mine(3 * EPOCH);
	await until('halted', async () => /crediting is halted/.test(await indexed.readiness()));
	await indexed.stop();
	assert.equal((await indexed.command(['release'])).code, 0); // which alone helps nothing
	await indexed.start();
	await until('halted', async () => /crediting is halted/.test(await indexed.readiness()));
	await indexed.stop();
	const found = await rescan(['--check'], 1);
	assert.deepEqual([found.missing, found.eventNumberDiffers, found.repaired], [1, true, false]);
	const repaired = await rescan();
	assert.deepEqual([repaired.missing, repaired.repaired, repaired.halted], [1, true, true]);
	assert.equal(await indexed.balance(alice, 'available'), 5n);
	assert.equal((await rescan()).missing, 0);
	assert.equal((await indexed.command(['release'])).code, 0);
	await indexed.start();
	await indexed.becomes(bob, 'available', 7n);
	await indexed.agrees();
	await indexed.stop();
	await indexed.audit();
});

test('a chain that took back final blocks: what is gone is reversed, what moved is credited again', async () => {
	await deposit(alice, 5n);
	const raw = await indexed.escrow.chain.client.request({ method: 'eth_getBlockByNumber', params: ['latest', true] });
	await deposit(bob, 7n);
	await indexed.mine(3 * EPOCH);
	await indexed.start();
	await indexed.untilLooked();
	await indexed.ready();
	await indexed.stop();
	const depth = 3 * EPOCH + 2;
	await indexed.reorg(depth, [[{ from: alice, to: indexed.escrow.address, data: raw.transactions[0].input,
		gas: '0xf4240' }, 2]]); // again, in another block and transaction
	await indexed.mine(1);
	await indexed.start();
	await until('halted', async () => /halted|took back/.test(await indexed.readiness()));
	await indexed.stop();
	const repaired = await rescan();
	assert.equal(repaired.lastHashDiffers, true);
	assert.equal(repaired.gone + repaired.moved, 2);
	assert.equal((await indexed.command(['release'])).code, 0);
	await indexed.mine(3 * EPOCH);
	await indexed.start();
	await indexed.becomes(alice, 'available', 5n);
	await indexed.agrees();
	await deposit(bob, 11n); // repays what he was reversed of, first
	await indexed.mine(3 * EPOCH);
	await indexed.agrees();
	await indexed.becomes(bob, 'available', 11n);
	await indexed.stop();
	await indexed.audit();
});
