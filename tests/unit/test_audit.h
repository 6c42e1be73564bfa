/* A journal in the open: its records and heads as values, changed one by one before they are stored and audited. */
#ifndef FB_TEST_AUDIT_H
#define FB_TEST_AUDIT_H
#include "farebox/audit.h"

enum {
	SCRIPT_RECORDS = 20,
	SCRIPT_BATCHES = 7,
	SCRIPT_ACCOUNTS = 6,
	SCRIPT_PUTS_BATCH = 3, /* has no records */
	SCRIPT_HASH_LEN = 32,
};
extern const int64_t script_time_us; /* of batch 0; one second a batch */

struct script {
	struct fb_record records[SCRIPT_RECORDS]; /* seq n is records[n - 1] */
	struct fb_batch_head heads[SCRIPT_BATCHES];
	struct fb_anchor anchor;
	uint8_t *rows[SCRIPT_BATCHES];
	size_t lens[SCRIPT_BATCHES];
	uint64_t keys[SCRIPT_BATCHES];
	bool left_out[SCRIPT_BATCHES];
};
/* Six accounts, a deposit, holds that end in every way, a linked chain, a refusal, a reversal, a batch of puts. */
void script_make(struct script *s);
/* Encodes the batches. */
void script_encode(struct script *s);
/* Chains them from the first on: previous hashes, hashes. */
void script_chain(struct script *s);
void script_rehash(struct script *s, unsigned batch); /* one row's own hash, over changed bytes */
void script_anchor(struct script *s);                 /* the anchor of the last one */
void script_free(struct script *s);
unsigned script_batch_of(const struct script *s, uint64_t seq);
uint8_t *script_record(struct script *s, uint64_t seq); /* its bytes */

/* Into the tests' store; audited there. */
enum fb_status script_audit(const struct script *s, struct fb_audit_summary *sum, struct fb_audit_finding *f);
enum fb_status script_verify(const struct script *s, struct fb_audit_summary *sum, struct fb_audit_finding *f);
struct fb_audit_settings script_settings(void);
struct fb_store *script_store(void);
int script_setup(void **state);
int script_teardown(void **state);

/* ---- tests of the other files */
void audit__each_corruption__is_named(void **state);
void audit__every_byte_of_every_row_flipped__is_found(void **state);
void audit__every_record_byte_changed_and_all_rehashed__is_found(void **state);
void audit__random_bytes_changed_and_all_hashed__is_judged(void **state);
void verify__each_corruption_of_the_chain__is_named(void **state);
int derived_setup(void **state);
int derived_teardown(void **state);
void audit__derived_rows_of_a_writer__are_clean(void **state);
void audit__each_derived_lie__is_named(void **state);
void audit__any_byte_of_a_derived_row_flipped__is_found(void **state);
#endif /* FB_TEST_AUDIT_H */
