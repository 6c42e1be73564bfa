// What most tests here play on: a chain, a farebox on it, and people with money.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { startChain } from '../../testnet/chain.mjs';
import { startFarebox } from '../../testnet/farebox.mjs';
import { scratchFolder } from './scratch.mjs';

const FORBIDDEN_IN_LOGS = /"level":"broken"|Sanitizer|assertion/i;

// Whatever a test was about: farebox ends well when asked to, and its log tells of no broken promise.
async function stopFarebox(farebox) {
	await farebox.stop();
	assert.deepEqual(await farebox.exited, { code: 0, signal: null }, readFileSync(farebox.log, 'utf8'));
}

const checkLog = (log) => assert.doesNotMatch(readFileSync(log, 'utf8'), FORBIDDEN_IN_LOGS, log);

// farebox keeps its data through stage.restart(env); stage.kill() ends it without a goodbye, stage.start() revives it.
export async function openStage({ blockTime = 0, env = {} } = {}) {
	const scratch = scratchFolder();
	const chain = await startChain({ blockTime, log: join(scratch.path, 'chain.log') });
	const [signer, payer, payee, other, ...rest] = chain.accounts;
	const data = join(scratch.path, 'data');
	const stage = { chain, signer, payer, payee, other, rest, data };
	const logs = [];

	stage.start = async (changes) => {
		const log = join(scratch.path, `farebox-${logs.length}.log`);
		logs.push(log);
		stage.farebox = await startFarebox({
			chainUrl: chain.url, signer, payee, data, log, env: { ...env, ...changes },
		});
		stage.url = stage.farebox.url;
	};
	stage.kill = () => stage.farebox.stop('SIGKILL');
	stage.stop = () => stopFarebox(stage.farebox);
	stage.restart = async (changes) => {
		await stage.stop();
		await stage.start(changes);
	};
	stage.close = async () => {
		try {
			await stage.stop();
			logs.forEach(checkLog);
		} finally {
			await chain.stop();
			scratch.dispose();
		}
	};
	try {
		await stage.start();
		return stage;
	} catch (error) {
		await chain.stop();
		throw new Error(`${error.message}\n${error.logTail}`);
	}
}

// Posts a body to farebox: { status, body }, the body parsed if it is JSON.
export async function post(stage, path, value) {
	const body = typeof value === 'string' ? value : JSON.stringify(value);
	const headers = { 'Content-Type': 'application/json' };
	const response = await fetch(`${stage.url}${path}`, { method: 'POST', headers, body });
	const text = await response.text();
	return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
}

export const verify = async (stage, body) => (await post(stage, '/verify', body)).body;
export const settle = async (stage, body) => (await post(stage, '/settle', body)).body;

// Asks until the answer satisfies `done`; returns every answer, the satisfying one last.
export async function askUntil(ask, done, { timeoutMs = 30000, pauseMs = 100 } = {}) {
	const deadline = Date.now() + timeoutMs;
	const answers = [];
	do {
		answers.push(await ask());
		if (done(answers.at(-1)))
			return answers;
		await sleep(pauseMs);
	} while (Date.now() < deadline);
	throw new Error(`no satisfying answer in ${timeoutMs} ms; the last one: ${JSON.stringify(answers.at(-1))}`);
}
