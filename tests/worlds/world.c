/* One world: batches of submissions, each answered by the books and by the auditor. */
#include "world_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void world_differs(const struct world *w, const char *what, int line)
{
	fprintf(stderr, "%s, batch %u: line %d: %s is false\n", w->name, w->step, line, what);
	fflush(stderr);
	abort();
}

uint64_t draw(struct world *w, uint64_t below)
{
	uint64_t n = w->source.draw(w->source.ctx, below);

	WANT(w, n < below);
	return n;
}

bool chance(struct world *w, unsigned of_256)
{
	return draw(w, 256) < of_256;
}

/* Every world has its own ways, so that what is rare in one is common in another. */
static void draw_ways(struct world *w)
{
	static const unsigned chances[] = { 0, 4, 20, 80, 160 };
	unsigned *ways[] = { &w->p_repeat, &w->p_alter, &w->p_spoil, &w->p_link, &w->p_expiry, &w->p_crash, &w->p_fail,
		&w->p_huge, &w->p_index, &w->p_seal };

	for (size_t i = 0; i < FB_COUNT(ways); i++)
		*ways[i] = chances[draw(w, FB_COUNT(chances))];
	w->p_crash /= 4;
	w->p_fail /= 4;
	w->p_spoil /= 4;
	w->owners = 1 + (unsigned)draw(w, OWNERS_MAX);
	w->assets = 1 + (unsigned)draw(w, 3);
	for (int i = 0; i < WORLD_KINDS; i++)
		w->kinds[i] = 1 + draw(w, 16);
	w->kinds[FB_OP_ACCOUNT] = 1;
	w->settings = (struct fb_books_settings){ .seed = draw(w, UINT64_MAX) };
	if (draw(w, 4) == 0)
		w->settings.accounts = 1 + (uint32_t)draw(w, 20);
	if (draw(w, 4) == 0)
		w->settings.holds = 1 + (uint32_t)draw(w, 10);
}

static void note_answers(struct world *w, const struct fb_op_result *results, const struct fb_op *ops, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned kind = ops[i].kind <= FB_OP_REVERSE ? ops[i].kind : 0;

		w->seen->answers[kind][results[i].status]++;
		w->seen->existed[kind] += results[i].existed;
		w->seen->chains_applied += ops[i].linked && results[i].status == FB_OK;
		w->seen->chains_refused += ops[i].linked && results[i].status != FB_OK;
	}
}

static void want_records(struct world *w)
{
	memcpy(w->expected + w->expected_count, w->model.records, w->model.record_count * sizeof(*w->expected));
	w->expected_count += w->model.record_count;
	compare_records(w);
}

/* An index that fails leaves no trace: the same submission again is as if it were the first time. */
static void run_books(struct world *w, struct fb_op_result *results, const struct fb_op *ops, size_t count)
{
	uint64_t seq = fb_books_seq(w->books);
	uint32_t records = w->batch_count;

	w->index_fails = true;
	while (fb_books_run(w->books, results, w->batch, &w->batch_count, ops, count, w->now_us) != FB_OK) {
		WANT(w, w->batch_count == records && fb_books_seq(w->books) == seq);
		if (chance(w, 64))
			w->index_fails = false;
	}
	w->index_fails = false;
	WANT(w, w->batch_count - records <= fb_books_records_max(ops, count));
}

static void compare_answer(const struct world *w, size_t i, const struct fb_op *op, const struct fb_op_result *is,
			   const struct fb_op_result *want)
{
	if (is->status == want->status && is->existed == want->existed && is->first == want->first && is->seq == want->seq)
		return;
	fprintf(stderr, "operation %zu of kind %d: %s, first %s, seq %llu; want %s, first %s, seq %llu\n", i, (int)op->kind,
		fb_status_info(is->status)->name, fb_status_info(is->first)->name, (unsigned long long)is->seq,
		fb_status_info(want->status)->name, fb_status_info(want->first)->name, (unsigned long long)want->seq);
	world_differs(w, "the answer is the auditor's", __LINE__);
}

static void submit(struct world *w)
{
	static struct fb_op ops[SUBMISSION_MAX];
	struct fb_op_result is[SUBMISSION_MAX], want[SUBMISSION_MAX];
	size_t count = clients_submit(w, ops);

	run_books(w, is, ops, count);
	model_submit(&w->model, want, ops, count, w->now_us);
	for (size_t i = 0; i < count; i++)
		compare_answer(w, i, &ops[i], &is[i], &want[i]);
	note_answers(w, is, ops, count);
	want_records(w);
}

static void expire(struct world *w)
{
	size_t max = draw(w, 2) == 0 ? 3 : 1000, n = fb_books_expire(w->books, w->batch, &w->batch_count, w->now_us, max);

	WANT(w, n == model_expire(&w->model, w->now_us, max));
	w->seen->expiries += n;
	want_records(w);
}

static void run_batch(struct world *w)
{
	uint64_t submissions = 1 + draw(w, 6);

	w->now_us += (int64_t)draw(w, 30);
	if (draw(w, 3) != 0)
		expire(w);
	while (submissions-- > 0 && !w->source.ended(w->source.ctx))
		submit(w);
	compare_books(w);
}

/* The batch reaches the journal, or a crash comes first and nobody was answered. */
static void end_batch(struct world *w, struct model_state *before)
{
	if (chance(w, w->p_crash)) {
		model_free(&w->model.now);
		w->model.now = *before;
		w->batch_count = 0;
		w->expected_count = 0;
		w->seen->lost_batches++;
		disk_crash(w);
		compare_books(w);
		return;
	}
	model_free(before);
	disk_seal(w);
	if (chance(w, w->p_seal))
		disk_snapshot_some(w);
	if (chance(w, w->p_crash)) {
		disk_crash(w);
		compare_books(w);
	}
}

void world_run(struct world_seen *seen, struct world_source source, unsigned steps, const char *name)
{
	struct world w = { .seen = seen, .source = source, .name = name, .now_us = 1000 };

	draw_ways(&w);
	w.batch = fb_must_alloc(FB_BATCH_RECORDS_MAX, FB_RECORD_LEN);
	w.expected = fb_must_alloc(FB_BATCH_RECORDS_MAX, sizeof(*w.expected));
	model_open(&w.model, w.settings.accounts != 0 ? w.settings.accounts : SIZE_MAX,
		   w.settings.holds != 0 ? w.settings.holds : SIZE_MAX);
	fb_books_open(&w.books, disk_index(&w), w.settings);
	for (; w.step < steps && !source.ended(source.ctx); w.step++) {
		struct model_state before;

		model_copy(&before, &w.model.now);
		run_batch(&w);
		end_batch(&w, &before);
	}
	compare_replayed(&w);
	fb_books_close(w.books);
	model_close(&w.model);
	disk_free(&w.disk);
	free(w.batch);
	free(w.expected);
	free(w.history);
}
