/* farebox/wire.h - x402 messages, version 1 and 2: strict reading, exact writing, reason strings.
 *
 * Layer      4
 * Spec       x402 v1 and v2, scheme "exact" on EVM, asset transfer method EIP-3009.
 * Reading    decimal strings for numbers (value, validAfter, validBefore, amount), 0x hex of exact width
 *            for addresses and nonce, signature of 1..FB_WIRE_SIGNATURE_MAX bytes; null counts as absent for
 *            optional members; unknown members are ignored; the outer x402Version must equal the
 *            payload's. Everything after this door works on typed values.
 * Two kinds of refusal: a body that is no x402 request at all (unparsable, missing paymentPayload or
 *            paymentRequirements or x402Version, wrong JSON types of these) is an enum fb_status for a
 *            400; a request that is one, but says something wrong, gets a reason (HTTP 200).
 * Ownership  all views point into the request body or the arena given.
 * Threads    pure functions.
 */
#ifndef FB_WIRE_H
#define FB_WIRE_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/crypto.h"
#include "farebox/json.h"

/* ---- reasons: the strings stock clients read (SDK 2.27 "exact" on EVM) ------------------------ */
#define FB_REASONS(X)                                                                              \
	X(NONE, "")                                                                                \
	X(INVALID_X402_VERSION, "invalid_x402_version")                                            \
	X(INVALID_PAYLOAD, "invalid_payload")                                                      \
	X(INVALID_REQUIREMENTS, "invalid_payment_requirements")                                    \
	X(UNSUPPORTED_SCHEME, "unsupported_scheme")                                                \
	X(INVALID_NETWORK, "invalid_network")                                                      \
	X(UNSUPPORTED_PAYLOAD_TYPE, "unsupported_payload_type")                                    \
	X(SCHEME, "invalid_exact_evm_scheme")                                                      \
	X(MISSING_DOMAIN, "invalid_exact_evm_missing_eip712_domain")                               \
	X(NETWORK_MISMATCH, "invalid_exact_evm_network_mismatch")                                  \
	X(FACTORY, "eip6492_factory_not_allowed")                                                  \
	X(SIGNATURE, "invalid_exact_evm_signature")                                                \
	X(RECIPIENT, "invalid_exact_evm_recipient_mismatch")                                       \
	X(VALID_BEFORE, "invalid_exact_evm_payload_authorization_valid_before")                    \
	X(VALID_AFTER, "invalid_exact_evm_payload_authorization_valid_after")                      \
	X(VALUE, "invalid_exact_evm_payload_authorization_value_mismatch")                         \
	X(VALUE_V1, "invalid_exact_evm_authorization_value")                                       \
	X(ASSET_NO_CODE, "asset_not_deployed_contract")                                            \
	X(NO_EIP3009, "invalid_exact_evm_eip3009_not_supported")                                   \
	X(NONCE_USED, "invalid_exact_evm_nonce_already_used")                                      \
	X(TOKEN_NAME, "invalid_exact_evm_token_name_mismatch")                                     \
	X(TOKEN_VERSION, "invalid_exact_evm_token_version_mismatch")                               \
	X(BALANCE, "invalid_exact_evm_insufficient_balance")                                       \
	X(SIMULATION, "invalid_exact_evm_transaction_simulation_failed")                           \
	X(TRANSACTION_FAILED, "invalid_exact_evm_transaction_failed")                              \
	X(TRANSFER_EVENT, "invalid_exact_evm_transfer_event_mismatch")                             \
	X(PENDING, "settlement_pending")                                                           \
	X(VERIFY_ERROR, "unexpected_verify_error")                                                 \
	X(SETTLE_ERROR, "unexpected_settle_error")
enum fb_reason {
#define X(name, text) FB_REASON_##name,
	FB_REASONS(X)
#undef X
	FB_REASON_END /* not a reason */
};
const char *fb_reason_text(enum fb_reason r);

/* ---- values ------------------------------------------------------------------------------------ */
enum { FB_WIRE_SIGNATURE_MAX = 8192, FB_WIRE_NETWORK_MAX = 64, FB_WIRE_HEADER_MAX = 16384 /* of a payment, base64 */ };

