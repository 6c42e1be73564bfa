// `farebox pay` against servers that misbehave. Whatever they do, it signs at most one payment, and says how it ended.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { FAREBOX, runFarebox } from '../../testnet/farebox.mjs';
import { requirementsV1, requirementsV2 } from './payment.mjs';
import { scratchFolder } from './scratch.mjs';

// The second of the well-known development keys; nothing here reaches a chain.
const KEY = '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d';
const PAY_TO = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC';
const BOUGHT = 0, REFUSED = 1, USAGE = 64, UNKNOWN = 69, OUTPUT = 74;

let scratch, shop;

before(() => { scratch = scratchFolder(); });
after(() => scratch.dispose());
afterEach(() => shop?.close());

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64');
const quoteV2 = (fields, extra) => encode({
	x402Version: 2, error: 'Payment required', resource: { url: 'http://shop/', description: 'a thing', ...extra },
	accepts: [{ ...requirementsV2({ payTo: PAY_TO }), ...fields }],
});
const quoteV1 = (fields) => JSON.stringify({
	x402Version: 1, error: 'Payment required', accepts: [{ ...requirementsV1({ payTo: PAY_TO }), ...fields }],
});

const ask = (fields, extra) => (response) =>
	response.writeHead(402, { 'PAYMENT-REQUIRED': quoteV2(fields, extra) }).end('{}');
const askV1 = (fields) => (response) => response.writeHead(402).end(quoteV1(fields));
const say = (status, headers = {}, body = `status ${status}`) => (response) =>
	response.writeHead(status, headers).end(body);
const sell = say(200, {}, 'the thing');
const drop = (response) => response.socket.destroy();
const cutShort = (response) =>
	response.writeHead(200, { 'Content-Length': '9' }).write('the', () => drop(response));
const longHeaders = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`X-${i}`, 'x'.repeat(8000)]));
const receipt = (fields) => encode({ success: true, transaction: '', network: 'eip155:84532', payer: '', ...fields });

// Answers the requests one after the other, the last answer again and again.
// payments: what came in PAYMENT-SIGNATURE or X-PAYMENT.
async function openShop(answers) {
	const payments = [];
	let requests = 0;
	const server = createServer((request, response) => {
		const payment = request.headers['payment-signature'] ?? request.headers['x-payment'];
		if (payment)
			payments.push(payment);
		answers[Math.min(requests++, answers.length - 1)](response, request);
	});
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
	shop = {
		url: `http://127.0.0.1:${server.address().port}/thing`, payments,
		requests: () => requests,
		close: () => { server.closeAllConnections(); server.close(); },
	};
	return shop;
}

async function buy(answers, ...args) {
	const { url } = await openShop(answers);
	const result = await runFarebox(['pay', url, '--yes', ...args], { EVM_PRIVATE_KEY: KEY });
	assert.ok(new Set(shop.payments).size <= 1, 'a second payment was signed');
	assert.doesNotMatch(result.output, /PANIC|Sanitizer/);
	return result;
}

const lastLine = (text) => text.trimEnd().split('\n').at(-1);

// ---- the outcome ---------------------------------------------------------------------------------------------

