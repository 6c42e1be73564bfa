/* One comparison at a time, each of the newest safe block that was indexed. */
#include "farebox/reserve.h"

#include "abi_constants.h"
#include "farebox/codec.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS = 2, PARAMS_MAX = 512 };

struct fb_reserve {
	struct fb_loop *loop;
	struct fb_rpc *rpc;
	struct fb_head *head;
	struct fb_follow *follow;
	struct fb_writer *writer;
	struct fb_credit_settings settings;
	void (*changed)(void *arg);
	void *arg;
	struct fb_log *log;
	struct fb_metrics *metrics;
	struct fb_timer *retry;
	bool asking, stopped;
	uint64_t block; /* being compared */
	unsigned looks; /* at it, that found a difference */
	atomic_bool differs;
	struct fb_reserve_status status;
};

static void look(struct fb_reserve *r);

/* ---- what came out ------------------------------------------------------------------------------------------ */
static struct fb_amount gap(struct fb_amount a, struct fb_amount b)
{
	struct fb_amount d = { 0 };

	if (fb_amount_sub(&d, a, b) != FB_OK)
		FB_ASSERT(fb_amount_sub(&d, b, a) == FB_OK);
	return d;
}

static uint64_t shown(struct fb_amount a)
{
	uint64_t v;

	return fb_u256_to_u64(&v, fb_u256_from_amount(a)) == FB_OK ? v : UINT64_MAX;
}

static void log_difference(const struct fb_reserve *r)
{
	char books[FB_U128_DIGITS + 1], chain[FB_U128_DIGITS + 1];
	struct fb_buf b, c;

	fb_buf_init(&b, books, sizeof(books));
	fb_buf_init(&c, chain, sizeof(chain));
	fb_buf_amount(&b, r->status.books);
	fb_buf_amount(&c, r->status.chain);
	fb_log(r->log, FB_EV_RESERVES_DIFFER, FB_F_U64("block", r->status.block), FB_F_STR("books", fb_buf_view(&b)),
	       FB_F_STR("chain", fb_buf_view(&c)), FB_F_U64("good", r->status.good),
	       FB_F_TEXT("which", r->status.ledger ? "the ledger and what was posted" : "the chain and what was posted"));
}

static void conclude(struct fb_reserve *r, struct fb_amount books, struct fb_amount chain, bool ledger)
{
	struct fb_amount difference = gap(books, chain), none = { 0 };
	bool differs = ledger || fb_amount_cmp(difference, none) != 0;

	if (differs && ++r->looks < FB_RESERVE_LOOKS)
		return; /* asked again before it is believed */
	r->looks = 0;
	r->status.block = r->block;
	r->status.books = books;
	r->status.chain = chain;
	r->status.ledger = ledger;
	fb_metric_set(r->metrics, FB_M_RESERVE_BLOCK, r->block);
	fb_metric_set(r->metrics, FB_M_RESERVE_DELTA, shown(difference));
	if (!differs) {
		r->status.good = r->block;
	} else if (!atomic_load(&r->differs)) {
		r->status.bad = r->block;
		atomic_store(&r->differs, true);
		log_difference(r);
	}
	if (r->changed != NULL)
		r->changed(r->arg);
}

/* ---- the two sides ------------------------------------------------------------------------------------------ */
/* Does the ledger's account say what was posted? Exact only while nothing is under way, which fb_follow_total knows. */
static enum fb_status ledger_agrees(const struct fb_reserve *r, bool *agrees)
{
	struct fb_account_key key = { .asset = r->settings.asset, .purpose = FB_PURPOSE_ESCROW };
	struct fb_counters c = { .debits_posted = { 0 } };
	struct fb_amount total, booked;
	struct fb_account a;
	enum fb_status st = fb_follow_total(r->follow, &total);

	if (st == FB_BUSY)
		return st;
	memcpy(key.owner.bytes, r->settings.escrow.address.bytes, FB_OWNER_LEN);
	if (fb_writer_balance(r->writer, &a, &key) == FB_OK)
		c = a.counters;
	*agrees = st == FB_OK && fb_amount_sub(&booked, c.debits_posted, c.credits_posted) == FB_OK &&
		  fb_amount_cmp(booked, total) == 0;
	return FB_OK;
}

static enum fb_status read_balance(struct fb_amount *out, struct fb_json_value v)
{
	_Alignas(16) unsigned char block[128];
	struct fb_arena arena;
	uint8_t word[32];
	struct fb_str text;
	enum fb_status st;

	fb_arena_init(&arena, block, sizeof(block));
	st = fb_json_string(&text, v, &arena);
	if (st == FB_OK)
		st = fb_hex_decode_exact(word, sizeof(word), text);
	return st == FB_OK ? fb_u256_to_amount(out, fb_u256_from_be(word)) : st;
}

/* Is the block that the balance is of the one in our chain? */
static bool is_our_block(const struct fb_reserve *r, struct fb_json_value header)
{
	_Alignas(16) unsigned char block[128];
	struct fb_arena arena;
	struct fb_hash hash, known;
	struct fb_str text;

	fb_arena_init(&arena, block, sizeof(block));
	return fb_json_string(&text, fb_json_get(header, "hash"), &arena) == FB_OK &&
	       fb_hash_parse(&hash, text) == FB_OK &&
	       (fb_head_hash(r->head, r->block, &known) != FB_OK || fb_hash_eq(&hash, &known));
}

