// Every client buys from every server that speaks its version of the protocol; farebox verifies and settles.
// What counts is the chain: each purchase moves exactly its price from the payer to the payee.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseEventLogs } from 'viem';
import { USDC_ABI } from '../../testnet/usdc.mjs';
import { BUYERS } from './buyers.mjs';
import { openShopV1, openShopV2, SHOP_PRICE } from './shops.mjs';
import { openStage } from './stage.mjs';
import { balanceOf, send } from './token.mjs';

let stage, shopV1, shopV2, demoPrice;

async function readDemoPrice() {
	const response = await fetch(`${stage.url}/demo`);
	assert.equal(response.status, 402);
	const { accepts: [v1] } = await response.json();
	const { accepts: [v2] } = JSON.parse(Buffer.from(response.headers.get('PAYMENT-REQUIRED'), 'base64'));
	assert.equal(v1.maxAmountRequired, v2.amount);
	return BigInt(v2.amount);
}

before(async () => {
	stage = await openStage();
	shopV1 = await openShopV1(stage.url, stage.payee.address);
	shopV2 = await openShopV2(stage.url, stage.payee.address);
	demoPrice = await readDemoPrice();
});
after(async () => {
	await shopV1?.close();
	await shopV2?.close();
	await stage?.close();
});

const SELLERS = [
	{ name: 'farebox_demo', versions: [1, 2], where: () => `${stage.url}/demo`, price: () => demoPrice },
	{ name: 'x402_express', versions: [2], where: () => shopV2.url, price: () => SHOP_PRICE },
	{ name: 'legacy_x402_express', versions: [1], where: () => shopV1.url, price: () => SHOP_PRICE },
];

async function balances() {
	return {
		payer: await balanceOf(stage.chain, stage.payer.address),
		payee: await balanceOf(stage.chain, stage.payee.address),
	};
}

async function transfersIn(hash) {
	const receipt = await stage.chain.client.getTransactionReceipt({ hash });
	const logs = parseEventLogs({ abi: USDC_ABI, eventName: 'Transfer', logs: receipt.logs });
	return logs.map(({ args: { from, to, value } }) => ({ from, to, value }));
}

const meets = (buyer, seller) => buyer.versions.some((version) => seller.versions.includes(version));

for (const seller of SELLERS)
	for (const buyer of BUYERS.filter((each) => meets(each, seller)))
		test(`purchase__${buyer.name}_from_${seller.name}__moves_exactly_the_price`, async () => {
			const { payer, payee } = stage;
			const earlier = await balances();
			const { body, transaction } = await buyer.buy(seller.where(), payer);
			const later = await balances();
			assert.ok(Object.keys(body).length > 0);
			assert.equal(earlier.payer - later.payer, seller.price());
			assert.equal(later.payee - earlier.payee, seller.price());
			assert.deepEqual(await transfersIn(transaction), [
				{ from: payer.address, to: payee.address, value: seller.price() },
			]);
		});

test('purchase__from_an_upfront_shop__is_settled_without_a_verify', async () => {
	const shop = await openShopV2(stage.url, stage.payee.address, { extra: { paymentFlow: 'upfront' } });
	const earlier = await balances();
	await BUYERS[0].buy(shop.url, stage.payer).finally(shop.close);
	const later = await balances();
	assert.equal(later.payee - earlier.payee, SHOP_PRICE);
});

test('purchase__payer_without_money__is_refused_and_nothing_moves', async () => {
	const [poor] = stage.rest;
	const amount = await balanceOf(stage.chain, poor.address);
	await send(stage.chain, poor.address, 'transfer', stage.other.address, amount);
	for (const buyer of BUYERS.filter(({ versions }) => versions.includes(2)))
		await assert.rejects(buyer.buy(shopV2.url, poor), buyer.name);
	assert.equal(await balanceOf(stage.chain, poor.address), 0n);
});
