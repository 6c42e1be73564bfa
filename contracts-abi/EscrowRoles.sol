// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// Who may do what with an escrow, and the number that every event carries.
//
// Three roles, held by three different addresses: the owner appoints and sets limits but pays nothing out, the payout
// role pays out within the limits, the pause role can only stop. A zero address holds a role for nobody.
//
// Every event's first topic is its place in one unbroken row 1, 2, 3 … of all events this contract ever emitted, so
// that whoever reads them can tell that none is missing, and ask for a missing one by its number.
abstract contract EscrowRoles {
	error NotOwner(address caller);
	error NotPendingOwner(address caller);
	error NotPayoutRole(address caller);
	error NotPauseRole(address caller);
	error ZeroAddress();
	error RolesNotApart(address account);
	error EscrowPaused();
	error EscrowNotPaused();

	event OwnerProposed(uint64 indexed sequence, address indexed owner, address indexed candidate);
	event OwnerChanged(uint64 indexed sequence, address indexed previous, address indexed owner);
	event PayoutRoleChanged(uint64 indexed sequence, address indexed previous, address indexed account);
	event PauseRoleChanged(uint64 indexed sequence, address indexed previous, address indexed account);
	event Paused(uint64 indexed sequence, address indexed account);
	event Unpaused(uint64 indexed sequence, address indexed account);

	// The number of the latest event. Never cached across a call to the token: a nested call may emit.
	uint64 public sequence;
	bool public paused;
	address public owner;
	address public pendingOwner;
	address public payoutRole;
	address public pauseRole;

	modifier onlyOwner() {
		if (msg.sender != owner)
			revert NotOwner(msg.sender);
		_;
	}

	modifier onlyPayoutRole() {
		if (msg.sender != payoutRole)
			revert NotPayoutRole(msg.sender);
		_;
	}

	modifier whenNotPaused() {
		if (paused)
			revert EscrowPaused();
		_;
	}

	constructor(address owner_, address payoutRole_, address pauseRole_) {
		_setOwner(owner_);
		_setPayoutRole(payoutRole_);
		_setPauseRole(pauseRole_);
	}

	// Ownership moves in two steps: a mistyped address could never take the second. Zero takes the offer back.
	function transferOwnership(address candidate) external onlyOwner {
		pendingOwner = candidate;
		emit OwnerProposed(_next(), owner, candidate);
	}

	function acceptOwnership() external {
		if (msg.sender != pendingOwner)
			revert NotPendingOwner(msg.sender);
		_setOwner(msg.sender);
	}

	function setPayoutRole(address account) external onlyOwner {
		_setPayoutRole(account);
	}

	function setPauseRole(address account) external onlyOwner {
		_setPauseRole(account);
	}

	// Stopping is made easy, starting again is not: a stolen pause key can do no more than stop.
	function pause() external whenNotPaused {
		if (msg.sender != pauseRole && msg.sender != owner)
			revert NotPauseRole(msg.sender);
		paused = true;
		emit Paused(_next(), msg.sender);
	}

	function unpause() external onlyOwner {
		if (!paused)
			revert EscrowNotPaused();
		paused = false;
		emit Unpaused(_next(), msg.sender);
	}

	function _next() internal returns (uint64) {
		return ++sequence;
	}

	function _setOwner(address account) private {
		address previous = owner;
		if (account == address(0))
			revert ZeroAddress();
		_requireApart(account, payoutRole, pauseRole);
		owner = account;
		pendingOwner = address(0);
		emit OwnerChanged(_next(), previous, account);
	}

	function _setPayoutRole(address account) private {
		address previous = payoutRole;
		_requireApart(account, owner, pauseRole);
		payoutRole = account;
		emit PayoutRoleChanged(_next(), previous, account);
	}

	function _setPauseRole(address account) private {
		address previous = pauseRole;
		_requireApart(account, owner, payoutRole);
		pauseRole = account;
		emit PauseRoleChanged(_next(), previous, account);
	}

	function _requireApart(address account, address other, address another) private pure {
		if (account != address(0) && (account == other || account == another))
			revert RolesNotApart(account);
	}
}
