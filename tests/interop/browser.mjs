// fetch() as a page of another site has it: the CORS protocol of the Fetch standard, without cookies. What the server
// does not allow is a TypeError, what it does not expose is not there.
const SIMPLE_METHODS = ['GET', 'HEAD', 'POST'];
const SIMPLE_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];
const SIMPLE_HEADERS = ['accept', 'accept-language', 'content-language', 'content-type', 'range'];
const READABLE_HEADERS = [
	'cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified', 'pragma',
];

const list = (text) => (text ?? '').split(',').map((item) => item.trim().toLowerCase()).filter(Boolean);

function isSimple([name, value]) {
	const type = value.split(';')[0].trim().toLowerCase();
	if (!SIMPLE_HEADERS.includes(name) || value.length > 128)
		return false;
	return name !== 'content-type' || SIMPLE_TYPES.includes(type);
}

function checkOrigin(response, origin, what) {
	if (!['*', origin].includes(response.headers.get('Access-Control-Allow-Origin')))
		throw new TypeError(`${what} lacks Access-Control-Allow-Origin`);
}

async function askFirst(request, origin, headers) {
	const response = await fetch(request.url, {
		method: 'OPTIONS',
		headers: {
			Origin: origin, 'Access-Control-Request-Method': request.method,
			'Access-Control-Request-Headers': headers.sort().join(','),
		},
	});
	const methods = list(response.headers.get('Access-Control-Allow-Methods')).map((name) => name.toUpperCase());
	const allowed = list(response.headers.get('Access-Control-Allow-Headers'));
	checkOrigin(response, origin, 'the preflight');
	if (!response.ok)
		throw new TypeError(`the preflight was answered ${response.status}`);
	if (![...SIMPLE_METHODS, ...methods].includes(request.method) && !methods.includes('*'))
		throw new TypeError(`the method ${request.method} is not allowed`);
	for (const name of headers)
		if (!allowed.includes(name) && (!allowed.includes('*') || name === 'authorization'))
			throw new TypeError(`the header ${name} is not allowed`);
}

function filtered(response) {
	const exposed = [...READABLE_HEADERS, ...list(response.headers.get('Access-Control-Expose-Headers'))];
	const headers = [...response.headers].filter(([name]) => exposed.includes('*') || exposed.includes(name));
	const body = [204, 304].includes(response.status) ? null : response.body;
	return new Response(body, { status: response.status, headers });
}

export const fetchFrom = (origin) => async (input, init) => {
	const request = new Request(input, init);
	const special = [...request.headers].filter((header) => !isSimple(header)).map(([name]) => name);
	if (special.length > 0 || !SIMPLE_METHODS.includes(request.method))
		await askFirst(request, origin, special);
	const headers = new Headers(request.headers);
	headers.set('Origin', origin);
	const response = await fetch(new Request(request, { headers, redirect: 'error' }));
	checkOrigin(response, origin, 'the answer');
	return filtered(response);
};
