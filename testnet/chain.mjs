// The local chain: anvil with Base Sepolia's chain id, USDC, Multicall3 and ten funded accounts.
// As a program: tools/node testnet/chain.mjs [--port N] [--block-time SECONDS] [anvil's options]
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { createTestClient, defineChain, http, publicActions, toHex } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { ChildError, startChild } from './child.mjs';
import { installUsdc, MULTICALL3_ADDRESS, USDC_ADDRESS } from './usdc.mjs';

export const CHAIN_ID = 84532;
export const NETWORK = `eip155:${CHAIN_ID}`;
export const HOLDER_AMOUNT = 1_000_000_000_000n; // 1,000,000 USDC
const MNEMONIC = 'test test test test test test test test test test test junk';
const HOLDERS = 10;
const ANVIL_BUILDS = { x64: 'anvil-linux-amd64', arm64: 'anvil-linux-arm64' };

function anvilPath() {
	const build = ANVIL_BUILDS[process.arch] ?? '';
	const path = join(import.meta.dirname, 'node_modules/@foundry-rs', build, 'bin/anvil');
	if (!existsSync(path))
		throw new Error('anvil is not installed; run tools/setup testnet');
	return path;
}

function account(addressIndex) {
	const { address, getHdKey } = mnemonicToAccount(MNEMONIC, { addressIndex });
	return { address, privateKey: toHex(getHdKey().privateKey) };
}

function connect(url) {
	const chain = defineChain({
		id: CHAIN_ID,
		name: 'local',
		nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
		rpcUrls: { default: { http: [url] } },
	});
	return createTestClient({ mode: 'anvil', chain, transport: http(url), pollingInterval: 50, cacheTime: 0 })
		.extend(publicActions);
}

function startAnvil({ port, hardfork, anvilOptions, state, log }) {
	const args = [
		'--port', String(port), '--chain-id', String(CHAIN_ID), '--hardfork', hardfork,
		'--accounts', String(HOLDERS + 2), '--no-mining', ...anvilOptions,
		...(state ? ['--load-state', state] : []),
	];
	return startChild({ name: 'anvil', command: anvilPath(), args, log, ready: /^Listening on (\S+)/m });
}

async function startMining(client, blockTime) {
	if (blockTime > 0)
		await client.setIntervalMining({ interval: blockTime });
	else
		await client.setAutomine(true);
}

// port 0 takes a free one. blockTime in whole seconds; 0 mines each transaction at once. The two accounts after the
// ten are the token's: see installUsdc. state: a file that saveState made of an earlier chain, which
// goes on: it is there before anybody can ask.
export async function startChain({ port = 0, blockTime = 0, hardfork = 'prague', anvilOptions = [], state, log }) {
	const anvil = await startAnvil({ port, hardfork, anvilOptions, state, log });
	try {
		const url = `http://${anvil.match[1]}`;
		const client = connect(url);
		const accounts = Array.from({ length: HOLDERS }, (_, i) => account(i));
		const [deployer, owner] = [account(HOLDERS), account(HOLDERS + 1)];
		if (!state)
			await installUsdc(client, {
				deployer: deployer.address, owner: owner.address,
				holders: accounts.map(({ address }) => address), amount: HOLDER_AMOUNT,
			});
		await startMining(client, blockTime);
		return {
			url, client, accounts, owner, usdc: USDC_ADDRESS, multicall3: MULTICALL3_ADDRESS,
			pid: anvil.pid, exited: anvil.exited, stop: anvil.stop,
		};
	} catch (error) {
		await anvil.stop();
		throw error;
	}
}

export async function saveState({ client }, path) {
	const state = await client.dumpState();
	writeFileSync(path, gunzipSync(Buffer.from(state.slice(2), 'hex')));
}

function printChain(chain) {
	console.log(`chain ${CHAIN_ID} at ${chain.url}, USDC at ${chain.usdc}`);
	for (const { address, privateKey } of chain.accounts)
		console.log(`${address}  ${privateKey}`);
	console.log('Ctrl-C to stop.');
}

async function main() {
	const { values, tokens } = parseArgs({
		strict: false, tokens: true,
		options: { port: { type: 'string', default: '8545' }, 'block-time': { type: 'string', default: '0' } },
	});
	const ours = new Set(['port', 'block-time']);
	const anvilOptions = tokens.filter((t) => t.kind === 'option' && !ours.has(t.name))
		.flatMap((t) => (t.value === undefined ? [t.rawName] : [t.rawName, t.value]));
	const chain = await startChain({
		port: Number(values.port), blockTime: Number(values['block-time']), anvilOptions,
		log: join(import.meta.dirname, '../build/testnet/chain.log'),
	});
	printChain(chain);
	for (const signal of ['SIGINT', 'SIGTERM'])
		process.once(signal, () => chain.stop());
	await chain.exited;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
	main().catch((error) => {
		console.error(error instanceof ChildError ? `${error.message}:\n${error.logTail}` : error.message);
		process.exitCode = 1;
	});
