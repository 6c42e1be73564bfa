// The indexer on a real chain with genuine USDC and the real escrow: every way money comes in, blocks that are taken
// back, restarts, and an escrow that pays behind the books' back. After each, the ledger says what the chain says.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFunctionData, parseAbi, toHex } from 'viem';
import { startChain } from '../../testnet/chain.mjs';
import { runFarebox, startFarebox } from '../../testnet/farebox.mjs';
import { MAX_128, openEscrow, signDeposit, transact } from './escrow.mjs';
import { scratchFolder } from './scratch.mjs';
import { balanceOf, settleAsStranger } from './token.mjs';

const EPOCH = 3; // blocks: safe lies one epoch below the head, finalized two
const LIMIT_MS = 60000;
const MILLION = 1_000_000n;
const TOKEN_ABI = parseAbi(['function approve(address, uint256)', 'function transfer(address, uint256)']);

let scratch, chain, escrow, farebox, data, signer, alice, bob, carol, dave, payoutRole;
let runs = 0;

const start = async (changes = {}) => {
	farebox = await startFarebox({
		chainUrl: chain.url, signer, payee: dave, data, log: join(scratch.path, `farebox-${runs++}.log`),
		env: {
			ESCROW_ADDRESS: escrow.address, ESCROW_FROM_BLOCK: String(escrow.block), FAREBOX_HEAD_POLL_MS: '100',
			FAREBOX_CREDIT_RUNG: 'safe', ...changes,
		},
	});
};
const stop = async () => {
	await farebox.stop();
	assert.deepEqual(await farebox.exited, { code: 0, signal: null });
};

async function token(from, functionName, ...args) {
	const data = encodeFunctionData({ abi: TOKEN_ABI, functionName, args });
	assert.equal((await transact(chain, { from: from.address, to: chain.usdc, data })).status, '0x1');
}
const deposit = (who, amount) => escrow.write(who.address, 'deposit', amount);
const held = () => balanceOf(chain, escrow.address);
const mine = (blocks) => chain.client.mine({ blocks });
const reorg = (depth) => chain.client.request({ method: 'anvil_reorg', params: [depth, []] });

// An account's balance as the ledger's own command tells it; nothing there is 0.
async function balance(owner, purpose) {
	const args = ['ledger', 'balance', owner, '--purpose', purpose, '--json', '--data', data];
	const { code, stdout, output } = await runFarebox(args);
	if (code !== 0)
		return /no such account|no journal|not be opened/i.test(output) ? 0n : assert.fail(output);
	return JSON.parse(stdout).reduce((sum, row) => sum + BigInt(row.balance), 0n);
}

async function until(what, ask, want) {
	let got;
	for (const deadline = Date.now() + LIMIT_MS; Date.now() < deadline; await sleep(100)) {
		got = await ask();
		if (got === want)
			return;
	}
	assert.equal(got, want, what);
}

const becomes = (who, purpose, want) =>
	until(`${purpose} of ${who.address}`, () => balance(who.address, purpose), want);
// The ledger's escrow account is what the token says; it is an asset, so its balance is below zero.
const agrees = async () => until('escrow', async () => -(await balance(escrow.address, 'escrow')), await held());

async function ready() {
	const response = await fetch(`${farebox.url}/readyz`);
	return { status: response.status, text: await response.text() };
}

async function audit() {
	const { code, output } = await runFarebox(['ledger', 'audit', '--data', data]);
	assert.equal(code, 0, output);
}

// A transfer to the escrow that somebody else sends for the one who signed it.
async function sendAuthorized(payer, value) {
	const signed = await signDeposit(payer, { to: escrow.address, value, kind: 'TransferWithAuthorization' });
	await settleAsStranger(chain, dave.address, signed);
}

before(async () => {
	scratch = scratchFolder();
	data = join(scratch.path, 'data');
	chain = await startChain({
		log: join(scratch.path, 'chain.log'), anvilOptions: ['--slots-in-an-epoch', String(EPOCH)],
	});
	[signer, alice, bob, carol, dave] = chain.accounts;
	const [owner, pauseRole] = [chain.accounts[5].address, chain.accounts[7].address];
	payoutRole = chain.accounts[6].address;
	escrow = await openEscrow(chain, { owner, payoutRole, pauseRole });
	for (const who of [alice, bob, carol])
		await token(who, 'approve', escrow.address, MAX_128);
});

after(async () => {
	await farebox?.stop();
	await chain?.stop();
	scratch.dispose();
});

