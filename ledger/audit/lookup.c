/* The naive books: where accounts, ids and holds are found again, and records that were read before. */
#include "audit_int.h"

#include <stdlib.h>

static fb_u128 account_key(const void *owner, uint64_t number)
{
	const struct list *accounts = owner;

	return ((const struct account *)list_at(accounts, number - 1))->key;
}

static fb_u128 fact_id(const void *owner, uint64_t number)
{
	const struct list *facts = owner;

	return ((const struct fact *)list_at(facts, number - 1))->id;
}

void audit_books_open(struct audit *a)
{
	a->batches.item_size = sizeof(struct note);
	a->prints.item_size = sizeof(uint64_t);
	a->accounts.item_size = sizeof(struct account);
	a->holds.item_size = sizeof(struct hold);
	a->facts.item_size = sizeof(struct fact);
	a->free_holds.item_size = sizeof(uint64_t);
	table_init(&a->account_keys, a->settings->rng, account_key, &a->accounts);
	table_init(&a->ids, a->settings->rng, fact_id, &a->facts);
	fb_cursor_open(&a->back, a->store, FB_FAMILY_JOURNAL);
}

void audit_books_close(struct audit *a)
{
	fb_cursor_close(a->back);
	table_free(&a->account_keys);
	table_free(&a->ids);
	free(a->batches.items);
	free(a->prints.items);
	free(a->accounts.items);
	free(a->holds.items);
	free(a->facts.items);
	free(a->free_holds.items);
}

struct account *audit_account(const struct audit *a, uint64_t number)
{
	return number == 0 || number > a->accounts.count ? NULL : list_at(&a->accounts, number - 1);
}

struct fact *audit_fact(const struct audit *a, fb_id id)
{
	uint64_t at = table_find(&a->ids, id);

	return at == 0 ? NULL : list_at(&a->facts, at - 1);
}

/* The last batch that begins at or before seq: batches without records begin where the next one does. */
static uint64_t batch_of(const struct audit *a, uint64_t seq)
{
	size_t low = 0, high = a->batches.count; /* low begins at or before seq, high after it */

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (((const struct note *)list_at(&a->batches, middle))->first_seq <= seq)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static enum fb_status open_back(struct audit *a, uint64_t number)
{
	uint8_t key[FB_JOURNAL_KEY_LEN];

	if (a->back_number == number && a->back_batch.records != NULL)
		return FB_OK;
	fb_journal_key(key, number);
	a->back_batch.records = NULL;
	a->back_number = number;
	if (!fb_cursor_seek(a->back, (struct fb_str){ (const char *)key, sizeof(key) }))
		return FB_STORAGE;
	return fb_batch_open(&a->back_batch, fb_cursor_value(a->back), NULL);
}

enum fb_status audit_record_at(struct audit *a, struct fb_record *out, uint64_t seq)
{
	const struct fb_batch *b = &a->back_batch;

	/* What was there a moment ago and is not any more is no difference. */
	if (open_back(a, batch_of(a, seq)) != FB_OK || seq < b->head.first_seq ||
	    seq - b->head.first_seq >= b->head.records)
		return FB_STORAGE;
	return fb_record_decode(out, b->records + (seq - b->head.first_seq) * FB_RECORD_LEN);
}
