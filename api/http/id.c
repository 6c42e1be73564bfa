/* Request ids: our own from 128 random bits, and which of a client's are usable. */
#include "http_int.h"

#include <string.h>

enum { RANDOM_BYTES = 16, DIGITS = 26 }; /* 26 digits of 5 bits hold 128 bits */

/* Without the letters that are read as digits. */
static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* The worker's own store of random bytes: one system call serves many requests. */
static const uint8_t *random_bytes(struct worker *w)
{
	if (w->random_left < RANDOM_BYTES) {
		w->http->rng.fill(w->http->rng.ctx, w->random, sizeof(w->random));
		w->random_left = sizeof(w->random);
	}
	w->random_left -= RANDOM_BYTES;
	return w->random + w->random_left;
}

size_t fb_http_id_make(struct worker *w, char out[ID_MAX])
{
	static const char prefix[] = "req_";
	fb_u128 v = fb_get_be128(random_bytes(w));
	size_t at = sizeof(prefix) - 1;

	_Static_assert(sizeof(prefix) - 1 + DIGITS <= ID_MAX, "an id fits");
	memcpy(out, prefix, at);
	for (int i = 0; i < DIGITS; i++, v >>= 5)
		out[at++] = digits[(unsigned)v & 31];
	return at;
}

static bool usable_char(char c)
{
	bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

	return letter || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool fb_http_id_usable(struct fb_str id)
{
	if (id.len == 0 || id.len > ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (!usable_char(id.at[i]))
			return false;
	return true;
}
