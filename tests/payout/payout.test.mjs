// Withdrawals on a real chain with genuine USDC and the real escrow: paid alone and together, refused for a while and
// for good, taken back by reorganizations, and with the engine killed under way. Nothing is paid twice, and nothing is
// given back that was paid.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFunctionData, parseAbi } from '../../testnet/node_modules/viem/_esm/index.js';
import { CHAIN_ID, startChain } from '../../testnet/chain.mjs';
import { FAREBOX, runFarebox } from '../../testnet/farebox.mjs';
import { allow, openEscrow, transact } from '../interop/escrow.mjs';
import { scratchFolder } from '../interop/scratch.mjs';
import { balanceOf } from '../interop/token.mjs';

const LIMIT_MS = 60_000;
const FEE = 10n;
const DRIVER = join(FAREBOX, '..', 'payout_driver');
const TOKEN_ABI = parseAbi(['function blacklist(address)', 'function blacklister() view returns (address)']);

let scratch, chain, escrow, data, payoutRole, pauseRole, alice, bob, carol, driver;

function start(changes = {}) {
	const args = [chain.url, data, String(CHAIN_ID), escrow.address, chain.usdc, String(escrow.block)];
	const child = spawn(DRIVER, args, {
		env: { ...process.env, FAREBOX_PAYOUT_KEY: payoutRole.privateKey, ...changes }, stdio: ['pipe', 'pipe', 'pipe'],
	});
	const exited = new Promise((resolve) => { child.once('close', (code, signal) => resolve({ code, signal })); });
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	let said = '';
	child.stderr.on('data', (text) => { said += text; });
	child.stdin.on('error', () => {});
	let turn = Promise.resolve();
	const next = async () => {
		const { value, done } = await lines.next();
		assert.ok(!done, said.slice(-2000));
		return value;
	};
	const ask = (line) => (turn = turn.then(() => { child.stdin.write(`${line}\n`); return next(); }));
	driver = { child, exited, ask, said: () => said, ready: next() };
	return driver.ready;
}
const stop = async () => {
	driver.child.stdin.end();
	assert.deepEqual(await driver.exited, { code: 0, signal: null }, driver.said().slice(-3000));
	assert.ok(!/"level":"broken"/.test(driver.said()), driver.said().slice(-3000));
};
async function kill() {
	driver.child.kill('SIGKILL');
	await driver.exited;
	await start();
}

const mine = (blocks) => chain.client.mine({ blocks });
async function until(what, ask, want, each = () => mine(1)) {
	let got;
	for (const deadline = Date.now() + LIMIT_MS; Date.now() < deadline; await sleep(100)) {
		got = await ask();
		if (got === want)
			return;
		await each();
	}
	assert.equal(got, want, `${what}\n${driver.said().slice(-3000)}`);
}
async function withdraw(who, amount, key) {
	const [status, id] = (await driver.ask(`withdraw ${who.address.toLowerCase()} ${amount} ${key}`)).split(' ');
	return { status, id };
}
const state = async (id) => (await driver.ask(`state ${id}`)).split(' ')[0];
const available = async (who) => BigInt(await driver.ask(`available ${who.address.toLowerCase()}`));

before(async () => {
	scratch = scratchFolder();
	data = join(scratch.path, 'data');
	chain = await startChain({ log: join(scratch.path, 'chain.log') });
	let owner;
	[, alice, bob, owner, payoutRole, pauseRole, carol] = chain.accounts;
	escrow = await openEscrow(chain, {
		owner: owner.address, payoutRole: payoutRole.address, pauseRole: pauseRole.address,
	});
	await allow(escrow, alice, bob);
	for (const who of [alice, bob])
		await escrow.write(who.address, 'deposit', 1_000_000n);
	await escrow.write(alice.address, 'depositFor', carol.address, 50_000n);
	await start();
	await until('deposits', () => available(alice), 1_000_000n);
});

after(async () => {
	driver?.child.kill('SIGKILL');
	await chain?.stop();
	scratch.dispose();
});

