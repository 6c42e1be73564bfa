// A chain with an escrow that farebox indexes, perhaps through a proxy that lies, and what tests of it ask again and
// again: the books, readiness, and whether they agree with the chain.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChain } from '../../testnet/chain.mjs';
import { runFarebox, startFarebox } from '../../testnet/farebox.mjs';
import { allow, openEscrow } from './escrow.mjs';
import { scratchFolder } from './scratch.mjs';
import { balanceOf } from './token.mjs';

const LIMIT_MS = Number(process.env.FB_TEST_LIMIT_MS ?? 120_000);
const FORBIDDEN_IN_LOGS = /"level":"broken"|Sanitizer|assertion/i;

// Forwards to target. twist(call, answer), if set, makes of a good answer another one, or of a batch's (it may return
// nothing: then the answer stays).
export async function startProxy(target) {
	const proxy = { twist: undefined, calls: 0 };
	const twisted = (calls, answer) =>
		proxy.twist?.(calls.find(({ id }) => id === answer.id), answer) ?? answer;
	const server = createServer(async (request, response) => {
		const parts = [];
		for await (const part of request)
			parts.push(part);
		const body = Buffer.concat(parts).toString(), calls = [JSON.parse(body)].flat();
		const headers = { 'Content-Type': 'application/json' };
		try {
			const good = await (await fetch(target, { method: 'POST', headers, body })).json();
			proxy.calls += calls.length;
			const told = Array.isArray(good) ? good.map((one) => twisted(calls, one)) : twisted(calls, good);
			response.end(JSON.stringify(told));
		} catch {
			response.destroy();
		}
	});
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
	proxy.url = `http://127.0.0.1:${server.address().port}`;
	proxy.stop = () => { server.closeAllConnections(); server.close(); };
	return proxy;
}

export async function until(what, ask, limitMs = LIMIT_MS) {
	for (const deadline = Date.now() + limitMs; Date.now() < deadline; await sleep(50))
		if (await ask())
			return;
	assert.fail(what);
}

class Indexed {
	constructor(fields) {
		Object.assign(this, fields, { runs: 0, logs: [] });
	}

	// urls: where farebox asks, the chain itself unless told.
	async start({ urls = this.chain.url, env = {} } = {}) {
		const log = join(this.scratch.path, `farebox-${this.runs++}.log`);
		this.logs.push(log);
		this.urls = urls;
		this.farebox = await startFarebox({
			chainUrl: urls, signer: this.chain.accounts[0], payee: this.chain.accounts[9], data: this.data, log,
			env: { ...this.env, ...env },
		});
	}

	async stop() {
		await this.farebox.stop();
		assert.deepEqual(await this.farebox.exited, { code: 0, signal: null }, readFileSync(this.farebox.log, 'utf8'));
		this.farebox = undefined;
	}

	// `farebox indexer ...` with the server's settings.
	command(args, { urls = this.chain.url } = {}) {
		const env = { EVM_RPC_URL: urls, EVM_NETWORK: 'eip155:84532', FAREBOX_DATA: this.data, ...this.env };
		return runFarebox(['indexer', ...args, '--local-chain'], env);
	}

	mine(blocks) {
		return this.chain.client.mine({ blocks });
	}

	// The chain takes back `depth` blocks; transactions of theirs come again in the new blocks that are told:
	// [[transaction, which of the new blocks], …].
	reorg(depth, transactions = []) {
		return this.chain.client.request({ method: 'anvil_reorg', params: [depth, transactions] });
	}

	held() {
		return balanceOf(this.chain, this.escrow.address);
	}

	async balance(owner, purpose) {
		const args = ['ledger', 'balance', owner, '--purpose', purpose, '--json', '--data', this.data];
		const { code, stdout } = await runFarebox(args);
		return code === 0 ? JSON.parse(stdout).reduce((sum, row) => sum + BigInt(row.balance), 0n) : 0n;
	}

	// What the ledger says the escrow holds; it is an asset, so its balance is below zero.
	async booked() {
		return -(await this.balance(this.escrow.address, 'escrow'));
	}

	async becomes(owner, purpose, want) {
		let got;
		await until(`${purpose} of ${owner} becomes ${want}`, async () => {
			got = await this.balance(owner, purpose);
			return got === want;
		}).catch(({ message }) => assert.equal(got, want, message));
	}

	async agrees() {
		let got, want;
		await until('the ledger says what the chain says', async () => {
			[got, want] = [await this.booked(), await this.held()];
			return got === want;
		}).catch(({ message }) => assert.equal(got, want, message));
	}

	async readiness() {
		return (await fetch(`${this.farebox.url}/readyz`)).text();
	}

	async ready() {
		await until('ready', async () => (await fetch(`${this.farebox.url}/readyz`)).status === 200);
	}

	async metrics() {
		const [, url] = /^Metrics on (\S+)$/m.exec(readFileSync(this.farebox.log, 'utf8'));
		const lines = (await (await fetch(url)).text()).split('\n');
		return Object.fromEntries(lines.filter((line) => /^farebox_/.test(line)).map((line) => {
			const [name, value] = line.split(' ');
			return [name.replace('farebox_', ''), Number(value)];
		}));
	}

	// Up to the newest final block all was read.
	async untilLooked() {
		const { number } = await this.chain.client.getBlock({ blockTag: 'finalized' });
		await until(`block ${number} is read`, async () =>
			(await this.metrics()).indexer_final_block >= Number(number));
	}

	async audit() {
		const { code, output } = await runFarebox(['ledger', 'audit', '--data', this.data]);
		assert.equal(code, 0, output);
	}

	async close() {
		if (this.farebox !== undefined)
			await this.stop();
		this.proxy?.stop();
		await this.chain.stop();
		this.logs.forEach((log) => assert.doesNotMatch(readFileSync(log, 'utf8'), FORBIDDEN_IN_LOGS, log));
		this.scratch.dispose();
	}
}

// epoch: blocks from the head down to the safe one, and from there to the finalized one.
export async function openIndexed({ epoch = 2, env = {}, anvilOptions = [] } = {}) {
	const scratch = scratchFolder();
	const chain = await startChain({
		log: join(scratch.path, 'chain.log'), anvilOptions: ['--slots-in-an-epoch', String(epoch), ...anvilOptions],
	});
	const people = chain.accounts.slice(1, 5);
	const [owner, payoutRole, pauseRole] = chain.accounts.slice(5, 8).map(({ address }) => address);
	const escrow = await openEscrow(chain, { owner, payoutRole, pauseRole });
	await allow(escrow, ...people);
	return new Indexed({
		scratch, chain, escrow, people, owner, payoutRole, pauseRole, epoch, data: join(scratch.path, 'data'),
		proxy: await startProxy(chain.url),
		env: {
			ESCROW_ADDRESS: escrow.address, ESCROW_FROM_BLOCK: String(escrow.block), FAREBOX_HEAD_POLL_MS: '50',
			FAREBOX_LOG_DOUBTS_MAX: '10', ...env,
		},
	});
}
