/* farebox escrow status: everything an escrow says of itself at one block, as text or JSON. */
#include "app.h"
#include "escrow_cli.h"

#include "farebox/json.h"

#include <stdio.h>
#include <string.h>

enum { STATUS_BYTES = 11 * 32, PAGE_MAX = 4096, PARAMS_MAX = 160 };

/* ---- looking --------------------------------------------------------------------------------------------- */

static enum fb_status read_block(void *out, const struct fb_rpc_reply *reply, struct fb_error *e)
{
	fb_u128 v;

	if (fb_app_escrow_quantity(&v, &reply->results[0]) != FB_OK || v > INT64_MAX)
		return fb_error_set(e, FB_RPC_ERROR, "%s: the number of the newest block is no number", reply->endpoint);
	*(uint64_t *)out = (uint64_t)v;
	return FB_OK;
}

enum { STATUS, CODE, LOOKS };

/* The bytes of a result; false if they are none, or too many. */
static bool bytes_of(struct fb_str *out, uint8_t *block, size_t cap, const struct fb_rpc_result *r)
{
	struct fb_str hex;
	size_t len = 0;

	if (fb_app_escrow_text(&hex, r) != FB_OK || fb_hex_decode(block, &len, cap, hex) != FB_OK)
		return false;
	*out = (struct fb_str){ (const char *)block, len };
	return true;
}

static enum fb_status read_look(void *out, const struct fb_rpc_reply *reply, struct fb_error *e)
{
	uint8_t status_bytes[STATUS_BYTES], code_bytes[FB_ESCROW_CREATION_MAX];
	struct fb_app_look *look = out;
	struct fb_str status, code;

	if (!bytes_of(&status, status_bytes, sizeof(status_bytes), &reply->results[STATUS]) ||
	    fb_escrow_status_answer(&look->status, status) != FB_OK)
		return fb_error_set(e, FB_MISMATCH, "there is no escrow at that address (asked %s)", reply->endpoint);
	look->code_is_ours = bytes_of(&code, code_bytes, sizeof(code_bytes), &reply->results[CODE]) &&
			     fb_escrow_code_is_ours(code, &look->status.token);
	return FB_OK;
}

static void put_code_params(struct fb_buf *b, const struct fb_address *escrow, uint64_t block)
{
	fb_buf_text(b, "[\"");
	fb_buf_address(b, escrow);
	fb_buf_text(b, "\",\"");
	fb_buf_quantity(b, block);
	fb_buf_text(b, "\"]");
	FB_ASSERT(!b->overflowed);
}

/* status() at a block by its number, so that balance and sequence belong together and to it. */
static void put_status_params(struct fb_buf *b, const struct fb_address *escrow, uint64_t block)
{
	char call_block[4];
	struct fb_buf call;

	fb_buf_init(&call, call_block, sizeof(call_block));
	fb_escrow_status_call(&call);
	fb_buf_text(b, "[{\"to\":\"");
	fb_buf_address(b, escrow);
	fb_buf_text(b, "\",\"data\":\"");
	fb_buf_hex(b, call.at, call.len);
	fb_buf_text(b, "\"},\"");
	fb_buf_quantity(b, block);
	fb_buf_text(b, "\"]");
	FB_ASSERT(!b->overflowed && !call.overflowed);
}

enum fb_status fb_app_escrow_look(struct fb_app_escrow *c, struct fb_app_look *out, const struct fb_address *escrow)
{
	struct fb_app_question q = { .calls = { { "eth_blockNumber", FB_STR("[]") } }, .count = 1,
					.read = read_block, .out = &out->block };
	char status_params[PARAMS_MAX], code_params[PARAMS_MAX];
	struct fb_buf status, code;
	enum fb_status st = fb_app_escrow_ask(c, &q);

