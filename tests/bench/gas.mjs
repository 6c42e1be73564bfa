// Measures what a payment costs in gas and in data, by sending real transactions to a local chain.
// Started by tests/bench/gas, which explains the options.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hexToBytes, keccak256, toBytes } from '../../testnet/node_modules/viem/_esm/index.js';
import { privateKeyToAccount } from '../../testnet/node_modules/viem/_esm/accounts/index.js';
import { CHAIN_ID, startChain } from '../../testnet/chain.mjs';
import { ChildError } from '../../testnet/child.mjs';
import { authorize, sign } from '../interop/payment.mjs';
import { encodePayments } from './batch.mjs';
import { fastlzLength } from './fastlz.mjs';
import { readBlocks } from './settle_truth.mjs';
import { fund } from './stage.mjs';

const SIZE_MAX = 100;
const GAS_LIMIT = 16_777_216n; // the most that a transaction may have on Base
const FEE = 10_000_000_000n;
// Who is paid in one transaction. warm: has a balance already.
const PAYEES = {
	fresh: 'everybody for the first time',
	warm: 'many, with a balance',
	one: 'one, with a balance',
};
const COLUMNS = [
	['pays/tx', 8], ['paid', 8], ['gas/pay', 9], ['calldata', 9], ['to alone', 9], ['bytes/pay', 10], ['FastLZ', 8],
	['DA bytes', 9],
];
// What a transaction is taken to add to Ethereum's data (Fjord): 0.8365 bytes for each of FastLZ's, less 42.5856, and
// never less than 100.
const estimateData = (fastlz) => Math.max(100, -42.5856 + 0.8365 * fastlz);

function readOptions() {
	const { values } = parseArgs({
		options: { sizes: { type: 'string', default: '1,10,50,100' }, json: { type: 'boolean', default: false } },
	});
	const sizes = values.sizes.split(',').map(Number);
	if (sizes.some((size) => !Number.isInteger(size) || size < 1 || size > SIZE_MAX))
		throw new Error(`${values.sizes}: expected numbers from 1 to ${SIZE_MAX}`);
	return { sizes, json: values.json };
}

let people = 0;

function newPerson() {
	const privateKey = keccak256(toBytes(`farebox gas ${people++}`));
	return { address: privateKeyToAccount(privateKey).address, privateKey };
}

const newPeople = (count) => Array.from({ length: count }, newPerson);

async function choosePayees(chain, kind, count) {
	const payees = kind === 'one' ? new Array(count).fill(newPerson()) : newPeople(count);
	if (kind !== 'fresh')
		await fund(chain, payees.map(({ address }) => address));
	return payees;
}

// Every payment has a payer of its own, who pays for the first time.
async function makePayloads(chain, kind, count) {
	const [payers, payees] = [newPeople(count), await choosePayees(chain, kind, count)];
	await fund(chain, payers.map(({ address }) => address));
	return Promise.all(payers.map(async ({ address, privateKey }, i) => {
		const authorization = authorize({ from: address, to: payees[i].address });
		return { authorization, signature: await sign(privateKey, authorization) };
	}));
}

function countCalldataGas(data) {
	const bytes = hexToBytes(data);
	const zeros = bytes.filter((byte) => byte === 0).length;
	return 4 * zeros + 16 * (bytes.length - zeros);
}

async function send({ client, accounts }, call) {
	const account = privateKeyToAccount(accounts[0].privateKey);
	const raw = await account.signTransaction({
		...call, type: 'eip1559', chainId: CHAIN_ID, gas: GAS_LIMIT, maxFeePerGas: FEE, maxPriorityFeePerGas: 1n,
		nonce: await client.getTransactionCount({ address: account.address }),
	});
	const hash = await client.sendRawTransaction({ serializedTransaction: raw });
	return { raw, receipt: await client.waitForTransactionReceipt({ hash }) };
}

async function measure(chain, kind, count) {
	const call = encodePayments(await makePayloads(chain, kind, count));
	const { raw, receipt } = await send(chain, call);
	const { moved, gas } = await readBlocks(chain, receipt.blockNumber, receipt.blockNumber);
	if (moved.size !== count)
		throw new Error(`${moved.size} of ${count} payments moved`);
	const fastlz = fastlzLength(hexToBytes(raw));
	return {
		count, kind, gas: gas / count, calldataGas: countCalldataGas(call.data) / count,
		bytes: hexToBytes(raw).length / count, fastlz: fastlz / count, dataBytes: estimateData(fastlz) / count,
	};
}

const round = (value) => Math.round(value).toLocaleString('en-US');
const print = (cells) => console.log(cells.map((cell, i) => String(cell).padStart(COLUMNS[i][1])).join(''));

function printReport(rows) {
	print(COLUMNS.map(([title]) => title));
	for (const { count, kind, gas, calldataGas, bytes, fastlz, dataBytes } of rows) {
		const alone = rows.find((row) => row.count === 1 && row.kind === kind);
		const saved = alone ? `${(100 * (gas / alone.gas - 1)).toFixed(0)} %` : '';
		print([count, kind, round(gas), round(calldataGas), saved, round(bytes), round(fastlz), round(dataBytes)]);
	}
	console.log();
	for (const [kind, what] of Object.entries(PAYEES))
		console.log(`${kind}: ${what}`);
}

async function main() {
	const { sizes, json } = readOptions();
	const chain = await startChain({ log: join(import.meta.dirname, '../../build/bench-gas/chain.log') });
	const rows = [];
	try {
		for (const kind of Object.keys(PAYEES))
			for (const size of sizes)
				rows.push(await measure(chain, kind, size));
	} finally {
		await chain.stop();
	}
	if (json)
		console.log(JSON.stringify(rows, null, 2));
	else
		printReport(rows);
}

main().catch((error) => {
	console.error(error instanceof ChildError ? `${error.message}:\n${error.logTail}` : error.stack);
	process.exitCode = 1;
});
