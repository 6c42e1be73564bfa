// The local chain and farebox on it, an agent that buys a call, and everything left running to play with.
// Started by testnet/up, which explains the options and has installed and built what this needs.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ask, authorize, pay } from './buy.mjs';
import { CHAIN_ID, startChain } from './chain.mjs';
import { ChildError } from './child.mjs';
import { deployEscrow, runPay, startFarebox } from './farebox.mjs';
import { isFree } from './ports.mjs';
import { bold, detail, dim, fail, green, line, money, shorten, step } from './screen.mjs';
import { USDC_ABI } from './usdc.mjs';

const STATE = join(import.meta.dirname, '../build/testnet');

function readOptions() {
	const number = (text, name, most) => {
		if (!/^\d{1,5}$/.test(text) || Number(text) > most)
			throw new Error(`--${name} ${text}: expected a number up to ${most}`);
		return Number(text);
	};
	const { values } = parseArgs({
		options: {
			once: { type: 'boolean', default: false },
			port: { type: 'string', default: '8402' },
			'chain-port': { type: 'string', default: '8545' },
			'block-time': { type: 'string', default: '0' },
		},
	});
	return {
		once: values.once,
		port: number(values.port, 'port', 65535),
		chainPort: number(values['chain-port'], 'chain-port', 65535),
		blockTime: number(values['block-time'], 'block-time', 3600),
	};
}

async function requireFreePorts({ port, chainPort }) {
	for (const [name, number] of [['port', port], ['chain-port', chainPort]])
		if (!(await isFree(number)))
			throw new Error(`Port ${number} is taken; choose another with --${name} N.`);
}

async function bringUpChain({ chainPort, blockTime }) {
	step('The chain');
	const chain = await startChain({ port: chainPort, blockTime, log: join(STATE, 'chain.log') });
	detail('url', chain.url);
	detail('chain id', `${CHAIN_ID} ${dim('(Base Sepolia’s, served by anvil)')}`);
	detail('USDC', `${chain.usdc} ${dim('(the genuine contract at its real address)')}`);
	return chain;
}

async function bringUpEscrow(chain, people) {
	step('The escrow: farebox escrow deploy');
	const escrow = await deployEscrow({ chainUrl: chain.url, ...people });
	detail('address', `${escrow.escrow} ${dim(`since block ${escrow.escrowFrom}, ${escrow.gasUsed} gas`)}`);
	detail('owner', escrow.owner);
	detail('pays out', escrow.payoutRole);
	detail('can stop it', escrow.pauseRole);
	return escrow;
}

async function bringUpFarebox({ port }, chain, escrow, { signer, payoutRole, escrow: payee }) {
	const data = join(STATE, 'data');
	step('farebox');
	rmSync(data, { recursive: true, force: true }); // the chain it tells of is gone
	const log = join(STATE, 'farebox.log');
	const env = {
		ESCROW_ADDRESS: escrow.escrow, ESCROW_FROM_BLOCK: String(escrow.escrowFrom),
		FAREBOX_PAYOUT_KEY: payoutRole.privateKey,
	};
	const farebox = await startFarebox({ port, chainUrl: chain.url, signer, payee, data, log, env });
	detail('url', farebox.url);
	detail('pays gas as', signer.address);
	detail('log', farebox.log);
	return farebox;
}

const readBalance = (chain, address) =>
	chain.client.readContract({ address: chain.usdc, abi: USDC_ABI, functionName: 'balanceOf', args: [address] });

async function readBalances(chain, { agent, escrow }) {
	return { agent: await readBalance(chain, agent.address), escrow: await readBalance(chain, escrow.address) };
}

function showBalances(before, after) {
	for (const who of ['agent', 'escrow'])
		detail(who, `${money(before[who])}  →  ${money(after[who])}`);
}

function requireMoved(before, after, price) {
	if (before.agent - after.agent !== price || after.escrow - before.escrow !== price)
		throw new Error(`the balances did not move by exactly ${money(price)}`);
}

async function showPrice(url) {
	step(`The agent asks: GET ${url}`);
	const required = await ask(url);
	const { amount, payTo, network } = required.accepts[0];
	detail('answer', bold('402 Payment Required'));
	detail('price', money(BigInt(amount)));
	detail('pay to', `${payTo} ${dim(`on ${network}`)}`);
	return required;
}

