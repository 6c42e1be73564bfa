// The start and the end of `farebox serve`. Whatever is wrong, it ends by itself with one sentence and an exit code,
// and the next start finds nothing half done; a signal is obeyed at any time; secrets are shown nowhere.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChain } from '../../testnet/chain.mjs';
import { FAREBOX, runFarebox, startFarebox } from '../../testnet/farebox.mjs';
import { scratchFolder } from './scratch.mjs';
import { askUntil } from './stage.mjs';

const USAGE = 64, UNAVAILABLE = 69, IO = 74, CONFIG = 78;
const END_MS = 20000; // by then it ends by itself, or is ended and that is the test's failure
const NOWHERE = 'http://127.0.0.1:1';
const PAYEE = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC';

let scratch, chain, key;
const closers = [];

before(async () => {
	scratch = scratchFolder();
	chain = await startChain({ log: join(scratch.path, 'chain.log') });
	key = chain.accounts[0].privateKey;
});
afterEach(async () => {
	for (const close of closers.splice(0).reverse())
		await close();
});
after(async () => {
	await chain?.stop();
	scratch.dispose();
});

let folders = 0;
const freshData = () => join(scratch.path, `data-${folders++}`);

// The settings of a good start; changes replace or, undefined, remove.
function goodEnv(data, changes = {}) {
	const env = {
		PATH: process.env.PATH, PORT: '0', EVM_NETWORK: 'eip155:84532', EVM_RPC_URL: chain.url, EVM_PRIVATE_KEY: key,
		FAREBOX_DATA: data, FAREBOX_LOCAL_CHAIN: 'true', EVM_PAYEE_ADDRESS: PAYEE, ...changes,
	};
	return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}

// Runs to its end: { code, signal, stdout, stderr }. child: what else is to be done with it.
function runServe(env, args = [], child = () => {}) {
	return new Promise((resolve, reject) => {
		const process_ = spawn(FAREBOX, ['serve', ...args], {
			env, stdio: ['ignore', 'pipe', 'pipe'], timeout: END_MS, killSignal: 'SIGKILL',
		});
		let stdout = '', stderr = '';
		process_.stdout.on('data', (chunk) => { stdout += chunk; });
		process_.stderr.on('data', (chunk) => { stderr += chunk; });
		process_.once('error', reject);
		process_.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
		child(process_);
	});
}

async function startServe(data, env = {}) {
	const farebox = await startFarebox({
		chainUrl: chain.url, signer: chain.accounts[0], payee: chain.accounts[2], data,
		log: join(scratch.path, `serve-${folders++}.log`), env,
	});
	closers.push(() => farebox.stop());
	return farebox;
}

async function checkStartsAndEnds(data) {
	const farebox = await startServe(data);
	assert.equal((await fetch(`${farebox.url}/healthz`)).status, 200);
	await farebox.stop();
	assert.deepEqual(await farebox.exited, { code: 0, signal: null });
}

function checkSentence({ stdout, stderr, signal }, sentence) {
	const lines = stderr.trimEnd().split('\n');
	const said = lines.filter((line) => !line.startsWith('{'));
	assert.equal(signal, null);
	assert.deepEqual(said, [lines.at(-1)], stderr); // one sentence, last
	assert.match(lines.at(-1), /^farebox: /);
	assert.match(lines.at(-1), sentence);
	assert.doesNotMatch(stdout, /listening/);
	assert.doesNotMatch(stderr, /PANIC|Sanitizer|"level":"broken"/);
}

function write(name, text, mode = 0o600) {
	const path = join(scratch.path, name);
	writeFileSync(path, text);
	chmodSync(path, mode);
	return path;
}

// ---- a start that cannot be --------------------------------------------------------------------------------------

const keystore = async () => {
	const path = join(scratch.path, 'keystore.json');
	if (!existsSync(path)) {
		const passphrase = write('passphrase', 'correct horse\n');
		assert.equal((await runFarebox(['key', 'new', path, '--light', '--passphrase-file', passphrase])).code, 0);
	}
	return path;
};

