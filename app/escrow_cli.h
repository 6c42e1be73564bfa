/* Shared by the escrow command's files: what was asked for, and the chain it is asked of. */
#ifndef FB_ESCROW_CLI_H
#define FB_ESCROW_CLI_H
#include "server.h"

#include "farebox/escrow.h"
#include "farebox/rpc.h"
#include "farebox/token.h"

enum { FB_APP_CALLS_MAX = 8 };

struct fb_app_escrow {
	struct fb_server *server; /* its settings, network, key, loop and rpc alone are open */
	const char *owner, *payout_role, *pause_role, *payout_cap, *day_cap; /* deploy; NULL: not given */
	bool yes, again, json;
	struct fb_error error; /* why the last thing failed */
};

/* escrow_ask.c: questions to the chain, each waiting for its answer on the loop of the server. */
/* One batch. `read` sees the reply when each of its calls was answered, else the error says what failed and `read` is
 * not called. FB_OK and what `read` returns; those of a batch; FB_RPC_ERROR, FB_REVERTED (a call). */
struct fb_app_question {
	struct fb_rpc_call calls[FB_APP_CALLS_MAX];
	size_t count;
	bool once;                       /* never sent twice: eth_sendRawTransaction */
	bool optional[FB_APP_CALLS_MAX]; /* may fail: `read` looks at it */
	enum fb_status (*read)(void *out, const struct fb_rpc_reply *reply, struct fb_error *e);
	void *out;
};
FB_MUST_USE enum fb_status fb_app_escrow_ask(struct fb_app_escrow *c, const struct fb_app_question *q);
void fb_app_escrow_wait(struct fb_app_escrow *c, uint64_t ms);
FB_MUST_USE enum fb_status fb_app_escrow_check(struct fb_app_escrow *c);
/* Of a call's result. FB_BAD_SYNTAX. */
FB_MUST_USE enum fb_status fb_app_escrow_text(struct fb_str *out, const struct fb_rpc_result *r);
FB_MUST_USE enum fb_status fb_app_escrow_quantity(fb_u128 *out, const struct fb_rpc_result *r);

/* escrow_look.c: an escrow as it is at one block. */
struct fb_app_look {
	uint64_t block;
	struct fb_escrow_status status;
	bool code_is_ours; /* fb_escrow_code_is_ours */
};
FB_MUST_USE enum fb_status fb_app_escrow_look(struct fb_app_escrow *c, struct fb_app_look *out,
					  const struct fb_address *escrow);
/* What was looked at, as the command's output. made: NULL, or what deploy has to tell besides. */
struct fb_app_made {
	struct fb_hash tx;
	struct fb_receipt_summary receipt;
};
void fb_app_escrow_show(const struct fb_app_escrow *c, const struct fb_app_look *look, const struct fb_app_made *made);

/* The actions; each returns the exit code. */
int fb_app_escrow_status(struct fb_app_escrow *c);
int fb_app_escrow_deploy(struct fb_app_escrow *c); /* escrow_deploy.c */
#endif /* FB_ESCROW_CLI_H */
