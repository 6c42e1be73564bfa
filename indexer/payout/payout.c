/* Opening, closing, the pump, and what operators ask and want. */
#include "payout_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- the pump ---------------------------------------------------------------------------------------------------- */

static void turn(struct fb_payout_entry *e)
{
	if (e->requested || e->ending || e->asking || e->due_ms > fb_payout_now_ms(e->payout))
		return;
	if (e->w.state == FB_PAYOUT_PAID || e->w.state == FB_PAYOUT_BURNT)
		fb_payout_check_rung(e);
	else if (e->w.state == FB_PAYOUT_UNSURE)
		fb_payout_ask(e);
}

void fb_payout_pump(struct fb_payout *p)
{
	if (!p->started || p->stopped || p->dead)
		return;
	for (struct fb_payout_entry *e = p->oldest, *newer; e != NULL; e = newer) {
		newer = e->newer;
		turn(e);
	}
	fb_payout_look(p);
}

static void on_tick(void *arg)
{
	fb_payout_pump(arg);
}

static void on_head(void *arg, const struct fb_head_event *event)
{
	(void)event;
	fb_payout_pump(arg);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

struct loading {
	struct fb_payout *payout;
	enum fb_status status;
};

static bool load_open(void *arg, struct fb_str key, struct fb_str value)
{
	struct loading *l = arg;
	struct fb_uuid id;
	struct fb_withdrawal w;

	if (key.len == FB_PAYOUT_PREFIX_LEN) {
		l->payout->held = value.len == 1 && value.at[0] == 1;
		return true;
	}
	if (key.len != FB_PAYOUT_OPEN_KEY_LEN) {
		l->status = FB_STORAGE;
		return false;
	}
	memcpy(id.bytes, key.at + FB_PAYOUT_PREFIX_LEN + FB_OWNER_LEN, sizeof(id.bytes));
	l->status = fb_payout_get(&l->payout->rows, &w, &id);
	if (l->status != FB_OK || fb_payout_is_over(w.state) || fb_payout_find(l->payout, &id) != NULL) {
		l->status = FB_STORAGE;
		return false;
	}
	fb_payout_add(l->payout, &w);
	return true;
}

static enum fb_status load(struct fb_payout *p, struct fb_error *e)
{
	struct loading l = { p, FB_OK };
	uint8_t prefix[FB_PAYOUT_PREFIX_LEN];
	enum fb_status st;

	fb_payout_prefix(prefix, 'V', &p->rows.escrow);
	st = fb_store_scan(p->ports.store, (struct fb_str){ (const char *)prefix, sizeof(prefix) }, load_open, &l);
	if (st == FB_OK && l.status == FB_OK)
		return FB_OK;
	return fb_error_set(e, FB_STORAGE, "the records of open withdrawals (V, W) cannot be read: restore a backup");
}

enum fb_status fb_payout_open(struct fb_payout **out, const struct fb_payout_ports *ports,
			      const struct fb_payout_settings *settings, struct fb_error *e)
{
	struct fb_payout *p = fb_must_alloc(1, sizeof(*p));
	struct fb_lane_owner owner = fb_payout_lane_owner(p);
	enum fb_status st;

	FB_ASSERT(fb_amount_cmp(settings->min, settings->fee) > 0 && settings->from_block > 0 && settings->range_max > 0);
	p->ports = *ports;
	p->settings = *settings;
	p->rows = (struct fb_payout_rows){ ports->store, settings->escrow };
	p->signer = *fb_lane_signer(ports->lane);
	st = load(p, e);
	if (st != FB_OK) {
		p->stopped = true;
		fb_payout_close(p);
		return st;
	}
	fb_lane_own(ports->lane, 'W', &owner);
	fb_head_listen(ports->head, on_head, p);
	p->timer = fb_timer_start(ports->loop, FB_PAYOUT_TICK_MS, FB_PAYOUT_TICK_MS, on_tick, p);
	*out = p;
	return FB_OK;
}

/* Of another key's transactions nobody tells. */
void fb_payout_start(struct fb_payout *p)
{
	for (struct fb_payout_entry *e = p->oldest; e != NULL; e = e->newer) {
		if (e->row_open || (e->w.state != FB_PAYOUT_SENT && e->w.state != FB_PAYOUT_BURNING))
			continue;
		fb_payout_move(e, FB_PAYOUT_UNSURE);
		fb_payout_store(e);
	}
	p->started = true;
	fb_payout_pump(p);
}

void fb_payout_stop(struct fb_payout *p)
{
	if (p == NULL)
		return;
	p->stopped = true;
	fb_timer_stop(p->timer);
	p->timer = NULL;
}

void fb_payout_close(struct fb_payout *p)
{
	if (p == NULL)
		return;
	FB_ASSERT(p->stopped && !p->looking && p->asks == 0 && p->waiters == 0);
	while (p->oldest != NULL)
		fb_payout_drop(p->oldest);
	fb_payout_forget_owners(p);
	free(p);
}

/* ---- operators --------------------------------------------------------------------------------------------------- */

static void on_failed(void *arg)
{
	fb_payout_fail(arg);
}

static void on_held(void *arg, enum fb_status status)
{
	struct fb_payout *p = arg;

	if (status != FB_OK && status != FB_DRAINING)
		fb_loop_post(p->ports.loop, on_failed, p);
}

static void hold_all(struct fb_payout *p, bool held)
{
	static const char one[1] = { 1 };
	uint8_t key[FB_PAYOUT_PREFIX_LEN];
	struct fb_commit port = fb_writer_port(p->ports.writer);
	struct fb_put put = { .key = { (const char *)key, sizeof(key) }, .value = { one, 1 }, .remove = !held };

	if (p->held == held)
		return;
	p->held = held;
	fb_payout_prefix(key, 'V', &p->rows.escrow);
	port.commit(port.ctx, &put, 1, on_held, p);
	fb_log(p->ports.log, held ? FB_EV_PAYOUTS_HELD : FB_EV_PAYOUTS_RELEASED, FB_F_U64("withdrawals", p->entries));
	fb_payout_changed(p);
	fb_payout_pump(p);
}

static enum fb_status set_held(struct fb_payout *p, const struct fb_uuid *id, bool held)
{
	struct fb_payout_entry *e = id != NULL ? fb_payout_find(p, id) : NULL;

	FB_ASSERT(fb_loop_is_mine(p->ports.loop));
	if (id == NULL) {
		hold_all(p, held);
		return FB_OK;
	}
	if (e == NULL || e->requested || e->ending)
		return FB_NOT_FOUND;
	e->w.held = held;
	fb_payout_store(e);
	return FB_OK;
}

enum fb_status fb_payout_hold(struct fb_payout *p, const struct fb_uuid *id)
{
	return set_held(p, id, true);
}

enum fb_status fb_payout_release(struct fb_payout *p, const struct fb_uuid *id)
{
	return set_held(p, id, false);
}

void fb_payout_status(const struct fb_payout *p, struct fb_payout_status *out)
{
	*out = p->status;
	out->open = p->entries;
	out->held = p->held;
	out->dead = p->dead;
}

void fb_payout_each(const struct fb_payout *p, bool (*each)(void *arg, const struct fb_withdrawal *w), void *arg)
{
	for (const struct fb_payout_entry *e = p->oldest; e != NULL; e = e->newer)
		if (!each(arg, &e->w))
			return;
}

const struct fb_payout_settings *fb_payout_terms(const struct fb_payout *p)
{
	return &p->settings;
}
