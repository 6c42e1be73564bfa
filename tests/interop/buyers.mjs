// Everybody who can buy: the stock clients of both protocol versions and farebox's own.
// buy(url, payer) resolves to { body, transaction } or throws.
import { privateKeyToAccount } from 'viem/accounts';
import { x402Client } from '@x402/core/client';
import { decodePaymentResponseHeader, wrapFetchWithPayment } from '@x402/fetch';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { ExactEvmSchemeV1 } from '@x402/evm/exact/v1/client';
import { decodeXPaymentResponse, wrapFetchWithPayment as wrapLegacy } from 'x402-fetch';
import { runPay } from '../../testnet/farebox.mjs';
import { NETWORK } from '../../testnet/chain.mjs';
import { V1_NETWORK } from './payment.mjs';

const RECEIPTS = [
	{ header: 'PAYMENT-RESPONSE', network: NETWORK, decode: decodePaymentResponseHeader },
	{ header: 'X-PAYMENT-RESPONSE', network: V1_NETWORK, decode: decodeXPaymentResponse },
];

function readReceipt(response, payer) {
	const { header, network, decode } = RECEIPTS.find((each) => response.headers.has(each.header));
	const receipt = decode(response.headers.get(header));
	if (!receipt.success || receipt.network !== network || receipt.payer.toLowerCase() !== payer.address.toLowerCase())
		throw new Error(`unexpected receipt ${JSON.stringify(receipt)}`);
	return receipt;
}

async function buyWith(fetchPaying, url, payer) {
	const response = await fetchPaying(url);
	const text = await response.text();
	if (response.status !== 200)
		throw new Error(`status ${response.status}: ${text}`);
	return { body: JSON.parse(text), transaction: readReceipt(response, payer).transaction };
}

function buyCurrent(url, payer) {
	const account = privateKeyToAccount(payer.privateKey);
	const client = new x402Client()
		.register(NETWORK, new ExactEvmScheme(account))
		.registerV1(V1_NETWORK, new ExactEvmSchemeV1(account));
	return buyWith(wrapFetchWithPayment(fetch, client), url, payer);
}

const buyLegacy = (url, payer) => buyWith(wrapLegacy(fetch, privateKeyToAccount(payer.privateKey)), url, payer);

async function buyWithFarebox(url, payer) {
	const { code, stdout, output } = await runPay(url, payer, ['--json']);
	if (code !== 0)
		throw new Error(`farebox pay ended with ${code}: ${output}`);
	const { body, receipt } = JSON.parse(stdout);
	return { body: JSON.parse(body), transaction: receipt.transaction };
}

export const BUYERS = [
	{ name: 'x402_fetch', versions: [1, 2], buy: buyCurrent },
	{ name: 'legacy_x402_fetch', versions: [1], buy: buyLegacy },
	{ name: 'farebox_pay', versions: [1, 2], buy: buyWithFarebox },
];
