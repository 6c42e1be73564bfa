/* Walking the journal: a batch by its number, the last one, the next one, each checked as it is read. */
#include "writer_int.h"

#include <string.h>

static struct fb_str key_of(uint8_t key[FB_JOURNAL_KEY_LEN], uint64_t number)
{
	fb_journal_key(key, number);
	return (struct fb_str){ (const char *)key, FB_JOURNAL_KEY_LEN };
}

/* The batch under the cursor, which must be stored under its number. */
static enum fb_status read(struct journal_place *p, struct fb_error *e)
{
	struct fb_str key = fb_cursor_key(p->cursor);
	uint64_t number = key.len == FB_JOURNAL_KEY_LEN ? fb_get_be64((const uint8_t *)key.at + 1) : 0;
	struct fb_error why;

	if (fb_batch_open(&p->batch, fb_cursor_value(p->cursor), &why) != FB_OK)
		return fb_error_set(e, FB_STORAGE, "what is stored as batch %llu is %s", (unsigned long long)number, why.text);
	if (number != p->batch.head.number)
		return fb_error_set(e, FB_STORAGE, "batch %llu of the journal is stored as batch %llu",
				    (unsigned long long)p->batch.head.number, (unsigned long long)number);
	return FB_OK;
}

/* The cursor stands nowhere. */
static enum fb_status nowhere(const struct journal_place *p, struct fb_error *e)
{
	if (fb_cursor_status(p->cursor) == FB_OK)
		return FB_NOT_FOUND;
	return fb_error_set(e, FB_STORAGE, "the journal cannot be read: its records are damaged");
}

enum fb_status journal_find(struct fb_store *s, struct journal_place *p, uint64_t number, struct fb_error *e)
{
	uint8_t key[FB_JOURNAL_KEY_LEN];
	struct fb_str want = key_of(key, number);
	bool found;

	memset(&p->batch, 0, sizeof(p->batch));
	fb_cursor_open(&p->cursor, s, FB_FAMILY_JOURNAL);
	found = fb_cursor_seek(p->cursor, want);
	if (!found && nowhere(p, e) == FB_STORAGE)
		return FB_STORAGE;
	if (!found || !fb_str_eq(fb_cursor_key(p->cursor), want))
		return fb_error_set(e, FB_STORAGE, "batch %llu of the journal is missing", (unsigned long long)number);
	return read(p, e);
}

enum fb_status journal_find_last(struct fb_store *s, struct journal_place *p, struct fb_error *e)
{
	uint8_t key[FB_JOURNAL_KEY_LEN];

	memset(&p->batch, 0, sizeof(p->batch));
	fb_cursor_open(&p->cursor, s, FB_FAMILY_JOURNAL);
	return fb_cursor_seek_back(p->cursor, key_of(key, UINT64_MAX)) ? read(p, e) : nowhere(p, e);
}

/* What links a batch to the one before; NULL, or the field that does not. */
static const char *link_fault(const struct fb_batch_head *h, const struct fb_batch_head *before,
			      const struct fb_hash *before_hash)
{
	if (h->number != before->number + 1)
		return "number";
	if (!fb_hash_eq(&h->previous, before_hash))
		return "previous hash";
	if (h->first_seq != before->first_seq + before->records)
		return "first seq";
	if (h->epoch < before->epoch)
		return "epoch";
	if (h->time_us <= before->time_us)
		return "time";
	return NULL;
}

enum fb_status journal_next(struct journal_place *p, struct fb_error *e)
{
	struct fb_batch_head before = p->batch.head;
	struct fb_hash before_hash = p->batch.hash;
	const char *fault;
	enum fb_status st = fb_cursor_next(p->cursor) ? read(p, e) : nowhere(p, e);

	if (st != FB_OK)
		return st;
	fault = link_fault(&p->batch.head, &before, &before_hash);
	if (fault == NULL)
		return FB_OK;
	return fb_error_set(e, FB_STORAGE, "batch %llu does not continue batch %llu of the journal: its %s is wrong",
			    (unsigned long long)p->batch.head.number, (unsigned long long)before.number, fault);
}

void journal_leave(struct journal_place *p)
{
	fb_cursor_close(p->cursor);
}
