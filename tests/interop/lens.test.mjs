// The lens against the chain itself: every flag it can raise is provoked and compared.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { concat, getAddress, hexToBigInt, pad, sliceHex, toHex } from 'viem';
import { compile } from '../../contracts-abi/compile.mjs';
import { staleFiles } from '../../contracts-abi/build.mjs';
import { startChain } from '../../testnet/chain.mjs';
import { authorize, freshNonce, sign } from './payment.mjs';
import { scratchFolder } from './scratch.mjs';
import { send, settleAsStranger } from './token.mjs';

const LENS = compile(join(import.meta.dirname, '../../contracts-abi/Lens.yul'), 'Lens').creation;
const ITEMS_MAX = 256;
const MAX_128 = 2n ** 128n - 1n;
const CONTRACT = getAddress(pad('0xe0', { size: 20 }));
const NOBODY = getAddress(pad('0xd0', { size: 20 }));
const BITS = {
	hasCode: 255n, nonceUsed: 254n, nonceFailed: 253n, fromBlacklisted: 252n, toBlacklisted: 251n, balanceFailed: 250n,
};

let chain, dispose;

before(async () => {
	const scratch = scratchFolder();
	dispose = scratch.dispose;
	chain = await startChain({ log: join(scratch.path, 'chain.log') });
});
after(async () => {
	await chain?.stop();
	dispose?.();
});

function decodeItem(word) {
	const flags = Object.entries(BITS).filter(([, bit]) => (word >> bit) & 1n).map(([name]) => name);
	return { flags, balance: word & MAX_128 };
}

async function look(token, items) {
	const packed = items.map(({ from, to, nonce = toHex(0, { size: 32 }) }) => concat([from, to, nonce]));
	const { data } = await chain.client.call({ data: concat([LENS, token, ...packed]) });
	const count = (data.length - 2) / 64;
	const words = Array.from({ length: count }, (_, i) => hexToBigInt(sliceHex(data, 32 * i, 32 * i + 32)));
	const [block, timestamp, tokenFlags, ...answers] = words;
	return { block, timestamp, tokenFlags, items: answers.map(decodeItem) };
}

async function useNonce(payer, nonce) {
	const authorization = authorize({ from: payer.address, to: NOBODY, nonce });
	const signature = await sign(payer.privateKey, authorization);
	await settleAsStranger(chain, payer.address, { authorization, signature });
}

test('files__committed__are_what_build_writes', () => {
	assert.deepEqual(staleFiles(), []);
});

test('lens__plain_payer__shows_block_and_balance', async () => {
	const { number, timestamp } = await chain.client.getBlock();
	const [payer] = chain.accounts;
	const seen = await look(chain.usdc, [{ from: payer.address, to: NOBODY }]);
	assert.equal(seen.block, number);
	assert.equal(seen.timestamp, timestamp);
	assert.equal(seen.tokenFlags, 1n);
	assert.deepEqual(seen.items, [{ flags: [], balance: 1_000_000_000_000n }]);
});

test('lens__no_items__shows_the_token_alone', async () => {
	const seen = await look(chain.usdc, []);
	assert.equal(seen.tokenFlags, 1n);
	assert.deepEqual(seen.items, []);
});

test('lens__payer_with_code__is_told_from_one_without', async () => {
	await chain.client.setCode({ address: CONTRACT, bytecode: '0x00' });
	const { items } = await look(chain.usdc, [{ from: CONTRACT, to: NOBODY }, { from: NOBODY, to: CONTRACT }]);
	assert.deepEqual(items.map(({ flags }) => flags), [['hasCode'], []]);
});

test('lens__used_nonce__is_seen_for_its_payer_only', async () => {
	const [one, two] = chain.accounts.map(({ address }) => address);
	const nonce = freshNonce();
	await useNonce(chain.accounts[0], nonce);
	const { items } = await look(chain.usdc, [
		{ from: one, to: NOBODY, nonce }, { from: two, to: NOBODY, nonce }, { from: one, to: NOBODY },
	]);
	assert.deepEqual(items.map(({ flags }) => flags), [['nonceUsed'], [], []]);
});

test('lens__blacklisted_parties__are_told_apart', async () => {
	const [one, two, three] = chain.accounts.map(({ address }) => address);
	await send(chain, chain.owner.address, 'blacklist', two);
	const { items } = await look(chain.usdc, [
		{ from: one, to: two }, { from: three, to: two }, { from: two, to: one }, { from: one, to: three },
		{ from: two, to: two },
	]);
	await send(chain, chain.owner.address, 'unBlacklist', two);
	assert.deepEqual(items.map(({ flags }) => flags), [
		['toBlacklisted'], ['toBlacklisted'], ['fromBlacklisted'], [], ['fromBlacklisted', 'toBlacklisted'],
	]);
});

test('lens__paused_token__raises_bit_1', async () => {
	await send(chain, chain.owner.address, 'pause');
	const { tokenFlags } = await look(chain.usdc, []);
	await send(chain, chain.owner.address, 'unpause');
	assert.equal(tokenFlags, 0b11n);
});

test('lens__token_without_code__tells_of_the_payers_code_only', async () => {
	await chain.client.setCode({ address: CONTRACT, bytecode: '0x00' });
	const seen = await look(NOBODY, [{ from: CONTRACT, to: NOBODY }, { from: chain.accounts[0].address, to: NOBODY }]);
	assert.equal(seen.tokenFlags, 0n);
	assert.deepEqual(seen.items, [{ flags: ['hasCode'], balance: 0n }, { flags: [], balance: 0n }]);
});

const HOSTILE = [
	{ name: 'reverts', code: '0x5f5ffd' },
	{ name: 'answers_nothing', code: '0x00' },
	{ name: 'answers_31_bytes', code: '0x601f5ff3' },
	{ name: 'burns_all_its_gas', code: '0xfe' },
	{ name: 'loops_forever', code: '0x5b5f56' },
];
for (const { name, code } of HOSTILE)
	test(`lens__token_that_${name}__fails_each_question`, async () => {
		const token = getAddress(pad('0xf0', { size: 20 }));
		await chain.client.setCode({ address: token, bytecode: code });
		const seen = await look(token, Array(8).fill({ from: NOBODY, to: NOBODY }));
		assert.equal(seen.tokenFlags, 0b101n);
		assert.deepEqual(seen.items, Array(8).fill({ flags: ['nonceFailed', 'balanceFailed'], balance: 0n }));
	});

test('lens__token_that_answers_all_ones__caps_the_balance_and_reads_every_bool_as_true', async () => {
	const token = getAddress(pad('0xf1', { size: 20 }));
	await chain.client.setCode({ address: token, bytecode: '0x5f195f5260205ff3' });
	const seen = await look(token, [{ from: NOBODY, to: NOBODY }]);
	assert.equal(seen.tokenFlags, 0b11n);
	assert.deepEqual(seen.items, [
		{ flags: ['nonceUsed', 'fromBlacklisted', 'toBlacklisted'], balance: MAX_128 },
	]);
});

test('lens__most_items__fit_in_one_call', async () => {
	const payers = Array.from({ length: ITEMS_MAX }, (_, i) => chain.accounts[1 + (i % 9)].address);
	const { items } = await look(chain.usdc, payers.map((from, i) => ({ from, to: pad(toHex(i + 1), { size: 20 }) })));
	assert.equal(items.length, ITEMS_MAX);
	assert.ok(items.every(({ flags, balance }) => flags.length === 0 && balance === 1_000_000_000_000n));
});