enum { FB_WIRE_IDENTIFIER_MIN = 16, FB_WIRE_IDENTIFIER_MAX = 128 };

struct fb_requirement {
	struct fb_str scheme, network;
	struct fb_u256 amount;
	struct fb_address asset, pay_to;
	uint64_t max_timeout_s;
	bool has_domain;                         /* extra.name and extra.version are both non-empty strings */
	struct fb_str domain_name, domain_version; /* unescaped */
	struct fb_str payment_flow;              /* extra's; empty if none: "authorization" */
	struct fb_str asset_transfer_method;     /* extra's; empty if none: "eip3009" */
	struct fb_str raw;                       /* the object as it came, for echoing */
};
struct fb_payment {
	uint8_t version; /* 1 or 2 */
	struct fb_str scheme, network; /* what the payload claims (v2: accepted.scheme, accepted.network) */
	struct fb_authorization authorization;
	struct fb_str signature;  /* bytes, decoded */
	struct fb_str payer_text; /* authorization.from verbatim: answers echo it */
	struct fb_str resource_url; /* v2 resource.url, empty if none */
	/* v2 extensions["payment-identifier"].info; malformed: it is not what its extension says */
	struct fb_str identifier; /* FB_WIRE_IDENTIFIER_MIN.._MAX of A-Z a-z 0-9 _ -; empty if none */
	bool identifier_required, identifier_malformed;
	bool has_accepted;           /* v2 */
	struct fb_requirement accepted;
};
struct fb_wire_request {
	struct fb_payment payment;
	struct fb_requirement requirement;
};

/* The body of POST /verify or /settle.
 * Returns FB_OK and *reason NONE: everything is there. FB_OK and another *reason: a 200 with that
 * reason; out->payment.version (else 0), payer_text (if an address) and requirement.network are filled as
 * far as they could be read, the rest of out means nothing. Any other status: 400 (NO_MEMORY: 503), out is
 * untouched. In both cases e says which member and what would be right, and never quotes the body.
 * Order: versions, then the payment, then the requirement; but a message of another scheme or of another
 * family of networks (v2: not "eip155:") that cannot be read is told so (UNSUPPORTED_SCHEME, INVALID_NETWORK),
 * not that its shape is wrong. One that can be read passes: which schemes and networks are served is judged later.
 * `tokens` is caller's memory of at least FB_WIRE_TOKENS. */
enum { FB_WIRE_TOKENS = 2048 };
FB_MUST_USE enum fb_status fb_wire_read_request(struct fb_wire_request *out, enum fb_reason *reason, struct fb_str body,
						struct fb_json_token *tokens, struct fb_arena *arena,
						struct fb_error *e);
/* A payment header (PAYMENT-SIGNATURE or X-PAYMENT): base64 of the payload object. `version` is the
 * generation the header's name stands for; the payload must agree. Same errors as above, before them
 * FB_HEADERS_TOO_LARGE above FB_WIRE_HEADER_MAX. */
FB_MUST_USE enum fb_status fb_wire_read_payment_header(struct fb_payment *out, enum fb_reason *reason,
						       struct fb_str header, uint8_t version,
						       struct fb_json_token *tokens, struct fb_arena *arena,
						       struct fb_error *e);

/* ---- answers ------------------------------------------------------------------------------------ */
struct fb_verdict { /* of /verify */
	enum fb_reason reason; /* NONE is valid */
	const char *message;   /* human text about a refusal, NULL for none */
	struct fb_str payer;   /* empty: the member is left out */
};
void fb_wire_write_verdict(struct fb_buf *out, const struct fb_verdict *v);

struct fb_settlement_answer { /* of /settle, and of PAYMENT-RESPONSE headers */
	enum fb_reason reason; /* NONE is success; NONE and PENDING demand a tx */
	const char *message;   /* as above */
	struct fb_str payer, network;
	bool has_tx;
	struct fb_hash tx; /* "transaction" is "" without one, never missing */
	struct fb_str settlement_id; /* extra.settlementId; empty: there is no extra */
};
void fb_wire_write_settlement(struct fb_buf *out, const struct fb_settlement_answer *a);

