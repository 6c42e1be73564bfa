// Stock resource servers that sell GET /thing for 0.002 USDC and leave verifying and settling to a facilitator.
import express from 'express';
import { HTTPFacilitatorClient } from '@x402/core/server';
import { ExactEvmScheme } from '@x402/evm/exact/server';
import { paymentMiddleware, x402ResourceServer } from '@x402/express';
import { paymentMiddleware as legacyPaymentMiddleware } from 'x402-express';
import { NETWORK } from '../../testnet/chain.mjs';
import { V1_NETWORK } from './payment.mjs';

const PRICE = '$0.002';
export const SHOP_PRICE = 2000n;

function open(paywall) {
	const app = express();
	app.use(paywall);
	app.get('/thing', (request, response) => response.json({ thing: 'sold' }));
	return new Promise((resolve, reject) => {
		const server = app.listen(0, '127.0.0.1', (error) => {
			if (error)
				return reject(error);
			resolve({
				url: `http://127.0.0.1:${server.address().port}/thing`,
				close: () => new Promise((closed) => {
					server.close(closed);
					server.closeAllConnections();
				}),
			});
		});
	});
}

export function openShopV2(facilitatorUrl, payTo, extra = {}) {
	const accepts = { scheme: 'exact', price: PRICE, network: NETWORK, payTo, ...extra };
	const server = new x402ResourceServer(new HTTPFacilitatorClient({ url: facilitatorUrl }))
		.register(NETWORK, new ExactEvmScheme());
	return open(paymentMiddleware({ 'GET /thing': { accepts, description: 'a thing' } }, server));
}

export function openShopV1(facilitatorUrl, payTo) {
	const route = { price: PRICE, network: V1_NETWORK, config: { description: 'a thing' } };
	return open(legacyPaymentMiddleware(payTo, { 'GET /thing': route }, { url: facilitatorUrl }));
}
