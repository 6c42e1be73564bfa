/* The passphrase of a keystore: typed, held by a variable, or kept in a file that only its owner can read. */
#include "app.h"

#include "farebox/os.h"

#include <stdlib.h>
#include <string.h>

static size_t ask(char *out, size_t cap, const char *prompt, struct fb_error *e)
{
	if (fb_os_ask(out, cap, prompt, true) == FB_OK)
		return strlen(out);
	fb_error_set(e, FB_NOT_FOUND, "no passphrase: there is no terminal to ask on, or nothing was typed");
	return 0;
}

static size_t take_variable(char *out, size_t cap, const char *name, struct fb_error *e)
{
	struct fb_str value = fb_str_of(getenv(name));

	if (value.len == 0 || value.len >= cap) {
		fb_error_set(e, FB_BAD_VALUE, "no passphrase: the variable %s is %s", name,
			     value.len == 0 ? "not set" : "too long");
		return 0;
	}
	memcpy(out, value.at, value.len);
	return value.len;
}

static size_t read_file(char *out, size_t cap, const char *path, struct fb_error *e)
{
	struct fb_error inner = { "" };
	size_t len = 0;

	if (fb_os_read_secret(out, &len, cap, path, &inner) != FB_OK) {
		fb_error_set(e, FB_NOT_FOUND, "no passphrase: %s", inner.text);
		return 0;
	}
	while (len > 0 && (out[len - 1] == '\n' || out[len - 1] == '\r'))
		len--;
	if (len == 0)
		fb_error_set(e, FB_BAD_VALUE, "no passphrase: %s is empty", path);
	return len;
}

size_t fb_app_passphrase(char *out, size_t cap, const char *source, const char *prompt, struct fb_error *e)
{
	if (source[0] == '\0')
		return ask(out, cap, prompt, e);
	return source[0] == '$' ? take_variable(out, cap, source + 1, e) : read_file(out, cap, source, e);
}
