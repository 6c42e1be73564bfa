// Compiles one Solidity or Yul file with the pinned compiler: what a contract's creation code is must not
// depend on the machine. No metadata hash, and no opcode younger than the oldest chain we serve.
import { readFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import solc from 'solc';

const EVM_VERSION = 'paris';
const LANGUAGES = { '.sol': 'Solidity', '.yul': 'Yul' };

function compilerInput(name, content) {
	const language = LANGUAGES[extname(name)];
	const metadata = language === 'Solidity' ? { bytecodeHash: 'none', appendCBOR: false } : undefined;
	return {
		language,
		sources: { [name]: { content } },
		settings: {
			evmVersion: EVM_VERSION,
			optimizer: { enabled: true, runs: 1000000 },
			metadata,
			outputSelection: {
				'*': {
					'*': [
						'abi', 'evm.bytecode.object', 'evm.deployedBytecode.object',
						'evm.deployedBytecode.immutableReferences',
					],
					'': ['ast'],
				},
			},
		},
	};
}

function refuseDiagnostics(name, errors = []) {
	// The compiler notes each time that Yul input is experimental; every other remark is a fault.
	const faults = errors.filter((e) => !e.message.startsWith('Yul is still experimental'));
	if (faults.length > 0)
		throw new Error(`${name} does not compile:\n${faults.map((e) => e.formattedMessage).join('\n')}`);
}

// What a file imports lies beside it, or in a package of this folder; what was read is added to `sources`.
function importer(folder, sources) {
	const read = (name) => {
		const from = name.startsWith('@') ? join(import.meta.dirname, 'node_modules') : folder;
		sources[name] = { content: readFileSync(join(from, name), 'utf8') };
		return sources[name].content;
	};
	return (name) => {
		try {
			return { contents: read(name) };
		} catch (error) {
			return { error: error.message };
		}
	};
}

// { enumeration: [its names in order] } of one contract.
function enumsOf(ast, contract) {
	const node = ast?.nodes.find(({ nodeType, name }) => nodeType === 'ContractDefinition' && name === contract);
	const enums = node?.nodes.filter(({ nodeType }) => nodeType === 'EnumDefinition') ?? [];
	return Object.fromEntries(enums.map(({ name, members }) => [name, members.map((member) => member.name)]));
}

// Where the runtime code has words that the constructor fills, in order.
const immutablesOf = (deployed) => Object.values(deployed?.immutableReferences ?? {}).flat()
	.map(({ start }) => start).toSorted((a, b) => a - b);

// The contract or object `contract` of the file at `path`: { abi, enums, creation, runtime, immutables, input }, code
// as hex with 0x. input: what the compiler was given, with every file that was imported: explorers verify by it.
export function compile(path, contract) {
	const name = basename(path);
	const input = compilerInput(name, readFileSync(path, 'utf8'));
	const sources = { ...input.sources };
	const output = JSON.parse(solc.compile(JSON.stringify(input), { import: importer(dirname(path), sources) }));
	refuseDiagnostics(name, output.errors);
	const { abi, evm } = output.contracts[name][contract];
	return {
		abi,
		enums: enumsOf(output.sources?.[name].ast, contract),
		creation: `0x${evm.bytecode.object}`,
		runtime: `0x${evm.deployedBytecode?.object ?? ''}`,
		immutables: immutablesOf(evm.deployedBytecode),
		input: { ...input, sources },
	};
}
