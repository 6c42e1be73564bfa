/* The auditor: the books again, as naive as can be. Arrays that are searched from end to end, whole copies of the state
 * instead of drafts, operations compared field by field instead of by digest. It shares no code with ledger/books, and
 * says for every submission what must be answered and which records must be written. */
#ifndef FB_MODEL_H
#define FB_MODEL_H
#include "farebox/books.h"

struct model_account {
	struct fb_account_key key;
	bool below_zero;
	fb_u128 debits, pending, credits;
	uint64_t last_seq;
};
enum model_fate { MODEL_PLAIN, MODEL_OPEN, MODEL_ENDED, MODEL_EXPIRED, MODEL_REVERSED };
struct model_id {
	fb_id id;
	size_t op; /* as asked, in the model's list of operations */
	enum fb_status refused;
	enum model_fate fate; /* of a hold or a post */
	uint64_t seq;
	size_t debit, credit; /* accounts of a post, account of a hold */
};
struct model_state {
	struct model_account *accounts; /* number n is at n - 1 */
	struct model_id *ids;
	size_t account_count, id_count;
	uint64_t seq;
};
struct model {
	struct model_state now;
	struct fb_op *ops; /* of all ids, never taken back */
	size_t op_count;
	size_t accounts_max, holds_max;
	struct fb_record *records; /* of the submission */
	size_t record_count;
};
void model_open(struct model *m, size_t accounts_max, size_t holds_max);
void model_close(struct model *m);
/* Results and records that the books must give; content of records is left 0. */
void model_submit(struct model *m, struct fb_op_result *results, const struct fb_op *ops, size_t count,
		  int64_t time_us);
size_t model_expire(struct model *m, int64_t time_us, size_t max);
const struct model_account *model_find(const struct model *m, const struct fb_account_key *key);
size_t model_open_holds(const struct model *m);
/* A copy of the state, and going back to it (which takes the copy). */
void model_copy(struct model_state *to, const struct model_state *from);
void model_free(struct model_state *s);
bool model_same_key(const struct fb_account_key *a, const struct fb_account_key *b);
#endif /* FB_MODEL_H */
