/* A simulated chain with an escrow on it, the ledger's books, and the decisions of indexer/credit between the two.
 *
 * What may happen: blocks are mined; blocks that are not final are replaced, to any depth, by as many or by others,
 * and their transactions come back in other blocks, at other places, or never (an authorization also in another
 * transaction); the chain goes back to a branch that it had left; ranges are read late, in pieces, again, and with
 * movements left out; receipts are seen before their block; owners spend, hold and register their wallets; the
 * process dies between any two batches, and what it had not submitted yet is lost.
 * What may not: a final block is replaced; a block's hash stands for two contents. */
#ifndef FB_WORLD_H
#define FB_WORLD_H
#include "farebox/credit.h"

enum {
	WORLD_BLOCKS = 512,
	WORLD_BLOCK_TXS = 4,
	WORLD_WALLETS = 6,
	WORLD_ROWS = 8192,
	WORLD_POOL = 64,
	WORLD_ASSET = 1,
	WORLD_FROM = 3, /* the escrow's block */
};

__extension__ typedef __int128 world_sum;

struct world_tx {
	enum fb_movement_kind kind;
	uint64_t id;       /* of its hash */
	uint64_t deed;     /* of an authorization's nonce or a payout */
	uint8_t payer, wallet;
	uint64_t amount;
};
struct world_block {
	uint64_t hash, parent;
	struct world_tx txs[WORLD_BLOCK_TXS];
	size_t count;
};
struct world_row {
	uint8_t key[FB_CREDIT_KEY_MAX], value[FB_CREDIT_ROW_MAX];
	size_t key_len, value_len;
	bool used;
};
struct world {
	uint64_t seed, random, hashes, ids;
	struct world_block chain[WORLD_BLOCKS], left[WORLD_BLOCKS]; /* by height; `left`: the branch given up last */
	uint64_t head, left_first, left_head, safe, final;
	struct world_tx pool[WORLD_POOL]; /* of replaced blocks */
	size_t pooled;
	bool registered[WORLD_WALLETS];
	uint64_t spent[WORLD_WALLETS];
	uint64_t early_max, early_cap, holds;
	unsigned crash_rate;              /* of 1000 batches */
	struct fb_credit_settings settings;
	struct fb_credit *credit;
	struct fb_books *books;
	bool fresh; /* started again: it has not heard of the head yet */
	struct world_row rows[WORLD_ROWS];
	size_t row_count;
	uint64_t op_ids;
	/* what the run tried */
	uint64_t crashes, reorgs, returns, lies, receipts, reversed, debts, repaid, finals;
};

uint64_t world_draw(struct world *w, uint64_t below);
void world_open(struct world *w, uint64_t seed);
void world_close(struct world *w);
void world_run(struct world *w, unsigned steps);
void world_settle(struct world *w); /* until nothing is left to do */

/* chain.c */
void chain_mine(struct world *w);
void chain_reorg(struct world *w);
void chain_return(struct world *w); /* to the branch given up last */
struct fb_hash chain_hash(uint64_t id);
struct fb_address chain_wallet(uint8_t i);
/* The movements of a block as it is now. */
size_t chain_movements(const struct world *w, struct fb_movement *out, uint64_t height);
enum fb_stand chain_stands(void *ctx, uint64_t block, const struct fb_hash *hash);

/* ledger.c */
void ledger_open(struct world *w);
/* False: the process died before or after this batch was submitted. */
bool ledger_submit(struct world *w, const struct fb_credit_batch *b);
enum fb_status ledger_post(struct world *w, const struct fb_op *op);
struct fb_amount ledger_available(struct world *w, const struct fb_owner *owner);
/* credits - debits, without regard to holds */
world_sum ledger_balance(struct world *w, const struct fb_owner *owner, enum fb_purpose purpose);
struct fb_owner ledger_owner(const struct world *w, uint8_t wallet, bool named);
void ledger_load(struct world *w); /* the decisions' state from its rows */

/* audit.c: recomputes everything from the chain as it is, with other code, and compares. */
void audit_always(struct world *w);
void audit_end(struct world *w);
#define CHECK(w, c)                                                                                             \
	do {                                                                                                    \
		if (!(c))                                                                                       \
			world_fail(w, #c, __FILE__, __LINE__);                                                  \
	} while (0)
_Noreturn void world_fail(const struct world *w, const char *what, const char *file, int line);
#endif /* FB_WORLD_H */