// env and args may be functions, also async ones.
const FAULTS = [
	{ name: 'no_key', env: { EVM_PRIVATE_KEY: undefined }, code: CONFIG, says: /key is not set: set EVM_PRIVATE_KEY/ },
	{ name: 'key_of_rubbish', env: { EVM_PRIVATE_KEY: 'zz' }, code: CONFIG, says: /\$EVM_PRIVATE_KEY must hold/ },
	{ name: 'key_of_zero', env: { EVM_PRIVATE_KEY: `0x${'0'.repeat(64)}` }, code: CONFIG, says: /no key/ },
	{ name: 'key_file_missing', args: ['--key', '/no/such'], code: CONFIG, says: /\/no\/such: No such file/ },
	{ name: 'key_file_open_to_all', args: () => ['--key', write('open', key, 0o644)], code: CONFIG, says: /chmod 600/ },
	{
		name: 'keystore_without_passphrase_file',
		args: async () => ['--key', await keystore(), '--passphrase', '/no/such'],
		code: CONFIG, says: /keystore.json: no passphrase: .*\/no\/such: No such file/,
	},
	{
		name: 'keystore_without_passphrase_variable',
		args: async () => ['--key', await keystore(), '--passphrase', '$FB_NONE'],
		code: CONFIG, says: /no passphrase: the variable FB_NONE is not set/,
	},
	{
		name: 'keystore_with_another_passphrase', code: CONFIG, says: /keystore.json: .*passphrase/,
		env: { FAREBOX_PASSPHRASE: 'wrong horse' }, args: async () => ['--key', await keystore()],
	},
	{
		name: 'bind_to_a_name', args: ['--bind', 'localhost'],
		code: CONFIG, says: /bind \(flag --bind\): "localhost": want a numeric/,
	},
	{ name: 'bind_to_half_an_address', args: ['--bind', '127.1'], code: CONFIG, says: /want a numeric/ },
	{
		name: 'bind_to_an_address_of_others', args: ['--bind', '127.0.0.1', '--port', '1', '--bind=::2'],
		code: CONFIG, says: /set twice/,
	},
	{ name: 'open_to_the_world', args: ['--bind', '0.0.0.0'], code: CONFIG, says: /let anyone settle/ },
	{ name: 'open_to_the_world_v6', args: ['--bind', '::'], code: CONFIG, says: /let anyone settle/ },
	{
		name: 'more_confirmations_than_depth', args: ['--confirmations', '65'],
		code: CONFIG, says: /confirmations \(flag --confirmations\): want at most reorg_depth_max \(default\), 64/,
	},
	{
		name: 'final_before_confirmed', args: ['--finality-blocks', '11'],
		code: CONFIG, says: /finality_blocks \(flag --finality-blocks\): want at least confirmations \(default\), 12/,
	},
	{
		name: 'open_without_budget', args: ['--bind', '0.0.0.0', '--open-settle'],
		code: CONFIG, says: /needs a gas budget/,
	},
	{
		name: 'test_hooks_for_the_world', args: ['--bind', '0.0.0.0', '--test-hooks'],
		code: CONFIG, says: /loopback only/,
	},
	{
		name: 'payee_of_a_wrong_checksum', args: ['--pay-to', PAYEE.replace('C44', 'c44')],
		code: CONFIG, says: /pay_to .*checksum/,
	},
	{ name: 'api_keys_missing', args: ['--api-keys', '/no/such'], code: CONFIG, says: /\/no\/such: No such file/ },
	{
		name: 'api_keys_by_path_in_the_variable', env: { FAREBOX_API_KEYS: '/etc/passwd' },
		code: CONFIG, says: /path of a file, want the keys/,
	},
	{
		name: 'api_keys_empty', args: () => ['--api-keys', write('none', '# none\n')],
		code: CONFIG, says: /holds no key/,
	},
	{ name: 'demo_for_nothing', env: { FAREBOX_DEMO_PRICE: '0' }, code: CONFIG, says: /demo_price .*above 0/ },
	{
		name: 'public_url_without_scheme', args: ['--public-url', 'pay.example'],
		code: CONFIG, says: /public_url .*https:/,
	},
	{
		name: 'public_url_too_long', args: ['--public-url', `https://${'a'.repeat(400)}`],
		code: CONFIG, says: /at most 400/,
	},
	{ name: 'rpc_url_without_host', args: ['--rpc-url', 'http://'], code: CONFIG, says: /rpc_url \(flag --rpc-url\)/ },
	{ name: 'rpc_url_of_blanks', args: ['--rpc-url', 'http://a b'], code: CONFIG, says: /rpc_url \(flag --rpc-url\)/ },
	{ name: 'no_rpc_url', env: { EVM_RPC_URL: undefined }, code: CONFIG, says: /rpc_url is not set/ },
	{
		name: 'chain_not_there', env: { EVM_RPC_URL: NOWHERE },
		code: UNAVAILABLE, says: /connection refused .*EVM_RPC_URL/,
	},
	{ name: 'another_chain', env: { EVM_NETWORK: 'base' }, code: CONFIG, says: /chain id is 84532, expected 8453/ },
	{ name: 'unknown_network', env: { EVM_NETWORK: 'moon' }, code: CONFIG, says: /no network is called "moon"/ },
	{
		name: 'network_file_of_rubbish', args: () => ['--network-file', write('rubbish', '{')],
		code: CONFIG, says: /no valid JSON/,
	},
	{
		name: 'data_is_a_file', env: () => ({ FAREBOX_DATA: write('file', '') }),
		code: IO, says: /a file is in its place/,
	},
	{ name: 'data_in_nowhere', env: { FAREBOX_DATA: '/proc/farebox' }, code: IO, says: /\/proc\/farebox/ },
	{ name: 'unknown_flag', args: ['--prot', '1'], code: CONFIG, says: /did you mean --port/ },
	{ name: 'number_out_of_range', env: { PORT: '65536' }, code: CONFIG, says: /PORT = 65536: want 0\.\.65535/ },
];

