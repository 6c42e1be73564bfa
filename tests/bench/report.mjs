// What tests/bench/verify prints.
const COLUMNS = [
	['at once', 8], ['server', 15], ['requests/s', 12], ['p50 ms', 9], ['p99 ms', 9], ['max ms', 9], ['errors', 8],
	['CPU us', 8], ['chain us', 10], ['pays/read', 11],
];

const round = (value, digits = 0) =>
	value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const ms = (us) => round(us / 1000, us < 10_000 ? 2 : 0);
const print = (cells) => console.log(cells.map((cell, i) => String(cell).padStart(COLUMNS[i][1])).join(''));

function printRow(row) {
	print([
		row.connections, row.name, round(row.perSecond), ms(row.p50_us), ms(row.p99_us), ms(row.max_us), row.errors,
		round(row.serverUs), round(row.chainUs), row.paymentsPerRead ? round(row.paymentsPerRead, 1) : '',
	]);
}

function printRatio(farebox, other) {
	const percent = (name) => `${round(100 * farebox[name] / other[name], 1)} %`;
	console.log(`at ${farebox.connections}, farebox to ${other.name}:`
		+ ` ${round(farebox.perSecond / other.perSecond, 1)} times the requests/s,`
		+ ` ${percent('p99_us')} of the p99, ${percent('serverUs')} of the CPU`);
}

function printLimits({ machine: { cores }, signatureUs }, { connections, serverUs, chainUs, loadUs }) {
	const perSecond = (us) => `${round(cores * 1e6 / us)}/s`;
	console.log(`one signature check takes ${round(signatureUs, 1)} us, ${round(100 * signatureUs / serverUs)} % of`
		+ ` what farebox spends: ${cores} cores doing nothing else would do ${perSecond(signatureUs)}`);
	console.log(`at ${connections} a verification costs farebox ${round(serverUs)} us, the chain ${round(chainUs)},`
		+ ` the load generator ${round(loadUs)}: ${cores} cores could do ${perSecond(serverUs + chainUs + loadUs)},`
		+ ` or ${perSecond(serverUs)} with the others elsewhere`);
}

export function printReport(report) {
	const { machine: m, seconds, rows } = report;
	const ours = rows.filter(({ name }) => name === 'farebox');
	console.log(`${m.cores} x ${m.cpu}, ${m.memoryGib} GiB, ${m.system}, Linux ${m.kernel}, node ${m.node};`
		+ ` load before: ${round(m.load, 2)}; load generator and chain on the same cores; ${seconds} s a row\n`);
	print(COLUMNS.map(([title]) => title));
	rows.forEach(printRow);
	console.log();
	for (const farebox of ours)
		for (const other of rows.filter(({ connections }) => connections === farebox.connections))
			if (other !== farebox)
				printRatio(farebox, other);
	printLimits(report, ours.at(-1));
}
