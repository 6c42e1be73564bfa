/* Derived rows as bytes: keys, values and back. The letters and layouts are those of DATA.md. */
#include "writer_int.h"

#include <string.h>

enum {
	VERSION = 1,
	WORD = 8,
	COUNTERS_LEN = 64,
	ACCOUNT_LEN = 32 + COUNTERS_LEN, /* owner 20, asset 4, purpose 1, flag 1, zero 6; counters */
	HOLD_LEN = 40,                   /* seq 8, content 8, amount 16, expires 8 */
	HISTORY_LEN = COUNTERS_LEN + FB_RECORD_LEN,
	HISTORY_TIME_AT = 1,
	HISTORY_WORDS_AT = 9,
	MARK_LEN = 1 + 8 + 8 + 32,
	ID_LEN = 1 + 8 + 8 + 2 + 1 + 1,
};
_Static_assert(HISTORY_LEN / WORD <= PACK_WORDS_MAX, "packs");
_Static_assert(HISTORY_WORDS_AT + 4 + HISTORY_LEN + PACK_SLACK <= ROW_VALUE_MAX, "fits");

/* ---- common -------------------------------------------------------------------------------------------------- */

static void begin(struct row *r, const char *kind, size_t kind_len)
{
	memcpy(r->key, kind, kind_len);
	r->key_len = kind_len;
	r->value[0] = VERSION;
	r->value_len = 1;
}

static void key_u64(struct row *r, uint64_t v)
{
	FB_ASSERT(r->key_len + 8 <= ROW_KEY_MAX);
	fb_put_be64(r->key + r->key_len, v);
	r->key_len += 8;
}

static void key_id(struct row *r, fb_id id)
{
	key_u64(r, (uint64_t)(id >> 64));
	key_u64(r, (uint64_t)id);
}

static const uint8_t *bytes_of(struct fb_str s)
{
	return (const uint8_t *)s.at;
}

static bool value_is(struct fb_str value, size_t len)
{
	return value.len == len && value.at[0] == VERSION;
}

bool row_is(struct fb_str key, char kind, size_t key_len)
{
	return key.len == key_len && key.at[0] == kind;
}

uint64_t row_number(struct fb_str key)
{
	FB_ASSERT(key.len >= 9);
	return fb_get_be64(bytes_of(key) + 1);
}

/* One instruction a word: there are a dozen a record. */
static inline void put_amount(uint8_t *p, struct fb_amount a)
{
	uint64_t high = __builtin_bswap64((uint64_t)(a.atoms >> 64)), low = __builtin_bswap64((uint64_t)a.atoms);

	memcpy(p, &high, sizeof(high));
	memcpy(p + 8, &low, sizeof(low));
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "big-endian fields are swapped here");

static void put_counters(uint8_t *p, const struct fb_counters *c)
{
	put_amount(p, c->debits_posted);
	put_amount(p + 16, c->debits_pending);
	put_amount(p + 32, c->credits_posted);
	put_amount(p + 48, c->credits_pending);
}

static void get_counters(struct fb_counters *c, const uint8_t *p)
{
	c->debits_posted.atoms = fb_get_be128(p);
	c->debits_pending.atoms = fb_get_be128(p + 16);
	c->credits_posted.atoms = fb_get_be128(p + 32);
	c->credits_pending.atoms = fb_get_be128(p + 48);
}

/* ---- B: the mark, and batches by seq and by time --------------------------------------------------------------- */

void row_mark_key(struct row *r)
{
	begin(r, "B", 1);
}

void row_mark(struct row *r, const struct mark *m)
{
	row_mark_key(r);
	fb_put_be64(r->value + 1, m->seq);
	fb_put_be64(r->value + 9, m->batch);
	memcpy(r->value + 17, m->hash.bytes, sizeof(m->hash.bytes));
	r->value_len = MARK_LEN;
}

