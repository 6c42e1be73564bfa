// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {EscrowRoles} from "./EscrowRoles.sol";

// What USDC offers beyond ERC-20: a deposit that its payer signed and anybody may send (EIP-3009).
interface IReceiveWithAuthorization {
	function receiveWithAuthorization(
		address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce,
		uint8 v, bytes32 r, bytes32 s
	) external;

	function receiveWithAuthorization(
		address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce,
		bytes calldata signature
	) external;
}

interface IPausable {
	function paused() external view returns (bool);
}

// Holds the deposits of many in one token and pays out what the books behind it say. The contract keeps no balances:
// it proves what came in, and sees to it that no id is ever paid twice and that a stolen payout key has its limits.
//
// In a transaction's logs, the token's Transfer comes directly before the Deposit or Payout that it belongs to (and
// AuthorizationUsed directly before that Transfer). Tokens sent to this address by a bare transfer stay, unannounced;
// nothing here gives anything back but a payout. There is no way to take out other tokens: such a door would be one
// more to guard.
contract Escrow is EscrowRoles, ReentrancyGuard {
	using SafeERC20 for IERC20;

	// Numbers are part of the interface; new ones go to the end.
	enum PayoutState { None, Paid, Cancelled }
	enum Refusal {
		None, Paused, AlreadyPaid, Cancelled, BadPayee, ZeroAmount, OverPayoutCap, OverDayCap,
		TokenPaused, InsufficientBalance, TokenRefused
	}

	struct Order {
		bytes32 id;
		address to;
		uint256 amount;
	}

	// All there is to know at one block.
	struct Status {
		address token;
		address owner;
		address pendingOwner;
		address payoutRole;
		address pauseRole;
		bool paused;
		uint64 sequence;
		uint128 payoutCap;
		uint128 dayCap;
		uint128 paidToday;
		uint256 balance;
	}

	error TokenHasNoCode(address token);
	error ZeroAmount();
	error BadBeneficiary(address beneficiary);
	error ZeroNonce();
	error WrongAmountReceived(uint256 received, uint256 expected);
	error PayoutRefused(bytes32 id, Refusal reason);
	error BatchTooLong(uint256 length);

	// authorization: the nonce of the EIP-3009 authorization that the deposit was made by, or zero.
	event Deposit(
		uint64 indexed sequence, address indexed beneficiary, address indexed payer, uint256 amount, bytes32 authorization
	);
	event Payout(uint64 indexed sequence, bytes32 indexed id, address indexed to, uint256 amount);
	event PayoutFailed(
		uint64 indexed sequence, bytes32 indexed id, address indexed to, uint256 amount, Refusal reason
	);
	event PayoutCancelled(uint64 indexed sequence, bytes32 indexed id);
	event CapsChanged(uint64 indexed sequence, uint128 payoutCap, uint128 dayCap);

	uint256 public constant VERSION = 1;
	uint256 public constant BATCH_MAX = 256;
	IERC20 public immutable TOKEN;

	uint128 public payoutCap;
	uint128 public dayCap;
	uint128 private _paid; // on _day
	uint64 private _day; // of UTC, since 1970
	mapping(bytes32 id => PayoutState) public payoutState;

	constructor(
		address token, address owner_, address payoutRole_, address pauseRole_, uint128 payoutCap_, uint128 dayCap_
	) EscrowRoles(owner_, payoutRole_, pauseRole_) {
		if (token.code.length == 0)
			revert TokenHasNoCode(token);
		TOKEN = IERC20(token);
		_setCaps(payoutCap_, dayCap_);
	}

	// ---- deposits ----

	function deposit(uint256 amount) external nonReentrant whenNotPaused {
		_depositFrom(msg.sender, msg.sender, amount);
	}

	function depositFor(address beneficiary, uint256 amount) external nonReentrant whenNotPaused {
		_depositFrom(msg.sender, beneficiary, amount);
	}

	// Anybody may send what the payer signed; it is the payer's deposit. The token takes it from this contract alone
	// (a TransferWithAuthorization could be redeemed by a stranger, who would leave a transfer without a Deposit).
	function depositWithAuthorization(
		address from, uint256 amount, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes calldata signature
	) external nonReentrant whenNotPaused {
		uint256 before = _requireDepositable(from, amount);
		_requireNonce(nonce);
		IReceiveWithAuthorization(address(TOKEN)).receiveWithAuthorization(
			from, address(this), amount, validAfter, validBefore, nonce, signature
		);
		_deposited(from, from, amount, nonce, before);
	}

	function depositWithAuthorization(
		address from, uint256 amount, uint256 validAfter, uint256 validBefore, bytes32 nonce,
		uint8 v, bytes32 r, bytes32 s
	) external nonReentrant whenNotPaused {
		uint256 before = _requireDepositable(from, amount);
		_requireNonce(nonce);
		IReceiveWithAuthorization(address(TOKEN)).receiveWithAuthorization(
			from, address(this), amount, validAfter, validBefore, nonce, v, r, s
		);
		_deposited(from, from, amount, nonce, before);
	}

	// ---- payouts ----

	// Pays or reverts.
	function payout(bytes32 id, address to, uint256 amount) external nonReentrant onlyPayoutRole {
		Refusal reason = _tryPayout(id, to, amount);
		if (reason != Refusal.None)
			revert PayoutRefused(id, reason);
	}

	// Pays what can be paid, in order, and tells of each. A payout that failed may be tried again.
	function payoutBatch(Order[] calldata orders) external nonReentrant onlyPayoutRole {
		if (orders.length > BATCH_MAX)
			revert BatchTooLong(orders.length);
		for (uint256 i = 0; i < orders.length; i++) {
			Order calldata order = orders[i];
			Refusal reason = _tryPayout(order.id, order.to, order.amount);
			if (reason != Refusal.None)
				emit PayoutFailed(_next(), order.id, order.to, order.amount, reason);
		}
	}

	// Burns an id, so that it can never be paid: only then is it safe to give its amount back in the books. Moves
	// nothing, and so works while paused.
	function cancelPayout(bytes32 id) external nonReentrant onlyPayoutRole {
		Refusal reason = _used(id);
		if (reason != Refusal.None)
			revert PayoutRefused(id, reason);
		payoutState[id] = PayoutState.Cancelled;
		emit PayoutCancelled(_next(), id);
	}

	// ---- limits and looks ----

	// What was paid today counts against the new cap too. A cap of zero stops payouts.
	function setCaps(uint128 payoutCap_, uint128 dayCap_) external onlyOwner {
		_setCaps(payoutCap_, dayCap_);
	}

	// A day begins at midnight UTC: around midnight up to twice dayCap can leave within one hour.
	function paidToday() public view returns (uint128) {
		return _day == _today() ? _paid : 0;
	}

	function status() external view returns (Status memory) {
		return Status({
			token: address(TOKEN), owner: owner, pendingOwner: pendingOwner, payoutRole: payoutRole, pauseRole: pauseRole,
			paused: paused, sequence: sequence, payoutCap: payoutCap, dayCap: dayCap, paidToday: paidToday(),
			balance: TOKEN.balanceOf(address(this))
		});
	}

	// ---- inside ----

	function _depositFrom(address payer, address beneficiary, uint256 amount) private {
		uint256 before = _requireDepositable(beneficiary, amount);
		TOKEN.safeTransferFrom(payer, address(this), amount);
		_deposited(beneficiary, payer, amount, 0, before);
	}

	// The balance before the deposit.
	function _requireDepositable(address beneficiary, uint256 amount) private view returns (uint256) {
		if (amount == 0)
			revert ZeroAmount();
		if (beneficiary == address(0) || beneficiary == address(this))
			revert BadBeneficiary(beneficiary);
		return TOKEN.balanceOf(address(this));
	}

	function _requireNonce(bytes32 nonce) private pure {
		if (nonce == 0)
			revert ZeroNonce();
	}

	// A Deposit never says more than what arrived, not even if the token began to keep a fee.
	function _deposited(address beneficiary, address payer, uint256 amount, bytes32 nonce, uint256 before) private {
		uint256 received = TOKEN.balanceOf(address(this)) - before;
		if (received != amount)
			revert WrongAmountReceived(received, amount);
		emit Deposit(_next(), beneficiary, payer, amount, nonce);
	}

	// The id is used up and the amount counted before the token is called, and both are taken back if it refuses.
	function _tryPayout(bytes32 id, address to, uint256 amount) private returns (Refusal) {
		Refusal reason = _refusal(id, to, amount);
		if (reason != Refusal.None)
			return reason;
		uint128 paid = paidToday();
		payoutState[id] = PayoutState.Paid;
		_day = _today();
		_paid = paid + uint128(amount); // amount <= payoutCap, a uint128
		if (!TOKEN.trySafeTransfer(to, amount)) {
			payoutState[id] = PayoutState.None;
			_paid = paid;
			return _tokenRefusal(amount);
		}
		emit Payout(_next(), id, to, amount);
		return Refusal.None;
	}

	// The first reason in the order of the enumeration.
	function _refusal(bytes32 id, address to, uint256 amount) private view returns (Refusal) {
		if (paused)
			return Refusal.Paused;
		Refusal reason = _used(id);
		if (reason != Refusal.None)
			return reason;
		if (to == address(0) || to == address(this) || to == address(TOKEN))
			return Refusal.BadPayee;
		if (amount == 0)
			return Refusal.ZeroAmount;
		if (amount > payoutCap)
			return Refusal.OverPayoutCap;
		return amount + paidToday() > dayCap ? Refusal.OverDayCap : Refusal.None;
	}

	function _used(bytes32 id) private view returns (Refusal) {
		PayoutState state = payoutState[id];
		if (state == PayoutState.Paid)
			return Refusal.AlreadyPaid;
		return state == PayoutState.Cancelled ? Refusal.Cancelled : Refusal.None;
	}

	// Why the token refused, as far as it can be told: TokenRefused for one is a blacklisted payee, or escrow.
	function _tokenRefusal(uint256 amount) private view returns (Refusal) {
		(bool answered, bytes memory answer) = address(TOKEN).staticcall(abi.encodeCall(IPausable.paused, ()));
		if (answered && answer.length == 32 && abi.decode(answer, (uint256)) != 0)
			return Refusal.TokenPaused;
		return TOKEN.balanceOf(address(this)) < amount ? Refusal.InsufficientBalance : Refusal.TokenRefused;
	}

	function _today() private view returns (uint64) {
		return uint64(block.timestamp / 1 days);
	}

	function _setCaps(uint128 payoutCap_, uint128 dayCap_) private {
		payoutCap = payoutCap_;
		dayCap = dayCap_;
		emit CapsChanged(_next(), payoutCap_, dayCap_);
	}
}
