// The escrow contract on the local chain, as tests deploy, call and watch it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
	decodeErrorResult, decodeEventLog, encodeDeployData, encodeFunctionData, getAddress, parseAbi, toHex,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { AUTHORIZATION_TYPES, USDC_ABI } from '../../testnet/usdc.mjs';
import { authorize, typedData } from './payment.mjs';

const COMPILED = JSON.parse(readFileSync(join(import.meta.dirname, '../../contracts-abi/escrow.json'), 'utf8'));
export const ESCROW_ABI = COMPILED.abi;
const GAS = toHex(16_000_000);
const RECEIPT_MS = 60_000; // a loaded machine is slow
export const NO_ADDRESS = toHex(0, { size: 20 });
export const MAX_128 = 2n ** 128n - 1n;
export const STATES = { none: 0, paid: 1, cancelled: 2 };
export const REASONS = [
	'none', 'paused', 'alreadyPaid', 'cancelled', 'badPayee', 'zeroAmount', 'overPayoutCap', 'overDayCap',
	'tokenPaused', 'insufficientBalance', 'tokenRefused',
];
export const reason = (name) => REASONS.indexOf(name);

// Sends by an account of anvil's and waits for the receipt, whatever became of it.
export async function transact(chain, transaction) {
	const hash = await chain.client.request({ method: 'eth_sendTransaction', params: [{ gas: GAS, ...transaction }] });
	const deadline = Date.now() + RECEIPT_MS;
	do {
		const receipt = await chain.client.request({ method: 'eth_getTransactionReceipt', params: [hash] });
		if (receipt)
			return receipt;
	} while (Date.now() < deadline);
	throw new Error(`no receipt of ${hash}`);
}

function decode(escrow, log) {
	const ours = log.address.toLowerCase() === escrow.toLowerCase();
	const { eventName, args } = decodeEventLog({ abi: ours ? ESCROW_ABI : USDC_ABI, ...log });
	return { by: ours ? 'escrow' : 'token', event: eventName, ...args };
}

// A custom error by its name, a text by itself. (Not by class: the chain's viem is another copy than ours.)
function revertOf(error) {
	const reverted = error.walk?.(({ name }) => name === 'ContractFunctionRevertedError');
	if (!reverted)
		throw error;
	const { errorName = 'Error', args = [] } = reverted.data ?? {};
	return errorName === 'Error' ? { error: reverted.reason, args: [] } : { error: errorName, args };
}

// What was called, emitted and refused in this process, so that a test can tell that nothing was left out.
export const seen = { functions: new Set(), events: new Set(), errors: new Set() };

const creation = (args) => encodeDeployData({ abi: ESCROW_ABI, bytecode: COMPILED.bytecode, args });

// The constructor must refuse these arguments with this error.
export async function refusedDeployment(chain, from, args, error, ...errorArgs) {
	const data = creation(args);
	const failure = await chain.client.call({ account: from, data }).then(() => undefined, (e) => e);
	const raw = failure?.walk((e) => typeof e.data === 'string')?.data;
	assert.ok(raw, 'no refusal');
	const decoded = decodeErrorResult({ abi: ESCROW_ABI, data: raw });
	assert.deepEqual({ error: decoded.errorName, args: decoded.args ?? [] }, { error, args: errorArgs });
	assert.equal((await transact(chain, { from, data })).status, '0x0');
	seen.errors.add(error);
}

export class Escrow {
	constructor(chain, address, block) {
		Object.assign(this, { chain, address, block });
	}

	data(functionName, ...args) {
		return encodeFunctionData({ abi: ESCROW_ABI, functionName, args });
	}

	read(functionName, ...args) {
		seen.functions.add(functionName);
		return this.chain.client.readContract({ address: this.address, abi: ESCROW_ABI, functionName, args });
	}

	eventsOf(receipt) {
		return receipt.logs.map((log) => decode(this.address, log));
	}

	// The transaction's events in order, the token's too; it must succeed.
	async write(from, functionName, ...args) {
		const receipt = await transact(this.chain, { from, to: this.address, data: this.data(functionName, ...args) });
		assert.equal(receipt.status, '0x1', `${functionName} by ${from} was refused`);
		seen.functions.add(functionName);
		const events = this.eventsOf(receipt);
		events.filter(({ by }) => by === 'escrow').forEach(({ event }) => seen.events.add(event));
		return events;
	}

	// The transaction must be refused with this error and change nothing; error: a custom error's name or a text.
	async refused(from, functionName, args, error, ...errorArgs) {
		const before = await this.read('status');
		const call = { address: this.address, abi: ESCROW_ABI, functionName, args, account: from };
		const refusal = await this.chain.client.simulateContract(call).then(() => 'no refusal', revertOf);
		assert.deepEqual(refusal, { error, args: errorArgs });
		const receipt = await transact(this.chain, { from, to: this.address, data: this.data(functionName, ...args) });
		assert.equal(receipt.status, '0x0');
		assert.deepEqual(receipt.logs, []);
		assert.deepEqual(await this.read('status'), before);
		seen.errors.add(error);
	}

	// Every event that the contract ever emitted, as the chain gives them, with where and when.
	async history() {
		const range = { fromBlock: toHex(this.block), toBlock: 'latest' };
		const logs = await this.chain.client.request({
			method: 'eth_getLogs', params: [{ address: this.address, ...range }],
		});
		return logs.map((log) => ({
			...decode(this.address, log),
			hash: log.transactionHash, index: Number(log.logIndex), time: Number(log.blockTimestamp),
		}));
	}
}

// A new escrow, of the chain's USDC unless told; its caps are wide open unless given.
export async function openEscrow(chain, options) {
	const { owner, payoutRole, pauseRole, token = chain.usdc, payoutCap = MAX_128, dayCap = MAX_128 } = options;
	const data = creation([token, owner, payoutRole, pauseRole, payoutCap, dayCap]);
	const receipt = await transact(chain, { from: owner, data });
	assert.equal(receipt.status, '0x1');
	return new Escrow(chain, getAddress(receipt.contractAddress), Number(receipt.blockNumber));
}

const ALLOWANCE_ABI = parseAbi(['function approve(address, uint256)']);
// The escrow may take whatever they deposit.
export async function allow(escrow, ...people) {
	const data = encodeFunctionData({ abi: ALLOWANCE_ABI, functionName: 'approve', args: [escrow.address, MAX_128] });
	for (const { address } of people)
		assert.equal((await transact(escrow.chain, { from: address, to: escrow.chain.usdc, data })).status, '0x1');
}

// What depositWithAuthorization takes: { authorization, signature }. kind: which of EIP-3009's two types is signed.
export async function signDeposit(payer, { to, kind = 'ReceiveWithAuthorization', ...fields }) {
	const authorization = authorize({ from: payer.address, to, ...fields });
	const data = typedData(authorization);
	const types = { [kind]: AUTHORIZATION_TYPES.TransferWithAuthorization };
	const signature = await privateKeyToAccount(payer.privateKey).signTypedData({ ...data, types, primaryType: kind });
	return { authorization, signature };
}
