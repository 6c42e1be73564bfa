// Makes bad request bodies out of good ones: each has one thing wrong, and none may be answered with "isValid":true.
import { readFileSync, writeFileSync } from 'node:fs';

const BODIES = 500; // good ones to start from

const edit = (change) => (line) => {
	const body = JSON.parse(line);
	change(body, body.paymentPayload.payload);
	return JSON.stringify(body);
};

const FAULTS = [
	(line) => line.slice(0, line.length / 2),
	(line) => `${line}x`,
	(line) => line.replace('"x402Version":2', '"x402Version":2,"x402Version":2'),
	(line) => line.replace('127.0.0.1', '\xff\xfe'), // written as latin1: not UTF-8
	(line) => line.replace('"value":"1000"', '"value":1000'),
	(line) => line.replaceAll('"1000"', `"${'9'.repeat(100)}"`),
	() => '{}',
	() => '[]',
	() => '['.repeat(5000),
	() => `{"a":"${'x'.repeat(30_000)}"}`,
	edit((body) => { delete body.paymentPayload; }),
	edit((body) => { body.paymentRequirements = null; }),
	edit((body) => { body.x402Version = 3; }),
	edit((body) => { body.paymentRequirements.scheme = 'upto'; }),
	edit((body) => { body.paymentRequirements.network = 'eip155:1'; }),
	edit((body) => { body.paymentRequirements.amount = '1001'; }),
	edit((body) => { body.paymentRequirements.asset = body.paymentRequirements.payTo; }),
	edit((body) => { body.paymentRequirements.extra.name = 'USD Coin'; }),
	edit((_, payload) => { payload.signature = payload.signature.replace(/..$/, '00'); }),
	edit((_, payload) => { payload.signature = `0x${'11'.repeat(8000)}`; }),
	edit((_, payload) => { payload.authorization.nonce = payload.authorization.nonce.replace(/^0x./, '0x'); }),
	edit((_, payload) => { payload.authorization.from = payload.authorization.to; }),
	edit((_, payload) => { payload.authorization.validBefore = '1'; }),
];

export function writeMalformed(path, goodPath) {
	const good = readFileSync(goodPath, 'utf8').split('\n', BODIES);
	writeFileSync(path, good.map((line, i) => `${FAULTS[i % FAULTS.length](line)}\n`).join(''), 'latin1');
}
