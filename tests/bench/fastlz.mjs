// How long FastLZ (level 1) would make some bytes: what the chains of the OP stack estimate a transaction's data by.
// Only the length is worked out, by the rules of https://specs.optimism.io/protocol/fjord/exec-engine.html
const HASH_BITS = 13;
const REACH = 8191; // how far back a match may lie
const MATCH_MIN = 3;
const TOKEN_MAX = 262; // bytes of a match that one token covers
const LITERALS_MAX = 32;
const START_TAIL = 14; // bytes at the end where no match starts
const MATCH_TAIL = 5; // bytes at the end that are never part of one

const read3 = (bytes, at) => bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16;
const hash = (value) => Math.imul(value, 0x9e3779b9) >>> 32 - HASH_BITS;

// Literals cost themselves, and one byte more for every 32 begun.
const literalsLength = (count) => count + Math.ceil(count / LITERALS_MAX);

// `more`: bytes beyond MATCH_MIN.
const matchLength = (more) => 3 * Math.floor(more / TOKEN_MAX) + (more % TOKEN_MAX >= 6 ? 3 : 2);

function countEqual(bytes, a, b, end) {
	let count = 0;
	while (b + count < end && bytes[a + count] === bytes[b + count])
		count++;
	return count;
}

export function fastlzLength(bytes) {
	const seen = new Uint32Array(1 << HASH_BITS);
	const last = bytes.length - START_TAIL;
	const look = (at) => {
		const slot = hash(read3(bytes, at));
		const earlier = seen[slot];
		seen[slot] = at;
		return earlier;
	};
	let [length, literals] = [0, 0]; // literals: where those not counted yet begin
	for (let at = 2; at < last; at++) {
		const earlier = look(at);
		if (at - earlier > REACH || read3(bytes, earlier) !== read3(bytes, at))
			continue;
		const more = countEqual(bytes, earlier + MATCH_MIN, at + MATCH_MIN, bytes.length - MATCH_TAIL);
		length += literalsLength(at - literals) + matchLength(more);
		literals = at + MATCH_MIN + more;
		look(literals - 2);
		look(literals - 1);
		at = literals - 1;
	}
	return length + literalsLength(bytes.length - literals);
}
