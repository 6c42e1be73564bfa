// A smart wallet on the local chain, with money in it.
import { join } from 'node:path';
import { concat, pad } from 'viem';
import { compile } from '../../contracts-abi/compile.mjs';
import { send } from './token.mjs';

const WALLET_USDC = 1_000_000n;

// The address of a new wallet that accepts what owner ({ address }) signs.
export async function openWallet(chain, owner) {
	const { creation } = compile(join(import.meta.dirname, 'contracts/Wallet.sol'), 'Wallet');
	const data = concat([creation, pad(owner.address)]);
	const hash = await chain.client.request({ method: 'eth_sendTransaction', params: [{ from: owner.address, data }] });
	const { contractAddress } = await chain.client.waitForTransactionReceipt({ hash });
	await send(chain, owner.address, 'transfer', contractAddress, WALLET_USDC);
	return contractAddress;
}
