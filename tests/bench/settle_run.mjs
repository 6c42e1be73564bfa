// One run of POST /settle against one server, and what the chain says of it.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { load } from './load.mjs';
import { compare, readBlocks, readOutcomes } from './settle_truth.mjs';

const BASE_FEE = 1_000_000_000n; // at the start of every run: full blocks raise it, for whoever comes next
const PATIENCE_S = 20;
const LATE_MS = 3000; // in which what was sent, and not answered for, may still move

async function startRun({ client }) {
	await client.setNextBlockBaseFeePerGas({ baseFeePerGas: BASE_FEE });
	await client.mine({ blocks: 1 });
	return client.getBlockNumber();
}

// Until every transaction is in a block: a late one must not count for the next server.
async function settleDown({ client }) {
	const deadline = Date.now() + LATE_MS;
	while (Date.now() < deadline) {
		const { pending, queued } = await client.getTxpoolStatus();
		if (pending + queued === 0)
			break;
		await sleep(50);
	}
	return client.getBlockNumber();
}

// Takes the next payments of the stage's file, whose number is in stage.next.
export async function settleRun(stage, server, { connections, seconds }) {
	const outcomes = join(stage.folder, 'outcomes.txt');
	const before = await startRun(stage.chain);
	const seen = await load(stage, server, {
		path: '/settle', want: '"success":true', again: '"settlement_pending"', patience: PATIENCE_S,
		first: stage.next || undefined, requests: stage.payments.length - stage.next, outcomes, connections, seconds,
	});
	stage.next += seen.sent;
	const chain = await readBlocks(stage.chain, before + 1n, await settleDown(stage.chain));
	const { untrue, untold, reasons } = compare(await readOutcomes(outcomes), stage.payments, chain);
	const right = seen.answers - seen.wrong;
	return {
		...seen, right, untrue: untrue + chain.twice, untold, reasons, perSecond: right / (seen.elapsed_us / 1e6),
		transactions: chain.transactions, gas: chain.gas / chain.moved.size,
		perTransaction: chain.moved.size / chain.transactions,
	};
}
