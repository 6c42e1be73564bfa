// farebox's verdicts, row by row of the conformance table, in both versions of the protocol. What /verify refuses,
// /settle refuses for the same reason without moving money; what it finds valid, /settle moves, once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CASES } from './cases.mjs';
import { openStage, settle, verify } from './stage.mjs';
import { V1_NETWORK } from './payment.mjs';
import { NETWORK } from '../../testnet/chain.mjs';
import { openReference } from './reference.mjs';
import { balanceOf } from './token.mjs';
import { openWallet } from './wallet.mjs';

const HASH = /^0x[0-9a-f]{64}$/;
let stage, world, reference;

before(async () => {
	stage = await openStage();
	const wallet = await openWallet(stage.chain, stage.payer);
	world = { chain: stage.chain, payer: stage.payer, payTo: stage.payee.address, wallet };
	reference = await openReference(stage.chain, stage.rest.at(-1));
});
after(async () => {
	await reference?.close();
	await stage?.close();
});

const networkOf = (version) => (version === 1 ? V1_NETWORK : NETWORK);
const oneOf = (want) => (Array.isArray(want) ? want : [want]);
const authorizationOf = (body) => body.paymentPayload.payload.authorization;

async function checkGood(body, version) {
	const { from, to, value } = authorizationOf(body);
	const earlier = [await balanceOf(world.chain, from), await balanceOf(world.chain, to)];

	assert.deepEqual(await verify(stage, body), { isValid: true, payer: from });
	const answer = await settle(stage, body);
	const { transaction, extra, ...rest } = answer;
	assert.deepEqual(rest, { success: true, network: networkOf(version), payer: from });
	assert.match(transaction, HASH);
	assert.match(extra.settlementId, new RegExp(`^84532-.*-${from.slice(2)}-[0-9a-f]{64}$`, 'i'));
	assert.equal(earlier[0] - (await balanceOf(world.chain, from)), BigInt(value));
	assert.equal((await balanceOf(world.chain, to)) - earlier[1], BigInt(value));
	return transaction;
}

async function checkRefused(body, version, want) {
	const { from, to } = authorizationOf(body);
	const earlier = [await balanceOf(world.chain, from), await balanceOf(world.chain, to)];

	const { invalidMessage, ...verdict } = await verify(stage, body);
	assert.ok(oneOf(want).includes(verdict.invalidReason), JSON.stringify({ verdict, want }));
	assert.deepEqual(verdict, { isValid: false, invalidReason: verdict.invalidReason, payer: from });
	assert.ok(invalidMessage);
	const { errorMessage, ...answer } = await settle(stage, body);
	assert.deepEqual(answer, {
		success: false, errorReason: verdict.invalidReason, transaction: '',
		network: body.paymentRequirements.network, payer: from,
	});
	assert.ok(errorMessage);
	assert.deepEqual([await balanceOf(world.chain, from), await balanceOf(world.chain, to)], earlier);
}

// The stock facilitator agrees with the table, so the table says what the field expects.
async function checkReference(body, row) {
	const answer = await verify(reference, body);
	const want = 'reference' in row ? row.reference : row.want;
	assert.ok(oneOf(want).includes(answer.isValid ? null : answer.invalidReason), JSON.stringify(answer));
}

async function arranged(row, work) {
	const undo = await row.arrange?.(world);
	try {
		await work();
	} finally {
		await undo?.();
	}
}

for (const row of CASES)
	for (const version of row.versions ?? [2, 1])
		test(`verdict__v${version}_${row.name}__is_${oneOf(row.want)[0] ?? 'valid'}`, () => arranged(row, async () => {
			const body = await row.make(world, version);
			await checkReference(body, row);
			if (row.want === null)
				await checkGood(body, version);
			else
				await checkRefused(body, version, row.want);
		}));
