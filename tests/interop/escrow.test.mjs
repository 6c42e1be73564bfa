// The escrow contract against genuine USDC: every function, role, refusal and event, and a token that turns hostile.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { join } from 'node:path';
import { encodeFunctionData, getAddress, pad, parseSignature, toHex } from 'viem';
import solc from '../../contracts-abi/node_modules/solc/index.js';
import { compile } from '../../contracts-abi/compile.mjs';
import { startChain } from '../../testnet/chain.mjs';
import {
	ESCROW_ABI, MAX_128, NO_ADDRESS, openEscrow, reason, REASONS, refusedDeployment, seen, signDeposit, STATES,
	transact,
} from './escrow.mjs';
import { freshNonce, inSeconds } from './payment.mjs';
import { scratchFolder } from './scratch.mjs';
import { balanceOf, send } from './token.mjs';
import { openWallet } from './wallet.mjs';

const DAY_S = 86400;
const BATCH_MAX = 256;
const NONCE_0 = toHex(0, { size: 32 });
const PAYEE = getAddress(pad('0xd00d01', { size: 20 }));
const HOSTILE = compile(join(import.meta.dirname, 'contracts/HostileToken.sol'), 'HostileToken');
const HOSTILE_MODES = { honest: 0, fee: 1, false: 2, call: 3 };

let chain, dispose, escrow, people, ids = 0;

before(async () => {
	const scratch = scratchFolder();
	dispose = scratch.dispose;
	chain = await startChain({ log: join(scratch.path, 'chain.log') });
	const [owner, payoutRole, pauseRole, agent, other, stranger, heir] = chain.accounts;
	people = { owner, payoutRole, pauseRole, agent, other, stranger, heir };
});
after(async () => {
	await chain?.stop();
	dispose?.();
});
beforeEach(async () => {
	escrow = await open();
});

const address = (name) => people[name].address;
const roles = () => ({ owner: address('owner'), payoutRole: address('payoutRole'), pauseRole: address('pauseRole') });
const open = (options) => openEscrow(chain, { ...roles(), ...options });
const by = (name, functionName, ...args) => escrow.write(address(name), functionName, ...args);
const refused = (name, functionName, args, error, ...errorArgs) =>
	escrow.refused(address(name), functionName, args, error, ...errorArgs);
const freshId = () => toHex(++ids, { size: 32 });
const order = (amount, to = PAYEE, id = freshId()) => ({ id, to, amount });
const sequence = () => escrow.read('sequence');
const token = (name, functionName, ...args) => send(chain, address(name), functionName, ...args);
const byTokenOwner = (functionName, ...args) => send(chain, chain.owner.address, functionName, ...args);

// Puts money in without an event.
const fill = (amount) => token('agent', 'transfer', escrow.address, amount);
const transfer = (from, to, value) => ({ by: 'token', event: 'Transfer', from, to, value });
const own = (event, number, args) => ({ by: 'escrow', event, sequence: number, ...args });

async function approve(name, amount) {
	const data = encodeFunctionData({
		abi: [{ type: 'function', name: 'approve', inputs: [{ type: 'address' }, { type: 'uint256' }], outputs: [] }],
		functionName: 'approve', args: [escrow.address, amount],
	});
	await transact(chain, { from: address(name), to: chain.usdc, data });
}

// ---- deployment ----

test('deploy__roles_and_caps__are_told_by_the_first_four_events', async () => {
	escrow = await open({ payoutCap: 7n, dayCap: 70n });
	const { owner, payoutRole, pauseRole } = roles();
	const history = (await escrow.history()).map(({ hash, index, time, ...event }) => event);
	assert.deepEqual(history, [
		own('OwnerChanged', 1n, { previous: NO_ADDRESS, owner }),
		own('PayoutRoleChanged', 2n, { previous: NO_ADDRESS, account: payoutRole }),
		own('PauseRoleChanged', 3n, { previous: NO_ADDRESS, account: pauseRole }),
		own('CapsChanged', 4n, { payoutCap: 7n, dayCap: 70n }),
	]);
	assert.deepEqual(await escrow.read('status'), {
		token: chain.usdc, owner, pendingOwner: NO_ADDRESS, payoutRole, pauseRole, paused: false, sequence: 4n,
		payoutCap: 7n, dayCap: 70n, paidToday: 0n, balance: 0n,
	});
});

