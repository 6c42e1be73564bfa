/* Shared inside identity: what is kept of a principal and a key, the tables, and the way of a change. */
#ifndef FB_IDENTITY_INT_H
#define FB_IDENTITY_INT_H
#include "farebox/identity.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- rows (row.c) -------------------------------------------------------------------------------------------- */
enum {
	PRINCIPAL_KEY_LEN = 17, /* 'P', id */
	PRINCIPAL_HEAD_LEN = 113,
	PRINCIPAL_TEXTS = 6,
	CAPABILITIES_TEXT_MAX = 8192,
	SHOWN_WALLET_MAX = 64,
	PRINCIPAL_ROW_MAX = PRINCIPAL_HEAD_LEN + 2 * PRINCIPAL_TEXTS + FB_OWNER_ID_MAX + FB_NAME_MAX + FB_DESCRIPTION_MAX +
			    SHOWN_WALLET_MAX + CAPABILITIES_TEXT_MAX + FB_METADATA_MAX,
	KEY_KEY_LEN = 9, /* 'K', number */
	KEY_ROW_LEN = 82,
};

/* X(name, stored number, text) */
#define STANDINGS(X) X(ACTIVE, 1, "active") X(SUSPENDED, 2, "suspended") X(DEACTIVATED, 3, "deactivated")
enum standing {
#define X(name, num, text) STANDING_##name = num,
	STANDINGS(X)
#undef X
};
#define IDENTITY_TYPES(X) X(API_KEY_ONLY, 1, "api_key_only") X(KYA_JWT, 2, "kya_jwt") X(DID_VC, 3, "did_vc")
enum identity_type {
#define X(name, num, text) TYPE_##name = num,
	IDENTITY_TYPES(X)
#undef X
};

/* What a row of a principal says; texts lie in the row. */
struct facts {
	struct fb_uuid id;
	enum fb_principal_kind kind;
	enum standing standing;
	enum identity_type type;
	bool verified, has_wallet, has_claim, has_holder;
	int64_t created_us, updated_us;
	struct fb_address wallet;
	int64_t wallet_us, changed_us; /* proven; in place of another one, else 0 */
	struct fb_hash claim;          /* SHA-256 of the token */
	int64_t claim_until_us;
	struct fb_uuid holder;         /* who claimed it; of a profile, whose it is */
	struct fb_str owner_id, name, description, shown_wallet, capabilities, metadata; /* the last two: JSON or "" */
};
size_t fb_principal_write(uint8_t *row, const struct facts *f); /* PRINCIPAL_ROW_MAX bytes are enough */
/* FB_STORAGE: not a row of ours. */
FB_MUST_USE enum fb_status fb_principal_read(struct facts *out, struct fb_str key, struct fb_str value);
void fb_principal_key(uint8_t out[PRINCIPAL_KEY_LEN], const struct fb_uuid *id);

struct key_facts {
	uint64_t number;
	struct fb_uuid principal;
	struct fb_hash secret; /* SHA-256 of it */
	enum fb_role role;
	uint32_t scopes, rate_per_min;
	int64_t created_us, expires_us, revoked_us; /* 0: never */
};
void fb_key_row_key(uint8_t out[KEY_KEY_LEN], uint64_t number);
void fb_key_row_write(uint8_t out[KEY_ROW_LEN], const struct key_facts *k);
FB_MUST_USE enum fb_status fb_key_row_read(struct key_facts *out, struct fb_str key, struct fb_str value);

/* ---- tables (table.c) ---------------------------------------------------------------------------------------- */
struct link {
	struct link *next;
	uint64_t hash;
	const void *key; /* lies in the item */
	size_t len;
	void *item;
};
struct map {
	struct link **slots;
	size_t size, count; /* size: a power of two */
	uint8_t seed[16];   /* names and numbers are chosen by strangers */
};
void fb_map_open(struct map *m, struct fb_rng rng);
void fb_map_close(struct map *m); /* items stay */
void *fb_map_find(const struct map *m, const void *key, size_t len); /* NULL: none */
void fb_map_add(struct map *m, struct link *l, const void *key, size_t len, void *item); /* there is none */
void fb_map_remove(struct map *m, struct link *l);

