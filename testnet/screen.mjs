// What `testnet/up` shows: numbered steps with labelled values below them. Colours only on a terminal.
const COLOURS = process.stdout.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
const LABEL_COLUMNS = 15;
const DECIMALS = 6;

const paint = (code) => (text) => (COLOURS ? `\x1b[${code}m${text}\x1b[0m` : text);
export const bold = paint('1');
export const dim = paint('2');
export const green = paint('32');
export const red = paint('31');

let steps = 0;

export function step(title) {
	steps += 1;
	console.log(`\n${bold(`${steps}. ${title}`)}`);
}

export const detail = (label, value) => console.log(`   ${dim(label.padEnd(LABEL_COLUMNS))}${value}`);
export const line = (text = '') => console.log(text);
export const fail = (text) => console.error(red(text));

// 1234500n is "1.234500 USDC".
export function money(units) {
	const digits = String(units).padStart(DECIMALS + 1, '0');
	return `${digits.slice(0, -DECIMALS)}.${digits.slice(-DECIMALS)} USDC`;
}

export const shorten = (hex) => `${hex.slice(0, 18)}…${hex.slice(-8)}`;
