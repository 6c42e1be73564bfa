/* Compares a network with what the chain behind the RPC endpoint says about itself. */
#include "network_int.h"

#include "abi_constants.h"
#include "farebox/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHAIN_ID, MULTICALL3_CODE, NETWORK_CALLS };                     /* where in the batch */
enum { CODE, NAME, VERSION, DECIMALS, DOMAIN_SEPARATOR, TOKEN_CALLS }; /* of each token, behind those */
enum { CALLS_MAX = NETWORK_CALLS + FB_NETWORK_TOKENS_MAX * TOKEN_CALLS };
enum { PARAMS_MAX = 96, SUBJECT_MAX = 160, DATA_MAX = 1024 }; /* bytes */
_Static_assert((int)CALLS_MAX <= (int)FB_RPC_CALLS_MAX, "the check is one batch");

static const uint32_t selectors[TOKEN_CALLS] = {
	[NAME] = FB_SELECTOR_NAME,
	[VERSION] = FB_SELECTOR_VERSION,
	[DECIMALS] = FB_SELECTOR_DECIMALS,
	[DOMAIN_SEPARATOR] = FB_SELECTOR_DOMAIN_SEPARATOR,
};

struct check {
	struct fb_network network;
	void (*done)(void *arg, enum fb_status status, const char *sentence);
	void *arg;
	const struct fb_rpc_reply *reply; /* while it is judged */
	struct fb_error sentence;
};

/* ---- sentences -------------------------------------------------------------------------------------- */

/* The essential first: a long sentence is cut at its end. */
static enum fb_status differs(struct check *c, const char *subject, const char *found, const char *want)
{
	return fb_error_set(&c->sentence, FB_MISMATCH, "%s is %s, expected %s (network %s, asked %s)", subject, found, want,
			    c->network.name, c->reply->endpoint);
}

/* A call without a result: the contract refuses it (not what we expect), or the node does. */
static enum fb_status failed(struct check *c, const struct fb_rpc_result *r, const char *subject, const char *want)
{
	if (r->status == FB_REVERTED)
		return differs(c, subject, "not there (the call reverts)", want);
	return fb_error_set(&c->sentence, FB_RPC_ERROR, "%s could not be read: error %lld (network %s, asked %s)", subject,
			    (long long)r->error_code, c->network.name, c->reply->endpoint);
}

/* What a chain says is foreign text: printable ASCII of it, bounded. */
static void quote(char out[SUBJECT_MAX], struct fb_str s)
{
	struct fb_buf b;

	fb_buf_init(&b, out, SUBJECT_MAX - 2);
	fb_buf_char(&b, '"');
	for (size_t i = 0; i < s.len && i < FB_NETWORK_TEXT_MAX; i++)
		fb_buf_char(&b, s.at[i] < ' ' || s.at[i] > '~' ? '?' : s.at[i]);
	FB_ASSERT(!b.overflowed);
	snprintf(b.at + b.len, SUBJECT_MAX - b.len, "\"");
}

/* ---- values ----------------------------------------------------------------------------------------- */

static bool text_of(struct fb_str *out, const struct fb_rpc_result *r)
{
	_Alignas(16) unsigned char block[16]; /* hex is never escaped: an answer that needs the room is none */
	struct fb_arena none;

	fb_arena_init(&none, block, sizeof(block));
	return fb_json_string(out, r->result, &none) == FB_OK;
}

/* The bytes an eth_call returned. */
static bool data_of(uint8_t out[DATA_MAX], struct fb_str *data, const struct fb_rpc_result *r)
{
	struct fb_str hex;
	size_t len;

	if (!text_of(&hex, r) || fb_hex_decode(out, &len, DATA_MAX, hex) != FB_OK)
		return false;
	*data = (struct fb_str){ (const char *)out, len };
	return true;
}

static enum fb_status judge_chain_id(struct check *c)
{
	const struct fb_rpc_result *r = &c->reply->results[CHAIN_ID];
	char found[SUBJECT_MAX] = "no number", want[32];
	struct fb_str text;
	uint64_t id = 0;