const ROWS = [
	{ name: 'sold', answers: [ask(), sell], code: BOUGHT, paid: 1 },
	{ name: 'sold_in_v1', answers: [askV1(), sell], code: BOUGHT, paid: 1 },
	{ name: 'free', answers: [sell], code: BOUGHT, paid: 0 },
	{ name: 'asks_again_after_the_payment', answers: [ask()], code: REFUSED, paid: 1 },
	{ name: 'asks_for_more_after_the_payment', answers: [ask(), ask({ amount: '2000' })], code: REFUSED, paid: 1 },
	{ name: 'refuses_the_payment', answers: [ask(), say(400)], code: REFUSED, paid: 1 },
	{ name: 'sends_elsewhere', answers: [say(302, { Location: 'http://elsewhere/' })], code: REFUSED, paid: 0 },
	{
		name: 'sends_elsewhere_after_the_payment', answers: [ask(), say(307, { Location: '/stolen' })],
		code: REFUSED, paid: 1,
	},
	{ name: 'not_now_then_sold', answers: [ask(), say(503, { 'Retry-After': '0' }), sell], code: BOUGHT, paid: 2 },
	{
		name: 'too_many_requests_then_sold', answers: [ask(), say(429, { 'Retry-After': '0' }), sell],
		code: BOUGHT, paid: 2,
	},
	{ name: 'broken_then_sold', answers: [ask(), say(500, { 'Retry-After': '0' }), sell], code: BOUGHT, paid: 2 },
	{
		name: 'odd_retry_after_then_sold', code: BOUGHT, paid: 2,
		answers: [ask(), say(502, { 'Retry-After': 'Wed, 21 Oct 2015 07:28:00 GMT' }), sell],
	},
	{ name: 'hangs_up_then_sold', answers: [ask(), drop, sell], code: BOUGHT, paid: 2 },
	{
		name: 'answer_cut_short_then_sold', code: BOUGHT, paid: 2,
		answers: [ask(), cutShort, sell],
	},
	{
		name: 'never_decides', code: UNKNOWN, paid: (n) => n > 1 && n < 8,
		answers: [ask({ maxTimeoutSeconds: 3 }), say(503, { 'Retry-After': '1' })],
	},
	{
		name: 'answer_too_large', code: UNKNOWN, paid: 1,
		answers: [ask(), say(200, {}, Buffer.alloc(9 << 20, 'x'))],
	},
	{
		name: 'header_too_large', code: UNKNOWN, paid: 1,
		answers: [ask(), say(200, longHeaders)],
	},
	{
		name: 'garbled_receipt', answers: [ask(), say(200, { 'PAYMENT-RESPONSE': '%%%' }, 'the thing')],
		code: BOUGHT, paid: 1,
	},
	{
		name: 'receipt_of_nonsense', answers: [ask(), say(200, { 'PAYMENT-RESPONSE': '{"success":[]}' }, 'the thing')],
		code: BOUGHT, paid: 1,
	},
	{ name: 'no_quote', answers: [say(402)], code: REFUSED, paid: 0 },
	{ name: 'garbled_quote', answers: [say(402, { 'PAYMENT-REQUIRED': '!!!' })], code: REFUSED, paid: 0 },
	{
		name: 'quote_of_v3', answers: [say(402, { 'PAYMENT-REQUIRED': encode({ x402Version: 3 }) })],
		code: REFUSED, paid: 0,
	},
	{ name: 'other_network', answers: [ask({ network: 'eip155:1' })], code: REFUSED, paid: 0 },
	{ name: 'other_scheme', answers: [ask({ scheme: 'upto' })], code: REFUSED, paid: 0 },
	{ name: 'other_asset', answers: [ask({ asset: PAY_TO })], code: REFUSED, paid: 0 },
	{ name: 'other_domain', answers: [ask({ extra: { name: 'USD Coin', version: '2' } })], code: REFUSED, paid: 0 },
	{ name: 'above_the_limit', answers: [ask({ amount: '1000001' }), sell], code: REFUSED, paid: 0 },
	{ name: 'at_the_limit', answers: [ask({ amount: '1000000' }), sell], code: BOUGHT, paid: 1 },
	{ name: 'amount_of_300_bits', answers: [ask({ amount: String(2n ** 300n) }), sell], code: REFUSED, paid: 0 },
];

for (const { name, answers, code, paid } of ROWS)
	test(`pay__${name}__ends_with_${code}`, async () => {
		const result = await buy(answers);
		assert.equal(result.code, code, result.output);
		const count = shop.payments.length;
		assert.ok(typeof paid === 'function' ? paid(count) : count === paid, `${count} requests with a payment`);
		if (code === BOUGHT)
			assert.match(result.stdout, /^the thing$/m);
		if (code === UNKNOWN)
			assert.match(result.output, /^farebox: .* it may have been settled/m);
	});

test('pay__answer_sent_elsewhere__is_not_followed_and_told', async () => {
	const { output } = await buy([say(301, { Location: 'http://elsewhere/\u009b2J' })]);
	assert.match(output, /^farebox: the server sends on to http:\/\/elsewhere\/\?2J: /m);
	assert.equal(shop.requests(), 1);
});