async function showSignature(agent, required) {
	step('The agent signs an authorization (EIP-3009): no transaction, no gas');
	const payload = await authorize(agent, required.accepts[0]);
	const { from, to, value, validBefore, nonce } = payload.authorization;
	detail('from', from);
	detail('to', to);
	detail('value', money(BigInt(value)));
	detail('valid before', new Date(Number(validBefore) * 1000).toISOString());
	detail('nonce', shorten(nonce));
	detail('signature', shorten(payload.signature));
	return payload;
}

async function buyByHand(chain, url, people) {
	const required = await showPrice(url);
	const payload = await showSignature(people.agent, required);
	const before = await readBalances(chain, people);

	step('The agent asks again, with the payment; farebox verifies, settles on chain and answers');
	const { status, body, receipt } = await pay(url, required, payload);
	const after = await readBalances(chain, people);
	detail('answer', green(`${status} OK`));
	detail('body', body.trim());
	detail('transaction', receipt.transaction);
	showBalances(before, after);
	requireMoved(before, after, BigInt(required.accepts[0].amount));
	return BigInt(required.accepts[0].amount);
}

async function buyByClient(chain, url, people, price) {
	step(`The same in one command: farebox pay ${url}`);
	const before = await readBalances(chain, people);
	const { code, output } = await runPay(url, people.agent);
	const after = await readBalances(chain, people);
	line(output.trimEnd().replace(/^/gm, '   '));
	if (code !== 0)
		throw new Error(`farebox pay ended with ${code}`);
	showBalances(before, after);
	requireMoved(before, after, price);
}

function showWhatNow(chain, farebox, { escrow, escrowFrom }, { agent }) {
	step('Now you');
	detail('farebox', farebox.url);
	detail('chain', chain.url);
	detail('agent', `${agent.address} ${dim(`key ${agent.privateKey}`)}`);
	detail('escrow', escrow);
	line();
	line(`   curl -i ${farebox.url}/demo`);
	line(`   export AGENT_KEY=${agent.privateKey}`);
	line(`   build/release/farebox pay ${farebox.url}/demo --key '$AGENT_KEY' --yes`);
	line(`   build/release/farebox escrow status --rpc-url ${chain.url} --escrow ${escrow} \\`);
	line(`     --escrow-from ${escrowFrom}`);
	line(`\n   ${bold('Ctrl-C ends both.')}`);
}

function untilSignal() {
	return new Promise((resolve) => {
		for (const signal of ['SIGINT', 'SIGTERM'])
			process.once(signal, () => resolve(signal));
	});
}

// Resolves on a signal; rejects when a child ends by itself.
async function untilStopped(children, signalled) {
	const ended = children.map(async ([name, child]) => {
		await child.exited;
		throw new ChildError(name, 'ended by itself', child.log);
	});
	await Promise.race([signalled, ...ended]);
}

async function run(options, children, signalled) {
	const chain = await bringUpChain(options);
	children.unshift(['anvil', chain]);
	const [signer, agent, , owner, payoutRole, pauseRole] = chain.accounts;
	const people = { signer, agent, owner, payoutRole, pauseRole };
	const escrow = await bringUpEscrow(chain, people);
	people.escrow = { address: escrow.escrow };
	const farebox = await bringUpFarebox(options, chain, escrow, people);
	children.unshift(['farebox', farebox]);
	const price = await buyByHand(chain, `${farebox.url}/demo`, people);
	await buyByClient(chain, `${farebox.url}/demo`, people, price);
	if (options.once)
		return;
	showWhatNow(chain, farebox, escrow, people);
	await untilStopped(children, signalled);
}

function explain(error) {
	fail(error.message);
	if (error instanceof ChildError)
		console.error(`The end of ${error.log}:\n${error.logTail}`);
}

async function main() {
	const children = []; // last started first
	try {
		const options = readOptions();
		await requireFreePorts(options);
		const signalled = untilSignal();
		const signal = await Promise.race([run(options, children, signalled), signalled]);
		if (options.once && signal)
			throw new Error(`ended by ${signal} before the purchases were made`);
	} catch (error) {
		explain(error);
		process.exitCode = 1;
	}
	for (const [, child] of children)
		await child.stop();
	process.exit();
}

await main();
