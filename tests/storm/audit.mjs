// The auditor: compares every answer that any client ever got with what the chain's own logs say. It knows nothing of
// how farebox works, and lists what is wrong.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { ask, keyOf, readChain } from './ledger.mjs';

const FAULTS_SHOWN = 10;
const FORBIDDEN_IN_LOGS = /"level":"broken"|Sanitizer|assertion/i;
const NONCE_FAULT = /nonce too (low|high)|nonce gap|invalid nonce|replacement/i;

const same = (a, b) => a.toLowerCase() === b.toLowerCase();
const sum = (list) => list.reduce((total, value) => total + value, 0n);

function groupAnswers(answers) {
	const groups = new Map();
	for (const answer of answers)
		groups.set(answer.payment, [...(groups.get(answer.payment) ?? []), answer]);
	return groups;
}

// Was this move exactly what the payer signed?
function isExact({ transfer }, { from, to, value }) {
	return transfer !== null && same(transfer.from, from) && same(transfer.to, to) && transfer.value === BigInt(value);
}

// What was told about one payment, against what happened to it. rules: see audit.
function* judgePayment(payment, answers, moves, rules) {
	const name = `payment ${payment.index}`;
	const [move, ...more] = moves;
	const successes = answers.filter(({ meaning }) => meaning === 'success');
	const lost = answers.some(({ meaning }) => meaning === 'lost');
	const foreign = rules.foreign.has(payment.index);

	if (more.length > 0)
		yield `${name}: its authorization was used ${moves.length} times`;
	if (move && !isExact(move, payment.authorization) && !foreign)
		yield `${name}: it moved other money than was signed: ${move.tx}`;
	if (successes.length > 1)
		yield `${name}: ${successes.length} successes`;
	if (successes.length === 0 && move && !lost && !foreign)
		yield `${name}: paid, and nobody was told of success: ${JSON.stringify(answers.at(-1))}`;
	if (!move && !rules.unpaid.has(payment.index))
		yield `${name}: never paid: ${JSON.stringify(answers.at(-1))}`;
	for (const answer of answers) {
		if (answer.meaning === 'success' && !move)
			yield `${name}: told of success, and no money moved: ${answer.transaction}`;
		if (answer.meaning === 'success' && move && !same(answer.transaction, move.tx) && !rules.replaced)
			yield `${name}: told of ${answer.transaction}, and paid by ${move.tx}`;
		if (answer.meaning === 'used' && answer.transaction && move && !same(answer.transaction, move.tx)
			&& !rules.replaced && !foreign)
			yield `${name}: told that ${answer.transaction} used it, and it was ${move.tx}`;
		if (answer.meaning === 'refused' && move && !foreign)
			yield `${name}: told ${answer.errorReason ?? answer.status}, and the money moved: ${move.tx}`;
		if (answer.meaning === 'refused' && !rules.unpaid.has(payment.index) && !foreign)
			yield `${name}: a good payment was refused: ${JSON.stringify(answer)}`;
		if (answer.errorReason === 'settlement_pending' && !/^0x[0-9a-f]{64}$/.test(answer.transaction))
			yield `${name}: pending without a hash: ${JSON.stringify(answer)}`;
	}
}

// The signer's transactions: none failed, none for nothing, no gap, and nothing else was paid for.
function* judgeSigner(storm, sent, spent, rules) {
	for (const [i, { hash, nonce, ok, moves, to }] of sent.entries()) {
		if (nonce !== storm.firstNonce + i)
			yield `the signer's transaction ${hash} has nonce ${nonce}, expected ${storm.firstNonce + i}`;
		if (!ok && !rules.reverts)
			yield `the signer's transaction ${hash} failed`;
		if (ok && moves === 0 && !(rules.fillers && same(to, storm.signer.address)))
			yield `the signer's transaction ${hash} settled nothing`;
	}
	const cost = sum(sent.map((one) => one.cost));
	if (cost !== spent)
		yield `the signer spent ${spent} wei, its transactions cost ${cost}`;
}

function* judgeBalances(storm, moves, balances) {
	const moved = [...moves.values()].flat().filter(({ transfer }) => transfer !== null);
	const gained = (address) => sum(moved.map(({ transfer: { from, to, value } }) =>
		(same(to, address) ? value : 0n) - (same(from, address) ? value : 0n)));
	for (const [address, before] of storm.balances) {
		const now = balances.get(address);
		const other = storm.otherTransfers.get(address.toLowerCase()) ?? 0n;
		if (now !== before + gained(address) + other)
			yield `${address} has ${now}, expected ${before} + ${gained(address)} + ${other}`;
	}
}

// Bytes that were sent again and then found mined are no fault: the node says of those, too, that the nonce is too low.
function isMined(line, sent) {
	const { tx } = JSON.parse(line);
	return sent.some(({ hash }) => hash === tx);
}

function* judgeLogs(storm, sent, rules) {
	for (const path of storm.logs.filter(existsSync)) {
		const lines = readFileSync(path, 'utf8').split('\n');
		for (const line of lines)
			if (FORBIDDEN_IN_LOGS.test(line) || (NONCE_FAULT.test(line) && !rules.nonceFaults && !isMined(line, sent)))
				yield `${path}: ${line}`;
	}
}

async function poolSize({ client }) {
	const { pending, queued } = await client.getTxpoolStatus();
	return pending + queued;
}

// rules, all off by default:
//   unpaid       payments (by index) that need not be paid
//   foreign      payments that somebody else may have used, settled or cancelled
//   replaced     the transaction that is on the chain at the end need not be the one that was named
//   reverts      transactions of the signer may fail on the chain
//   fillers      the signer may have sent to itself, to fill a gap
//   nonceFaults  the log may speak of nonces: somebody interfered with them
export async function audit(storm, rules = {}) {
	const all = { unpaid: new Set(), foreign: new Set(), ...rules };
	if ((await poolSize(storm.chain)) > 0 && !all.fillers)
		await storm.mineAll();
	const { moves, sent } = await readChain(storm.chain, storm.signer.address, storm.firstBlock);
	const [balance] = await ask(storm.chain.url, [['eth_getBalance', [storm.signer.address, 'latest']]]);
	const answers = groupAnswers(storm.clients.answers);
	const faults = [];
	for (const payment of storm.payments.filter(({ index }) => answers.has(index))) {
		const { from, nonce } = payment.authorization;
		faults.push(...judgePayment(payment, answers.get(payment.index), moves.get(keyOf(from, nonce)) ?? [], all));
	}
	faults.push(...judgeSigner(storm, sent, storm.firstWei - BigInt(balance), all),
		...judgeBalances(storm, moves, await storm.readBalances()), ...judgeLogs(storm, sent, all));
	assert.equal(faults.length, 0, `${faults.length} faults; seed ${storm.seed}; logs in ${storm.folder}:\n`
		+ faults.slice(0, FAULTS_SHOWN).join('\n'));
	return {
		payments: answers.size, answers: storm.clients.answers.length, moved: moves.size, transactions: sent.length,
		granted: storm.clients.answers.filter(({ meaning }) => meaning === 'success').length,
		lost: storm.clients.answers.filter(({ meaning }) => meaning === 'lost').length,
	};
}
