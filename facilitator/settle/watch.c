/* Settlements whose block no lane follows (any more): those that a stranger's transaction decided, and those whose own
 * transaction is confirmed. Each such block is watched until it lies so deep that the follower gives it up for nothing;
 * should it go before that, its settlements are asked about again. One row a block and decision (DATA.md, key W). */
#include "settle_int.h"

#include <stdlib.h>
#include <string.h>

enum {
	VERSION = 1,
	KEY_LEN = 1 + 8 + 8 + 8,
	AT_BLOCK = 9,
	AT_NUMBER = 17,
	AT_KEYS = 1 + 32,
};
_Static_assert(AT_KEYS + FB_LANE_BATCH_MAX * FB_SETTLE_KEY_LEN <= FB_SETTLE_WATCH_MAX, "a full batch fits");

/* ---- what the follower says of a block --------------------------------------------------------------------- */

bool fb_settle_contradicted(const struct fb_settle *s, uint64_t block, const struct fb_hash *hash)
{
	struct fb_head_block head;
	struct fb_hash known;

	if (fb_head_latest(s->head, &head) && block > head.number && block - head.number > FB_SETTLE_AHEAD_MAX)
		return true;
	return fb_head_hash(s->head, block, &known) == FB_OK && !fb_hash_eq(&known, hash);
}

bool fb_settle_stands(const struct fb_settle *s, uint64_t block, const struct fb_hash *hash)
{
	struct fb_hash known;

	return fb_head_hash(s->head, block, &known) == FB_OK && fb_hash_eq(&known, hash);
}

/* ---- rows ------------------------------------------------------------------------------------------------- */

static void write_key(uint8_t out[KEY_LEN], const struct fb_settle *s, uint64_t block, uint64_t number)
{
	out[0] = 'W';
	fb_put_be64(out + 1, s->network->chain_id);
	fb_put_be64(out + AT_BLOCK, block);
	fb_put_be64(out + AT_NUMBER, number);
}

/* One more than any before; of a later life, too. */
static uint64_t next_number(struct fb_settle *s)
{
	uint64_t now = (uint64_t)fb_settle_now_us(s);

	s->last_watch = now > s->last_watch ? now : s->last_watch + 1;
	return s->last_watch;
}

static struct fb_settle_watch *add(struct fb_settle *s, uint64_t block, const struct fb_hash *hash, uint64_t number)
{
	struct fb_settle_watch *w;

	if (s->watch_count == FB_SETTLE_WATCHES_MAX)
		return NULL; /* its row stays for the next life */
	w = fb_must_alloc(1, sizeof(*w));
	*w = (struct fb_settle_watch){ .settle = s, .block = block, .hash = *hash, .number = number, .next = s->watches };
	s->watches = w;
	s->watch_count++;
	s->watch_due = true;
	return w;
}

static void drop(struct fb_settle *s, struct fb_settle_watch **at)
{
	struct fb_settle_watch *w = *at;

	*at = w->next;
	s->watch_count--;
	free(w);
}

void fb_settle_watch_begin(struct fb_settle *s, const struct fb_settle_record *r)
{
	FB_ASSERT(r->block != 0);
	s->watching = add(s, r->block, &r->block_hash, next_number(s));
	write_key(s->watch_key, s, r->block, s->last_watch);
	s->watch_row[0] = VERSION;
	memcpy(s->watch_row + 1, r->block_hash.bytes, 32);
	s->watch_len = AT_KEYS;
}

void fb_settle_watch_add(struct fb_settle *s, const struct fb_settle_key *key)
{
	FB_ASSERT(s->watch_len >= AT_KEYS && s->watch_len + FB_SETTLE_KEY_LEN <= sizeof(s->watch_row));
	memcpy(s->watch_row + s->watch_len, key->bytes, FB_SETTLE_KEY_LEN);
	s->watch_len += FB_SETTLE_KEY_LEN;
}

struct fb_put fb_settle_watch_put(struct fb_settle *s, bool confirmed)
{
	if (s->watching != NULL)
		s->watching->confirmed = confirmed;
	return (struct fb_put){ .key = { (const char *)s->watch_key, KEY_LEN },
				.value = { (const char *)s->watch_row, s->watch_len } };
}