struct api_key {
	struct key_facts is;
	uint8_t number[8];
	struct principal *of;
	struct api_key *next; /* of the same principal */
	bool durable;
	struct link by_number;
};
struct principal {
	struct facts is; /* what is on disk, unless it is not durable yet */
	uint8_t *row;    /* of facts; owned */
	bool durable;    /* false: its name and wallet are taken, but it is not there yet */
	bool busy;       /* a change is under way */
	unsigned key_count;
	struct api_key *keys;
	struct link by_id, by_owner_id, by_claim;
	size_t owner_id_len; /* the tables' own copies: a row is replaced */
	char owner_id[FB_OWNER_ID_MAX];
	struct fb_hash claim;
	struct link by_wallet[2]; /* the second while a wallet takes the place of another one */
	struct fb_address wallets[2];
	unsigned wallet_slot; /* of the one on disk */
};

struct nonces;
struct fb_identity {
	struct fb_identity_settings settings;
	struct fb_identity_ports ports;
	struct fb_commit commit;
	struct nonces *nonces;
	pthread_rwlock_t lock; /* of all that follows */
	struct map by_id, by_owner_id, by_wallet, by_claim, by_number;
	struct principal **all; /* in the order in which they were made */
	size_t count, cap, key_count;
	uint64_t bucket_us;     /* until then registrations are spent */
};
static inline int64_t fb_identity_now(const struct fb_identity *i)
{
	return i->settings.clock.wall_us(i->settings.clock.ctx);
}
/* Under the lock, for writing: into every table; nobody has its names. */
void fb_identity_add(struct fb_identity *i, struct principal *p);
void fb_identity_drop(struct fb_identity *i, struct principal *p); /* out of them, and freed */
void fb_identity_add_key(struct fb_identity *i, struct api_key *k, struct principal *of);
void fb_identity_drop_key(struct fb_identity *i, struct api_key *k);
/* Durable ones alone. Under the lock. */
struct principal *fb_identity_by_id(const struct fb_identity *i, const struct fb_uuid *id);
struct principal *fb_identity_by_text(const struct fb_identity *i, struct fb_str id); /* UUID or owner_id */

/* ---- keys as texts (key.c) ----------------------------------------------------------------------------------- */
enum { SECRET_LEN = 32, KEY_ID_LEN = 20 /* "fbk_" and 16 digits */ };
struct key_text {
	uint64_t number;
	uint8_t secret[SECRET_LEN];
};
void fb_key_text_make(struct key_text *out, struct fb_rng rng);
void fb_key_text_id(struct fb_buf *b, uint64_t number);
void fb_key_text_token(struct fb_buf *b, const struct key_text *k);  /* "fbk_…_…" */
void fb_key_text_secret(struct fb_buf *b, const struct key_text *k); /* "sec_…" */
FB_MUST_USE bool fb_key_text_parse(struct key_text *out, struct fb_str text);
FB_MUST_USE bool fb_key_text_parse_pair(struct key_text *out, struct fb_str id, struct fb_str secret);
/* What the request presents. FB_MISSING: nothing; FB_UNAUTHORIZED: no key. */
FB_MUST_USE enum fb_status fb_key_text_of(struct key_text *out, const struct fb_request *r);
/* Of the agent's first key, so that it can be told again and is stored nowhere. */
struct fb_hash fb_secret_hash(const uint8_t secret[SECRET_LEN]);
void fb_claim_token(uint8_t out[SECRET_LEN], const struct key_text *k);
struct api_key *fb_key_new(const struct fb_identity *i, const struct key_text *text, enum fb_role role,
			   uint32_t rate_per_min);
/* The key that this is, or NULL. Under the lock. */
struct api_key *fb_identity_key(const struct fb_identity *i, const struct key_text *k);
uint32_t fb_role_scopes(enum fb_role r);