const resolved = async (value) => (typeof value === 'function' ? value() : value);

for (const { name, env, args, code, says } of FAULTS)
	test(`serve__${name}__ends_with_${code}`, async () => {
		const result = await runServe(goodEnv(freshData(), await resolved(env)), await resolved(args));
		checkSentence(result, says);
		assert.equal(result.code, code);
	});

// config check comes to the same end, unless one has to ask chain, disk or ports.
for (const { name, env, args, code, says } of FAULTS.filter((row) => !/chain|data/.test(row.name)))
	test(`config_check__${name}__ends_with_${code}`, async () => {
		const none = { EVM_RPC_URL: '', EVM_PRIVATE_KEY: '' }; // an empty variable counts as not set
		const settings = { ...none, ...goodEnv(freshData(), await resolved(env)) };
		const result = await runFarebox(['config', 'check', ...((await resolved(args)) ?? [])], settings);
		assert.equal(result.code, code, result.output);
		assert.match(result.output, says);
	});

const listen = (server, port = 0) => new Promise((resolve, reject) => {
	server.once('error', reject);
	server.listen(port, '127.0.0.1', () => resolve(server.address().port));
});

async function takePort() {
	const server = createServer();
	closers.push(() => new Promise((resolve) => { server.close(resolve); }));
	return listen(server);
}

for (const [name, variable] of [['api', 'PORT'], ['metrics', 'FAREBOX_METRICS_PORT']])
	test(`serve__${name}_port_taken__ends_and_leaves_nothing`, async () => {
		const port = await takePort();
		const data = freshData();
		const result = await runServe(goodEnv(data, { [variable]: String(port) }));
		checkSentence(result, new RegExp(`127\\.0\\.0\\.1 port ${port}: Address already in use`));
		assert.equal(result.code, CONFIG);
		await checkStartsAndEnds(data);
	});

test('serve__data_of_a_running_farebox__ends_and_the_other_goes_on', async () => {
	const data = freshData();
	const first = await startServe(data);
	const result = await runServe(goodEnv(data, { FAREBOX_HANDOVER_S: '1' }));
	checkSentence(result, /in use by another farebox/);
	assert.equal(result.code, IO);
	assert.equal((await fetch(`${first.url}/readyz`)).status, 200);
});

// ---- signers -----------------------------------------------------------------------------------------------------

// Two processes with one key would take each other's nonces: the second waits, and goes on when the first has ended.
test('serve__key_of_a_running_farebox_with_other_data__waits_until_that_ends', async () => {
	const first = await startServe(freshData());
	const second = startServe(freshData());
	await sleep(1000);
	assert.equal((await fetch(`${first.url}/healthz`)).status, 200);
	await first.stop();
	assert.equal((await fetch(`${(await second).url}/healthz`)).status, 200);
});

test('serve__more_keys__a_lane_each_and_all_are_named', async () => {
	const more = chain.accounts.slice(4, 7), file = join(scratch.path, 'one-key');
	writeFileSync(file, `${more[2].privateKey}\n`, { mode: 0o600 });
	const lines = `${more[0].privateKey}\n\n $FB_ANOTHER\n${file}\n`;
	const several = await startServe(freshData(), { FAREBOX_MORE_KEYS: lines, FB_ANOTHER: more[1].privateKey });
	const { signers } = await (await fetch(`${several.url}/supported`)).json();
	assert.deepEqual(Object.values(signers).flat(), [chain.accounts[0], ...more].map(({ address }) => address));
	assert.equal((await fetch(`${several.url}/readyz`)).status, 200);
});

