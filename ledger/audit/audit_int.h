/* Inside ledger/audit: the naive books, and how a difference is told. */
#ifndef FB_AUDIT_INT_H
#define FB_AUDIT_INT_H
#include "farebox/audit.h"

/* ---- table.c: numbers 1, 2, 3 … found by a 128-bit key, which the owner can tell from the number ---------------- */
struct table {
	uint64_t *slots; /* 0: free */
	size_t cap, count;
	uint64_t secret[2];
	fb_u128 (*key_of)(const void *owner, uint64_t number);
	const void *owner;
};
void table_init(struct table *t, struct fb_rng rng, fb_u128 (*key_of)(const void *owner, uint64_t number),
		const void *owner);
void table_free(struct table *t);
uint64_t table_find(const struct table *t, fb_u128 key); /* 0: not there */
void table_add(struct table *t, fb_u128 key, uint64_t number);

/* A list that grows; items are zeroed. */
struct list {
	void *items;
	size_t item_size, count, cap;
};
void *list_add(struct list *l);
static inline void *list_at(const struct list *l, size_t i)
{
	FB_ASSERT(i < l->count);
	return (char *)l->items + i * l->item_size;
}

/* ---- the naive books ------------------------------------------------------------------------------------------- */
struct account {
	struct fb_owner owner;
	uint32_t asset;
	enum fb_purpose purpose;
	bool may_go_below_zero;
	fb_u128 debits_posted, debits_pending, credits_posted, key;
	uint64_t last_seq, lines; /* of the records that it is a side of: the last, how many */
};
/* What became of an id. */
struct fact {
	fb_id id;
	uint64_t seq, content;
	uint64_t hold; /* of an open one: its place among the holds, from 1 */
	enum fb_status refused;
	uint8_t kind;
	bool undone; /* the post was reversed, the hold expired */
};
struct hold {
	fb_u128 amount; /* 0: the place is free */
	fb_id id;
	uint64_t account, seq;
	int64_t expires_us;
};
/* Up to where rows were derived. */
struct mark {
	bool exists;
	uint64_t seq, batch;
	struct fb_hash hash;
};
/* What is remembered of a batch. */
struct note {
	uint64_t first_seq, records;
	int64_t time_us;
};
struct audit {
	struct fb_store *store;
	const struct fb_audit_settings *settings;
	struct fb_audit_finding *finding;
	struct fb_audit_summary sum;
	uint64_t start_ms, shown_ms, total;

	/* The chain: what the next batch must carry. */
	uint64_t next_batch, next_seq, epoch;
	int64_t time_us;
	struct fb_hash head;
	struct fb_anchor anchor;
	struct mark mark;
	struct fb_cursor *back; /* a second place in the journal: for posts that are reversed long after */
	struct fb_batch back_batch; /* the batch there, borrowed; records NULL: none */
	uint64_t back_number;
	struct list batches;    /* struct note */
	struct list prints;     /* uint64_t, one a record */

	/* The state: account n is item n - 1, likewise holds and facts. */
	struct list accounts, holds, facts, free_holds;
	struct table account_keys, ids;

	/* Within a batch. */
	bool chained;             /* the record before is linked to this one */
	bool chain_refused;       /* the record before was a refusal */
	struct fb_record capture; /* the last one; kind 0: a leg has no place here */
	fb_u128 taken;            /* by its legs so far */
};

/* ---- finding.c: each fills the finding and returns FB_MISMATCH -------------------------------------------------- */
enum fb_status audit_differ(struct audit *a, enum fb_audit_check check, uint64_t account, const char *what,
			    struct fb_str found, struct fb_str expected);
enum fb_status audit_differ_text(struct audit *a, enum fb_audit_check check, uint64_t account, const char *what,
				 const char *found, const char *expected);
enum fb_status audit_differ_number(struct audit *a, enum fb_audit_check check, uint64_t account, const char *what,
				   fb_u128 found, fb_u128 expected);
enum fb_status audit_differ_hash(struct audit *a, enum fb_audit_check check, const char *what,
				 const struct fb_hash *found, const struct fb_hash *expected);

/* ---- fold.c */
/* The record, whose seq and batch are in the finding. */
enum fb_status audit_fold(struct audit *a, const struct fb_record *r);
enum fb_status audit_end_batch(struct audit *a);
/* ---- lookup.c */
struct account *audit_account(const struct audit *a, uint64_t number); /* NULL: there is none */
struct fact *audit_fact(const struct audit *a, fb_id id);              /* likewise */
void audit_books_open(struct audit *a);
void audit_books_close(struct audit *a);
/* A record that was read before. FB_STORAGE */
enum fb_status audit_record_at(struct audit *a, struct fb_record *out, uint64_t seq);
/* ---- chain.c */
/* Reads the whole journal, records too unless `quick`. */
enum fb_status audit_journal(struct audit *a, bool quick, struct fb_error *e);
/* ---- totals.c */
enum fb_status audit_totals(struct audit *a);

/* ---- fields.c: what is in a derived row */
struct fields {
	const uint8_t *at;
	size_t left;
	bool ok; /* latched: there was as much as was taken */
};
struct fields fields_of(struct fb_str row);
uint64_t fields_u64(struct fields *f);
fb_u128 fields_u128(struct fields *f);
uint64_t fields_small(struct fields *f, size_t len); /* of 1 to 4 bytes */
void fields_bytes(struct fields *f, void *out, size_t len);
/* Words of eight bytes behind a map of those that are not zero. */
void fields_words(struct fields *f, uint8_t *out, size_t count);
bool fields_end(const struct fields *f); /* all was there, and nothing is left */
/* ---- derived.c */
/* Reads the mark. */
enum fb_status audit_mark(struct audit *a);
/* All derived rows, when the journal is folded up to the mark. FB_STORAGE, FB_MISMATCH. */
enum fb_status audit_derived(struct audit *a, struct fb_error *e);
/* Without a mark there are none. */
enum fb_status audit_no_derived(struct audit *a);
enum { AUDIT_WHAT_MAX = 100 };
/* "the ROW of id N: FIELD" */
void audit_what(char out[AUDIT_WHAT_MAX], const char *row, fb_id id, const char *field);
enum fb_status audit_bad_row(struct audit *a, struct fb_str key);
/* ---- derived_state.c: one row each */
enum fb_status audit_account_row(struct audit *a, uint64_t expected, struct fb_str key, struct fb_str value);
enum fb_status audit_hold_row(struct audit *a, struct fb_str key, struct fb_str value);
enum fb_status audit_id_row(struct audit *a, struct fb_str key, struct fb_str value);
enum fb_status audit_missing_hold(struct audit *a);
enum fb_status audit_missing_id(struct audit *a);
/* ---- derived_history.c */
struct tally {
	fb_u128 debits_posted, debits_pending, credits_posted, credits_pending;
};
struct history {
	uint64_t account, lines, seq; /* the row before, and how many of its account there were */
	struct tally now;             /* its account, folded from the rows */
	struct tally said;            /* by the row before, of the end of its chain */
};
enum fb_status audit_history_row(struct audit *a, struct history *h, struct fb_str key, struct fb_str value);
enum fb_status audit_history_end(struct audit *a, struct history *h); /* no row follows */
uint64_t audit_print(const uint8_t record[FB_RECORD_LEN], int64_t time_us, bool linked);
#endif /* FB_AUDIT_INT_H */
