// Writes what is made of the contracts: lens_code.h of Lens.yul, trial_code.h of Trial.yul, escrow.json, escrow_code.h
// and escrow_constants.h of Escrow.sol, and abi_constants.h of the signatures below; with --check compares instead and
// exits 1 if a committed file is out of date. With --explorer prints what a block explorer wants to verify the
// escrow's source: the compiler's standard JSON input.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import solc from 'solc';
import {
	keccak256, toBytes, toEventSelector, toEventSignature, toFunctionSelector, toFunctionSignature,
} from 'viem';
import { compile } from './compile.mjs';

const HERE = import.meta.dirname;
const LENS_ITEMS_MAX = 256;
const TRIAL_ITEMS_MAX = 128;
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

function codeHeader(contract, itemsMax) {
	const { creation } = compile(join(HERE, `${contract}.yul`), contract);
	const name = `FB_${contract.toUpperCase()}`;
	const length = creation.length / 2 - 1;
	const limits = `enum { ${name}_CODE_LEN = ${length}, ${name}_ITEMS_MAX = ${itemsMax} };\n`;
	return header(`${name}_CODE_H`,
		`The creation code of ${contract}.yul, where its arguments and its answer are described.`,
		['stdint.h'], limits + byteArray(`${name}_CODE`, `${name}_CODE_LEN`, creation));
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

// ---- the escrow ----

const CREATION = 'The creation code of Escrow.sol, behind which the words of its constructor stand. In it is the ' +
	'code that\n * stays, which has a word for the token in each of the places below.';
const CONSTANTS = 'Selectors and event topics of Escrow.sol, and its enumerations.';

// "payoutBatch" becomes "PAYOUT_BATCH"; what is in capitals stays.
const capitals = (name) =>
	(name === name.toUpperCase() ? name : name.replace(/(?<!^)[A-Z]/g, '_$&').toUpperCase());

// Of the two overloads of a function that takes a signature: which way it takes it.
function overload(items, { name, inputs }) {
	if (items.filter((item) => item.name === name).length === 1)
		return '';
	return inputs.some(({ type }) => type === 'bytes') ? '_BYTES' : '_VRS';
}

function escrowConstants({ abi, enums }) {
	const functions = abi.filter(({ type }) => type === 'function');
	const selectors = functions.map((item) =>
		`${comment(toFunctionSignature(item))}\n` +
		`#define FB_ESCROW_SELECTOR_${capitals(item.name)}${overload(functions, item)} ${toFunctionSelector(item)}u\n`);
	const topics = abi.filter(({ type }) => type === 'event').map((item) => `${comment(toEventSignature(item))}\n` +
		byteArray(`FB_ESCROW_TOPIC_${capitals(item.name)}`, 32, toEventSelector(item)));
	const numbers = Object.entries(enums).map(([name, members]) =>
		`enum {\n${members.map((m, i) => `\tFB_ESCROW_SOL_${capitals(name)}_${capitals(m)} = ${i},\n`).join('')}};\n`);
	return header('FB_ESCROW_CONSTANTS_H', CONSTANTS, ['stdint.h'],
		[selectors, topics, numbers].map((group) => group.join('')).join('\n'));
}

const escrowJson = ({ abi, creation }) =>
	`${JSON.stringify({ contract: 'Escrow', compiler: solc.version(), abi, bytecode: creation }, null, '\t')}\n`;

function escrowCode({ creation, runtime, immutables }) {
	const numbers = {
		FB_ESCROW_CODE_LEN: creation.length / 2 - 1,
		FB_ESCROW_RUNTIME_AT: creation.indexOf(runtime.slice(2)) / 2 - 1,
		FB_ESCROW_RUNTIME_LEN: runtime.length / 2 - 1,
		FB_ESCROW_TOKEN_PLACES: immutables.length,
	};
	const names = Object.entries(numbers).map(([name, number]) => `\t${name} = ${number},\n`).join('');
	const places = 'static const uint16_t FB_ESCROW_TOKEN_AT[FB_ESCROW_TOKEN_PLACES] = ' +
		`{\n\t${immutables.join(', ')},\n};\n`;
	return header('FB_ESCROW_CODE_H', CREATION, ['stdint.h'],
		`enum {\n${names}};\n${places}${byteArray('FB_ESCROW_CODE', 'FB_ESCROW_CODE_LEN', creation)}`);
}

function escrowFiles() {
	const escrow = compile(join(HERE, 'Escrow.sol'), 'Escrow');
	return {
		'escrow.json': escrowJson(escrow),
		'escrow_code.h': escrowCode(escrow),
		'escrow_constants.h': escrowConstants(escrow),
	};
}

// ---- all of them ----

const files = () => ({
	'lens_code.h': codeHeader('Lens', LENS_ITEMS_MAX),
	'trial_code.h': codeHeader('Trial', TRIAL_ITEMS_MAX),
	'abi_constants.h': constantsHeader(),
	...escrowFiles(),
});

const write = ([name, text]) => writeFileSync(join(HERE, name), text);

function isStale([name, text]) {
	const path = join(HERE, name);
	return !existsSync(path) || readFileSync(path, 'utf8') !== text;
}

// The names of the committed files that differ from what would be written now.
export const staleFiles = () => Object.entries(files()).filter(isStale).map(([name]) => name);

function main(args) {
	if (args.includes('--explorer'))
		return console.log(JSON.stringify(compile(join(HERE, 'Escrow.sol'), 'Escrow').input, null, '\t'));
	if (!args.includes('--check'))
		return Object.entries(files()).forEach(write);
	const stale = staleFiles();
	if (stale.length === 0)
		return;
	console.error(`out of date: ${stale.join(', ')}; run: node contracts-abi/build.mjs`);
	process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
	main(process.argv.slice(2));
