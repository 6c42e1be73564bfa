// What the chain says of the payments of a run: which moved, in which transactions, at what gas; and whether what was
// answered is true.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { hexToBigInt, hexToNumber, toEventSelector, toHex } from '../../testnet/node_modules/viem/_esm/index.js';

const USED = toEventSelector('AuthorizationUsed(address,bytes32)');
const MOVED = toEventSelector('Transfer(address,address,uint256)');
const PRICE = 1000n; // make_payloads.c

// The nonces of the bodies in the order of the file, and the payer and payee of each.
export async function readPayments(path) {
	const payments = [];
	for await (const line of createInterface({ input: createReadStream(path) })) {
		const [, from, to] = line.match(/"authorization":\{"from":"(\w+)","to":"(\w+)"/);
		const [, nonce] = line.match(/"nonce":"(0x[0-9a-f]{64})"/);
		payments.push({ from: from.toLowerCase(), to: to.toLowerCase(), nonce });
	}
	return payments;
}

const topicAddress = (topic) => `0x${topic.slice(26)}`;
const isTransfer = (log, usdc) => log.topics[0] === MOVED && log.address === usdc;

// The payments that a receipt's logs tell of: [nonce, payer, payee, amount].
function readMoves({ logs }, usdc) {
	const moves = [];
	for (const [i, { address, topics }] of logs.entries()) {
		const next = logs[i + 1];
		if (address === usdc && topics[0] === USED && next && isTransfer(next, usdc))
			moves.push({
				nonce: topics[2], payer: topicAddress(topics[1]), from: topicAddress(next.topics[1]),
				to: topicAddress(next.topics[2]), amount: hexToBigInt(next.data),
			});
	}
	return moves;
}

// Every payment in the blocks from `first` to `last`, by nonce, and what the blocks and transactions were like.
export async function readBlocks({ client, usdc }, first, last) {
	const moved = new Map();
	const token = usdc.toLowerCase();
	let gas = 0, transactions = 0, twice = 0;
	for (let number = first; number <= last; number++) {
		const receipts = await client.request({ method: 'eth_getBlockReceipts', params: [toHex(number)] });
		for (const receipt of receipts) {
			const moves = readMoves(receipt, token);
			gas += moves.length > 0 ? hexToNumber(receipt.gasUsed) : 0;
			transactions += moves.length > 0 ? 1 : 0;
			for (const move of moves) {
				twice += moved.has(move.nonce) ? 1 : 0;
				moved.set(move.nonce, { ...move, transaction: receipt.transactionHash });
			}
		}
	}
	return { moved, gas, transactions, twice };
}

// One line a request: the number of its body, what came, the answer's body.
export async function readOutcomes(path) {
	const outcomes = [];
	for await (const line of createInterface({ input: createReadStream(path) })) {
		const [number, what, answer] = line.split('\t');
		outcomes.push({ number: Number(number), what, answer: answer.startsWith('{') ? JSON.parse(answer) : {} });
	}
	return outcomes;
}

const isPaidBy = (move, { from, to }) =>
	move.payer === from && move.from === from && move.to === to && move.amount === PRICE;

function describe({ errorReason, errorMessage, error }) {
	if (errorReason === undefined)
		return error?.split('\n')[0];
	return errorMessage ? `${errorReason}: ${errorMessage.split('\n')[0]}` : errorReason;
}

// untrue: a success that the named transaction does not hold. untold: money moved, and success was never answered.
export function compare(outcomes, payments, { moved }) {
	const reasons = {};
	let untrue = 0, untold = 0;
	for (const { number, what, answer } of outcomes) {
		const move = moved.get(payments[number].nonce);
		const isTrue = move && isPaidBy(move, payments[number]) && move.transaction === answer.transaction;
		untrue += what === 'right' && !isTrue ? 1 : 0;
		untold += what !== 'right' && move ? 1 : 0;
		if (what !== 'right') {
			const reason = describe(answer) ?? what;
			reasons[reason] = (reasons[reason] ?? 0) + 1;
		}
	}
	return { untrue, untold, reasons };
}
