/* The way of one purchase: ask, read the quote, agree, sign, ask again; the same payment until the outcome
 * is known. */
#include "purchase.h"

#include "app.h"
#include "farebox/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NETWORK_FILE_MAX = 65536, HEADER_MAX = 65536, RETRY_S_DEFAULT = 2, RETRY_S_MAX = 30 };

static size_t ask_passphrase(void *ctx, char *out, size_t cap, const char *what)
{
	char prompt[256];

	snprintf(prompt, sizeof(prompt), "Passphrase of %s: ", what);
	return fb_app_passphrase(out, cap, "", prompt, ctx);
}

static enum fb_status load_networks(struct fb_buying *b, struct fb_error *e)
{
	enum fb_status st = FB_OK;

	if (b->options.network_file != NULL) {
		char *text = fb_must_alloc(NETWORK_FILE_MAX, 1);
		size_t len = 0;

		st = fb_os_read_file(text, &len, NETWORK_FILE_MAX, b->options.network_file, e);
		if (st == FB_OK)
			st = fb_network_parse(&b->networks[b->network_count++], (struct fb_str) { text, len },
					      b->options.network_file, e);
		free(text);
	}
	for (size_t i = 0; st == FB_OK && i < fb_network_builtin_count() && b->network_count < FB_BUY_NETWORKS_MAX; i++)
		st = fb_network_builtin(&b->networks[b->network_count++], fb_str_of(fb_network_builtin_name(i)), e);
	return st;
}

/* ---- the quote ---------------------------------------------------------------------------------------- */

/* Version 2 stands in a header, version 1 in the body; a server may offer both. */
static enum fb_status read_quotes(struct fb_buying *b, struct fb_error *e)
{
	struct fb_str header = fb_buy_header(b, "PAYMENT-REQUIRED");

	if (header.len > 0 && b->options.version != 1)
		return fb_wire_read_required_v2(&b->quotes, header, b->tokens, &b->arena, e);
	if (b->options.version == 2)
		return fb_error_set(e, FB_NOT_FOUND, "the server offers no x402 v2 quote (no PAYMENT-REQUIRED header)");
	return fb_wire_read_required_v1(&b->quotes, (struct fb_str) { b->answer.body, b->answer.body_len },
					b->tokens, &b->arena, e);
}

static enum fb_status choose(struct fb_buying *b, struct fb_error *e)
{
	return fb_client_choose(&b->purchase, &b->quotes, b->networks, b->network_count, fb_str_of(b->options.max), e);
}

static bool agreed(const struct fb_buying *b)
{
	char answer[16];

	return b->options.yes || (fb_os_ask(answer, sizeof(answer), "Pay? [y/N] ", false) == FB_OK &&
				  (answer[0] == 'y' || answer[0] == 'Y'));
}

/* ---- paying -------------------------------------------------------------------------------------------- */

/* "Name: base64" for the request; in the arena. */
static char *payment_line(struct fb_buying *b)
{
	struct fb_clock clock = fb_os_clock();
	struct fb_buf line = fb_arena_buf(&b->arena, HEADER_MAX);

	fb_buf_text(&line, b->purchase.quote->version == 1 ? "X-PAYMENT: " : "PAYMENT-SIGNATURE: ");
	if (fb_client_pay(&line, &b->authorization, &b->purchase, &b->quotes, &b->key, fb_clock_wall_s(&clock),
			  fb_os_rng(), &b->arena) != FB_OK)
		return NULL;
	fb_buf_char(&line, '\0');
	return line.overflowed ? NULL : line.at;
}

static void read_receipt(struct fb_buying *b)
{
	struct fb_str header = fb_buy_header(b, "PAYMENT-RESPONSE");

	if (header.len == 0)
		header = fb_buy_header(b, "X-PAYMENT-RESPONSE");
	b->has_receipt =
		header.len > 0 && fb_wire_read_receipt(&b->receipt, header, b->tokens, &b->arena, NULL) == FB_OK;
}

static unsigned retry_after(const struct fb_buying *b)
{
	uint64_t s;

	if (fb_u64_parse(&s, fb_buy_header(b, "Retry-After")) != FB_OK)
		return RETRY_S_DEFAULT;
	return s > RETRY_S_MAX ? RETRY_S_MAX : (unsigned)s;
}

/* No answer, or one that says "not now" or "not known yet": the payment may have gone through, or may yet. An answer
 * that is too large came all the same; asking for it again does not make it smaller. */
static bool undecided(const struct fb_buying *b)
{
	if (b->answer.status != FB_OK)
		return b->answer.status != FB_TOO_LARGE;
	return b->answer.code >= 500 || b->answer.code == 429;
}

/* The answer as a phrase. */
static const char *answer_said(const struct fb_buying *b, char block[64])
{
	snprintf(block, 64, "the server said %u", b->answer.code);
	return b->answer.status == FB_OK ? block : b->answer.why;
}