enum fb_status row_mark_read(struct mark *out, struct fb_str value)
{
	if (!value_is(value, MARK_LEN))
		return FB_STORAGE;
	out->seq = fb_get_be64(bytes_of(value) + 1);
	out->batch = fb_get_be64(bytes_of(value) + 9);
	memcpy(out->hash.bytes, bytes_of(value) + 17, sizeof(out->hash.bytes));
	return FB_OK;
}

void row_seq_key(struct row *r, uint64_t first_seq)
{
	begin(r, "Bs", 2);
	key_u64(r, first_seq);
}

void row_seq(struct row *r, uint64_t first_seq, uint64_t batch)
{
	row_seq_key(r, first_seq);
	fb_put_be64(r->value + 1, batch);
	r->value_len = 9;
}

enum fb_status row_seq_read(uint64_t *batch, struct fb_str key, struct fb_str value)
{
	if (!row_is(key, 'B', ROW_SEQ_KEY_LEN) || key.at[1] != 's' || !value_is(value, 9))
		return FB_STORAGE;
	*batch = fb_get_be64(bytes_of(value) + 1);
	return FB_OK;
}

void row_time_key(struct row *r, int64_t time_us)
{
	FB_ASSERT(time_us >= 0);
	begin(r, "Bt", 2);
	key_u64(r, (uint64_t)time_us);
}

void row_time(struct row *r, int64_t time_us, uint64_t last_seq)
{
	row_time_key(r, time_us);
	fb_put_be64(r->value + 1, last_seq);
	r->value_len = 9;
}

enum fb_status row_time_read(uint64_t *last_seq, struct fb_str key, struct fb_str value)
{
	if (!row_is(key, 'B', ROW_TIME_KEY_LEN) || key.at[1] != 't' || !value_is(value, 9))
		return FB_STORAGE;
	*last_seq = fb_get_be64(bytes_of(value) + 1);
	return FB_OK;
}

/* ---- A: accounts ----------------------------------------------------------------------------------------------- */

void row_account(struct row *r, const struct fb_account *a)
{
	uint8_t words[ACCOUNT_LEN] = { 0 };

	begin(r, "A", 1);
	key_u64(r, a->number);
	fb_put_be64(r->value + 1, a->last_seq);
	memcpy(words, a->key.owner.bytes, FB_OWNER_LEN);
	fb_put_be32(words + 20, a->key.asset);
	words[24] = (uint8_t)a->key.purpose;
	words[25] = a->may_go_below_zero;
	put_counters(words + 32, &a->counters);
	r->value_len = 9 + pack(r->value + 9, words, ACCOUNT_LEN / WORD);
}

enum fb_status row_account_read(struct fb_account *out, struct fb_str key, struct fb_str value)
{
	uint8_t words[ACCOUNT_LEN];

	if (!row_is(key, 'A', ROW_ACCOUNT_KEY_LEN) || value.len < 9 || value.at[0] != VERSION ||
	    !unpack(words, ACCOUNT_LEN / WORD, (struct fb_str){ value.at + 9, value.len - 9 }) || words[24] == 0 ||
	    words[24] >= FB_PURPOSE_END || words[25] > 1)
		return FB_STORAGE;
	out->number = row_number(key);
	out->last_seq = fb_get_be64(bytes_of(value) + 1);
	memcpy(out->key.owner.bytes, words, FB_OWNER_LEN);
	out->key.asset = fb_get_be32(words + 20);
	out->key.purpose = (enum fb_purpose)words[24];
	out->may_go_below_zero = words[25];
	get_counters(&out->counters, words + 32);
	return FB_OK;
}

/* ---- H: open holds --------------------------------------------------------------------------------------------- */

void row_hold_key(struct row *r, uint64_t account, fb_id id)
{
	begin(r, "H", 1);
	key_u64(r, account);
	key_id(r, id);
}

void row_hold(struct row *r, const struct fb_hold *h)
{
	row_hold_key(r, h->account, h->id);
	fb_put_be64(r->value + 1, h->seq);
	fb_put_be64(r->value + 9, h->content);
	fb_put_be128(r->value + 17, h->amount.atoms);
	fb_put_be64(r->value + 33, (uint64_t)h->expires_us);
	r->value_len = 1 + HOLD_LEN;
}

