// What the chain does by itself: transactions signed beforehand are pushed into it as fast as it takes them. No
// facilitator on this machine can be faster. Not for a chain that mines each transaction at once: such an anvil loses
// some of an account that sends several.
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { privateKeyToAccount } from '../../testnet/node_modules/viem/_esm/accounts/index.js';
import { CHAIN_ID } from '../../testnet/chain.mjs';
import { encodePayments } from './batch.mjs';
import { cpuUs, load } from './load.mjs';
import { readBlocks } from './settle_truth.mjs';

const SENDER = 3; // an account of the chain that nobody else uses here
const SENDERS_AT_ONCE = 16;
const [GAS_LIMIT_EACH, GAS_LIMIT_MORE] = [80_000n, 80_000n]; // more than a payment and a transaction take
const FEE = 100_000_000_000n;
const MINED_MS = 60_000;
const LATE_MS = 5000;
const BATCH = 100;
const PLAN = { full: { alone: 1500, batches: 30 }, quick: { alone: 400, batches: 10 } };

async function takePayloads(stage, count) {
	const payloads = [];
	let number = 0;
	for await (const line of createInterface({ input: createReadStream(stage.bodies) }))
		if (number++ >= stage.next && payloads.push(JSON.parse(line).paymentPayload.payload) === count)
			break;
	stage.next += count;
	return payloads;
}

// One JSON-RPC request a line.
async function writeTransactions(stage, path, { size, count }) {
	const account = privateKeyToAccount(stage.chain.accounts[SENDER].privateKey);
	const payloads = await takePayloads(stage, size * count);
	const nonce = await stage.chain.client.getTransactionCount({ address: account.address });
	const lines = [];
	for (let i = 0; i < count; i++) {
		const raw = await account.signTransaction({
			...encodePayments(payloads.slice(i * size, (i + 1) * size)), type: 'eip1559', chainId: CHAIN_ID,
			nonce: nonce + i, gas: GAS_LIMIT_MORE + GAS_LIMIT_EACH * BigInt(size), maxFeePerGas: FEE,
			maxPriorityFeePerGas: 1n,
		});
		lines.push(JSON.stringify({ jsonrpc: '2.0', id: i, method: 'eth_sendRawTransaction', params: [raw] }));
	}
	writeFileSync(path, `${lines.join('\n')}\n`);
	return { address: account.address, end: nonce + count };
}

async function waitMined({ client }, { address, end }) {
	const deadline = Date.now() + MINED_MS;
	while (await client.getTransactionCount({ address }) < end) {
		if (Date.now() > deadline)
			throw new Error(`the chain has not mined what was sent to it in ${MINED_MS / 1000} s`);
		await sleep(5);
	}
}

// The last block is not there yet when the account already is as it leaves it.
async function readMoved(chain, before, wanted) {
	const deadline = Date.now() + LATE_MS;
	for (;;) {
		const { moved, gas } = await readBlocks(chain, before + 1n, await chain.client.getBlockNumber());
		if (moved.size === wanted)
			return gas;
		if (Date.now() > deadline)
			throw new Error(`the chain moved ${moved.size} of ${wanted} payments pushed into it`);
		await sleep(100);
	}
}

async function pushAll(stage, name, { size, count }) {
	const bodies = join(stage.folder, 'transactions.jsonl');
	const sent = await writeTransactions(stage, bodies, { size, count });
	const before = await stage.chain.client.getBlockNumber();
	const [start, cpu, payments] = [performance.now(), cpuUs(stage.chain.pid), size * count];
	const seen = await load({ ...stage, bodies }, stage.chain, {
		path: '/', want: '"result":"0x', requests: count, connections: Math.min(SENDERS_AT_ONCE, count), seconds: 60,
	});
	if (seen.errors > 0)
		throw new Error(`the chain refused transactions pushed into it. ${seen.fault}`);
	await waitMined(stage.chain, sent);
	const [elapsed, spent] = [performance.now() - start, cpuUs(stage.chain.pid) - cpu];
	const gas = await readMoved(stage.chain, before, payments);
	return {
		chain: name, perTransaction: size, payments, perSecond: payments / (elapsed / 1000), gas: gas / payments,
		chainUs: spent / payments,
	};
}

export async function measureChain(stage, name, quick) {
	const { alone, batches } = quick ? PLAN.quick : PLAN.full;
	return [
		await pushAll(stage, name, { size: 1, count: alone }),
		await pushAll(stage, name, { size: BATCH, count: batches }),
	];
}
