// Very many payments from two hundred payers at once: each is paid once and sold once, on chains of every pace.
import { test } from 'node:test';
import { audit } from './audit.mjs';
import { short } from './seeded.mjs';
import { openStorm } from './stage.mjs';

const ALL = 5000;

async function run(t, { payments, concurrency, blockTime }) {
	const storm = await openStorm({ payments, blockTime });
	t.after(storm.close);
	const started = Date.now();
	await storm.clients.settleAll(storm.payments, { concurrency });
	const seconds = (Date.now() - started) / 1000;
	t.diagnostic(JSON.stringify({ ...await audit(storm), seconds, perSecond: Math.round(payments / seconds) }));
}

const ROWS = [
	{ blockTime: 0, concurrency: 20, few: 0 },
	{ blockTime: 0, concurrency: 200, few: 400 },
	{ blockTime: 0, concurrency: 1000, few: 0 },
	{ blockTime: 1, concurrency: 20, few: 0 },
	{ blockTime: 1, concurrency: 200, few: 0 },
	{ blockTime: 1, concurrency: 1000, few: 400 },
	{ blockTime: 2, concurrency: 20, few: 0 },
	{ blockTime: 2, concurrency: 200, few: 0 },
	{ blockTime: 2, concurrency: 1000, few: 0 },
];

for (const { blockTime, concurrency, few } of ROWS) {
	const payments = short(few, ALL);
	const name = `volume__${concurrency}_at_once_on_blocks_of_${blockTime}_s__each_paid_once_and_sold_once`;
	test(name, { skip: payments === 0 && 'only in the full run' }, (t) => run(t, { payments, concurrency, blockTime }));
}
