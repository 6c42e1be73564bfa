// Compiles one Solidity or Yul file with the pinned compiler: what a contract's creation code is must not
// depend on the machine. No metadata hash, and no opcode younger than the oldest chain we serve.
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
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
			outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
		},
	};
}

function refuseDiagnostics(name, errors = []) {
	// The compiler notes each time that Yul input is experimental; every other remark is a fault.
	const faults = errors.filter((e) => !e.message.startsWith('Yul is still experimental'));
	if (faults.length > 0)
		throw new Error(`${name} does not compile:\n${faults.map((e) => e.formattedMessage).join('\n')}`);
}

// The contract or object `contract` of the file at `path`: { abi, creation, runtime }, code as 0x hex.
export function compile(path, contract) {
	const name = basename(path);
	const input = compilerInput(name, readFileSync(path, 'utf8'));
	const output = JSON.parse(solc.compile(JSON.stringify(input)));
	refuseDiagnostics(name, output.errors);
	const { abi, evm } = output.contracts[name][contract];
	return {
		abi,
		creation: `0x${evm.bytecode.object}`,
		runtime: `0x${evm.deployedBytecode?.object ?? ''}`,
	};
}
