// Agents register with a wallet they prove, keep their keys over a restart, and nobody gets in by another way.
// Black box: farebox on a chain of its own, messages made and signed by viem.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { createSiweMessage } from 'viem/siwe';
import { runFarebox } from '../../testnet/farebox.mjs';
import { openStage } from './stage.mjs';

let stage;
before(async () => { stage = await openStage(); });
after(() => stage.close());

async function ask(method, path, { body, key } = {}) {
	const headers = key ? { Authorization: `Bearer ${key}` } : {};
	if (body !== undefined)
		headers['Content-Type'] = 'application/json';
	const response = await fetch(stage.url + path, { method, headers, body: body && JSON.stringify(body) });
	return { status: response.status, body: JSON.parse(await response.text()) };
}

const wallet = () => privateKeyToAccount(generatePrivateKey());
const nonce = async () => (await ask('GET', '/v1/auth/siwe/nonce')).body.data.nonce;

async function signed(account, changes = {}) {
	const { host } = new URL(stage.url);
	const message = createSiweMessage({
		address: account.address, chainId: 1, domain: host, nonce: await nonce(),
		uri: `${stage.url}/v1/agents/register`, version: '1', ...changes,
	});
	return { message, signature: await account.signMessage({ message }) };
}

const register = async (account, changes) =>
	ask('POST', '/v1/agents/register', { body: { name: 'an agent', ...await signed(account, changes) } });

test('register__proven_wallet__is_kept_over_a_restart', async () => {
	const account = wallet();
	const { status, body } = await register(account);
	assert.equal(status, 201, JSON.stringify(body));
	const { entityId, apiKey, claimUrl, walletAddress } = body.data;
	assert.equal(walletAddress, account.address);
	const me = await ask('GET', '/v1/agents/me', { key: apiKey });
	assert.equal(me.body.data.entityId, entityId);
	assert.equal(me.body.data.claimUrl, claimUrl);
	await stage.restart();
	assert.deepEqual((await ask('GET', '/v1/agents/me', { key: apiKey })).body.data.walletAddress, account.address);
	assert.equal((await register(account)).status, 409);
});

test('register__each_fault__is_400_and_writes_nothing', async () => {
	const account = wallet();
	const good = { name: 'x', ...await signed(account) };
	const faults = [
		[{ ...good, name: 1 }, 'name'], [{ ...good, name: '' }, 'name'], [{ ...good, name: 'x'.repeat(101) }, 'name'],
		[{ ...good, description: 7 }, 'description'], [{ ...good, message: 5 }, 'message'],
		[{ ...good, message: `${good.message}\n` }, 'message'], [{ ...good, signature: '0x00' }, 'signature'],
		[{ ...good, more: 1 }, 'more'], [{ name: 'x', message: good.message }, 'signature'],
		[{ name: 'x', ...await signed(account, { domain: 'other.example' }) }, 'message'],
		[{ name: 'x', ...await signed(account, { chainId: 10 }) }, 'message'],
		[{ name: 'x', ...await signed(account, { nonce: '0123456789abcdef' }) }, 'message'],
		[{ name: 'x', ...await signed(account, { expirationTime: new Date(Date.now() - 1000) }) }, 'message'],
		[{ name: 'x', ...await signed(account, { notBefore: new Date(Date.now() + 60000) }) }, 'message'],
		[{ name: 'x', ...await signed(account), signature: (await signed(wallet())).signature }, 'signature'],
	];
	for (const [body, field] of faults) {
		const answer = await ask('POST', '/v1/agents/register', { body });
		assert.equal(answer.status, 400, JSON.stringify(answer));
		assert.ok(answer.body.error.details[0].startsWith(`${field}:`), JSON.stringify(answer.body));
	}
	assert.equal((await register(account)).status, 201);
});

test('register__same_nonce_twice__is_refused', async () => {
	const body = { name: 'x', ...await signed(wallet()) };
	assert.equal((await ask('POST', '/v1/agents/register', { body })).status, 201);
	const again = await ask('POST', '/v1/agents/register', { body });
	assert.equal(again.body.error.code, 'invalid_nonce');
});

