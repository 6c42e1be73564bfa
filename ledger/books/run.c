/* A submission: what it needs from outside first, then chain after chain, each wholly or not at all. */
#include "books_int.h"

#include <stdlib.h>

struct chain {
	const struct fb_op *ops;
	struct fb_op_result *results;
	const struct fb_outside *outside;
	size_t count;
};

/* Up to the operation that is not linked to its next. */
static size_t chain_len(const struct fb_op *ops, size_t count)
{
	size_t len = 1;

	while (len < count && ops[len - 1].linked)
		len++;
	return len;
}

size_t fb_books_records_max(const struct fb_op *ops, size_t count)
{
	size_t records = 0;

	for (size_t i = 0; i < count; i++) {
		size_t legs = ops[i].leg_count < FB_LEGS_MAX ? ops[i].leg_count : FB_LEGS_MAX;

		/* a leg and its account; else one record, a refusal's at least; the debit's account */
		records += 1 + 2 * legs + 1;
	}
	return records;
}

/* ---- forms ------------------------------------------------------------------------------------------------------ */
static void check_forms(struct fb_op_result *results, const struct fb_op *ops, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool open_end = ops[i].linked && i == count - 1;

		results[i] = (struct fb_op_result){ .status = open_end ? FB_BAD_VALUE : fb_op_form(&ops[i]) };
	}
}

static size_t first_refused(const struct chain *c)
{
	size_t i = 0;

	while (i < c->count && c->results[i].status == FB_OK)
		i++;
	return i;
}

/* All but the first operation at fault failed with it. */
static void refuse_form(const struct chain *c, size_t at_fault)
{
	for (size_t i = 0; i < c->count; i++)
		if (i != at_fault)
			c->results[i] = (struct fb_op_result){ .status = FB_LINKED_FAILED };
}

/* ---- refusals --------------------------------------------------------------------------------------------------- */
static bool known(const struct fb_books *b, struct fb_id_fact *out, const struct chain *c, size_t i)
{
	return fb_fact_find(b, out, c->ops[i].id, c->outside[i].has_id ? &c->outside[i].id : NULL);
}

static void fail_with_chain(const struct fb_books *b, const struct chain *c, size_t i)
{
	struct fb_op_result *result = &c->results[i];
	struct fb_id_fact fact;

	*result = (struct fb_op_result){ .status = FB_LINKED_FAILED };
	if (c->ops[i].kind == FB_OP_ACCOUNT || !known(b, &fact, c, i) || fact.refused == FB_OK ||
	    fact.content != fb_op_digest(&c->ops[i]))
		return;
	*result = (struct fb_op_result){ .status = FB_ID_FAILED, .first = fact.refused, .seq = fact.seq };
}

/* B3: from now on the id is refused, whatever happens to the books. */
static void burn(struct fb_books *b, const struct chain *c, size_t i, uint8_t *records, uint32_t *record_count)
{
	const struct fb_op *op = &c->ops[i];
	struct fb_id_fact fact;
	struct fb_record *r;

	if (op->kind == FB_OP_ACCOUNT || known(b, &fact, c, i))
		return;
	fb_draft_begin(b, records, *record_count);
	r = fb_draft_record(b, FB_RECORD_REFUSE);
	r->id = op->id;
	r->ref = op->ref;
	r->code = op->code;
	r->user = op->user;
	r->external = op->external;
	r->content = fb_op_digest(op);
	r->refused = c->results[i].status;
	fb_draft_apply(b, r);
	*record_count = fb_draft_commit(b);
	c->results[i].seq = b->seq;
}

static void refuse(struct fb_books *b, const struct chain *c, size_t at_fault, uint8_t *records, uint32_t *record_count)
{
	bool burns = c->results[at_fault].status != FB_LIMIT;

	for (size_t i = 0; i < c->count; i++)
		if (i != at_fault)
			fail_with_chain(b, c, i);
	for (size_t i = 0; i < c->count && burns; i++)
		burn(b, c, i, records, record_count);
}

/* ---- chains ----------------------------------------------------------------------------------------------------- */
/* B6. */
static void run_chain(struct fb_books *b, const struct chain *c, uint8_t *records, uint32_t *record_count)
{
	size_t i;

	if (c->count > FB_CHAIN_MAX)
		c->results[0].status = FB_BAD_VALUE;
	i = first_refused(c);
	if (i < c->count) {
		refuse_form(c, i);
		return;
	}
	fb_draft_begin(b, records, *record_count);
	for (i = 0; i < c->count; i++) {
		fb_decide(b, &c->results[i], &c->ops[i], &c->outside[i]);
		if (c->results[i].status != FB_OK)
			break;
	}
	if (i == c->count) {
		*record_count = fb_draft_commit(b);
		return;
	}
	fb_draft_drop(b);
	refuse(b, c, i, records, record_count);
}

/* ---- submissions ------------------------------------------------------------------------------------------------ */
static void reserve_outside(struct fb_books *b, size_t count)
{
	if (count <= b->outside_len)
		return;
	free(b->outside);
	b->outside_len = 2 * count;
	b->outside = fb_must_alloc(b->outside_len, sizeof(*b->outside));
}

static enum fb_status look_outside(struct fb_books *b, const struct fb_op_result *results, const struct fb_op *ops,
				   size_t count)
{
	enum fb_status st = FB_OK;

	reserve_outside(b, count);
	for (size_t i = 0; i < count && st == FB_OK; i++)
		if (results[i].status == FB_OK)
			st = fb_outside_read(b, &b->outside[i], &ops[i]);
	return st;
}

/* Operations before `at` were expected; keeps some way ahead of it. */
static void expect_some(const struct fb_books *b, size_t *expected, size_t at, const struct fb_op *ops, size_t count)
{
	const struct fb_op *soon[FB_EXPECT_MAX];
	size_t n = 0;

	if (count == 1 || at < *expected)
		return;
	while (n < FB_COUNT(soon) && at + n < count) {
		soon[n] = &ops[at + n];
		n++;
	}
	fb_books_expect(b, soon, n);
	*expected = at + n;
}

enum fb_status fb_books_run(struct fb_books *b, struct fb_op_result *results, uint8_t *records, uint32_t *record_count,
			    const struct fb_op *ops, size_t count, int64_t time_us)
{
	size_t expected = 0;
	enum fb_status st;

	FB_ASSERT(count > 0 && count <= FB_BATCH_RECORDS_MAX);
	FB_ASSERT(*record_count + fb_books_records_max(ops, count) <= FB_BATCH_RECORDS_MAX);
	if (!fb_books_are_whole(b))
		return FB_STORAGE;
	fb_ids_sweep(b->ids);
	b->time_us = time_us;
	check_forms(results, ops, count);
	fb_draft_begin(b, records, *record_count);
	st = look_outside(b, results, ops, count);
	if (st != FB_OK)
		return st;
	for (size_t i = 0, len; i < count; i += len) {
		struct chain c = { .ops = ops + i, .results = results + i, .outside = b->outside + i };

		expect_some(b, &expected, i, ops, count);
		c.count = len = chain_len(ops + i, count - i);
		run_chain(b, &c, records, record_count);
	}
	return FB_OK;
}
