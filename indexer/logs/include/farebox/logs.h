/* farebox/logs.h - what a node says about the escrow, read strictly: headers, blooms, logs, receipts; and the
 * movements of money that they tell of.
 *
 * What it is  JSON of eth_getBlockByNumber, eth_getLogs and eth_getTransactionReceipt in, values out; no I/O, no state.
 * Layer       5
 * Spec        Yellow Paper 4.3.1 (logs, bloom); EIP-3009; contracts-abi/Escrow.sol: the token's Transfer comes directly
 *             before the escrow's Deposit or Payout that it belongs to, AuthorizationUsed directly before that
 *             Transfer, and the first topic of every event of the escrow is its place in one unbroken row 1, 2, 3 …
 * Identity    of a movement, the same in whatever block it is found: if it was made by an authorization
 *             hash('A', chain, token, payer, nonce), whoever sent it; else hash('T', chain, escrow, transaction,
 *             place), where place counts only the transaction's logs that concern the escrow (fb_log_concerns), so
 *             that it can be told from filtered logs and from a receipt alike.
 * Errors      as written at each function; outputs only on FB_OK. Whatever is malformed says nothing about the chain:
 *             the endpoint is at fault.
 * Limits      FB_LOG_DATA_MAX bytes of a log's data are kept; more is counted, not kept.
 * Threads     pure functions.
 */
#ifndef FB_LOGS_H
#define FB_LOGS_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/json.h"

enum { FB_LOG_TOPICS_MAX = 4, FB_LOG_DATA_MAX = 64, FB_BLOOM_LEN = 256 };

struct fb_escrow {
	uint64_t chain_id;
	struct fb_address address, token;
};

/* ---- headers --------------------------------------------------------------------------------------------------- */
struct fb_block_header {
	uint64_t number, time_s;
	struct fb_hash hash, parent;
	uint8_t bloom[FB_BLOOM_LEN];
};
/* A block of eth_getBlockByNumber or -ByHash. FB_NOT_FOUND for null; FB_MISSING, FB_WRONG_TYPE, FB_BAD_HEX,
 * FB_BAD_LENGTH, FB_OVERFLOW. */
FB_MUST_USE enum fb_status fb_block_header_read(struct fb_block_header *out, struct fb_json_value block);
bool fb_bloom_may_hold(const uint8_t bloom[FB_BLOOM_LEN], const void *bytes, size_t len);
/* False: no log of that block concerns the escrow, for certain. */
bool fb_bloom_may_concern(const uint8_t bloom[FB_BLOOM_LEN], const struct fb_escrow *e);

/* ---- logs ------------------------------------------------------------------------------------------------------ */
struct fb_chain_log {
	struct fb_address address;
	struct fb_hash topics[FB_LOG_TOPICS_MAX];
	size_t topic_count;
	uint8_t data[FB_LOG_DATA_MAX];
	size_t data_len; /* of all of it; beyond FB_LOG_DATA_MAX it is not kept */
	uint64_t block;
	struct fb_hash block_hash, tx;
	uint64_t index; /* in its block, all transactions counted */
};
/* FB_MISSING, FB_WRONG_TYPE, FB_BAD_HEX, FB_BAD_LENGTH, FB_OVERFLOW, FB_TOO_MANY (topics), FB_BAD_VALUE (a log that the
 * node itself calls removed). */
FB_MUST_USE enum fb_status fb_chain_log_read(struct fb_chain_log *out, struct fb_json_value log);
/* An array of them, appended to what *count counts already. Each as above; FB_WRONG_TYPE (no array), FB_TOO_MANY
 * (cap). */
FB_MUST_USE enum fb_status fb_chain_logs_read(struct fb_chain_log *out, size_t *count, size_t cap,
					      struct fb_json_value logs);
/* Any event of the escrow; of the token, a Transfer from or to the escrow, but not from it to itself. */
bool fb_log_concerns(const struct fb_chain_log *log, const struct fb_escrow *e);
/* By block, then by index. FB_MISMATCH: two of one place, two hashes of one block, a block outside of first..last, or a
 * log that does not concern the escrow. */
