// Stands between a server and the chain and counts the JSON-RPC calls by method.
import { Agent, createServer, request } from 'node:http';

function countMethods(counts, body) {
	const parsed = JSON.parse(body);
	for (const { method } of Array.isArray(parsed) ? parsed : [parsed])
		counts.set(method, (counts.get(method) ?? 0) + 1);
}

function collect(stream) {
	return new Promise((resolve, reject) => {
		const parts = [];
		stream.on('data', (part) => parts.push(part));
		stream.once('end', () => resolve(Buffer.concat(parts)));
		stream.once('error', reject);
	});
}

async function forward(target, agent, body) {
	const answer = await new Promise((resolve, reject) => {
		const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
		const outgoing = request(target, { method: 'POST', agent, headers }, resolve);
		outgoing.once('error', reject);
		outgoing.end(body);
	});
	return { status: answer.statusCode, body: await collect(answer) };
}

// { url, take }: take() returns { method: count } since the last time.
export function startCounter(target) {
	const agent = new Agent({ keepAlive: true });
	let counts = new Map();
	const server = createServer(async (incoming, outgoing) => {
		try {
			const body = await collect(incoming);
			countMethods(counts, body);
			const answer = await forward(target, agent, body);
			outgoing.writeHead(answer.status, { 'Content-Type': 'application/json' });
			outgoing.end(answer.body);
		} catch (error) {
			outgoing.writeHead(502);
			outgoing.end(error.message);
		}
	});
	server.keepAliveTimeout = 0;
	const take = () => {
		const taken = Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
		counts = new Map();
		return taken;
	};
	const close = () => new Promise((closed) => {
		server.close(closed);
		server.closeAllConnections();
		agent.destroy();
	});
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(0, '127.0.0.1', () =>
			resolve({ url: `http://127.0.0.1:${server.address().port}`, take, stop: close }));
	});
}
