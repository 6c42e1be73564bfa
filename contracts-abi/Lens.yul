// Everything verification asks the chain about a token and its payers, answered by one eth_call.
//
// Nothing is deployed: the call has no `to`, its data is this creation code followed by the packed
// arguments, and what a constructor returns as "code" comes back as the answer.
//
// Arguments  token (20 bytes), then per item: from (20) ‖ to (20) ‖ nonce (32)
// Answer     word 0  block number        (its first byte is 0, never the 0xEF that EIP-3541 refuses)
//            word 1  block timestamp
//            word 2  token flags: bit 0 has code, bit 1 paused() is true, bit 2 paused() failed
//            then one word per item:
//            bit 255 the payer has code             bit 252 the payer is blacklisted
//            bit 254 the nonce is used or canceled  bit 251 the recipient is blacklisted
//            bit 253 authorizationState() failed    bit 250 balanceOf() failed
//            bits 0..127 the payer's balance, at most 2^128-1
//
// A token without code answers nothing, so its items carry bit 255 only. A token without a blacklist
// blacklists nobody. A getter gets CALL_GAS at most: one that burns everything cannot spoil the rest.
object "Lens" {
	code {
		// Memory: a scratch word for answers, one call-data buffer per getter, then the answer.
		// An argument's address lies 12 zero bytes after its selector's 4.
		function WORD() -> at { at := 0x00 }
		function NONCE_CALL() -> at { at := 0x20 }
		function BALANCE_CALL() -> at { at := 0x80 }
		function BLACKLIST_CALL() -> at { at := 0xc0 }
		function ANSWER() -> at { at := 0x100 }
		function CALL_GAS() -> amount { amount := 200000 }
		function ITEM_BYTES() -> size { size := 72 }

		function write_selectors() {
			mstore(NONCE_CALL(), shl(224, 0xe94a0102)) // authorizationState(address,bytes32)
			mstore(BALANCE_CALL(), shl(224, 0x70a08231)) // balanceOf(address)
			mstore(BLACKLIST_CALL(), shl(224, 0xfe575a87)) // isBlacklisted(address)
		}
		// Without an answer of at least a word, value means nothing.
		function ask(token, at, size) -> answered, value {
			answered := staticcall(CALL_GAS(), token, at, size, WORD(), 32)
			answered := and(answered, gt(returndatasize(), 31))
			value := mload(WORD())
		}
		function is_paused(token) -> flags {
			mstore(WORD(), shl(224, 0x5c975abb)) // paused()
			let answered, value := ask(token, WORD(), 4)
			flags := shl(2, 1)
			if answered { flags := shl(1, iszero(iszero(value))) }
		}
		function is_blacklisted(token, source) -> listed {
			codecopy(add(BLACKLIST_CALL(), 16), source, 20)
			let answered, value := ask(token, BLACKLIST_CALL(), 36)
			listed := and(answered, iszero(iszero(value)))
		}
		function nonce_flags(token, source) -> flags {
			codecopy(add(NONCE_CALL(), 16), source, 20)
			codecopy(add(NONCE_CALL(), 36), add(source, 40), 32)
			let answered, value := ask(token, NONCE_CALL(), 68)
			flags := shl(253, 1)
			if answered { flags := shl(254, iszero(iszero(value))) }
		}
		function balance_word(token, source) -> word {
			codecopy(add(BALANCE_CALL(), 16), source, 20)
			let answered, value := ask(token, BALANCE_CALL(), 36)
			switch answered
			case 0 { word := shl(250, 1) }
			default {
				let most := sub(shl(128, 1), 1)
				word := value
				if gt(value, most) { word := most }
			}
		}
		function address_at(source) -> value {
			mstore(WORD(), 0)
			codecopy(12, source, 20)
			value := mload(WORD())
		}
		function has_code(account) -> yes { yes := iszero(iszero(extcodesize(account))) }

		write_selectors()
		let source := datasize("Lens")
		let end := codesize()
		let token := address_at(source)
		let at := add(ANSWER(), 96)
		let live := has_code(token)
		// Payments of one moment often share their recipient: its answer is kept for the next item.
		let seen := not(0)
		let seen_listed := 0

		source := add(source, 20)
		mstore(ANSWER(), number())
		mstore(add(ANSWER(), 32), timestamp())
		if live { live := or(1, is_paused(token)) }
		mstore(add(ANSWER(), 64), live)
		for { } lt(source, end) { source := add(source, ITEM_BYTES()) } {
			let word := shl(255, has_code(address_at(source)))
			if live {
				let to := address_at(add(source, 20))
				if iszero(eq(to, seen)) {
					seen := to
					seen_listed := shl(251, is_blacklisted(token, add(source, 20)))
				}
				word := or(or(word, seen_listed), shl(252, is_blacklisted(token, source)))
				word := or(word, or(nonce_flags(token, source), balance_word(token, source)))
			}
			mstore(at, word)
			at := add(at, 32)
		}
		return(ANSWER(), sub(at, ANSWER()))
	}
}
