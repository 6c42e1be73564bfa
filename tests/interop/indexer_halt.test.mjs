// When crediting must stop: two endpoints that tell of different final logs, and a chain that takes back what was
// final. It is said, it lasts through a restart, and an operator ends it.
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

const EPOCH = 2;
const LIMIT_MS = 60000;
const TOKEN_ABI = parseAbi(['function approve(address, uint256)']);

let scratch, chain, liar, escrow, farebox, payer;
let runs = 0;

// Forwards everything; of logs it knows none.
async function startLiar(target) {
	const hide = (answer) => (Array.isArray(answer.result) ? { ...answer, result: [] } : answer);
	const server = createServer((request, response) => {
		const parts = [];
		request.on('data', (part) => parts.push(part));
		request.on('end', async () => {
			const body = Buffer.concat(parts).toString();
			const headers = { 'Content-Type': 'application/json' };
			const good = await (await fetch(target, { method: 'POST', headers, body })).json();
			response.end(JSON.stringify(Array.isArray(good) ? good.map(hide) : hide(good)));
		});
	});
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
	return {
		url: `http://127.0.0.1:${server.address().port}`,
		stop: () => { server.closeAllConnections(); server.close(); },
	};
}

const settings = (urls, name) => ({
	EVM_RPC_URL: urls, EVM_NETWORK: 'eip155:84532', FAREBOX_DATA: join(scratch.path, name), FAREBOX_HEAD_POLL_MS: '100',
	ESCROW_ADDRESS: escrow.address, ESCROW_FROM_BLOCK: String(escrow.block), FAREBOX_LOG_DOUBTS_MAX: '10',
});
const start = async (urls, name) => {
	farebox = await startFarebox({
		chainUrl: urls, signer: chain.accounts[0], payee: chain.accounts[2], data: join(scratch.path, name),
		log: join(scratch.path, `farebox-${runs++}.log`), env: settings(urls, name),
	});
};
const indexer = (action, name) => runFarebox(['indexer', action], settings(chain.url, name));
const mine = (blocks) => chain.client.mine({ blocks });

async function until(what, ask) {
	for (const deadline = Date.now() + LIMIT_MS; Date.now() < deadline; await sleep(100))
		if (await ask())
			return;
	assert.fail(what);
}

const readiness = async () => (await fetch(`${farebox.url}/readyz`)).text();
const untilHalted = () => until('halted', async () => /crediting is halted/.test(await readiness()));

async function booked(name) {
	const data = join(scratch.path, name);
	const { code, stdout } = await runFarebox(['ledger', 'trial-balance', '--json', '--data', data]);
	const row = code === 0 ? JSON.parse(stdout).find(({ purpose }) => purpose === 'escrow') : undefined;
	return row === undefined ? 0n : -BigInt(row.balance);
}

before(async () => {
	scratch = scratchFolder();
	chain = await startChain({
		log: join(scratch.path, 'chain.log'), anvilOptions: ['--slots-in-an-epoch', String(EPOCH)],
	});
	payer = chain.accounts[1].address;
	const [owner, payoutRole, pauseRole] = chain.accounts.slice(5, 8).map(({ address }) => address);
	escrow = await openEscrow(chain, { owner, payoutRole, pauseRole });
	const approve = encodeFunctionData({ abi: TOKEN_ABI, functionName: 'approve', args: [escrow.address, MAX_128] });
	await transact(chain, { from: payer, to: chain.usdc, data: approve });
	await escrow.write(payer, 'deposit', 1000n);
	await mine(3 * EPOCH);
	liar = await startLiar(chain.url);
});

after(async () => {
	await farebox?.stop();
	liar?.stop();
	await chain?.stop();
	scratch.dispose();
});

test('two endpoints that disagree about final logs: nothing is credited until an operator has looked', async () => {
	await start(`${chain.url},${liar.url}`, 'disagree');
	await untilHalted();
	assert.equal(await booked('disagree'), 0n);
	assert.equal((await indexer('release', 'disagree')).code, 74); // the server runs
	await farebox.stop();
	const halted = await indexer('status', 'disagree');
	assert.equal(halted.code, 1, halted.output);
	assert.match(halted.stdout, /two endpoints give different logs/);
	await start(chain.url, 'disagree'); // the liar is gone, the halt is not
	await untilHalted();
	await farebox.stop();
	const released = await indexer('release', 'disagree');
	assert.equal(released.code, 0, released.output);
	assert.equal((await indexer('status', 'disagree')).code, 0);
	await start(chain.url, 'disagree');
	const want = await balanceOf(chain, escrow.address);
	await until('credited', async () => await booked('disagree') === want);
	await farebox.stop();
});

test('a chain that takes back final blocks: crediting halts', async () => {
	await start(chain.url, 'deep');
	const want = await balanceOf(chain, escrow.address);
	await until('credited', async () => await booked('deep') === want);
	await mine(2);
	await until('ready', async () => /"ready"|ok/i.test(await readiness()));
	await chain.client.request({ method: 'anvil_reorg', params: [3 * EPOCH + 1, []] });
	await mine(1);
	await untilHalted();
	await farebox.stop();
	const { code, stdout } = await indexer('status', 'deep');
	assert.equal(code, 1);
	assert.match(stdout, /deeper than what was final/);
});
