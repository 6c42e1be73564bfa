// Writes the npm lock files anew after a change of a package.json: tools/node tools/relock.mjs
// Left out of them: registry hosts, and the engines that packages ask for. npm passes over an optional package whose
// engine is not the node that npm itself runs on, and on Debian 12 that one is older than the node we then use.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['testnet', 'contracts-abi', 'tests/interop'];

function clean(path) {
	const lock = JSON.parse(readFileSync(path, 'utf8'));
	for (const entry of Object.values(lock.packages)) {
		delete entry.resolved;
		delete entry.engines;
	}
	writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
}

for (const folder of FOLDERS) {
	const cwd = join(ROOT, folder);
	execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts'], { cwd, stdio: 'inherit' });
	clean(join(cwd, 'package-lock.json'));
}
