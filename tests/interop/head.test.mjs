// The head follower on a real chain: growth, gaps, reorgs by anvil itself, a chain that is taken back too far, and an
// endpoint that lags and lies. What farebox believes is read from its metrics and from /readyz.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, afterEach, before, test } from 'node:test';
import { toHex } from 'viem';
import { payment } from './payment.mjs';
import { askUntil, openStage, settle } from './stage.mjs';

const POLL_MS = 50;
const DEPTH_MAX = 20;
const DOWN = 'the chain does not answer';
const PARTED = 'the chain took back more blocks than are followed, or a final one';
const ANVIL_FINAL_BLOCKS = 64; // anvil calls a block finalized so far below the head
let stage, proxy;

// Between farebox and the chain. twist(result, call) changes what eth_getBlockByNumber answers; page replaces all.
async function startProxy(target) {
	const state = { twist: undefined, page: undefined };
	const forward = async (body) => {
		const response = await fetch(target, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
		const answer = await response.json();
		const calls = [JSON.parse(body)].flat();
		for (const one of [answer].flat()) {
			const call = calls.find(({ id }) => id === one.id);
			if (state.twist !== undefined && call.method === 'eth_getBlockByNumber' && one.result)
				one.result = state.twist(one.result, call);
		}
		return JSON.stringify(answer);
	};
	const server = createServer(async (request, response) => {
		const chunks = [];
		for await (const chunk of request)
			chunks.push(chunk);
		try {
			const body = state.page ?? await forward(Buffer.concat(chunks).toString());
			response.writeHead(200, { 'Content-Type': state.page ? 'text/html' : 'application/json' }).end(body);
		} catch {
			response.destroy();
		}
	});
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
	state.url = `http://127.0.0.1:${server.address().port}`;
	state.close = () => {
		server.closeAllConnections();
		return new Promise((resolve) => { server.close(resolve); });
	};
	return state;
}

before(async () => {
	stage = await openStage();
	proxy = await startProxy(stage.chain.url);
	await restart();
});
afterEach(() => {
	proxy.twist = proxy.page = undefined;
});
after(async () => {
	await stage?.close();
	await proxy?.close();
});

const restart = () => stage.restart({
	EVM_RPC_URL: proxy.url, FAREBOX_HEAD_POLL_MS: String(POLL_MS), FAREBOX_REORG_DEPTH_MAX: String(DEPTH_MAX),
});

async function metrics() {
	const [, url] = /^Metrics on (\S+)$/m.exec(readFileSync(stage.farebox.log, 'utf8'));
	const lines = (await (await fetch(url)).text()).split('\n');
	return Object.fromEntries(lines.filter((line) => /^farebox_chain_/.test(line)).map((line) => {
		const [name, value] = line.split(' ');
		return [name.replace('farebox_chain_', ''), Number(value)];
	}));
}

const ready = async () => (await (await fetch(`${stage.url}/readyz`)).json());
const mine = (blocks) => stage.chain.client.mine({ blocks });

// Blocks that are like no others: empty ones of the same second and parent would have the same hash.
async function mineOthers(blocks) {
	for (let i = 0; i < blocks; i++) {
		const head = await chainHead();
		const value = toHex(randomInt(2 ** 40));
		const params = [{ from: stage.other.address, to: stage.other.address, value }];
		await stage.chain.client.request({ method: 'eth_sendTransaction', params });
		await askUntil(chainHead, (now) => now > head, { pauseMs: 1 });
	}
}

const chainHead = async () => Number(await stage.chain.client.getBlockNumber());
const reorg = (depth) => stage.chain.client.request({ method: 'anvil_reorg', params: [depth, []] });
const faults = (m, kind) => m[`head_faults_total{class="${kind}"}`];
const until = async (done) => (await askUntil(metrics, done, { pauseMs: POLL_MS })).at(-1);

// anvil may still be mining what it was given.
async function follows() {
	const look = async () => ({ head: await chainHead(), seen: await metrics() });
	const looks = await askUntil(look, ({ head, seen }) => seen.head_block === head, { pauseMs: POLL_MS });
	return looks.at(-1).seen;
}

// What the metrics gain while `work` is done and the head is followed again.
async function gained(work) {
	const earlier = await follows();
	await work();
	const later = await follows();
	return { reorgs: later.reorgs_total - earlier.reorgs_total, deepest: later.reorg_depth_max };
}

test('head__blocks_one_by_one_and_many__followed', async () => {
	assert.equal((await gained(() => mine(1))).reorgs, 0);
	assert.equal((await gained(() => mine(200))).reorgs, 0);
	assert.deepEqual(await ready(), { ready: true, reasons: [] });
});

// The chain's reorg and what it mines next may be seen as two.
test('head__reorgs__followed_and_counted', async () => {
	for (const depth of [1, 3, DEPTH_MAX - 1]) {
		await mineOthers(depth);
		const seen = await gained(async () => {
			await reorg(depth);
			await mine(1);
		});
		assert.ok(seen.reorgs >= 1 && seen.deepest >= depth && seen.deepest <= depth + 1, JSON.stringify(seen));
	}
	assert.deepEqual(await ready(), { ready: true, reasons: [] });
});

test('head__snapshot_reverted_and_mined_anew__followed', async () => {
	const id = await stage.chain.client.snapshot();
	await mineOthers(4);
	const seen = await gained(async () => {
		await stage.chain.client.revert({ id });
		await mineOthers(6);
	});
	assert.ok(seen.reorgs >= 1, JSON.stringify(seen));
});

test('head__lower_branch__followed_when_it_lasts', async () => {
	const id = await stage.chain.client.snapshot();
	await mineOthers(4);
	const seen = await gained(async () => {
		await stage.chain.client.revert({ id });
		await mineOthers(1);
	});
	assert.ok(seen.reorgs >= 1, JSON.stringify(seen));
});

test('head__endpoint_lags__stays_where_it_was', async () => {
	const { reorgs_total: earlier } = await follows();
	const old = await stage.chain.client.getBlock();
	await mine(5);
	const head = await chainHead();
	await follows();
	const lagging = await (await fetch(stage.chain.url, {
		method: 'POST', headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify({
			jsonrpc: '2.0', id: 1, method: 'eth_getBlockByHash', params: [old.hash, false],
		}),
	})).json();
	proxy.twist = (result, call) => (call.params[0] === 'latest' ? lagging.result : result);
	const m = await until((now) => faults(now, 'backwards') > 3);
	assert.deepEqual([m.head_block, m.reorgs_total], [head, earlier]);
	assert.deepEqual(await ready(), { ready: true, reasons: [] });
});

const LIES = {
	unfit: (block) => ({ ...block, parentHash: `0x${'ab'.repeat(32)}`, hash: `0x${'cd'.repeat(32)}` }),
	malformed: (block) => ({ ...block, hash: null }),
	absent: (block, call) => (call.params[0] === 'latest' ? { ...block, number: '0xfffffff' } : block),
};
for (const [kind, lie] of Object.entries(LIES))
	test(`head__endpoint_lies__${kind}_is_counted_and_payments_go_on`, async () => {
		const earlier = await follows();
		proxy.twist = lie;
		await mine(1);
		const m = await until((now) => faults(now, kind) > faults(earlier, kind) + 2);
		assert.deepEqual([m.head_block, m.reorgs_total], [earlier.head_block, earlier.reorgs_total]);
		await askUntil(ready, ({ reasons }) => reasons.includes(DOWN));
		proxy.twist = undefined;
		await follows();
		await askUntil(ready, (now) => now.ready);
		const body = await payment({ payer: stage.payer, payTo: stage.payee.address });
		assert.equal((await settle(stage, body)).success, true);
	});

test('head__endpoint_answers_with_a_web_page__not_ready_until_it_is_over', async () => {
	await follows();
	proxy.page = '<html>rate limited</html>';
	await askUntil(ready, ({ reasons }) => reasons.includes(DOWN));
	proxy.page = undefined;
	await askUntil(ready, (now) => now.ready);
	await follows();
});

test('head__reorg_deeper_than_followed__not_ready_and_stays_until_a_restart', async () => {
	await mineOthers(DEPTH_MAX + 5);
	const { head_block: head, reorgs_total: reorgs } = await follows();
	await reorg(DEPTH_MAX + 5);
	await mine(6);
	await askUntil(ready, ({ reasons }) => reasons.includes(PARTED));
	const m = await metrics();
	assert.deepEqual([m.head_block, m.reorgs_total], [head, reorgs]);
	assert.ok(faults(m, 'deep') > 0);
	await restart();
	await follows();
	await askUntil(ready, (now) => now.ready);
});

test('head__reorg_of_finalized_blocks__not_ready', async () => {
	await stage.restart({
		EVM_RPC_URL: proxy.url, FAREBOX_HEAD_POLL_MS: String(POLL_MS), FAREBOX_REORG_DEPTH_MAX: '500',
	});
	const { head_block: earlier } = await follows();
	await mineOthers(ANVIL_FINAL_BLOCKS + 20);
	await until((m) => m.final_block > earlier && m.final_block === m.head_block - ANVIL_FINAL_BLOCKS);
	await reorg(ANVIL_FINAL_BLOCKS + 20);
	await mine(21);
	await until((m) => faults(m, 'final') > 0);
	await askUntil(ready, ({ reasons }) => reasons.includes(PARTED));
});
