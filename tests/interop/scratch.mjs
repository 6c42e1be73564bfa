// A folder for one test file's logs and data, kept if FAREBOX_KEEP is set.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function scratchFolder() {
	const path = mkdtempSync(join(tmpdir(), 'farebox-test-'));
	const dispose = () => {
		if (process.env.FAREBOX_KEEP)
			console.error(`kept ${path}`);
		else
			rmSync(path, { recursive: true, force: true });
	};
	return { path, dispose };
}
