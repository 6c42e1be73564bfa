// What the chain itself says happened: read from its blocks, receipts and logs alone, without farebox.
import { decodeEventLog } from '../../testnet/node_modules/viem/_esm/index.js';
import { USDC_ABI } from '../../testnet/usdc.mjs';

const BATCH = 100; // calls in one request

// Calls in batches: [[method, params], …] to their results in order.
export async function ask(url, calls) {
	const results = [];
	for (let at = 0; at < calls.length; at += BATCH) {
		const batch = calls.slice(at, at + BATCH)
			.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }));
		const headers = { 'Content-Type': 'application/json' };
		const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(batch) });
		for (const { id, result, error } of await response.json()) {
			if (error)
				throw new Error(`${batch[id].method}: ${error.message}`);
			results[at + id] = result;
		}
	}
	return results;
}

const hex = (n) => `0x${n.toString(16)}`;
export const keyOf = (payer, nonce) => `${payer}/${nonce}`.toLowerCase();

// The token's event in a log, or null.
function eventOf(log, token) {
	if (log.address.toLowerCase() !== token.toLowerCase())
		return null;
	try {
		return decodeEventLog({ abi: USDC_ABI, data: log.data, topics: log.topics });
	} catch {
		return null; // one that is not in the list
	}
}

// Every used authorization of a receipt with the Transfer log right behind it.
function readMoves(receipt, token) {
	const events = receipt.logs.map((log) => eventOf(log, token));
	return events.flatMap((event, i) => {
		if (event?.eventName !== 'AuthorizationUsed')
			return [];
		const next = events[i + 1];
		const transfer = next?.eventName === 'Transfer' ? next.args : null;
		return [{ key: keyOf(event.args.authorizer, event.args.nonce), tx: receipt.transactionHash, transfer }];
	});
}

// { moves: Map of key to [{ tx, transfer }], sent: [{ hash, nonce, status, cost, to, moves }] of the signer }
export async function readChain({ url, usdc }, signer, fromBlock) {
	const [newest] = await ask(url, [['eth_blockNumber', []]]);
	const numbers = Array.from({ length: Number(newest) - fromBlock }, (_, i) => hex(fromBlock + 1 + i));
	const blocks = await ask(url, numbers.map((n) => ['eth_getBlockByNumber', [n, true]]));
	const receipts = await ask(url, numbers.map((n) => ['eth_getBlockReceipts', [n]]));
	const moves = new Map(), sent = [];
	for (const [i, block] of blocks.entries())
		for (const receipt of receipts[i]) {
			const found = readMoves(receipt, usdc);
			for (const move of found)
				moves.set(move.key, [...(moves.get(move.key) ?? []), move]);
			if (receipt.from.toLowerCase() !== signer.toLowerCase())
				continue;
			const { nonce } = block.transactions.find(({ hash }) => hash === receipt.transactionHash);
			sent.push({
				hash: receipt.transactionHash, nonce: Number(nonce), ok: receipt.status === '0x1', to: receipt.to,
				cost: BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice), moves: found.length,
			});
		}
	return { moves, sent };
}
