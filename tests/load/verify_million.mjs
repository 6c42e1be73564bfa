// Sends very many POST /verify and looks at farebox's memory after every tenth of them.
// Started by tests/load/verify_million, which explains the options and has built what this needs.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ChildError } from '../../testnet/child.mjs';
import { load, memoryKb } from '../bench/load.mjs';
import { addFarebox, openStage } from '../bench/stage.mjs';
import { writeMalformed } from './malformed.mjs';

const FOLDER = join(import.meta.dirname, '../../build/load');
const BODIES = 20_000;
const CONNECTIONS = 64;
const BAD_EVERY = 10;
const PARTS = 10;
const LIMIT_KB = 64 * 1024;
const SETTLE_MS = 500; // for what the last answers held
const SLACK_KB = 2048; // "nothing added": the allocator's own wavering
const FORBIDDEN_IN_LOGS = /"level":"broken"|Sanitizer|assertion/i;

function readOptions() {
	const { values } = parseArgs({
		options: {
			requests: { type: 'string', default: '1000000' },
			'any-memory': { type: 'boolean', default: false },
		},
	});
	const { requests } = values;
	if (!/^[1-9]\d{0,7}$/.test(requests) || Number(requests) < PARTS * CONNECTIONS)
		throw new Error(`--requests ${requests}: expected a number from ${PARTS * CONNECTIONS} on`);
	return { requests: Number(requests), anyMemory: values['any-memory'] };
}

function print(label, { rss, peak, threads }, result) {
	const kib = (value) => String(value).padStart(7);
	const memory = `${kib(rss)} KiB, peak ${kib(peak)} KiB, ${threads} threads`;
	const speed = result ? `${Math.round(result.perSecond)}/s, p99 ${Math.round(result.p99_us)} us` : '';
	console.log(`${label.padStart(10)}  ${memory}  ${speed}`);
}

async function sendPart(stage, farebox, options, part) {
	const requests = Math.floor(options.requests / PARTS);
	const result = await load(stage, farebox, {
		connections: CONNECTIONS, seconds: 600, requests, bad: stage.bad, badEvery: BAD_EVERY,
	});
	await sleep(SETTLE_MS);
	const memory = memoryKb(farebox.pid);
	print(String(requests * (part + 1)), memory, result);
	return { ...result, ...memory };
}

function judgeMemory(parts) {
	const faults = [];
	const { peak, rss } = parts.at(-1);
	const grown = rss - parts[0].rss;
	if (peak > LIMIT_KB)
		faults.push(`its memory reached ${peak} KiB, above the limit of ${LIMIT_KB} KiB`);
	if (grown > SLACK_KB)
		faults.push(`its memory grew by ${grown} KiB after the first tenth: it is not flat`);
	return faults;
}

function judgeAnswers(parts, { requests }) {
	const faults = [];
	const answers = parts.reduce((sum, part) => sum + part.answers, 0);
	if (answers !== Math.floor(requests / PARTS) * PARTS)
		faults.push(`${answers} of ${requests} requests were answered`);
	for (const { fault } of parts.filter((part) => part.errors > 0))
		faults.push(fault);
	return faults;
}

// Asked to end, it ends well, and its log tells of no broken promise.
async function judgeEnd(farebox) {
	await farebox.stop();
	const { code, signal } = await farebox.exited;
	const log = readFileSync(farebox.log, 'utf8');
	const good = code === 0 && !FORBIDDEN_IN_LOGS.test(log);
	return good ? [] : [`farebox ended with ${signal ?? code}, its log is\n${log}`];
}

async function runAll(options) {
	rmSync(FOLDER, { recursive: true, force: true });
	mkdirSync(FOLDER, { recursive: true });
	const stage = await openStage(FOLDER, { bodies: BODIES });
	try {
		stage.bad = join(FOLDER, 'malformed.jsonl');
		writeMalformed(stage.bad, stage.bodies);
		const farebox = await addFarebox(stage);
		const parts = [];
		print('start', memoryKb(farebox.pid));
		for (let part = 0; part < PARTS; part++)
			parts.push(await sendPart(stage, farebox, options, part));
		const memory = options.anyMemory ? [] : judgeMemory(parts);
		return [...judgeAnswers(parts, options), ...memory, ...await judgeEnd(farebox)];
	} finally {
		await stage.close();
	}
}

async function main() {
	const faults = await runAll(readOptions());
	faults.forEach((fault) => console.error(fault));
	console.log(faults.length === 0 ? 'ok' : 'failed');
	process.exitCode = faults.length === 0 ? 0 : 1;
}

main().catch((error) => {
	console.error(error instanceof ChildError ? `${error.message}:\n${error.logTail}` : error.stack);
	process.exitCode = 1;
});
