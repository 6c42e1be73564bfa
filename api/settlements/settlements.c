/* The rows, and reading a question strictly. */
#include "settlements_int.h"

#include "farebox/codec.h"

#include <stdlib.h>
#include <string.h>

enum { MARGIN_MS = 10000 /* the server waits this much longer than the loop */, REVISION_LEN = 16 };

static const char *const by_id[] = { "wait", "seen", NULL };
static const char *const by_payer[] = { "payer", "nonce", "asset", "wait", "seen", NULL };

/* ---- parameters ---------------------------------------------------------------------------------------------- */

static bool is_known(struct fb_str name, const char *const *known)
{
	for (; *known != NULL; known++)
		if (fb_str_eq(name, fb_str_of(*known)))
			return true;
	return false;
}

/* Names are looked for as they are written: one that is escaped is none of ours. */
static enum fb_status check_names(struct fb_str query, const char *const *known)
{
	struct fb_str rest = query, part, tail, name, value;

	while (rest.len > 0) {
		part = rest;
		if (!fb_str_split(&part, &tail, rest, '&'))
			tail = (struct fb_str){ "", 0 };
		rest = tail;
		name = part;
		(void)fb_str_split(&name, &value, part, '=');
		if (!is_known(name, known))
			return FB_BAD_VALUE;
	}
	return FB_OK;
}

/* FB_NOT_FOUND: not given. */
static enum fb_status take_hex(struct fb_request *r, uint8_t *out, size_t len, const char *name)
{
	struct fb_str text;
	enum fb_status st = fb_request_query(r, &text, name);

	if (st != FB_OK)
		return st;
	return fb_hex_decode_exact(out, len, text) == FB_OK ? FB_OK : FB_BAD_VALUE;
}

static enum fb_status take_wait(struct fb_request *r, uint64_t *out_ms)
{
	struct fb_str text;
	uint64_t seconds;
	enum fb_status st = fb_request_query(r, &text, "wait");

	*out_ms = 0;
	if (st == FB_NOT_FOUND)
		return FB_OK;
	if (st != FB_OK)
		return st;
	if (fb_u64_parse(&seconds, text) != FB_OK || seconds > FB_SETTLEMENTS_WAIT_MAX_S)
		return FB_BAD_VALUE;
	*out_ms = seconds * 1000;
	return FB_OK;
}

static enum fb_status take_seen(struct fb_request *r, struct fb_settlements_job *j)
{
	char block[2 + REVISION_LEN] = "0x";
	uint8_t bytes[REVISION_LEN / 2];
	struct fb_str text;
	enum fb_status st = fb_request_query(r, &text, "seen");

	if (st == FB_NOT_FOUND)
		return FB_OK;
	if (st != FB_OK)
		return st;
	if (text.len != REVISION_LEN)
		return FB_BAD_VALUE;
	memcpy(block + 2, text.at, REVISION_LEN);
	if (fb_hex_decode_exact(bytes, sizeof(bytes), (struct fb_str){ block, sizeof(block) }) != FB_OK)
		return FB_BAD_VALUE;
	j->has_seen = true;
	j->seen = fb_get_be64(bytes);
	return FB_OK;
}

/* ---- the way to the loop and back ------------------------------------------------------------------------------ */

static struct fb_answered finish(struct fb_request *r)
{
	struct fb_settlements_job *j = r->state;
	struct fb_settlements *s = r->ctx;
	struct fb_settlements_view view;
	struct fb_buf b;

	if (r->expired) { /* the loop may be writing into the job */
		fb_settlements_release(j);
		return fb_http_error(r, FB_TIMEOUT, NULL);
	}
	view = j->view;
	fb_settlements_release(j);
	if (view.status == FB_NOT_FOUND)
		return fb_http_error(r, FB_NOT_FOUND, "nothing is known of this settlement");
	if (view.status != FB_OK)
		return fb_http_error(r, view.status, NULL);
	b = fb_arena_buf(r->arena, FB_SETTLEMENTS_TEXT_MAX);
	fb_settlements_write(&b, s, &view);
	return b.overflowed ? fb_http_error(r, FB_NO_MEMORY, NULL) : fb_http_json(r, 200, fb_buf_view(&b));
}

static struct fb_settlements_job *job_new(struct fb_settlements *s)
{
	struct fb_settlements_job *j = fb_must_alloc(1, sizeof(*j));

