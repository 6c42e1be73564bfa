/* How much gas money one payer, and one API key, may cost in a UTC day. What a transaction is expected to cost is
 * charged when it is signed, each payment its part, by one row in the same batch (DATA.md, key B); the sums of the day
 * are kept in memory and made again from the rows at a start. */
#include "settle_int.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, VERSION = 1, KEY_LEN = 1 + 8 + 8 + 8, AT_DAY = 9, ITEM = 20 + 1 + FB_SETTLE_API_KEY_LEN + 16 };
enum { SWEEP_MAX = 64 /* rows of past days that are removed at once */ };
_Static_assert(1 + FB_LANE_BATCH_MAX * ITEM <= FB_SETTLE_CHARGES_MAX, "a full batch fits");

/* Of a payer, or of an API key: what it has cost today. */
struct fb_settle_purse {
	uint8_t id[20];
	bool is_key;
	fb_u128 spent;
	struct fb_settle_purse *next;
};

static uint64_t today_of(const struct fb_settle *s)
{
	return (uint64_t)(fb_clock_wall_s(&s->clock) / DAY_S);
}

static size_t bucket_of(const uint8_t id[20], bool is_key)
{
	return (fb_get_be64(id) ^ fb_get_be64(id + 12) ^ is_key) % FB_SETTLE_BUCKETS;
}

static struct fb_settle_purse *purse_of(struct fb_settle *s, const uint8_t id[20], bool is_key)
{
	struct fb_settle_purse **at = &s->purses[bucket_of(id, is_key)];

	while (*at != NULL && ((*at)->is_key != is_key || memcmp((*at)->id, id, sizeof((*at)->id)) != 0))
		at = &(*at)->next;
	if (*at == NULL) {
		*at = fb_must_alloc(1, sizeof(**at));
		(*at)->is_key = is_key;
		memcpy((*at)->id, id, sizeof((*at)->id));
		s->purse_count++;
	}
	return *at;
}

void fb_settle_budget_clear(struct fb_settle *s)
{
	for (size_t b = 0; b < FB_SETTLE_BUCKETS; b++) {
		while (s->purses[b] != NULL) {
			struct fb_settle_purse *p = s->purses[b];

			s->purses[b] = p->next;
			free(p);
		}
	}
	s->purse_count = 0;
}

static bool is_on(const struct fb_settle *s)
{
	return s->settings.payer_day_wei > 0 || s->settings.api_key_day_wei > 0;
}

/* A new day begins with nothing spent; what past ones left on the disk is swept away. */
static void turn_day(struct fb_settle *s)
{
	uint64_t today = today_of(s);

	if (s->day == today)
		return;
	fb_settle_budget_clear(s);
	s->day = today;
	s->sweeping = true;
}

/* ---- charging ------------------------------------------------------------------------------------------ */

static void key_id(uint8_t out[20], const struct fb_settle_entry *e)
{
	memset(out, 0, 20);
	memcpy(out, e->api_key, FB_SETTLE_API_KEY_LEN);
}

static bool fits(struct fb_settle *s, const uint8_t id[20], bool is_key, fb_u128 cost)
{
	fb_u128 most = is_key ? s->settings.api_key_day_wei : s->settings.payer_day_wei;

	return most == 0 || purse_of(s, id, is_key)->spent + cost <= most;
}

bool fb_settle_charge(struct fb_settle_entry *e, fb_u128 cost)
{
	struct fb_settle *s = e->settle;
	uint8_t id[20];

	FB_ASSERT(e->charged == 0);
	if (!is_on(s))
		return true;
	turn_day(s);
	key_id(id, e);
	if (s->purse_count >= FB_SETTLE_PURSES_MAX || !fits(s, e->claim->authorization.from.bytes, false, cost) ||
	    (e->has_api_key && !fits(s, id, true, cost)))
		return false;
	purse_of(s, e->claim->authorization.from.bytes, false)->spent += cost;
	if (e->has_api_key)
		purse_of(s, id, true)->spent += cost;
	e->charged = cost;
	e->charged_day = s->day;
	return true;
}

static void take_off(fb_u128 *spent, fb_u128 cost)
{
	*spent = *spent > cost ? *spent - cost : 0;
}

void fb_settle_uncharge(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;
	uint8_t id[20];

	if (e->charged > 0 && e->charged_day == s->day) {
		key_id(id, e);
		take_off(&purse_of(s, e->claim->authorization.from.bytes, false)->spent, e->charged);
		if (e->has_api_key)
			take_off(&purse_of(s, id, true)->spent, e->charged);
	}
	e->charged = 0;
}

/* ---- the row ------------------------------------------------------------------------------------------ */

