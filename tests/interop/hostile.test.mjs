// Hostile HTTP against the running facilitator: every route that takes money or payments, over raw sockets.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { payment } from './payment.mjs';
import { scratchFolder } from './scratch.mjs';
import { openStage, verify } from './stage.mjs';

const SCRIPT = join(import.meta.dirname, '../malformed/hostile_http.py');
const READ_SECONDS = 2;
let scratch, stage;

before(async () => {
	scratch = scratchFolder();
	stage = await openStage({ env: { FAREBOX_READ_TIMEOUT_MS: String(READ_SECONDS * 1000) } });
});
after(async () => {
	await stage?.close();
	scratch.dispose();
});

// { code, output } of the script against one path.
function attack(path, body) {
	const { port } = new URL(stage.url);
	const where = ['--port', port, '--path', path, '--alive', '/healthz'];
	const args = [SCRIPT, ...where, '--read-seconds', String(READ_SECONDS)];
	const child = spawn('python3', body ? [...args, '--body', body] : args, { stdio: ['ignore', 'pipe', 'inherit'] });
	let output = '';
	child.stdout.on('data', (chunk) => { output += chunk; });
	return new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('close', (code) => resolve({ code, output }));
	});
}

async function bodyFile(changes) {
	const path = join(scratch.path, 'body.json');
	writeFileSync(path, JSON.stringify(await payment({ payer: stage.payer, payTo: stage.payee.address, ...changes })));
	return path;
}

for (const path of ['/verify', '/settle', '/supported', '/demo'])
	test(`hostile__requests_to_${path.slice(1)}__are_refused_and_the_server_lives`, async () => {
		const posts = path === '/verify' || path === '/settle';
		const { code, output } = await attack(path, posts ? await bodyFile() : undefined);
		assert.match(output, /^\d+ passed, 0 failed$/m);
		assert.equal(code, 0);
		const answer = await verify(stage, await payment({ payer: stage.payer, payTo: stage.payee.address }));
		assert.equal(answer.isValid, true);
	});
