// An RPC endpoint that fails and lies. Nobody is blamed for it, nothing is told failed whose money moved, and when the
// lies end, or another endpoint tells the truth, everything is paid.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audit } from './audit.mjs';
import { EVERY_FAULT, startLiar } from './liar.mjs';
import { seeded, short } from './seeded.mjs';
import { openStorm } from './stage.mjs';

const VERIFY_MS = 2000;
const VERIFY_ROOM_MS = 8000; // a busy machine
const SETTINGS = { FAREBOX_RPC_TIMEOUT_MS: '1000', FAREBOX_VERIFY_TIMEOUT_MS: String(VERIFY_MS) };
const CONCURRENCY = 40;
const everyFault = (rate) => Object.fromEntries(EVERY_FAULT.map((name) => [name, rate]));

// Two endpoints in the order of rates, lying by them; one that is null is the chain itself. Lies begin when farebox has
// started: a start that hears nonsense is refused, and that is another test's.
async function openLied(t, name, { payments, rates }) {
	const random = seeded(name);
	const between = async (chainUrl) => {
		const liars = await Promise.all(rates.map((rate) => rate && startLiar(chainUrl, random)));
		const close = () => liars.forEach((liar) => liar?.close());
		return { liars, url: liars.map((liar) => liar?.url ?? chainUrl).join(','), close };
	};
	const storm = await openStorm({ payments, between, env: SETTINGS });
	t.after(storm.close);
	storm.liars = storm.between.liars.filter((liar) => liar);
	storm.tellTruth = () => storm.liars.forEach((liar) => { liar.rates = {}; });
	storm.between.liars.forEach((liar, i) => liar && Object.assign(liar, { rates: rates[i] }));
	return storm;
}

// The payment is good, so that whoever says otherwise blames the payer for what the endpoint did.
async function verifyFairly(storm, payment) {
	const started = Date.now();
	const { isValid, invalidReason, status } = await storm.clients.verify(payment);
	const what = `${status} ${invalidReason}`;
	assert.ok(isValid || invalidReason === 'unexpected_verify_error' || status === 503, what);
	assert.ok(Date.now() - started < VERIFY_MS + VERIFY_ROOM_MS, 'no answer in time');
	return isValid;
}

function report(t, storm, result) {
	t.diagnostic(JSON.stringify({ ...result, faults: storm.liars.map(({ done }) => done), seed: storm.seed }));
}

async function verifyThenSettle(storm, payments) {
	const each = async (payment, deadline) => {
		await verifyFairly(storm, payment);
		return storm.clients.settle(payment, deadline);
	};
	await storm.clients.settleAll(payments, { concurrency: CONCURRENCY, each });
}

// A node that lies about the account's counter makes farebox wait, send again, or fill gaps; never pay twice.
const RULES = { nonceFaults: true, fillers: true };

async function run(t, name, plan) {
	const storm = await openLied(t, name, plan);
	await verifyThenSettle(storm, storm.payments);
	storm.tellTruth();
	report(t, storm, await audit(storm, RULES));
}

test('liar__every_fault_at_once__all_is_paid_once_and_nobody_is_blamed', (t) =>
	run(t, 'every', { payments: short(60, 3000), rates: [everyFault(30)] }));

for (const fault of EVERY_FAULT)
	test(`liar__${fault}__all_is_paid_once_and_nobody_is_blamed`, { skip: short('only in the full run', false) }, (t) =>
		run(t, fault, { payments: 400, rates: [{ [fault]: fault === 'hangs' ? 100 : 250 }] }));

test('liar__the_first_of_two_endpoints__all_is_paid_once', (t) =>
	run(t, 'first', { payments: short(100, 2000), rates: [everyFault(50), null] }));

test('liar__the_second_of_two_endpoints_and_the_first_often_fails__all_is_paid_once', (t) =>
	run(t, 'second', { payments: short(50, 2000), rates: [{ fails: 100, closes: 100 }, everyFault(20)] }));
