// Measures POST /settle of farebox and of the stock TypeScript facilitator, in turn, on one chain.
// Started by tests/bench/settle, which explains the options and has built what this needs.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ChildError } from '../../testnet/child.mjs';
import { describeMachine } from './machine.mjs';
import { startCounter } from './rpc_counter.mjs';
import { measureChain } from './settle_chain.mjs';
import { printReport } from './settle_report.mjs';
import { settleRun } from './settle_run.mjs';
import { readPayments } from './settle_truth.mjs';
import { addFarebox, addReference, openStage, writeBodies } from './stage.mjs';

const FOLDER = join(import.meta.dirname, '../../build/bench-settle');
const WARM_UP = { connections: 64, seconds: 3 };
const LARGE_GAS = 400_000_000;
// In this order, so that what is cut off at the end is what matters least. Each has an anvil of its own.
const CHAINS = [
	{ name: 'large', blockTime: 1, gasLimit: LARGE_GAS, concurrency: [200, 1000, 4000] },
	{ name: 'blocks', blockTime: 1, concurrency: [1, 200, 1000] },
	{ name: 'automine', blockTime: 0, concurrency: [1, 16, 64] },
];
const QUICK = { automine: [64], blocks: [200], large: [1000] };
const REFERENCE_MOST = 1000; // at once: beyond, the stock facilitator does nothing but fall behind
const FAREBOX_ENV = { FAREBOX_CONNECTIONS_MAX: '8192', FAREBOX_PER_ADDRESS_MAX: '8192' };
const REFERENCE_ENV = { NONCE_MANAGER: '1', POLL_MS: '100' };
const BODIES = { full: 200_000, quick: 40_000 };

const positive = (text, most) => {
	if (!/^[1-9]\d{0,3}$/.test(text) || Number(text) > most)
		throw new Error(`${text}: expected a number from 1 to ${most}`);
	return Number(text);
};

function chooseChains(only, concurrency, quick) {
	const names = only?.split(',') ?? CHAINS.map(({ name }) => name);
	const unknown = names.find((name) => !CHAINS.some((chain) => chain.name === name));
	if (unknown !== undefined)
		throw new Error(`${unknown}: expected ${CHAINS.map(({ name }) => name).join(', ')}`);
	const own = concurrency?.split(',').map((text) => positive(text, 4096));
	return CHAINS.filter(({ name }) => names.includes(name))
		.map((chain) => ({ ...chain, concurrency: own ?? (quick ? QUICK[chain.name] : chain.concurrency) }));
}

function readOptions() {
	const { values } = parseArgs({
		options: {
			quick: { type: 'boolean', default: false },
			seconds: { type: 'string' },
			rounds: { type: 'string' },
			concurrency: { type: 'string' },
			only: { type: 'string' },
			minutes: { type: 'string', default: '8' },
			json: { type: 'boolean', default: false },
			'no-reference': { type: 'boolean', default: false },
			'no-chain': { type: 'boolean', default: false },
			calls: { type: 'boolean', default: false },
		},
	});
	const { quick } = values;
	return {
		quick, json: values.json, calls: values.calls, reference: !values['no-reference'], raw: !values['no-chain'],
		seconds: positive(values.seconds ?? '3', 60), rounds: positive(values.rounds ?? (quick ? '1' : '3'), 9),
		minutes: positive(values.minutes, 240), chains: chooseChains(values.only, values.concurrency, quick),
	};
}

const startReference = (stage, env) => addReference(stage, { env: { ...REFERENCE_ENV, ...env } });
const startBatching = (stage, env) => addReference(stage, { batch: true, env: { ...REFERENCE_ENV, ...env } });
const startFarebox = (stage, env) => addFarebox(stage, { ...FAREBOX_ENV, ...env });

// With its JSON-RPC calls counted, if asked for.
async function startServer(stage, name, start, calls) {
	const counter = calls ? await startCounter(stage.chain.url) : undefined;
	const env = counter ? { EVM_RPC_URL: counter.url } : {};
	if (counter)
		stage.children.push(counter); // stopped behind the server
	return { name, server: await start(stage, env), restart: () => start(stage, env), counter };
}

