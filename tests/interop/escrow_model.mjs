// What the escrow and its token should do with any call, written from their contracts' promises alone: a call gives the
// events it must emit, in order, or is refused. Kept apart from how the contract does it.
import { toHex } from 'viem';
import { MAX_128, NO_ADDRESS, reason } from './escrow.mjs';

export const DAY_S = 86400n;
export const BATCH_MAX = 256;
const NO_NONCE = toHex(0, { size: 32 });

class Refused extends Error {}

function require(condition) {
	if (!condition)
		throw new Refused();
}

// USDC, as far as an escrow meets it.
class TokenModel {
	constructor(address, balances) {
		Object.assign(this, { address, paused: false });
		this.balances = new Map(balances);
		this.allowances = new Map();
		this.blacklisted = new Set();
		this.used = new Set();
	}

	balance(account) {
		return this.balances.get(account) ?? 0n;
	}

	// A transfer's event, if the token makes it; undefined if it refuses.
	move(from, to, value, spender = from) {
		const blocked = [from, to, spender].some((account) => this.blacklisted.has(account));
		if (this.paused || blocked || this.balance(from) < value || to === NO_ADDRESS)
			return undefined;
		this.balances.set(from, this.balance(from) - value);
		this.balances.set(to, this.balance(to) + value);
		return { by: 'token', event: 'Transfer', from, to, value };
	}

	take(owner, spender, value) {
		const allowance = this.allowances.get(owner) ?? 0n;
		require(allowance >= value);
		const moved = this.move(owner, spender, value, spender);
		require(moved);
		this.allowances.set(owner, allowance - value);
		return moved;
	}
}

export class EscrowModel {
	constructor({ address, token, balances, owner, payoutRole, pauseRole, payoutCap, dayCap }) {
		Object.assign(this, { address, owner, payoutRole, pauseRole, payoutCap, dayCap });
		Object.assign(this, { pendingOwner: NO_ADDRESS, paused: false, sequence: 4n, day: 0n, paid: 0n, now: 0n });
		this.ids = new Map();
		this.token = new TokenModel(token, balances);
	}

	// { events } or { refused: true }; a refused call changes nothing. call: { to, from, name, args }, time in seconds.
	apply(call, now) {
		this.now = now;
		const doer = call.to === this.token.address ? this.tokenCall : this.escrowCall;
		try {
			return { events: doer.call(this, call) };
		} catch (error) {
			if (!(error instanceof Refused))
				throw error;
			return { refused: true };
		}
	}

	tokenCall({ from, name, args: [account, value] }) {
		const token = this.token;
		if (name === 'transfer') {
			const moved = token.move(from, account, value);
			require(moved);
			return [moved];
		}
		if (name === 'approve') {
			require(!token.paused);
			token.allowances.set(from, value);
		} else if (name === 'pause' || name === 'unpause')
			token.paused = name === 'pause';
		else if (name === 'blacklist')
			token.blacklisted.add(account);
		else
			token.blacklisted.delete(account);
		return undefined; // events that are of no concern here
	}

	escrowCall({ from, name, args }) {
		return this[name](from, ...args);
	}

	emit(event, args) {
		this.sequence += 1n;
		return { by: 'escrow', event, sequence: this.sequence, ...args };
	}

	// ---- deposits ----

	checkDeposit(beneficiary, amount) {
		require(!this.paused && amount > 0n && beneficiary !== NO_ADDRESS && beneficiary !== this.address);
	}

	deposit(from, amount) {
		return this.depositFor(from, from, amount);
	}

	depositFor(payer, beneficiary, amount) {
		this.checkDeposit(beneficiary, amount);
		const moved = this.token.take(payer, this.address, amount);
		return [moved, this.emit('Deposit', { beneficiary, payer, amount, authorization: NO_NONCE })];
	}

	// Signatures that are no good carry signed: false.
	depositWithAuthorization(sender, payer, amount, validAfter, validBefore, nonce, { signed }) {
		this.checkDeposit(payer, amount);
		const key = `${payer} ${nonce}`;
		require(nonce !== NO_NONCE && this.now > validAfter && this.now < validBefore);
		require(signed && !this.token.used.has(key));
		const moved = this.token.move(payer, this.address, amount);
		require(moved);
		this.token.used.add(key);
		return [
			{ by: 'token', event: 'AuthorizationUsed', authorizer: payer, nonce }, moved,
			this.emit('Deposit', { beneficiary: payer, payer, amount, authorization: nonce }),
		];
	}

