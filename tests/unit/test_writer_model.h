/* A naive reading of the journal, for comparison with what the writer says, and random operations to fill it. */
#ifndef FB_TEST_WRITER_MODEL_H
#define FB_TEST_WRITER_MODEL_H
#include "test_writer.h"

enum { MODEL_RECORDS = 40000, MODEL_ACCOUNTS = 256, MODEL_OWNERS = 6, MODEL_ASSETS = 2 };

struct model_line {
	struct fb_record record;
	struct fb_counters after[2]; /* debit, credit; as the record's chain left them */
	int64_t time_us;
};
struct model {
	struct model_line *lines; /* by seq, from 1 */
	uint64_t count;
	struct fb_account_key keys[MODEL_ACCOUNTS]; /* by number, from 1 */
	uint64_t accounts;
};
/* Reads the whole journal of the open store. */
void model_read(struct model *m, struct fb_store *s);
void model_free(struct model *m);
/* As it was after seq; false: it was not open. */
bool model_counters(const struct model *m, struct fb_counters *out, uint64_t account, uint64_t seq);
bool model_hold_is_open(const struct model *m, const struct fb_record *hold);

/* Random operations: posts, holds, what ends them, chains, and what must be refused. */
struct drawer {
	uint64_t random;
	fb_id next_id;
	int64_t now_us;
};
uint64_t draw(struct drawer *d, uint64_t below);
/* Fills ops, chains closed; returns how many. */
size_t draw_ops(struct drawer *d, struct fb_op *ops, size_t cap);
struct fb_account_key model_key(unsigned owner, unsigned asset, enum fb_purpose purpose);
bool counters_eq(const struct fb_counters *a, const struct fb_counters *b);
#endif /* FB_TEST_WRITER_MODEL_H */
