/* Shared inside base/net: what the HTTP client needs of the loop, and one request under way. */
#ifndef FB_NET_INT_H
#define FB_NET_INT_H
#include "farebox/net.h"

#include <curl/curl.h>
#include <uv.h>

uv_loop_t *fb_loop_uv(struct fb_loop *loop);
/* Closes a handle that was allocated by itself (the handle is the first member); libuv frees it later. */
void fb_handle_close(uv_handle_t *handle);

/* Bytes of an answer: grows to `max`, keeps its block from one request to the next. */
struct fb_bytes {
	char *at;
	size_t len, cap;
};
void fb_bytes_reserve(struct fb_bytes *b, size_t need); /* additions up to there do not move the block */
bool fb_bytes_add(struct fb_bytes *b, const char *at, size_t len, size_t max); /* false: over max */
void fb_bytes_clear(struct fb_bytes *b); /* forgets the content, and a block too big to keep */

/* A request and its curl handle, which is set up once and used for one request after the other. */
struct fb_exchange {
	struct fb_exchange *prev, *next;             /* in one of the net's lists */
	CURL *easy;
	struct curl_slist lines[FB_NET_HEADERS_MAX + 2]; /* ours, and "Expect:", "Content-Type:" switched off */
	struct fb_bytes text;                        /* the copied request; curl reads its body in place */
	struct fb_bytes body, headers;               /* the answer */
	size_t answer_max, header_bytes;             /* header_bytes: of all answers, interim ones and trailers too */
	bool headers_done, sent, repeatable, too_large;
	bool given;                                  /* to curl; else refused at once */
	uint64_t began_ns;
	void (*done)(void *arg, const struct fb_net_reply *reply);
	void *arg;
};
struct fb_exchange *fb_exchange_open(void);
void fb_exchange_close(struct fb_exchange *x);
/* Copies the request and sets the curl handle up for it. */
void fb_exchange_prepare(struct fb_exchange *x, const struct fb_net_request *request);
/* Calls done with what came of it. */
void fb_exchange_finish(struct fb_exchange *x, CURLcode result);
void fb_exchange_refuse(struct fb_exchange *x, enum fb_status status, const char *why);
#endif /* FB_NET_INT_H */
