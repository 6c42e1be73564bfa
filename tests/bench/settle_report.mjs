// What tests/bench/settle prints.
const COLUMNS = [
	['chain', 9], ['at once', 8], ['server', 15], ['payments/s', 11], ['p50 ms', 8], ['p99 ms', 8], ['max ms', 8],
	['failed', 7], ['untrue', 7], ['untold', 7], ['again', 7], ['pays/tx', 8], ['gas/pay', 8], ['CPU us', 8],
	['chain us', 9],
];
const RAW_COLUMNS = [
	['chain', 9], ['pays/tx', 8], ['payments', 9], ['payments/s', 11], ['gas/pay', 8], ['chain us', 9],
];

const round = (value, digits = 0) =>
	value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const ms = (us) => round(us / 1000, us < 10_000 ? 2 : 0);
const rate = (value) => round(value, value < 100 ? 1 : 0);
const print = (columns, cells) =>
	console.log(cells.map((cell, i) => String(cell).padStart(columns[i][1])).join('').trimEnd());

function printRow(row) {
	print(COLUMNS, [
		row.chain, row.connections, row.name, rate(row.perSecond), ms(row.p50_us), ms(row.p99_us), ms(row.max_us),
		row.errors, row.untrue, row.untold, row.again, round(row.perTransaction, 1), round(row.gas),
		round(row.serverUs), round(row.chainUs),
	]);
}

function printRatio(ours, theirs) {
	const percent = (name) => `${round(100 * ours[name] / theirs[name], 1)} %`;
	const other = theirs.connections === ours.connections ? theirs.name : `${theirs.name} at ${theirs.connections}`;
	const times = round(ours.perSecond / theirs.perSecond, 1);
	console.log(`${ours.chain}, farebox at ${ours.connections} to ${other}: ${times} times the payments/s,`
		+ ` ${percent('p99_us')} of the p99, ${percent('gas')} of the gas, ${percent('serverUs')} of the CPU`);
}

const best = (rows) => rows.toSorted((a, b) => b.perSecond - a.perSecond)[0];

// At the same concurrency, then the best of each.
function printRatiosOf(rows) {
	const ours = rows.filter(({ name }) => name === 'farebox');
	const others = new Set(rows.filter(({ name }) => name !== 'farebox').map(({ name }) => name));
	for (const other of others) {
		const theirs = rows.filter(({ name }) => name === other);
		for (const row of ours) {
			const same = theirs.find(({ connections }) => connections === row.connections);
			if (same)
				printRatio(row, same);
		}
		process.stdout.write('best to best: ');
		printRatio(best(ours), best(theirs));
	}
}

function printRatios(rows) {
	console.log();
	for (const chain of new Set(rows.map((row) => row.chain)))
		printRatiosOf(rows.filter((row) => row.chain === chain));
}

function printCalls(rows) {
	for (const { name, chain, connections, calls, right } of rows.filter((row) => row.calls)) {
		const each = Object.entries(calls).map(([method, count]) => `${method} ${round(count / right, 2)}`);
		console.log(`${name}, ${chain}, at ${connections}, calls for a payment: ${each.join(', ')}`);
	}
}

function printFaults(rows) {
	for (const { name, chain, connections, reasons } of rows)
		for (const [reason, count] of Object.entries(reasons))
			console.log(`${name}, ${chain}, at ${connections}: ${count} times ${reason}`);
}

function printChainAlone(raw) {
	console.log('the chain alone: transactions that were signed before are pushed into it');
	print(RAW_COLUMNS, RAW_COLUMNS.map(([title]) => title));
	for (const row of raw)
		print(RAW_COLUMNS, [
			row.chain, row.perTransaction, round(row.payments), rate(row.perSecond), round(row.gas), round(row.chainUs),
		]);
	console.log();
}

export function printReport({ machine: m, seconds, raw, rows }) {
	console.log(`${m.cores} x ${m.cpu}, ${m.memoryGib} GiB, ${m.system}, Linux ${m.kernel}, node ${m.node};`
		+ ` load before: ${round(m.load, 2)}; load generator and chain on the same cores;`
		+ ` ${seconds} s a run, the median of ${Math.max(1, ...rows.map((row) => row.rounds))}\n`);
	if (raw.length > 0)
		printChainAlone(raw);
	print(COLUMNS, COLUMNS.map(([title]) => title));
	rows.forEach(printRow);
	printRatios(rows);
	printCalls(rows);
	printFaults(rows);
}
