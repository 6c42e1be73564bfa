/* Two processes of one machine do not send with one key: the second waits for the first, for a while. */
#include "hold.h"

#include "farebox/os.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TRY_EVERY_MS = 100 };

/* The chain is its id; one on this very machine, of which there may be several with the same id, its address too. */
static void name_of(struct fb_buf *out, const struct fb_network *network, const struct fb_address *signer)
{
	const char *url = network->rpc_url_count > 0 ? network->rpc_urls[0] : "";
	bool local = strstr(url, "//127.") != NULL || strstr(url, "//localhost") != NULL || strstr(url, "//[::1]") != NULL;
	struct fb_hash where = fb_keccak256(url, strlen(url));

	fb_buf_text(out, "farebox/");
	fb_buf_u64(out, network->chain_id);
	fb_buf_char(out, '/');
	fb_buf_address(out, signer);
	if (local)
		fb_buf_hex(out, where.bytes, 8);
}

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void say_waiting(const struct fb_server *s, struct fb_str signer)
{
	printf("Waiting for another farebox on this machine that uses signer %.*s, at most %llu s (handover_s)\n",
	       FB_STR_ARG(signer), (unsigned long long)s->conf.handover_s);
	fflush(stdout);
	fb_log(s->log, FB_EV_SIGNER_HELD, FB_F_STR("signer", signer), FB_F_U64("wait_s", s->conf.handover_s));
}

static enum fb_status hold_one(struct fb_server *s, const struct fb_key *key, struct fb_error *e)
{
	struct fb_address address = fb_key_address(key);
	char name_block[FB_OS_NAME_MAX], text_block[FB_ADDRESS_TEXT_LEN];
	struct fb_buf name, text;
	uint64_t left_ms = s->conf.handover_s * 1000;
	enum fb_status st;

	fb_buf_init(&name, name_block, sizeof(name_block));
	name_of(&name, &s->network, &address);
	FB_ASSERT(!name.overflowed);
	fb_buf_init(&text, text_block, sizeof(text_block));
	fb_buf_address_checksum(&text, &address);
	st = fb_os_hold(&s->held[s->held_count], fb_buf_view(&name));
	if (st == FB_BUSY && left_ms > 0)
		say_waiting(s, fb_buf_view(&text));
	for (; st == FB_BUSY && left_ms > 0; left_ms -= TRY_EVERY_MS) {
		sleep_ms(TRY_EVERY_MS);
		st = fb_os_hold(&s->held[s->held_count], fb_buf_view(&name));
	}
	if (st == FB_BUSY)
		return fb_error_set(e, st, "signer %.*s is in use by another farebox on this machine: end that one first, or "
				    "use another key (it was waited for %llu s, handover_s)", FB_STR_ARG(fb_buf_view(&text)),
				    (unsigned long long)s->conf.handover_s);
	s->held_count += st == FB_OK;
	return st == FB_OK ? st : fb_error_set(e, st, "the signer's key cannot be held: no socket");
}

enum fb_status fb_server_hold_signers(struct fb_server *s, struct fb_error *e)
{
	enum fb_status st = FB_OK;

	while (st == FB_OK && s->held_count < s->signer_count)
		st = hold_one(s, &s->signers[s->held_count], e);
	return st == FB_OK && s->has_payout_key ? hold_one(s, &s->payout_key, e) : st;
}

void fb_server_release_signers(struct fb_server *s)
{
	while (s->held_count > 0)
		fb_os_release(s->held[--s->held_count]);
}
