/* What the files of api/http share: the server, its workers, their connections and the exchange under way on one.
 *
 * Every worker is a thread with a libmicrohttpd daemon and a listening socket of its own, driven by MHD_run_wait.
 * A connection, its exchange and its memory are touched by its worker alone. What crosses threads: the token of a
 * wait (wait.c), the count of connections (crowd.c), `stopping`, metrics and the log. */
#ifndef FB_HTTP_INT_H
#define FB_HTTP_INT_H
#include "farebox/http.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
	THREADS_MAX = 64,
	LISTEN_BACKLOG = 1024,
	/* libmicrohttpd's memory of one connection: a whole head, its index and the head of the answer. */
	CONNECTION_MEMORY = FB_HTTP_HEADERS_MAX + 16384,
	/* Ours of one exchange beside the handler's arena: raw target, decoded path, values of answer headers. */
	OWN_ARENA = 2 * FB_HTTP_HEADERS_MAX + 32768,
	BLOCKS_KEPT = 2048,       /* free exchanges a worker keeps for the next requests, */
	BLOCK_KEPT_USED = 32768,  /* unless a request used more bytes of its arenas than this */
	BODY_FIRST = 16384,       /* bytes a body's memory starts with, at most; then it doubles up to its limit */
	BODY_DISCARD_MAX = 1 << 20, /* bytes beyond a body's limit that are read for the sake of a proper 413 */
	ID_MAX = 64,
	PEER_MAX = 64,
	ALLOW_MAX = 64,
	RANDOM_POOL = 1024,
};

struct conn;
struct exchange;

/* Memory of one exchange; a free one is linked into its worker's list. */
struct block {
	struct block *next;
};

struct worker {
	struct fb_http *http;
	struct MHD_Daemon *daemon;
	pthread_t thread;
	int events;       /* the daemon's epoll descriptor */
	int bell;         /* eventfd */
	atomic_bool rung; /* and not yet heard */
	struct conn *conns; /* all, newest first */
	unsigned conn_count;
	unsigned exchange_count; /* requests under way */
	bool draining;
	uint64_t swept_ns;
	struct block *blocks;
	unsigned block_count;
	size_t random_left;
	uint8_t random[RANDOM_POOL];
};

/* ---- crowd.c: how many connections there are, in all and per address ----------------------- */
struct crowd;
struct address {
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d; of IPv6 the first 64 bits: a customer owns them all */
};
struct crowd *fb_http_crowd_open(unsigned total_max, unsigned each_max, uint64_t seed);
void fb_http_crowd_close(struct crowd *c);
bool fb_http_crowd_enter(struct crowd *c, const struct address *a); /* false: one too many, do not leave */
void fb_http_crowd_leave(struct crowd *c, const struct address *a);

struct fb_http {
	struct fb_http_settings settings;
	const struct fb_mount *mounts;
	size_t mount_count;
	struct fb_clock clock;
	struct fb_rng rng;
	struct fb_log *log;
	struct fb_metrics *metrics;
	struct crowd *crowd;
	int listen_fds[THREADS_MAX]; /* one per worker */
	uint16_t port;
	bool listening;
	unsigned running; /* workers */
	atomic_bool stopping;
	uint64_t stop_ns; /* written before `stopping` */
	struct worker workers[THREADS_MAX];
};
static inline uint64_t fb_http_now(const struct fb_http *h)
{
	return h->clock.mono_ns(h->clock.ctx);
}

/* ---- listen.c ------------------------------------------------------------------------------ */
/* One bound socket for each of s->threads workers, or none. */
enum fb_status fb_http_listen(int *fds, uint16_t *port, const struct fb_http_settings *s, struct fb_error *e);

/* ---- worker.c ------------------------------------------------------------------------------ */
enum fb_status fb_http_worker_start(struct worker *w, struct fb_http *h, int listen_fd, struct fb_error *e);
void fb_http_worker_join(struct worker *w);
void fb_http_worker_ring(struct worker *w); /* ends its wait. Any thread */

/* ---- conn.c: connections and their deadlines ------------------------------------------------ */
struct conn {
	struct conn *prev, *next;
	struct worker *worker;
	struct exchange *exchange; /* NULL between requests */
	uint64_t deadline_ns;
	int fd;
	uint32_t sweeps; /* it went through while it owed us a request, or the rest of one */
	bool counted; /* in the crowd */
	bool cut;     /* shut down by us: nothing of it is served any more */
	struct address address;
	size_t peer_len;
	char peer[PEER_MAX];
};
static inline struct fb_str fb_conn_peer(const struct conn *c)
{
	return (struct fb_str){ c->peer, c->peer_len };
}
void fb_http_conn_notify(void *worker, struct MHD_Connection *mhd, void **slot,
			 enum MHD_ConnectionNotificationCode code);
struct conn *fb_http_conn_of(struct MHD_Connection *mhd); /* NULL: there was no memory for it */
void fb_http_conn_deadline(struct conn *c, uint64_t ms);  /* from now */
bool fb_http_conn_left(const struct conn *c); /* the client has closed its side, or all */
/* Acts on every deadline that has passed; `hurry`: on every connection, as if it had. */
void fb_http_conns_sweep(struct worker *w, uint64_t now, bool hurry);
void fb_http_conns_cut_idle(struct worker *w);

