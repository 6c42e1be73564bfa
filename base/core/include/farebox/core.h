/* farebox/core.h - the vocabulary every other library speaks: status, string view, bounded text,
 * base64, big-endian fields, amount, arena.
 *
 * Layer      0: includes nothing of ours.
 * Units      fb_amount is in atomic token units (USDC: 1 = 0.000001). Never a float, never "dollars".
 * Ranges     amounts 0..FB_AMOUNT_MAX (2^127-1, so a signed difference of two always fits).
 * Errors     functions that can fail return enum fb_status and write outputs only on FB_OK.
 * Arguments  everywhere in this project: the object, then outputs, then inputs; a length directly
 *            after its array; callbacks last. (The order is libsecp256k1's.)
 * Ownership  values are plain structs passed by value; a fb_str or a pointer from an arena is
 *            borrowed and dies with the buffer or arena it points into. `fb_x_open(out**)` must be
 *            matched by fb_x_close. A function never keeps a pointer it was lent unless its
 *            header says until when.
 * Threads    everything here is reentrant; a fb_arena and a fb_buf are owned by one thread.
 * Spec       RFC 4648 section 4 (base64, padded, standard alphabet).
 */
#ifndef FB_CORE_H
#define FB_CORE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FB_MUST_USE __attribute__((warn_unused_result))
#define FB_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define FB_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- programmer errors: crash, in every build ------------------------------------------- */
_Noreturn void fb_panic(const char *file, int line, const char *func, const char *what);
#define FB_ASSERT(c) ((c) ? (void)0 : fb_panic(__FILE__, __LINE__, __func__, #c))
#define FB_UNREACHABLE(why) fb_panic(__FILE__, __LINE__, __func__, "unreachable: " why)

/* ---- operating errors: one table, from which everything about a status is generated ------
 * X(name, number, http status, retry with the same request?, stable api name)
 * Numbers are stored and sent: never renumber, only append. */
#define FB_STATUS_TABLE(X)                                                \
	X(OK,               0, 200, false, "ok")                          \
	X(BAD_HEX,          1, 400, false, "bad_hex")                     \
	X(BAD_LENGTH,       2, 400, false, "bad_length")                  \
	X(BAD_CHECKSUM,     3, 400, false, "bad_checksum")                \
	X(OVERFLOW,         4, 422, false, "overflow")                    \
	X(NO_MEMORY,        5, 503, true,  "no_memory")                   \
	X(NOT_FOUND,        6, 404, false, "not_found")                   \
	X(BAD_SYNTAX,       7, 400, false, "bad_syntax")                  \
	X(DUPLICATE_KEY,    8, 400, false, "duplicate_key")               \
	X(TOO_DEEP,         9, 400, false, "too_deep")                    \
	X(TOO_MANY,        10, 400, false, "too_many_values")             \
	X(BAD_UTF8,        11, 400, false, "bad_utf8")                    \
	X(WRONG_TYPE,      12, 400, false, "wrong_type")                  \
	X(MISSING,         13, 400, false, "missing_member")              \
	X(BAD_VALUE,       14, 400, false, "bad_value")                   \
	X(BAD_SIGNATURE,   15, 400, false, "bad_signature")               \
	X(BAD_KEY,         16, 400, false, "bad_key")                     \
	X(STORAGE,         17, 503, true,  "storage")                     \
	X(BAD_TRANSITION,  18, 409, false, "bad_transition")              \
	X(METHOD,          19, 405, false, "method_not_allowed")          \
	X(TOO_LARGE,       20, 413, false, "too_large")                   \
	X(HEADERS_TOO_LARGE, 21, 431, false, "headers_too_large")         \
	X(BAD_REQUEST,     22, 400, false, "bad_request")                 \
	X(UNAUTHORIZED,    23, 401, false, "unauthorized")                \
	X(FORBIDDEN,       24, 403, false, "forbidden")                   \
	X(MEDIA_TYPE,      25, 415, false, "unsupported_media_type")      \
	X(TIMEOUT,         26, 504, true,  "timeout")                     \
	X(UNREACHABLE,     27, 503, true,  "unreachable")                 \
	X(RPC_ERROR,       28, 502, true,  "rpc_error")                   \
	X(REVERTED,        29, 422, false, "reverted")                    \
	X(BUSY,            30, 503, true,  "busy")                        \
	X(DRAINING,        31, 503, true,  "draining")                    \
	X(PENDING,         32, 503, true,  "settlement_pending")          \
	X(CONFLICT,        33, 409, false, "conflict")                    \
	X(IO,              34, 500, true,  "io")                          \
	X(MISMATCH,        35, 409, false, "mismatch")                    \
	X(NO_GAS,          36, 503, true,  "no_gas")                      \
	X(LIMIT,           37, 429, true,  "limit_reached")               \
	X(ZERO_AMOUNT,     38, 400, false, "zero_amount")                 \
	X(SAME_ACCOUNT,    39, 400, false, "same_account")                \
	X(ID_REUSED,       40, 409, false, "id_reused")                   \
	X(ID_FAILED,       41, 409, false, "id_failed_before")            \
	X(HOLD_ENDED,      42, 409, false, "hold_ended")                  \
	X(HOLD_EXPIRED,    43, 410, false, "hold_expired")                \
	X(HOLD_TOO_SMALL,  44, 422, false, "hold_too_small")              \
	X(REVERSED_ALREADY, 45, 409, false, "reversed_already")           \
	X(FUNDS,           46, 402, false, "insufficient_funds")          \
	X(LINKED_FAILED,   47, 409, false, "linked_operation_failed")