/* Behind its end an authorization settles nothing any more. */
static bool may_yet_settle(const struct fb_buying *b)
{
	struct fb_clock clock = fb_os_clock();

	return fb_u256_cmp(fb_u256_from_u64((uint64_t)fb_clock_wall_s(&clock)), b->authorization.valid_before) < 0;
}

static void send_payment(struct fb_buying *b, const char *line)
{
	struct fb_arena_mark mark = fb_arena_mark(&b->arena);
	char said[64];

	for (unsigned i = 0; i < FB_BUY_TRIES; i++) {
		fb_arena_release(&b->arena, mark);
		b->has_receipt = false;
		fb_buy_fetch(b, line);
		if (b->answer.status == FB_OK)
			read_receipt(b);
		if (!undecided(b) || !may_yet_settle(b) || i + 1 == FB_BUY_TRIES)
			return;
		fb_buy_say(b, "The outcome is not known yet (%s); the same payment again in %u s", answer_said(b, said),
			   retry_after(b));
		nanosleep(&(struct timespec){ .tv_sec = (time_t)retry_after(b) }, NULL);
	}
}

static int conclude(struct fb_buying *b)
{
	bool known = b->answer.status == FB_OK && !undecided(b);
	char said[64];

	if (b->answer.status == FB_OK)
		fb_buy_say(b, "The server answered %u", b->answer.code);
	fb_buy_show_receipt(b);
	fb_buy_show_result(b);
	if (known)
		return b->answer.code >= 200 && b->answer.code < 300 ? FB_EXIT_OK : FB_EXIT_FAILED;
	fprintf(stderr,
		"farebox: %s did not tell the outcome of the payment (%s): it may have been settled; look at the payer's "
		"account before paying again\n",
		b->options.url, answer_said(b, said));
	return FB_EXIT_UNAVAILABLE;
}

static int not_paid(int code, const char *sentence)
{
	fprintf(stderr, "farebox: %s\n", sentence);
	return code;
}

static int pay_quote(struct fb_buying *b)
{
	struct fb_error e = { "" }, why_none = { "" };
	enum fb_status st;
	char *line;

	if (read_quotes(b, &e) != FB_OK)
		return not_paid(FB_EXIT_FAILED, e.text);
	st = choose(b, &e);
	if (st != FB_OK)
		return not_paid(st == FB_BAD_VALUE ? FB_EXIT_USAGE : FB_EXIT_FAILED, e.text);
	fb_buy_show_quote(b);
	if (!agreed(b))
		return not_paid(FB_EXIT_FAILED, "not paid (--yes pays without asking)");
	st = fb_key_load(&b->key, b->options.key, (struct fb_passphrase){ ask_passphrase, &why_none }, &e);
	if (st != FB_OK)
		return fb_app_fail(st, why_none.text[0] != '\0' ? why_none.text : e.text);
	line = payment_line(b);
	if (line == NULL)
		return fb_app_fail(FB_TOO_LARGE, "the server's quote is too large to echo in a payment header");
	b->paid = true;
	fb_buy_say(b, "Signed an authorization of the transfer; sending it");
	send_payment(b, line);
	return conclude(b);
}

/* ---- the whole way ---------------------------------------------------------------------------------------- */

static int buy(struct fb_buying *b)
{
	fb_buy_fetch(b, NULL);
	if (b->answer.status != FB_OK) {
		fprintf(stderr, "farebox: %s cannot be reached: %s\n", b->options.url, b->answer.why);
		return FB_EXIT_UNAVAILABLE;
	}
	fb_buy_say(b, "%s %s answered %u", b->options.method, b->options.url, b->answer.code);
	if (b->answer.code == 402)
		return pay_quote(b);
	fb_buy_say(b, "No payment was asked for");
	fb_buy_show_result(b);
	if (b->answer.code >= 300 && b->answer.code < 400)
		fb_buy_show_redirect(b);
	return b->answer.code < 300 ? FB_EXIT_OK : FB_EXIT_FAILED;
}

int fb_buy(struct fb_buying *b)
{
	struct fb_error e = { "" };
	enum fb_status st = load_networks(b, &e);
	int code;

	if (st != FB_OK)
		return fb_app_fail(st, e.text);
	if (posix_memalign((void **)&b->memory, 16, FB_BUY_MEMORY) != 0)
		return fb_app_fail(FB_NO_MEMORY, "out of memory");
	fb_arena_init(&b->arena, b->memory, FB_BUY_MEMORY);
	if (fb_loop_open(&b->loop) != FB_OK)
		return fb_app_fail(FB_IO, "the event loop cannot be opened");
	if (fb_net_open(&b->net, b->loop) != FB_OK) {
		fb_loop_close(b->loop);
		return fb_app_fail(FB_IO, "the network cannot be opened");
	}
	code = buy(b);
	fb_net_close(b->net);
	fb_loop_close(b->loop);
	fb_buy_free_answer(b);
	return code;
}