FB_MUST_USE enum fb_status fb_chain_logs_sort(struct fb_chain_log *logs, size_t count, const struct fb_escrow *e,
					      uint64_t first, uint64_t last);

/* ---- movements --------------------------------------------------------------------------------------------------- */
/* X(name, stored number, text) */
#define FB_MOVEMENT_KINDS(X)                                                                                   \
	X(TRANSFER,   1, "transfer")   /* a bare transfer to the escrow; wallet: its sender */                  \
	X(AUTHORIZED, 2, "authorized") /* by an authorization; wallet: its payer */                             \
	X(DEPOSIT,    3, "deposit")    /* the payer's own, by the escrow's Deposit; wallet: the payer */        \
	X(GIFT,       4, "gift")       /* a Deposit for somebody else; wallet: the beneficiary */               \
	X(PAYOUT,     5, "payout")     /* by the escrow's Payout; wallet: who was paid */                       \
	X(LEAK,       6, "leak")       /* left the escrow without a Payout, which the contract does not allow */
enum fb_movement_kind {
#define X(name, num, text) FB_MOVEMENT_##name = num,
	FB_MOVEMENT_KINDS(X)
#undef X
	FB_MOVEMENT_END /* not a kind */
};
static inline bool fb_movement_leaves(enum fb_movement_kind k)
{
	return k == FB_MOVEMENT_PAYOUT || k == FB_MOVEMENT_LEAK;
}

struct fb_movement {
	enum fb_movement_kind kind;
	struct fb_hash identity;
	uint64_t block, index; /* index: of its Transfer log, in the block */
	struct fb_hash block_hash, tx;
	uint32_t place;        /* among the transaction's logs that concern the escrow */
	struct fb_address payer;  /* from whom; of what leaves: the escrow */
	struct fb_address wallet; /* whose it is, see the kinds */
	struct fb_amount amount;
	struct fb_hash reference; /* the authorization's nonce or the payout's id, else zero */
};
/* For records: the identity that the other fields lead to. */
struct fb_hash fb_movement_identity(const struct fb_movement *m, const struct fb_escrow *e);

#define FB_SEQUENCE_UNKNOWN UINT64_MAX
/* Logs in the order of fb_chain_logs_sort into movements, at most `count` of them, appended nowhere: out has room for
 * count. *sequence: the place of the escrow's last event before these, and then of the last of these;
 * FB_SEQUENCE_UNKNOWN: whatever the first of these says is believed, and if there is none it stays so. A TRANSFER may
 * still be by an authorization: fb_movement_authorize. Transfers of 0 move nothing and are no movement.
 * FB_MISMATCH: an event is missing (a gap in the row; a Deposit or Payout without its Transfer), e says which.
 * FB_OVERFLOW: an amount above FB_AMOUNT_MAX. FB_NOT_FOUND, FB_BAD_LENGTH, FB_BAD_VALUE: a log that no event
 * declares. */
FB_MUST_USE enum fb_status fb_movements_read(struct fb_movement *out, size_t *out_count, uint64_t *sequence,
					     const struct fb_chain_log *logs, size_t count, const struct fb_escrow *e,
					     struct fb_error *error);
/* Looks a TRANSFER up in its transaction's receipt: if AuthorizationUsed stands directly before it, it becomes
 * AUTHORIZED. FB_NOT_FOUND for null. FB_MISMATCH: the receipt is of another block or lacks the transfer. Those of
 * fb_chain_log_read. */
FB_MUST_USE enum fb_status fb_movement_authorize(struct fb_movement *m, struct fb_json_value receipt,
						 const struct fb_escrow *e);
/* The movements of one transaction from its receipt alone, authorizations found. The row of the escrow's events is not
 * checked against what came before. FB_TOO_MANY: more than cap logs concern the escrow. A receipt of status 0: none. */
FB_MUST_USE enum fb_status fb_movements_of_receipt(struct fb_movement *out, size_t *out_count, size_t cap,
						   struct fb_json_value receipt, const struct fb_escrow *e,
						   struct fb_error *error);
#endif /* FB_LOGS_H */