static void compare(struct fb_reserve *r, struct fb_amount chain)
{
	struct fb_amount books;
	bool agrees;
	enum fb_status st = fb_follow_value(r->follow, r->block, &books);

	if (st == FB_OVERFLOW) { /* less than nothing */
		books = (struct fb_amount){ 0 };
		conclude(r, books, chain, true);
		return;
	}
	if (st == FB_OK && ledger_agrees(r, &agrees) == FB_OK)
		conclude(r, books, chain, !agrees);
}

/* ---- asking ------------------------------------------------------------------------------------------------- */
static void on_retry(void *arg)
{
	struct fb_reserve *r = arg;

	fb_timer_stop(r->retry);
	r->retry = NULL;
	look(r);
}

static void on_answer(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_reserve *r = arg;
	struct fb_amount chain;

	r->asking = false;
	if (r->stopped || reply->status == FB_DRAINING)
		return;
	if (reply->status == FB_OK && reply->results[0].status == FB_OK && reply->results[1].status == FB_OK &&
	    is_our_block(r, reply->results[0].result) && read_balance(&chain, reply->results[1].result) == FB_OK)
		compare(r, chain);
	if (r->retry == NULL)
		r->retry = fb_timer_start(r->loop, FB_RESERVE_RETRY_MS, 0, on_retry, r);
}

static void put_block(struct fb_buf *b, uint64_t number)
{
	fb_buf_char(b, '"');
	fb_buf_quantity(b, number);
	fb_buf_char(b, '"');
}

static void put_balance_call(struct fb_buf *b, const struct fb_reserve *r)
{
	char data[64];
	struct fb_buf call;

	fb_buf_init(&call, data, sizeof(data));
	fb_abi_selector(&call, FB_SELECTOR_BALANCE_OF);
	fb_abi_address(&call, &r->settings.escrow.address);
	FB_ASSERT(!call.overflowed);
	fb_buf_text(b, "[{\"to\":\"");
	fb_buf_address(b, &r->settings.escrow.token);
	fb_buf_text(b, "\",\"data\":\"");
	fb_buf_hex(b, call.at, call.len);
	fb_buf_text(b, "\"},");
	put_block(b, r->block);
	fb_buf_char(b, ']');
}

static void ask(struct fb_reserve *r)
{
	char header[PARAMS_MAX], balance[PARAMS_MAX];
	struct fb_rpc_call calls[CALLS] = { { .method = "eth_getBlockByNumber" }, { .method = "eth_call" } };
	struct fb_buf h, b;

	fb_buf_init(&h, header, sizeof(header));
	fb_buf_init(&b, balance, sizeof(balance));
	fb_buf_char(&h, '[');
	put_block(&h, r->block);
	fb_buf_text(&h, ",false]");
	put_balance_call(&b, r);
	FB_ASSERT(!h.overflowed && !b.overflowed);
	calls[0].params = fb_buf_view(&h);
	calls[1].params = fb_buf_view(&b);
	r->asking = true;
	fb_rpc_send(r->rpc, &(struct fb_rpc_batch){ .calls = calls, .count = CALLS }, on_answer, r);
}

/* The newest safe block that was read, unless it was compared already. */
static void look(struct fb_reserve *r)
{
	struct fb_follow_status s;
	uint64_t block;

	if (r->stopped || r->asking || r->retry != NULL)
		return;
	fb_follow_status(r->follow, &s);
	block = s.next - 1 < s.safe ? s.next - 1 : s.safe;
	if (s.working || block < s.looked || block < r->settings.from_block || block <= r->status.block)
		return;
	if (block != r->block)
		r->looks = 0;
	r->block = block;
	ask(r);
}

/* ---- life --------------------------------------------------------------------------------------------------- */
void fb_reserve_open(struct fb_reserve **out, struct fb_loop *loop, struct fb_rpc *rpc, struct fb_head *head,
		     struct fb_follow *follow, struct fb_writer *writer, const struct fb_credit_settings *settings,
		     void (*changed)(void *arg), void *arg, struct fb_log *log, struct fb_metrics *metrics)
{
	struct fb_reserve *r = fb_must_alloc(1, sizeof(*r));

	r->loop = loop;
	r->rpc = rpc;
	r->head = head;
	r->follow = follow;
	r->writer = writer;
	r->settings = *settings;
	r->changed = changed;
	r->arg = arg;
	r->log = log;
	r->metrics = metrics;
	*out = r;
}

void fb_reserve_stop(struct fb_reserve *r)
{
	r->stopped = true;
	fb_timer_stop(r->retry);
	r->retry = NULL;
}

void fb_reserve_close(struct fb_reserve *r)
{
	FB_ASSERT(r == NULL || (r->stopped && !r->asking));
	free(r);
}

void fb_reserve_wake(struct fb_reserve *r)
{
	look(r);
}

bool fb_reserve_differs(const struct fb_reserve *r)
{
	return atomic_load(&r->differs);
}

void fb_reserve_status(const struct fb_reserve *r, struct fb_reserve_status *out)
{
	*out = r->status;
	out->differs = fb_reserve_differs(r);
}
