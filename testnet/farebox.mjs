// farebox as a child process on the local chain.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { NETWORK } from './chain.mjs';
import { startChild } from './child.mjs';

export const FAREBOX = process.env.FAREBOX_BIN ?? join(import.meta.dirname, '../build/release/farebox');

// Starts `farebox serve` with `signer` ({ privateKey }) paying for gas and `payee` earning what /demo costs.
// port 0 takes a free one; env adds or replaces settings. It must be ready within timeoutMs.
export async function startFarebox({ port = 0, chainUrl, signer, payee, data, log, timeoutMs, env = {} }) {
	const child = await startChild({
		name: 'farebox', command: FAREBOX, args: ['serve', '--data', data, '--local-chain'], log, timeoutMs,
		ready: /^Facilitator listening on (\S+)/m,
		env: {
			...process.env, PORT: String(port), EVM_NETWORK: NETWORK, EVM_RPC_URL: chainUrl,
			EVM_PRIVATE_KEY: signer.privateKey, EVM_PAYEE_ADDRESS: payee.address, ...env,
		},
	});
	return { ...child, url: child.match[1] };
}

function collect(stream, onText) {
	stream.setEncoding('utf8');
	stream.on('data', onText);
}

// Runs a farebox command to its end: { code, stdout, output }, output being both streams in order of arrival.
export function runFarebox(args, env = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn(FAREBOX, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
		let stdout = '', output = '';
		collect(child.stdout, (text) => { stdout += text; output += text; });
		collect(child.stderr, (text) => { output += text; });
		child.once('error', reject);
		child.once('close', (code) => resolve({ code, stdout, output }));
	});
}

// An escrow made by `farebox escrow deploy`, the roles held by { owner, payoutRole, pauseRole }: what the command says
// in its last line. signer pays the gas; caps in whole USDC.
export async function deployEscrow({ chainUrl, signer, owner, payoutRole, pauseRole, caps = {} }) {
	const roles = { '--owner': owner.address, '--payout-role': payoutRole.address, '--pause-role': pauseRole.address };
	const args = Object.entries({ ...roles, ...caps }).flat();
	const env = { EVM_NETWORK: NETWORK, EVM_RPC_URL: chainUrl, EVM_PRIVATE_KEY: signer.privateKey, ESCROW_ADDRESS: '' };
	const { code, stdout, output } = await runFarebox(['escrow', 'deploy', ...args, '--yes', '--json'], env);
	if (code !== 0)
		throw new Error(`farebox escrow deploy ended with ${code}: ${output}`);
	return JSON.parse(stdout.trimEnd().split('\n').at(-1));
}

// `farebox pay URL` with the payer's key, which travels by environment: never on a command line.
export const runPay = (url, payer, args = []) =>
	runFarebox(['pay', url, '--key', '$FAREBOX_PAY_KEY', '--yes', ...args], { FAREBOX_PAY_KEY: payer.privateKey });
