/* farebox/identity.h - who is who: principals, their proven wallets and their API keys, behind every API.
 *
 * What it is  one principal behind /v1 and /api/v1. Its id is a UUID; its owner in the ledger is those 16 bytes and 4
 *             zero bytes, never a wallet's address, since wallets change. `owner_id` is its name for others: a free
 *             text of whoever made it, or, of an agent that registered with a wallet, its id as text.
 * Layer       8
 * Wallets     proven by signature (farebox/siwe.h) and in no other way; at most one a principal, at most one principal
 *             a wallet. What an agent merely says about its wallet is shown and used for nothing.
 * Keys        a number of 64 bits, public, to find it by, and a secret of 256 bits, of which SHA-256 alone is kept;
 *             compared in constant time; shown once. Presented as "Authorization: Bearer KEY" or "x-api-key: KEY", KEY
 *             being "fbk_<16 digits>_<64 digits>" or "fbk_<16 digits>:sec_<64 digits>", in lower-case hex.
 * Who         anybody: an agent for a wallet that he proves; a buyer's key for an owner_id that nobody has. A key of
 *             the same principal: further buyer's and provider's keys. An admin: admin's keys, keys for others.
 *             The first admin's key is made on the command line.
 * Durable     nothing is answered as done, and no key or wallet counts, before its rows are on disk. One change of a
 *             principal at a time: a second one that comes meanwhile is FB_BUSY.
 * Errors      as written at each function. Of the routes: README.md.
 * Limits      FB_PRINCIPALS_MAX, FB_KEYS_MAX, FB_KEYS_EACH_MAX a principal; registrations_per_min of those that nobody
 *             vouches for; texts as below. Beyond: FB_LIMIT, 429.
 * Invariants  I1 a wallet, an owner_id, a key's number belong to one principal each    (checked: load.c, unit.identity)
 *             I2 what readers see is on disk                                           (checked: unit.identity)
 *             I3 a nonce opens one door once                                           (checked: unit.identity)
 * Stored      DATA.md: P, K.
 * Ownership   borrows everything it is opened with until closed.
 * Threads     open and close: one, while nobody else uses it. Everything else: any thread; the tables are behind one
 *             lock for many readers, because every request of every API asks who is calling.
 */
#ifndef FB_IDENTITY_H
#define FB_IDENTITY_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/envelope.h"
#include "farebox/http.h"
#include "farebox/journal.h"
#include "farebox/port.h"
#include "farebox/store.h"

enum {
	FB_PRINCIPALS_MAX = 1 << 20,
	FB_KEYS_MAX = 1 << 21,
	FB_KEYS_EACH_MAX = 64,
	FB_OWNER_ID_MAX = 128,       /* bytes */
	FB_NAME_MAX = 100,
	FB_DESCRIPTION_MAX = 2000,
	FB_CAPABILITIES_MAX = 32,    /* texts */
	FB_METADATA_MAX = 4096,      /* bytes of JSON */
	FB_RATE_DEFAULT = 60,        /* requests a minute */
	FB_RATE_MAX = 10000,
	FB_KEY_TEXT_MAX = 96,
};

/* X(name, stored number, text) */
#define FB_ROLES(X) X(BUYER, 1, "buyer") X(PROVIDER, 2, "provider") X(ADMIN, 3, "admin")
enum fb_role {
#define X(name, num, text) FB_ROLE_##name = num,
	FB_ROLES(X)
#undef X
};
const char *fb_role_text(enum fb_role r);

/* What a key may do; X(name, bit, text). A role's key may at first: buyer READ to MANAGE, provider also PUBLISH, admin
 * all. */
#define FB_SCOPES(X)                                                                              \
	X(READ,     0, "read")     /* its principal's balance, history, own data */              \
	X(SPEND,    1, "spend")                                                                  \
	X(WITHDRAW, 2, "withdraw") /* to the proven wallet */                                    \
	X(MANAGE,   3, "manage")   /* wallet, keys, names */                                     \
	X(PUBLISH,  4, "publish")  /* services, apps */                                          \
	X(ADMIN,    5, "admin")
enum fb_scope {
#define X(name, bit, text) FB_SCOPE_##name = 1 << (bit),
	FB_SCOPES(X)
#undef X
};

/* X(name, stored number): registered with a wallet; made by a key; shown in the registry, owned by another one. */
#define FB_PRINCIPAL_KINDS(X) X(AGENT, 1) X(OWNER, 2) X(PROFILE, 3)
enum fb_principal_kind {
#define X(name, num) FB_PRINCIPAL_##name = num,
	FB_PRINCIPAL_KINDS(X)
#undef X
};