test('deploy__single_reads__agree_with_status', async () => {
	await fill(5n);
	const { token: of, balance, ...status } = await escrow.read('status');
	for (const [name, value] of Object.entries(status))
		assert.deepEqual(await escrow.read(name), value, name);
	assert.equal(await escrow.read('TOKEN'), of);
	assert.equal(balance, 5n);
	assert.equal(await escrow.read('VERSION'), 1n);
	assert.equal(await escrow.read('BATCH_MAX'), BigInt(BATCH_MAX));
});

test('deploy__wrong_arguments__are_refused', async () => {
	const { owner, payoutRole, pauseRole } = roles();
	const wrong = (args, error, ...errorArgs) =>
		refusedDeployment(chain, owner, [...args, 1n, 1n], error, ...errorArgs);
	await wrong([PAYEE, owner, payoutRole, pauseRole], 'TokenHasNoCode', PAYEE);
	await wrong([chain.usdc, NO_ADDRESS, payoutRole, pauseRole], 'ZeroAddress');
	await wrong([chain.usdc, owner, owner, pauseRole], 'RolesNotApart', owner);
	await wrong([chain.usdc, owner, payoutRole, owner], 'RolesNotApart', owner);
	await wrong([chain.usdc, owner, payoutRole, payoutRole], 'RolesNotApart', payoutRole);
});

test('source__given_to_an_explorer__compiles_to_the_same_code_by_itself', () => {
	const path = join(import.meta.dirname, '../../contracts-abi/Escrow.sol');
	const { input, creation } = compile(path, 'Escrow');
	const { contracts } = JSON.parse(solc.compile(JSON.stringify(input)));
	assert.equal(`0x${contracts['Escrow.sol'].Escrow.evm.bytecode.object}`, creation);
});

// ---- deposits ----

test('deposit__with_allowance__credits_the_sender', async () => {
	await approve('agent', 100n);
	const agent = address('agent');
	assert.deepEqual(await by('agent', 'deposit', 100n), [
		transfer(agent, escrow.address, 100n),
		own('Deposit', 5n, { beneficiary: agent, payer: agent, amount: 100n, authorization: NONCE_0 }),
	]);
	assert.equal((await escrow.read('status')).balance, 100n);
});

test('deposit_for__another__names_both', async () => {
	await approve('agent', 100n);
	const [agent, other] = [address('agent'), address('other')];
	assert.deepEqual(await by('agent', 'depositFor', other, 60n), [
		transfer(agent, escrow.address, 60n),
		own('Deposit', 5n, { beneficiary: other, payer: agent, amount: 60n, authorization: NONCE_0 }),
	]);
	await refused('agent', 'depositFor', [other, 41n], 'ERC20: transfer amount exceeds allowance');
});

const fieldsOf = ({ from, value, validAfter, validBefore, nonce }) =>
	[from, BigInt(value), BigInt(validAfter), BigInt(validBefore), nonce];
const asBytes = ({ authorization, signature }) => [...fieldsOf(authorization), signature];
function asVrs({ authorization, signature }) {
	const { v, r, s } = parseSignature(signature);
	return [...fieldsOf(authorization), Number(v), r, s];
}

for (const [name, argumentsOf] of [['bytes', asBytes], ['v_r_s', asVrs]])
	test(`deposit_with_authorization__sent_by_a_stranger_as_${name}__credits_the_payer`, async () => {
		const signed = await signDeposit(people.agent, { to: escrow.address, value: '250' });
		const { from, nonce } = signed.authorization;
		assert.deepEqual(await by('stranger', 'depositWithAuthorization', ...argumentsOf(signed)), [
			{ by: 'token', event: 'AuthorizationUsed', authorizer: from, nonce },
			transfer(from, escrow.address, 250n),
			own('Deposit', 5n, { beneficiary: from, payer: from, amount: 250n, authorization: nonce }),
		]);
		await refused('stranger', 'depositWithAuthorization', argumentsOf(signed),
			'FiatTokenV2: authorization is used or canceled');
	});

test('deposit_with_authorization__of_a_smart_wallet__is_taken_as_bytes', async () => {
	const wallet = await openWallet(chain, people.agent);
	const signed = await signDeposit(people.agent, { from: wallet, to: escrow.address, value: '77' });
	signed.signature += '00'; // a length that no plain account's signature has
	const events = await by('stranger', 'depositWithAuthorization', ...asBytes(signed));
	assert.deepEqual(events.at(-1).beneficiary.toLowerCase(), wallet.toLowerCase());
	assert.equal((await escrow.read('status')).balance, 77n);
});