enum fb_status row_hold_read(struct fb_hold *out, struct fb_str key, struct fb_str value)
{
	if (!row_is(key, 'H', ROW_HOLD_KEY_LEN) || !value_is(value, 1 + HOLD_LEN))
		return FB_STORAGE;
	out->account = row_number(key);
	out->id = fb_get_be128(bytes_of(key) + 9);
	out->seq = fb_get_be64(bytes_of(value) + 1);
	out->content = fb_get_be64(bytes_of(value) + 9);
	out->amount.atoms = fb_get_be128(bytes_of(value) + 17);
	out->expires_us = (int64_t)fb_get_be64(bytes_of(value) + 33);
	return FB_OK;
}

/* ---- I: ids ---------------------------------------------------------------------------------------------------- */

void row_id_key(struct row *r, fb_id id)
{
	begin(r, "I", 1);
	key_id(r, id);
}

void row_id(struct row *r, fb_id id, const struct fb_id_fact *f)
{
	row_id_key(r, id);
	fb_put_be64(r->value + 1, f->seq);
	fb_put_be64(r->value + 9, f->content);
	fb_put_be16(r->value + 17, (uint16_t)f->refused);
	r->value[19] = (uint8_t)f->kind;
	r->value[20] = f->undone;
	r->value_len = ID_LEN;
}

enum fb_status row_id_read(struct fb_id_fact *out, struct fb_str value)
{
	const uint8_t *p = bytes_of(value);

	if (!value_is(value, ID_LEN) || p[19] == 0 || p[19] >= FB_RECORD_KIND_END || p[20] > 1)
		return FB_STORAGE;
	out->seq = fb_get_be64(p + 1);
	out->content = fb_get_be64(p + 9);
	out->refused = (enum fb_status)fb_get_be16(p + 17);
	out->kind = (enum fb_record_kind)p[19];
	out->undone = p[20];
	return FB_OK;
}

/* ---- R: the records of an account ------------------------------------------------------------------------------ */

void row_history_key(struct row *r, uint64_t account, uint64_t seq)
{
	begin(r, "R", 1);
	key_u64(r, account);
	key_u64(r, seq);
}

void row_history(struct row *r, uint64_t account, uint64_t seq, const struct entry *e)
{
	uint8_t words[HISTORY_LEN];

	FB_ASSERT(account == e->debit || account == e->credit);
	row_history_key(r, account, seq);
	fb_put_be64(r->value + HISTORY_TIME_AT, (uint64_t)e->time_us);
	put_counters(words, entry_after(e, account));
	memcpy(words + COUNTERS_LEN, e->bytes, FB_RECORD_LEN);
	r->value_len = HISTORY_WORDS_AT + pack(r->value + HISTORY_WORDS_AT, words, HISTORY_LEN / WORD);
}

enum fb_status row_history_read(struct fb_history_line *out, struct fb_str key, struct fb_str value)
{
	uint8_t words[HISTORY_LEN];
	struct fb_str packed = { value.at + HISTORY_WORDS_AT, value.len - HISTORY_WORDS_AT };
	uint64_t account;

	if (!row_is(key, 'R', ROW_HISTORY_KEY_LEN) || value.len < HISTORY_WORDS_AT || value.at[0] != VERSION ||
	    !unpack(words, HISTORY_LEN / WORD, packed) || fb_record_decode(&out->record, words + COUNTERS_LEN) != FB_OK)
		return FB_STORAGE;
	account = row_number(key);
	if (out->record.seq != fb_get_be64(bytes_of(key) + 9) ||
	    (out->record.debit != account && out->record.credit != account))
		return FB_STORAGE;
	out->time_us = (int64_t)fb_get_be64(bytes_of(value) + HISTORY_TIME_AT);
	get_counters(&out->after, words);
	return FB_OK;
}