enum fb_status {
#define X(name, num, http, retry, api) FB_##name = num,
	FB_STATUS_TABLE(X)
#undef X
};
struct fb_status_info {
	const char *name; /* the stable api name */
	uint16_t http;
	bool retry;
};
const struct fb_status_info *fb_status_info(enum fb_status s); /* never NULL */

/* A sentence for a human, filled where the fault is known: names the thing, where it was set and
 * what would be right. Never parsed by code. */
struct fb_error {
	char text[320];
};
/* Formats into e->text (cut, never overrun); e may be NULL. Returns s, so that a caller can write
 * `return fb_error_set(e, FB_BAD_VALUE, "…")`. */
enum fb_status fb_error_set(struct fb_error *e, enum fb_status s, const char *format, ...) FB_PRINTF(3, 4);

/* ---- string view ------------------------------------------------------------------------- */
struct fb_str {
	const char *at;
	size_t len; /* bytes */
};
#define FB_STR(lit) ((struct fb_str){ "" lit, sizeof(lit) - 1 })
/* For printf("%.*s", FB_STR_ARG(s)). */
#define FB_STR_ARG(s) (int)(s).len, (s).at
struct fb_str fb_str_of(const char *text); /* of a terminated text; NULL gives an empty view */
bool fb_str_eq(struct fb_str a, struct fb_str b);
bool fb_str_eq_nocase(struct fb_str a, struct fb_str b); /* ASCII case only, no locale */
bool fb_str_starts(struct fb_str s, struct fb_str prefix);
struct fb_str fb_str_trim(struct fb_str s); /* without spaces and tabs at both ends */
/* Splits at the first `at`: *head before it, *tail behind it. False (both untouched) if absent. */
bool fb_str_split(struct fb_str *head, struct fb_str *tail, struct fb_str s, char at);
/* Time depends on the lengths alone, never on where the bytes differ. */
bool fb_bytes_eq_secret(const void *a, const void *b, size_t len);

/* Digits only, all of them, no sign, no leading zero ("0" itself is fine).
 * FB_BAD_SYNTAX, FB_OVERFLOW. */
FB_MUST_USE enum fb_status fb_u64_parse(uint64_t *out, struct fb_str text);

/* ---- bounded text: a writer over somebody's memory with a latched overflow ----------------- */
struct fb_buf {
	char *at;
	size_t len, cap; /* bytes */
	bool overflowed; /* latched by the first write that did not fit; such a write adds nothing */
};
void fb_buf_init(struct fb_buf *b, char *block, size_t cap);
void fb_buf_put(struct fb_buf *b, const void *bytes, size_t len);
void fb_buf_char(struct fb_buf *b, char c);
void fb_buf_str(struct fb_buf *b, struct fb_str s);
void fb_buf_text(struct fb_buf *b, const char *text);
void fb_buf_u64(struct fb_buf *b, uint64_t v); /* decimal */
void fb_buf_printf(struct fb_buf *b, const char *format, ...) FB_PRINTF(2, 3);
static inline struct fb_str fb_buf_view(const struct fb_buf *b)
{
	return (struct fb_str){ b->at, b->len };
}

/* ---- base64 ------------------------------------------------------------------------------ */
#define FB_BASE64_LEN(bytes) (((bytes) + 2) / 3 * 4)
void fb_base64_put(struct fb_buf *b, const void *bytes, size_t len);
/* One accepted text per value: standard alphabet, padding, no blanks, unused bits zero.
 * FB_BAD_SYNTAX; FB_TOO_LARGE if more than cap bytes would come out. */
FB_MUST_USE enum fb_status fb_base64_decode(uint8_t *out, size_t *out_len, size_t cap, struct fb_str text);

/* ---- big-endian fields of stored records and of the wire ---------------------------------- */
void fb_put_be16(uint8_t *p, uint16_t v);
void fb_put_be32(uint8_t *p, uint32_t v);
void fb_put_be64(uint8_t *p, uint64_t v);
uint16_t fb_get_be16(const uint8_t *p);
uint32_t fb_get_be32(const uint8_t *p);
uint64_t fb_get_be64(const uint8_t *p);

