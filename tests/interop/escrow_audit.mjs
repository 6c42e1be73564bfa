// The escrow's promises, checked on nothing but what the chain wrote down: its logs, and who sent which transaction.
import assert from 'node:assert/strict';
import { getAddress, pad, toHex } from 'viem';
import { NO_ADDRESS } from './escrow.mjs';
import { balanceOf } from './token.mjs';

const DAY_S = 86400;
const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';

async function transfers(chain, escrow, topics) {
	const filter = { address: chain.usdc, fromBlock: toHex(escrow.block), toBlock: 'latest', topics };
	const logs = await chain.client.request({ method: 'eth_getLogs', params: [filter] });
	return logs.map(({ transactionHash, logIndex, data }) => ({
		place: `${transactionHash} ${Number(logIndex)}`, value: BigInt(data),
	}));
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0n);

// What came and went, by the token's logs, is what is there; and a transfer belongs to an event only once.
async function checkMoney(chain, escrow, history) {
	const us = pad(escrow.address, { size: 32 });
	const incoming = await transfers(chain, escrow, [TRANSFER, null, us]);
	const outgoing = await transfers(chain, escrow, [TRANSFER, us]);
	const valueAt = new Map([...incoming, ...outgoing].map(({ place, value }) => [place, value]));
	const of = (name) => history.filter(({ event }) => event === name);
	for (const { hash, index, amount } of [...of('Deposit'), ...of('Payout')])
		assert.equal(valueAt.get(`${hash} ${index - 1}`), amount, 'an event without its transfer');
	const payouts = sum(of('Payout').map(({ amount }) => amount));
	const deposits = sum(of('Deposit').map(({ amount }) => amount));
	const announced = new Set(of('Deposit').map(({ hash, index }) => `${hash} ${index - 1}`));
	const bare = sum(incoming.filter(({ place }) => !announced.has(place)).map(({ value }) => value));
	assert.equal(payouts, sum(outgoing.map(({ value }) => value)), 'something left without a Payout');
	assert.equal(await balanceOf(chain, escrow.address), deposits + bare - payouts);
}

function checkSequence(history) {
	history.forEach(({ sequence }, i) => assert.equal(sequence, BigInt(i + 1), 'a gap in the events'));
}

function checkIds(history) {
	const ended = new Set();
	for (const { event, id } of history.filter(({ event: name }) => ['Payout', 'PayoutCancelled'].includes(name))) {
		assert.ok(!ended.has(id), `${event} of an id that had ended`);
		ended.add(id);
	}
}

function checkCaps(history) {
	const days = new Map();
	let caps;
	for (const { event, amount, time, payoutCap, dayCap } of history) {
		if (event === 'CapsChanged')
			caps = { payoutCap, dayCap };
		if (event !== 'Payout')
			continue;
		const day = Math.floor(time / DAY_S);
		const paid = (days.get(day) ?? 0n) + amount;
		assert.ok(amount <= caps.payoutCap && paid <= caps.dayCap, 'a cap did not hold');
		days.set(day, paid);
	}
}

// role: who may cause an event, by the events before it.
const BY = {
	Payout: ['payoutRole'], PayoutFailed: ['payoutRole'], PayoutCancelled: ['payoutRole'], CapsChanged: ['owner'],
	OwnerProposed: ['owner'], OwnerChanged: ['candidate'], PayoutRoleChanged: ['owner'], PauseRoleChanged: ['owner'],
	Paused: ['owner', 'pauseRole'], Unpaused: ['owner'],
};
const CHANGES = {
	OwnerProposed: ({ candidate }) => ({ candidate }),
	OwnerChanged: ({ owner }) => ({ owner, candidate: NO_ADDRESS }),
	PayoutRoleChanged: ({ account }) => ({ payoutRole: account }),
	PauseRoleChanged: ({ account }) => ({ pauseRole: account }),
};

function checkRoles(history, senders, constructed) {
	const holder = {};
	let paused = false;
	history.forEach((entry, i) => {
		const { event, hash } = entry;
		const may = (BY[event] ?? []).map((role) => holder[role]);
		if (i >= constructed && BY[event])
			assert.ok(may.includes(senders.get(hash)), `${event} by somebody who may not`);
		assert.ok(!paused || !['Deposit', 'Payout', 'Paused'].includes(event), `${event} while paused`);
		Object.assign(holder, CHANGES[event]?.(entry));
		const held = [holder.owner, holder.payoutRole, holder.pauseRole].filter((a) => a && a !== NO_ADDRESS);
		assert.equal(new Set(held).size, held.length, 'one address holds two roles');
		paused = event === 'Paused' || (paused && event !== 'Unpaused');
	});
}

// senders: transaction hash to sender. The first `constructed` events are the constructor's.
export async function auditHistory(chain, escrow, senders, constructed = 4) {
	const history = await escrow.history();
	checkSequence(history);
	checkIds(history);
	checkCaps(history);
	checkRoles(history, senders, constructed);
	await checkMoney(chain, escrow, history);
	assert.equal(BigInt(history.length), await escrow.read('sequence'));
	assert.equal(getAddress(escrow.address), escrow.address);
}