const BAD_AUTHORIZATIONS = [
	['for_somebody_else', { to: PAYEE }, 'FiatTokenV2: invalid signature'],
	['of_the_other_type', { kind: 'TransferWithAuthorization' }, 'FiatTokenV2: invalid signature'],
	['of_another_payer', { from: PAYEE }, 'FiatTokenV2: invalid signature'],
	['too_old', { validBefore: inSeconds(-60) }, 'FiatTokenV2: authorization is expired'],
	['too_young', { validAfter: inSeconds(3000) }, 'FiatTokenV2: authorization is not yet valid'],
	['over_the_balance', { value: String(10n ** 15n) }, 'ERC20: transfer amount exceeds balance'],
	['of_nothing', { value: '0' }, 'ZeroAmount'],
	['with_nonce_zero', { nonce: NONCE_0 }, 'ZeroNonce'],
];
for (const [name, fields, error] of BAD_AUTHORIZATIONS)
	test(`deposit_with_authorization__${name}__is_refused`, async () => {
		const signed = await signDeposit(people.agent, { to: escrow.address, ...fields });
		await refused('stranger', 'depositWithAuthorization', asBytes(signed), error);
		await refused('stranger', 'depositWithAuthorization', asVrs(signed), error);
	});

// A stranger who sees the signature cannot redeem it past the escrow.
test('deposit_with_authorization__redeemed_at_the_token__is_refused_by_it', async () => {
	const { authorization, signature } = await signDeposit(people.agent, { to: escrow.address });
	const types = ['address', 'address', 'uint256', 'uint256', 'uint256', 'bytes32', 'bytes'];
	const inputs = types.map((type) => ({ type }));
	const abi = [{ type: 'function', name: 'receiveWithAuthorization', inputs, outputs: [] }];
	const { from, to, value, ...rest } = authorization;
	const args = [from, to, BigInt(value), BigInt(rest.validAfter), BigInt(rest.validBefore), rest.nonce, signature];
	const data = encodeFunctionData({ abi, functionName: 'receiveWithAuthorization', args });
	const call = chain.client.call({ account: address('stranger'), to: chain.usdc, data });
	await assert.rejects(call, /caller must be the payee/);
});

test('deposit__wrong_amount_or_beneficiary__is_refused', async () => {
	await approve('agent', 100n);
	await refused('agent', 'deposit', [0n], 'ZeroAmount');
	await refused('agent', 'deposit', [101n], 'ERC20: transfer amount exceeds allowance');
	await refused('agent', 'depositFor', [NO_ADDRESS, 1n], 'BadBeneficiary', NO_ADDRESS);
	await refused('agent', 'depositFor', [escrow.address, 1n], 'BadBeneficiary', escrow.address);
});

test('deposit__while_paused__is_refused_in_each_form', async () => {
	await approve('agent', 100n);
	const signed = await signDeposit(people.agent, { to: escrow.address });
	await by('pauseRole', 'pause');
	await refused('agent', 'deposit', [1n], 'EscrowPaused');
	await refused('agent', 'depositFor', [address('other'), 1n], 'EscrowPaused');
	await refused('agent', 'depositWithAuthorization', asBytes(signed), 'EscrowPaused');
	await refused('agent', 'depositWithAuthorization', asVrs(signed), 'EscrowPaused');
});

test('deposit__of_paused_or_blacklisting_token__is_refused', async () => {
	await approve('agent', 100n);
	await byTokenOwner('pause');
	await refused('agent', 'deposit', [1n], 'Pausable: paused');
	await byTokenOwner('unpause');
	await byTokenOwner('blacklist', address('agent'));
	await refused('agent', 'deposit', [1n], 'Blacklistable: account is blacklisted');
	await byTokenOwner('unBlacklist', address('agent'));
	await by('agent', 'deposit', 1n);
});

test('bare_transfer__to_the_escrow__stays_without_an_event', async () => {
	await fill(500n);
	const { balance, sequence: number } = await escrow.read('status');
	assert.equal(balance, 500n);
	assert.equal(number, 4n);
});

// ---- payouts ----