for (const [name, lines, says] of [
	['twice', () => `${chain.accounts[4].privateKey}\n${chain.accounts[4].privateKey}`, /one key is named twice/],
	['the_first_again', () => key, /one key is named twice/],
	['rubbish', () => '0xzz', /line 1 is no key/],
	['too_many', () => chain.accounts.slice(1, 9).map(({ privateKey }) => privateKey).join('\n'), /at most 8 keys/],
])
	test(`serve__more_keys_${name}__refused_and_no_key_is_shown`, async () => {
		const result = await runServe(goodEnv(freshData(), { FAREBOX_MORE_KEYS: lines() }));
		checkSentence(result, says);
		assert.equal(result.code, CONFIG);
		checkNoSecret(result.stderr);
	});

// ---- signals -----------------------------------------------------------------------------------------------------

// An endpoint that passes on so many requests and then never answers.
async function openSilentProxy(passing) {
	let seen = 0;
	const server = createServer((request, response) => {
		if (seen++ >= passing)
			return;
		const onwards = httpRequest(chain.url, { method: 'POST', headers: request.headers }, (answer) => {
			response.writeHead(answer.statusCode, answer.headers);
			answer.pipe(response);
		});
		request.pipe(onwards);
	});
	const port = await listen(server);
	closers.push(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));
	return { url: `http://127.0.0.1:${port}`, isSilent: () => seen > passing };
}

for (const signal of ['SIGTERM', 'SIGINT'])
	for (const passing of [0, 1])
		test(`serve__${signal}_while_waiting_for_answer_${passing + 1}_of_the_chain__ends_at_once`, async () => {
			const proxy = await openSilentProxy(passing);
			const data = freshData();
			const env = goodEnv(data, { EVM_RPC_URL: proxy.url, FAREBOX_RPC_TIMEOUT_MS: '60000' });
			let asked;
			const result = await runServe(env, [], async (child) => {
				await askUntil(() => proxy.isSilent(), Boolean);
				asked = Date.now();
				child.kill(signal);
			});
			checkSentence(result, new RegExp(`ended by ${signal} before the start was over`));
			assert.equal(result.code, 0);
			assert.ok(Date.now() - asked < 3000);
			await checkStartsAndEnds(data);
		});

test('serve__SIGTERM_at_any_moment_of_the_start__ends_well_and_the_next_start_too', async () => {
	const data = freshData();
	for (let ms = 0; ms < 400; ms += 16) {
		const { code, signal, stderr } = await runServe(goodEnv(data), [], async (child) => {
			await sleep(ms);
			child.kill('SIGTERM');
		});
		assert.ok(code === 0 || (signal === 'SIGTERM' && stderr === ''), `${ms} ms: ${code} ${signal} ${stderr}`);
	}
	await checkStartsAndEnds(data);
});

test('serve__SIGTERM__is_obeyed_and_said', async () => {
	const result = await runServe(goodEnv(freshData()), [], (child) =>
		child.stdout.once('data', () => child.kill('SIGTERM')));
	assert.deepEqual([result.code, result.signal], [0, null]);
	assert.match(result.stderr, /"event":"stopping","signal":"SIGTERM"[^]*"event":"stopped"/);
});

test('serve__closed_several_times_at_once__ends_well', async () => {
	const farebox = await startServe(freshData(), { FAREBOX_TEST_HOOKS: 'true' });
	const fromPage = { method: 'POST', headers: { Origin: 'https://page.example' } };
	assert.equal((await fetch(`${farebox.url}/close`, fromPage)).status, 403);
	await Promise.allSettled(Array.from({ length: 8 }, () => fetch(`${farebox.url}/close`, { method: 'POST' })));
	assert.deepEqual(await farebox.exited, { code: 0, signal: null });
});

// ---- what is around the process ------------------------------------------------------------------------------------

test('serve__without_standard_streams__takes_none_of_their_numbers', async () => {
	const data = freshData();
	const child = spawn('sh', ['-c', 'exec "$0" serve <&- >&- 2>&-', FAREBOX], { env: goodEnv(data), stdio: 'ignore' });
	closers.push(() => child.kill('SIGKILL'));
	const exited = new Promise((resolve) => { child.once('exit', (code) => resolve(code)); });
	await askUntil(() => existsSync(join(data, 'rows/CURRENT')), Boolean);
	for (const fd of [0, 1, 2])
		assert.equal(readlinkSync(`/proc/${child.pid}/fd/${fd}`), '/dev/null');
	child.kill('SIGTERM');
	assert.equal(await exited, 0);
});

