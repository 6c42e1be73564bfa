/* farebox/json.h - strict JSON: a tokeniser for what is hot or hostile, and a writer.
 *
 * What it is  one pass over the text fills a caller's token array (no allocation); every token has
 *             a skip link, so members are found without parsing twice. Configuration and other
 *             operator's files are read through the same door.
 * Layer       1
 * Strict      RFC 8259 and nothing else: no comments, no trailing commas, no NaN, no leading zeros,
 *             valid UTF-8 only, no lone surrogates in escapes, no raw control characters, no NUL
 *             (neither raw nor \u0000), nothing but blanks after the value, duplicate keys refused
 *             (compared after unescaping).
 * Limits      depth FB_JSON_DEPTH_MAX; tokens: the caller's array; members of one object
 *             FB_JSON_MEMBERS_MAX; text length: below 2^32.
 * Errors      FB_TOO_LARGE (the text), then in order of discovery in the text: FB_BAD_SYNTAX,
 *             FB_BAD_UTF8 (a lone surrogate too), FB_TOO_DEEP, FB_TOO_MANY, FB_DUPLICATE_KEY (at the
 *             object's end); doc->error_at is the byte offset.
 * Numbers     kept as text; FB_OVERFLOW where a reader wants a u64 that does not fit. There is no
 *             floating point here: money is printed from integers.
 * Ownership   tokens point into the text: both must outlive the doc.
 * Threads     pure functions over caller's memory.
 */
#ifndef FB_JSON_H
#define FB_JSON_H
#include "farebox/core.h"

enum { FB_JSON_DEPTH_MAX = 32, FB_JSON_MEMBERS_MAX = 256 };
enum fb_json_type { FB_JSON_NULL, FB_JSON_FALSE, FB_JSON_TRUE, FB_JSON_NUMBER, FB_JSON_STRING, FB_JSON_ARRAY,
		    FB_JSON_OBJECT };

struct fb_json_token {
	uint32_t start, len; /* bytes of the text; of a string: what is between the quotes */
	uint32_t next;       /* index of the token behind this value and all it holds */
	uint32_t count;      /* values of an array, members of an object */
	uint8_t type;        /* enum fb_json_type */
	bool escaped;        /* a string that holds a backslash */
};

struct fb_json {
	struct fb_str text;
	const struct fb_json_token *tokens;
	uint32_t count;    /* tokens used */
	uint32_t error_at; /* byte offset of the fault, after a failed parse */
};

/* A value in a document; `index` 0 is the root. A value of no document (doc NULL) is "absent". */
struct fb_json_value {
	const struct fb_json *doc;
	uint32_t index;
};

FB_MUST_USE enum fb_status fb_json_parse(struct fb_json *doc, struct fb_json_token *tokens, size_t cap,
					 struct fb_str text);
struct fb_json_value fb_json_root(const struct fb_json *doc);
/* Absent if o is absent, no object, or has no such member. */
struct fb_json_value fb_json_get(struct fb_json_value o, const char *key);
/* Walk: i < fb_json_count(v). Absent beyond the end. O(1) from one element to the next through
 * fb_json_next: start with fb_json_first(v). For objects, *key (may be NULL) gets the member's key token. */
uint32_t fb_json_count(struct fb_json_value v);
struct fb_json_value fb_json_first(struct fb_json_value v, struct fb_json_value *key);
struct fb_json_value fb_json_next(struct fb_json_value container, struct fb_json_value element,
				  struct fb_json_value *key);
static inline bool fb_json_present(struct fb_json_value v)
{
	return v.doc != NULL;
}
bool fb_json_is(struct fb_json_value v, enum fb_json_type t); /* false when absent */
bool fb_json_absent_or_null(struct fb_json_value v);

/* The bytes of the value as they stand in the text (with quotes for a string). Empty when absent. */
struct fb_str fb_json_raw(struct fb_json_value v);
/* A string's content, unescaped; a view into the text when nothing was escaped, else a copy in the
 * arena. FB_MISSING, FB_WRONG_TYPE, FB_NO_MEMORY. */
FB_MUST_USE enum fb_status fb_json_string(struct fb_str *out, struct fb_json_value v, struct fb_arena *a);
/* A whole number without sign, point or exponent. FB_MISSING, FB_WRONG_TYPE, FB_OVERFLOW. */
FB_MUST_USE enum fb_status fb_json_u64(uint64_t *out, struct fb_json_value v);
/* FB_MISSING, FB_WRONG_TYPE. */
FB_MUST_USE enum fb_status fb_json_bool(bool *out, struct fb_json_value v);

/* ---- writer ------------------------------------------------------------------------------
 * Puts commas by itself. Misuse (a key in an array, an unbalanced end) is a programmer's error.
 * Overflow is latched in the buf. Strings: invalid UTF-8 becomes U+FFFD, control characters are
 * escaped, so hostile bytes cannot break the frame. */
struct fb_jw {
	struct fb_buf *out;
	uint32_t depth;
	uint32_t arrays;    /* bit d: level d is an array */
	uint32_t has_items; /* bit d: level d needs a comma before its next item */
	bool after_key;
};
void fb_jw_init(struct fb_jw *w, struct fb_buf *out);
void fb_jw_object(struct fb_jw *w);
void fb_jw_array(struct fb_jw *w);
void fb_jw_end(struct fb_jw *w); /* of the innermost object or array */
void fb_jw_key(struct fb_jw *w, const char *key);
void fb_jw_str(struct fb_jw *w, struct fb_str s);
void fb_jw_text(struct fb_jw *w, const char *text);
void fb_jw_u64(struct fb_jw *w, uint64_t v);
void fb_jw_bool(struct fb_jw *w, bool v);
void fb_jw_null(struct fb_jw *w);
void fb_jw_raw(struct fb_jw *w, struct fb_str json);          /* a value already in JSON */
void fb_jw_amount(struct fb_jw *w, struct fb_amount a);       /* atoms as a string */
/* key and value in one call */
void fb_jw_kv_str(struct fb_jw *w, const char *key, struct fb_str s);
void fb_jw_kv_text(struct fb_jw *w, const char *key, const char *text);
void fb_jw_kv_u64(struct fb_jw *w, const char *key, uint64_t v);
void fb_jw_kv_bool(struct fb_jw *w, const char *key, bool v);
void fb_jw_kv_raw(struct fb_jw *w, const char *key, struct fb_str json);
#endif /* FB_JSON_H */