const paid = (number, { id, to, amount }) => [
	transfer(escrow.address, to, amount),
	own('Payout', number, { id, to: to, amount }),
];
const failed = (number, { id, to, amount }, why) =>
	own('PayoutFailed', number, { id, to: to, amount, reason: reason(why) });
const pay = (o) => by('payoutRole', 'payout', o.id, o.to, o.amount);
const refusedPay = (o, why) =>
	refused('payoutRole', 'payout', [o.id, o.to, o.amount], 'PayoutRefused', o.id, reason(why));
const stateOf = (o) => escrow.read('payoutState', o.id);
const batch = (...orders) => by('payoutRole', 'payoutBatch', orders);

test('payout__covered__pays_once', async () => {
	await fill(500n);
	const [earlier, o] = [await balanceOf(chain, PAYEE), order(200n)];
	assert.equal(await stateOf(o), STATES.none);
	assert.deepEqual(await pay(o), paid(5n, o));
	assert.equal(await stateOf(o), STATES.paid);
	assert.equal(await balanceOf(chain, PAYEE), earlier + 200n);
	await refusedPay(o, 'alreadyPaid');
	await refusedPay({ ...o, to: address('other'), amount: 1n }, 'alreadyPaid');
	assert.equal(await escrow.read('paidToday'), 200n);
});

test('payout__wrong_payee_or_amount__is_refused', async () => {
	escrow = await open({ payoutCap: 300n, dayCap: 400n });
	await fill(1000n);
	for (const to of [NO_ADDRESS, escrow.address, chain.usdc])
		await refusedPay(order(1n, to), 'badPayee');
	await refusedPay(order(0n), 'zeroAmount');
	await refusedPay(order(301n), 'overPayoutCap');
	await refusedPay(order(2n ** 256n - 1n), 'overPayoutCap');
	await pay(order(300n));
	await refusedPay(order(101n), 'overDayCap');
	await pay(order(100n));
	await refusedPay(order(1n), 'overDayCap');
});

test('payout__that_the_token_refuses__says_why_and_can_be_tried_again', async () => {
	const o = order(100n);
	await refusedPay(o, 'insufficientBalance');
	await fill(100n);
	await byTokenOwner('pause');
	await refusedPay(o, 'tokenPaused');
	await byTokenOwner('unpause');
	await byTokenOwner('blacklist', PAYEE);
	await refusedPay(o, 'tokenRefused');
	await byTokenOwner('unBlacklist', PAYEE);
	await byTokenOwner('blacklist', escrow.address);
	await refusedPay(o, 'tokenRefused');
	await byTokenOwner('unBlacklist', escrow.address);
	assert.equal(await stateOf(o), STATES.none);
	assert.deepEqual(await pay(o), paid(5n, o));
});

test('payout__while_paused__is_refused', async () => {
	await fill(100n);
	await by('pauseRole', 'pause');
	const o = order(100n);
	await refusedPay(o, 'paused');
	await by('owner', 'unpause');
	await pay(o);
});

test('batch__with_every_way_to_fail__pays_the_others_and_tells_of_each', async () => {
	escrow = await open({ payoutCap: 300n, dayCap: 1000n });
	await fill(700n);
	const [known, burned, blocked] = [order(10n), order(10n), order(10n, address('stranger'))];
	await pay(known);
	await by('payoutRole', 'cancelPayout', burned.id);
	await byTokenOwner('blacklist', blocked.to);
	const [first, second, third] = [order(300n), order(300n, address('other')), order(50n)];
	const [toNobody, ofNothing, tooLarge, tooMuch] = [order(1n, NO_ADDRESS), order(0n), order(301n), order(300n)];
	const short = order(90n); // exactly what is left
	const events = await batch(
		first, known, burned, blocked, toNobody, ofNothing, tooLarge, second, tooMuch, short, third, first);
	assert.deepEqual(events, [
		...paid(7n, first), failed(8n, known, 'alreadyPaid'), failed(9n, burned, 'cancelled'),
		failed(10n, blocked, 'tokenRefused'), failed(11n, toNobody, 'badPayee'), failed(12n, ofNothing, 'zeroAmount'),
		failed(13n, tooLarge, 'overPayoutCap'), ...paid(14n, second), failed(15n, tooMuch, 'insufficientBalance'),
		...paid(16n, short), failed(17n, third, 'insufficientBalance'), failed(18n, first, 'alreadyPaid'),
	]);
	await byTokenOwner('unBlacklist', blocked.to);
	assert.equal(await escrow.read('paidToday'), 700n);
});

