// Sends very many POST /verify and looks at farebox's memory after every tenth of them.
// Started by tests/load/verify_million, which explains the options and has built what this needs.
import { mkdirSync, rmSync } from 'node:fs';
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
const SETTLE_MS = 500; // for what the last answers held
const SLACK_KB = 2048; // "nothing added": the allocator's own wavering

function readOptions() {
	const { values } = parseArgs({
		options: {
			requests: { type: 'string', default: '1000000' },
			'limit-mb': { type: 'string', default: '64' },
		},
	});
	const number = (name, least) => {
		if (!/^[1-9]\d{0,7}$/.test(values[name]) || Number(values[name]) < least)
			throw new Error(`--${name} ${values[name]}: expected a number from ${least} on`);
		return Number(values[name]);
	};
	return { requests: number('requests', PARTS * CONNECTIONS), limitKb: number('limit-mb', 1) * 1024 };
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

function judge(parts, { requests, limitKb }) {
	const faults = [];
	const grown = parts.at(-1).rss - parts[0].rss;
	const answers = parts.reduce((sum, part) => sum + part.answers, 0);
	if (answers !== Math.floor(requests / PARTS) * PARTS)
		faults.push(`${answers} of ${requests} requests were answered`);
	for (const { fault } of parts.filter((part) => part.errors > 0))
		faults.push(fault);
	if (parts.at(-1).peak > limitKb)
		faults.push(`its memory reached ${parts.at(-1).peak} KiB, above the limit of ${limitKb} KiB`);
	if (grown > SLACK_KB)
		faults.push(`its memory grew by ${grown} KiB after the first tenth: it is not flat`);
	return faults;
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
		return judge(parts, options);
	} finally {
		await stage.close();
	}
}

async function main() {
	const faults = await runAll(readOptions());
	faults.forEach((fault) => console.error(fault));
	console.log(faults.length === 0 ? 'ok: its memory is flat' : 'failed');
	process.exitCode = faults.length === 0 ? 0 : 1;
}

main().catch((error) => {
	console.error(error instanceof ChildError ? `${error.message}:\n${error.logTail}` : error.stack);
	process.exitCode = 1;
});
