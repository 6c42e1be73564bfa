// Is this loopback port free?
import { createServer } from 'node:net';

function listen(port) {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once('error', reject);
		server.listen(port, '127.0.0.1', () => resolve(server));
	});
}

export async function isFree(port) {
	try {
		const server = await listen(port);
		await new Promise((resolve) => { server.close(resolve); });
		return true;
	} catch (error) {
		if (error.code === 'EADDRINUSE')
			return false;
		throw error;
	}
}
