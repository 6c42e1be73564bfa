/* What an answer about a range of blocks must be before it is believed. */
#include "follow_int.h"

#include <string.h>

static const struct fb_block_header *header_of(const struct fb_reading *r, uint64_t number)
{
	size_t low = 0, high = r->header_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->numbers[mid] < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < r->header_count && r->numbers[low] == number ? &r->headers[low] : NULL;
}

static enum fb_status wrong(struct fb_error *e, const char *what, uint64_t number)
{
	return fb_error_set(e, FB_MISMATCH, "block %llu: %s", (unsigned long long)number, what);
}

static enum fb_status check_headers(const struct fb_follow *f, struct fb_error *e)
{
	const struct fb_reading *r = &f->r;

	for (size_t i = 0; i < r->header_count; i++) {
		const struct fb_block_header *h = &r->headers[i];
		struct fb_hash known;

		if (h->number != r->numbers[i])
			return wrong(e, "another number was asked for", h->number);
		if (i > 0 && r->numbers[i - 1] + 1 == h->number && !fb_hash_eq(&h->parent, &r->headers[i - 1].hash))
			return wrong(e, "its parent is not the block before", h->number);
		if (fb_head_hash(f->head, h->number, &known) == FB_OK && !fb_hash_eq(&known, &h->hash))
			return wrong(e, "it is not the one that the head follower knows", h->number);
	}
	return FB_OK;
}

/* Below the range lies what was final. */
static enum fb_status check_foot(const struct fb_follow *f, struct fb_error *e)
{
	struct fb_hash hash, none = { { 0 } };
	uint64_t looked = fb_credit_looked(f->credit, &hash);

	if (f->r.first != looked + 1 || fb_hash_eq(&hash, &none) || fb_hash_eq(&hash, &f->r.headers[0].parent))
		return FB_OK;
	return fb_error_set(e, FB_CONFLICT, "block %llu was final, and is another now", (unsigned long long)looked);
}

static enum fb_status check_log_blocks(const struct fb_reading *r, struct fb_error *e)
{
	for (size_t i = 0; i < r->log_count; i++) {
		const struct fb_block_header *h = header_of(r, r->logs[i].block);

		if (h != NULL && !fb_hash_eq(&h->hash, &r->logs[i].block_hash))
			return wrong(e, "a log of it is of another block of that number", h->number);
	}
	return FB_OK;
}

static bool has_logs(const struct fb_reading *r, uint64_t block)
{
	for (size_t i = 0; i < r->log_count; i++)
		if (r->logs[i].block == block)
			return true;
	return false;
}

static void find_suspects(struct fb_reading *r, const struct fb_escrow *e)
{
	r->suspect_count = 0;
	for (size_t i = 0; i < r->header_count && r->suspect_count < FB_FOLLOW_HEADERS_MAX; i++)
		if (fb_bloom_may_concern(r->headers[i].bloom, e) && !has_logs(r, r->numbers[i]))
			r->suspects[r->suspect_count++] = i;
}

enum fb_status fb_follow_check(struct fb_follow *f, struct fb_error *e)
{
	const struct fb_escrow *escrow = &f->settings.credit.escrow;
	struct fb_reading *r = &f->r;
	enum fb_status st = check_headers(f, e);

	if (st == FB_OK)
		st = check_foot(f, e);
	if (st == FB_OK && fb_chain_logs_sort(r->logs, r->log_count, escrow, r->first, r->last) != FB_OK)
		st = fb_error_set(e, FB_MISMATCH, "logs that do not fit together, or that nobody asked for");
	if (st == FB_OK)
		st = check_log_blocks(r, e);
	for (size_t i = 0; st == FB_OK && i < r->log_count; i++) {
		const struct fb_block_header *h = header_of(r, r->logs[i].block);

		if (h != NULL && !fb_bloom_may_concern(h->bloom, escrow))
			st = wrong(e, "its bloom rules out the log that came with it", h->number);
	}
	if (st == FB_OK)
		find_suspects(r, escrow);
	return st;
}

bool fb_follow_explains(const struct fb_reading *r)
{
	struct fb_amount in = r->before, out = r->after;
	enum fb_status st = FB_OK;

	for (size_t i = 0; i < r->movement_count && st == FB_OK; i++) {
		const struct fb_movement *m = &r->movements[i];
		struct fb_amount *side = fb_movement_leaves(m->kind) ? &out : &in;

		st = fb_amount_add(side, *side, m->amount);
	}
	return st == FB_OK && fb_amount_cmp(in, out) == 0;
}

bool fb_follow_same_logs(const struct fb_reading *r)
{
	bool same = r->log_count == r->second_count;

	for (size_t i = 0; same && i < r->log_count; i++) {
		const struct fb_chain_log *a = &r->logs[i], *b = &r->second[i];

		same = a->block == b->block && a->index == b->index && fb_hash_eq(&a->block_hash, &b->block_hash) &&
		       fb_hash_eq(&a->tx, &b->tx) && fb_address_eq(&a->address, &b->address) &&
		       a->topic_count == b->topic_count && a->data_len == b->data_len &&
		       memcmp(a->data, b->data, FB_LOG_DATA_MAX) == 0;
		for (size_t k = 0; same && k < a->topic_count; k++)
			same = fb_hash_eq(&a->topics[k], &b->topics[k]);
	}
	return same;
}
