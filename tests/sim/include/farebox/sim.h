/* farebox/sim.h - a chain with one USDC-like token, scripted by a test and served as JSON-RPC over HTTP.
 *
 * The chain   Blocks name their parents by hash, and stay unless the test says that the last ones are replaced
 *             (fb_sim_reorg). A block is mined when the test says so, or with every transaction that is taken
 *             (fb_sim_auto_mine). Of each
 *             sender the transactions are mined in the order of their nonces, without gaps. The token does
 *             what FiatTokenV2_2 does: it moves money only for a signature of the payer (or one that the
 *             payer's contract accepts), inside the strict time window, once per nonce, from a sufficient
 *             balance; otherwise the transaction reverts. Gas is paid either way. Multicall3 runs
 *             transfers of the token one after another, and lets each fail alone.
 *
 * Faults      What a node, its operator and other users may do, and what the simulation does of it:
 *             - a request may be refused, or taken and its reply lost; an answer may be late, an error, a
 *               web page, a 429, or nonsense. What was taken takes effect, whatever its reply says;
 *             - a node may forget a transaction that was not mined yet;
 *             - the base fee may rise; a node may refuse what does not pay it (fb_sim_strict_fees). One transaction
 *               takes the place of another of the same nonce if both its fees are a tenth higher;
 *             - a node may lag: it answers from an older block, but takes transactions as ever;
 *             - the last blocks may be replaced by others; what was in them is mined again, waits, or is forgotten;
 *             - a node may lie about blocks: hash, parent or number of a block are made up;
 *             - logs may be refused where they are asked for over too many blocks at once;
 *             - receipts may be missing for a while, although the account's counter has moved on;
 *             - somebody else who has the signer's key may use its next nonce;
 *             - somebody else may hand in a payer's authorization, or the payer cancel it;
 *             - a transaction may revert, or succeed without the token's Transfer log;
 *             - the payer may move its money away at any time; gas money may run out.
 *             What it never does: invent a receipt, a log or a balance, or accept an authorization twice on
 *             one branch.
 *
 * Layer       11; linked by tests alone.
 * Errors      none: what cannot be done is the test's mistake and stops it.
 * Threads     every function may be called from any thread. The server is one thread; the hook runs on it.
 */
#ifndef FB_SIM_H
#define FB_SIM_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/crypto.h"
#include "farebox/network.h"
#include "farebox/port.h"

enum { FB_SIM_GAS_USED = 63000, FB_SIM_BASE_FEE = 1000000000, FB_SIM_TIP = 1000000 /* wei per gas */ };
struct fb_sim;
/* Serves the first token of the network. Randomness comes from the seed alone. */
void fb_sim_open(struct fb_sim **out, const struct fb_network *network, struct fb_clock clock, uint64_t seed);
void fb_sim_close(struct fb_sim *s);
const char *fb_sim_url(const struct fb_sim *s);

/* ---- the world ---------------------------------------------------------------------------------------- */
void fb_sim_pay_in(struct fb_sim *s, const struct fb_address *to, uint64_t atoms);
void fb_sim_pay_out(struct fb_sim *s, const struct fb_address *from, uint64_t atoms); /* all, if it has less */
void fb_sim_set_gas_money(struct fb_sim *s, const struct fb_address *of, fb_u128 wei);
void fb_sim_set_contract(struct fb_sim *s, const struct fb_address *at, bool accepts_signatures);
void fb_sim_set_blacklisted(struct fb_sim *s, const struct fb_address *who, bool listed);
void fb_sim_set_paused(struct fb_sim *s, bool paused);
void fb_sim_set_chain_id(struct fb_sim *s, uint64_t chain_id); /* what the node says it serves */
void fb_sim_set_counter(struct fb_sim *s, const struct fb_address *of, uint64_t transactions);
void fb_sim_set_gas_estimate(struct fb_sim *s, fb_u128 gas);
void fb_sim_set_base_fee(struct fb_sim *s, fb_u128 wei);
void fb_sim_strict_fees(struct fb_sim *s, bool on); /* fees below the base fee are refused; off at the start */

/* ---- mining ---------------------------------------------------------------------------------------------- */
void fb_sim_auto_mine(struct fb_sim *s, bool on); /* on at the start */
void fb_sim_mine(struct fb_sim *s);               /* a block with all that can be in it */
enum fb_sim_fate { FB_SIM_HONEST, FB_SIM_REVERT, FB_SIM_SILENT /* status 1, no Transfer, no money moved */ };
void fb_sim_next_fates(struct fb_sim *s, enum fb_sim_fate fate, unsigned count); /* of the next transactions mined */

/* The last `depth` blocks are replaced by `blocks` others. What other signers and strangers had in them is gone; the
 * transactions of the served signer: */
enum fb_sim_reorg {
	FB_SIM_REORG_MINE, /* are in the first of the new blocks, where they still can be */
	FB_SIM_REORG_WAIT, /* wait to be mined; the new blocks are empty */
	FB_SIM_REORG_DROP, /* are forgotten */
};
void fb_sim_reorg(struct fb_sim *s, uint64_t depth, uint64_t blocks, enum fb_sim_reorg fate);
/* The tags `safe` and `finalized` name blocks so far below the head; 0, as at the start: there are no such tags. */
void fb_sim_set_finality(struct fb_sim *s, uint64_t safe_blocks, uint64_t final_blocks);