	// ---- payouts ----

	paidToday() {
		return this.day === this.now / DAY_S ? this.paid : 0n;
	}

	why(id, to, amount) {
		const rows = [
			['paused', this.paused], ['alreadyPaid', this.ids.get(id) === 'paid'],
			['cancelled', this.ids.get(id) === 'cancelled'],
			['badPayee', [NO_ADDRESS, this.address, this.token.address].includes(to)], ['zeroAmount', amount === 0n],
			['overPayoutCap', amount > this.payoutCap], ['overDayCap', this.paidToday() + amount > this.dayCap],
			['tokenPaused', this.token.paused],
		];
		return rows.find(([, applies]) => applies)?.[0];
	}

	// The events of a payout, or why it is not made.
	tryPayout({ id, to, amount }) {
		const why = this.why(id, to, amount);
		if (why)
			return { why };
		const short = this.token.balance(this.address) < amount;
		const moved = this.token.move(this.address, to, amount);
		if (!moved)
			return { why: short ? 'insufficientBalance' : 'tokenRefused' };
		this.paid = this.paidToday() + amount;
		this.day = this.now / DAY_S;
		this.ids.set(id, 'paid');
		return { events: [moved, this.emit('Payout', { id, to, amount })] };
	}

	payout(from, id, to, amount) {
		require(from === this.payoutRole);
		const { events } = this.tryPayout({ id, to, amount });
		require(events);
		return events;
	}

	payoutBatch(from, orders) {
		require(from === this.payoutRole && orders.length <= BATCH_MAX);
		return orders.flatMap((order) => {
			const { events, why } = this.tryPayout(order);
			return events ?? [this.emit('PayoutFailed', { ...order, reason: reason(why) })];
		});
	}

	cancelPayout(from, id) {
		require(from === this.payoutRole && !this.ids.has(id));
		this.ids.set(id, 'cancelled');
		return [this.emit('PayoutCancelled', { id })];
	}

	// ---- roles and limits ----

	setCaps(from, payoutCap, dayCap) {
		require(from === this.owner && payoutCap <= MAX_128 && dayCap <= MAX_128);
		Object.assign(this, { payoutCap, dayCap });
		return [this.emit('CapsChanged', { payoutCap, dayCap })];
	}

	pause(from) {
		require(!this.paused && (from === this.pauseRole || from === this.owner));
		this.paused = true;
		return [this.emit('Paused', { account: from })];
	}

	unpause(from) {
		require(this.paused && from === this.owner);
		this.paused = false;
		return [this.emit('Unpaused', { account: from })];
	}

	transferOwnership(from, candidate) {
		require(from === this.owner);
		this.pendingOwner = candidate;
		return [this.emit('OwnerProposed', { owner: from, candidate })];
	}

	acceptOwnership(from) {
		require(from === this.pendingOwner && from !== this.payoutRole && from !== this.pauseRole);
		const previous = this.owner;
		Object.assign(this, { owner: from, pendingOwner: NO_ADDRESS });
		return [this.emit('OwnerChanged', { previous, owner: from })];
	}

	changeRole(from, role, event, account, others) {
		require(from === this.owner && (account === NO_ADDRESS || !others.includes(account)));
		const previous = this[role];
		this[role] = account;
		return [this.emit(event, { previous, account })];
	}

	setPayoutRole(from, account) {
		return this.changeRole(from, 'payoutRole', 'PayoutRoleChanged', account, [this.owner, this.pauseRole]);
	}

	setPauseRole(from, account) {
		return this.changeRole(from, 'pauseRole', 'PauseRoleChanged', account, [this.owner, this.payoutRole]);
	}

	// As status() tells it.
	status() {
		const { owner, pendingOwner, payoutRole, pauseRole, paused, sequence, payoutCap, dayCap } = this;
		return {
			token: this.token.address, owner, pendingOwner, payoutRole, pauseRole, paused, sequence, payoutCap, dayCap,
			paidToday: this.paidToday(), balance: this.token.balance(this.address),
		};
	}
}
