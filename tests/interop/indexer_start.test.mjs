// What serve does before it believes in an escrow, and when the endpoint is put before another chain while it runs;
// and that the demo resource pays into the escrow.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChain } from '../../testnet/chain.mjs';
import { runFarebox, runPay, startFarebox } from '../../testnet/farebox.mjs';
import { allow, openEscrow } from './escrow.mjs';
import { scratchFolder } from './scratch.mjs';
import { balanceOf } from './token.mjs';

const CONFIG = 78;
const LIMIT_MS = 60_000;
const PRICE = 1000n; // of /demo
let scratch, chain, escrow, proxy, farebox;
let runs = 0;

// Forwards; once `other` is set, as an endpoint of another chain whose blocks are as empty as they can be.
async function startProxy(target) {
	const state = { other: false };
	const lies = { eth_chainId: '0x1', eth_getLogs: [], eth_call: `0x${'0'.repeat(64)}` };
	const lie = ({ method }, answer) => (method in lies ? { ...answer, result: lies[method] } : answer);
	const server = createServer(async (request, response) => {
		const parts = [];
		for await (const part of request)
			parts.push(part);
		const body = Buffer.concat(parts).toString(), calls = JSON.parse(body);
		const headers = { 'Content-Type': 'application/json' };
		const good = await (await fetch(target, { method: 'POST', headers, body })).json();
		const twist = (answer) => lie([calls].flat().find(({ id }) => id === answer.id), answer);
		const bad = Array.isArray(good) ? good.map(twist) : twist(good);
		response.end(JSON.stringify(state.other ? bad : good));
	});
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
	state.url = `http://127.0.0.1:${server.address().port}`;
	state.stop = () => { server.closeAllConnections(); server.close(); };
	return state;
}

const start = async (env = {}) => {
	farebox = await startFarebox({
		chainUrl: proxy.url, signer: chain.accounts[0], payee: chain.accounts[2], data: join(scratch.path, 'data'),
		log: join(scratch.path, `farebox-${runs++}.log`),
		env: {
			ESCROW_ADDRESS: escrow.address, ESCROW_FROM_BLOCK: String(escrow.block), FAREBOX_HEAD_POLL_MS: '100',
			...env,
		},
	});
};

async function until(what, ask) {
	for (const deadline = Date.now() + LIMIT_MS; Date.now() < deadline; await sleep(100))
		if (await ask())
			return;
	assert.fail(what);
}

const readiness = async () => (await fetch(`${farebox.url}/readyz`)).text();

async function booked(owner, purpose) {
	const args = ['ledger', 'balance', owner, '--purpose', purpose, '--json', '--data', join(scratch.path, 'data')];
	const { code, stdout } = await runFarebox(args);
	return code === 0 ? JSON.parse(stdout).reduce((sum, row) => sum + BigInt(row.balance), 0n) : 0n;
}

before(async () => {
	scratch = scratchFolder();
	chain = await startChain({
		log: join(scratch.path, 'chain.log'), anvilOptions: ['--slots-in-an-epoch', '2'],
	});
	const [owner, payoutRole, pauseRole] = chain.accounts.slice(5, 8).map(({ address }) => address);
	escrow = await openEscrow(chain, { owner, payoutRole, pauseRole });
	await allow(escrow, chain.accounts[3]);
	proxy = await startProxy(chain.url);
});

after(async () => {
	await farebox?.stop();
	proxy?.stop();
	await chain?.stop();
	scratch.dispose();
});

// Of another token, one that knows nothing but zeros.
async function foreignEscrow() {
	const token = '0x00000000000000000000000000000000000000cc';
	await chain.client.setCode({ address: token, bytecode: '0x600060005260206000f3' });
	const [owner, payoutRole, pauseRole] = chain.accounts.slice(5, 8).map(({ address }) => address);
	return openEscrow(chain, { owner, payoutRole, pauseRole, token });
}

async function refuses(address, sentence) {
	const env = {
		PORT: '0', EVM_NETWORK: 'eip155:84532', EVM_RPC_URL: chain.url, ESCROW_ADDRESS: address, ESCROW_FROM_BLOCK: '1',
		EVM_PRIVATE_KEY: chain.accounts[0].privateKey, FAREBOX_DATA: join(scratch.path, 'refused'),
	};
	const { code, output } = await runFarebox(['serve', '--local-chain'], env);
	assert.equal(code, CONFIG, output);
	assert.match(output, sentence);
}

test('an escrow that is none, is another, or is of another token: serve refuses and says so', async () => {
	await refuses('0x00000000000000000000000000000000000000aa', /escrow \(ESCROW_ADDRESS.*no contract at that address/);
	await refuses(chain.usdc, /the contract there is no escrow/);
	await refuses((await foreignEscrow()).address, /holds another token/);
	const real = await chain.client.getCode({ address: escrow.address });
	const mimic = '0x00000000000000000000000000000000000000bb'; // answers as an escrow does, with other code
	await chain.client.setCode({ address: mimic, bytecode: `${real}00` });
	for (let slot = 0; slot < 16; slot++) {
		const index = `0x${slot.toString(16).padStart(64, '0')}`;
		const value = await chain.client.getStorageAt({ address: escrow.address, slot: index });
		await chain.client.setStorageAt({ address: mimic, index, value });
	}
	await refuses(mimic, /not what this farebox creates/);
});

test('the demo resource pays into the escrow, and the payment is a deposit of its payer', async () => {
	await start();
	const payer = chain.accounts[1], before = await balanceOf(chain, escrow.address);
	const { code, output } = await runPay(`${farebox.url}/demo`, payer);
	assert.equal(code, 0, output);
	assert.equal(await balanceOf(chain, escrow.address), before + PRICE);
	await until('credited', async () => await booked(payer.address, 'pending_in') === PRICE);
});

test('an endpoint that serves another chain now: not ready, nothing is posted, and it goes on by itself', async () => {
	const payer = chain.accounts[3].address;
	await chain.client.mine({ blocks: 8 });
	await until('ready', async () => /"ready"|ok/i.test(await readiness()));
	proxy.other = true;
	await escrow.write(payer, 'deposit', 7n);
	await chain.client.mine({ blocks: 8 });
	await until('not ready', async () => /serves another chain/.test(await readiness()));
	await sleep(1000); // in which nothing may be believed
	assert.equal(await booked(payer, 'pending_in') + await booked(payer, 'available'), 0n);
	proxy.other = false;
	await chain.client.mine({ blocks: 1 });
	await until('credited', async () =>
		await booked(payer, 'pending_in') + await booked(payer, 'available') === 7n);
	await until('ready again', async () => (await fetch(`${farebox.url}/readyz`)).status === 200);
	const { code, output } = await runFarebox(['ledger', 'audit', '--data', join(scratch.path, 'data')]);
	assert.equal(code, 0, output);
});
