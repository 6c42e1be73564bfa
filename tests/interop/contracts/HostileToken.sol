// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// A token that keeps its promises until it is told not to: it can keep a fee, answer false, or call somebody in the
// middle of a transfer. What it then called may fail; the transfer goes on, and the answer is kept.
contract HostileToken {
	enum Mode { Honest, Fee, False, Call }

	mapping(address => uint256) public balanceOf;
	Mode private mode;
	address private target;
	bytes private data;
	bool public answered;
	bytes public answer;

	event Transfer(address indexed from, address indexed to, uint256 value);

	function mint(address to, uint256 amount) external {
		balanceOf[to] += amount;
	}

	function turn(Mode mode_, address target_, bytes calldata data_) external {
		(mode, target, data) = (mode_, target_, data_);
		delete answer;
		answered = false;
	}

	// Calls as the token itself, which may hold a role.
	function poke(address to, bytes calldata what) external {
		(bool done, bytes memory reply) = to.call(what);
		if (!done)
			assembly {
				revert(add(reply, 32), mload(reply))
			}
	}

	function transfer(address to, uint256 amount) external returns (bool) {
		return move(msg.sender, to, amount);
	}

	function transferFrom(address from, address to, uint256 amount) external returns (bool) {
		return move(from, to, amount);
	}

	function move(address from, address to, uint256 amount) private returns (bool) {
		if (mode == Mode.False)
			return false;
		if (mode == Mode.Call) {
			mode = Mode.Honest;
			(answered, answer) = target.call(data);
		}
		balanceOf[from] -= amount;
		balanceOf[to] += mode == Mode.Fee ? amount - 1 : amount;
		emit Transfer(from, to, amount);
		return true;
	}
}
