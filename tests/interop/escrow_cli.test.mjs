// `farebox escrow deploy` and `status`: what they do on the chain, what they say, and everything they refuse.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { generatePrivateKey } from 'viem/accounts';
import { startChain } from '../../testnet/chain.mjs';
import { runFarebox, startFarebox } from '../../testnet/farebox.mjs';
import { Escrow, MAX_128, NO_ADDRESS, openEscrow } from './escrow.mjs';
import { scratchFolder } from './scratch.mjs';
import { askUntil } from './stage.mjs';
import { send } from './token.mjs';

const FAILED = 1, USAGE = 64, UNAVAILABLE = 69, IO = 74, CONFIG = 78;
const NETWORK_FILE = join(import.meta.dirname, '../../testnet/networks/local.json');

let chain, scratch, people;

before(async () => {
	scratch = scratchFolder();
	chain = await startChain({ log: join(scratch.path, 'chain.log') });
	const [signer, owner, payoutRole, pauseRole] = chain.accounts;
	people = { signer, owner, payoutRole, pauseRole };
});
after(async () => {
	await chain?.stop();
	scratch?.dispose();
});

const address = (name) => people[name].address;

// Nothing of the caller's environment but what finds the program.
const run = (args, env = {}) => runFarebox(['escrow', ...args], {
	EVM_NETWORK: 'eip155:84532', EVM_RPC_URL: chain.url, EVM_PRIVATE_KEY: people.signer.privateKey, ESCROW_ADDRESS: '',
	ESCROW_FROM_BLOCK: '', ...env,
});
const lastLine = (text) => JSON.parse(text.trimEnd().split('\n').at(-1));

function deploy({ roles = {}, args = ['--yes'], env = {} } = {}) {
	const flags = {
		'--owner': address('owner'), '--payout-role': address('payoutRole'), '--pause-role': address('pauseRole'),
	};
	return run(['deploy', ...Object.entries({ ...flags, ...roles }).flat(), ...args], env);
}

async function refused(work, code, sentence) {
	const head = await chain.client.getBlockNumber();
	const result = await work();
	assert.equal(result.code, code, result.output);
	assert.match(result.output, sentence);
	assert.equal(result.stdout, '');
	assert.equal(await chain.client.getBlockNumber(), head, 'something was sent');
	assert.ok(!result.output.includes(people.signer.privateKey.slice(2)), 'the key was shown');
}

test('deploy__good_terms__creates_what_was_asked_for', async () => {
	const { code, stdout, output } = await deploy({ args: ['--yes', '--payout-cap', '2.5', '--day-cap', 'none'] });
	assert.equal(code, 0, output);
	assert.equal(stdout.trimEnd().split('\n').length, 1);
	const told = lastLine(stdout);
	const receipt = await chain.client.getTransactionReceipt({ hash: told.transaction });
	assert.equal(told.escrow.toLowerCase(), receipt.contractAddress);
	assert.equal(told.escrowFrom, Number(receipt.blockNumber));
	assert.equal(told.gasUsed, Number(receipt.gasUsed));
	const status = await new Escrow(chain, told.escrow, told.escrowFrom).read('status');
	assert.deepEqual(status, {
		token: chain.usdc, owner: address('owner'), pendingOwner: NO_ADDRESS, payoutRole: address('payoutRole'),
		pauseRole: address('pauseRole'), paused: false, sequence: 4n, payoutCap: 2_500_000n, dayCap: MAX_128,
		paidToday: 0n, balance: 0n,
	});
	for (const text of [told.escrow, told.transaction, address('owner'), address('payoutRole'), address('pauseRole')])
		assert.ok(output.includes(text), text);
});

test('deploy__json_and_roles_of_nobody__says_so', async () => {
	const roles = { '--payout-role': 'nobody', '--pause-role': 'nobody' };
	const { code, stdout, output } = await deploy({ args: ['--yes', '--json'], roles });
	assert.equal(code, 0, output);
	const { payoutRole, pauseRole, payoutCap, dayCap } = lastLine(stdout);
	assert.deepEqual([payoutRole, pauseRole, payoutCap, dayCap], [null, null, '1000000000', '10000000000']);
});