	atomic_init(&j->holders, 2);
	j->settlements = s;
	return j;
}

static struct fb_answered later(struct fb_request *r, struct fb_settlements_job *j)
{
	struct fb_http_wait *w;

	r->state = j;
	w = j->wait = fb_http_wait(r, finish, j->wait_ms + MARGIN_MS);
	fb_loop_post(j->settlements->loop, fb_settlements_begin, j);
	return fb_http_later(w);
}

static struct fb_answered refuse(struct fb_request *r, struct fb_settlements_job *j, enum fb_status st,
				 const char *sentence)
{
	free(j);
	return st == FB_NO_MEMORY ? fb_http_error(r, st, NULL) : fb_http_error(r, FB_BAD_VALUE, sentence);
}

/* What both rows have in common, when the keys are there. */
static struct fb_answered go(struct fb_request *r, struct fb_settlements_job *j)
{
	enum fb_status st = take_wait(r, &j->wait_ms);

	if (st != FB_OK)
		return refuse(r, j, st, "wait: want whole seconds, 0 to 60, once");
	st = take_seen(r, j);
	if (st != FB_OK)
		return refuse(r, j, st, "seen: want a revision, 16 hex digits, once");
	return later(r, j);
}

static struct fb_answered get_by_id(struct fb_request *r)
{
	struct fb_settlements_job *j = job_new(r->ctx);

	if (check_names(r->query, by_id) != FB_OK)
		return refuse(r, j, FB_BAD_VALUE, "unknown parameter: want wait or seen");
	if (fb_settle_id_parse(&j->keys[0], r->params[0]) != FB_OK)
		return refuse(r, j, FB_BAD_VALUE,
			      "id: want the chain's number and, in lower-case hex, asset, payer and nonce: "
			      "84532-<40 digits>-<40 digits>-<64 digits>");
	j->key_count = 1;
	return go(r, j);
}

static enum fb_status take_assets(struct fb_request *r, struct fb_settlements_job *j, const struct fb_address *payer,
				  const struct fb_hash *nonce)
{
	const struct fb_network *n = j->settlements->network;
	struct fb_address asset;
	enum fb_status st = take_hex(r, asset.bytes, sizeof(asset.bytes), "asset");

	if (st == FB_OK)
		j->keys[j->key_count++] = fb_settle_key_from(n->chain_id, &asset, payer, nonce);
	if (st != FB_NOT_FOUND)
		return st;
	for (size_t i = 0; i < n->token_count; i++)
		j->keys[j->key_count++] = fb_settle_key_from(n->chain_id, &n->tokens[i].address, payer, nonce);
	return FB_OK;
}

static struct fb_answered get_by_payer(struct fb_request *r)
{
	struct fb_settlements_job *j = job_new(r->ctx);
	struct fb_address payer;
	struct fb_hash nonce;
	enum fb_status st = check_names(r->query, by_payer);

	if (st != FB_OK)
		return refuse(r, j, st, "unknown parameter: want payer, nonce, asset, wait or seen");
	st = take_hex(r, payer.bytes, sizeof(payer.bytes), "payer");
	if (st != FB_OK)
		return refuse(r, j, st, "payer: want an address, 0x and 40 hex digits, once");
	st = take_hex(r, nonce.bytes, sizeof(nonce.bytes), "nonce");
	if (st != FB_OK)
		return refuse(r, j, st, "nonce: want the authorization's nonce, 0x and 64 hex digits, once");
	st = take_assets(r, j, &payer, &nonce);
	if (st != FB_OK)
		return refuse(r, j, st, "asset: want the token's address, 0x and 40 hex digits, once");
	return go(r, j);
}

static const struct fb_route routes[] = {
	/* method  pattern                     handler       body_max auth            repeat          summary */
	{ FB_GET,  "/v1/settlements",          get_by_payer, 0, FB_AUTH_POLICY, FB_REPEAT_NONE,
	  "a settlement by payer and nonce" },
	{ FB_GET,  "/v1/settlements/{id}",     get_by_id,    0, FB_AUTH_POLICY, FB_REPEAT_NONE,
	  "a settlement by its id" },
};

struct fb_mount fb_settlements_mount(struct fb_settlements *s)
{
	return (struct fb_mount){ routes, FB_COUNT(routes), s };
}