test('batch__over_the_day_cap__pays_what_fits_in_order', async () => {
	escrow = await open({ payoutCap: 300n, dayCap: 400n });
	await fill(1000n);
	const orders = [order(300n), order(101n), order(100n), order(1n)];
	assert.deepEqual(await batch(...orders), [
		...paid(5n, orders[0]), failed(6n, orders[1], 'overDayCap'), ...paid(7n, orders[2]),
		failed(8n, orders[3], 'overDayCap'),
	]);
});

test('batch__while_escrow_or_token_is_paused__fails_each_and_is_paid_later', async () => {
	await fill(100n);
	const orders = [order(40n), order(60n)];
	await by('pauseRole', 'pause');
	assert.deepEqual(await batch(...orders), [failed(6n, orders[0], 'paused'), failed(7n, orders[1], 'paused')]);
	await by('owner', 'unpause');
	await byTokenOwner('pause');
	assert.deepEqual(await batch(...orders),
		[failed(9n, orders[0], 'tokenPaused'), failed(10n, orders[1], 'tokenPaused')]);
	await byTokenOwner('unpause');
	assert.equal(await escrow.read('paidToday'), 0n);
	assert.deepEqual(await batch(...orders), [...paid(11n, orders[0]), ...paid(12n, orders[1])]);
});

test('batch__of_the_most_orders__is_paid_and_of_one_more_refused', async () => {
	await fill(1000n);
	const orders = Array.from({ length: BATCH_MAX }, () => order(1n));
	const events = await batch(...orders);
	assert.equal(events.filter(({ event }) => event === 'Payout').length, BATCH_MAX);
	await refused('payoutRole', 'payoutBatch', [[...orders, order(1n)]], 'BatchTooLong', BigInt(BATCH_MAX + 1));
	assert.deepEqual(await batch(), []);
});

// With too little gas the whole batch is undone: no id is told as failed that only lacked gas.
test('batch__with_too_little_gas__is_undone_as_a_whole', async () => {
	await fill(1000n);
	const trial = async (gas) => {
		const data = escrow.data('payoutBatch', Array.from({ length: 8 }, () => order(1n)));
		const call = { from: address('payoutRole'), to: escrow.address, data, gas: toHex(gas) };
		const receipt = await transact(chain, call);
		return { ...receipt, events: receipt.logs.length };
	};
	const { gasUsed } = await trial(1_000_000);
	const outcomes = new Set();
	for (let gas = 40_000; gas < Number(gasUsed) * 1.3; gas += 7_001) {
		const { status, events } = await trial(gas);
		outcomes.add(`${status} ${events}`);
	}
	assert.deepEqual([...outcomes], ['0x0 0', '0x1 16']);
});

test('cancel__an_id__burns_it_for_good', async () => {
	await fill(100n);
	const [o, done] = [order(10n), order(10n)];
	await pay(done);
	assert.deepEqual(await by('payoutRole', 'cancelPayout', o.id), [own('PayoutCancelled', 6n, { id: o.id })]);
	assert.equal(await stateOf(o), STATES.cancelled);
	await refusedPay(o, 'cancelled');
	await refused('payoutRole', 'cancelPayout', [o.id], 'PayoutRefused', o.id, reason('cancelled'));
	await refused('payoutRole', 'cancelPayout', [done.id], 'PayoutRefused', done.id, reason('alreadyPaid'));
	await by('pauseRole', 'pause');
	await by('payoutRole', 'cancelPayout', freshId());
});

// ---- caps ----

test('day_cap__across_midnight__begins_anew', async () => {
	escrow = await open({ payoutCap: 100n, dayCap: 100n });
	await fill(1000n);
	const { timestamp } = await chain.client.getBlock();
	const midnight = (timestamp / BigInt(DAY_S) + 1n) * BigInt(DAY_S);
	await chain.client.setNextBlockTimestamp({ timestamp: midnight - 2n });
	await pay(order(100n));
	await chain.client.setNextBlockTimestamp({ timestamp: midnight - 1n });
	assert.deepEqual((await batch(order(1n))).map(({ reason: why }) => REASONS[why]), ['overDayCap']);
	await chain.client.setNextBlockTimestamp({ timestamp: midnight });
	await pay(order(100n));
	assert.equal(await escrow.read('paidToday'), 100n);
	await refusedPay(order(1n), 'overDayCap');
	await chain.client.setNextBlockTimestamp({ timestamp: midnight + BigInt(3 * DAY_S) });
	await chain.client.mine({ blocks: 1 });
	assert.equal(await escrow.read('paidToday'), 0n);
});

