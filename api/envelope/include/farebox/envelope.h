/* farebox/envelope.h - the two forms of answers under /v1 and /api/v1, and reading what a request asks, strictly.
 *
 * What it is  /v1:     {"ok":true,"data":…} and {"ok":false,"error":{"code","message","details":[…],"request_id"}}
 *             /api/v1: the value itself, and {"detail","error":{"type","message","code","request_id"}}
 *             The path of the request says which; elsewhere an error has the form of farebox/http.h.
 *             A request's members are rows of a table: name, kind, range. Whoever reads them gets all or the first
 *             fault, which names the member.
 * Layer       5
 * Strict      a body is one JSON object (Content-Type application/json, or none said); an unknown member, a wrong
 *             type, a value out of its range and a missing needed one are 400, in this order: the body as a whole,
 *             unknown members, then the rows in their order. null is as if it were not there. Likewise the parameters
 *             of a query.
 * Money       a decimal string of at most FB_ENVELOPE_DECIMALS digits behind the point; a JSON number is refused.
 * Limits      FB_BODY_TOKENS_MAX JSON values in a body; FB_MEMBERS_MAX rows; FB_LIST_TEXT_MAX bytes in one of a list.
 * Errors      struct fb_problem: status, code, sentence.
 * Ownership   what is read lives as long as the request.
 * Threads     pure functions over the request's memory.
 */
#ifndef FB_ENVELOPE_H
#define FB_ENVELOPE_H
#include "farebox/core.h"
#include "farebox/http.h"
#include "farebox/json.h"

enum {
	FB_ENVELOPE_DECIMALS = 6,
	FB_BODY_TOKENS_MAX = 4096,
	FB_MEMBERS_MAX = 32,
	FB_LIST_TEXT_MAX = 100,
	FB_PROBLEM_TEXT_MAX = 240,
};

/* ---- what is wrong ------------------------------------------------------------------------------------------- */
struct fb_problem {
	uint16_t http;    /* 400 to 599 */
	const char *code; /* stable, lower case */
	char text[FB_PROBLEM_TEXT_MAX];
	char field[64];   /* the member or parameter, "" for none */
};
/* Fills *p; false, so that a reader can write `return fb_problem_set(…)`. */
bool fb_problem_set(struct fb_problem *p, uint16_t http, const char *code, const char *format, ...) FB_PRINTF(4, 5);
/* 400 invalid_request: "FIELD: SENTENCE". */
bool fb_problem_field(struct fb_problem *p, const char *field, const char *format, ...) FB_PRINTF(3, 4);

/* ---- answers ------------------------------------------------------------------------------------------------- */
/* A value in JSON, in the request's arena or anywhere. */
struct fb_answered fb_envelope_data(struct fb_request *r, uint16_t status, struct fb_str json);
struct fb_answered fb_envelope_problem(struct fb_request *r, const struct fb_problem *p);
/* With the status table's HTTP status and name; message NULL: the name. */
struct fb_answered fb_envelope_status(struct fb_request *r, enum fb_status s, const char *message);
/* For fb_http_settings.error_body: what fails outside of a handler, and fb_http_error, have the form of the path. */
bool fb_envelope_error_body(struct fb_buf *out, const struct fb_request *r, enum fb_status s, struct fb_str message);

/* ---- members of a body, parameters of a query ------------------------------------------------------------------ */
enum fb_member_kind {
	FB_MEMBER_TEXT,   /* min..max bytes, no control characters but line ends and tabs */
	FB_MEMBER_MONEY,
	FB_MEMBER_NUMBER, /* min..max */
	FB_MEMBER_BOOL,
	FB_MEMBER_TEXTS,  /* body alone: a list of min..max texts */
	FB_MEMBER_OBJECT, /* body alone: a JSON object of at most max bytes */
};
struct fb_member {
	const char *name;
	enum fb_member_kind kind;
	bool needed;
	uint64_t min, max;
};
struct fb_value {
	bool present;
	bool truth;
	uint64_t number;
	struct fb_amount money;
	struct fb_str text;        /* also of OBJECT and TEXTS: the JSON as it came */
	struct fb_json_value json; /* body alone */
};
/* out: one per row, in their order; all zero where absent. */
FB_MUST_USE bool fb_body_read(struct fb_problem *p, struct fb_value *out, struct fb_request *r,
			      const struct fb_member *fields, size_t count);
FB_MUST_USE bool fb_query_read(struct fb_problem *p, struct fb_value *out, struct fb_request *r,
			       const struct fb_member *fields, size_t count);
/* Of a body that may be missing: no body at all stands for {}. */
FB_MUST_USE bool fb_body_read_optional(struct fb_problem *p, struct fb_value *out, struct fb_request *r,
				       const struct fb_member *fields, size_t count);

/* ---- writing --------------------------------------------------------------------------------------------------- */
/* Decimal, at least two digits behind the point: "10.50", "0.000001". */
void fb_jw_kv_money(struct fb_jw *w, const char *key, struct fb_amount a);
/* "2026-11-24T19:38:21.000Z" of Unix microseconds, year 1970 to 9999. */
void fb_jw_kv_time(struct fb_jw *w, const char *key, int64_t us);
void fb_jw_kv_uuid(struct fb_jw *w, const char *key, const struct fb_uuid *u);
#endif /* FB_ENVELOPE_H */