static bool load_row(void *arg, struct fb_str key, struct fb_str value)
{
	struct fb_settle *s = arg;
	const uint8_t *k = (const uint8_t *)key.at;
	struct fb_hash hash;

	if (key.len != KEY_LEN || value.len <= AT_KEYS || value.at[0] != VERSION ||
	    (value.len - AT_KEYS) % FB_SETTLE_KEY_LEN != 0)
		fb_panic(__FILE__, __LINE__, __func__, "a row of a watched block cannot be read");
	memcpy(hash.bytes, value.at + 1, 32);
	(void)add(s, fb_get_be64(k + AT_BLOCK), &hash, fb_get_be64(k + AT_NUMBER));
	return true;
}

static void on_head(void *arg, const struct fb_head_event *e)
{
	(void)e;
	((struct fb_settle *)arg)->watch_due = true;
}

void fb_settle_watch_load(struct fb_settle *s)
{
	uint8_t prefix[KEY_LEN];

	write_key(prefix, s, 0, 0);
	if (fb_store_scan(s->store, (struct fb_str){ (const char *)prefix, AT_BLOCK }, load_row, s) != FB_OK)
		fb_panic(__FILE__, __LINE__, __func__, "the rows of watched blocks cannot be read");
	fb_head_listen(s->head, on_head, s);
}

void fb_settle_watch_clear(struct fb_settle *s)
{
	while (s->watches != NULL)
		drop(s, &s->watches);
}

/* ---- its settlements ------------------------------------------------------------------------------------------ */

/* Of a settlement in that block. False: not now. */
typedef bool visit(struct fb_settle_entry *e);

static bool is_in(const struct fb_settle_record *r, const struct fb_settle_watch *w)
{
	return r->state != FB_SETTLE_NONE && r->block == w->block && fb_hash_eq(&r->block_hash, &w->hash);
}

static bool visit_one(struct fb_settle_watch *w, const struct fb_settle_key *key, visit *fn)
{
	struct fb_settle *s = w->settle;
	struct fb_settle_entry *e = fb_settle_find(s, key);
	struct fb_settle_record record;

	if (e != NULL)
		return !is_in(&e->record, w) || (e->phase == FB_PHASE_IDLE && e->commits == 0 && fn(e));
	if (fb_settle_load_record(s, &record, key) != FB_OK || !is_in(&record, w))
		return true; /* it went its own way, and a row of it would name another block */
	if (s->entries >= FB_SETTLE_ENTRIES_MAX / 2)
		return false;
	e = fb_settle_add(s, key);
	e->record = record;
	return fn(e);
}

/* True: all are done with. False: some are busy, or the row is on its way to the disk still. */
static bool visit_all(struct fb_settle_watch *w, visit *fn)
{
	struct fb_settle *s = w->settle;
	uint8_t key[KEY_LEN], row[FB_SETTLE_WATCH_MAX];
	struct fb_settle_key one;
	size_t len;
	bool all = true;

	write_key(key, s, w->block, w->number);
	if (fb_store_get(s->store, row, &len, sizeof(row), (struct fb_str){ (const char *)key, sizeof(key) }) != FB_OK)
		return false;
	for (size_t at = AT_KEYS; at + FB_SETTLE_KEY_LEN <= len; at += FB_SETTLE_KEY_LEN) {
		memcpy(one.bytes, row + at, FB_SETTLE_KEY_LEN);
		all &= visit_one(w, &one, fn);
	}
	return all;
}

static bool confirm(struct fb_settle_entry *e)
{
	if (e->record.state == FB_SETTLE_INCLUDED) {
		fb_settle_move(e, FB_SETTLE_CONFIRMED);
		fb_settle_commit_record(e);
	} else if (e->waiters == NULL) {
		fb_settle_drop(e);
	}
	return true;
}

