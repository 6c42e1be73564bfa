/* The groups of the books' tests, and what they share: books with a batch being filled, a journal of all its records
 * (which serves as the id index too), and short ways to write operations. */
#ifndef FB_TEST_BOOKS_H
#define FB_TEST_BOOKS_H
#include "farebox/books.h"
#include "fb_test.h"


int test_books_order(void);
int test_books_chain(void);
int test_books_once(void);
int test_books_hold(void);
int test_books_torture(void);
int test_books_recovery(void);
int test_books_growth(void);

enum { USDC = 1, EURC = 2 };
extern const struct fb_account_key world, alice, bob, fees, alice_euro, world_euro;

/* Books whose every record is kept, so that other books can be made of them. */
struct ledger {
	struct fb_books *books;
	uint8_t *batch;          /* FB_BATCH_RECORDS_MAX records */
	uint32_t count;          /* in the batch */
	struct fb_record *all;   /* of all batches, by seq from 1 */
	size_t all_count, all_cap;
	uint64_t indexed;        /* the index knows the ids of records up to this seq */
	unsigned fail_at, calls; /* the index fails at this call, counted from 1; 0 never */
	int64_t now_us;
};
void ledger_open(struct ledger *l);
void ledger_close(struct ledger *l);
struct fb_id_index ledger_index(struct ledger *l);
/* Ends the batch: its records are in the journal. */
void ledger_seal(struct ledger *l);
/* Runs and checks what the books promise of the results; the records are sealed. */
enum fb_status ledger_run(struct ledger *l, struct fb_op_result *results, const struct fb_op *ops, size_t count);
struct fb_op_result ledger_do(struct ledger *l, struct fb_op op); /* one operation; the index does not fail */
size_t ledger_expire(struct ledger *l, size_t max);
/* posted debits, pending debits, posted credits; what is no account has none. */
void check_counters(const struct fb_books *b, const struct fb_account_key *key, fb_u128 debits, fb_u128 pending,
		    fb_u128 credits);
size_t count_holds(const struct fb_books *b, uint64_t account);
/* Books made of the journal alone. */
void replay_all(struct fb_books **out, const struct ledger *l, struct fb_id_index index);
/* Accounts and open holds are the same. */
void check_same(const struct fb_books *a, const struct fb_books *b);

struct fb_op op_account(struct fb_account_key key, bool may_go_below_zero);
struct fb_op op_post(fb_id id, struct fb_account_key debit, struct fb_account_key credit, fb_u128 amount);
struct fb_op op_hold(fb_id id, struct fb_account_key debit, fb_u128 amount, int64_t expires_us);
struct fb_op op_capture(fb_id id, fb_id hold, struct fb_account_key credit, fb_u128 amount);
struct fb_op op_leg(struct fb_op capture, struct fb_account_key credit, fb_u128 amount); /* with one leg more */
struct fb_op op_release(fb_id id, fb_id hold);
struct fb_op op_reverse(fb_id id, fb_id post);
#endif /* FB_TEST_BOOKS_H */