test('pay__nobody_there__ends_with_unavailable_and_signs_nothing', async () => {
	const { url } = await openShop([sell]);
	shop.close();
	const { code, output } = await runFarebox(['pay', url, '--yes'], { EVM_PRIVATE_KEY: KEY });
	assert.equal(code, UNKNOWN);
	assert.match(output, /^farebox: \S+ cannot be reached: connection refused\n$/);
});

test('pay__outcome_unknown__json_says_so_too', async () => {
	const { code, stdout } = await buy([ask({ maxTimeoutSeconds: 1 }), drop], '--json');
	const { status, paid, receipt: got, quote } = JSON.parse(stdout);
	assert.equal(code, UNKNOWN);
	assert.deepEqual({ status, paid, got }, { status: 0, paid: true, got: null });
	assert.equal(quote.amount, '1000');
});

// ---- what a server says is not to be trusted ---------------------------------------------------------------------

const FORBIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

test('pay__server_paints_on_the_terminal__comes_out_plain', async () => {
	const trick = '\u001b[2J\u001b[1;1HQuote: 0.000001 USDC\r\n\u009bA\u202e';
	const reason = { success: false, errorReason: `x${trick}`, errorMessage: trick };
	const described = ask({}, { description: `gr\u00fcn ${trick}` });
	const { output } = await buy([described, say(402, { 'PAYMENT-RESPONSE': receipt(reason) })]);
	assert.doesNotMatch(output, FORBIDDEN);
	assert.match(output, /^ {2}for: gr\u00fcn \?\[2J/m);
	assert.match(output, /^ {2}reason: x\?\[2J/m);
	assert.doesNotMatch(output, /^Quote: /m);
});

// The escapes make the client copy the text: as much of it as leaves just too little memory for what comes later.
test('pay__quote_that_fills_the_memory__is_paid_or_refused', async () => {
	for (let kib = 780; kib < 980; kib += 12) {
		const description = `\\u0041${'x'.repeat(kib * 1024)}`;
		const body = quoteV1().replace('"a thing"', `"${description}"`);
		const sold = say(200, { 'X-PAYMENT-RESPONSE': receipt() }, 'the thing');
		const { code, output } = await buy([say(402, {}, body), sold]);
		assert.ok(code === BOUGHT || code === REFUSED || code === 78, output.slice(-500));
		shop.close();
	}
});

test('pay__token_of_other_decimals_in_a_network_file__moves_no_limit', async () => {
	const network = JSON.parse(readFileSync(join(import.meta.dirname, '../../testnet/networks/base.json')));
	const path = join(scratch.path, 'network.json');
	network.tokens[0].decimals = 18;
	writeFileSync(path, JSON.stringify(network));
	const { code } = await buy([ask({ amount: '1000001' }), sell], '--network-file', path);
	assert.equal(code, REFUSED);
	assert.equal(shop.payments.length, 0);
});

// ---- the command line ----------------------------------------------------------------------------------------------

const WRONG = [
	['--method', ''], ['--method', 'GET /x'], ['--method', 'get'], ['--max', 'much'], ['--max', '0.0000001'],
	['--x402-version', '3'], ['--x402-version', '22'], ['--method'], ['--pay-all'], ['http://second/'],
];
for (const args of WRONG)
	test(`pay__arguments_${args.join('_')}__are_wrong_usage`, async () => {
		const { code, output } = await buy([ask(), sell], ...args);
		assert.equal(code, USAGE, output);
		assert.match(lastLine(output), /^farebox: /);
		assert.equal(shop.payments.length, 0);
	});

for (const [name, key] of [['no_variable', '$FB_NO_SUCH'], ['no_file', '/no/such/file'], ['the_key_itself', KEY]])
	test(`pay__key_is_${name}__ends_before_anything_is_signed`, async () => {
		const { code, output } = await buy([ask(), sell], '--key', key);
		assert.equal(code, 78);
		assert.equal(shop.payments.length, 0);
		assert.ok(!output.includes(KEY.slice(2, 20)));
	});

test('pay__output_cannot_be_written__is_no_success', async () => {
	const { url } = await openShop([ask(), sell]);
	const env = { ...process.env, EVM_PRIVATE_KEY: KEY };
	const child = spawn(FAREBOX, ['pay', url, '--yes'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
	child.stdout.destroy(); // nobody reads
	assert.equal(await new Promise((resolve) => { child.once('exit', resolve); }), OUTPUT);
});
