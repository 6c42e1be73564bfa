/* The withdrawals under way, in memory; their rows on the way to the disk; what each owner asked for today. */
#include "payout_int.h"

#include <stdlib.h>
#include <string.h>

uint64_t fb_payout_now_ms(const struct fb_payout *p)
{
	return fb_clock_mono_ms(&p->ports.clock);
}

void fb_payout_changed(struct fb_payout *p)
{
	if (p->ports.changed != NULL)
		p->ports.changed(p->ports.ctx);
}

void fb_payout_fail(struct fb_payout *p)
{
	p->dead = true;
	fb_payout_changed(p);
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

/* Nobody chooses these bytes: they are random, or a hash. */
static size_t bucket_of(const uint8_t *bytes)
{
	return fb_get_be32(bytes) % FB_PAYOUT_BUCKETS;
}

struct fb_payout_entry *fb_payout_find(struct fb_payout *p, const struct fb_uuid *id)
{
	struct fb_payout_entry *e = p->buckets[bucket_of(id->bytes)];

	while (e != NULL && memcmp(e->w.id.bytes, id->bytes, sizeof(id->bytes)) != 0)
		e = e->next;
	return e;
}

static void count_open(struct fb_payout *p)
{
	uint64_t sum = 0;

	if (fb_u256_to_u64(&sum, fb_u256_from_amount(p->status.open_sum)) != FB_OK)
		sum = UINT64_MAX;
	fb_metric_set(p->ports.metrics, FB_M_WITHDRAWALS_OPEN, p->entries);
	fb_metric_set(p->ports.metrics, FB_M_WITHDRAWALS_SUM, sum);
}

struct fb_payout_entry *fb_payout_add(struct fb_payout *p, const struct fb_withdrawal *w)
{
	struct fb_payout_entry *e = fb_must_alloc(1, sizeof(*e)), **bucket = &p->buckets[bucket_of(w->id.bytes)];
	struct fb_payout_entry *before = p->newest;

	FB_ASSERT(fb_payout_find(p, &w->id) == NULL && !fb_payout_is_over(w->state));
	e->payout = p;
	e->w = *w;
	e->queued_ms = fb_payout_now_ms(p);
	fb_payout_row_key(e->key, &p->rows.escrow, &w->id);
	e->next = *bucket;
	*bucket = e;
	while (before != NULL && before->w.created_us > w->created_us) /* rows are loaded in another order */
		before = before->older;
	e->older = before;
	e->newer = before != NULL ? before->newer : p->oldest;
	*(before != NULL ? &before->newer : &p->oldest) = e;
	*(e->newer != NULL ? &e->newer->older : &p->newest) = e;
	p->entries++;
	FB_ASSERT(fb_amount_add(&p->status.open_sum, p->status.open_sum, w->amount) == FB_OK); /* held in the ledger */
	count_open(p);
	return e;
}

void fb_payout_drop(struct fb_payout_entry *e)
{
	struct fb_payout *p = e->payout;
	struct fb_payout_entry **at = &p->buckets[bucket_of(e->w.id.bytes)];

	FB_ASSERT(!e->asking && e->waiters == NULL);
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	*(e->older != NULL ? &e->older->newer : &p->oldest) = e->newer;
	*(e->newer != NULL ? &e->newer->older : &p->newest) = e->older;
	p->entries--;
	FB_ASSERT(fb_amount_sub(&p->status.open_sum, p->status.open_sum, e->w.amount) == FB_OK);
	count_open(p);
	free(e);
}

/* ---- states ------------------------------------------------------------------------------------------------------ */

static void log_move(const struct fb_payout_entry *e, enum fb_payout_state from)
{
	char id_text[FB_UUID_TEXT_LEN], digits[FB_U128_DIGITS];
	struct fb_buf id, amount;

	fb_buf_init(&id, id_text, sizeof(id_text));
	fb_buf_uuid(&id, &e->w.id);
	fb_buf_init(&amount, digits, sizeof(digits));
	fb_buf_amount(&amount, e->w.amount);
	fb_log(e->payout->ports.log, FB_EV_WITHDRAWAL, FB_F_STR("id", fb_buf_view(&id)),
	       FB_F_TEXT("from", fb_payout_state_name(from)), FB_F_TEXT("to", fb_payout_state_name(e->w.state)),
	       FB_F_STR("amount", fb_buf_view(&amount)), FB_F_TEXT("reason", fb_escrow_refusal_name(e->w.reason)),
	       FB_F_U64("block", e->w.block), FB_F_HEX("tx", e->w.tx.bytes, 32));
}

void fb_payout_move(struct fb_payout_entry *e, enum fb_payout_state to)
{
	enum fb_payout_state from = e->w.state;

	FB_ASSERT(fb_payout_move_of(from, to) != FB_PAYOUT_MOVE_END); /* W4 */
	e->w.state = to;
	e->asks = 0;
	e->scan_from = 0;
	if (to == FB_PAYOUT_QUEUED || to == FB_PAYOUT_DOOMED)
		e->queued_ms = fb_payout_now_ms(e->payout);
	log_move(e, from);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

struct fb_put fb_payout_put(struct fb_payout_entry *e)
{
	const struct fb_clock *clock = &e->payout->ports.clock;

	e->w.updated_us = clock->wall_us(clock->ctx);
	fb_payout_encode(e->row, &e->w);
	return (struct fb_put){ .key = { (const char *)e->key, sizeof(e->key) },
				.value = { (const char *)e->row, sizeof(e->row) } };
}

static void on_failed(void *arg)
{
	fb_payout_fail(arg);
}

/* On the writer's thread. */
static void on_stored(void *arg, enum fb_status status)
{
	struct fb_payout *p = arg;

	if (status != FB_OK && status != FB_DRAINING)
		fb_loop_post(p->ports.loop, on_failed, p);
}

void fb_payout_store(struct fb_payout_entry *e)
{
	struct fb_put put = fb_payout_put(e);
	struct fb_commit port = fb_writer_port(e->payout->ports.writer);

	FB_ASSERT(!e->requested && !e->ending);
	port.commit(port.ctx, &put, 1, on_stored, e->payout);
}

void fb_payout_answer(struct fb_payout_entry *e, enum fb_status status)
{
	struct fb_withdrawal w = e->w;

	while (e->waiters != NULL) {
		struct fb_payout_waiter *waiter = e->waiters;

		e->waiters = waiter->next;
		e->payout->waiters--;
		waiter->done(waiter->arg, status, status == FB_OK ? &w : NULL);
		free(waiter);
	}
}

/* ---- owners ------------------------------------------------------------------------------------------------------ */

void fb_payout_forget_owners(struct fb_payout *p)
{
	for (size_t i = 0; i < FB_PAYOUT_BUCKETS; i++)
		while (p->owners[i] != NULL) {
			struct fb_payout_owner *o = p->owners[i];

			p->owners[i] = o->next;
			free(o);
		}
	p->owner_count = 0;
}

static struct fb_payout_owner *load_owner(struct fb_payout *p, const struct fb_owner *owner)
{
	struct fb_payout_owner *o, **bucket = &p->owners[bucket_of(owner->bytes)];
	struct fb_amount sum;
	uint32_t count;

	if (p->owner_count >= FB_PAYOUT_OWNERS_MAX ||
	    fb_payout_asked(&p->rows, &sum, &count, owner, p->day * FB_PAYOUT_DAY_US) != FB_OK)
		return NULL;
	o = fb_must_alloc(1, sizeof(*o));
	*o = (struct fb_payout_owner){ *owner, sum, count, *bucket };
	*bucket = o;
	p->owner_count++;
	return o;
}

struct fb_payout_owner *fb_payout_owner_of(struct fb_payout *p, const struct fb_owner *owner)
{
	int64_t today = p->ports.clock.wall_us(p->ports.clock.ctx) / FB_PAYOUT_DAY_US;
	struct fb_payout_owner *o;

	if (today != p->day)
		fb_payout_forget_owners(p);
	p->day = today;
	o = p->owners[bucket_of(owner->bytes)];
	while (o != NULL && memcmp(o->owner.bytes, owner->bytes, FB_OWNER_LEN) != 0)
		o = o->next;
	return o != NULL ? o : load_owner(p, owner);
}
