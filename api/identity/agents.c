/* /v1/agents: registration with a wallet, the agent's own data, its wallet. */
#include "identity_int.h"

#include "farebox/crypto.h"

#include <string.h>

enum { CLAIM_DAYS = 30, MEMBERS = 4 };
#define MICROSECONDS_A_DAY INT64_C(86400000000)

enum { MESSAGE_MAX = 4096, SIGNATURE_TEXT_MAX = 8194 };

/* ---- nonce --------------------------------------------------------------------------------------------------- */
struct fb_answered fb_route_nonce(struct fb_request *r)
{
	struct fb_identity *i = r->ctx;
	struct fb_buf b = fb_arena_buf(r->arena, 256);
	char nonce[NONCE_LEN];
	struct fb_jw w;

	fb_nonce_make(i->nonces, nonce);
	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	fb_jw_kv_str(&w, "nonce", (struct fb_str){ nonce, sizeof(nonce) });
	fb_jw_end(&w);
	return fb_envelope_data(r, 200, fb_buf_view(&b));
}

/* ---- texts --------------------------------------------------------------------------------------------------- */
void fb_public_base(struct fb_buf *b, const struct fb_request *r)
{
	const struct fb_identity *i = r->ctx;

	if (i->settings.public_url[0] != '\0') {
		fb_buf_text(b, i->settings.public_url);
		return;
	}
	fb_buf_text(b, "http://");
	fb_buf_str(b, r->host);
}

static void write_claim_url(struct fb_jw *w, const struct fb_request *r, const struct key_text *key)
{
	struct fb_buf b = fb_arena_buf(r->arena, FB_HTTP_HEADERS_MAX);
	uint8_t token[SECRET_LEN];

	fb_claim_token(token, key);
	fb_public_base(&b, r);
	fb_buf_text(&b, "/v1/agents/claim/");
	for (size_t i = 0; i < sizeof(token); i++)
		fb_buf_printf(&b, "%02x", token[i]);
	fb_jw_kv_str(w, "claimUrl", fb_buf_view(&b));
}

void fb_jw_kv_wallet(struct fb_jw *w, const char *key, const struct facts *f)
{
	char block[FB_ADDRESS_TEXT_LEN];
	struct fb_buf b;

	fb_jw_key(w, key);
	if (!f->has_wallet) {
		fb_jw_null(w);
		return;
	}
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_address_checksum(&b, &f->wallet);
	fb_jw_str(w, fb_buf_view(&b));
}

/* ---- register ------------------------------------------------------------------------------------------------ */
static const struct fb_member register_members[MEMBERS] = {
	{ "name", FB_MEMBER_TEXT, true, 1, FB_NAME_MAX },
	{ "description", FB_MEMBER_TEXT, false, 0, FB_DESCRIPTION_MAX },
	{ "message", FB_MEMBER_TEXT, true, 1, MESSAGE_MAX },
	{ "signature", FB_MEMBER_TEXT, true, 2, SIGNATURE_TEXT_MAX },
};

struct facts fb_facts_new(const struct fb_identity *i, enum fb_principal_kind kind)
{
	const struct fb_str none = { "", 0 };
	int64_t now = fb_identity_now(i);
	uint8_t random[16];

	i->settings.rng.fill(i->settings.rng.ctx, random, sizeof(random));
	return (struct facts){ .id = fb_uuid_make(random), .kind = kind, .standing = STANDING_ACTIVE,
			       .type = TYPE_API_KEY_ONLY, .created_us = now, .updated_us = now, .owner_id = none,
			       .name = none, .description = none, .shown_wallet = none, .capabilities = none,
			       .metadata = none };
}

static struct fb_str registered(struct fb_request *r, const struct facts *f, const struct key_text *key)
{
	struct fb_buf b = fb_arena_buf(r->arena, 2 * FB_HTTP_HEADERS_MAX), token;
	char block[FB_KEY_TEXT_MAX];
	struct fb_jw w;

	fb_buf_init(&token, block, sizeof(block));
	fb_key_text_token(&token, key);
	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	fb_jw_kv_uuid(&w, "entityId", &f->id);
	fb_jw_kv_str(&w, "apiKey", fb_buf_view(&token));
	write_claim_url(&w, r, key);
	fb_jw_kv_wallet(&w, "walletAddress", f);
	fb_jw_end(&w);
	explicit_bzero(block, sizeof(block));
	return fb_buf_view(&b);
}

static struct fb_answered register_proven(struct fb_request *r)
{
	const struct proof *proof = r->state;
	struct fb_identity *i = r->ctx;
	struct change *c = fb_change_new(i);
	struct facts f = fb_facts_new(i, FB_PRINCIPAL_AGENT);
	char id[FB_UUID_TEXT_LEN];
	uint8_t token[SECRET_LEN];
	struct key_text key;
	struct fb_buf b;

	fb_key_text_make(&key, i->settings.rng);
	fb_claim_token(token, &key);
	fb_buf_init(&b, id, sizeof(id));
	fb_buf_uuid(&b, &f.id);
	f.owner_id = fb_buf_view(&b);
	f.name = proof->values[0].text;
	f.description = proof->values[1].present ? proof->values[1].text : f.description;
	f.has_wallet = f.has_claim = true;
	f.wallet = proof->wallet;
	f.wallet_us = f.created_us;
	f.claim = fb_secret_hash(token);
	f.claim_until_us = f.created_us + CLAIM_DAYS * MICROSECONDS_A_DAY;
	c->fresh = c->guarded = c->proves = true;
	fb_change_facts(c, &f);
	fb_change_key(c, &key, FB_ROLE_PROVIDER, FB_RATE_DEFAULT);
	return fb_change_answer(r, c, 201, registered(r, &f, &key));
}

