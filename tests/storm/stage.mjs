// What a storm plays on: a chain with two hundred funded payers, payments that are signed already, farebox, clients.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { encodeFunctionData } from '../../testnet/node_modules/viem/_esm/index.js';
import { saveState, startChain } from '../../testnet/chain.mjs';
import { FAREBOX, startFarebox } from '../../testnet/farebox.mjs';
import { USDC_ABI } from '../../testnet/usdc.mjs';
import { fund, readPayers, writeBodies } from '../bench/stage.mjs';
import { scratchFolder } from '../interop/scratch.mjs';
import { openClients } from './client.mjs';
import { ask } from './ledger.mjs';
import { SEED } from './seeded.mjs';

export const PAYERS = 200;
const BUILD = process.env.FAREBOX_BUILD ?? join(FAREBOX, '..');
const POOL_MS = 60_000;

function readPayments(path) {
	return readFileSync(path, 'utf8').trimEnd().split('\n').map((body, index) => {
		const { authorization, signature } = JSON.parse(body).paymentPayload.payload;
		return { index, body, authorization, signature };
	});
}

async function readBalances({ url, usdc }, addresses) {
	const data = (address) => encodeFunctionData({ abi: USDC_ABI, functionName: 'balanceOf', args: [address] });
	const found = await ask(url, addresses.map((a) => ['eth_call', [{ to: usdc, data: data(a) }, 'latest']]));
	return new Map(addresses.map((address, i) => [address, BigInt(found[i])]));
}

// The chain's side: funded payers, and what everybody had before.
async function openMoney(storm, bodies) {
	const { chain } = storm;
	storm.payers = await readPayers(bodies);
	await fund(chain, storm.payers);
	storm.payee = storm.payments[0].authorization.to;
	storm.readBalances = () => readBalances(storm.chain, [...storm.payers, storm.payee]);
	storm.balances = await storm.readBalances();
	storm.otherTransfers = new Map(); // by lower-case address: what a test moved without an authorization
	storm.firstBlock = Number(await chain.client.getBlockNumber());
	storm.firstNonce = await chain.client.getTransactionCount({ address: storm.signer.address });
	storm.firstWei = await chain.client.getBalance({ address: storm.signer.address });
}

// farebox processes: every one keeps its log. `data` tells the records apart.
function openServers(storm, env) {
	storm.servers = new Set();
	storm.logs = [];
	storm.startServer = async ({ data = 'data', port = 0, changes = {}, timeoutMs } = {}) => {
		const log = join(storm.folder, `farebox-${storm.logs.length}.log`);
		storm.logs.push(log);
		const server = await startFarebox({
			chainUrl: storm.rpcUrl, signer: storm.signer, payee: storm.chain.accounts[2], port, log, timeoutMs,
			data: join(storm.folder, data), env: { ...env, ...changes },
		}).catch((error) => {
			error.message += `\n${error.logTail}`;
			throw error;
		});
		storm.servers.add(server);
		server.exited.then(() => storm.servers.delete(server));
		return server;
	};
	// The one server of most tests, always at the same port.
	storm.start = async (options = {}) => {
		storm.server = await storm.startServer({ port: storm.port ?? 0, ...options });
		storm.url = storm.server.url;
		storm.port = Number(new URL(storm.url).port);
	};
	storm.kill = () => storm.server.stop('SIGKILL');
	storm.stop = () => storm.server.stop('SIGTERM');
}

// The chain ends and comes back at its port with all it had in blocks; what only waited for a block is forgotten.
async function restartChain(storm, options) {
	const port = Number(new URL(storm.chain.url).port);
	const state = join(storm.folder, 'chain.json');
	await saveState(storm.chain, state);
	await storm.chain.stop();
	storm.chain = await startChain({ ...options, port, state, log: join(storm.folder, `chain-${Date.now()}.log`) });
	await storm.chain.client.setLoggingEnabled(false);
}

async function mineAll(storm) {
	const deadline = Date.now() + POOL_MS;
	while (Date.now() < deadline) {
		const { pending, queued } = await storm.chain.client.getTxpoolStatus();
		if (pending + queued === 0)
			return;
		await storm.chain.client.mine({ blocks: 1 });
		await sleep(50);
	}
	throw new Error(`transactions wait for a block after ${POOL_MS} ms`);
}

async function closeStorm(storm, scratch) {
	for (const close of storm.closers.reverse())
		await close();
	storm.clients?.close();
	await Promise.all([...storm.servers].map((server) => server.stop('SIGKILL')));
	await storm.chain?.stop();
	scratch.dispose();
}

// payments: how many are signed. between(chainUrl) puts something before the chain: { url, close }. farebox is started
// unless `idle`. env: its settings.
export async function openStorm({ payments, blockTime = 0, env = {}, between, idle = false, anvilOptions = [] }) {
	const scratch = scratchFolder();
	const storm = { folder: scratch.path, seed: SEED, servers: new Set(), closers: [] };
	const bodies = join(storm.folder, 'bodies.jsonl');
	storm.close = () => closeStorm(storm, scratch);
	try {
		await writeBodies(bodies, Math.max(payments, PAYERS), BUILD);
		storm.payments = readPayments(bodies).slice(0, payments);
		storm.chain = await startChain({ blockTime, anvilOptions, log: join(storm.folder, 'chain.log') });
		await storm.chain.client.setLoggingEnabled(false);
		storm.signer = storm.chain.accounts[0];
		await openMoney(storm, bodies);
		storm.restartChain = () => restartChain(storm, { blockTime, anvilOptions });
		storm.mineAll = () => mineAll(storm);
		storm.between = await between?.(storm.chain.url);
		storm.closers.push(async () => storm.between?.close());
		storm.rpcUrl = storm.between?.url ?? storm.chain.url;
		openServers(storm, env);
		storm.clients = openClients(() => storm.url);
		if (!idle)
			await storm.start();
		return storm;
	} catch (error) {
		await storm.close();
		throw error;
	}
}