test('what came in before the first start is found, in every way', async () => {
	await deposit(alice, 5n * MILLION);
	await escrow.write(alice.address, 'depositFor', bob.address, 7n * MILLION);
	const { authorization, signature } = await signDeposit(carol, { to: escrow.address, value: 11n * MILLION });
	const { value, validAfter, validBefore, nonce } = authorization;
	const write = escrow.data('depositWithAuthorization', carol.address, BigInt(value), BigInt(validAfter),
		BigInt(validBefore), nonce, signature);
	assert.equal((await transact(chain, { from: dave.address, to: escrow.address, data: write })).status, '0x1');
	await token(bob, 'transfer', escrow.address, 13n * MILLION);
	await sendAuthorized(alice, 17n * MILLION);
	await mine(2 * EPOCH + 2);
	await start();
	await becomes(alice, 'available', 22n * MILLION);
	await becomes(carol, 'available', 11n * MILLION);
	await becomes(bob, 'suspense', 20n * MILLION);
	await agrees();
});

test('a deposit is pending until its block is safe', async () => {
	await deposit(bob, 3n * MILLION);
	await becomes(bob, 'pending_in', 3n * MILLION);
	assert.equal(await balance(bob.address, 'available'), 0n);
	await mine(EPOCH + 1);
	await becomes(bob, 'available', 3n * MILLION);
	assert.equal(await balance(bob.address, 'pending_in'), 0n);
	await agrees();
});

test('a deposit whose block is taken back is reversed, and credited again when it comes back', async () => {
	await mine(2 * EPOCH + 1);
	await until('ready', async () => (await ready()).status, 200);
	await deposit(alice, 2n * MILLION);
	await becomes(alice, 'pending_in', 2n * MILLION);
	await reorg(1);
	await becomes(alice, 'pending_in', 0n);
	await agrees();
	await deposit(alice, 4n * MILLION);
	await sendAuthorized(carol, 6n * MILLION);
	await becomes(alice, 'pending_in', 4n * MILLION);
	await becomes(carol, 'pending_in', 6n * MILLION);
	await mine(EPOCH + 1);
	await becomes(alice, 'available', 26n * MILLION);
	await becomes(carol, 'available', 17n * MILLION);
	await agrees();
});

test('a block that is taken back while nobody looks is reversed by the next start', async () => {
	await mine(2 * EPOCH + 1);
	await until('ready', async () => (await ready()).status, 200);
	await deposit(carol, 9n * MILLION);
	await becomes(carol, 'pending_in', 9n * MILLION);
	await stop();
	await reorg(1); // unseen: the process is down
	await deposit(carol, 1n * MILLION);
	await start();
	await becomes(carol, 'pending_in', 1n * MILLION);
	await mine(EPOCH + 1);
	await becomes(carol, 'available', 18n * MILLION);
	await agrees();
});

test('what was available and is taken back is a debt, repaid from what is available', async () => {
	await stop();
	await start({ FAREBOX_CREDIT_RUNG: 'blocks', FAREBOX_CREDIT_BLOCKS: '1' });
	await mine(2 * EPOCH + 1);
	await deposit(carol, 9n * MILLION);
	await becomes(carol, 'available', 27n * MILLION);
	await reorg(1);
	await becomes(carol, 'available', 18n * MILLION);
	await becomes(carol, 'receivable', 0n);
	await deposit(carol, 9n * MILLION);
	await becomes(carol, 'available', 27n * MILLION);
	await agrees();
	await stop();
	await start();
});

test('a kill in the middle of a stream of deposits loses and doubles nothing', async () => {
	for (let i = 0; i < 3; i++) {
		for (let n = 0; n < 10; n++)
			await deposit(alice, MILLION);
		await farebox.stop('SIGKILL');
		await start();
	}
	await mine(2 * EPOCH + 2);
	await becomes(alice, 'available', 56n * MILLION);
	await agrees();
});

test('ready, and the audit finds nothing', async () => {
	await until('ready', async () => (await ready()).status, 200);
	await stop();
	await audit();
	await start();
});

test('money that leaves the escrow behind our back stops withdrawals, and it is said', async () => {
	await escrow.write(payoutRole, 'payout', toHex(1, { size: 32 }), dave.address, 2n * MILLION);
	await mine(EPOCH + 2);
	await until('not ready', async () => (await ready()).status, 503);
	assert.match((await ready()).text, /escrow does not hold what the books say/);
	assert.equal(-(await balance(escrow.address, 'escrow')), (await held()) + 2n * MILLION);
});
