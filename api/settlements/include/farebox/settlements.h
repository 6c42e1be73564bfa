/* farebox/settlements.h - what became of a settlement: GET /v1/settlements/{id} and ?payer=&nonce=, and waiting for it.
 *
 * What it is  a settlement's durable record and how final its block is, as JSON. It grants nothing and changes
 *             nothing: whoever must know whether to serve asks /settle.
 * Layer       9
 * Answers     200 with the settlement; README.md lists the members.
 * Errors      in this order: 401 or 403 by policy; 400 for a parameter that is unknown, malformed or given twice;
 *             503 when the record cannot be read or too many wait; 404 if nothing is known of the settlement; 504 when
 *             the chain's loop does not answer.
 * Parameters  id: see fb_settle_id_parse. payer, nonce: 0x and 40 or 64 hex digits; asset: likewise, else every token
 *             of the network is looked at, in its order. wait: 0..FB_SETTLEMENTS_WAIT_MAX_S seconds; seen: a
 *             `revision`.
 * Waiting     with wait the answer comes when the revision is another than `seen` (without it: than at the request's
 *             arrival), at once when the settlement is final, and at the latest after that time. What is not known yet
 *             has the revision 0000000000000000: waiting for it is waiting until it is known.
 * Revision    changes with state, rung, transaction, block, grant and reason; nothing else is to be read from it.
 * Limits      FB_SETTLEMENTS_WAITERS_MAX requests waiting; looked at every FB_SETTLEMENTS_LOOK_MS and with every change
 *             of the head.
 * Policy      FB_AUTH_POLICY: where there are API keys, one is needed.
 * Ownership   borrows everything it is opened with until closed.
 * Threads     open, drain and close on the loop's thread (open also before it runs); handlers on the API pool.
 */
#ifndef FB_SETTLEMENTS_H
#define FB_SETTLEMENTS_H
#include "farebox/core.h"
#include "farebox/head.h"
#include "farebox/http.h"
#include "farebox/net.h"
#include "farebox/network.h"
#include "farebox/port.h"
#include "farebox/settle.h"

enum { FB_SETTLEMENTS_WAIT_MAX_S = 60, FB_SETTLEMENTS_WAITERS_MAX = 384, FB_SETTLEMENTS_LOOK_MS = 100 };
struct fb_settlements;
void fb_settlements_open(struct fb_settlements **out, struct fb_loop *loop, const struct fb_network *network,
			 struct fb_settle *settle, struct fb_head *head, struct fb_clock clock);
struct fb_mount fb_settlements_mount(struct fb_settlements *s);
void fb_settlements_drain(struct fb_settlements *s); /* who waits is answered now, later ones at once */
/* Drained, and the HTTP server has stopped; before settle and head are closed. NULL allowed */
void fb_settlements_close(struct fb_settlements *s);
#endif /* FB_SETTLEMENTS_H */
