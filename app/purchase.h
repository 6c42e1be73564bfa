/* Shared by the pay command's files: one purchase. */
#ifndef FB_PURCHASE_H
#define FB_PURCHASE_H
#include "farebox/client.h"
#include "farebox/core.h"
#include "farebox/crypto.h"
#include "farebox/net.h"
#include "farebox/network.h"
#include "farebox/wire.h"

enum {
	FB_BUY_NETWORKS_MAX = 8,
	FB_BUY_MEMORY = 1 << 20,
	FB_BUY_ANSWER_MAX = 8 << 20,
	FB_BUY_TRIES = 20,
	FB_BUY_TIMEOUT_MS = 90000
};

struct fb_pay_options {
	const char *url, *key, *max, *method, *data, *network_file;
	uint8_t version; /* 0: any */
	bool yes, json;
};

/* The last answer of the server, copied. */
struct fb_http_answer {
	enum fb_status status;
	uint16_t code;
	char *body, *headers; /* malloc'ed, terminated */
	size_t body_len, headers_len;
	char why[64];
};

struct fb_buying {
	struct fb_pay_options options;
	struct fb_key key;
	struct fb_network networks[FB_BUY_NETWORKS_MAX];
	size_t network_count;
	struct fb_loop *loop;
	struct fb_net *net;
	struct fb_http_answer answer;
	struct fb_quotes quotes;
	struct fb_purchase purchase;
	struct fb_authorization authorization;
	struct fb_receipt receipt;
	bool paid, has_receipt;
	struct fb_json_token tokens[FB_WIRE_TOKENS]; /* of the text being read: nothing read points at them */
	struct fb_arena arena;
	unsigned char *memory;
};

/* purchase.c: the whole way; returns the exit code. */
int fb_buy(struct fb_buying *b);
/* fetch.c: one request, waiting for its answer; `payment` NULL or a header line. */
void fb_buy_fetch(struct fb_buying *b, const char *payment);
struct fb_str fb_buy_header(const struct fb_buying *b, const char *name);
void fb_buy_free_answer(struct fb_buying *b);
/* show.c: what is told on the way, and the JSON summary. */
void fb_buy_say(const struct fb_buying *b, const char *format, ...) FB_PRINTF(2, 3);
void fb_buy_show_quote(const struct fb_buying *b);
void fb_buy_show_receipt(const struct fb_buying *b);
void fb_buy_show_redirect(const struct fb_buying *b);
void fb_buy_show_result(const struct fb_buying *b);
#endif /* FB_PURCHASE_H */