	if (st != FB_OK)
		return st;
	fb_buf_init(&status, status_params, sizeof(status_params));
	put_status_params(&status, escrow, out->block);
	fb_buf_init(&code, code_params, sizeof(code_params));
	put_code_params(&code, escrow, out->block);
	q.calls[STATUS] = (struct fb_rpc_call){ "eth_call", fb_buf_view(&status) };
	q.calls[CODE] = (struct fb_rpc_call){ "eth_getCode", fb_buf_view(&code) };
	q.count = LOOKS;
	q.read = read_look;
	q.out = out;
	st = fb_app_escrow_ask(c, &q);
	return st == FB_REVERTED ? fb_error_set(&c->error, FB_MISMATCH, "the contract at that address is no escrow") : st;
}

/* ---- showing --------------------------------------------------------------------------------------------- */

static const struct fb_token *token_of(const struct fb_app_escrow *c, const struct fb_app_look *look)
{
	return fb_network_token(&c->server->network, &look->status.token);
}

static void put_address(struct fb_buf *b, const struct fb_address *a)
{
	if (fb_address_is_zero(a))
		fb_buf_text(b, "nobody");
	else
		fb_buf_address_checksum(b, a);
}

/* Whole tokens, or atoms of a token that the network does not list. */
static void put_amount(struct fb_buf *b, struct fb_u256 v, const struct fb_token *t)
{
	struct fb_amount a;

	if (t == NULL || fb_u256_to_amount(&a, v) != FB_OK)
		fb_buf_u256(b, v);
	else
		fb_buf_amount_decimal(b, a, t->decimals);
}

static void put_cap(struct fb_buf *b, fb_u128 v, const struct fb_token *t)
{
	if (v == ~(fb_u128)0)
		fb_buf_text(b, "any amount");
	else
		put_amount(b, fb_u256_from_u128(v), t);
}

static void put_roles(struct fb_buf *b, const struct fb_escrow_status *s, const struct fb_token *t)
{
	fb_buf_text(b, "owner    ");
	put_address(b, &s->owner);
	if (!fb_address_is_zero(&s->pending_owner)) {
		fb_buf_text(b, ", offered to ");
		put_address(b, &s->pending_owner);
	}
	fb_buf_text(b, "\npayouts  by ");
	put_address(b, &s->payout_role);
	fb_buf_text(b, "; each up to ");
	put_cap(b, s->payout_cap, t);
	fb_buf_text(b, ", in a UTC day ");
	put_cap(b, s->day_cap, t);
	fb_buf_text(b, ", today ");
	put_cap(b, s->paid_today, t);
	fb_buf_text(b, "\npause    by ");
	put_address(b, &s->pause_role);
	fb_buf_text(b, s->paused ? "; PAUSED\n" : "; not paused\n");
}

static void put_text(struct fb_buf *b, const struct fb_app_escrow *c, const struct fb_app_look *look)
{
	const struct fb_network *n = &c->server->network;
	const struct fb_token *t = token_of(c, look);

	fb_buf_text(b, "escrow   ");
	fb_buf_address_checksum(b, &n->escrow);
	fb_buf_printf(b, " on %s, since block %llu; as of block %llu:\nholds    ", n->name,
		      (unsigned long long)n->escrow_block, (unsigned long long)look->block);
	put_amount(b, look->status.balance, t);
	fb_buf_printf(b, " %s of ", t == NULL ? "atoms" : t->symbol);
	fb_buf_address_checksum(b, &look->status.token);
	fb_buf_text(b, t == NULL ? ", which the network does not list\n" : "\n");
	put_roles(b, &look->status, t);
	fb_buf_printf(b, "events   %llu\ncode     %s\n", (unsigned long long)look->status.sequence,
		      look->code_is_ours ? "as this farebox creates it" :
					   "NOT as this farebox creates it: of another version, or no escrow of ours");
}

static void kv_address(struct fb_jw *w, const char *key, const struct fb_address *a)
{
	char text[FB_ADDRESS_TEXT_LEN];
	struct fb_buf b;

	fb_jw_key(w, key);
	if (fb_address_is_zero(a)) {
		fb_jw_null(w);
		return;
	}
	fb_buf_init(&b, text, sizeof(text));
	fb_buf_address_checksum(&b, a);
	fb_jw_str(w, fb_buf_view(&b));
}

