// What most tests here play on: a chain, a farebox on it, and people with money.
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { startChain } from '../../testnet/chain.mjs';
import { startFarebox } from '../../testnet/farebox.mjs';
import { freePort } from '../../testnet/ports.mjs';
import { scratchFolder } from './scratch.mjs';

// farebox keeps its port and its data through stage.restart(env); stage.kill() ends it without a goodbye.
export async function openStage({ blockTime = 0, env = {} } = {}) {
	const scratch = scratchFolder();
	const chain = await startChain({ blockTime, log: join(scratch.path, 'chain.log') });
	const [signer, payer, payee, other, ...rest] = chain.accounts;
	const port = await freePort();
	let runs = 0;

	const start = (changes) => startFarebox({
		port, chainUrl: chain.url, signer, payee, data: join(scratch.path, 'data'),
		log: join(scratch.path, `farebox-${runs++}.log`), env: { ...env, ...changes },
	});
	const stage = { chain, signer, payer, payee, other, rest, url: `http://127.0.0.1:${port}` };
	stage.kill = () => stage.farebox.stop('SIGKILL');
	stage.start = async (changes) => { stage.farebox = await start(changes); };
	stage.restart = async (changes) => {
		await stage.farebox.stop();
		await stage.start(changes);
	};
	stage.close = async () => {
		await stage.farebox?.stop();
		await chain.stop();
		scratch.dispose();
	};
	try {
		await stage.start();
		return stage;
	} catch (error) {
		await chain.stop();
		throw error;
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
