// The conformance table of the "exact" scheme with EIP-3009: one fault per row and the reason that stock servers and
// clients expect for it.
//
// A row: name; want, the reason (null: valid, an array: one of these); make(world, version) → the body of /verify and
// /settle; versions, if not both; arrange(world) → undo, what must be so on the chain meanwhile; reference, the stock
// facilitator's reason where it differs from ours on purpose.
// world: { chain, payer, payTo, wallet }, where wallet is a smart wallet (ERC-1271) of payer's with money in it.
import { hexToBigInt, numberToHex, toHex } from 'viem';
import { bodyV1, bodyV2, authorize, freshNonce, inSeconds, payment, requirementsV1, requirementsV2, sign }
	from './payment.mjs';
import { send, settleAsStranger } from './token.mjs';

const SIGNATURE = 'invalid_exact_evm_signature';
const SIMULATION = 'invalid_exact_evm_transaction_simulation_failed';
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n; // secp256k1's n
const NOBODY = '0x00000000000000000000000000000000000000d0';

const good = (changes = {}) => ({ payer, payTo }, version) => payment({ payer, payTo, version, ...changes });

// A good payment, then changed in place: edit(body, world).
const edited = (edit, changes) => async (world, version) => {
	const body = await good(changes)(world, version);
	await edit(body, world);
	return body;
};

const editPayload = (edit) => edited((body) => edit(body.paymentPayload.payload));

// Both places that carry the requirements in v2.
function editRequirements(edit) {
	return edited((body) => {
		edit(body.paymentRequirements);
		if (body.paymentPayload.accepted)
			body.paymentPayload.accepted = structuredClone(body.paymentRequirements);
	});
}

function lowerAddresses(body) {
	const { authorization } = body.paymentPayload.payload;
	for (const [object, key] of [
		[authorization, 'from'], [authorization, 'to'],
		[body.paymentRequirements, 'payTo'], [body.paymentRequirements, 'asset'],
	])
		object[key] = object[key].toLowerCase();
	if (body.paymentPayload.accepted)
		body.paymentPayload.accepted = body.paymentRequirements;
}

const lastByte = (signature) => Number.parseInt(signature.slice(-2), 16);

function withLowV(payload) {
	const v = lastByte(payload.signature) - 27;
	payload.signature = payload.signature.slice(0, -2) + toHex(v, { size: 1 }).slice(2);
}

// The other signature of the same key and message, which Ethereum's own transactions no longer accept.
function withHighS(payload) {
	const { signature } = payload;
	const s = CURVE_ORDER - hexToBigInt(`0x${signature.slice(66, 130)}`);
	const v = lastByte(signature) === 27 ? 28 : 27;
	payload.signature = signature.slice(0, 66) + numberToHex(s, { size: 32 }).slice(2) + v.toString(16);
}

// A payment of the smart wallet, signed by its owner; `tail` are further bytes of the signature.
const fromWallet = (tail = '', signer = ({ payer }) => payer) => async (world, version) => {
	const [requirementsOf, bodyOf] = version === 1 ? [requirementsV1, bodyV1] : [requirementsV2, bodyV2];
	const authorization = authorize({ from: world.wallet, to: world.payTo });
	const signature = (await sign(signer(world).privateKey, authorization)) + tail;
	return bodyOf({ requirements: requirementsOf({ payTo: world.payTo }), authorization, signature });
};

async function withUsedNonce({ chain, payer, payTo }, version) {
	const body = await payment({ payer, payTo, version });
	await settleAsStranger(chain, payer.address, body.paymentPayload.payload);
	return body;
}

async function blacklist({ chain }, address) {
	await send(chain, chain.owner.address, 'blacklist', address);
	return () => send(chain, chain.owner.address, 'unBlacklist', address);
}

async function pause({ chain }) {
	await send(chain, chain.owner.address, 'pause');
	return () => send(chain, chain.owner.address, 'unpause');
}

// EIP-7702: the payer's address gets code that names a delegate.
const delegatedTo = (delegate) => async ({ chain, payer, ...world }) => {
	const address = delegate({ chain, ...world });
	await chain.client.setCode({ address: payer.address, bytecode: `0xef0100${address.slice(2)}` });
	return () => chain.client.setCode({ address: payer.address, bytecode: '0x' });
};