/* ---- UUID: RFC 9562, version 4 ------------------------------------------------------------ */
struct fb_uuid {
	uint8_t bytes[16];
};
enum { FB_UUID_TEXT_LEN = 36 };
struct fb_uuid fb_uuid_make(const uint8_t random[16]);
/* Lower-case, 8-4-4-4-12 digits; any version. FB_BAD_SYNTAX. */
FB_MUST_USE enum fb_status fb_uuid_parse(struct fb_uuid *out, struct fb_str text);
void fb_buf_uuid(struct fb_buf *b, const struct fb_uuid *u);
bool fb_uuid_eq(const struct fb_uuid *a, const struct fb_uuid *b);

/* ---- 128-bit arithmetic ------------------------------------------------------------------ */
__extension__ typedef unsigned __int128 fb_u128;
#define FB_U128(hi, lo) (((fb_u128)(hi) << 64) | (fb_u128)(lo))
#define FB_AMOUNT_MAX (~(fb_u128)0 >> 1)
enum { FB_U128_DIGITS = 39 };
void fb_put_be128(uint8_t *p, fb_u128 v);
fb_u128 fb_get_be128(const uint8_t *p);
void fb_buf_u128(struct fb_buf *b, fb_u128 v); /* decimal */

/* A struct, so that an amount never mixes with a count, a nonce or a block number. */
struct fb_amount {
	fb_u128 atoms;
};

/* *out = a + b. FB_OVERFLOW (and *out untouched) if the sum exceeds FB_AMOUNT_MAX. */
FB_MUST_USE static inline enum fb_status fb_amount_add(struct fb_amount *out, struct fb_amount a, struct fb_amount b)
{
	fb_u128 sum;

	if (__builtin_add_overflow(a.atoms, b.atoms, &sum) || sum > FB_AMOUNT_MAX)
		return FB_OVERFLOW;
	out->atoms = sum;
	return FB_OK;
}

/* *out = a - b. FB_OVERFLOW if b > a: a balance never goes below zero silently. */
FB_MUST_USE static inline enum fb_status fb_amount_sub(struct fb_amount *out, struct fb_amount a, struct fb_amount b)
{
	if (b.atoms > a.atoms)
		return FB_OVERFLOW;
	out->atoms = a.atoms - b.atoms;
	return FB_OK;
}

static inline int fb_amount_cmp(struct fb_amount a, struct fb_amount b)
{
	return (a.atoms > b.atoms) - (a.atoms < b.atoms);
}

/* Atoms in decimal: digits only, no leading zero. FB_BAD_SYNTAX, FB_OVERFLOW above FB_AMOUNT_MAX. */
FB_MUST_USE enum fb_status fb_amount_parse(struct fb_amount *out, struct fb_str text);
void fb_buf_amount(struct fb_buf *b, struct fb_amount a); /* atoms in decimal */
/* Whole tokens with a point, "0.001" for 1000 atoms of 6 decimals; never rounded: trailing zeros
 * of the fraction are left out, and a whole number has no point. decimals <= 38. */
void fb_buf_amount_decimal(struct fb_buf *b, struct fb_amount a, unsigned decimals);
/* The inverse. FB_BAD_SYNTAX; FB_BAD_VALUE with more digits behind the point than `decimals`
 * (a price is refused, never rounded); FB_OVERFLOW. */
FB_MUST_USE enum fb_status fb_amount_parse_decimal(struct fb_amount *out, struct fb_str text, unsigned decimals);

/* ---- arena: all memory of one request, freed together ------------------------------------ */
struct fb_arena {
	unsigned char *base; /* caller's block, 16-byte aligned */
	size_t size, used;   /* bytes */
	bool overflowed;     /* latched by the first refusal */
};
struct fb_arena_mark {
	size_t used;
};
void fb_arena_init(struct fb_arena *a, void *block, size_t size);
/* NULL when full; `overflowed` stays set, so a handler may check once at its end. Zeroed. */
void *fb_arena_alloc(struct fb_arena *a, size_t count, size_t size) FB_MUST_USE;
#define FB_NEW(arena, type) ((type *)fb_arena_alloc((arena), 1, sizeof(type)))
/* A terminated copy of s; NULL when full. */
char *fb_arena_copy(struct fb_arena *a, struct fb_str s) FB_MUST_USE;
/* A buf over `cap` fresh bytes; when full the buf has cap 0 and every write latches its overflow. */
struct fb_buf fb_arena_buf(struct fb_arena *a, size_t cap);
struct fb_arena_mark fb_arena_mark(const struct fb_arena *a);
void fb_arena_release(struct fb_arena *a, struct fb_arena_mark m); /* poisons what it frees */

/* ---- start-up memory: there is no sensible way on without it, so failure stops the program -- */
void *fb_must_alloc(size_t count, size_t size); /* zeroed; free with free() */
#endif /* FB_CORE_H */
