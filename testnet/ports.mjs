// Loopback ports: is this one free, give me one that is.
import { createServer } from 'node:net';

function listen(port) {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once('error', reject);
		server.listen(port, '127.0.0.1', () => resolve(server));
	});
}

const close = (server) => new Promise((resolve) => server.close(resolve));

export async function isFree(port) {
	try {
		await close(await listen(port));
		return true;
	} catch (error) {
		if (error.code === 'EADDRINUSE')
			return false;
		throw error;
	}
}

export async function freePort() {
	const server = await listen(0);
	const { port } = server.address();
	await close(server);
	return port;
}