test('status__after_money_and_a_pause__tells_both', async () => {
	const told = lastLine((await deploy()).stdout);
	const escrow = new Escrow(chain, told.escrow, told.escrowFrom);
	await send(chain, address('signer'), 'transfer', told.escrow, 12_345_678n);
	await escrow.write(address('pauseRole'), 'pause');
	await escrow.write(address('owner'), 'transferOwnership', address('signer'));
	const env = { ESCROW_ADDRESS: told.escrow, ESCROW_FROM_BLOCK: String(told.escrowFrom), EVM_PRIVATE_KEY: '' };
	const text = await run(['status'], env);
	assert.equal(text.code, 0, text.output);
	const caps = 'each up to 1000, in a UTC day 10000';
	for (const part of ['12.345678 USDC', 'PAUSED', `offered to ${address('signer')}`, caps])
		assert.ok(text.stdout.includes(part), text.stdout);
	const { block, ...json } = lastLine((await run(['status', '--json'], env)).stdout);
	assert.equal(block, Number(await chain.client.getBlockNumber()));
	assert.deepEqual(json, {
		network: 'eip155:84532', escrow: told.escrow, escrowFrom: told.escrowFrom, token: chain.usdc,
		balance: '12345678', owner: address('owner'), pendingOwner: address('signer'),
		payoutRole: address('payoutRole'), pauseRole: address('pauseRole'), paused: true, payoutCap: '1000000000',
		dayCap: '10000000000', paidToday: '0', sequence: 6, codeIsOurs: true,
	});
});

test('status__of_an_escrow_with_other_code__says_so', async () => {
	const { escrow } = lastLine((await deploy()).stdout);
	await chain.client.setCode({ address: escrow, bytecode: `${await chain.client.getCode({ address: escrow })}00` });
	const text = await run(['status', '--escrow', escrow]);
	assert.match(text.stdout, /code +NOT as this farebox creates it/);
	assert.equal(lastLine((await run(['status', '--json', '--escrow', escrow])).stdout).codeIsOurs, false);
});

test('status__of_the_network_file_or_the_setting__finds_the_escrow', async () => {
	const roles = Object.fromEntries(['owner', 'payoutRole', 'pauseRole'].map((name) => [name, address(name)]));
	const escrow = await openEscrow(chain, roles);
	const network = JSON.parse(readFileSync(NETWORK_FILE, 'utf8'));
	const path = join(scratch.path, 'network.json');
	writeFileSync(path, JSON.stringify({ ...network, escrow: { address: escrow.address, block: escrow.block } }));
	const byFile = lastLine((await run(['status', '--json', '--network-file', path])).stdout);
	const found = [byFile.escrow, byFile.escrowFrom, byFile.payoutCap];
	assert.deepEqual(found, [escrow.address, escrow.block, String(MAX_128)]);
	await refused(() => deploy({ args: ['--yes', '--network-file', path] }), CONFIG, /has an escrow.*--again/);
	const again = await deploy({ args: ['--yes', '--again', '--network-file', path] });
	assert.equal(again.code, 0, again.output);
	const other = lastLine(again.stdout).escrow;
	const bySetting = lastLine((await run(['status', '--json', '--network-file', path, '--escrow', other])).stdout);
	assert.deepEqual([bySetting.escrow, bySetting.escrowFrom], [other, 0]);
});

const WRONG_TERMS = [
	['owner_that_is_no_address', { roles: { '--owner': '0x12' } }, CONFIG, /--owner: "0x12": want an address/],
	['nobody_as_owner', { roles: { '--owner': 'nobody' } }, CONFIG, /--owner: "nobody": want/],
	['zero_as_role', { roles: { '--pause-role': `0x${'0'.repeat(40)}` } }, CONFIG, /--pause-role: .* or nobody/],
	['too_fine_a_cap', { args: ['--yes', '--payout-cap', '0.1234567'] }, CONFIG, /--payout-cap: "0.1234567": want/],
	['negative_cap', { args: ['--yes', '--day-cap', '-1'] }, CONFIG, /--day-cap: "-1": want/],
	['nobody_to_say_yes', { args: [] }, FAILED, /nothing was sent/],
	['unknown_option', { args: ['--yes', '--payout-kap', '1'] }, CONFIG, /--payout-kap: no such setting/],
	['option_twice', { args: ['--yes', '--day-cap', '1', '--day-cap', '2'] }, CONFIG, /--day-cap: no such setting/],
	['no_key', { env: { EVM_PRIVATE_KEY: '' } }, CONFIG, /key is not set/],
	['dear_gas', { env: { FAREBOX_MAX_FEE_GWEI: '1' } }, CONFIG, /max_fee_gwei \(FAREBOX_MAX_FEE_GWEI .*\) allows 1/],
	['poor_signer', { env: { EVM_PRIVATE_KEY: generatePrivateKey() } }, CONFIG, /the signer has 0 gwei and needs/],
	['wrong_chain', { env: { EVM_NETWORK: 'base' } }, CONFIG, /chain id is 84532, expected 8453/],
	['chain_that_is_away', { env: { EVM_RPC_URL: 'http://127.0.0.1:1' } }, UNAVAILABLE, /no RPC endpoint .* answers/],
];
for (const [name, options, code, sentence] of WRONG_TERMS)
	test(`deploy__${name}__is_refused_and_sends_nothing`, () => refused(() => deploy(options), code, sentence));

