// The indexer behind an endpoint that fails and lies at random: errors, silence, cut and stale answers, logs left out,
// doubled, reordered or of blocks that never were. Nothing may be lost or doubled, while blocks are taken back, too.
// FB_TEST_SEED draws other faults. (Of a longer chain anvil forgets the states that a reorg would go back to.)
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFunctionData, parseAbi } from 'viem';
import { startChain } from '../../testnet/chain.mjs';
import { runFarebox, startFarebox } from '../../testnet/farebox.mjs';
import { MAX_128, openEscrow, transact } from './escrow.mjs';
import { scratchFolder } from './scratch.mjs';
import { balanceOf } from './token.mjs';

const ROUNDS = 40;
const EPOCH = 4; // reorgs are up to that deep
const RATE = 0.35; // of requests about logs
const TIMEOUT_MS = 300;
const LIMIT_MS = 120_000;
const TOKEN_ABI = parseAbi(['function approve(address, uint256)', 'function transfer(address, uint256)']);

let state = BigInt(process.env.FB_TEST_SEED ?? '1');
function draw(below) {
	state = (state * 6364136223846793005n + 1442695040888963407n) & (2n ** 64n - 1n);
	return Number((state >> 33n) % BigInt(below));
}

const mapLogs = (answers, change) => answers.map((answer) => (
	Array.isArray(answer.result) ? { ...answer, result: change(answer.result) } : answer));
const otherHash = (log) => ({ ...log, blockHash: `0x${'ab'.repeat(32)}` });

const TOO_MANY = { code: -32005, message: 'query returned more than 10000 results' };

// What a bad endpoint makes of a good answer.
const LIES = {
	error: (answers) => answers.map(({ id }) => ({ jsonrpc: '2.0', id, error: TOO_MANY })),
	empty: (answers) => mapLogs(answers, () => []),
	shorter: (answers) => mapLogs(answers, (logs) => logs.slice(1)),
	doubled: (answers) => mapLogs(answers, (logs) => [...logs, ...logs.slice(0, 1)]),
	reordered: (answers) => mapLogs(answers, (logs) => [...logs].reverse()),
	orphaned: (answers) => mapLogs(answers, (logs) => logs.map(otherHash)),
	blind: (answers) => answers.map((answer) => ({ ...answer, result: null })),
};

// Forwards to the chain; with `faults` set, badly.
async function startProxy(target) {
	const proxy = { faults: false, count: {}, stale: new Map() };
	const note = (name) => { proxy.count[name] = (proxy.count[name] ?? 0) + 1; };
	const forward = async (body) => (await fetch(target, {
		method: 'POST', headers: { 'Content-Type': 'application/json' }, body,
	})).text();

	async function answer(body, response) {
		const asked = JSON.parse(body), calls = [asked].flat();
		const aboutLogs = calls.some(({ method }) => /getLogs|Receipt/.test(method));
		const good = await forward(body);
		const key = calls.map(({ method }) => method).join();
		const bad = proxy.faults && aboutLogs && draw(1000) < RATE * 1000;
		const before = proxy.stale.get(key);
		proxy.stale.set(key, good);
		if (!bad)
			return response.end(good);
		const names = Object.keys(LIES), choice = draw(names.length + 4);
		if (choice === names.length) {
			note('http');
			return response.writeHead([429, 500, 502][draw(3)]).end('<html>no</html>');
		}
		if (choice === names.length + 1) {
			note('silence');
			await sleep(2 * TIMEOUT_MS);
			return response.end(good);
		}
		if (choice === names.length + 2) {
			note('cut');
			return response.end(good.slice(0, draw(good.length)));
		}
		if (choice === names.length + 3) {
			note('stale');
			return response.end(before ?? good);
		}
		note(names[choice]);
		const lie = LIES[names[choice]]([JSON.parse(good)].flat());
		return response.end(JSON.stringify(Array.isArray(asked) ? lie : lie[0]));
	}

	const server = createServer((request, response) => {
		const parts = [];
		request.on('data', (part) => parts.push(part));
		request.on('end', () => answer(Buffer.concat(parts).toString(), response).catch(() => response.destroy()));
	});
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
	proxy.url = `http://127.0.0.1:${server.address().port}`;
	proxy.stop = () => { server.closeAllConnections(); server.close(); };
	return proxy;
}