/* ---- head.c: what libmicrohttpd lets pass and we do not -------------------------------------- */
struct head {
	const char *fault; /* NULL: fine */
	bool too_large;
	bool chunked;
	uint64_t body_len; /* Content-Length, 0 without */
	struct fb_str host;
	struct fb_str request_id; /* a usable one of the client's, or empty */
};
static inline bool fb_head_has_body(const struct head *h)
{
	return h->chunked || h->body_len > 0;
}
struct head_line {
	const char *method, *target, *version; /* as they lie in libmicrohttpd's buffer */
	size_t target_len;
};
void fb_http_head_check(struct head *out, struct MHD_Connection *mhd, const struct head_line *line);

/* ---- route.c --------------------------------------------------------------------------------- */
/* "GET, HEAD, POST, OPTIONS" of every row that matches the path. False if none does. */
bool fb_http_allow(struct fb_buf *out, const struct fb_mount *mounts, size_t count, struct fb_str path);
void fb_http_routes_check(const struct fb_mount *mounts, size_t count); /* panics on a faulty or doubled row */

/* ---- body.c ------------------------------------------------------------------------------------ */
struct body {
	char *at;
	size_t len, cap;
	size_t max;       /* the route's */
	size_t announced; /* by Content-Length, 0 if unknown */
	size_t discarded;
	enum fb_status status; /* what became of it: FB_OK, FB_TOO_LARGE, FB_NO_MEMORY */
};
/* False: enough is enough, close the connection. */
bool fb_http_body_add(struct body *b, const char *bytes, size_t len);
void fb_http_body_free(struct body *b);

/* ---- exchange.c: one request and its answer ------------------------------------------------------ */
enum stage {
	STAGE_HEAD,     /* the request line is here, the rest of the head is arriving */
	STAGE_BODY,     /* the head is accepted, the body is arriving (or there is none) */
	STAGE_HANDLER,  /* a handler or a continuation runs */
	STAGE_WAITING,  /* a token is out, the connection is suspended */
	STAGE_REPLYING, /* the answer is handed over */
};
struct exchange {
	struct fb_request r; /* first: what handlers see */
	struct conn *conn;
	struct MHD_Connection *mhd;
	enum stage stage;
	uint64_t started_ns;
	struct fb_str target; /* raw, in `own`; empty if longer than FB_HTTP_HEADERS_MAX */
	size_t target_len;
	const char *method;   /* a literal for the log */
	const struct fb_route *route;
	enum fb_status refusal; /* decided with the head, answered once the (empty) body is in */
	bool options;
	bool gone;   /* the client is: answers go nowhere */
	bool broken; /* no answer could be handed over: close */
	struct body body;
	struct fb_http_wait *wait;
	fb_handler *next;
	uint16_t status; /* of the answer, 0 as long as there is none */
	size_t reply_len;
	void (*delivered)(void *arg, bool whole);
	void *delivered_arg;
	bool replaced; /* the handler's answer was replaced by a 503 */
	char allow_text[ALLOW_MAX];
	struct fb_buf allow;
	char id_text[ID_MAX + 1]; /* terminated */
	struct fb_arena own, arena;
};
static inline struct exchange *fb_exchange_of(struct fb_request *r)
{
	return (struct exchange *)r;
}
void *fb_http_exchange_begin(void *worker, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result fb_http_exchange_step(void *worker, struct MHD_Connection *mhd, const char *url, const char *method,
				      const char *version, const char *upload, size_t *upload_len, void **slot);
void fb_http_exchange_end(void *worker, struct MHD_Connection *mhd, void **slot, enum MHD_RequestTerminationCode code);
void fb_http_exchange_lost(struct exchange *x); /* its connection has ended, and its end was never called */

/* ---- reply.c --------------------------------------------------------------------------------------- */
void fb_http_send_error(struct exchange *x, enum fb_status s, const char *message);
void fb_http_send_options(struct exchange *x);

/* ---- block.c --------------------------------------------------------------------------------------- */
struct exchange *fb_http_block_take(struct worker *w); /* zeroed, its arenas ready; NULL without memory */
void fb_http_block_give(struct worker *w, struct exchange *x);
void fb_http_blocks_free(struct worker *w);

/* ---- id.c -------------------------------------------------------------------------------------------- */
size_t fb_http_id_make(struct worker *w, char out[ID_MAX]);
bool fb_http_id_usable(struct fb_str id); /* [A-Za-z0-9._-]{1,64} */

/* ---- wait.c -------------------------------------------------------------------------------------------- */
enum { HOW_REPLIED = 1, HOW_LATER = 2 }; /* of struct fb_answered */
void fb_http_wait_expire(struct exchange *x);  /* unless it was woken first */
bool fb_http_wait_finish(struct exchange *x);  /* gives the token back; true if it expired */
#endif /* FB_HTTP_INT_H */