struct fb_answered fb_route_register(struct fb_request *r)
{
	struct fb_value *v = fb_arena_alloc(r->arena, MEMBERS, sizeof(*v));
	struct fb_problem p;

	if (v == NULL)
		return fb_no_memory(r);
	if (!fb_body_read(&p, v, r, register_members, MEMBERS))
		return fb_envelope_problem(r, &p);
	return fb_prove(r, v, &v[2], &v[3], register_proven);
}

/* ---- me ------------------------------------------------------------------------------------------------------ */
static void write_me(struct fb_jw *w, const struct fb_request *r, const struct facts *f, const struct key_text *key)
{
	int64_t now = fb_identity_now(r->ctx);
	char block[KEY_ID_LEN];
	uint8_t token[SECRET_LEN];
	struct fb_hash hash;
	struct fb_buf id;

	fb_buf_init(&id, block, sizeof(block));
	fb_key_text_id(&id, key->number);
	fb_claim_token(token, key);
	hash = fb_secret_hash(token);
	fb_jw_object(w);
	fb_jw_kv_uuid(w, "entityId", &f->id);
	fb_jw_kv_str(w, "name", f->name);
	fb_jw_kv_str(w, "description", f->description);
	fb_jw_kv_str(w, "apiKeyPrefix", fb_buf_view(&id));
	fb_jw_kv_bool(w, "claimed", f->has_holder);
	if (f->has_claim && now < f->claim_until_us && fb_bytes_eq_secret(hash.bytes, f->claim.bytes, 32))
		write_claim_url(w, r, key);
	fb_jw_kv_wallet(w, "walletAddress", f);
	if (f->changed_us != 0)
		fb_jw_kv_time(w, "withdrawalsFrom", f->changed_us +
			      (int64_t)((struct fb_identity *)r->ctx)->settings.wallet_hold_s * 1000000);
	fb_jw_kv_time(w, "createdAt", f->created_us);
	fb_jw_end(w);
}

struct fb_answered fb_route_me(struct fb_request *r)
{
	struct fb_identity *i = r->ctx;
	struct fb_buf b = fb_arena_buf(r->arena, ANSWER_MAX);
	const struct api_key *k;
	struct key_text text;
	struct fb_jw w;
	bool agent;

	if (fb_key_text_of(&text, r) != FB_OK)
		return fb_envelope_status(r, FB_UNAUTHORIZED, NULL);
	fb_jw_init(&w, &b);
	pthread_rwlock_rdlock(&i->lock);
	k = fb_identity_key(i, &text);
	agent = k != NULL && k->of->is.kind == FB_PRINCIPAL_AGENT;
	if (agent)
		write_me(&w, r, &k->of->is, &text);
	pthread_rwlock_unlock(&i->lock);
	if (k == NULL)
		return fb_envelope_status(r, FB_UNAUTHORIZED, NULL);
	return agent ? fb_envelope_data(r, 200, fb_buf_view(&b)) :
		       fb_envelope_status(r, FB_FORBIDDEN, "this is for agents that registered with a wallet");
}

/* ---- wallet -------------------------------------------------------------------------------------------------- */
static const struct fb_member wallet_members[] = {
	{ "message", FB_MEMBER_TEXT, true, 1, MESSAGE_MAX },
	{ "signature", FB_MEMBER_TEXT, true, 2, SIGNATURE_TEXT_MAX },
};

static struct fb_str linked(struct fb_request *r, const struct facts *f)
{
	struct fb_buf b = fb_arena_buf(r->arena, 512);
	struct fb_jw w;

	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	fb_jw_kv_uuid(&w, "entityId", &f->id);
	fb_jw_kv_wallet(&w, "walletAddress", f);
	fb_jw_end(&w);
	return fb_buf_view(&b);
}

static struct fb_answered wallet_proven(struct fb_request *r)
{
	const struct proof *proof = r->state;
	struct fb_identity *i = r->ctx;
	struct fb_caller caller;
	struct fb_problem p;
	struct change *c;
	struct facts f;

	if (!fb_identity_need(i, &caller, &p, r, FB_SCOPE_MANAGE))
		return fb_envelope_problem(r, &p);
	c = fb_change_of(i, &f, &caller.principal);
	FB_ASSERT(c != NULL); /* principals stay */
	if (f.has_wallet && fb_address_eq(&f.wallet, &proof->wallet)) {
		struct fb_str json = linked(r, &f);

		fb_change_drop(c);
		return fb_envelope_data(r, 200, json);
	}
	f.updated_us = fb_identity_now(i);
	f.changed_us = f.has_wallet ? f.updated_us : 0;
	f.wallet_us = f.updated_us;
	f.has_wallet = true;
	f.wallet = proof->wallet;
	c->proves = true;
	fb_change_again(c, &f);
	return fb_change_answer(r, c, 200, linked(r, &c->next));
}

struct fb_answered fb_route_wallet(struct fb_request *r)
{
	struct fb_value *v = fb_arena_alloc(r->arena, FB_COUNT(wallet_members), sizeof(*v));
	struct fb_caller caller;
	struct fb_problem p;

	if (v == NULL)
		return fb_no_memory(r);
	if (!fb_identity_need(r->ctx, &caller, &p, r, FB_SCOPE_MANAGE) ||
	    !fb_body_read(&p, v, r, wallet_members, FB_COUNT(wallet_members)))
		return fb_envelope_problem(r, &p);
	return fb_prove(r, v, &v[0], &v[1], wallet_proven);
}