test('withdrawal__of_one__is_paid_once_and_completed', async () => {
	const had = await balanceOf(chain, alice.address);
	const { status, id } = await withdraw(alice, 1000n, 'one');
	assert.equal(status, 'ok');
	await until('completed', () => state(id), 'COMPLETED');
	assert.equal(await balanceOf(chain, alice.address) - had, 1000n - FEE);
	assert.equal(await available(alice), 999_000n);
	assert.deepEqual(await withdraw(alice, 1000n, 'one'), { status: 'ok', id });
	assert.equal((await withdraw(alice, 1001n, 'one')).status, 'id_reused');
	assert.equal((await withdraw(alice, 999_001n, 'more')).status, 'insufficient_funds');
});

test('withdrawal__of_many_at_once__shares_transactions', async () => {
	const had = await balanceOf(chain, bob.address);
	const asked = await Promise.all(Array.from({ length: 20 }, (_, i) => withdraw(bob, 1000n, `many ${i}`)));
	for (const { id } of asked)
		await until('completed', () => state(id), 'COMPLETED');
	assert.equal(await balanceOf(chain, bob.address) - had, 20n * (1000n - FEE));
});

test('withdrawal__while_the_escrow_is_paused__waits', async () => {
	await escrow.write(pauseRole.address, 'pause');
	const { id } = await withdraw(alice, 1000n, 'paused');
	await mine(5);
	await sleep(1500);
	assert.equal(await state(id), 'QUEUED');
	await escrow.write(chain.accounts[3].address, 'unpause');
	await until('completed', () => state(id), 'COMPLETED');
});

test('withdrawal__killed_and_reorganized_under_way__is_paid_once', async () => {
	const had = await balanceOf(chain, alice.address);
	const asked = [];
	for (let i = 0; i < 6; i++) {
		asked.push((await withdraw(alice, 1000n, `kill ${i}`)).id);
		await sleep(150 * i);
		await kill();
		if (i % 2 === 1)
			await chain.client.request({ method: 'anvil_reorg', params: [2, []] });
	}
	for (const id of asked)
		await until('completed', () => state(id), 'COMPLETED');
	assert.equal(await balanceOf(chain, alice.address) - had, 6n * (1000n - FEE));
});

// Around every durable step: the engine kills itself there, whatever that step was.
test('withdrawal__killed_at_every_durable_step__is_paid_once', async () => {
	const had = await balanceOf(chain, alice.address);
	const asked = new Set();
	for (const side of ['before', 'after'])
		for (const times of process.env.FB_TEST_FULL ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] : [2, 4, 6]) {
			await stop();
			const key = `point ${side} ${times}`;
			const point = { FAREBOX_KILL_AT: `${side} commit ${times}` };
			const deadline = Date.now() + 3000;
			await start(point).then(() => withdraw(alice, 1000n, key)).catch(() => {});
			while (driver.child.exitCode === null && driver.child.signalCode === null && Date.now() < deadline) {
				await mine(1);
				await sleep(100);
			}
			await kill();
			asked.add((await withdraw(alice, 1000n, key)).id);
		}
	for (const id of asked)
		await until('completed', () => state(id), 'COMPLETED');
	assert.equal(await balanceOf(chain, alice.address) - had, BigInt(asked.size) * (1000n - FEE));
});

test('withdrawal__to_a_blacklisted_wallet__is_burned_and_given_back', async () => {
	const blacklister = await chain.client.readContract({
		address: chain.usdc, abi: TOKEN_ABI, functionName: 'blacklister',
	});
	await chain.client.impersonateAccount({ address: blacklister });
	await chain.client.setBalance({ address: blacklister, value: 10n ** 18n });
	const call = encodeFunctionData({ abi: TOKEN_ABI, functionName: 'blacklist', args: [carol.address] });
	await transact(chain, { from: blacklister, to: chain.usdc, data: call });
	const { id } = await withdraw(carol, 1000n, 'refused');
	await until('failed', () => state(id), 'FAILED');
	assert.equal(await driver.ask(`state ${id}`), 'FAILED token_refused');
	assert.equal(await available(carol), 50_000n);
});

test('afterwards__the_ledger_is_whole', async () => {
	await stop();
	const { code, output } = await runFarebox(['ledger', 'audit', '--data', data]);
	assert.equal(code, 0, output);
});
