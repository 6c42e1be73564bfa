/* What the buyer is told. */
#include "purchase.h"

#include "app.h"
#include "farebox/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 512, RESULT_MAX = 16384 };

void fb_buy_say(const struct fb_buying *b, const char *format, ...)
{
	va_list args;

	if (b->options.json)
		return;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* Foreign text, plain, in the caller's block. */
static struct fb_str plain(char block[TEXT_MAX], struct fb_str s)
{
	struct fb_buf b;

	fb_buf_init(&b, block, TEXT_MAX);
	fb_app_plain(&b, s);
	return fb_buf_view(&b);
}

static void put_price(struct fb_buf *out, const struct fb_buying *b)
{
	fb_buf_amount_decimal(out, b->purchase.amount, b->purchase.token->decimals);
	fb_buf_char(out, ' ');
	fb_buf_text(out, b->purchase.token->symbol);
}

void fb_buy_show_quote(const struct fb_buying *b)
{
	const struct fb_quote *q = b->purchase.quote;
	char block[TEXT_MAX];
	struct fb_buf t;

	fb_buf_init(&t, block, sizeof(block));
	put_price(&t, b);
	fb_buf_text(&t, " on ");
	fb_buf_text(&t, b->purchase.network->name);
	fb_buf_text(&t, " to ");
	fb_buf_address_checksum(&t, &q->requirement.pay_to);
	fb_buy_say(b, "Quote (x402 v%d): %.*s", q->version, FB_STR_ARG(fb_buf_view(&t)));
	if (q->description.len > 0)
		fb_buy_say(b, "  for: %.*s", FB_STR_ARG(plain(block, q->description)));
}

static void show_reason(const struct fb_buying *b)
{
	char reason[TEXT_MAX], message[TEXT_MAX];

	fb_buy_say(b, "  reason: %.*s %.*s", FB_STR_ARG(plain(reason, b->receipt.reason_text)),
		   FB_STR_ARG(plain(message, b->receipt.message)));
}

void fb_buy_show_receipt(const struct fb_buying *b)
{
	char block[TEXT_MAX], explorer_block[TEXT_MAX];
	struct fb_buf t, explorer;

	if (!b->has_receipt)
		return;
	fb_buf_init(&t, block, sizeof(block));
	fb_buf_init(&explorer, explorer_block, sizeof(explorer_block));
	if (b->receipt.has_tx) {
		fb_buf_hash(&t, &b->receipt.tx);
		fb_network_explorer(b->purchase.network, &explorer, &b->receipt.tx);
	}
	fb_buy_say(b, "Receipt: %s%.*s%s%.*s", b->receipt.success ? "settled in transaction " : "not settled ",
		   FB_STR_ARG(fb_buf_view(&t)), explorer.len > 0 ? "\n  " : "", FB_STR_ARG(fb_buf_view(&explorer)));
	if (!b->receipt.success)
		show_reason(b);
}

void fb_buy_show_redirect(const struct fb_buying *b)
{
	char block[TEXT_MAX];

	fprintf(stderr, "farebox: the server sends on to %.*s: ask there, if you trust it\n",
		FB_STR_ARG(plain(block, fb_buy_header(b, "Location"))));
}

static void write_quote(struct fb_jw *w, const struct fb_buying *b)
{
	char block[TEXT_MAX];
	struct fb_buf t;

	fb_jw_key(w, "quote");
	if (b->purchase.quote == NULL) {
		fb_jw_null(w);
		return;
	}
	fb_jw_object(w);
	fb_jw_kv_u64(w, "x402Version", b->purchase.quote->version);
	fb_jw_key(w, "amount");
	fb_jw_amount(w, b->purchase.amount);
	fb_buf_init(&t, block, sizeof(block));
	put_price(&t, b);
	fb_jw_kv_str(w, "price", fb_buf_view(&t));
	fb_jw_kv_text(w, "network", b->purchase.network->name);
	fb_buf_init(&t, block, sizeof(block));
	fb_buf_address_checksum(&t, &b->purchase.quote->requirement.pay_to);
	fb_jw_kv_str(w, "payTo", fb_buf_view(&t));
	fb_jw_end(w);
}

static void write_receipt(struct fb_jw *w, const struct fb_buying *b)
{
	fb_jw_key(w, "receipt");
	if (!b->has_receipt) {
		fb_jw_null(w);
		return;
	}
	fb_jw_object(w);
	fb_jw_kv_bool(w, "success", b->receipt.success);
	fb_jw_kv_str(w, "transaction", b->receipt.transaction);
	fb_jw_kv_str(w, "network", b->receipt.network);
	fb_jw_kv_str(w, "payer", b->receipt.payer);
	if (b->receipt.reason_text.len > 0)
		fb_jw_kv_str(w, "errorReason", b->receipt.reason_text);
	fb_jw_end(w);
}

static void show_json(const struct fb_buying *b)
{
	size_t cap = RESULT_MAX + 6 * b->answer.body_len; /* every byte may become an escape */
	struct fb_buf out;
	struct fb_jw w;

	fb_buf_init(&out, fb_must_alloc(cap, 1), cap);
	fb_jw_init(&w, &out);
	fb_jw_object(&w);
	fb_jw_kv_text(&w, "url", b->options.url);
	fb_jw_kv_u64(&w, "status", b->answer.code);
	fb_jw_kv_bool(&w, "paid", b->paid);
	write_quote(&w, b);
	write_receipt(&w, b);
	fb_jw_kv_str(&w, "body", (struct fb_str){ b->answer.body, b->answer.body_len });
	fb_jw_end(&w);
	printf("%.*s\n", FB_STR_ARG(fb_buf_view(&out)));
	free(out.at);
}

static void show_body(const struct fb_buying *b)
{
	const struct fb_http_answer *a = &b->answer;

	if (a->body_len == 0)
		return;
	fwrite(a->body, 1, a->body_len, stdout);
	if (a->body[a->body_len - 1] != '\n')
		putchar('\n');
}

void fb_buy_show_result(const struct fb_buying *b)
{
	if (b->options.json)
		show_json(b);
	else
		show_body(b);
	fflush(stdout); /* before what is still to be told on standard error; main() sees whether it went well */
}