	snprintf(want, sizeof(want), "%llu", (unsigned long long)c->network.chain_id);
	if (r->status != FB_OK)
		return failed(c, r, "chain id", want);
	if (text_of(&text, r) && fb_quantity_parse_u64(&id, text) == FB_OK)
		snprintf(found, sizeof(found), "%llu", (unsigned long long)id);
	return id == c->network.chain_id ? FB_OK : differs(c, "chain id", found, want);
}

static enum fb_status judge_code(struct check *c, size_t at, const char *subject)
{
	const struct fb_rpc_result *r = &c->reply->results[at];
	struct fb_str hex;

	if (r->status != FB_OK)
		return failed(c, r, subject, "a contract");
	if (!text_of(&hex, r) || !fb_str_starts(hex, FB_STR("0x")) || hex.len == 2)
		return differs(c, subject, "an address without code", "a contract");
	return FB_OK;
}

static enum fb_status judge_text(struct check *c, size_t at, const char *subject, const char *want)
{
	const struct fb_rpc_result *r = &c->reply->results[at];
	char found[SUBJECT_MAX] = "no text", quoted[SUBJECT_MAX];
	uint8_t bytes[DATA_MAX];
	struct fb_str data, text;

	quote(quoted, fb_str_of(want));
	if (r->status != FB_OK)
		return failed(c, r, subject, quoted);
	if (data_of(bytes, &data, r) && fb_abi_get_bytes(&text, data, 0) == FB_OK) {
		if (fb_str_eq(text, fb_str_of(want)))
			return FB_OK;
		quote(found, text);
	}
	return differs(c, subject, found, quoted);
}

static enum fb_status judge_decimals(struct check *c, size_t at, const char *subject, uint8_t decimals)
{
	const struct fb_rpc_result *r = &c->reply->results[at];
	char found[SUBJECT_MAX] = "no number", want[32];
	uint8_t bytes[DATA_MAX];
	struct fb_str data;
	uint64_t n;

	snprintf(want, sizeof(want), "%u", decimals);
	if (r->status != FB_OK)
		return failed(c, r, subject, want);
	if (data_of(bytes, &data, r) && data.len == 32 && fb_abi_get_u64(&n, data, 0) == FB_OK) {
		if (n == decimals)
			return FB_OK;
		snprintf(found, sizeof(found), "%llu", (unsigned long long)n);
	}
	return differs(c, subject, found, want);
}

static void print_hash(char out[SUBJECT_MAX], const void *hash)
{
	struct fb_buf b;

	fb_buf_init(&b, out, SUBJECT_MAX);
	fb_buf_hex(&b, hash, sizeof(struct fb_hash));
	fb_buf_char(&b, '\0');
}

static enum fb_status judge_domain(struct check *c, size_t at, const char *subject, const struct fb_hash *domain)
{
	const struct fb_rpc_result *r = &c->reply->results[at];
	char found[SUBJECT_MAX] = "no hash", want[SUBJECT_MAX];
	uint8_t bytes[DATA_MAX];
	struct fb_str data;

	print_hash(want, domain);
	if (r->status != FB_OK)
		return failed(c, r, subject, want);
	if (data_of(bytes, &data, r) && data.len == sizeof(*domain)) {
		if (memcmp(bytes, domain->bytes, sizeof(*domain)) == 0)
			return FB_OK;
		print_hash(found, bytes);
	}
	return differs(c, subject, found, want);
}

/* ---- the answer ------------------------------------------------------------------------------------- */

/* "USDC 0x036c…: name()" */
static const char *subject_of(char out[SUBJECT_MAX], const char *what, const struct fb_address *a, const char *function)
{
	char address[FB_ADDRESS_TEXT_LEN];
	struct fb_buf b;

	fb_buf_init(&b, address, sizeof(address));
	fb_buf_address(&b, a);
	snprintf(out, SUBJECT_MAX, "%s %.*s%s", what, FB_STR_ARG(fb_buf_view(&b)), function);
	return out;
}

static enum fb_status judge_token(struct check *c, const struct fb_token *t, size_t at)
{
	char subject[SUBJECT_MAX];
	enum fb_status st = judge_code(c, at + CODE, subject_of(subject, t->symbol, &t->address, ""));