test('serve__on_ipv6_loopback__names_a_url_that_works', async () => {
	const farebox = await startServe(freshData(), { FAREBOX_BIND: '::1' });
	assert.match(farebox.url, /^http:\/\/\[::1\]:\d+$/);
	assert.equal((await fetch(`${farebox.url}/healthz`)).status, 200);
});

// ---- secrets ------------------------------------------------------------------------------------------------------

const SECRETS = ['5ecre7pa55word', '5ecre7path', '5ecre7query', '5ecre7apikey0000', '5ecre7passphrase'];
const secretEnv = (rpc) => ({
	EVM_RPC_URL: rpc.replace('//', `//user:${SECRETS[0]}@`) + `/${SECRETS[1]}?key=${SECRETS[2]}`,
	FAREBOX_API_KEYS: SECRETS[3], FAREBOX_PASSPHRASE: SECRETS[4],
});

function checkNoSecret(text) {
	for (const secret of [...SECRETS, key.slice(2, 34)])
		assert.ok(!text.includes(secret), `${secret} in ${text}`);
}

test('config_print__secrets_everywhere__shows_references', async () => {
	for (const flags of [[], ['--json']]) {
		const env = goodEnv(freshData(), secretEnv(NOWHERE));
		const { code, output } = await runFarebox(['config', 'print', ...flags], env);
		assert.equal(code, 0);
		assert.match(output, /\$EVM_PRIVATE_KEY/);
		checkNoSecret(output);
	}
});

test('serve__secrets_everywhere__tells_none_of_them', async () => {
	const failed = await runServe(goodEnv(freshData(), secretEnv(NOWHERE)));
	assert.equal(failed.code, UNAVAILABLE);
	checkNoSecret(failed.stdout + failed.stderr);
	const proxy = await openSilentProxy(Infinity); // the chain itself knows no paths
	const served = await runServe(goodEnv(freshData(), secretEnv(proxy.url)), ['--access-log'], (child) =>
		child.stdout.once('data', async (chunk) => {
			const [url] = String(chunk).match(/http:\S+/);
			const headers = { Authorization: `Bearer ${SECRETS[3]}` };
			const post = (path, options) => fetch(`${url}${path}`, { method: 'POST', body: '{}', ...options });
			assert.equal((await post(`/verify?key=${SECRETS[3]}`, { headers })).status, 400);
			assert.equal((await post('/verify')).status, 401);
			child.kill('SIGTERM');
		}));
	assert.equal(served.code, 0, served.stderr);
	checkNoSecret(served.stdout + served.stderr);
});

test('serve__key_typed_in_a_wrong_place__is_not_repeated', async () => {
	const flags = [['--key', key], [`--key=${key}`], ['--passphrase', key]];
	const places = [[key], [`EVM_PRIVATE_KEY=${key}`], [`--${key}`], ...flags];
	for (const args of places)
		checkNoSecret((await runServe(goodEnv(freshData(), { EVM_PRIVATE_KEY: undefined }), args)).stderr);
});

// ---- farebox key --------------------------------------------------------------------------------------------------

test('key_new__odd_file_name__is_json_all_the_same', async () => {
	const passphrase = write('pass', 'correct horse\n');
	const path = join(scratch.path, 'a "quoted"\nname');
	const make = ['key', 'new', path, '--light', '--passphrase-file', passphrase];
	const { code, stdout } = await runFarebox([...make, '--json']);
	assert.equal(code, 0);
	assert.equal(JSON.parse(stdout).file, path);
	const again = await runFarebox(make);
	assert.equal(again.code, CONFIG);
	assert.match(again.output, /exists already and is never overwritten/);
	assert.equal(JSON.parse(readFileSync(path, 'utf8')).version, 3);
});

const KEY_FAULTS = [
	{
		name: 'passphrase_file_missing', args: ['new', 'k', '--passphrase-file', '/no/such'],
		code: CONFIG, says: /no passphrase: .*No such file/,
	},
	{
		name: 'passphrase_too_short', args: () => ['new', 'k', '--passphrase-file', write('short', 'seven77\n')],
		code: CONFIG, says: /7 characters/,
	},
	{ name: 'nothing_to_do', args: [], code: USAGE, says: /farebox key new FILE/ },
	{ name: 'import_from_nothing', args: ['import', 'k'], code: USAGE, says: /--from/ },
];
for (const { name, args, code, says } of KEY_FAULTS)
	test(`key__${name}__ends_with_${code}`, async () => {
		const result = await runFarebox(['key', ...(await resolved(args))]);
		assert.equal(result.code, code, result.output);
		assert.match(result.output, says);
		assert.ok(!existsSync('k'));
	});
