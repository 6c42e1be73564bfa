// Two farebox processes with one key. On one data directory: a deployment that rolls, the new one started while the
// old one serves. On two: an operator's mistake, which must heal.
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChildError } from '../../testnet/child.mjs';
import { audit } from './audit.mjs';
import { openClients } from './client.mjs';
import { short } from './seeded.mjs';
import { openStorm } from './stage.mjs';

const CONCURRENCY = 50;
const HANDOVERS = short(2, 12);
const OVERLAP_MS = short(1000, 3000);
const EARLY_MS = 3000; // a process that does not wait for the other one is ready by then
const TAKEOVER_MS = 60_000;

// As a supervisor does: what ends before it is ready is started again.
async function supervise(storm, options) {
	const deadline = Date.now() + TAKEOVER_MS;
	for (let ended = 0; ; ended++)
		try {
			return { server: await storm.startServer(options), ended };
		} catch (error) {
			if (!(error instanceof ChildError) || Date.now() > deadline)
				throw error;
			await sleep(100);
		}
}

test('deploy__rolls_on_one_data_directory__nothing_collides_and_nothing_is_lost', async (t) => {
	const storm = await openStorm({ payments: short(600, 20_000), blockTime: 1 });
	t.after(storm.close);
	const load = storm.clients.pour(storm.payments, CONCURRENCY);
	let refused = 0;
	for (let i = 0; i < HANDOVERS; i++) {
		const coming = supervise(storm, {});
		await sleep(OVERLAP_MS);
		await storm.server.stop('SIGTERM');
		const { server, ended } = await coming;
		refused += ended;
		Object.assign(storm, { server, url: server.url });
	}
	await sleep(OVERLAP_MS);
	await load.end();
	t.diagnostic(JSON.stringify({ ...await audit(storm), handovers: HANDOVERS, refused }));
});

// Whether the second process waits for the first, or both serve: everything is paid once.
test('deploy__two_data_directories_and_one_key__everything_is_paid_once', async (t) => {
	const storm = await openStorm({ payments: short(150, 2000), blockTime: 1 });
	t.after(storm.close);
	const second = supervise(storm, { data: 'other', timeoutMs: 120_000 });
	const early = await Promise.race([second, sleep(EARLY_MS)]);
	const half = storm.payments.length / 2;
	const [ours, theirs] = [storm.payments.slice(0, half), storm.payments.slice(half)];
	const first = storm.clients.settleAll(ours, { concurrency: CONCURRENCY });
	if (!early) {
		await first;
		await storm.stop();
	}
	const { server } = await second;
	const others = openClients(() => server.url);
	await Promise.all([first, others.settleAll(theirs, { concurrency: CONCURRENCY })]);
	storm.clients.answers.push(...others.answers);
	others.close();
	const rules = { replaced: true, fillers: true, nonceFaults: true, reverts: true };
	t.diagnostic(JSON.stringify({ ...await audit(storm, early ? rules : {}), waited: !early }));
});
