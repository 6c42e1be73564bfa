// The machine that figures were taken on.
import { readFileSync } from 'node:fs';
import os from 'node:os';

const GIB = 1024 ** 3;

export function describeMachine() {
	const system = readFileSync('/etc/os-release', 'utf8').match(/^PRETTY_NAME="(.*)"$/m);
	return {
		cpu: os.cpus()[0].model, cores: os.availableParallelism(), memoryGib: Math.round(os.totalmem() / GIB),
		system: system ? system[1] : os.type(), kernel: os.release(), node: process.version,
		load: os.loadavg()[0],
	};
}