	if (st == FB_OK)
		st = judge_text(c, at + NAME, subject_of(subject, t->symbol, &t->address, ": name()"), t->name);
	if (st == FB_OK)
		st = judge_text(c, at + VERSION, subject_of(subject, t->symbol, &t->address, ": version()"), t->version);
	if (st == FB_OK)
		st = judge_decimals(c, at + DECIMALS, subject_of(subject, t->symbol, &t->address, ": decimals()"), t->decimals);
	if (st == FB_OK)
		st = judge_domain(c, at + DOMAIN_SEPARATOR, subject_of(subject, t->symbol, &t->address, ": DOMAIN_SEPARATOR()"),
				  &t->domain);
	return st;
}

static enum fb_status judge(struct check *c)
{
	const struct fb_network *n = &c->network;
	char subject[SUBJECT_MAX];
	enum fb_status st;

	if (c->reply->status != FB_OK)
		return fb_error_set(&c->sentence, c->reply->status, "no RPC endpoint of %s answers: %s (asked %s)", n->name,
				    c->reply->why, c->reply->endpoint);
	FB_ASSERT(c->reply->count == NETWORK_CALLS + n->token_count * TOKEN_CALLS);
	st = judge_chain_id(c);
	if (st == FB_OK)
		st = judge_code(c, MULTICALL3_CODE, subject_of(subject, "Multicall3", &n->multicall3, ""));
	for (size_t i = 0; st == FB_OK && i < n->token_count; i++)
		st = judge_token(c, &n->tokens[i], NETWORK_CALLS + i * TOKEN_CALLS);
	return st;
}

static void on_reply(void *arg, const struct fb_rpc_reply *reply)
{
	struct check *c = arg;
	enum fb_status st;

	c->reply = reply;
	st = judge(c);
	c->done(c->arg, st, c->sentence.text);
	free(c);
}

/* ---- the question ----------------------------------------------------------------------------------- */

struct question {
	struct fb_rpc_call calls[CALLS_MAX];
	char params[CALLS_MAX][PARAMS_MAX];
	size_t count;
};

static void ask_code(struct question *q, const struct fb_address *a)
{
	struct fb_buf b;

	fb_buf_init(&b, q->params[q->count], PARAMS_MAX);
	fb_buf_text(&b, "[\"");
	fb_buf_address(&b, a);
	fb_buf_text(&b, "\",\"latest\"]");
	FB_ASSERT(!b.overflowed);
	q->calls[q->count++] = (struct fb_rpc_call){ "eth_getCode", fb_buf_view(&b) };
}

static void ask_function(struct question *q, const struct fb_address *a, uint32_t selector)
{
	uint8_t bytes[4];
	struct fb_buf b;

	fb_put_be32(bytes, selector);
	fb_buf_init(&b, q->params[q->count], PARAMS_MAX);
	fb_buf_text(&b, "[{\"to\":\"");
	fb_buf_address(&b, a);
	fb_buf_text(&b, "\",\"data\":\"");
	fb_buf_hex(&b, bytes, sizeof(bytes));
	fb_buf_text(&b, "\"},\"latest\"]");
	FB_ASSERT(!b.overflowed);
	q->calls[q->count++] = (struct fb_rpc_call){ "eth_call", fb_buf_view(&b) };
}

void fb_network_check(struct fb_rpc *rpc, const struct fb_network *n,
		      void (*done)(void *arg, enum fb_status status, const char *sentence), void *arg)
{
	struct check *c = fb_must_alloc(1, sizeof(*c));
	struct question q = { .count = 0 };

	*c = (struct check){ .network = *n, .done = done, .arg = arg };
	q.calls[q.count++] = (struct fb_rpc_call){ "eth_chainId", FB_STR("[]") };
	ask_code(&q, &n->multicall3);
	for (size_t i = 0; i < n->token_count; i++) {
		ask_code(&q, &n->tokens[i].address);
		for (size_t k = NAME; k < TOKEN_CALLS; k++)
			ask_function(&q, &n->tokens[i].address, selectors[k]);
	}
	fb_rpc_send(rpc, &(struct fb_rpc_batch){ .calls = q.calls, .count = q.count }, on_reply, c);
}
