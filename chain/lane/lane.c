/* A lane's life: opening, its owners, starting, stopping, closing; its rows in order. */
#include "lane_int.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400 };

uint32_t fb_lane_today(const struct fb_lane *lane)
{
	return (uint32_t)(fb_clock_wall_s(&lane->ports.clock) / DAY_S);
}

uint64_t fb_lane_now_ms(const struct fb_lane *lane)
{
	return fb_clock_mono_ms(&lane->ports.clock);
}

void fb_lane_log(const struct fb_lane_row *row, enum fb_event event, const struct fb_hash *tx)
{
	fb_log(row->lane->ports.log, event, FB_F_HEX("signer", row->lane->signer.bytes, 20),
	       FB_F_U64("nonce", row->nonce), FB_F_HEX("tx", tx->bytes, 32));
}

/* ---- rows ------------------------------------------------------------------------------------------ */

const struct fb_lane_owner *fb_lane_owner_of(const struct fb_lane_row *row)
{
	const struct fb_lane *lane = row->lane;

	if (row->owner_len == 0)
		return NULL;
	for (size_t i = 0; i < lane->owner_count; i++)
		if (lane->owners[i].tag == (char)row->owner[0])
			return &lane->owners[i].owner;
	fb_panic(__FILE__, __LINE__, __func__, "a stored transaction that nobody owns");
}

struct fb_str fb_lane_row_owner(const struct fb_lane_row *row)
{
	return (struct fb_str){ (const char *)row->owner, row->owner_len };
}

static void count_row(struct fb_lane *lane, const struct fb_lane_row *row, bool in)
{
	bool open = fb_lane_step_is_open(row->step);

	*(open ? &lane->open : &lane->included) += in ? 1 : (size_t)-1;
	(in ? fb_metric_add : fb_metric_sub)(lane->ports.metrics, open ? FB_M_TX_INFLIGHT : FB_M_LANE_INCLUDED, 1);
}

void fb_lane_insert(struct fb_lane *lane, struct fb_lane_row *row)
{
	struct fb_lane_row **at = &lane->rows;

	while (*at != NULL && (*at)->nonce < row->nonce)
		at = &(*at)->next;
	FB_ASSERT(*at == NULL || (*at)->nonce != row->nonce); /* L2 */
	row->lane = lane;
	row->next = *at;
	*at = row;
	count_row(lane, row, true);
}

void fb_lane_set_included(struct fb_lane_row *row)
{
	FB_ASSERT(row->step == FB_LANE_WAITING && !row->lane->told);
	count_row(row->lane, row, false);
	row->step = FB_LANE_INCLUDED;
	count_row(row->lane, row, true);
}

static void free_row(struct fb_lane_row *row)
{
	fb_lane_row_clear(row);
	free(row);
}

void fb_lane_unlink(struct fb_lane *lane, struct fb_lane_row *row)
{
	struct fb_lane_row **at = &lane->rows;

	while (*at != row)
		at = &(*at)->next;
	*at = row->next;
	count_row(lane, row, false);
	free_row(row);
}

struct fb_lane_row *fb_lane_find(struct fb_lane *lane, uint64_t nonce)
{
	struct fb_lane_row *row = lane->rows;

	while (row != NULL && row->nonce < nonce)
		row = row->next;
	return row != NULL && row->nonce == nonce ? row : NULL;
}

/* ---- life ------------------------------------------------------------------------------------------ */

enum fb_status fb_lane_open(struct fb_lane **out, const struct fb_lane_ports *ports, const struct fb_key *key,
			    const struct fb_lane_settings *settings, struct fb_error *e)
{
	struct fb_lane *lane = fb_must_alloc(1, sizeof(*lane));
	enum fb_status st;

	FB_ASSERT(settings->max_fee_wei > 0 && settings->receipt_poll_ms > 0 && settings->bump_ms > 0);
	*lane = (struct fb_lane){ .ports = *ports, .key = *key, .settings = *settings, .signer = fb_key_address(key) };
	st = fb_lane_load(lane, e);
	if (st != FB_OK) {
		fb_lane_close(lane);
		return st;
	}
	fb_head_listen(lane->ports.head, fb_lane_on_head, lane);
	*out = lane;
	return FB_OK;
}

void fb_lane_own(struct fb_lane *lane, char tag, const struct fb_lane_owner *owner)
{
	FB_ASSERT(!lane->started && lane->owner_count < FB_LANE_OWNERS_MAX);
	for (size_t i = 0; i < lane->owner_count; i++)
		FB_ASSERT(lane->owners[i].tag != tag);
	lane->owners[lane->owner_count].tag = tag;
	lane->owners[lane->owner_count++].owner = *owner;
}

void fb_lane_start(struct fb_lane *lane, void (*started)(void *arg, enum fb_status status, const char *sentence),
		   void *arg)
{
	FB_ASSERT(!lane->started);
	FB_ASSERT(lane->on_started == NULL);
	lane->on_started = started;
	lane->on_started_arg = arg;
	fb_lane_poll(lane);
}

void fb_lane_stop(struct fb_lane *lane)
{
	lane->stopped = true;
	fb_lane_no_look_soon(lane);
	fb_timer_stop(lane->timer);
	lane->timer = NULL;
}

void fb_lane_close(struct fb_lane *lane)
{
	if (lane == NULL)
		return;
	fb_lane_no_look_soon(lane);
	fb_timer_stop(lane->timer);
	while (lane->rows != NULL)
		fb_lane_unlink(lane, lane->rows);
	fb_key_wipe(&lane->key);
	free(lane);
}

const struct fb_address *fb_lane_signer(const struct fb_lane *lane)
{
	return &lane->signer;
}

bool fb_lane_balance(const struct fb_lane *lane, fb_u128 *wei)
{
	*wei = lane->balance;
	return lane->balance_known;
}

size_t fb_lane_open_count(const struct fb_lane *lane)
{
	return lane->open;
}

size_t fb_lane_included_count(const struct fb_lane *lane)
{
	return lane->included;
}

bool fb_lane_has(const struct fb_lane *lane, bool (*is)(void *arg, struct fb_str key), void *arg)
{
	for (const struct fb_lane_row *row = lane->rows; row != NULL; row = row->next)
		if (row->owner_len > 0 && is(arg, fb_lane_row_owner(row)))
			return true;
	return false;
}
