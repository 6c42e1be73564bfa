/* Where a key comes from: an environment variable, a file only its owner can read, or a keystore. */
#include "crypto_int.h"
#include "farebox/os.h"

#include <sodium.h>
#include <stdlib.h>

enum { FILE_MAX = 8192, KEY_DIGITS_MIN = 32 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* As fb_str_trim, with the line ends that editors leave in a file. */
static struct fb_str trim_lines(struct fb_str s)
{
	while (s.len > 0 && is_blank(s.at[0]))
		s.at++, s.len--;
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

enum fb_status fb_key_parse(struct fb_key *out, struct fb_str text)
{
	uint8_t secret[32];
	enum fb_status st = FB_BAD_SYNTAX;

	if (fb_hex_decode_exact(secret, sizeof(secret), trim_lines(text)) == FB_OK)
		st = fb_key_from_bytes(out, secret);
	sodium_memzero(secret, sizeof(secret));
	return st;
}

/* Also what has a digit too few or too many: it must not turn up in a message as the name of a file. */
static bool looks_like_key(struct fb_str text)
{
	if (fb_str_starts(text, FB_STR("0x")) || fb_str_starts(text, FB_STR("0X")))
		text = (struct fb_str){ text.at + 2, text.len - 2 };
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
			return false;
	}
	return text.len >= KEY_DIGITS_MIN;
}

/* `where` is the variable or the file; the text itself is never shown. */
static enum fb_status parse_from(struct fb_key *out, struct fb_str text, const char *where, struct fb_error *e)
{
	enum fb_status st = fb_key_parse(out, text);

	if (st == FB_BAD_SYNTAX)
		return fb_error_set(e, st, "%s must hold 0x and 64 hex digits (or, in a file, a keystore)", where);
	if (st != FB_OK)
		return fb_error_set(e, st, "%s holds a number that is no key", where);
	return FB_OK;
}

static enum fb_status load_variable(struct fb_key *out, const char *source, struct fb_error *e)
{
	const char *value = getenv(source + 1);

	FB_ASSERT(source[0] == '$');
	if (value == NULL)
		return fb_error_set(e, FB_NOT_FOUND, "the environment variable %s is not set", source);
	return parse_from(out, fb_str_of(value), source, e);
}

static enum fb_status load_keystore(struct fb_key *out, struct fb_str json, const char *path,
				    struct fb_passphrase passphrase, struct fb_error *e)
{
	char text[FB_PASSPHRASE_MAX];
	size_t len = passphrase.ask == NULL ? 0 : passphrase.ask(passphrase.ctx, text, sizeof(text), path);
	struct fb_error inner = { "" };
	enum fb_status st;

	FB_ASSERT(len <= sizeof(text));
	if (len == 0)
		return fb_error_set(e, FB_BAD_KEY, "%s is a keystore and there is no passphrase for it", path);
	st = fb_keystore_read(out, json, (struct fb_str){ text, len }, &inner);
	sodium_memzero(text, sizeof(text));
	return st == FB_OK ? FB_OK : fb_error_set(e, st, "%s: %s", path, inner.text);
}

static enum fb_status load_file(struct fb_key *out, const char *path, struct fb_passphrase passphrase,
				struct fb_error *e)
{
	char block[FILE_MAX];
	struct fb_str text = { block, 0 };
	enum fb_status st = fb_os_read_secret(block, &text.len, sizeof(block), path, e);

	if (st != FB_OK)
		return st;
	text = trim_lines(text);
	if (fb_str_starts(text, FB_STR("{")))
		st = load_keystore(out, text, path, passphrase, e);
	else
		st = parse_from(out, text, path, e);
	sodium_memzero(block, sizeof(block));
	return st;
}

enum fb_status fb_key_load(struct fb_key *out, const char *source, struct fb_passphrase passphrase,
			   struct fb_error *e)
{
	bool variable = source[0] == '$';
	struct fb_str name = trim_lines(fb_str_of(source + variable));

	if (name.len == 0)
		return fb_error_set(e, FB_BAD_VALUE, "no key given: want $NAME, a key file or a keystore");
	if (looks_like_key(name))
		return fb_error_set(e, FB_BAD_VALUE, "a key must not stand here: put it into a file with mode 0600 and "
				    "name the file, or put it into an environment variable and write $NAME");
	return variable ? load_variable(out, source, e) : load_file(out, source, passphrase, e);
}
