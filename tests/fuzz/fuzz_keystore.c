/* Keystores and key texts. Property: nothing crashes the reader; a sentence says why it refuses; and a
 * text that opens is opened again to the same key. Work is cut short by the size of its numbers, so
 * that a fuzzer's time goes into reading. */
#include "farebox/crypto.h"

#include <string.h>

enum { TEXT_MAX = 2048, DIGITS_MAX = 4 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether a run of more than DIGITS_MAX digits stands behind a colon: an expensive parameter. */
static bool asks_for_work(struct fb_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		size_t digits = 0;

		if (text.at[i] != ':')
			continue;
		while (i + 1 < text.len && is_blank(text.at[i + 1]))
			i++;
		while (i + 1 + digits < text.len && text.at[i + 1 + digits] >= '0' && text.at[i + 1 + digits] <= '9')
			digits++;
		if (digits > DIGITS_MAX)
			return true;
	}
	return false;
}

static void check_key_text(struct fb_str text)
{
	struct fb_key key = { { 0 } };
	struct fb_address zero = { { 0 } }, address;

	if (fb_key_parse(&key, text) != FB_OK)
		return;
	address = fb_key_address(&key);
	FB_ASSERT(!fb_address_eq(&address, &zero));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_str text = { (const char *)data, size };
	struct fb_key key, again;
	struct fb_error e = { "" };
	enum fb_status st;

	check_key_text(text);
	if (size > TEXT_MAX || asks_for_work(text))
		return 0;
	st = fb_keystore_read(&key, text, FB_STR("testpassword"), &e);
	FB_ASSERT((st == FB_OK) == (e.text[0] == '\0'));
	if (st != FB_OK)
		return 0;
	FB_ASSERT(fb_keystore_read(&again, text, FB_STR("testpassword"), NULL) == FB_OK);
	FB_ASSERT(memcmp(&key, &again, sizeof(key)) == 0);
	return 0;
}
