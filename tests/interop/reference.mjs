// The stock facilitator of @x402/evm behind HTTP: what farebox's verdicts are compared with.
import express from 'express';
import { createWalletClient, http, publicActions } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { x402Facilitator } from '@x402/core/facilitator';
import { toFacilitatorEvmSigner } from '@x402/evm';
import { ExactEvmScheme } from '@x402/evm/exact/facilitator';
import { ExactEvmSchemeV1 } from '@x402/evm/exact/v1/facilitator';
import { NETWORK } from '../../testnet/chain.mjs';
import { V1_NETWORK } from './payment.mjs';

function makeSigner(chain, signer) {
	const account = privateKeyToAccount(signer.privateKey);
	const client = createWalletClient({ account, chain: chain.client.chain, transport: http(chain.url) })
		.extend(publicActions);
	const forward = (name) => (argument) => client[name](argument);
	const names = [
		'readContract', 'verifyTypedData', 'writeContract', 'sendTransaction', 'waitForTransactionReceipt', 'getCode',
	];
	const actions = Object.fromEntries(names.map((name) => [name, forward(name)]));
	return toFacilitatorEvmSigner({ address: account.address, ...actions });
}

export function openReference(chain, signer) {
	const evm = makeSigner(chain, signer);
	const facilitator = new x402Facilitator()
		.register(NETWORK, new ExactEvmScheme(evm))
		.registerV1(V1_NETWORK, new ExactEvmSchemeV1(evm));
	const app = express();
	app.use(express.json());
	for (const action of ['verify', 'settle'])
		app.post(`/${action}`, async ({ body }, response) => {
			const answer = facilitator[action](body.paymentPayload, body.paymentRequirements);
			response.json(await answer.catch((error) => ({ error: error.message })));
		});
	return new Promise((resolve) => {
		const server = app.listen(0, '127.0.0.1', () => resolve({
			url: `http://127.0.0.1:${server.address().port}`,
			close: () => new Promise((closed) => {
				server.close(closed);
				server.closeAllConnections();
			}),
		}));
	});
}