/* Atoms, as a text. */
static void kv_atoms(struct fb_jw *w, const char *key, struct fb_u256 v)
{
	char text[FB_U256_DIGITS];
	struct fb_buf b;

	fb_buf_init(&b, text, sizeof(text));
	fb_buf_u256(&b, v);
	fb_jw_kv_str(w, key, fb_buf_view(&b));
}

static void kv_made(struct fb_jw *w, const struct fb_app_made *made)
{
	char text[FB_HASH_TEXT_LEN];
	struct fb_buf b;

	fb_buf_init(&b, text, sizeof(text));
	fb_buf_hash(&b, &made->tx);
	fb_jw_kv_str(w, "transaction", fb_buf_view(&b));
	fb_jw_kv_u64(w, "gasUsed", made->receipt.gas_used);
}

static void put_json(struct fb_buf *b, const struct fb_app_escrow *c, const struct fb_app_look *look,
		     const struct fb_app_made *made)
{
	const struct fb_escrow_status *s = &look->status;
	const struct fb_network *n = &c->server->network;
	struct fb_jw w;

	fb_jw_init(&w, b);
	fb_jw_object(&w);
	fb_jw_kv_text(&w, "network", n->caip2);
	kv_address(&w, "escrow", &n->escrow);
	fb_jw_kv_u64(&w, "escrowFrom", n->escrow_block);
	if (made != NULL)
		kv_made(&w, made);
	fb_jw_kv_u64(&w, "block", look->block);
	kv_address(&w, "token", &s->token);
	kv_atoms(&w, "balance", s->balance);
	kv_address(&w, "owner", &s->owner);
	kv_address(&w, "pendingOwner", &s->pending_owner);
	kv_address(&w, "payoutRole", &s->payout_role);
	kv_address(&w, "pauseRole", &s->pause_role);
	fb_jw_kv_bool(&w, "paused", s->paused);
	kv_atoms(&w, "payoutCap", fb_u256_from_u128(s->payout_cap));
	kv_atoms(&w, "dayCap", fb_u256_from_u128(s->day_cap));
	kv_atoms(&w, "paidToday", fb_u256_from_u128(s->paid_today));
	fb_jw_kv_u64(&w, "sequence", s->sequence);
	fb_jw_kv_bool(&w, "codeIsOurs", look->code_is_ours);
	fb_jw_end(&w);
	fb_buf_char(b, '\n');
}

/* deploy tells the text on standard error and always ends with the JSON line on standard output. */
void fb_app_escrow_show(const struct fb_app_escrow *c, const struct fb_app_look *look, const struct fb_app_made *made)
{
	char block[PAGE_MAX];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	if (!c->json) {
		put_text(&b, c, look);
		fprintf(made == NULL ? stdout : stderr, "%.*s", FB_STR_ARG(fb_buf_view(&b)));
	}
	fb_buf_init(&b, block, sizeof(block));
	if (c->json || made != NULL) {
		put_json(&b, c, look, made);
		printf("%.*s", FB_STR_ARG(fb_buf_view(&b)));
	}
	FB_ASSERT(!b.overflowed);
}

int fb_app_escrow_status(struct fb_app_escrow *c)
{
	struct fb_app_look look;
	enum fb_status st = FB_OK;

	if (!c->server->network.has_escrow)
		st = fb_error_set(&c->error, FB_BAD_VALUE, "no escrow is known of %s: set ESCROW_ADDRESS (--escrow), or let a "
				  "network file name it", c->server->network.name);
	if (st == FB_OK)
		st = fb_app_escrow_check(c);
	if (st == FB_OK)
		st = fb_app_escrow_look(c, &look, &c->server->network.escrow);
	if (st != FB_OK)
		return fb_app_fail(st, c->error.text);
	fb_app_escrow_show(c, &look, NULL);
	return FB_EXIT_OK;
}