/* ---- faults ------------------------------------------------------------------------------------------------ */
enum fb_sim_fault {
	FB_SIM_NONE,
	FB_SIM_REFUSE,  /* the connection ends, nothing was taken */
	FB_SIM_LOSE,    /* taken, and the connection ends */
	FB_SIM_LATE,    /* taken; the reply comes `ms` later */
	FB_SIM_HTML,    /* nothing was taken; 200 and a web page */
	FB_SIM_429,     /* nothing was taken */
	FB_SIM_ERROR,   /* the call of that method alone: nothing was taken, an error object with `text` */
	FB_SIM_RUBBISH, /* likewise: the result is a text that is nothing */
	FB_SIM_NULL,    /* likewise: the result is null */
	FB_SIM_STRANGE, /* likewise: the result is a receipt, of another transaction, that failed */
	FB_SIM_NUMBER,  /* likewise: the result is a number, where a text belongs */
	FB_SIM_FAULTS
};
struct fb_sim_rule {
	const char *method; /* NULL: any */
	enum fb_sim_fault fault;
	unsigned skip;  /* so many fitting ones are spared first */
	unsigned count; /* how many times; the oldest rule that fits is used first */
	unsigned ms;
	int64_t code;     /* of ERROR; 0 takes -32000 */
	const char *text; /* of ERROR; static life. NULL takes "something is wrong" */
};
void fb_sim_add_rule(struct fb_sim *s, const struct fb_sim_rule *rule);
/* Draws a fault for every request without a rule. Parts of a million, per kind. */
void fb_sim_set_rates(struct fb_sim *s, const uint32_t ppm[FB_SIM_FAULTS], unsigned late_ms_max);
void fb_sim_clear_faults(struct fb_sim *s); /* rules, rates, fates, lag, lies and hidden receipts */
void fb_sim_set_lag(struct fb_sim *s, bool on); /* answers from what is now, until it is switched off */
void fb_sim_fall_back(struct fb_sim *s, unsigned requests); /* so many are answered as in the last lag */
/* The next `count` blocks that are asked for: */
enum fb_sim_lie {
	FB_SIM_LIE_HASH,   /* have a made-up hash */
	FB_SIM_LIE_PARENT, /* a made-up parent */
	FB_SIM_LIE_NUMBER, /* the number before theirs */
	FB_SIM_LIE_AHEAD,  /* a number far above the head */
	FB_SIM_LIES
};
void fb_sim_lie(struct fb_sim *s, enum fb_sim_lie lie, unsigned count);
void fb_sim_set_logs_max(struct fb_sim *s, uint64_t blocks); /* eth_getLogs over more is an error; 0: any number */
void fb_sim_hide_receipts(struct fb_sim *s, bool on);
void fb_sim_forget_pending(struct fb_sim *s);
/* Another transaction with the sender's next nonce is mined; a waiting one with that nonce is gone. */
void fb_sim_take_nonce(struct fb_sim *s, const struct fb_address *sender);
/* Somebody else hands in the authorization and pays the gas; false if the token refuses it. */
bool fb_sim_stranger_settles(struct fb_sim *s, const struct fb_authorization *a,
			     const uint8_t signature[FB_SIGNATURE_LEN]);
/* The payer cancels it; false if it was used or cancelled before. */
bool fb_sim_cancel(struct fb_sim *s, const struct fb_authorization *a);

/* ---- what happened ------------------------------------------------------------------------------------------- */
enum fb_sim_tx {
	FB_SIM_TX_UNKNOWN,
	FB_SIM_TX_WAITING,
	FB_SIM_TX_MOVED,
	FB_SIM_TX_REVERTED,
	FB_SIM_TX_SILENT,
	FB_SIM_TX_LOST
};
enum fb_sim_tx fb_sim_tx_state(struct fb_sim *s, const struct fb_hash *tx);
bool fb_sim_tx_was(struct fb_sim *s, const struct fb_hash *tx, enum fb_sim_tx state); /* is, or was before a reorg */
/* Has that transaction, whoever sent it, moved the money of that authorization? */
bool fb_sim_moved_by(struct fb_sim *s, const struct fb_address *payer, const struct fb_hash *nonce,
		     const struct fb_hash *tx);
struct fb_sim_account {
	struct fb_u256 atoms;
	fb_u128 wei;
	uint64_t transactions;
};
struct fb_sim_account fb_sim_account(struct fb_sim *s, const struct fb_address *of);
struct fb_sim_history { /* of one authorization */
	unsigned moved;    /* transactions that moved its money, by anybody */
	unsigned ours;     /* of those, from the served signer */
	unsigned sent;     /* different transactions that were taken for it from the served signer, attempts too */
	unsigned dead;     /* of `sent`, they moved nothing and never will: another took their nonce, or reverted */
	uint64_t atoms;    /* that moved */
	unsigned open_max; /* of `sent`, the most account nonces that had moved it or still could at one time */
};
struct fb_sim_history fb_sim_history(struct fb_sim *s, const struct fb_address *payer, const struct fb_hash *nonce);
size_t fb_sim_taken(struct fb_sim *s);			   /* eth_sendRawTransaction that were taken, repeats too */
size_t fb_sim_asked(struct fb_sim *s, const char *method); /* calls of that method, faulty ones too */
size_t fb_sim_requests(struct fb_sim *s);
/* Runs for each transaction that is handed in, before it is taken; the server's thread, no lock held. */
struct fb_sim_sent {
	struct fb_address sender;
	uint64_t nonce;
	struct fb_hash tx;
};
void fb_sim_on_send(struct fb_sim *s, void (*hook)(void *arg, const struct fb_sim_sent *sent), void *arg);
#endif /* FB_SIM_H */
