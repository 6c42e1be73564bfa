// Writes lens_code.h and abi_constants.h from Lens.yul and the signatures below; with --check compares
// instead and exits 1 if a committed file is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keccak256, toBytes, toEventSelector, toFunctionSelector } from 'viem';
import { compile } from './compile.mjs';

const HERE = import.meta.dirname;
const LENS_ITEMS_MAX = 256;
const BYTES_PER_LINE = 16;
const COMMENT_COLUMNS = 110;

const AUTHORIZATION = 'address,address,uint256,uint256,uint256,bytes32';
const SELECTORS = {
	TRANSFER_WITH_AUTHORIZATION_VRS: `transferWithAuthorization(${AUTHORIZATION},uint8,bytes32,bytes32)`,
	TRANSFER_WITH_AUTHORIZATION_BYTES: `transferWithAuthorization(${AUTHORIZATION},bytes)`,
	AUTHORIZATION_STATE: 'authorizationState(address,bytes32)',
	BALANCE_OF: 'balanceOf(address)',
	NAME: 'name()',
	VERSION: 'version()',
	DECIMALS: 'decimals()',
	DOMAIN_SEPARATOR: 'DOMAIN_SEPARATOR()',
	PAUSED: 'paused()',
	IS_BLACKLISTED: 'isBlacklisted(address)',
	IS_VALID_SIGNATURE: 'isValidSignature(bytes32,bytes)',
	AGGREGATE3: 'aggregate3((address,bool,bytes)[])',
};
const TOPICS = {
	TRANSFER: 'Transfer(address,address,uint256)',
	AUTHORIZATION_USED: 'AuthorizationUsed(address,bytes32)',
	AUTHORIZATION_CANCELED: 'AuthorizationCanceled(address,bytes32)',
};
const AUTHORIZATION_FIELDS =
	'address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce';
const TYPE_HASHES = {
	EIP712_DOMAIN: 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)',
	TRANSFER_WITH_AUTHORIZATION: `TransferWithAuthorization(${AUTHORIZATION_FIELDS})`,
	RECEIVE_WITH_AUTHORIZATION: `ReceiveWithAuthorization(${AUTHORIZATION_FIELDS})`,
	CANCEL_AUTHORIZATION: 'CancelAuthorization(address authorizer,bytes32 nonce)',
};

function byteLines(hex) {
	const bytes = hex.slice(2).match(/../g).map((digits) => `0x${digits}`);
	const lines = [];
	for (let i = 0; i < bytes.length; i += BYTES_PER_LINE)
		lines.push(`\t${bytes.slice(i, i + BYTES_PER_LINE).join(', ')},`);
	return lines.join('\n');
}

// One line, or two if it would grow too long.
function comment(text) {
	const cut = text.length <= COMMENT_COLUMNS ? -1 : text.lastIndexOf(',', COMMENT_COLUMNS) + 1;
	return cut < 0 ? `/* ${text} */` : `/* ${text.slice(0, cut)}\n * ${text.slice(cut)} */`;
}

const byteArray = (name, length, hex) => `static const uint8_t ${name}[${length}] = {\n${byteLines(hex)}\n};\n`;

function header(guard, purpose, includes, body) {
	const include = includes.map((name) => `#include <${name}>\n`).join('');
	return `/* ${purpose}\n * Written by contracts-abi/build.mjs; change it there. */\n` +
		`#ifndef ${guard}\n#define ${guard}\n${include}\n${body}#endif /* ${guard} */\n`;
}

function lensHeader() {
	const { creation } = compile(join(HERE, 'Lens.yul'), 'Lens');
	const length = creation.length / 2 - 1;
	const limits = `enum { FB_LENS_CODE_LEN = ${length}, FB_LENS_ITEMS_MAX = ${LENS_ITEMS_MAX} };\n`;
	return header('FB_LENS_CODE_H', 'The creation code of Lens.yul, where its arguments and its answer are described.',
		['stdint.h'], limits + byteArray('FB_LENS_CODE', 'FB_LENS_CODE_LEN', creation));
}

const lines = (table, line) => Object.entries(table).map(([name, text]) => line(name, text)).join('');

function constantsHeader() {
	const selectors = lines(SELECTORS,
		(name, text) => `${comment(text)}\n#define FB_SELECTOR_${name} ${toFunctionSelector(text)}u\n`);
	const topics = lines(TOPICS,
		(name, text) => `${comment(text)}\n${byteArray(`FB_TOPIC_${name}`, 32, toEventSelector(text))}`);
	const typeHashes = lines(TYPE_HASHES,
		(name, text) => `${comment(text)}\n${byteArray(`FB_TYPEHASH_${name}`, 32, keccak256(toBytes(text)))}`);
	return header('FB_ABI_CONSTANTS_H', 'Selectors, event topics and EIP-712 type hashes of the contracts we talk to.',
		['stdint.h'], `${selectors}\n${topics}\n${typeHashes}`);
}

const headers = () => ({ 'lens_code.h': lensHeader(), 'abi_constants.h': constantsHeader() });

const write = ([name, text]) => writeFileSync(join(HERE, name), text);

// The names of the committed headers that differ from what would be written now.
export function staleHeaders() {
	const differs = ([name, text]) => readFileSync(join(HERE, name), 'utf8') !== text;
	return Object.entries(headers()).filter(differs).map(([name]) => name);
}

function main(args) {
	if (!args.includes('--check'))
		return Object.entries(headers()).forEach(write);
	const stale = staleHeaders();
	if (stale.length === 0)
		return;
	console.error(`out of date: ${stale.join(', ')}; run: node contracts-abi/build.mjs`);
	process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
	main(process.argv.slice(2));