let runs = 0;
let scratch, chain, proxy, escrow, farebox, data, people;

before(async () => {
	scratch = scratchFolder();
	data = join(scratch.path, 'data');
	chain = await startChain({
		log: join(scratch.path, 'chain.log'), anvilOptions: ['--slots-in-an-epoch', String(EPOCH)],
	});
	people = chain.accounts.slice(1, 5);
	const [owner, payoutRole, pauseRole] = chain.accounts.slice(5, 8).map(({ address }) => address);
	escrow = await openEscrow(chain, { owner, payoutRole, pauseRole });
	for (const { address } of people)
		await token(address, 'approve', escrow.address, MAX_128);
	proxy = await startProxy(chain.url);
});

after(async () => {
	await farebox?.stop();
	proxy?.stop();
	await chain?.stop();
	scratch.dispose();
});

const start = async () => {
	farebox = await startFarebox({
		chainUrl: proxy.url, signer: chain.accounts[0], payee: chain.accounts[8], data,
		log: join(scratch.path, `farebox-${runs++}.log`),
		env: {
			ESCROW_ADDRESS: escrow.address, ESCROW_FROM_BLOCK: String(escrow.block), FAREBOX_HEAD_POLL_MS: '100',
			FAREBOX_RPC_TIMEOUT_MS: String(TIMEOUT_MS), FAREBOX_LOG_RANGE_MAX: '200',
		},
	});
	proxy.faults = true;
};

async function token(from, functionName, ...args) {
	const call = encodeFunctionData({ abi: TOKEN_ABI, functionName, args });
	assert.equal((await transact(chain, { from, to: chain.usdc, data: call })).status, '0x1');
}

async function someMoneyComesIn() {
	const { address } = people[draw(people.length)], amount = BigInt(1 + draw(1_000_000));
	const ways = [
		() => escrow.write(address, 'deposit', amount),
		() => escrow.write(address, 'depositFor', people[draw(people.length)].address, amount),
		() => token(address, 'transfer', escrow.address, amount),
	];
	await ways[draw(ways.length)]();
}

// Sum over everybody, as the ledger's own command tells it.
async function booked() {
	const { code, stdout } = await runFarebox(['ledger', 'trial-balance', '--json', '--data', data]);
	const row = code === 0 ? JSON.parse(stdout).find(({ purpose }) => purpose === 'escrow') : undefined;
	return row === undefined ? 0n : -BigInt(row.balance);
}

async function untilTheyAgree() {
	const want = await balanceOf(chain, escrow.address);
	let got;
	for (const deadline = Date.now() + LIMIT_MS; Date.now() < deadline; await sleep(200)) {
		got = await booked();
		if (got === want)
			return;
	}
	assert.equal(got, want, JSON.stringify(proxy.count));
}

test('hundreds of blocks behind, everything is found', async () => {
	for (let i = 0; i < ROUNDS / 2; i++) {
		await someMoneyComesIn();
		await chain.client.mine({ blocks: 1 + draw(20) });
	}
	await chain.client.mine({ blocks: 2 * EPOCH + 1 });
	await start();
	await untilTheyAgree();
});

test('live, while blocks are taken back, nothing is lost or doubled', async () => {
	for (let i = 0; i < ROUNDS; i++) {
		await someMoneyComesIn();
		if (draw(4) === 0)
			await chain.client.request({ method: 'anvil_reorg', params: [1 + draw(EPOCH), []] });
		await sleep(draw(100));
	}
	await chain.client.mine({ blocks: 2 * EPOCH + 2 });
	await untilTheyAgree();
});

test('every kind of fault was met, and the audit finds nothing', async () => {
	await farebox.stop();
	const { code, output } = await runFarebox(['ledger', 'audit', '--data', data]);
	assert.equal(code, 0, output);
	const kinds = [...Object.keys(LIES), 'http', 'silence', 'cut', 'stale'];
	const met = kinds.filter((kind) => proxy.count[kind] > 0);
	assert.ok(met.length >= 5, JSON.stringify(proxy.count));
	await start();
	await untilTheyAgree();
});