test('caps__changed__hold_for_what_was_paid_today_too', async () => {
	await fill(1000n);
	await pay(order(100n));
	assert.deepEqual(await by('owner', 'setCaps', 50n, 140n), [
		own('CapsChanged', 6n, { payoutCap: 50n, dayCap: 140n }),
	]);
	await refusedPay(order(51n), 'overPayoutCap');
	await refusedPay(order(41n), 'overDayCap');
	await pay(order(40n));
	await by('owner', 'setCaps', 50n, 99n);
	await refusedPay(order(1n), 'overDayCap');
	await by('owner', 'setCaps', 0n, MAX_128);
	await refusedPay(order(1n), 'overPayoutCap');
	await by('owner', 'setCaps', MAX_128, MAX_128);
	await pay(order(860n));
});

// ---- roles ----

const OWNERS_ALONE = [
	['transferOwnership', [PAYEE]], ['setPayoutRole', [PAYEE]], ['setPauseRole', [PAYEE]], ['setCaps', [1n, 1n]],
	['unpause', []],
];
test('roles__functions_of_the_owner__are_refused_to_all_others', async () => {
	for (const name of ['payoutRole', 'pauseRole', 'agent'])
		for (const [functionName, args] of OWNERS_ALONE)
			await refused(name, functionName, args, 'NotOwner', address(name));
});

test('roles__functions_of_the_payout_role__are_refused_to_all_others', async () => {
	await fill(100n);
	const o = order(1n);
	for (const name of ['owner', 'pauseRole', 'agent']) {
		await refused(name, 'payout', [o.id, o.to, o.amount], 'NotPayoutRole', address(name));
		await refused(name, 'payoutBatch', [[o]], 'NotPayoutRole', address(name));
		await refused(name, 'cancelPayout', [o.id], 'NotPayoutRole', address(name));
	}
});

test('pause__by_pause_role_or_owner__stops_and_only_the_owner_ends_it', async () => {
	for (const name of ['pauseRole', 'owner']) {
		const number = await sequence();
		assert.deepEqual(await by(name, 'pause'), [own('Paused', number + 1n, { account: address(name) })]);
		await refused(name, 'pause', [], 'EscrowPaused');
		await refused('pauseRole', 'unpause', [], 'NotOwner', address('pauseRole'));
		assert.deepEqual(await by('owner', 'unpause'), [own('Unpaused', number + 2n, { account: address('owner') })]);
	}
	await refused('owner', 'unpause', [], 'EscrowNotPaused');
	for (const name of ['payoutRole', 'agent'])
		await refused(name, 'pause', [], 'NotPauseRole', address(name));
});

test('ownership__offered__moves_when_it_is_accepted', async () => {
	const [owner, heir, other] = [address('owner'), address('heir'), address('other')];
	assert.deepEqual(await by('owner', 'transferOwnership', other), [
		own('OwnerProposed', 5n, { owner, candidate: other }),
	]);
	await by('owner', 'transferOwnership', heir);
	await refused('other', 'acceptOwnership', [], 'NotPendingOwner', other);
	await refused('heir', 'setCaps', [1n, 1n], 'NotOwner', heir);
	assert.deepEqual(await by('heir', 'acceptOwnership'), [own('OwnerChanged', 7n, { previous: owner, owner: heir })]);
	assert.equal(await escrow.read('pendingOwner'), NO_ADDRESS);
	await refused('heir', 'acceptOwnership', [], 'NotPendingOwner', heir);
	await refused('owner', 'setCaps', [1n, 1n], 'NotOwner', owner);
	await by('heir', 'setCaps', 1n, 1n);
});

test('ownership__offer_taken_back__cannot_be_accepted', async () => {
	await by('owner', 'transferOwnership', address('heir'));
	await by('owner', 'transferOwnership', NO_ADDRESS);
	await refused('heir', 'acceptOwnership', [], 'NotPendingOwner', address('heir'));
});

