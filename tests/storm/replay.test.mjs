// Half of what arrives are repeats of the other half, from other connections, at the same time and afterwards: nobody
// who pays suffers, and no repeat costs gas. And one payment that is submitted ten thousand times.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { audit } from './audit.mjs';
import { openClients } from './client.mjs';
import { seeded, short } from './seeded.mjs';
import { openStorm } from './stage.mjs';

// Each payment twice, in an order where the repeat comes anywhere from at once to much later.
function withRepeats(payments, random) {
	const order = payments.flatMap((payment, i) =>
		[{ payment, at: i }, { payment, at: i + (random.below(2) === 0 ? 0.5 : random.below(payments.length)) }]);
	return order.sort((a, b) => a.at - b.at).map(({ payment }) => payment);
}

for (const [concurrency, blockTime] of [[short(50, 100), 0], [short(200, 500), 1]])
	test(`replay__half_of_the_load_on_blocks_of_${blockTime}_s__one_success_each_and_no_gas_for_repeats`, async (t) => {
		const storm = await openStorm({ payments: short(200, 5000), blockTime });
		t.after(storm.close);
		const load = withRepeats(storm.payments, seeded('replay'));
		const ends = await storm.clients.settleAll(load, { concurrency });
		const later = await storm.clients.settleAll(storm.payments, { concurrency });
		assert.ok(later.every(({ meaning }) => meaning === 'used'));
		assert.equal(ends.filter(({ meaning }) => meaning === 'success').length, storm.payments.length);
		assert.equal(ends.filter(({ meaning }) => meaning === 'used').length, storm.payments.length);
		t.diagnostic(JSON.stringify(await audit(storm)));
	});

test('replay__one_payment_many_times_around_a_restart__one_transfer_and_one_success', async (t) => {
	const storm = await openStorm({ payments: 200, blockTime: 1, env: { FAREBOX_SETTLE_WAIT_MS: '500' } });
	t.after(storm.close);
	const [payment, ...others] = storm.payments;
	const repeats = Array(short(600, 10_000)).fill(payment);
	const busy = storm.clients.settleAll(others.slice(0, 50), { concurrency: 10 });
	const parted = openClients(() => storm.url); // connections of their own
	const all = Promise.all([
		storm.clients.settleAll(repeats.slice(0, repeats.length / 2), { concurrency: 100 }),
		parted.settleAll(repeats.slice(repeats.length / 2), { concurrency: 100 }),
	]);
	await sleep(700);
	await storm.stop();
	await storm.start();
	await sleep(700);
	await storm.kill();
	await storm.start();
	await all;
	await busy;
	storm.clients.answers.push(...parted.answers);
	parted.close();
	const mine = storm.clients.answers.filter((answer) => answer.payment === payment.index);
	assert.ok(mine.filter(({ meaning }) => meaning === 'success').length <= 1);
	const result = await audit(storm, { fillers: true });
	assert.equal(result.moved, 51);
	t.diagnostic(JSON.stringify({ ...result, ofOne: mine.length }));
});
