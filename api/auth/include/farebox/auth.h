/* farebox/auth.h - who may call what: API keys and the policy of open or keyed routes.
 *
 * Layer      8
 * Keys       presented as "Authorization: Bearer KEY" or "X-API-Key: KEY"; only SHA-256 hashes are
 *            kept in memory, compared in constant time.
 * Browsers   where no key is asked for, a request with an Origin is refused: it comes from a web page, which could
 *            otherwise have its visitor's browser call a server on that machine's loopback.
 * Errors     FB_UNAUTHORIZED, FB_FORBIDDEN. Of opening: FB_NOT_FOUND, FB_FORBIDDEN, FB_BAD_VALUE; e names the source.
 * Limits     FB_AUTH_KEYS_MAX keys of FB_AUTH_KEY_MIN..FB_AUTH_KEY_MAX characters.
 * Threads    read-only after opening: any thread.
 */
#ifndef FB_AUTH_H
#define FB_AUTH_H
#include "farebox/core.h"
#include "farebox/http.h"

enum { FB_AUTH_KEYS_MAX = 256, FB_AUTH_KEY_MIN = 16, FB_AUTH_KEY_MAX = 256 };
struct fb_auth_keys;
/* source: "" (no keys: policy routes are open), "$NAME" (the variable holds the keys), or the path of a file only its
 * owner may read; one key a line or comma-separated, lines starting with '#' are comments. */
FB_MUST_USE enum fb_status fb_auth_open(struct fb_auth_keys **out, const char *source, struct fb_error *e);
void fb_auth_close(struct fb_auth_keys *k); /* NULL allowed */
bool fb_auth_has_keys(const struct fb_auth_keys *k);
/* For fb_http_settings.authorise, with the keys as its context. */
enum fb_status fb_auth_check(void *keys, const struct fb_request *r, const struct fb_route *route);
/* What tells the caller's API key from others: bytes of its hash. False: none was presented. That the key is good was
 * checked when the request was let in. */
enum { FB_AUTH_IDENTITY_LEN = 8 };
bool fb_auth_identity(uint8_t out[FB_AUTH_IDENTITY_LEN], const struct fb_request *r);
#endif /* FB_AUTH_H */
