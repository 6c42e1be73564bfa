/* farebox/rpc.h - JSON-RPC to the chain: batches, deadlines, size caps, several endpoints.
 *
 * Layer      3
 * What it is one fb_rpc_batch is one HTTP POST with an array of calls (a lone call is sent as an
 *            object). The endpoint in use stays until it fails; a failed one (transport, HTTP code
 *            other than 200, 429, not JSON-RPC, HTML) rests for FB_RPC_REST_MS and the batch goes to
 *            the next, as long as the batch's deadline lasts and, for `once` batches, only if the
 *            request provably did not leave. A batch asks an endpoint at most once; resting ones are
 *            asked last.
 * Errors     of the batch: FB_OK (an answer for each call came; each call has a status of its own),
 *            FB_UNREACHABLE (no endpoint answered), FB_TIMEOUT, FB_RPC_ERROR (an endpoint answered
 *            rubbish or too much and no other is left), FB_BUSY (FB_NET_PENDING_MAX batches under
 *            way), FB_DRAINING. Of a call: FB_OK, FB_REVERTED (execution
 *            reverted: code 3, or -32000 with "revert" in its message), FB_RPC_ERROR (any other error
 *            object), FB_BAD_SYNTAX (neither result nor error).
 *            An RPC failure is never evidence about a payer or a payment.
 * Limits     FB_RPC_CALLS_MAX calls and FB_RPC_ASK_MAX bytes a batch; answers of at most
 *            FB_RPC_ANSWER_MAX bytes and FB_RPC_TOKENS_MAX JSON values.
 * Ownership  borrows loop, log and metrics until closed. Results are valid during `done` only.
 * Threads    the loop's thread only.
 */
#ifndef FB_RPC_H
#define FB_RPC_H
#include "farebox/core.h"
#include "farebox/event.h"
#include "farebox/json.h"
#include "farebox/metric.h"
#include "farebox/net.h"

enum { FB_RPC_CALLS_MAX = 256, FB_RPC_ENDPOINTS_MAX = 8, FB_RPC_REST_MS = 2000, FB_RPC_MESSAGE_MAX = 512 };
enum { FB_RPC_ASK_MAX = 8 << 20, FB_RPC_ANSWER_MAX = 8 << 20, FB_RPC_TOKENS_MAX = 1 << 20 };

struct fb_rpc_settings {
	const char *urls[FB_RPC_ENDPOINTS_MAX]; /* http(s); copied */
	size_t url_count;                       /* at least 1 */
	uint64_t timeout_ms;                    /* of one attempt; at least 1 */
};
struct fb_rpc;
/* FB_BAD_VALUE: no endpoint, too many, or one that is no http(s) URL. */
FB_MUST_USE enum fb_status fb_rpc_open(struct fb_rpc **out, struct fb_loop *loop,
				       const struct fb_rpc_settings *settings, struct fb_log *log,
				       struct fb_metrics *metrics);
/* Pending batches end with FB_DRAINING before this returns. Never inside a `done`. NULL allowed */
void fb_rpc_close(struct fb_rpc *rpc);

struct fb_rpc_call {
	const char *method;
	struct fb_str params; /* a JSON array, already written */
};
struct fb_rpc_result {
	enum fb_status status;
	struct fb_json_value result; /* when FB_OK; may be JSON null */
	int64_t error_code;          /* when FB_REVERTED or FB_RPC_ERROR */
	struct fb_str error_message; /* unescaped, at most FB_RPC_MESSAGE_MAX bytes */
	struct fb_json_value error_data; /* absent if none; of a revert: the returned bytes as a hex string */
};
struct fb_rpc_reply {
	enum fb_status status;
	bool sent;                           /* not FB_OK, but the calls may have taken effect */
	const struct fb_rpc_result *results; /* in the order of the calls; when FB_OK */
	size_t count;
	const char *endpoint;                /* scheme, host and port only: the rest holds keys */
	const char *why;                     /* when not FB_OK */
};
/* Copies the calls. `once`: never sent twice by this library (eth_sendRawTransaction).
 * timeout_ms: of the whole batch over all endpoints; 0 takes the setting. */
struct fb_rpc_batch {
	const struct fb_rpc_call *calls;
	size_t count; /* 1..FB_RPC_CALLS_MAX */
	uint64_t timeout_ms;
	bool once;
};
void fb_rpc_send(struct fb_rpc *rpc, const struct fb_rpc_batch *batch,
		 void (*done)(void *arg, const struct fb_rpc_reply *reply), void *arg);
/* The parsing half, alone: fills results from the body of an HTTP answer to `count` calls with ids
 * 1..count in any order. FB_RPC_ERROR if it is anything else; then results hold nothing (fuzzed). */
#define FB_RPC_ARENA_LEN(count) ((count) * ((size_t)FB_RPC_MESSAGE_MAX + 16))
struct fb_rpc_parsed {
	struct fb_json doc;
	struct fb_json_token *tokens; /* caller's, and their number */
	size_t token_cap;
	struct fb_rpc_result *results; /* caller's, `count` of them */
	struct fb_arena *arena;        /* for unescaped messages: FB_RPC_ARENA_LEN(count) bytes are enough */
};
FB_MUST_USE enum fb_status fb_rpc_parse(struct fb_rpc_parsed *p, struct fb_str body, size_t count);
#endif /* FB_RPC_H */
