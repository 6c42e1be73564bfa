// Clients as they should be: one payment is submitted until its outcome is known, whatever happens to the connection.
// Every single answer is kept, for the auditor.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { short } from './seeded.mjs';

const ANSWER_MS = 120_000; // longer than farebox may take
const PAUSE_MS = 100;
const PATIENCE_MS = short(90_000, 600_000); // for one payment's outcome

// { status, body } or { lost: why }: whether it arrived, or was answered, is not known then.
export function post(agent, url, path, body) {
	return new Promise((resolve) => {
		const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
		const sent = request(`${url}${path}`, { method: 'POST', agent, headers, timeout: ANSWER_MS }, (response) => {
			let text = '';
			response.setEncoding('utf8');
			response.on('data', (piece) => { text += piece; });
			response.on('end', () => resolve({ status: response.statusCode, body: text }));
			response.on('error', (error) => resolve({ lost: error.code ?? error.message }));
		});
		sent.on('timeout', () => sent.destroy(new Error('no answer')));
		sent.on('error', (error) => resolve({ lost: error.code ?? error.message }));
		sent.end(body);
	});
}

const AGAIN = new Set(['settlement_pending', 'unexpected_settle_error']);
const OPEN = new Set(['again', 'lost']);
const USED = 'invalid_exact_evm_nonce_already_used';

// What a client makes of an answer: again, success, used (told of success, or settled by somebody else) or refused.
function meaning({ status, success, errorReason }) {
	if (status !== 200)
		return status >= 500 || status === 429 ? 'again' : 'refused';
	if (success)
		return 'success';
	if (AGAIN.has(errorReason))
		return 'again';
	return errorReason === USED ? 'used' : 'refused';
}

function read({ status, body, lost }) {
	if (lost)
		return { meaning: 'lost', lost };
	const answer = { status, ...(body.startsWith('{') ? JSON.parse(body) : { text: body }) };
	return { meaning: meaning(answer), ...answer };
}

// answers: of every submit, { payment, meaning, … }. target() is the URL of the server at this moment.
export function openClients(target) {
	const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
	const answers = [];

	const submit = async (payment) => {
		const reply = await post(agent, target(payment), '/settle', payment.body);
		const answer = { payment: payment.index, ...read(reply) };
		answers.push(answer);
		return answer;
	};
	// Until the outcome is known, or the deadline: then meaning is still 'again' or 'lost'.
	const settle = async (payment, deadline) => {
		for (;;) {
			const answer = await submit(payment);
			if (!OPEN.has(answer.meaning) || Date.now() > deadline)
				return answer;
			await sleep(PAUSE_MS);
		}
	};
	// All payments, `concurrency` at a time; the last answer of each in their order.
	const settleAll = async (payments, { concurrency, timeoutMs = PATIENCE_MS, each = settle }) => {
		const deadline = Date.now() + timeoutMs;
		const ends = [];
		let next = 0;
		const work = async () => {
			while (next < payments.length) {
				const mine = next++;
				ends[mine] = await each(payments[mine], deadline);
			}
		};
		await Promise.all(Array.from({ length: Math.min(concurrency, payments.length) }, work));
		return ends;
	};
	// One payment after the other on each of `concurrency` ways, until end(), which waits for those under way.
	const pour = (payments, concurrency) => {
		let next = 0, running = true;
		const work = async () => {
			while (running && next < payments.length)
				await settle(payments[next++], Date.now() + PATIENCE_MS);
		};
		const done = Promise.all(Array.from({ length: concurrency }, work));
		return { count: () => next, end: () => { running = false; return done; } };
	};
	const verify = async (payment) => {
		const { status, body, lost } = await post(agent, target(payment), '/verify', payment.body);
		return lost ? { lost } : { status, ...JSON.parse(body) };
	};
	return { answers, submit, settle, settleAll, pour, verify, close: () => agent.destroy() };
}