test('register__200_at_once_for_one_wallet__makes_one', async () => {
	const account = wallet();
	const answers = await Promise.all(Array.from({ length: 200 }, () => register(account)));
	assert.equal(answers.filter(({ status }) => status === 201).length, 1);
	assert.equal(answers.filter(({ status }) => status === 409).length, 199);
});

test('wallet__another_one_proven__replaces_the_first_and_frees_it', async () => {
	const [first, second] = [wallet(), wallet()];
	const key = (await register(first)).body.data.apiKey;
	const changed = await ask('PUT', '/v1/agents/me/wallet', { key, body: await signed(second) });
	assert.equal(changed.body.data.walletAddress, second.address);
	assert.equal((await register(second)).status, 409);
	assert.equal((await register(first)).status, 201);
	const taken = await ask('PUT', '/v1/agents/me/wallet', { key, body: await signed(first) });
	assert.equal(taken.body.error.code, 'wallet_taken');
});

test('keys__an_owner_id_that_exists__needs_a_key_of_it', async () => {
	const owner_id = `owner-${Date.now()}`;
	const made = await ask('POST', '/api/v1/keys', { body: { owner_id } });
	assert.equal(made.status, 201);
	const { key_id, secret } = made.body;
	const valid = await ask('POST', '/api/v1/keys/validate', { body: { key_id, secret } });
	assert.deepEqual(valid.body, { valid: true, owner_id, role: 'buyer', rate_limit: 60 });
	assert.equal((await ask('POST', '/api/v1/keys', { body: { owner_id } })).status, 401);
	const key = `${key_id}:${secret}`;
	assert.equal((await ask('POST', '/api/v1/keys', { key, body: { owner_id, role: 'provider' } })).status, 201);
	assert.equal((await ask('POST', '/api/v1/keys', { key, body: { owner_id, role: 'admin' } })).status, 403);
	assert.equal((await ask('POST', '/api/v1/keys', { key, body: { owner_id: 'another' } })).status, 403);
	assert.equal((await ask('GET', '/v1/agents/me', { key })).status, 403);
	assert.equal((await ask('GET', '/v1/agents/me', { key: 'fbk_0' })).status, 401);
});

test('claim__link_of_an_agent__works_once', async () => {
	const { apiKey, claimUrl, entityId } = (await register(wallet())).body.data;
	const made = (await ask('POST', '/api/v1/keys', { body: { owner_id: `human-${Date.now()}` } })).body;
	const key = `${made.key_id}:${made.secret}`;
	const path = new URL(claimUrl).pathname;
	assert.equal((await ask('GET', path)).body.data.entityId, entityId);
	assert.equal((await ask('POST', path, { key: apiKey })).status, 403);
	assert.equal((await ask('POST', path, { key })).status, 200);
	assert.equal((await ask('POST', path, { key })).status, 404);
	assert.equal((await ask('GET', '/v1/agents', { key })).body.data.items[0].entityId, entityId);
	assert.equal((await ask('GET', '/v1/agents/me', { key: apiKey })).body.data.claimed, true);
});

test('admin_key__made_while_the_server_is_stopped__may_make_keys_for_anybody', async () => {
	const busy = await runFarebox(['admin-key', 'new', '--data', stage.data]);
	assert.equal(busy.code, 74, busy.output);
	await stage.stop();
	const { code, stdout, output } = await runFarebox(['admin-key', 'new', '--data', stage.data]);
	assert.equal(code, 0, output);
	await stage.start();
	const key = stdout.trim();
	const body = { owner_id: `made-${Date.now()}`, role: 'provider' };
	assert.equal((await ask('POST', '/api/v1/keys', { key, body })).status, 201);
	const admin = { owner_id: 'operator', role: 'admin' };
	assert.equal((await ask('POST', '/api/v1/keys', { key, body: admin })).status, 201);
});
