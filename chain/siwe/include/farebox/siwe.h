/* farebox/siwe.h - Sign-In with Ethereum: reads a message strictly, judges its time, recovers who signed it.
 *
 * What it is  the text that a wallet shows its owner and signs. Whoever takes it must also compare domain, chain id and
 *             nonce with what it expects; the header says which fields those are.
 * Layer       4
 * Spec        EIP-4361, RFC 3986 (domain, URI, resources), RFC 3339 (times), EIP-55, EIP-191.
 * Strict      byte for byte: lines end in LF alone, none behind the last; fields in their order; the address in its
 *             EIP-55 spelling; a nonce of at least 8 letters and digits; no number with a leading zero, no leap second,
 *             no empty request id.
 * Limits      FB_SIWE_LEN_MAX bytes.
 * Errors      fb_siwe_parse: FB_TOO_LARGE, FB_BAD_SYNTAX, FB_BAD_CHECKSUM (the address); e names the field.
 * Ownership   texts are views into the message.
 * Threads     pure functions.
 */
#ifndef FB_SIWE_H
#define FB_SIWE_H
#include "farebox/codec.h"
#include "farebox/core.h"

enum { FB_SIWE_LEN_MAX = 4096, FB_SIWE_NONCE_MIN = 8 };

struct fb_siwe {
	struct fb_str scheme;    /* of the domain, without "://"; empty: not said */
	struct fb_str domain;    /* who asks for the signature: compare */
	struct fb_address address;
	bool has_statement;
	struct fb_str statement;
	struct fb_str uri;
	uint64_t chain_id;       /* compare */
	struct fb_str nonce;     /* compare, once */
	int64_t issued_us;       /* Unix microseconds */
	bool expires, starts;
	int64_t expires_us, starts_us;
	struct fb_str request_id; /* empty: none */
	bool has_resources;
	size_t resource_count;
	struct fb_str resources; /* their lines */
};
FB_MUST_USE enum fb_status fb_siwe_parse(struct fb_siwe *out, struct fb_str message, struct fb_error *e);
/* FB_BAD_VALUE: not yet valid at that time, or no more; e says which. */
FB_MUST_USE enum fb_status fb_siwe_check_time(const struct fb_siwe *m, int64_t now_us, struct fb_error *e);
/* What a wallet signs of a message. */
struct fb_hash fb_siwe_digest(struct fb_str message);
/* The key that made these 65 bytes: r, low s, v of 27, 28, 0 or 1. FB_BAD_LENGTH, FB_BAD_SIGNATURE. */
FB_MUST_USE enum fb_status fb_siwe_signer(struct fb_address *out, struct fb_str message, struct fb_str signature);

/* The parts, alone. */
bool fb_siwe_is_uri(struct fb_str text);       /* with a scheme */
bool fb_siwe_is_authority(struct fb_str text); /* [userinfo@]host[:port], not empty */
/* FB_BAD_SYNTAX */
FB_MUST_USE enum fb_status fb_siwe_time(int64_t *out_us, struct fb_str text);
#endif /* FB_SIWE_H */
