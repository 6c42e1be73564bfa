// Would these authorizations be taken, one after another, and what gas does each need? Answered by one eth_call.
//
// Nothing is deployed (see Lens.yul) and nothing stays: the transfers are made in the call, so a payer whose first
// payment empties its account fails its second one here as it would in a block.
//
// Arguments  per item: token (20 bytes) ‖ call data of transferWithAuthorization with (v, r, s) (292 bytes)
// Answer     one word per item:
//            bit 255 the call went through
//            bits 0..63 the gas it used, its own calldata and the transaction's base cost not counted
object "Trial" {
	code {
		function CALL() -> at { at := 0x20 }
		function ANSWER() -> at { at := 0x160 }
		function CALL_BYTES() -> size { size := 292 }
		// A token that burns all it gets cannot spoil the rest.
		function CALL_GAS() -> amount { amount := 1000000 }

		let end := codesize()
		let at := ANSWER()
		for { let source := datasize("Trial") } lt(source, end) { source := add(source, add(20, CALL_BYTES())) } {
			mstore(0, 0)
			codecopy(12, source, 20)
			codecopy(CALL(), add(source, 20), CALL_BYTES())
			let before := gas()
			let taken := call(CALL_GAS(), mload(0), 0, CALL(), CALL_BYTES(), 0, 0)
			mstore(at, or(shl(255, taken), sub(before, gas())))
			at := add(at, 32)
		}
		return(ANSWER(), sub(at, ANSWER()))
	}
}
