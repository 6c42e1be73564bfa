// The stock facilitator of @x402/evm, set up as its documentation shows and served by express: what farebox is measured
// against. Environment: EVM_RPC_URL, EVM_PRIVATE_KEY; and what viem's documentation offers and the example of the
// facilitator leaves out: RPC_BATCH=1 sends the calls that are due together as one JSON-RPC batch; NONCE_MANAGER=1
// counts the account's nonces here, without which settling several payments at once fails; POLL_MS is the pause between
// two looks for a new block (4,000 unless set).
import { createRequire } from 'node:module';
import { CHAIN_ID, NETWORK } from '../../testnet/chain.mjs';

// Its packages are those of the interop tests.
const require = createRequire(new URL('../interop/package.json', import.meta.url));
const express = require('express');
const { createWalletClient, defineChain, http, nonceManager, publicActions } = require('viem');
const { privateKeyToAccount } = require('viem/accounts');
const { x402Facilitator } = require('@x402/core/facilitator');
const { toFacilitatorEvmSigner } = require('@x402/evm');
const { registerExactEvmScheme } = require('@x402/evm/exact/facilitator');

function makeSigner(url, privateKey, { batch, countNonces, pollingInterval }) {
	const account = privateKeyToAccount(privateKey, countNonces ? { nonceManager } : {});
	const chain = defineChain({
		id: CHAIN_ID, name: 'local', rpcUrls: { default: { http: [url] } },
		nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
	});
	// viem's transport is fetch, which keeps its connections to the chain open.
	const client = createWalletClient({ account, chain, pollingInterval, transport: http(url, { batch }) })
		.extend(publicActions);
	return toFacilitatorEvmSigner({
		address: account.address,
		getCode: (args) => client.getCode(args),
		readContract: (args) => client.readContract({ ...args, args: args.args ?? [] }),
		verifyTypedData: (args) => client.verifyTypedData(args),
		writeContract: (args) => client.writeContract({ ...args, args: args.args ?? [] }),
		sendTransaction: (args) => client.sendTransaction(args),
		waitForTransactionReceipt: (args) => client.waitForTransactionReceipt(args),
	});
}

function makeApp(facilitator) {
	const app = express();
	app.disable('etag').disable('x-powered-by'); // work that the other side does not do either
	app.use(express.json());
	for (const action of ['verify', 'settle'])
		app.post(`/${action}`, async ({ body }, response) => {
			try {
				response.json(await facilitator[action](body.paymentPayload, body.paymentRequirements));
			} catch (error) {
				response.status(500).json({ error: error.message });
			}
		});
	app.get('/supported', (_, response) => response.json(facilitator.getSupported()));
	return app;
}

const { EVM_RPC_URL, EVM_PRIVATE_KEY, RPC_BATCH, NONCE_MANAGER, POLL_MS } = process.env;
const signer = makeSigner(EVM_RPC_URL, EVM_PRIVATE_KEY, {
	batch: RPC_BATCH === '1', countNonces: NONCE_MANAGER === '1', pollingInterval: POLL_MS && Number(POLL_MS),
});
const facilitator = registerExactEvmScheme(new x402Facilitator(), { signer, networks: NETWORK });
const server = makeApp(facilitator).listen(0, '127.0.0.1', () =>
	console.log(`Facilitator listening on http://127.0.0.1:${server.address().port}`));
server.keepAliveTimeout = 0; // never: a pause between two runs must not cost it its connections
