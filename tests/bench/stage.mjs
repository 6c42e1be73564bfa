// What a load test plays on: the local chain with funded payers, signed payments, farebox, and the reference.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { encodeAbiParameters, keccak256, pad, toHex } from '../../testnet/node_modules/viem/_esm/index.js';
import { startChain } from '../../testnet/chain.mjs';
import { startChild } from '../../testnet/child.mjs';
import { startFarebox } from '../../testnet/farebox.mjs';
import { USDC_ABI } from '../../testnet/usdc.mjs';

const BUILD = process.env.FAREBOX_BUILD ?? join(import.meta.dirname, '../../build/release');
const PAYERS = 200;
const BLOCK_TIME_S = 2; // Base's
const PAYER_AMOUNT = 1_000_000_000n; // 1,000 USDC
const BALANCES_SLOT = 9n; // of FiatTokenV2_2: balanceAndBlacklistStates

export const tool = (name) => join(BUILD, name);
export const run = promisify(execFile);

// Signs `count` payments into a file, one request body a line.
export async function writeBodies(path, count, build = BUILD) {
	const out = createWriteStream(path);
	await once(out, 'open');
	const stdio = ['ignore', out, 'inherit'];
	const child = spawn(join(build, 'bench_payloads'), [String(count), String(PAYERS)], { stdio });
	const [code] = await once(child, 'exit');
	out.close();
	if (code !== 0)
		throw new Error(`bench_payloads ended with ${code}`);
}

// The payers take turns, so the first lines name all of them.
export async function readPayers(path) {
	const payers = new Set();
	for await (const line of createInterface({ input: createReadStream(path) })) {
		if (payers.size === PAYERS)
			break;
		payers.add(JSON.parse(line).paymentPayload.payload.authorization.from);
	}
	return [...payers];
}

const balanceSlot = (address) =>
	keccak256(encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }], [address, BALANCES_SLOT]));

export async function fund({ client, usdc }, payers) {
	const value = pad(toHex(PAYER_AMOUNT));
	await Promise.all(payers.map((payer) => client.setStorageAt({ address: usdc, index: balanceSlot(payer), value })));
	await client.mine({ blocks: 1 });
	const balance = await client.readContract({
		address: usdc, abi: USDC_ABI, functionName: 'balanceOf', args: [payers.at(-1)],
	});
	if (balance !== PAYER_AMOUNT)
		throw new Error(`a payer has ${balance} after having been given ${PAYER_AMOUNT}`);
}

// bodies: how many to write, or the path of those that are there already. The other options are startChain's.
export async function openStage(folder, { bodies: wanted, ...options }) {
	const bodies = typeof wanted === 'string' ? wanted : join(folder, 'bodies.jsonl');
	if (bodies !== wanted)
		await writeBodies(bodies, wanted);
	const chain = await startChain({ blockTime: BLOCK_TIME_S, log: join(folder, 'chain.log'), ...options });
	const children = [chain]; // last started first
	try {
		await fund(chain, await readPayers(bodies));
		await chain.client.setLoggingEnabled(false);
	} catch (error) {
		await chain.stop();
		throw error;
	}
	return {
		folder, bodies, chain, children,
		close: async () => {
			for (const child of children)
				await child.stop();
		},
	};
}

export async function addFarebox(stage, env = {}) {
	const [signer, , payee] = stage.chain.accounts;
	const farebox = await startFarebox({
		chainUrl: env.EVM_RPC_URL ?? stage.chain.url, signer, payee, data: join(stage.folder, 'data'),
		log: join(stage.folder, 'farebox.log'), env,
	});
	stage.children.unshift(farebox);
	return { ...farebox, metricsUrl: readFileSync(farebox.log, 'utf8').match(/^Metrics on (\S+)$/m)[1] };
}

// Environment: see reference.mjs.
export async function addReference(stage, { batch = false, env = {} } = {}) {
	const reference = await startChild({
		name: 'the reference facilitator',
		command: process.execPath, args: [join(import.meta.dirname, 'reference.mjs')],
		log: join(stage.folder, batch ? 'reference-batch.log' : 'reference.log'),
		ready: /^Facilitator listening on (\S+)/m,
		env: {
			...process.env, NODE_ENV: 'production', EVM_RPC_URL: stage.chain.url,
			EVM_PRIVATE_KEY: stage.chain.accounts[1].privateKey, RPC_BATCH: batch ? '1' : '0', ...env,
		},
	});
	stage.children.unshift(reference);
	return { ...reference, url: reference.match[1] };
}
