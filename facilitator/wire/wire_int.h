/* Shared inside facilitator/wire: a reader of members that keeps the first fault, and the messages
 * that several others contain. */
#ifndef FB_WIRE_INT_H
#define FB_WIRE_INT_H
#include "farebox/wire.h"

/* Reads members one after the other in straight lines: the first fault is kept (status, and a
 * sentence in e), later reads do no harm. A fault leaves its output as it was. */
struct fb_wire_reader {
	struct fb_arena *arena;
	struct fb_error *e;    /* may be NULL */
	const char *prefix;    /* of every path in e: "paymentPayload." or "" */
	enum fb_status status; /* of the first fault: MISSING, WRONG_TYPE, BAD_VALUE or NO_MEMORY */
};
struct fb_wire_node {
	struct fb_json_value object; /* absent: every member of it is missing */
	const char *path;            /* from the prefix on; "" is the message itself */
};

void fb_wire_fault(struct fb_wire_reader *r, struct fb_wire_node n, const char *key, enum fb_status s,
		   const char *want);
/* Members that must be there: texts not empty, seconds above 0. `path` names the child. */
struct fb_wire_node fb_wire_need_object(struct fb_wire_reader *r, struct fb_wire_node n, const char *key,
					const char *path);
void fb_wire_need_text(struct fb_wire_reader *r, struct fb_str *out, struct fb_wire_node n, const char *key);
void fb_wire_need_network(struct fb_wire_reader *r, struct fb_str *out, struct fb_wire_node n);
void fb_wire_need_u256(struct fb_wire_reader *r, struct fb_u256 *out, struct fb_wire_node n, const char *key);
/* `text`, if not NULL, gets the spelling that came. */
void fb_wire_need_address(struct fb_wire_reader *r, struct fb_address *out, struct fb_str *text, struct fb_wire_node n,
			  const char *key);
void fb_wire_need_hash(struct fb_wire_reader *r, struct fb_hash *out, struct fb_wire_node n, const char *key);
void fb_wire_need_seconds(struct fb_wire_reader *r, uint64_t *out, struct fb_wire_node n, const char *key);
/* Members that may be missing or null: the output stays as it was, or the node is absent. */
struct fb_wire_node fb_wire_may_object(struct fb_wire_reader *r, struct fb_wire_node n, const char *key,
				       const char *path);
void fb_wire_may_text(struct fb_wire_reader *r, struct fb_str *out, struct fb_wire_node n, const char *key);

/* A whole text as one JSON object. FB_BAD_SYNTAX …, FB_WRONG_TYPE; e calls the text `what`. */
FB_MUST_USE enum fb_status fb_wire_open(struct fb_json *doc, struct fb_str text, struct fb_json_token *tokens,
					const char *what, struct fb_error *e);
/* A header's base64 decoded into the arena. FB_BAD_SYNTAX, FB_NO_MEMORY. */
FB_MUST_USE enum fb_status fb_wire_decode(struct fb_str *out, struct fb_str base64, struct fb_arena *a,
					  const char *what, struct fb_error *e);
/* x402Version of a message; 0 if it is missing or not a number that we speak. */
uint8_t fb_wire_version(struct fb_json_value message);

void fb_wire_read_requirement(struct fb_wire_reader *r, struct fb_requirement *out, struct fb_wire_node n,
			      uint8_t version);
/* NONE, UNSUPPORTED_PAYLOAD_TYPE or INVALID_PAYLOAD (or NO_MEMORY in r->status). */
enum fb_reason fb_wire_read_payment(struct fb_wire_reader *r, struct fb_payment *out, struct fb_wire_node n,
				    uint8_t version);
/* What can be read of a payment whose version is unclear: the payer. */
void fb_wire_read_payer(struct fb_str *out, struct fb_json_value payment, struct fb_arena *a);
/* Of a request that is malformed the reason that helps most (and its sentence): another scheme or another
 * family of networks has shapes of its own, and is named before its shape is complained about. */
enum fb_reason fb_wire_explain(enum fb_reason reason, uint8_t version, struct fb_str scheme, struct fb_str network,
			       struct fb_error *e);

/* Writing: addresses in their EIP-55 spelling, numbers of 256 bits as decimal strings. */
void fb_wire_address(struct fb_jw *w, const struct fb_address *a);
void fb_wire_kv_address(struct fb_jw *w, const char *key, const struct fb_address *a);
void fb_wire_kv_u256(struct fb_jw *w, const char *key, struct fb_u256 v);
void fb_wire_kv_hex(struct fb_jw *w, const char *key, const void *bytes, size_t len);
#endif /* FB_WIRE_INT_H */
