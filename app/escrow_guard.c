/* Before anything is served: the contract at the escrow's address is one of ours, and holds the token of the books. */
#include "latch.h"
#include "server.h"

#include "farebox/escrow.h"
#include "farebox/json.h"

enum { CODE, STATUS, CALLS };
enum { STATUS_BYTES = 11 * 32, PARAMS_MAX = 160 };

struct guard {
	struct fb_server *server;
	struct fb_latch latch;
};

/* The bytes of a result; false if they are none, or too many. */
static bool bytes_of(struct fb_str *out, uint8_t *block, size_t cap, const struct fb_rpc_result *r)
{
	_Alignas(16) unsigned char space[16]; /* hex is never escaped: an answer that needs the room is none */
	struct fb_arena none;
	struct fb_str hex;
	size_t len = 0;

	fb_arena_init(&none, space, sizeof(space));
	if (r->status != FB_OK || fb_json_string(&hex, r->result, &none) != FB_OK ||
	    fb_hex_decode(block, &len, cap, hex) != FB_OK)
		return false;
	*out = (struct fb_str){ (const char *)block, len };
	return true;
}

static enum fb_status differs(struct fb_error *e, const struct fb_rpc_reply *reply, const char *what)
{
	return fb_error_set(e, FB_MISMATCH, "%s (asked %s)", what, reply->endpoint);
}

static enum fb_status judge(const struct fb_network *n, const struct fb_rpc_reply *reply, struct fb_error *e)
{
	uint8_t code_bytes[FB_ESCROW_CREATION_MAX], status_bytes[STATUS_BYTES];
	struct fb_escrow_status status;
	struct fb_str code, answer;

	if (reply->status != FB_OK)
		return fb_error_set(e, reply->status, "no RPC endpoint answers about it: %s (asked %s)", reply->why,
				    reply->endpoint);
	if (reply->results[CODE].status != FB_OK)
		return fb_error_set(e, FB_RPC_ERROR, "its code could not be read: error %lld (asked %s)",
				    (long long)reply->results[CODE].error_code, reply->endpoint);
	if (!bytes_of(&code, code_bytes, sizeof(code_bytes), &reply->results[CODE]))
		return differs(e, reply, "the code there is no escrow's");
	if (code.len == 0)
		return differs(e, reply, "there is no contract at that address on this network");
	if (!bytes_of(&answer, status_bytes, sizeof(status_bytes), &reply->results[STATUS]) ||
	    fb_escrow_status_answer(&status, answer) != FB_OK)
		return differs(e, reply, "the contract there is no escrow");
	if (!fb_address_eq(&status.token, &n->tokens[0].address))
		return differs(e, reply, "it holds another token than the network's first one");
	if (!fb_escrow_code_is_ours(code, &status.token))
		return differs(e, reply, "the contract there is not what this farebox creates: farebox escrow status shows it");
	return FB_OK;
}

static void on_reply(void *arg, const struct fb_rpc_reply *reply)
{
	struct guard *g = arg;
	struct fb_error e = { "" };
	enum fb_status st = judge(&g->server->network, reply, &e);

	fb_latch_set(&g->latch, st, e.text);
}

static void ask(void *arg)
{
	struct guard *g = arg;
	const struct fb_address *escrow = &g->server->network.escrow;
	char code[PARAMS_MAX], status[PARAMS_MAX], selector[4];
	struct fb_rpc_call calls[CALLS] = { [CODE] = { .method = "eth_getCode" }, [STATUS] = { .method = "eth_call" } };
	struct fb_buf c, s, call;

	fb_buf_init(&call, selector, sizeof(selector));
	fb_escrow_status_call(&call);
	fb_buf_init(&c, code, sizeof(code));
	fb_buf_text(&c, "[\"");
	fb_buf_address(&c, escrow);
	fb_buf_text(&c, "\",\"latest\"]");
	fb_buf_init(&s, status, sizeof(status));
	fb_buf_text(&s, "[{\"to\":\"");
	fb_buf_address(&s, escrow);
	fb_buf_text(&s, "\",\"data\":\"");
	fb_buf_hex(&s, call.at, call.len);
	fb_buf_text(&s, "\"},\"latest\"]");
	FB_ASSERT(!call.overflowed && !c.overflowed && !s.overflowed);
	calls[CODE].params = fb_buf_view(&c);
	calls[STATUS].params = fb_buf_view(&s);
	fb_rpc_send(g->server->rpc, &(struct fb_rpc_batch){ .calls = calls, .count = CALLS }, on_reply, g);
}

enum fb_status fb_server_check_escrow(struct fb_server *s, struct fb_error *e)
{
	struct guard g = { .server = s };
	const char *origin = s->conf.escrow[0] != '\0' ? fb_conf_origin(&s->conf, "escrow") : "the network file";
	char block[FB_ADDRESS_TEXT_LEN];
	struct fb_buf address;
	enum fb_status st;

	if (!s->network.has_escrow)
		return FB_OK;
	fb_buf_init(&address, block, sizeof(block));
	fb_buf_address_checksum(&address, &s->network.escrow);
	fb_latch_init(&g.latch);
	fb_loop_post(s->loop, ask, &g);
	st = fb_latch_wait(&g.latch);
	if (st != FB_OK)
		fb_error_set(e, st, "escrow (%s) %.*s: %s", origin, FB_STR_ARG(fb_buf_view(&address)), g.latch.error.text);
	fb_latch_destroy(&g.latch);
	return st;
}