test('deploy__one_address_for_two_roles__is_refused', async () => {
	const twice = { '--payout-role': address('owner') };
	await refused(() => deploy({ roles: twice }), CONFIG, /different addresses/);
	await refused(() => deploy({ roles: { '--pause-role': address('owner') } }), CONFIG, /different addresses/);
	await refused(() => deploy({ roles: { '--pause-role': address('payoutRole') } }), CONFIG, /different addresses/);
});

test('deploy__while_the_signer_has_a_transaction_under_way__is_refused', async () => {
	await chain.client.setAutomine(false);
	const waiting = { from: address('signer'), to: address('owner'), value: '0x1', gas: '0x5208' };
	await chain.client.request({ method: 'eth_sendTransaction', params: [waiting] });
	await refused(() => deploy(), CONFIG, /transactions under way/);
	await chain.client.mine({ blocks: 1 });
	await chain.client.setAutomine(true);
});

test('deploy__with_the_key_of_a_running_server__is_refused', async () => {
	const [log, data] = ['serve.log', 'data'].map((name) => join(scratch.path, name));
	const payee = people.owner;
	const farebox = await startFarebox({ chainUrl: chain.url, signer: people.signer, payee, data, log });
	await refused(() => deploy(), IO, /in use by another farebox on this machine/);
	await farebox.stop();
	assert.equal((await deploy()).code, 0);
});

test('deploy__mined_late__waits_for_it', async () => {
	await chain.client.setAutomine(false);
	const deploying = deploy();
	await askUntil(() => chain.client.getTxpoolStatus(), ({ pending }) => pending > 0);
	await chain.client.mine({ blocks: 1 });
	await chain.client.setAutomine(true);
	const { code, output } = await deploying;
	assert.equal(code, 0, output);
});

// An endpoint before the chain that answers one method with an error, and may pass the call on nevertheless.
async function openEndpoint(method, { passOn }) {
	const server = createServer(async (request, response) => {
		const body = Buffer.concat(await Array.fromAsync(request)).toString();
		const hit = body.includes(`"${method}"`);
		const headers = { 'Content-Type': 'application/json' };
		const forward = () => fetch(chain.url, { method: 'POST', body, headers });
		const answer = !hit || passOn ? await (await forward()).text() : '';
		const refusal = JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'no luck today' } });
		response.writeHead(200, headers).end(hit ? refusal : answer);
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

test('deploy__refused_by_the_endpoint__leaves_the_outcome_open', async () => {
	const endpoint = await openEndpoint('eth_sendRawTransaction', { passOn: false });
	const { code, stdout, output } = await deploy({ env: { EVM_RPC_URL: endpoint.url } });
	endpoint.close();
	assert.equal(code, UNAVAILABLE, output);
	assert.equal(stdout, '');
	assert.match(output, /Sending transaction 0x[0-9a-f]{64}\nThe escrow will stand at 0x/);
	assert.match(output, /no luck today; the transaction is in no block yet, but may still get into one/);
});

test('deploy__refused_by_the_endpoint_that_took_it__finds_the_receipt', async () => {
	const endpoint = await openEndpoint('eth_sendRawTransaction', { passOn: true });
	const { code, stdout, output } = await deploy({ env: { EVM_RPC_URL: endpoint.url } });
	endpoint.close();
	assert.equal(code, 0, output);
	assert.equal(lastLine(stdout).sequence, 4);
});

test('status__without_a_proper_escrow__is_refused', async () => {
	const status = (env) => () => run(['status'], env);
	await refused(status({}), CONFIG, /no escrow is known of base-sepolia/);
	await refused(status({ ESCROW_ADDRESS: address('owner') }), CONFIG, /there is no escrow at that address/);
	await refused(status({ ESCROW_ADDRESS: chain.usdc }), CONFIG, /is no escrow/);
	await refused(status({ ESCROW_ADDRESS: '0x12' }), CONFIG, /escrow \(ESCROW_ADDRESS in the environment\): "0x12"/);
	await refused(status({ ESCROW_FROM_BLOCK: '7' }), CONFIG, /is set without escrow/);
});

test('escrow__wrong_usage__is_said', async () => {
	for (const args of [[], ['explode'], ['deploy', '--yes']])
		await refused(() => run(args), USAGE, /want/);
	await refused(() => run(['status', '--yes']), CONFIG, /--yes: no such setting/);
	const help = await run(['--help']);
	assert.equal(help.code, 0);
	for (const word of ['--owner', '--payout-role', '--again', 'escrowFrom'])
		assert.ok(help.stdout.includes(word), word);
});
