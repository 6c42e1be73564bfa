/* Shared by the serve command's files: everything the server is made of, and how far it was opened. */
#ifndef FB_SERVER_H
#define FB_SERVER_H
#include "farebox/auth.h"
#include "farebox/conf.h"
#include "farebox/core.h"
#include "farebox/crypto.h"
#include "farebox/event.h"
#include "farebox/follow.h"
#include "farebox/head.h"
#include "farebox/http.h"
#include "farebox/identity.h"
#include "farebox/lane.h"
#include "farebox/metric.h"
#include "farebox/net.h"
#include "farebox/network.h"
#include "farebox/ops.h"
#include "farebox/pay.h"
#include "farebox/payout.h"
#include "farebox/port.h"
#include "farebox/reserve.h"
#include "farebox/rpc.h"
#include "farebox/settle.h"
#include "farebox/settlements.h"
#include "farebox/store.h"
#include "farebox/view.h"
#include "farebox/writer.h"
#include "farebox/x402.h"
#include "gas.h"

/* The numbers of the token, and of the chain's native coin in wei, in the books. */
enum { FB_SERVER_ASSET = 1, FB_SERVER_NATIVE_ASSET = 2 };

struct fb_server {
	struct fb_conf conf;
	struct fb_network network;
	struct fb_key signers[FB_LANES_MAX]; /* the first is the setting key's */
	size_t signer_count;
	struct fb_key payout_key;
	bool has_payout_key;
	int held[FB_LANES_MAX + 1]; /* hold.c */
	size_t held_count;
	struct fb_clock clock;
	struct fb_rng rng;
	struct fb_log *log;
	struct fb_metrics *metrics;
	struct fb_store *store;
	struct fb_writer *writer;
	struct fb_loop *loop;
	bool loop_runs;
	struct fb_net *net;
	struct fb_rpc *rpc;
	struct fb_view *view;
	struct fb_lane *lanes[FB_LANES_MAX]; /* of signers, in their order */
	size_t lane_count;
	struct fb_gas gas[FB_LANES_MAX]; /* of the lanes */
	bool signer_low[FB_LANES_MAX];
	struct fb_settle *settle;
	struct fb_head *head;
	struct fb_credit_settings credit;
	struct fb_follow *follow; /* NULL: no escrow is configured */
	struct fb_reserve *reserve;
	struct fb_payout_settings payout_settings;
	struct fb_lane *payout_lane;
	struct fb_gas payout_gas;
	struct fb_payout *payout; /* NULL: no payout_key is set */
	struct fb_rpc *second_rpc; /* prefers another endpoint; NULL: there is one alone */
	struct fb_auth_keys *keys;
	struct fb_identity *identity;
	struct fb_settlements *settlements;
	struct fb_x402 x402;
	struct fb_ops ops;
	struct fb_pay pay;
	struct fb_http *http, *metrics_http;
	struct fb_mount mounts[12];
	size_t mount_count;
	struct fb_mount metrics_mount;
	char siwe_scheme[8], siwe_domain[512]; /* of public_url, or "" */
	bool claims_missed; /* suspense of some proven wallets is still to be moved */
	char data[512]; /* directory */
};

/* settings.c: what the settings mean together; touches nothing. Each error names the setting that is wrong. */
FB_MUST_USE enum fb_status fb_server_read_settings(struct fb_server *s, struct fb_error *e);
/* Parts of it, for commands that need no more: network (with rpc_url and escrow in it), key. */
FB_MUST_USE enum fb_status fb_server_read_network(struct fb_server *s, struct fb_error *e);
FB_MUST_USE enum fb_status fb_server_name_data(struct fb_server *s, struct fb_error *e); /* its directory */
FB_MUST_USE enum fb_status fb_server_read_key(struct fb_server *s, struct fb_error *e); /* signers */
/* Any other key: of `source`, with the setting passphrase. */
FB_MUST_USE enum fb_status fb_server_load_key(struct fb_server *s, struct fb_key *out, const char *source,
					      struct fb_error *e);
void fb_server_wipe_keys(struct fb_server *s);
bool fb_server_is_loopback(const char *bind);
/* chain.c: loop, net and RPC alone, which the caller closes in reverse, whatever came of it. */
FB_MUST_USE enum fb_status fb_server_open_rpc(struct fb_server *s, struct fb_error *e);
struct fb_head_settings fb_server_head_settings(const struct fb_server *s);
/* chain.c: store, loop, RPC and engines; the checks of the chain; and their end. */
FB_MUST_USE enum fb_status fb_server_open_chain(struct fb_server *s, struct fb_error *e);
void fb_server_drain(struct fb_server *s);
void fb_server_close_chain(struct fb_server *s); /* also half-opened */
/* indexer.c: the escrow's indexer and the reserve check, if an escrow is configured; on the loop's thread. Stop comes
 * before the RPC client is closed, close after the writer is. */
FB_MUST_USE enum fb_status fb_server_read_credit(struct fb_server *s, struct fb_error *e); /* settings */
bool fb_server_owner_of(void *ctx, struct fb_owner *out, const struct fb_address *wallet); /* ports of the indexer */
bool fb_server_is_payout(void *ctx, const struct fb_movement *m); /* payout.c; needs the store */
/* payout.c: withdrawals, if a payout key is configured; open, stop and close as the indexer's, after, before and before
 * them. */
FB_MUST_USE enum fb_status fb_server_read_payout(struct fb_server *s, struct fb_error *e); /* settings, key */
FB_MUST_USE enum fb_status fb_server_open_payout(struct fb_server *s, const struct fb_lane_ports *lane,
						 struct fb_error *e);
void fb_server_stop_payout(struct fb_server *s);
void fb_server_close_payout(struct fb_server *s);
void fb_server_look_at_payouts(struct fb_server *s); /* into readiness and metrics */
struct fb_payout_rows fb_server_payout_rows(const struct fb_server *s);
/* chain.c: of any lane; the day's gas budget is shared out, together they stay within it. */
struct fb_lane_settings fb_server_lane_settings(const struct fb_server *s);
struct fb_follow_settings fb_server_follow_settings(const struct fb_server *s);
FB_MUST_USE enum fb_status fb_server_open_second(struct fb_server *s, struct fb_error *e); /* its RPC client */
FB_MUST_USE enum fb_status fb_server_open_indexer(struct fb_server *s, struct fb_error *e);
/* escrow_guard.c: refuses an escrow that is not one of ours. From another thread than the loop's. FB_MISMATCH. */
FB_MUST_USE enum fb_status fb_server_check_escrow(struct fb_server *s, struct fb_error *e);
/* What fb_server_indexer_claims does, later; from any thread. */
void fb_server_wallet_proven(void *server, const struct fb_address *wallet);
/* A wallet was proven: what lies in suspense for it moves. On the loop's thread. */
void fb_server_indexer_claims(struct fb_server *s, const struct fb_address *wallet);
void fb_server_stop_indexer(struct fb_server *s);
void fb_server_close_indexer(struct fb_server *s);
void fb_server_indexer_hears(struct fb_server *s, const struct fb_head_report *r);
/* identity.c: after the store is open; closed after the writer is. Authorises every route. */
FB_MUST_USE enum fb_status fb_server_open_identity(struct fb_server *s, struct fb_error *e);
enum fb_status fb_server_authorise(void *server, const struct fb_request *r, const struct fb_route *route);
/* listen.c: the API and the metrics listener. */
FB_MUST_USE enum fb_status fb_server_listen(struct fb_server *s, struct fb_error *e);
#endif /* FB_SERVER_H */
