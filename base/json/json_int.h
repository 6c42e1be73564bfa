/* Shared inside base/json: the lexical layer, and keys compared as a reader would see them. */
#ifndef FB_JSON_INT_H
#define FB_JSON_INT_H
#include "farebox/json.h"

/* The first byte from `at` on that is not plain: a quote, a backslash, a control character or a byte
 * above 0x7f. `end` if there is none. */
const char *fb_json_scan_plain(const char *at, const char *end);
/* Bytes of the well-formed UTF-8 sequence above 0x7f that starts at `at` (2..4), 0 if it is none. */
unsigned fb_json_scan_utf8(const char *at, const char *end);
/* Both start at the first byte of the string's content or of the number and stop behind it (at the
 * closing quote of a string); on failure *at is the fault. */
FB_MUST_USE enum fb_status fb_json_scan_string(const char **at, const char *end, bool *escaped);
FB_MUST_USE enum fb_status fb_json_scan_number(const char **at, const char *end);

/* Decodes the escape at `at` (a backslash, known to be valid) and returns what stands behind it.
 * `out` gets *len bytes of UTF-8. */
enum { FB_JSON_ESCAPE_MAX = 4 };
const char *fb_json_unescape(const char *at, uint8_t out[FB_JSON_ESCAPE_MAX], unsigned *len);
/* Order of two strings by their unescaped bytes, shorter first: <0, 0, >0. */
int fb_json_string_cmp(const char *text, const struct fb_json_token *a, const struct fb_json_token *b);
bool fb_json_string_eq(const char *text, const struct fb_json_token *a, struct fb_str b);

/* The index of the first key of an object that repeats an earlier one; 0 if all differ. */
uint32_t fb_json_repeated_key(const char *text, const struct fb_json_token *tokens, uint32_t object);
#endif /* FB_JSON_INT_H */
