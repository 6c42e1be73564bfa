// GET /v1/settlements on a real chain: a settlement from its hash to its finality, taken back and in another block, and
// what /settle says of where to look. The stock facilitator client reads the answers as ever.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HTTPFacilitatorClient } from '@x402/core/http';
import { payment } from './payment.mjs';
import { askUntil, openStage, settle } from './stage.mjs';
import { settleAsStranger } from './token.mjs';

const CONFIRMATIONS = 3;
const ANVIL_FINAL_BLOCKS = 64; // anvil calls a block finalized so far below the head
const SOON_MS = 5000;
let stage;

before(async () => {
	stage = await openStage({
		env: {
			FAREBOX_SETTLE_WAIT_MS: '500', FAREBOX_CONFIRMATIONS: String(CONFIRMATIONS), FAREBOX_HEAD_POLL_MS: '50',
		},
	});
	await stage.chain.client.setAutomine(false);
});
after(() => stage?.close());

const pay = () => payment({ payer: stage.payer, payTo: stage.payee.address });
const mine = (blocks) => stage.chain.client.mine({ blocks });

async function get(path) {
	const response = await fetch(`${stage.url}/v1/settlements${path}`);
	return { status: response.status, body: await response.json() };
}

const look = async (id, query = '') => (await get(`/${id}${query}`)).body;

async function settlePending(body) {
	const answer = await settle(stage, body);
	assert.equal(answer.errorReason, 'settlement_pending');
	return answer;
}

async function reaches(id, rung) {
	return (await askUntil(() => look(id), (now) => now.rung === rung)).at(-1);
}

test('settlement__from_hash_to_finality__every_rung_is_told', async () => {
	const body = await pay();
	const { authorization } = body.paymentPayload.payload;
	const answer = await settlePending(body);
	const id = answer.extra.settlementId;
	const sent = await look(id);
	assert.deepEqual(
		[sent.id, sent.state, sent.rung, sent.transaction, sent.blockNumber, sent.reason, sent.granted],
		[id, 'signed', 'sent', answer.transaction, null, null, false]);
	assert.deepEqual([sent.payer, sent.payTo, sent.amount, sent.nonce], [
		authorization.from.toLowerCase(), authorization.to.toLowerCase(), '1000', authorization.nonce,
	]);
	assert.equal(sent.network, 'eip155:84532');
	const age = Date.now() - sent.createdAt;
	assert.ok(age >= 0 && age < 60000, `${age}`);

	const waiting = look(id, '?wait=30');
	await mine(1);
	const included = await waiting;
	const receipt = await stage.chain.client.getTransactionReceipt({ hash: answer.transaction });
	assert.deepEqual([included.rung, included.blockNumber], ['included', Number(receipt.blockNumber)]);
	const again = await settle(stage, body);
	assert.equal(again.success, true, JSON.stringify(again));
	assert.equal(again.extra.settlementId, id);
	assert.equal((await look(id)).granted, true);

	await mine(CONFIRMATIONS);
	assert.equal((await reaches(id, 'confirmed')).transaction, answer.transaction);
	await mine(ANVIL_FINAL_BLOCKS - CONFIRMATIONS);
	const final = await reaches(id, 'final');
	assert.deepEqual([final.blockNumber, final.granted], [included.blockNumber, true]);
	const started = Date.now();
	assert.deepEqual(await look(id, `?wait=60&seen=${final.revision}`), final);
	assert.ok(Date.now() - started < SOON_MS);
});

test('settlement__by_payer_and_nonce__is_the_same', async () => {
	const body = await pay();
	const { from, nonce } = body.paymentPayload.payload.authorization;
	const query = `?payer=${from}&nonce=${nonce}`;
	assert.equal((await get(query)).status, 404);
	const waiting = get(`${query}&wait=30`);
	const { extra } = await settlePending(body);
	const first = await waiting;
	assert.deepEqual([first.status, first.body.id], [200, extra.settlementId]);
	const { body: sent } = await get(`${query}&asset=${stage.chain.usdc}`);
	assert.deepEqual(sent, await look(extra.settlementId));
	await mine(1);
	await reaches(extra.settlementId, 'included');
});

test('settlement__after_a_restart__is_still_there', async () => {
	const { extra } = await settlePending(await pay());
	await mine(1);
	const before_ = await reaches(extra.settlementId, 'included');
	await stage.restart();
	const now = await reaches(extra.settlementId, 'included');
	assert.deepEqual([now.transaction, now.blockNumber], [before_.transaction, before_.blockNumber]);
});

test('settlement__taken_back_by_the_chain__is_sent_and_then_included_again', async () => {
	const body = await pay();
	const { extra: { settlementId: id } } = await settlePending(body);
	await mine(1);
	const first = await reaches(id, 'included');
	assert.equal((await settle(stage, body)).success, true);
	await stage.chain.client.request({ method: 'anvil_reorg', params: [1, []] });
	await mine(1);
	const ask = async () => {
		await mine(1);
		return look(id);
	};
	const again = (now) => now.rung === 'included' && now.blockHash !== first.blockHash;
	const looks = await askUntil(ask, again, { timeoutMs: 60000, pauseMs: 300 });
	assert.ok(looks.some(({ rung }) => rung === 'sent'), JSON.stringify(looks));
	const last = looks.at(-1);
	assert.deepEqual([last.granted, last.reason], [true, null]); // what was given stays given
	const receipt = await stage.chain.client.getTransactionReceipt({ hash: last.transaction });
	assert.equal(receipt.blockHash, last.blockHash);
});

test('settlement__moved_by_a_stranger__is_decided', async () => {
	const body = await pay();
	const { authorization, signature } = body.paymentPayload.payload;
	const answer = await settlePending(body);
	await stage.chain.client.dropTransaction({ hash: answer.transaction });
	const stranger = settleAsStranger(stage.chain, stage.other.address, { authorization, signature });
	await askUntil(() => stage.chain.client.getTxpoolStatus(), ({ pending }) => pending >= 1, { pauseMs: 5 });
	await mine(1);
	await stranger;
	const ask = async () => {
		await mine(1);
		return look(answer.extra.settlementId);
	};
	const last = (await askUntil(ask, ({ state }) => state !== 'signed', { timeoutMs: 60000 })).at(-1);
	// Whoever moved it, the money moved or the authorization is used up: never still open, never unknown.
	assert.ok(['failed', 'included', 'confirmed'].includes(last.state), JSON.stringify(last));
	assert.equal(last.state === 'failed', last.reason !== null);
});

test('settlement__what_is_no_question__is_400', async () => {
	for (const path of ['', '/x', '?payer=0x1', `?payer=${stage.payer.address}`, '/x?wait=1'])
		assert.equal((await get(path)).status, 400, path);
	const { error } = (await get('?payer=0x1')).body;
	assert.equal(error.code, 'bad_value');
	assert.match(error.message, /^payer: want an address/);
});

test('settlement__stock_facilitator_client__keeps_the_id', async () => {
	const client = new HTTPFacilitatorClient({ url: stage.url });
	const { paymentPayload, paymentRequirements } = await pay();
	const answer = await client.settle(paymentPayload, paymentRequirements);
	assert.equal(answer.errorReason, 'settlement_pending');
	await mine(1);
	await askUntil(() => client.settle(paymentPayload, paymentRequirements), ({ success }) => success);
	const { authorization } = paymentPayload.payload;
	const { body } = await get(`?payer=${authorization.from}&nonce=${authorization.nonce}`);
	assert.equal(answer.extra?.settlementId ?? body.id, body.id);
});
