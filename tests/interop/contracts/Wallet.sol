// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// The least smart wallet there is: what its owner signed, it signed (ERC-1271). Further bytes after the owner's 65 are
// ignored, so that a signature can also have a length that no externally owned account's has.
contract Wallet {
	address private immutable OWNER;

	constructor(address owner) {
		OWNER = owner;
	}

	function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
		require(signature.length >= 65);
		bytes32 r = bytes32(signature[0:32]);
		bytes32 s = bytes32(signature[32:64]);
		return ecrecover(hash, uint8(signature[64]), r, s) == OWNER ? this.isValidSignature.selector : bytes4(0);
	}
}
