// A child process that is ready when it says so in its log, and that never outlives us.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;
const STOP_MS = 5000;
const LOG_TAIL_LINES = 15;

export class ChildError extends Error {
	constructor(name, what, log) {
		super(`${name} ${what}`);
		this.log = log;
		this.logTail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
	}
}

// setpriv makes the kernel end the child when we end without doing so; a process group of its own keeps
// the terminal's Ctrl-C for us, so that children are stopped in order.
function launch(command, args, env, log) {
	mkdirSync(dirname(log), { recursive: true });
	const fd = openSync(log, 'w');
	const child = spawn('setpriv', ['--pdeathsig', 'TERM', command, ...args],
		{ env, detached: true, stdio: ['ignore', fd, fd] });
	closeSync(fd);
	return child;
}

async function stopChild(child, exited, signal) {
	if (child.exitCode === null && child.signalCode === null)
		child.kill(signal);
	const late = Symbol('late');
	const waiting = new AbortController();
	const outcome = await Promise.race([exited, sleep(STOP_MS, late, { signal: waiting.signal }).catch(() => {})]);
	waiting.abort();
	if (outcome === late)
		child.kill('SIGKILL');
	await exited;
}

async function waitUntilReady(name, child, log, ready, timeoutMs) {
	const deadline = Date.now() + timeoutMs;
	while (Date.now() < deadline) {
		const match = readFileSync(log, 'utf8').match(ready);
		if (match)
			return match;
		if (child.exitCode !== null || child.signalCode !== null)
			throw new ChildError(name, 'ended before it was ready', log);
		await sleep(POLL_MS);
	}
	throw new ChildError(name, `was not ready after ${timeoutMs / 1000} s`, log);
}

// Resolves when the log (started afresh) matches the regular expression `ready`. Rejects with a ChildError if it
// does not within timeoutMs. The child's `exited` resolves to { code, signal }.
export async function startChild({ name, command, args, env = process.env, log, ready, timeoutMs = 30000 }) {
	const child = launch(command, args, env, log);
	const exited = new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('exit', (code, signal) => resolve({ code, signal }));
	});
	exited.catch(() => {});
	const stop = (signal = 'SIGTERM') => stopChild(child, exited, signal);
	try {
		const match = await waitUntilReady(name, child, log, ready, timeoutMs);
		return { pid: child.pid, match, log, exited, stop };
	} catch (error) {
		await stop('SIGKILL');
		throw error;
	}
}
