// One authorization buys one thing: repeats, races and strangers on a chain that mines at once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { authorize, bodyV1, bodyV2, payment, requirementsV1, requirementsV2, sign } from './payment.mjs';
import { runFarebox } from '../../testnet/farebox.mjs';
import { askUntil, openStage, settle } from './stage.mjs';
import { balanceOf, send, settleAsStranger } from './token.mjs';

const USED = 'invalid_exact_evm_nonce_already_used';
const CALLERS = 10;
let stage;

before(async () => {
	stage = await openStage();
});
after(() => stage?.close());

const pay = (changes) => payment({ payer: stage.payer, payTo: stage.payee.address, ...changes });
const earned = () => balanceOf(stage.chain, stage.payee.address);
const partsOf = (body) => body.paymentPayload.payload;

async function gainOf(work) {
	const earlier = await earned();
	const result = await work();
	return { gain: (await earned()) - earlier, result };
}

function checkUsed(answer, transaction) {
	assert.equal(answer.success, false);
	assert.equal(answer.errorReason, USED);
	assert.equal(answer.transaction, transaction);
}

test('settle__repeated_after_success__is_refused_with_the_original_hash', async () => {
	const body = await pay();
	const { gain, result } = await gainOf(async () => [await settle(stage, body), await settle(stage, body)]);
	assert.equal(result[0].success, true);
	checkUsed(result[1], result[0].transaction);
	assert.equal(gain, 1000n);
});

test('settle__one_payload_by_ten_callers_at_once__succeeds_once', async () => {
	const body = await pay();
	const everyone = () => Promise.all(Array.from({ length: CALLERS }, () => settle(stage, body)));
	const { gain, result } = await gainOf(everyone);
	const [success, ...others] = result.toSorted((a, b) => Number(b.success) - Number(a.success));
	assert.equal(success.success, true);
	assert.equal(others.length, CALLERS - 1);
	others.forEach((answer) => checkUsed(answer, success.transaction));
	assert.equal(gain, 1000n);
});

test('settle__different_payloads_at_once__all_succeed', async () => {
	const bodies = await Promise.all(Array.from({ length: CALLERS }, () => pay()));
	const { gain, result } = await gainOf(() => Promise.all(bodies.map((body) => settle(stage, body))));
	assert.deepEqual(result.filter(({ success }) => !success), []);
	assert.equal(gain, 1000n * BigInt(CALLERS));
});

test('settle__the_same_authorization_in_the_other_version__is_refused', async () => {
	const payTo = stage.payee.address;
	const authorization = authorize({ from: stage.payer.address, to: payTo });
	const signature = await sign(stage.payer.privateKey, authorization);
	const first = await settle(stage, bodyV2({ requirements: requirementsV2({ payTo }), authorization, signature }));
	const second = await settle(stage, bodyV1({ requirements: requirementsV1({ payTo }), authorization, signature }));
	assert.equal(first.success, true);
	checkUsed(second, first.transaction);
});

test('settle__another_payment_with_a_used_nonce__is_refused', async () => {
	const first = await pay();
	const { nonce } = partsOf(first).authorization;
	const second = await pay({ amount: '2000', fields: { nonce } });
	const { gain } = await gainOf(() => settle(stage, first));
	const answer = await settle(stage, second);
	assert.equal(gain, 1000n);
	assert.equal(answer.success, false);
	assert.equal(answer.errorReason, USED);
});

test('settle__after_a_stranger_settled_it__is_no_success', async () => {
	const body = await pay();
	await settleAsStranger(stage.chain, stage.other.address, partsOf(body));
	const answer = await settle(stage, body);
	assert.equal(answer.success, false);
	assert.equal(answer.errorReason, USED);
});

test('settle__money_for_one_of_two_payments_at_once__settles_one_and_sends_one', async () => {
	const [poor] = stage.rest;
	const amount = await balanceOf(stage.chain, poor.address);
	await send(stage.chain, poor.address, 'transfer', stage.other.address, amount - 1500n);
	const bodies = await Promise.all([pay({ payer: poor }), pay({ payer: poor })]);
	const sent = () => stage.chain.client.getTransactionCount({ address: stage.signer.address });
	const earlier = await sent();
	const answers = await Promise.all(bodies.map((body) => settle(stage, body)));
	const [refused] = answers.filter(({ success }) => !success);
	assert.equal(answers.filter(({ success }) => success).length, 1);
	assert.equal(refused.errorReason, 'invalid_exact_evm_insufficient_balance');
	assert.equal(await balanceOf(stage.chain, poor.address), 500n);
	assert.equal((await sent()) - earlier, 1);
});

test('settle__after_a_restart__still_knows_what_it_sold', async () => {
	const body = await pay();
	const first = await settle(stage, body);
	await stage.restart();
	assert.equal(first.success, true);
	checkUsed(await settle(stage, body), first.transaction);
});

// Each transaction's cost is a posting in wei, once: debited to the signer's gas account in the native coin's asset.
test('settle__gas_that_it_took__is_in_the_ledger', async () => {
	const { client } = stage.chain;
	const { transaction } = await settle(stage, await pay());
	const { gasUsed, effectiveGasPrice } = await client.getTransactionReceipt({ hash: transaction });
	const balance = async () => {
		const args = ['ledger', 'balance', stage.signer.address, '--purpose', 'gas', '--asset', '2', '--json',
			'--data', stage.data];
		const { code, output } = await runFarebox(args);
		return code === 0 ? output : '';
	};
	const history = async () => (await runFarebox(['ledger', 'history', stage.signer.address, '--purpose', 'gas',
		'--asset', '2', '--json', '--limit', '1000', '--data', stage.data])).output;
	await client.mine({ blocks: 20 });
	const cost = String(gasUsed * effectiveGasPrice);
	await askUntil(history, (text) => text.includes(cost));
	const before = await balance();
	await stage.restart();
	assert.equal(await balance(), before);
	assert.notEqual(before, '');
});