// A server that left payments unanswered is started anew: what it waits for must not be the next run's burden.
async function measure(stage, entry, options) {
	entry.counter?.take();
	const result = await settleRun(stage, entry.server, options);
	if (entry.counter)
		result.calls = entry.counter.take();
	if (result.lost > 0) {
		stage.children.splice(stage.children.findIndex(({ pid }) => pid === entry.server.pid), 1);
		await entry.server.stop();
		entry.server = await entry.restart();
	}
	return result;
}

async function startAll(stage, { reference, calls }) {
	const servers = [];
	if (reference) {
		servers.push(await startServer(stage, 'reference', startReference, calls));
		servers.push(await startServer(stage, 'with batching', startBatching, calls));
	}
	servers.push(await startServer(stage, 'farebox', startFarebox, calls));
	for (const entry of servers)
		await measure(stage, entry, WARM_UP);
	return servers;
}

const sum = (rounds, name) => rounds.reduce((total, round) => total + round[name], 0);

function addReasons(rounds) {
	const all = {};
	for (const { reasons } of rounds)
		for (const [reason, count] of Object.entries(reasons))
			all[reason] = (all[reason] ?? 0) + count;
	return all;
}

// The round of median rate, with the faults of all.
function summarise(rounds) {
	const sorted = rounds.toSorted((a, b) => a.perSecond - b.perSecond);
	return {
		...sorted[Math.floor((rounds.length - 1) / 2)], rounds: rounds.length, errors: sum(rounds, 'errors'),
		again: sum(rounds, 'again'), untrue: sum(rounds, 'untrue'), untold: sum(rounds, 'untold'),
		reasons: addReasons(rounds), fault: rounds.find(({ errors }) => errors > 0)?.fault ?? '',
	};
}

async function measureAt(connections, chain, stage, servers, { rounds, seconds, deadline }) {
	const present = servers.filter(({ name }) => name === 'farebox' || connections <= REFERENCE_MOST);
	const results = present.map(() => []);
	for (let round = 0; round < rounds && Date.now() < deadline; round++)
		for (const [i, entry] of present.entries())
			results[i].push(await measure(stage, entry, { connections, seconds }));
	return present.filter((_, i) => results[i].length > 0)
		.map(({ name }, i) => ({ chain: chain.name, connections, name, ...summarise(results[i]) }));
}

async function measureStage(chain, payments, options) {
	const folder = join(FOLDER, chain.name);
	const stage = await openStage(folder, {
		bodies: payments.path, blockTime: chain.blockTime,
		anvilOptions: chain.gasLimit ? ['--gas-limit', String(chain.gasLimit)] : [],
	});
	try {
		Object.assign(stage, { next: 0, payments: payments.all });
		const raw = options.raw && chain.blockTime > 0 ? await measureChain(stage, chain.name, options.quick) : [];
		const servers = await startAll(stage, options);
		const rows = [];
		for (const connections of chain.concurrency)
			rows.push(...await measureAt(connections, chain, stage, servers, options));
		return { raw, rows };
	} finally {
		await stage.close();
		rmSync(join(folder, 'data'), { recursive: true, force: true });
	}
}

async function makeReport(options) {
	rmSync(FOLDER, { recursive: true, force: true });
	for (const { name } of CHAINS)
		mkdirSync(join(FOLDER, name), { recursive: true });
	const report = { machine: describeMachine(), seconds: options.seconds, raw: [], rows: [] };
	const path = join(FOLDER, 'bodies.jsonl');
	await writeBodies(path, options.quick ? BODIES.quick : BODIES.full);
	const payments = { path, all: await readPayments(path) };
	const limited = { ...options, deadline: Date.now() + 60_000 * options.minutes };
	for (const chain of options.chains) {
		if (Date.now() > limited.deadline)
			break;
		const { raw, rows } = await measureStage(chain, payments, limited);
		report.raw.push(...raw);
		report.rows.push(...rows);
	}
	return report;
}

async function main() {
	const options = readOptions();
	const report = await makeReport(options);
	if (options.json)
		console.log(JSON.stringify(report, null, 2));
	else
		printReport(report);
	const ours = report.rows.filter(({ name }) => name === 'farebox');
	if (ours.length === 0 || ours.some(({ errors, untrue, untold }) => errors + untrue + untold > 0))
		process.exitCode = 1;
}

main().catch((error) => {
	console.error(error instanceof ChildError ? `${error.message}:\n${error.logTail}` : error.stack);
	process.exitCode = 1;
});