struct fb_wire_kind {
	struct fb_str caip2, v1_name; /* each network gives a v2 and a v1 kind; an empty name gives none */
};
void fb_wire_write_supported(struct fb_buf *out, const struct fb_wire_kind *kinds, size_t count,
			     const struct fb_address *signers, size_t signer_count, bool payment_identifier);

/* ---- what a resource server says ------------------------------------------------------------------ */
struct fb_offer { /* url absolute, name and version of the domain not empty, max_timeout_s above 0 */
	struct fb_str caip2, v1_name, url, description, mime_type;
	struct fb_str domain_name, domain_version;
	struct fb_amount amount;
	struct fb_address asset, pay_to;
	uint64_t max_timeout_s;
	bool upfront; /* v2 extra.paymentFlow "upfront" */
};
/* The JSON of the v2 PAYMENT-REQUIRED header (before base64). `error` e.g. "Payment required". */
void fb_wire_write_required_v2(struct fb_buf *out, const struct fb_offer *o, const char *error);
/* The v1 402 body: outputSchema is left out, description and mimeType always there. A network without a
 * v1 name cannot be paid in v1: accepts is empty. In both, error NULL is left out. */
void fb_wire_write_required_v1(struct fb_buf *out, const struct fb_offer *o, const char *error);
/* The offer as the requirement that a payment for it is judged by. */
struct fb_requirement fb_offer_requirement(const struct fb_offer *o, uint8_t version);
/* v2: `accepted` names this offer field by field (addresses compared as values). v1: scheme and network. */
bool fb_offer_matches(const struct fb_offer *o, const struct fb_payment *p);

/* ---- what a buyer reads and writes ---------------------------------------------------------------- */
enum { FB_QUOTES_MAX = 16 };
struct fb_quote {
	uint8_t version;
	struct fb_requirement requirement;
	struct fb_str url, description, mime_type;
};
struct fb_quotes {
	struct fb_quote quote[FB_QUOTES_MAX];
	size_t count; /* entries that could not be read are left out and counted in skipped */
	size_t skipped;
	struct fb_str error;     /* as the server says */
	struct fb_str resource;  /* v2: the resource object as it came, echoed in the payment */
	struct fb_str extensions; /* v2: likewise; empty if none */
};
/* FB_BAD_SYNTAX …, FB_MISSING, FB_WRONG_TYPE, FB_BAD_VALUE (another version), FB_NO_MEMORY; e says what is
 * wrong with the server's answer. Schemes, networks and flows we do not know are quotes like any other. */
FB_MUST_USE enum fb_status fb_wire_read_required_v2(struct fb_quotes *out, struct fb_str header,
						    struct fb_json_token *tokens, struct fb_arena *arena,
						    struct fb_error *e);
FB_MUST_USE enum fb_status fb_wire_read_required_v1(struct fb_quotes *out, struct fb_str body,
						    struct fb_json_token *tokens, struct fb_arena *arena,
						    struct fb_error *e);
/* The payment header's JSON (before base64) for a signed authorization on a quote. */
void fb_wire_write_payment(struct fb_buf *out, const struct fb_quotes *all, const struct fb_quote *q,
			   const struct fb_authorization *a, const uint8_t signature[FB_SIGNATURE_LEN]);
/* A settlement answer, from a (PAYMENT-RESPONSE) header's base64 or a facilitator's body. Lax on
 * unknown reasons: `reason_text` is what came. */
struct fb_receipt {
	bool success, has_tx;
	struct fb_hash tx;
	struct fb_str transaction, network, payer, reason_text, message;
};
FB_MUST_USE enum fb_status fb_wire_read_receipt(struct fb_receipt *out, struct fb_str header,
						struct fb_json_token *tokens, struct fb_arena *arena,
						struct fb_error *e);
#endif /* FB_WIRE_H */
