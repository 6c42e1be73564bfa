// A proxy before the chain's RPC endpoint that fails and lies as real endpoints do, by a seed. What it does to a
// request is one row of FAULTS; rates says how many of a thousand requests each of them befalls.
import { Agent, createServer, request } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const HISTORY = 50; // answers to the same question that are kept, to be given again when they are stale
const SLOW_MS = 1500;
const HTML = '<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>';

const list = (value) => (Array.isArray(value) ? value : [value]);
const keyOf = ({ method, params }) => `${method} ${JSON.stringify(params)}`;

function forward(agent, url, body) {
	return new Promise((resolve, reject) => {
		const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
		const sent = request(url, { method: 'POST', agent, headers }, (response) => {
			const pieces = [];
			response.on('data', (piece) => pieces.push(piece));
			response.on('end', () => resolve(Buffer.concat(pieces).toString()));
			response.on('error', reject);
		});
		sent.on('error', reject);
		sent.end(body);
	});
}

function reply(response, status, type, text) {
	response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
	response.end(text);
}
const json = (response, text) => reply(response, 200, 'application/json', text);

// What an older look at the chain said to the same questions; calls that were never answered get no stale answer.
function stale(liar, calls, text) {
	const answers = list(JSON.parse(text)).map((answer) => {
		const call = calls.find(({ id }) => id === answer.id);
		const older = call && liar.history.get(keyOf(call));
		return older?.length > 1 ? { ...older[liar.random.below(older.length)], id: answer.id } : answer;
	});
	return JSON.stringify(answers);
}

const rpcError = (calls, code, message) =>
	JSON.stringify(calls.map(({ id }) => ({ jsonrpc: '2.0', id, error: { code, message } })));

// name: async (liar, calls, body, response). `calls` is a list; a single call is answered by a single object.
const FAULTS = {
	fails: (liar, calls, body, response) => reply(response, 500, 'text/plain', 'internal error'),
	limited: (liar, calls, body, response) => reply(response, 429, 'text/html', '<h1>Too Many Requests</h1>'),
	html: (liar, calls, body, response) => reply(response, 200, 'text/html', HTML),
	refuses: (liar, calls, body, response) => json(response, rpcError(calls, -32603, 'internal error')),
	busy: (liar, calls, body, response) => json(response, rpcError(calls, -32005, 'limit exceeded')),
	hangs: (liar, calls, body, response) => liar.hung.add(response),
	closes: (liar, calls, body, response) => response.destroy(),
	// The request has had its effect, and nobody hears of it.
	mute: async (liar, calls, body, response) => {
		await forward(liar.agent, liar.chain, body);
		response.destroy();
	},
	twice: async (liar, calls, body, response) => {
		await forward(liar.agent, liar.chain, body);
		json(response, await forward(liar.agent, liar.chain, body));
	},
	cut: async (liar, calls, body, response) => {
		const text = await forward(liar.agent, liar.chain, body);
		json(response, text.slice(0, liar.random.below(text.length)));
	},
	torn: async (liar, calls, body, response) => {
		const text = await forward(liar.agent, liar.chain, body);
		response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
		response.write(text.slice(0, text.length / 2), () => response.destroy());
	},
	stale: async (liar, calls, body, response) => {
		json(response, stale(liar, calls, await forward(liar.agent, liar.chain, body)));
	},
	slow: async (liar, calls, body, response) => {
		await sleep(liar.random.below(SLOW_MS));
		json(response, await forward(liar.agent, liar.chain, body));
	},
};
export const EVERY_FAULT = Object.keys(FAULTS);

function draw(liar) {
	let ticket = liar.random.below(1000);
	for (const [name, rate] of Object.entries(liar.rates)) {
		if (ticket < rate)
			return name;
		ticket -= rate;
	}
	return null;
}

function remember(liar, calls, text) {
	for (const answer of list(JSON.parse(text))) {
		const call = calls.find(({ id }) => id === answer.id);
		if (!call || answer.error)
			continue;
		const older = liar.history.get(keyOf(call)) ?? [];
		liar.history.set(keyOf(call), [...older.slice(-HISTORY), answer]);
	}
}

async function serve(liar, body, response) {
	const calls = list(JSON.parse(body));
	const fault = draw(liar);
	await liar.before?.(calls);
	if (fault) {
		liar.done[fault] = (liar.done[fault] ?? 0) + 1;
		await FAULTS[fault](liar, calls, body, response);
		return;
	}
	const text = await forward(liar.agent, liar.chain, body);
	if (liar.rates.stale)
		remember(liar, calls, text);
	await liar.after?.(calls);
	json(response, text);
}

// rates: { fault: per mille }. before(calls) and after(calls) are told of what is asked, before it reaches the chain
// and when it has, so that a test can interfere between the two.
export async function startLiar(chain, random, rates = {}) {
	const agent = new Agent({ keepAlive: true });
	const liar = { chain, random, rates, agent, history: new Map(), hung: new Set(), done: {} };
	const server = createServer((incoming, response) => {
		const pieces = [];
		response.on('error', () => {});
		response.on('close', () => liar.hung.delete(response));
		incoming.on('data', (piece) => pieces.push(piece));
		incoming.on('end', () => serve(liar, Buffer.concat(pieces).toString(), response)
			.catch(() => response.destroy())); // the chain is away
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	liar.url = `http://127.0.0.1:${server.address().port}`;
	liar.close = () => {
		server.closeAllConnections();
		server.close();
		agent.destroy();
	};
	return liar;
}