test('roles__one_address_for_two__is_refused', async () => {
	const { owner, payoutRole, pauseRole } = roles();
	await refused('owner', 'setPayoutRole', [owner], 'RolesNotApart', owner);
	await refused('owner', 'setPayoutRole', [pauseRole], 'RolesNotApart', pauseRole);
	await refused('owner', 'setPauseRole', [owner], 'RolesNotApart', owner);
	await refused('owner', 'setPauseRole', [payoutRole], 'RolesNotApart', payoutRole);
	for (const name of ['payoutRole', 'pauseRole']) {
		await by('owner', 'transferOwnership', address(name));
		await refused(name, 'acceptOwnership', [], 'RolesNotApart', address(name));
	}
});

test('roles__replaced_or_taken_away__end_at_once', async () => {
	await fill(100n);
	const { payoutRole, pauseRole } = roles();
	const [other, heir] = [address('other'), address('heir')];
	assert.deepEqual(await by('owner', 'setPayoutRole', other), [
		own('PayoutRoleChanged', 5n, { previous: payoutRole, account: other }),
	]);
	await refused('payoutRole', 'cancelPayout', [freshId()], 'NotPayoutRole', payoutRole);
	const o = order(1n);
	await by('other', 'payout', o.id, o.to, o.amount);
	await by('owner', 'setPayoutRole', NO_ADDRESS);
	await refused('other', 'cancelPayout', [freshId()], 'NotPayoutRole', other);
	assert.deepEqual(await by('owner', 'setPauseRole', heir), [
		own('PauseRoleChanged', 8n, { previous: pauseRole, account: heir }),
	]);
	await refused('pauseRole', 'pause', [], 'NotPauseRole', pauseRole);
	await by('owner', 'setPauseRole', NO_ADDRESS);
	await refused('heir', 'pause', [], 'NotPauseRole', heir);
});

// ---- a token that turns hostile ----

async function openHostile() {
	const from = address('owner');
	const { contractAddress: hostile } = await transact(chain, { from, data: HOSTILE.creation });
	const call = async (functionName, ...args) => {
		const data = encodeFunctionData({ abi: HOSTILE.abi, functionName, args });
		assert.equal((await transact(chain, { from, to: hostile, data })).status, '0x1', functionName);
	};
	const read = (functionName) => chain.client.readContract({ address: hostile, abi: HOSTILE.abi, functionName });
	escrow = await open({ token: hostile });
	await call('mint', address('agent'), 1000n);
	await call('mint', escrow.address, 1000n);
	return { hostile, call, read };
}

test('hostile_token__that_keeps_a_fee_or_answers_false__makes_no_deposit', async () => {
	const { hostile, call } = await openHostile();
	await call('turn', HOSTILE_MODES.fee, NO_ADDRESS, '0x');
	await refused('agent', 'deposit', [10n], 'WrongAmountReceived', 9n, 10n);
	await call('turn', HOSTILE_MODES.false, NO_ADDRESS, '0x');
	await refused('agent', 'deposit', [10n], 'SafeERC20FailedOperation', (await escrow.read('TOKEN')));
	const o = order(10n, address('other'));
	await refusedPay(o, 'tokenRefused');
	assert.equal(hostile.toLowerCase(), (await escrow.read('TOKEN')).toLowerCase());
});

// The token holds the payout role, so that only the guard stands between it and a second payout.
test('hostile_token__that_calls_back__is_stopped_by_the_guard', async () => {
	const { hostile, call, read } = await openHostile();
	await by('owner', 'setPayoutRole', hostile);
	const o = order(10n, address('other'));
	const again = order(10n, address('other'));
	const inner = [
		escrow.data('payout', again.id, again.to, again.amount), escrow.data('payoutBatch', [again]),
		escrow.data('cancelPayout', again.id),
		escrow.data('deposit', 1n), escrow.data('depositFor', address('other'), 1n),
		escrow.data('depositWithAuthorization', hostile, 1n, 0n, 9n, freshNonce(), '0x'),
		escrow.data('depositWithAuthorization', hostile, 1n, 0n, 9n, freshNonce(), 27, freshNonce(), freshNonce()),
	];
	const guard = '0x3ee5aeb5'; // ReentrancyGuardReentrantCall()
	for (const data of inner) {
		await call('turn', HOSTILE_MODES.call, escrow.address, data);
		await call('poke', escrow.address, escrow.data('payout', freshId(), o.to, 1n));
		assert.deepEqual([await read('answered'), await read('answer')], [false, guard]);
		await call('turn', HOSTILE_MODES.call, escrow.address, data);
		await by('agent', 'deposit', 1n);
		assert.deepEqual([await read('answered'), await read('answer')], [false, guard]);
	}
	seen.errors.add('ReentrancyGuardReentrantCall');
	assert.equal(await stateOf(again), STATES.none);
});

