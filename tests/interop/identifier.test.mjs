// The payment-identifier extension at /settle: the same payment with the same id gets its success again, another
// payment with it a 409, and nobody else gains anything by it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { appendPaymentIdentifierToExtensions, declarePaymentIdentifierExtension } from '@x402/extensions';
import { payment } from './payment.mjs';
import { openStage, post, settle } from './stage.mjs';
import { balanceOf } from './token.mjs';

const USED = 'invalid_exact_evm_nonce_already_used';
const ON = { FAREBOX_PAYMENT_IDENTIFIER: 'true', FAREBOX_SETTLE_WAIT_MS: '1000' };
let stage;

before(async () => {
	stage = await openStage({ env: ON });
});
after(() => stage?.close());

const freshId = () => `order_${randomBytes(12).toString('hex')}`;
const earned = () => balanceOf(stage.chain, stage.payee.address);

function withInfo(body, info) {
	const extensions = { 'payment-identifier': { info, schema: { type: 'object' } } };
	return { ...body, paymentPayload: { ...body.paymentPayload, extensions } };
}

async function pay(id, options = {}) {
	const body = await payment({ payer: stage.payer, payTo: stage.payee.address, ...options });
	return id === undefined ? body : withInfo(body, { required: false, id });
}

test('identifier__supported__says_so', async () => {
	const supported = await (await fetch(`${stage.url}/supported`)).json();
	assert.deepEqual(supported.extensions, ['payment-identifier']);
});

test('identifier__same_payment_same_id__success_again_and_paid_once', async () => {
	const body = await pay(freshId());
	const before_ = await earned();
	const first = await settle(stage, body);
	assert.equal(first.success, true, JSON.stringify(first));
	for (let i = 0; i < 3; i++)
		assert.deepEqual(await settle(stage, body), first);
	await stage.restart();
	assert.deepEqual(await settle(stage, body), first);
	assert.equal((await earned()) - before_, 1000n);
});

test('identifier__as_the_stock_helpers_make_it__success_again', async () => {
	const body = await pay();
	const extensions = { 'payment-identifier': declarePaymentIdentifierExtension(true) };
	body.paymentPayload.extensions = extensions;
	assert.equal((await post(stage, '/settle', body)).status, 400);
	appendPaymentIdentifierToExtensions(extensions);
	assert.ok(extensions['payment-identifier'].info.id, JSON.stringify(extensions));
	const first = await settle(stage, body);
	assert.equal(first.success, true, JSON.stringify(first));
	assert.deepEqual(await settle(stage, body), first);
});

test('identifier__same_payment_without_the_id_or_with_another__already_used', async () => {
	const id = freshId();
	const body = await pay(id);
	const first = await settle(stage, body);
	const { extensions, ...bare } = body.paymentPayload;
	for (const other of [{ ...body, paymentPayload: bare }, withInfo(body, { id: freshId() })]) {
		const again = await settle(stage, other);
		assert.deepEqual([again.success, again.errorReason, again.transaction], [false, USED, first.transaction]);
	}
	assert.deepEqual(await settle(stage, body), first);
});

test('identifier__settled_without_an_id_first__an_id_gains_nothing', async () => {
	const body = await pay();
	assert.equal((await settle(stage, body)).success, true);
	const later = withInfo(body, { id: freshId() });
	for (let i = 0; i < 2; i++)
		assert.equal((await settle(stage, later)).errorReason, USED);
});

test('identifier__other_payment_same_id__409_and_nothing_is_sent', async () => {
	const id = freshId();
	assert.equal((await settle(stage, await pay(id))).success, true);
	const before_ = await earned();
	const { status, body } = await post(stage, '/settle', await pay(id));
	assert.deepEqual([status, body.error.code], [409, 'conflict']);
	assert.equal(await earned(), before_);
});

test('identifier__same_id_of_another_payer__is_another_id', async () => {
	const id = freshId();
	assert.equal((await settle(stage, await pay(id))).success, true);
	assert.equal((await settle(stage, await pay(id, { payer: stage.other }))).success, true);
});

test('identifier__other_payment_while_the_first_runs__409', async () => {
	const id = freshId();
	await stage.chain.client.setAutomine(false);
	const first = await pay(id);
	const running = settle(stage, first);
	await new Promise((resolve) => { setTimeout(resolve, 300); });
	assert.equal((await post(stage, '/settle', await pay(id))).status, 409);
	assert.equal((await running).errorReason, 'settlement_pending');
	assert.equal((await post(stage, '/settle', await pay(id))).status, 409);
	await stage.chain.client.mine({ blocks: 1 });
	await stage.chain.client.setAutomine(true);
	const last = await settle(stage, first);
	assert.equal(last.success, true, JSON.stringify(last));
	assert.deepEqual(await settle(stage, first), last);
});

test('identifier__refused_payment__does_not_take_the_id', async () => {
	const id = freshId();
	const refused = await settle(stage, await pay(id, { fields: { validBefore: '1' } }));
	assert.equal(refused.success, false);
	assert.equal((await settle(stage, await pay(id))).success, true);
});

test('identifier__another_signature_for_the_same_nonce__gains_nothing', async () => {
	const id = freshId();
	const body = await pay(id);
	const { nonce } = body.paymentPayload.payload.authorization;
	const first = await settle(stage, body);
	assert.equal(first.success, true);
	const other = await pay(freshId(), { amount: '2000', fields: { nonce } });
	for (let i = 0; i < 2; i++) {
		const answer = await settle(stage, other);
		assert.deepEqual([answer.success, answer.errorReason], [false, USED]);
	}
});

const BAD = {
	too_short: { id: 'abc' }, too_long: { id: 'a'.repeat(129) }, strange: { id: 'order 0123456789 abcdef' },
	number: { id: 12345678901234567890 }, list: [], no_bool: { required: 'yes', id: 'a'.repeat(16) },
};
for (const [name, info] of Object.entries(BAD))
	test(`identifier__${name}__400`, async () => {
		const { status, body } = await post(stage, '/settle', withInfo(await pay(), info));
		assert.deepEqual([status, body.error.code], [400, 'bad_value']);
	});

test('identifier__required_and_missing__400', async () => {
	const { status, body } = await post(stage, '/settle', withInfo(await pay(), { required: true }));
	assert.deepEqual([status, body.error.code], [400, 'missing_member']);
});

test('identifier__switched_off__not_looked_at', async () => {
	await stage.restart({ FAREBOX_PAYMENT_IDENTIFIER: 'false' });
	assert.deepEqual((await (await fetch(`${stage.url}/supported`)).json()).extensions, []);
	const body = withInfo(await pay(), { required: true, id: 'bad id' });
	assert.equal((await settle(stage, body)).success, true);
	assert.equal((await settle(stage, body)).errorReason, USED);
});
