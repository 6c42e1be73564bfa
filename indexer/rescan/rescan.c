/* The indexer reads again into a fresh state; when it is where the rows are, the rest is concluded. */
#include "rescan_int.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 200 };

const char *fb_rescan_difference_text(enum fb_rescan_difference d)
{
	switch (d) {
#define X(name, text)           \
	case FB_RESCAN_##name:  \
		return text;
		FB_RESCAN_DIFFERENCES(X)
#undef X
	case FB_RESCAN_DIFFERENCE_END:
		break;
	}
	FB_UNREACHABLE("a difference");
}

/* ---- the end --------------------------------------------------------------------------------------------------- */
static void finish(struct fb_rescan *r, enum fb_status status, const char *sentence)
{
	if (r->over)
		return;
	r->over = true;
	r->ports.done(r->ports.ctx, status, sentence);
}

static void conclude(struct fb_rescan *r, const struct fb_follow_status *s)
{
	struct fb_hash hash;

	if (r->status == FB_OK)
		fb_rescan_find_gone(r);
	if (r->status == FB_LIMIT) {
		finish(r, FB_LIMIT, "more differs than is repaired at once: restore a backup, or begin in an empty directory");
		return;
	}
	if (r->status != FB_OK) {
		finish(r, r->status, "a row of a final movement cannot be read");
		return;
	}
	(void)fb_credit_looked(r->credit, &hash);
	r->looked_hash = s->looked_hash;
	r->result.hash_differs = !fb_hash_eq(&hash, &s->looked_hash);
	r->sequence = fb_credit_sequence(r->credit, r->result.last + 1);
	r->result.sequence_differs = s->sequence != FB_SEQUENCE_UNKNOWN && s->sequence != r->sequence;
	if (r->result.sequence_differs)
		r->sequence = s->sequence;
	finish(r, FB_OK, "");
}

/* ---- ports of the indexer -------------------------------------------------------------------------------------- */
static bool owner_of(void *ctx, struct fb_owner *out, const struct fb_address *wallet)
{
	struct fb_rescan *r = ctx;

	return r->ports.owner_of(r->ports.ctx, out, wallet);
}

static bool is_payout(void *ctx, const struct fb_movement *m)
{
	struct fb_rescan *r = ctx;

	return r->ports.is_payout(r->ports.ctx, m);
}

static void on_batch(void *ctx, const struct fb_credit_batch *b)
{
	struct fb_rescan *r = ctx;

	if (!r->over)
		fb_rescan_compare(r, b);
}

static void on_look(void *arg)
{
	struct fb_rescan *r = arg;
	struct fb_follow_status s;
	uint64_t safe, final;

	if (r->over)
		return;
	fb_follow_status(r->follow, &s);
	if (s.working)
		return;
	if (s.halt != FB_CREDIT_HALT_NONE)
		finish(r, FB_MISMATCH, s.doubt);
	else if (s.looked == r->result.last || r->status != FB_OK)
		conclude(r, &s);
	else if (fb_head_ladder(r->head, &safe, &final) && final < r->result.last)
		finish(r, FB_CONFLICT, "the chain calls fewer blocks final than were read: another endpoint, or later");
	else
		r->ports.progress(r->ports.ctx, s.looked, r->result.movements);
}

/* ---- life ------------------------------------------------------------------------------------------------------ */
static void start(struct fb_rescan *r, struct fb_rpc *rpc, struct fb_rpc *second, struct fb_log *log,
		  struct fb_metrics *metrics)
{
	const struct fb_follow_ports ports = { .owner_of = owner_of, .is_payout = is_payout, .batch = on_batch, .ctx = r };
	struct fb_follow_settings s = r->settings.follow;

	s.last = r->result.last;
	if (r->result.from > s.credit.from_block)
		s.credit.sequence = FB_SEQUENCE_UNKNOWN;
	s.credit.from_block = r->result.from;
	FB_ASSERT(fb_follow_open(&r->follow, r->loop, rpc, second, r->head, NULL, NULL, &s, ports, log, metrics, NULL) ==
		  FB_OK);
	r->look = fb_timer_start(r->loop, LOOK_MS, LOOK_MS, on_look, r);
}

void fb_rescan_open(struct fb_rescan **out, struct fb_loop *loop, struct fb_rpc *rpc, struct fb_rpc *second,
		    struct fb_head *head, struct fb_store *store, struct fb_credit *credit,
		    const struct fb_rescan_settings *settings, struct fb_rescan_ports ports, struct fb_log *log,
		    struct fb_metrics *metrics)
{
	struct fb_rescan *r = fb_must_alloc(1, sizeof(*r));
	uint64_t first = settings->follow.credit.from_block;
	struct fb_hash hash;

	r->loop = loop;
	r->head = head;
	r->store = store;
	r->credit = credit;
	r->settings = *settings;
	r->ports = ports;
	r->escrow = settings->follow.credit.escrow;
	r->result.from = settings->from > first ? settings->from : first;
	r->result.last = fb_credit_looked(credit, &hash);
	r->stored = fb_must_alloc(FB_RESCAN_REPAIRS_MAX, sizeof(*r->stored));
	r->movements = fb_must_alloc(FB_RESCAN_REPAIRS_MAX, sizeof(*r->movements));
	*out = r;
	if (r->result.last < r->result.from)
		finish(r, FB_OK, "");
	else
		start(r, rpc, second, log, metrics);
}

void fb_rescan_stop(struct fb_rescan *r)
{
	r->stopped = r->over = true;
	fb_timer_stop(r->look);
	r->look = NULL;
	if (r->follow != NULL)
		fb_follow_stop(r->follow);
}

void fb_rescan_close(struct fb_rescan *r)
{
	if (r == NULL)
		return;
	FB_ASSERT(r->stopped);
	fb_follow_close(r->follow);
	free(r->seen);
	free(r->stored);
	free(r->movements);
	free(r);
}

void fb_rescan_result(const struct fb_rescan *r, struct fb_rescan_result *out)
{
	*out = r->result;
}
