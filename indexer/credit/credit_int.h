/* Shared inside indexer/credit: the state, its tables, the rows, the steps. */
#ifndef FB_CREDIT_INT_H
#define FB_CREDIT_INT_H
#include "farebox/credit.h"

enum {
	FB_CREDIT_STEP_OPS = 3,  /* the most that one step adds */
	FB_CREDIT_STEP_PUTS = 4,
};

struct fb_item {
	struct fb_credit_item is;
	bool seen;            /* a range read by this process holds it */
	uint64_t mark;        /* the event that confirmed it last */
	size_t at;            /* in the list */
	struct fb_item *next; /* in its bucket */
};
struct fb_items {
	struct fb_item **list, **buckets;
	size_t count, cap, bucket_count;
};
struct fb_debt {
	struct fb_owner owner;
	struct fb_amount amount; /* above 0 */
};
/* Blocks read, above what is final, and the escrow's last event in them or before. */
struct fb_range {
	uint64_t first, last, sequence;
};

/* The stored cursor. */
struct fb_cursor_row {
	enum fb_credit_halt halt;
	uint64_t looked;
	struct fb_hash looked_hash;
	uint64_t sequence;               /* after `looked` */
	/* above looked: movements before this place, unless they have an M row, are final */
	uint64_t at_block, at_index;
	struct fb_amount in, out;        /* sums of live movements */
	uint64_t serial;                 /* of postings that belong to no movement */
};

enum fb_job_phase {
	FB_JOB_NONE, FB_JOB_HALT, FB_JOB_VANISH, FB_JOB_CREDIT, FB_JOB_CLAIM, FB_JOB_RIPEN, FB_JOB_FINISH, FB_JOB_END,
};
/* The event being worked off. */
struct fb_job {
	enum fb_job_phase phase;
	size_t at;
	bool is_scan, is_final, is_rewind, is_amend;
	struct fb_credit_scan scan; /* of a receipt: movements alone */
	uint64_t rewind;
	struct fb_address wallet;   /* of a claim */
	struct fb_owner owner;
	struct fb_amount claim;
};

struct fb_credit {
	struct fb_credit_settings settings;
	struct fb_credit_ports ports;
	struct fb_owner escrow;
	struct fb_items items;
	struct fb_debt *debts;
	size_t debt_count, debt_cap;
	struct fb_range *ranges;
	size_t range_count;
	struct fb_cursor_row cursor;
	uint64_t next, latest, safe, final;
	struct fb_amount at_risk;
	uint64_t mark, leaks;
	struct fb_job job;
	bool repaying;
	struct fb_owner repay_owner;
	struct fb_amount repay_amount;
};

/* table.c */
struct fb_item *fb_items_find(const struct fb_items *t, const struct fb_hash *identity);
struct fb_item *fb_items_add(struct fb_items *t, const struct fb_credit_item *is);
void fb_items_remove(struct fb_items *t, struct fb_item *item);
void fb_items_free(struct fb_items *t);
struct fb_amount fb_debt_of(const struct fb_credit *c, const struct fb_owner *owner);
void fb_debt_set(struct fb_credit *c, const struct fb_owner *owner, struct fb_amount amount);

/* rows.c; a put into the batch */
void fb_put_cursor(struct fb_credit *c, struct fb_credit_batch *b);
void fb_put_live(struct fb_credit *c, struct fb_credit_batch *b, const struct fb_credit_item *i);
void fb_remove_live(struct fb_credit *c, struct fb_credit_batch *b, const struct fb_credit_item *i);
void fb_put_final(struct fb_credit *c, struct fb_credit_batch *b, const struct fb_credit_item *i);
void fb_put_debt(struct fb_credit *c, struct fb_credit_batch *b, const struct fb_owner *owner);

/* post.c */
struct fb_amount fb_sum(struct fb_amount a, struct fb_amount b);  /* of amounts that cannot overflow together */
struct fb_amount fb_rest(struct fb_amount a, struct fb_amount b); /* b <= a */
/* Credits a movement: pending or in suspense; at_once: available, for it is final. Fills item->owner and the like. */
void fb_post_credit(struct fb_credit *c, struct fb_credit_batch *b, struct fb_credit_item *i, bool at_once);
void fb_post_ready(struct fb_credit *c, struct fb_credit_batch *b, struct fb_credit_item *i);
void fb_post_reversal(struct fb_credit *c, struct fb_credit_batch *b, struct fb_credit_item *i);
void fb_post_claim(struct fb_credit *c, struct fb_credit_batch *b);
void fb_post_repay(struct fb_credit *c, struct fb_credit_batch *b);

/* step.c: one step of the job into the batch; false: there is none left */
bool fb_step(struct fb_credit *c, struct fb_credit_batch *b);
bool fb_is_ripe(const struct fb_credit *c, const struct fb_credit_item *i);
#endif /* FB_CREDIT_INT_H */
