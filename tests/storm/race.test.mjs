// Between /verify and /settle the payer spends its money, cancels what it signed, or a stranger settles it; all that
// while others pay. Nobody else suffers, nobody is told of a success that was not ours, and no money moves twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFunctionData, keccak256, parseAbi, toBytes, toHex } from '../../testnet/node_modules/viem/_esm/index.js';
import { privateKeyToAccount } from '../../testnet/node_modules/viem/_esm/accounts/index.js';
import { CHAIN_ID } from '../../testnet/chain.mjs';
import { USDC_ABI, USDC_ADDRESS } from '../../testnet/usdc.mjs';
import { audit } from './audit.mjs';
import { seeded, short } from './seeded.mjs';
import { openStorm, PAYERS } from './stage.mjs';

const CONCURRENCY = 50;
const CANCEL_ABI = parseAbi(['function cancelAuthorization(address,bytes32,bytes)']);
const CANCEL_TYPES = {
	CancelAuthorization: [{ name: 'authorizer', type: 'address' }, { name: 'nonce', type: 'bytes32' }],
};
const GAS_MONEY = 10n ** 18n;

const keyOfPayer = (i) => keccak256(toBytes(`farebox bench payer ${i}`)); // as bench_payloads makes them

// Sends from any account, one after the other: anvil counts their nonces.
let queue = Promise.resolve();
function send({ chain: { client } }, from, data) {
	const params = [{ from, to: USDC_ADDRESS, data, gas: toHex(300_000) }];
	queue = queue.then(() => client.request({ method: 'eth_sendTransaction', params }));
	return queue;
}

async function drain(storm, payment) {
	const { from } = payment.authorization;
	const to = storm.chain.accounts[9].address;
	const all = storm.balances.get(from);
	await send(storm, from, encodeFunctionData({ abi: USDC_ABI, functionName: 'transfer', args: [to, all] }));
}

async function cancel(storm, payment) {
	const { from, nonce } = payment.authorization;
	const signature = await privateKeyToAccount(keyOfPayer(payment.index % PAYERS)).signTypedData({
		domain: { name: 'USDC', version: '2', chainId: CHAIN_ID, verifyingContract: USDC_ADDRESS },
		types: CANCEL_TYPES, primaryType: 'CancelAuthorization', message: { authorizer: from, nonce },
	});
	const data = encodeFunctionData({
		abi: CANCEL_ABI, functionName: 'cancelAuthorization', args: [from, nonce, signature],
	});
	await send(storm, storm.chain.accounts[8].address, data);
}

async function settleAsStranger(storm, payment) {
	const { from, to, value, validAfter, validBefore, nonce } = payment.authorization;
	const args = [from, to, BigInt(value), BigInt(validAfter), BigInt(validBefore), nonce, payment.signature];
	const data = encodeFunctionData({ abi: USDC_ABI, functionName: 'transferWithAuthorization', args });
	await send(storm, storm.chain.accounts[7].address, data);
}

const ACTS = [null, drain, cancel, settleAsStranger];

// Half of the acts are over, or in the pool, before /settle; half of them run at the same time.
async function payOne(storm, payment, random, deadline) {
	const act = ACTS[payment.index % ACTS.length];
	const verdict = await storm.clients.verify(payment);
	assert.equal(verdict.isValid, true, JSON.stringify(verdict));
	const acted = act?.(storm, payment);
	if (random.below(2) === 0)
		await acted;
	const [end] = await Promise.all([storm.clients.settle(payment, deadline), acted]);
	return end;
}

// What the drains really took: those that came too late for it failed on the chain.
async function readDrains(storm, payments) {
	const to = storm.chain.accounts[9].address;
	const logs = await storm.chain.client.getLogs({
		address: USDC_ADDRESS, event: USDC_ABI.find(({ name, type }) => type === 'event' && name === 'Transfer'),
		args: { to }, fromBlock: BigInt(storm.firstBlock + 1),
	});
	for (const { args } of logs)
		storm.otherTransfers.set(args.from.toLowerCase(), -args.value);
	assert.ok(logs.length <= payments.length);
	return logs.length;
}

for (const blockTime of [0, 1])
	test(`race__payers_and_strangers_on_blocks_of_${blockTime}_s__nobody_else_suffers`, async (t) => {
		const storm = await openStorm({
			payments: short(120, PAYERS), blockTime, anvilOptions: ['--auto-impersonate'],
		});
		t.after(storm.close);
		const random = seeded(`race ${blockTime}`);
		const of = (...acts) => storm.payments.filter(({ index }) => acts.includes(ACTS[index % ACTS.length]));
		const indexes = (payments) => new Set(payments.map(({ index }) => index));
		for (const { authorization: { from } } of of(drain))
			await storm.chain.client.setBalance({ address: from, value: GAS_MONEY });
		const each = (payment, deadline) => payOne(storm, payment, random, deadline);
		const ends = await storm.clients.settleAll(storm.payments, { concurrency: CONCURRENCY, each });
		await storm.mineAll();
		const drained = await readDrains(storm, of(drain));
		const result = await audit(storm, {
			unpaid: indexes(of(drain, cancel)), foreign: indexes(of(cancel, settleAsStranger)),
			reverts: true,
		});
		for (const payment of of(null))
			assert.equal(ends[payment.index].meaning, 'success');
		const told = {};
		for (const [i, { meaning, errorReason }] of ends.entries()) {
			const what = `${ACTS[i % ACTS.length]?.name ?? 'paid'}: ${errorReason ?? meaning}`;
			told[what] = (told[what] ?? 0) + 1;
		}
		t.diagnostic(JSON.stringify({ ...result, drained, told }));
	});
