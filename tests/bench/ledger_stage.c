/* A ledger in a new directory, and its accounts with their money. */
#include "ledger_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { USDC = 1, LOG_FD = 2, LOOK_MS = 500 };
#define FUNDS ((fb_u128)1000000000000)

/* Of another bit pattern for every number, and no two numbers have the same. */
static uint64_t mix(uint64_t n)
{
	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9u;
	n = (n ^ n >> 27) * 0x94d049bb133111ebu;
	return n ^ n >> 31;
}

static struct fb_account_key key_of(uint64_t number, enum fb_purpose purpose)
{
	struct fb_account_key key = { .asset = USDC, .purpose = purpose };

	fb_put_be64(key.owner.bytes, mix(number + 1));
	fb_put_be64(key.owner.bytes + 8, mix(~number));
	return key;
}

struct fb_account_key stage_account(uint64_t number)
{
	return key_of(number, FB_PURPOSE_AVAILABLE);
}

struct fb_account_key stage_fees(void)
{
	return key_of(UINT64_MAX / 2, FB_PURPOSE_FEES);
}

fb_id stage_new_id(struct stage *s)
{
	s->ids++;
	return FB_U128(mix(s->ids), mix(~s->ids));
}

uint64_t stage_draw(struct stage *s, uint64_t below)
{
	s->random += 0x9e3779b97f4a7c15u;
	return mix(s->random) % below;
}

static void or_stop(enum fb_status st, const struct fb_error *e)
{
	if (st == FB_OK)
		return;
	fprintf(stderr, "bench_ledger: %s\n", e->text);
	exit(1);
}

/* ---- funding --------------------------------------------------------------------------------------------------- */

struct funding {
	struct stage *stage;
	struct answers answers;
	uint64_t next;
	struct fb_op ops[STAGE_FUND_OPS];
	_Atomic uint64_t refused;
};

static void on_funded(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	struct funding *f = arg;

	if (status != FB_OK)
		f->refused++;
	for (size_t i = 0; i < count; i++)
		f->refused += results[i].status != FB_OK;
	answers_put(&f->answers, f);
}

static bool submit_funding(struct funding *f)
{
	struct fb_submission s = { .ops = f->ops, .done = on_funded, .arg = f };

	while (s.op_count < STAGE_FUND_OPS && f->next < f->stage->accounts)
		f->ops[s.op_count++] = (struct fb_op){ .kind = FB_OP_POST, .id = stage_new_id(f->stage), .leg_count = 1,
						       .debit = key_of(UINT64_MAX / 2, FB_PURPOSE_WORLD),
						       .legs = { { stage_account(f->next++), { FUNDS } } } };
	if (s.op_count > 0)
		fb_writer_submit(f->stage->writer, &s);
	return s.op_count > 0;
}

static void fund(struct stage *s)
{
	struct funding *f = fb_must_alloc(1, sizeof(*f));
	unsigned waiting = 0;

	f->stage = s;
	answers_open(&f->answers);
	do {
		while (waiting < STAGE_FUND_OUTSTANDING && submit_funding(f))
			waiting++;
		answers_take(&f->answers);
		waiting--;
	} while (waiting > 0);
	FB_ASSERT(f->refused == 0);
	answers_close(&f->answers);
	free(f);
}

void stage_open(struct stage *s, const char *directory, uint64_t accounts)
{
	struct fb_writer_settings settings = { .clock = fb_os_clock(), .rng = fb_os_rng() };
	struct fb_error e;

	*s = (struct stage){ .clock = settings.clock, .accounts = accounts };
	fb_log_open(&s->log, LOG_FD, FB_ODD, s->clock);
	fb_metrics_open(&s->metrics);
	or_stop(fb_writer_open_store(&s->store, directory, s->log, &e), &e);
	or_stop(fb_writer_open(&s->writer, s->store, &settings, s->log, s->metrics, &e), &e);
	s->resident = usage_resident();
	s->expires_us = s->clock.wall_us(s->clock.ctx) + STAGE_HOLD_S * INT64_C(1000000);
	fund(s);
}

void stage_rest(void)
{
	static const struct timespec moment = { .tv_nsec = LOOK_MS * 1000000 };
	struct usage before, now;

	usage_read(&now);
	for (unsigned i = 0; i < STAGE_REST_S_MAX * 1000 / LOOK_MS; i++) {
		before = now;
		nanosleep(&moment, NULL);
		usage_read(&now);
		if (now.process_ns - before.process_ns < LOOK_MS * 1000000 / 20)
			return;
	}
}

void stage_close(struct stage *s)
{
	fb_writer_close(s->writer);
	fb_store_close(s->store);
	fb_metrics_close(s->metrics);
	fb_log_close(s->log);
}
