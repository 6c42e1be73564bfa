// Runs bench_load against a server and puts what the server and the chain spent beside what the clients saw.
import { readFileSync } from 'node:fs';
import { run, tool } from './stage.mjs';

const TICK_US = 10_000; // USER_HZ is 100 on every Linux that farebox runs on
const UTIME = 11; // fields of /proc/PID/stat behind the name, from 0

export function cpuUs(pid) {
	const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
	return (Number(fields[UTIME]) + Number(fields[UTIME + 1])) * TICK_US;
}

export function memoryKb(pid) {
	const status = readFileSync(`/proc/${pid}/status`, 'utf8');
	const read = (name) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))[1]);
	return { rss: read('VmRSS'), peak: read('VmHWM'), threads: Number(status.match(/^Threads:\s+(\d+)/m)[1]) };
}

// bench_load's own answer; it ends with 1 when an answer was wrong or missing, which `wrong` and `lost` say too.
async function runLoad(args) {
	const { stdout, stderr } = await run(tool('bench_load'), args).catch((error) => {
		if (error.code !== 1)
			throw error;
		return error;
	});
	return { ...JSON.parse(stdout), fault: stderr.trim() };
}

// options: those of bench_load, badEvery for --bad-every.
export async function load(stage, server, options) {
	const args = ['--port', new URL(server.url).port];
	for (const [name, value] of Object.entries({ bodies: stage.bodies, ...options }))
		if (value !== undefined)
			args.push(`--${name.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}`, value);
	const before = [cpuUs(server.pid), cpuUs(stage.chain.pid)];
	const seen = await runLoad(args.map(String));
	const [serverUs, chainUs] = [cpuUs(server.pid) - before[0], cpuUs(stage.chain.pid) - before[1]];
	return {
		...seen, errors: seen.wrong + seen.lost, perSecond: seen.answers / (seen.elapsed_us / 1e6),
		serverUs: serverUs / seen.answers, chainUs: chainUs / seen.answers, loadUs: seen.cpu_us / seen.answers,
	};
}