/* Whoever sent a request. */
struct fb_caller {
	struct fb_uuid principal;
	struct fb_owner owner;
	enum fb_principal_kind kind; /* AGENT or OWNER */
	enum fb_role role;
	uint32_t scopes;
	uint32_t rate_per_min;
	uint64_t key;
	size_t owner_id_len;
	char owner_id[FB_OWNER_ID_MAX];
};
static inline struct fb_str fb_caller_owner_id(const struct fb_caller *c)
{
	return (struct fb_str){ c->owner_id, c->owner_id_len };
}

struct fb_identity_settings {
	struct fb_clock clock;
	struct fb_rng rng;
	uint64_t chain_id;        /* served; 1 is taken besides */
	const char *domains;      /* that SIWE messages may name, comma-separated */
	const char *scheme;       /* "https", "http"; "": any */
	bool loopback_domains;    /* the request's own Host too, if it names this machine */
	const char *public_url;   /* in front of claim links; "": http:// and the Host */
	uint64_t wallet_hold_s;
	uint64_t registrations_per_min;
};
struct fb_contract_question {
	struct fb_address wallet;
	struct fb_hash digest;
	struct fb_str signature; /* bytes, borrowed until the answer */
};
struct fb_identity_ports {
	/* That wallet is somebody's now, durably. Hands over to its owner's thread only. NULL allowed. */
	void (*proven)(void *ctx, const struct fb_address *wallet);
	/* Does the contract at that address of the served chain accept the signature (EIP-1271)? Answers exactly once,
	 * from any thread: FB_OK, FB_BAD_SIGNATURE, FB_UNREACHABLE. NULL: contracts cannot register. */
	void (*ask_contract)(void *ctx, const struct fb_contract_question *q,
			     void (*answered)(void *arg, enum fb_status status), void *arg);
	void *ctx;
};

struct fb_identity;
/* Loads every row. FB_STORAGE: not a row of ours, or two that contradict each other; e says which. */
FB_MUST_USE enum fb_status fb_identity_open(struct fb_identity **out, struct fb_store *store, struct fb_commit commit,
					    const struct fb_identity_settings *settings, struct fb_identity_ports ports,
					    struct fb_error *e);
/* Every request has been answered; the writer is closed. NULL allowed */
void fb_identity_close(struct fb_identity *i);
struct fb_mount fb_identity_mount(struct fb_identity *i);

/* ---- who is calling ---------------------------------------------------------------------------------------------- */
/* FB_MISSING: no key was presented. FB_UNAUTHORIZED: it is none, ended, or of nobody active. */
FB_MUST_USE enum fb_status fb_identity_caller(struct fb_identity *i, struct fb_caller *out, const struct fb_request *r);
/* For a route: the caller, who needs all of these scopes. False: p says what to answer (401, 403). */
FB_MUST_USE bool fb_identity_need(struct fb_identity *i, struct fb_caller *out, struct fb_problem *p,
				  const struct fb_request *r, uint32_t scopes);
/* For fb_http_settings.authorise, of routes FB_AUTH_PRINCIPAL: FB_OK, FB_UNAUTHORIZED. */
enum fb_status fb_identity_authorise(struct fb_identity *i, const struct fb_request *r);

/* ---- who owns what ----------------------------------------------------------------------------------------------- */
static inline struct fb_owner fb_owner_of_uuid(const struct fb_uuid *u)
{
	struct fb_owner o = { { 0 } };

	for (size_t i = 0; i < sizeof(u->bytes); i++)
		o.bytes[i] = u->bytes[i];
	return o;
}
/* True: the wallet is proven to be that owner's. */
bool fb_identity_owner_of(struct fb_identity *i, struct fb_owner *out, const struct fb_address *wallet);
/* True: the owner's proven wallet; *changed_us: since when, if it took the place of another one, else 0. */
bool fb_identity_wallet(struct fb_identity *i, const struct fb_owner *owner, struct fb_address *wallet,
			int64_t *changed_us);
/* Every proven wallet. `each` must not call anything here. */
void fb_identity_wallets(struct fb_identity *i, void (*each)(void *arg, const struct fb_address *wallet), void *arg);
/* Who has this id: a UUID, or an owner_id. FB_NOT_FOUND. */
struct fb_principal_view {
	struct fb_uuid id;
	struct fb_owner owner;
	enum fb_principal_kind kind;
	bool active, verified;
	size_t name_len, owner_id_len;
	char name[FB_NAME_MAX], owner_id[FB_OWNER_ID_MAX];
};
FB_MUST_USE enum fb_status fb_identity_find(struct fb_identity *i, struct fb_principal_view *out, struct fb_str id);

/* ---- for the command line ---------------------------------------------------------------------------------------- */
/* A key of that role for owner_id, who is made if there is none; the key's text to out. Waits until it is durable: not
 * from the writer's thread. FB_LIMIT, FB_STORAGE. */
FB_MUST_USE enum fb_status fb_identity_make_key(struct fb_identity *i, struct fb_buf *out, struct fb_str owner_id,
						enum fb_role role);
#endif /* FB_IDENTITY_H */
