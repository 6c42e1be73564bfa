/* A SIWE message. Properties: the fields that were read, written down again, are the same text but for the spelling of
 * times; what is refused leaves the output alone; every text lies in the message. */
#include "farebox/crypto.h"
#include "farebox/siwe.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t total;

static void count(struct fb_str message, struct fb_str part)
{
	FB_ASSERT(part.len == 0 || (part.at >= message.at && part.at + part.len <= message.at + message.len));
	total += part.len;
}

/* Where a time stands, its length is whatever is left. */
static void check(struct fb_str text, const struct fb_siwe *m)
{
	static const char frame[] = " wants you to sign in with your Ethereum account:\n\n\n\nURI: \nVersion: 1\n"
				    "Chain ID: \n"
				    "Nonce: \nIssued At: ";
	char block[FB_SIWE_LEN_MAX];
	struct fb_buf b;

	total = sizeof(frame) - 1 + FB_ADDRESS_TEXT_LEN;
	count(text, m->scheme);
	count(text, m->domain);
	count(text, m->statement);
	count(text, m->uri);
	count(text, m->nonce);
	count(text, m->request_id);
	count(text, m->resources);
	FB_ASSERT(total < text.len);
	fb_buf_init(&b, block, sizeof(block));
	if (m->scheme.len > 0)
		fb_buf_printf(&b, "%.*s://", FB_STR_ARG(m->scheme));
	fb_buf_str(&b, m->domain);
	fb_buf_text(&b, " wants you to sign in with your Ethereum account:\n");
	fb_buf_address_checksum(&b, &m->address);
	fb_buf_text(&b, "\n\n");
	if (m->has_statement)
		fb_buf_printf(&b, "%.*s\n", FB_STR_ARG(m->statement));
	fb_buf_printf(&b, "\nURI: %.*s\nVersion: 1\nChain ID: %llu\nNonce: %.*s\nIssued At: ", FB_STR_ARG(m->uri),
		      (unsigned long long)m->chain_id, FB_STR_ARG(m->nonce));
	FB_ASSERT(!b.overflowed && fb_str_starts(text, fb_buf_view(&b)));
	FB_ASSERT(m->resource_count > 0 || m->resources.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_str text = { (const char *)data, size };
	struct fb_siwe m, before;
	struct fb_error e = { "" };
	enum fb_status st;

	memset(&m, 0x77, sizeof(m));
	before = m;
	st = fb_siwe_parse(&m, text, &e);
	if (st != FB_OK) {
		FB_ASSERT(memcmp(&m, &before, sizeof(m)) == 0 && e.text[0] != '\0');
		return 0;
	}
	check(text, &m);
	FB_ASSERT(fb_siwe_check_time(&m, m.expires ? m.expires_us : 0, NULL) == FB_BAD_VALUE || !m.expires);
	return 0;
}
