// Money that comes into an escrow in every way there is, by a seed; and lies about the logs that tell of it.
import { encodeFunctionData, parseAbi } from '../../testnet/node_modules/viem/_esm/index.js';
import { signDeposit, transact } from '../interop/escrow.mjs';
import { bodyV2, requirementsV2 } from '../interop/payment.mjs';
import { settleAsStranger } from '../interop/token.mjs';

const TRANSFER_ABI = parseAbi(['function transfer(address, uint256)']);
const MOST = 1_000_000; // atoms

const sign = (escrow, payer, value, kind) => signDeposit(payer, { to: escrow.address, value: String(value), kind });

// name: async (indexed, payer, other, value)
export const WAYS = {
	deposit: ({ escrow }, payer, other, value) => escrow.write(payer.address, 'deposit', value),
	depositFor: ({ escrow }, payer, other, value) => escrow.write(payer.address, 'depositFor', other.address, value),
	authorized: async ({ chain, escrow }, payer, other, amount) => {
		const { authorization, signature } = await sign(escrow, payer, amount);
		const { value, validAfter, validBefore, nonce } = authorization;
		const data = escrow.data('depositWithAuthorization', payer.address, BigInt(value), BigInt(validAfter),
			BigInt(validBefore), nonce, signature);
		await transact(chain, { from: other.address, to: escrow.address, data });
	},
	bare: ({ chain, escrow }, payer, other, value) => {
		const data = encodeFunctionData({ abi: TRANSFER_ABI, functionName: 'transfer', args: [escrow.address, value] });
		return transact(chain, { from: payer.address, to: chain.usdc, data });
	},
	stranger: async ({ chain, escrow }, payer, other, value) => {
		await settleAsStranger(chain, other.address, await sign(escrow, payer, value, 'TransferWithAuthorization'));
	},
};

// One of them at random; resolves to its name.
export async function moneyComesIn(indexed, random) {
	const name = random.pick(Object.keys(WAYS)), payer = random.pick(indexed.people);
	const other = random.pick(indexed.people.filter((one) => one !== payer));
	await WAYS[name](indexed, payer, other, BigInt(random.between(1, MOST)));
	return name;
}

// Paid inline through farebox itself, the escrow being the payee.
export async function payInline({ farebox, escrow }, payer, amount) {
	const requirements = requirementsV2({ payTo: escrow.address, amount: String(amount) });
	const signed = await sign(escrow, payer, amount, 'TransferWithAuthorization');
	const response = await fetch(`${farebox.url}/settle`, {
		method: 'POST', headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify(bodyV2({ requirements, ...signed })),
	});
	return response.json();
}

// ---- lies ------------------------------------------------------------------------------------------------
const otherHash = (log) => ({ ...log, blockHash: `0x${'ab'.repeat(32)}` });

// Of the logs that an endpoint has.
export const LIES = {
	empty: () => [],
	shorter: (logs) => logs.slice(1),
	doubled: (logs) => [...logs, ...logs.slice(0, 1)],
	reordered: (logs) => [...logs].reverse(),
	orphaned: (logs) => logs.map(otherHash),
};

const HEADERS = 64; // are asked for at once, and one lie spoils them all

// A twist for a proxy: of a thousand answers about logs and receipts `rate` are lies, of blocks fewer. told counts
// them.
export function liesAbout(random, rate, told) {
	const lie = (name, answer, result) => {
		told[name] = (told[name] ?? 0) + 1;
		return { ...answer, result };
	};
	return ({ method }, answer) => {
		const about = /getLogs|Receipt|getBlockByNumber/.test(method);
		const rarer = method === 'eth_getBlockByNumber' ? HEADERS : 1;
		if (!about || answer.error !== undefined || random.below(1000 * rarer) >= rate)
			return undefined;
		if (method !== 'eth_getLogs')
			return lie('blind', answer, null);
		const name = random.pick(Object.keys(LIES));
		return lie(name, answer, LIES[name](answer.result));
	};
}
