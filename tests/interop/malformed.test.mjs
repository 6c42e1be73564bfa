// Requests that say something wrong. What is no x402 request gets a 400; what is one gets a verdict with a reason, and
// never a 5xx. Nothing here reaches the chain.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { payment } from './payment.mjs';
import { openStage, post } from './stage.mjs';

const BODY_MAX = 65536;
let stage, body;

before(async () => {
	stage = await openStage();
});
after(() => stage?.close());

const text = (edit) => () => edit(JSON.stringify(body));

// Each member at a path is set to a value; undefined removes it.
function changed(changes) {
	return () => {
		for (const [path, value] of Object.entries(changes)) {
			const keys = path.split('.');
			const last = keys.pop();
			keys.reduce((object, key) => object[key], body)[last] = value;
		}
		return JSON.stringify(body);
	};
}

const inAuthorization = (key, value) => changed({ [`paymentPayload.payload.authorization.${key}`]: value });
const inBoth = (key, value) =>
	changed({ [`paymentRequirements.${key}`]: value, [`paymentPayload.accepted.${key}`]: value });

const REFUSED = [
	{ name: 'empty_body', make: () => '' },
	{ name: 'no_json', make: () => 'payment' },
	{ name: 'cut_off_json', make: text((json) => json.slice(0, -1)) },
	{ name: 'more_after_the_json', make: text((json) => `${json}{}`) },
	{ name: 'array', make: text((json) => `[${json}]`) },
	{ name: 'null', make: () => 'null' },
	{ name: 'duplicate_member', make: text((json) => json.replace('{', '{"x402Version":2,')) },
	{ name: 'deep_nesting', make: () => '['.repeat(1000) + ']'.repeat(1000) },
	{ name: 'no_payload', make: changed({ paymentPayload: undefined }) },
	{ name: 'no_requirements', make: changed({ paymentRequirements: undefined }) },
	{ name: 'payload_of_another_type', make: changed({ paymentPayload: 'e30=' }) },
];
for (const { name, make } of REFUSED)
	for (const path of ['/verify', '/settle'])
		test(`request__${name}_to_${path.slice(1)}__is_a_400`, async () => {
			body = await payment({ payer: stage.payer, payTo: stage.payee.address });
			const answer = await post(stage, path, make());
			assert.equal(answer.status, 400);
			assert.ok(answer.body.error);
		});

const PAYLOAD = 'invalid_payload';
const REQUIREMENTS = 'invalid_payment_requirements';
const VERSION = 'invalid_x402_version';
const NETWORK = ['invalid_network', 'invalid_exact_evm_network_mismatch'];
const SCHEME = ['unsupported_scheme', 'invalid_exact_evm_scheme'];
const JUDGED = [
	{ name: 'unknown_version', want: VERSION, make: changed({ x402Version: 3, 'paymentPayload.x402Version': 3 }) },
	{ name: 'outer_version_differs', want: VERSION, make: changed({ x402Version: 1 }) },
	{ name: 'hex_value', want: PAYLOAD, make: inAuthorization('value', '0x3e8') },
	{ name: 'value_as_number', want: PAYLOAD, make: inAuthorization('value', 1000) },
	{ name: 'negative_value', want: PAYLOAD, make: inAuthorization('value', '-1') },
	{ name: 'exponent_value', want: PAYLOAD, make: inAuthorization('value', '1e3') },
	{ name: 'leading_zero', want: PAYLOAD, make: inAuthorization('value', '01000') },
	{ name: 'value_of_257_bits', want: PAYLOAD, make: inAuthorization('value', String(2n ** 256n)) },
	{ name: 'no_nonce', want: PAYLOAD, make: inAuthorization('nonce', undefined) },
	{ name: 'short_nonce', want: PAYLOAD, make: inAuthorization('nonce', `0x${'11'.repeat(31)}`) },
	{ name: 'long_nonce', want: PAYLOAD, make: inAuthorization('nonce', `0x${'11'.repeat(33)}`) },
	{ name: 'short_payer', want: PAYLOAD, make: inAuthorization('from', '0x1234') },
	{ name: 'no_signature', want: PAYLOAD, make: changed({ 'paymentPayload.payload.signature': undefined }) },
	{ name: 'odd_signature', want: PAYLOAD, make: changed({ 'paymentPayload.payload.signature': '0x123' }) },
	{
		name: 'no_authorization', want: 'unsupported_payload_type',
		make: changed({ 'paymentPayload.payload.authorization': undefined }),
	},
	{ name: 'bad_recipient', want: [REQUIREMENTS, PAYLOAD], make: inBoth('payTo', 'somebody') },
	{ name: 'amount_in_dollars', want: [REQUIREMENTS, PAYLOAD], make: inBoth('amount', '$1') },
	{ name: 'no_asset', want: [REQUIREMENTS, PAYLOAD], make: inBoth('asset', undefined) },
	{ name: 'unknown_scheme', want: SCHEME, make: inBoth('scheme', 'upto') },
	{ name: 'network_not_served', want: NETWORK, make: inBoth('network', 'eip155:1') },
	{ name: 'network_of_another_family', want: NETWORK, make: inBoth('network', 'solana:devnet') },
];
for (const { name, want, make } of JUDGED)
	test(`request__${name}__gets_a_reason`, async () => {
		body = await payment({ payer: stage.payer, payTo: stage.payee.address });
		const sent = make();
		const verdict = await post(stage, '/verify', sent);
		assert.equal(verdict.status, 200);
		assert.equal(verdict.body.isValid, false);
		assert.ok([want].flat().includes(verdict.body.invalidReason), JSON.stringify(verdict.body));

		const answer = await post(stage, '/settle', sent);
		assert.equal(answer.status, 200);
		assert.equal(answer.body.success, false);
		assert.equal(answer.body.errorReason, verdict.body.invalidReason);
		assert.equal(answer.body.transaction, '');
		assert.equal(typeof answer.body.network, 'string');
	});

test('request__unknown_members__are_ignored', async () => {
	body = await payment({ payer: stage.payer, payTo: stage.payee.address });
	const hints = { hint: [1], 'paymentPayload.payload.authorization.memo': 'x', 'paymentRequirements.note': {} };
	const sent = changed(hints)();
	assert.equal((await post(stage, '/verify', sent)).body.isValid, true);
});

test('request__longer_than_the_limit__is_a_413', async () => {
	body = await payment({ payer: stage.payer, payTo: stage.payee.address });
	const sent = changed({ padding: 'x'.repeat(BODY_MAX) })();
	assert.equal((await post(stage, '/verify', sent)).status, 413);
});

test('request__get_of_verify__is_a_405', async () => {
	assert.equal((await fetch(`${stage.url}/verify`)).status, 405);
});
