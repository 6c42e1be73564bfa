// Measures POST /verify of farebox and of the stock TypeScript facilitator, in turn, on one chain.
// Started by tests/bench/verify, which explains the options and has built what this needs.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ChildError } from '../../testnet/child.mjs';
import { load } from './load.mjs';
import { describeMachine } from './machine.mjs';
import { printReport } from './report.mjs';
import { addFarebox, addReference, openStage, run, tool } from './stage.mjs';

const FOLDER = join(import.meta.dirname, '../../build/bench');
const BODIES = 20_000;
const ROUNDS = 3; // the servers take turns, so that whatever else the machine does meets all of them
const WARM_UP = { connections: 16, seconds: 3 }; // V8 has compiled by then

function readOptions() {
	const { values } = parseArgs({
		options: {
			seconds: { type: 'string', default: '10' },
			concurrency: { type: 'string', default: '1,16,64' },
			json: { type: 'boolean', default: false },
			'no-reference': { type: 'boolean', default: false },
		},
	});
	const positive = (text, most) => {
		if (!/^[1-9]\d{0,3}$/.test(text) || Number(text) > most)
			throw new Error(`${text}: expected a number from 1 to ${most}`);
		return Number(text);
	};
	return {
		seconds: positive(values.seconds, 600), json: values.json, reference: !values['no-reference'],
		concurrency: values.concurrency.split(',').map((text) => positive(text, 1024)),
	};
}

// How many payments farebox's reads of the chain answered for, from its metrics.
async function countReads({ metricsUrl }) {
	const page = await (await fetch(metricsUrl)).text();
	const read = (name) => Number(page.match(new RegExp(`^${name} (\\d+)$`, 'm'))[1]);
	return { reads: read('farebox_chain_reads_total'), payments: read('farebox_chain_read_payments_total') };
}

async function measureFarebox(stage, farebox, options) {
	const before = await countReads(farebox);
	const result = await load(stage, farebox, options);
	const after = await countReads(farebox);
	return { ...result, paymentsPerRead: (after.payments - before.payments) / (after.reads - before.reads) };
}

// What one signature check costs here: the part of a verification that no facilitator can leave out.
async function measureSignature() {
	const { stdout } = await run(tool('bench_crypto'));
	return Number(stdout.match(/^EIP-3009 digest and recover +(\S+) us$/m)[1]);
}

async function startAll(stage, reference) {
	const servers = [];
	if (reference) {
		servers.push({ name: 'reference', server: await addReference(stage), measure: load });
		servers.push({ name: 'with batching', server: await addReference(stage, { batch: true }), measure: load });
	}
	servers.push({ name: 'farebox', server: await addFarebox(stage), measure: measureFarebox });
	for (const { server } of servers)
		await load(stage, server, WARM_UP);
	return servers;
}

// The round of median throughput, with the errors of all.
function summarise(rounds) {
	const sorted = rounds.toSorted((a, b) => a.perSecond - b.perSecond);
	const faulty = rounds.find(({ errors }) => errors > 0);
	const errors = rounds.reduce((sum, round) => sum + round.errors, 0);
	return { ...sorted[Math.floor(rounds.length / 2)], errors, fault: faulty?.fault ?? '' };
}

async function measureAt(connections, stage, servers, seconds) {
	const rounds = servers.map(() => []);
	for (let round = 0; round < ROUNDS; round++)
		for (const [i, { server, measure }] of servers.entries())
			rounds[i].push(await measure(stage, server, { connections, seconds: Math.ceil(seconds / ROUNDS) }));
	return servers.map(({ name }, i) => ({ connections, name, ...summarise(rounds[i]) }));
}

async function measureAll(stage, { reference, concurrency, seconds }) {
	const servers = await startAll(stage, reference);
	const rows = [];
	for (const connections of concurrency)
		rows.push(...await measureAt(connections, stage, servers, seconds));
	return rows;
}

async function makeReport(options) {
	rmSync(FOLDER, { recursive: true, force: true });
	mkdirSync(FOLDER, { recursive: true });
	const machine = describeMachine();
	const signatureUs = await measureSignature();
	const stage = await openStage(FOLDER, { bodies: BODIES });
	try {
		return { machine, seconds: options.seconds, signatureUs, rows: await measureAll(stage, options) };
	} finally {
		await stage.close();
	}
}

async function main() {
	const options = readOptions();
	const report = await makeReport(options);
	if (options.json)
		console.log(JSON.stringify(report, null, 2));
	else
		printReport(report);
	for (const { name, connections, fault, errors } of report.rows)
		if (errors > 0) {
			console.error(`${name} at ${connections}: ${errors} errors. ${fault}`);
			process.exitCode = 1;
		}
}

main().catch((error) => {
	console.error(error instanceof ChildError ? `${error.message}:\n${error.logTail}` : error.stack);
	process.exitCode = 1;
});
