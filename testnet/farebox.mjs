// farebox as a child process on the local chain.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { NETWORK } from './chain.mjs';
import { startChild } from './child.mjs';

export const FAREBOX = process.env.FAREBOX_BIN ?? join(import.meta.dirname, '../build/release/farebox');

// Starts `farebox serve` with `signer` ({ privateKey }) paying for gas and `payee` earning what /demo costs.
// env adds or replaces settings.
export async function startFarebox({ port, chainUrl, signer, payee, data, log, env = {} }) {
	const child = await startChild({
		name: 'farebox', command: FAREBOX, args: ['serve', '--data', data, '--local-chain'], log,
		ready: /Facilitator listening/,
		env: {
			...process.env, PORT: String(port), EVM_NETWORK: NETWORK, EVM_RPC_URL: chainUrl,
			EVM_PRIVATE_KEY: signer.privateKey, EVM_PAYEE_ADDRESS: payee.address, ...env,
		},
	});
	return { ...child, url: `http://127.0.0.1:${port}` };
}

function collect(stream, chunks) {
	stream.setEncoding('utf8');
	stream.on('data', (chunk) => chunks.push(chunk));
}

// Runs a farebox command to its end: { code, output } with both streams in order of arrival.
export function runFarebox(args, env = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn(FAREBOX, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
		const chunks = [];
		collect(child.stdout, chunks);
		collect(child.stderr, chunks);
		child.once('error', reject);
		child.once('close', (code) => resolve({ code, output: chunks.join('') }));
	});
}

// `farebox pay URL` with the payer's key, which travels by environment: never on a command line.
export const runPay = (url, payer, args = []) =>
	runFarebox(['pay', url, '--key', '$FAREBOX_PAY_KEY', '--yes', ...args], { FAREBOX_PAY_KEY: payer.privateKey });