test('hostile_token__that_pauses_in_a_deposit__leaves_the_sequence_whole', async () => {
	const { hostile, call, read } = await openHostile();
	await by('owner', 'setPauseRole', hostile);
	await call('turn', HOSTILE_MODES.call, escrow.address, escrow.data('pause'));
	const events = await by('agent', 'deposit', 5n);
	assert.deepEqual([await read('answered')], [true]);
	const ours = events.filter(({ by: emitter }) => emitter === 'escrow');
	assert.deepEqual(ours.map(({ event, sequence: number }) => [event, number]), [['Paused', 6n], ['Deposit', 7n]]);
});

// ---- gas ----

async function gasOf(name, functionName, ...args) {
	const data = escrow.data(functionName, ...args);
	const { status, gasUsed } = await transact(chain, { from: address(name), to: escrow.address, data });
	assert.equal(status, '0x1');
	return Number(gasUsed);
}

// The bounds are what BENCHMARKS.md says, and some room. Each call is its kind's second: the first pays for new slots.
test('gas__of_each_call__stays_within_its_bound', async (t) => {
	await approve('agent', 1_000_000n);
	await fill(1_000_000n);
	const holders = chain.accounts.slice(3).map(({ address: holder }) => holder);
	const someOrders = (count) => Array.from({ length: count }, (_, i) => order(1n, holders[i % holders.length]));
	const payArgs = () => Object.values(order(1n, address('other')));
	const terms = { to: escrow.address, validBefore: String(2 ** 40) }; // a test before may have moved the clock
	const authorized = async () => asBytes(await signDeposit(people.agent, terms));
	const batches = [10, 100];
	await by('agent', 'deposit', 1n);
	await by('payoutRole', 'payout', ...payArgs());
	const used = {
		deposit: await gasOf('agent', 'deposit', 1n),
		depositWithAuthorization: await gasOf('stranger', 'depositWithAuthorization', ...(await authorized())),
		payout: await gasOf('payoutRole', 'payout', ...payArgs()),
		cancelPayout: await gasOf('payoutRole', 'cancelPayout', freshId()),
	};
	for (const count of batches)
		used[`each of ${count}`] = Math.ceil((await gasOf('payoutRole', 'payoutBatch', someOrders(count))) / count);
	t.diagnostic(JSON.stringify(used));
	const bounds = {
		deposit: 75_000, depositWithAuthorization: 114_000, payout: 102_000, cancelPayout: 61_000, 'each of 10': 48_000,
		'each of 100': 39_000,
	};
	assert.deepEqual(Object.entries(used).filter(([name, gas]) => gas > bounds[name]), []);
});

// ---- all of it ----

test('events__asked_for_by_number__are_found_one_each', async () => {
	await fill(100n);
	await pay(order(1n));
	await batch(order(1n), order(0n));
	await by('owner', 'setCaps', 5n, 6n);
	const last = await sequence();
	const history = await escrow.history();
	const row = Array.from({ length: Number(last) }, (_, i) => BigInt(i + 1));
	assert.deepEqual(history.map(({ sequence: number }) => number), row);
	for (let number = 1n; number <= last; number++) {
		const topics = [null, pad(toHex(number))];
		const filter = { address: escrow.address, fromBlock: toHex(escrow.block), toBlock: 'latest', topics };
		assert.equal((await chain.client.request({ method: 'eth_getLogs', params: [filter] })).length, 1);
	}
});

test('tests__of_this_file__reach_every_function_event_and_error', () => {
	const named = (kind) => ESCROW_ABI.filter(({ type }) => type === kind).map(({ name }) => name);
	assert.deepEqual(named('function').filter((name) => !seen.functions.has(name)), []);
	assert.deepEqual(named('event').filter((name) => !seen.events.has(name)), []);
	assert.deepEqual(named('error').filter((name) => !seen.errors.has(name)), []);
});