bool fb_settle_take_back(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;
	struct fb_authorization a = fb_settle_authorization(&e->key, &e->record);

	FB_ASSERT(!e->row_open && e->commits == 0);
	fb_log(s->log, FB_EV_SETTLE_TAKEN_BACK, FB_F_HEX("payer", a.from.bytes, 20), FB_F_HEX("nonce", a.nonce.bytes, 32),
	       FB_F_HEX("tx", e->record.tx.bytes, 32), FB_F_U64("block", e->record.block));
	fb_metric_add(s->metrics, FB_M_SETTLE_TAKEN_BACK, 1);
	e->record.block = 0;
	memset(&e->record.block_hash, 0, sizeof(e->record.block_hash));
	e->record.reason = FB_REASON_NONE;
	fb_settle_move(e, FB_SETTLE_SIGNED);
	e->anew = e->retried = e->refused = e->fresh = false;
	e->insists = true;
	e->asks = 0;
	fb_settle_commit_record(e);
	return true;
}

/* ---- what became of the block ----------------------------------------------------------------------------------- */

static void on_removed(void *arg, enum fb_status status)
{
	(void)arg; /* else it is there after a restart, and goes then */
	(void)status;
}

static void remove_row(const struct fb_settle_watch *w)
{
	struct fb_settle *s = w->settle;
	uint8_t key[KEY_LEN];
	struct fb_put put = { .key = { (const char *)key, sizeof(key) }, .remove = true };

	write_key(key, s, w->block, w->number);
	s->commit.commit(s->commit.ctx, &put, 1, on_removed, NULL);
}

static void on_block(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_settle_watch *w = arg;
	bool same;

	w->settle->watch_asks--;
	w->asking = false;
	if (fb_settle_read_same(&same, reply, &w->hash) != FB_OK)
		return; /* with the next block */
	w->settle->watch_due = true;
	w->gone = !same;
	w->deep = same;
}

/* It is older than what the follower remembers: the program did not run meanwhile. */
static void ask_block(struct fb_settle_watch *w)
{
	struct fb_rpc_call call = { .method = "eth_getBlockByNumber" };
	char block[FB_SETTLE_PARAMS_MAX];
	struct fb_buf b;

	if (w->asking || w->settle->watch_asks == FB_SETTLE_WATCH_ASKS_MAX)
		return;
	fb_settle_write_block(&b, block, w->block);
	call.params = fb_buf_view(&b);
	w->asking = true;
	w->settle->watch_asks++;
	fb_rpc_send(w->settle->rpc, &(struct fb_rpc_batch){ .calls = &call, .count = 1 }, on_block, w);
}

static void compare(struct fb_settle_watch *w, const struct fb_head_block *head)
{
	struct fb_settle *s = w->settle;
	bool deep = head->number > w->block && head->number - w->block >= s->settings.reorg_depth_max;
	struct fb_hash known;

	if (w->gone || w->deep)
		return;
	if (fb_head_hash(s->head, w->block, &known) == FB_OK) {
		w->gone = !fb_hash_eq(&known, &w->hash);
		w->deep = !w->gone && deep;
	} else if (deep) {
		ask_block(w);
	}
}

/* True: nothing is left to watch for. */
static bool step(struct fb_settle_watch *w, const struct fb_head_block *head)
{
	struct fb_settle *s = w->settle;

	compare(w, head);
	if (w->gone)
		return visit_all(w, fb_settle_take_back);
	if (!w->confirmed && (w->deep || (fb_settle_stands(s, w->block, &w->hash) &&
					  fb_head_rung(s->head, w->block, &w->hash) >= FB_RUNG_CONFIRMED)))
		w->confirmed = visit_all(w, confirm);
	return w->deep && w->confirmed;
}

void fb_settle_watch_step(struct fb_settle *s)
{
	struct fb_head_block head;

	if (!s->watch_due || s->draining || !fb_head_latest(s->head, &head))
		return;
	s->watch_due = false;
	for (struct fb_settle_watch **at = &s->watches; *at != NULL;) {
		struct fb_settle_watch *w = *at;
		bool over = !w->asking && step(w, &head);

		FB_ASSERT(*at == w);
		s->watch_due |= !over && (w->gone || w->deep);
		if (over) {
			remove_row(w);
			drop(s, at);
		} else {
			at = &w->next;
		}
	}
}

bool fb_settle_is_watched(const struct fb_settle *s, uint64_t block, const struct fb_hash *hash)
{
	const struct fb_settle_watch *w = s->watches;

	while (w != NULL && (w->block != block || !fb_hash_eq(&w->hash, hash)))
		w = w->next;
	return w != NULL;
}