const otherAmount = (world, version) =>
	payment({ ...world, version, amount: '1000', requirements: { amount: '1001' } });

const otherAsset = good({ domain: { asset: NOBODY }, requirements: { asset: NOBODY } });

export const CASES = [
	{ name: 'good', want: null, make: good() },
	{ name: 'lower_case_addresses', want: null, make: edited(lowerAddresses) },
	{ name: 'smart_wallet', want: null, make: fromWallet() },
	{ name: 'smart_wallet_with_a_longer_signature', want: null, make: fromWallet('c0ffee') },
	{
		name: 'delegated_payer_whose_delegate_accepts', want: null, make: good(),
		arrange: delegatedTo(({ wallet }) => wallet),
	},

	{
		name: 'value_above_balance', want: 'invalid_exact_evm_insufficient_balance',
		make: good({ amount: '2000000000000' }),
	},
	{ name: 'used_nonce', want: 'invalid_exact_evm_nonce_already_used', make: withUsedNonce },
	{
		name: 'wrong_domain_name', want: 'invalid_exact_evm_token_name_mismatch',
		make: good({ domain: { name: 'USD Coin' }, requirements: { extra: { name: 'USD Coin' } } }),
	},
	{
		name: 'wrong_domain_version', want: 'invalid_exact_evm_token_version_mismatch',
		make: good({ domain: { version: '1' }, requirements: { extra: { version: '1' } } }),
	},
	{
		name: 'no_domain', want: 'invalid_exact_evm_missing_eip712_domain',
		make: editRequirements((requirements) => delete requirements.extra),
	},
	{
		name: 'other_amount', versions: [2],
		want: 'invalid_exact_evm_payload_authorization_value_mismatch', make: otherAmount,
	},
	{ name: 'other_amount', versions: [1], want: 'invalid_exact_evm_authorization_value', make: otherAmount },
	{
		name: 'other_recipient', want: 'invalid_exact_evm_recipient_mismatch', make: good({ fields: { to: NOBODY } }),
	},
	{
		name: 'three_seconds_of_life', want: 'invalid_exact_evm_payload_authorization_valid_before',
		make: (world, version) => good({ fields: { validBefore: inSeconds(3) } })(world, version),
	},
	{
		name: 'not_yet_valid', want: 'invalid_exact_evm_payload_authorization_valid_after',
		make: (world, version) => good({ fields: { validAfter: inSeconds(60) } })(world, version),
	},
	{ name: 'v_of_zero_or_one', want: [SIGNATURE, SIMULATION], make: editPayload(withLowV) },
	{ name: 'high_s', want: [SIGNATURE, SIMULATION], make: editPayload(withHighS) },
	{
		name: 'signature_of_somebody_else', want: SIGNATURE,
		make: editPayload((payload) => { payload.authorization.nonce = freshNonce(); }),
	},
	{ name: 'short_signature', want: SIGNATURE, make: editPayload((p) => { p.signature = p.signature.slice(0, -2); }) },
	{ name: 'smart_wallet_signed_by_a_stranger', want: SIGNATURE, make: fromWallet('', ({ chain }) => chain.owner) },
	{
		name: 'delegated_payer_whose_delegate_checks_no_signatures', want: SIGNATURE, make: good(),
		arrange: delegatedTo(({ chain }) => chain.multicall3),
	},
	{ name: 'asset_without_code', versions: [2], want: 'asset_not_deployed_contract', make: otherAsset },
	{
		name: 'asset_without_code', versions: [1], want: 'asset_not_deployed_contract', make: otherAsset,
		reference: null, // it would send the payment to nowhere and call that a success
	},
	{
		name: 'blacklisted_recipient', want: SIMULATION, make: good(),
		arrange: (world) => blacklist(world, world.payTo),
	},
	{
		name: 'blacklisted_payer', want: SIMULATION, make: good(),
		arrange: (world) => blacklist(world, world.payer.address),
	},
	{ name: 'paused_token', want: SIMULATION, make: good(), arrange: pause },

	{
		name: 'other_network_accepted', versions: [2], want: 'invalid_exact_evm_network_mismatch',
		make: edited(({ paymentPayload }) => {
			paymentPayload.accepted = { ...paymentPayload.accepted, network: 'eip155:8453' };
		}),
	},
];