static void row_key(uint8_t out[KEY_LEN], const struct fb_settle *s, uint64_t day, uint64_t job)
{
	out[0] = 'B';
	fb_put_be64(out + 1, s->network->chain_id);
	fb_put_be64(out + AT_DAY, day);
	fb_put_be64(out + AT_DAY + 8, job);
}

void fb_settle_add_charge(struct fb_settle *s, struct fb_settle_entry *e)
{
	uint8_t *p = s->charges + s->charges_len;

	if (e->charged == 0)
		return;
	if (s->charges_len == 0)
		*p++ = VERSION;
	memcpy(p, e->claim->authorization.from.bytes, 20);
	p[20] = e->has_api_key;
	memcpy(p + 21, e->api_key, FB_SETTLE_API_KEY_LEN);
	fb_put_be128(p + 21 + FB_SETTLE_API_KEY_LEN, e->charged);
	s->charges_len = (size_t)(p - s->charges) + ITEM;
	FB_ASSERT(s->charges_len <= sizeof(s->charges));
	e->charged = 0; /* it stays */
}

void fb_settle_put_charges(struct fb_settle *s, uint64_t job, struct fb_lane_puts *puts)
{
	if (s->charges_len == 0)
		return;
	FB_ASSERT(puts->count < FB_COUNT(puts->put));
	row_key(s->charges_key, s, s->day, job);
	puts->put[puts->count++] = (struct fb_put){ .key = { (const char *)s->charges_key, KEY_LEN },
						    .value = { (const char *)s->charges, s->charges_len } };
	s->charges_len = 0; /* the bytes live until the next signing */
}

static bool read_item(struct fb_settle *s, const uint8_t *p)
{
	uint8_t id[20] = { 0 };
	fb_u128 cost = fb_get_be128(p + 21 + FB_SETTLE_API_KEY_LEN);

	if (p[20] > 1)
		return false;
	purse_of(s, p, false)->spent += cost;
	memcpy(id, p + 21, FB_SETTLE_API_KEY_LEN);
	if (p[20] == 1)
		purse_of(s, id, true)->spent += cost;
	return true;
}

/* A row that this program did not write is passed over: it can only make a budget larger. */
static bool load_row(void *arg, struct fb_str key, struct fb_str value)
{
	struct fb_settle *s = arg;
	const uint8_t *p = (const uint8_t *)value.at;

	if (key.len != KEY_LEN || value.len < 1 || p[0] != VERSION || (value.len - 1) % ITEM != 0)
		return true;
	for (size_t at = 1; at < value.len; at += ITEM)
		if (!read_item(s, p + at))
			break;
	return true;
}

void fb_settle_budget_load(struct fb_settle *s)
{
	uint8_t key[KEY_LEN];

	s->day = today_of(s);
	s->sweeping = true;
	row_key(key, s, s->day, 0);
	if (is_on(s) && fb_store_scan(s->store, (struct fb_str){ (const char *)key, AT_DAY + 8 }, load_row, s) != FB_OK)
		fb_panic(__FILE__, __LINE__, __func__, "the day's gas of payers cannot be read");
}

/* ---- past days ------------------------------------------------------------------------------------------ */

struct sweep {
	struct fb_settle *settle;
	size_t count;
	uint8_t keys[SWEEP_MAX][KEY_LEN];
};

static bool collect(void *arg, struct fb_str key, struct fb_str value)
{
	struct sweep *w = arg;

	(void)value;
	if (key.len != KEY_LEN || fb_get_be64((const uint8_t *)key.at + AT_DAY) >= w->settle->day)
		return false; /* keys are in order: the rest is of today */
	memcpy(w->keys[w->count++], key.at, KEY_LEN);
	return w->count < SWEEP_MAX;
}

static void on_swept(void *arg, enum fb_status status)
{
	(void)arg, (void)status; /* what is still there is found again */
}

void fb_settle_budget_sweep(struct fb_settle *s)
{
	struct sweep w = { .settle = s };
	struct fb_put puts[SWEEP_MAX];
	uint8_t prefix[KEY_LEN];

	if (!is_on(s) || s->draining) /* the writer may be closed already */
		return;
	turn_day(s);
	if (!s->sweeping)
		return;
	row_key(prefix, s, 0, 0);
	s->sweeping = fb_store_scan(s->store, (struct fb_str){ (const char *)prefix, AT_DAY }, collect, &w) == FB_OK &&
		      w.count == SWEEP_MAX;
	for (size_t i = 0; i < w.count; i++)
		puts[i] = (struct fb_put){ .key = { (const char *)w.keys[i], KEY_LEN }, .remove = true };
	if (w.count > 0)
		s->commit.commit(s->commit.ctx, puts, w.count, on_swept, s);
}