/* ---- nonces (nonce.c) ---------------------------------------------------------------------------------------- */
enum { NONCE_LEN = 56 /* letters and digits */, NONCE_LIFE_S = 600, NONCES_OPEN = 1 << 26 /* newest that count */ };
struct nonces *fb_nonces_open(struct fb_clock clock, struct fb_rng rng, size_t open); /* a power of two */
void fb_nonces_close(struct nonces *n);
void fb_nonce_make(struct nonces *n, char out[NONCE_LEN]);
/* True once for each nonce of ours that is not too old. */
bool fb_nonce_use(struct nonces *n, struct fb_str nonce);

/* ---- a change (change.c) ------------------------------------------------------------------------------------- */
/* A new principal, or new facts of one, or a new key, or a principal and its first key. */
struct change {
	struct fb_identity *identity;
	struct principal *principal;
	struct api_key *key;  /* NULL: none */
	uint8_t *row;         /* of `next`; NULL: the principal stays as it is */
	struct facts next;
	int64_t seen;         /* updated_us of the facts that `next` was made from; else it is FB_BUSY */
	bool fresh;           /* the principal is made by this */
	bool guarded;         /* counts as a registration that nobody vouches for */
	bool proves;          /* next.wallet is new */
	/* Once, when it is durable and visible, or is not: FB_STORAGE, FB_DRAINING. The change is freed after it. */
	void (*done)(void *arg, enum fb_status status);
	void *arg;
};
struct change *fb_change_new(struct fb_identity *i);
/* `next` becomes the change's, its texts copied. */
void fb_change_facts(struct change *c, const struct facts *next);
/* Of a principal that exists: *f gets its facts, with texts that live as long as the change. NULL: there is none. */
struct change *fb_change_of(struct fb_identity *i, struct facts *f, const struct fb_uuid *id);
void fb_change_again(struct change *c, const struct facts *next); /* instead of those before */
void fb_change_key(struct change *c, const struct key_text *text, enum fb_role role, uint32_t rate_per_min);
/* Takes names, wallet and numbers. FB_CONFLICT: the wallet is somebody's. FB_ID_REUSED: the owner_id is. FB_BUSY.
 * FB_LIMIT. Then the change is dropped. */
FB_MUST_USE enum fb_status fb_change_take(struct change *c);
/* Hands the rows of what was taken over; `done` comes, perhaps before this returns. */
void fb_change_commit(struct change *c);
void fb_change_drop(struct change *c); /* one that was not taken */

/* ---- routes -------------------------------------------------------------------------------------------------- */
enum { BODY_MAX = 32768, ANSWER_MAX = 65536, CHANGE_MS = 30000 };
/* Begins the change and answers with that JSON when it is durable. The request waits. */
struct fb_answered fb_change_answer(struct fb_request *r, struct change *c, uint16_t status, struct fb_str json);
struct fb_answered fb_no_memory(struct fb_request *r);
struct facts fb_facts_new(const struct fb_identity *i, enum fb_principal_kind kind);
void fb_jw_kv_wallet(struct fb_jw *w, const char *key, const struct facts *f); /* null without one */

/* prove.c: a wallet's proof in a request's members `message` and `signature`. */
struct proof {
	struct fb_address wallet;
	const struct fb_value *values; /* of the body */
	fb_handler *next;              /* r->state is this proof then */
	struct proof_question *question;
};
struct fb_answered fb_prove(struct fb_request *r, const struct fb_value *values, const struct fb_value *message,
			    const struct fb_value *signature, fb_handler *next);
void fb_public_base(struct fb_buf *b, const struct fb_request *r); /* "https://pay.example" */

fb_handler fb_route_nonce, fb_route_register, fb_route_me, fb_route_wallet;
fb_handler fb_route_claim_show, fb_route_claim, fb_route_claimed;
fb_handler fb_route_key_new, fb_route_key_validate;
#endif /* FB_IDENTITY_INT_H */
