// Randomness that a seed repeats (FB_TEST_SEED=N), and how much of a test is run (FB_TEST_FULL=1: all of it).
export const FULL = process.env.FB_TEST_FULL === '1';
export const SEED = Number(process.env.FB_TEST_SEED ?? 1);

export const short = (few, all) => (FULL ? all : few);

// A generator of its own for every use, so that one test's draws do not shift another's: mulberry32.
export function seeded(name) {
	let state = SEED >>> 0;
	for (const letter of name)
		state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193) >>> 0;
	const unit = () => {
		state = (state + 0x6D2B79F5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 0x100000000;
	};
	const below = (n) => Math.floor(unit() * n);
	const between = (low, high) => low + below(high - low + 1);
	const pick = (list) => list[below(list.length)];
	return { unit, below, between, pick };
}
