/* /api/v1/keys, and keys from the command line. */
#include "identity_int.h"

#include "farebox/crypto.h"

#include <stdlib.h>
#include <string.h>

/* ---- a key for an owner_id -------------------------------------------------------------------------------------- */
struct wish {
	struct fb_str owner_id, shown_wallet;
	enum fb_role role;
	uint32_t rate_per_min;
	bool guarded; /* nobody vouches for it */
};

/* The change that makes it: of whoever has the owner_id, else of a new principal. */
static struct change *plan(struct fb_identity *i, const struct wish *wish, const struct key_text *key)
{
	struct change *c = fb_change_new(i);
	struct facts f;

	pthread_rwlock_rdlock(&i->lock);
	c->principal = fb_identity_by_text(i, wish->owner_id);
	pthread_rwlock_unlock(&i->lock);
	if (c->principal == NULL) {
		f = fb_facts_new(i, FB_PRINCIPAL_OWNER);
		f.owner_id = f.name = wish->owner_id;
		if (f.name.len > FB_NAME_MAX)
			f.name.len = 0;
		f.shown_wallet = wish->shown_wallet;
		c->fresh = true;
		c->guarded = wish->guarded;
		fb_change_facts(c, &f);
	}
	fb_change_key(c, key, wish->role, wish->rate_per_min);
	return c;
}

/* ---- POST /api/v1/keys ------------------------------------------------------------------------------------------ */
static const struct fb_member key_members[] = {
	{ "owner_id", FB_MEMBER_TEXT, true, 1, FB_OWNER_ID_MAX },
	{ "role", FB_MEMBER_TEXT, false, 1, 16 },
	{ "rate_limit", FB_MEMBER_NUMBER, false, 1, FB_RATE_MAX },
	{ "wallet_address", FB_MEMBER_TEXT, false, 0, SHOWN_WALLET_MAX },
};

static bool role_parse(enum fb_role *out, struct fb_str text)
{
	static const enum fb_role roles[] = { FB_ROLE_BUYER, FB_ROLE_PROVIDER, FB_ROLE_ADMIN };

	for (size_t n = 0; n < FB_COUNT(roles); n++)
		if (fb_str_eq(text, fb_str_of(fb_role_text(roles[n])))) {
			*out = roles[n];
			return true;
		}
	return false;
}

static bool is_address(struct fb_str text)
{
	struct fb_address a;

	return fb_address_parse_checked(&a, text) == FB_OK;
}

static bool read_wish(struct fb_problem *p, struct wish *out, struct fb_request *r)
{
	struct fb_value v[FB_COUNT(key_members)];

	if (!fb_body_read(p, v, r, key_members, FB_COUNT(key_members)))
		return false;
	*out = (struct wish){ .owner_id = v[0].text, .shown_wallet = { "", 0 }, .role = FB_ROLE_BUYER,
			      .rate_per_min = v[2].present ? (uint32_t)v[2].number : FB_RATE_DEFAULT };
	if (v[1].present && !role_parse(&out->role, v[1].text))
		return fb_problem_field(p, "role", "want buyer, provider or admin");
	if (v[3].present && !is_address(v[3].text))
		return fb_problem_field(p, "wallet_address", "want an address, 0x and 40 hex digits");
	if (v[3].present)
		out->shown_wallet = v[3].text;
	return true;
}

/* Whose key it would be: the caller's own, or an admin's business. */
static bool may_ask(struct fb_problem *p, struct fb_identity *i, struct wish *wish, const struct fb_request *r)
{
	struct fb_principal_view view;
	struct fb_caller caller;
	enum fb_status st = fb_identity_caller(i, &caller, r);
	bool known = fb_identity_find(i, &view, wish->owner_id) == FB_OK;

	if (st == FB_UNAUTHORIZED)
		return fb_problem_set(p, 401, "unauthorized", "the API key is not valid");
	if (known && view.kind == FB_PRINCIPAL_PROFILE)
		return fb_problem_field(p, "owner_id", "this is an agent's id: want its owner's");
	wish->guarded = st != FB_OK;
	if (st == FB_OK && (caller.scopes & FB_SCOPE_ADMIN) != 0)
		return true;
	if (wish->role == FB_ROLE_ADMIN)
		return fb_problem_set(p, st == FB_OK ? 403 : 401, st == FB_OK ? "forbidden" : "unauthorized",
				      "role: an admin's key is needed for another one");
	if (st != FB_OK && (known || wish->role != FB_ROLE_BUYER))
		return fb_problem_set(p, 401, "unauthorized", "%s", known ?
				      "owner_id: it exists; a key of it is needed for another one" :
				      "role: without a key, want buyer");
	if (st == FB_OK && (!known || !fb_uuid_eq(&view.id, &caller.principal)))
		return fb_problem_set(p, 403, "forbidden", "owner_id: want the caller's own");
	return st != FB_OK || (caller.scopes & FB_SCOPE_MANAGE) != 0 ||
	       fb_problem_set(p, 403, "forbidden", "this API key may not make others");
}

static struct fb_str made(struct fb_request *r, const struct wish *wish, const struct key_text *key)
{
	struct fb_buf b = fb_arena_buf(r->arena, 1024), part;
	char block[FB_KEY_TEXT_MAX];
	struct fb_jw w;

	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	fb_buf_init(&part, block, sizeof(block));
	fb_key_text_id(&part, key->number);
	fb_jw_kv_str(&w, "key_id", fb_buf_view(&part));
	fb_buf_init(&part, block, sizeof(block));
	fb_key_text_secret(&part, key);
	fb_jw_kv_str(&w, "secret", fb_buf_view(&part));
	fb_jw_kv_text(&w, "role", fb_role_text(wish->role));
	fb_jw_kv_u64(&w, "rate_limit", wish->rate_per_min);
	fb_jw_kv_text(&w, "message", "Keep the secret: it is shown this once.");
	fb_jw_end(&w);
	explicit_bzero(block, sizeof(block));
	return fb_buf_view(&b);
}

struct fb_answered fb_route_key_new(struct fb_request *r)
{
	struct fb_identity *i = r->ctx;
	struct fb_problem p;
	struct key_text key;
	struct wish wish;

	if (!read_wish(&p, &wish, r) || !may_ask(&p, i, &wish, r))
		return fb_envelope_problem(r, &p);
	fb_key_text_make(&key, i->settings.rng);
	return fb_change_answer(r, plan(i, &wish, &key), 201, made(r, &wish, &key));
}

/* ---- POST /api/v1/keys/validate --------------------------------------------------------------------------------- */
static const struct fb_member validate_members[] = {
	{ "key_id", FB_MEMBER_TEXT, true, 1, FB_KEY_TEXT_MAX },
	{ "secret", FB_MEMBER_TEXT, true, 1, FB_KEY_TEXT_MAX },
};

static void write_valid(struct fb_jw *w, const struct api_key *k)
{
	fb_jw_object(w);
	fb_jw_kv_bool(w, "valid", true);
	fb_jw_kv_str(w, "owner_id", k->of->is.owner_id);
	fb_jw_kv_text(w, "role", fb_role_text(k->is.role));
	fb_jw_kv_u64(w, "rate_limit", k->is.rate_per_min);
	fb_jw_end(w);
}

struct fb_answered fb_route_key_validate(struct fb_request *r)
{
	struct fb_identity *i = r->ctx;
	struct fb_value v[FB_COUNT(validate_members)];
	struct fb_buf b = fb_arena_buf(r->arena, 2048);
	const struct api_key *k = NULL;
	struct fb_problem p;
	struct key_text text;
	struct fb_jw w;

	if (!fb_body_read(&p, v, r, validate_members, FB_COUNT(validate_members)))
		return fb_envelope_problem(r, &p);
	fb_jw_init(&w, &b);
	if (fb_key_text_parse_pair(&text, v[0].text, v[1].text)) {
		pthread_rwlock_rdlock(&i->lock);
		k = fb_identity_key(i, &text);
		if (k != NULL)
			write_valid(&w, k);
		pthread_rwlock_unlock(&i->lock);
	}
	return k == NULL ? fb_envelope_status(r, FB_UNAUTHORIZED, "the key is not valid") :
			   fb_envelope_data(r, 200, fb_buf_view(&b));
}

/* ---- the command line ------------------------------------------------------------------------------------------- */
struct latch {
	pthread_mutex_t lock;
	pthread_cond_t rung;
	bool done;
	enum fb_status status;
};

static void on_done(void *arg, enum fb_status status)
{
	struct latch *l = arg;

	pthread_mutex_lock(&l->lock);
	l->done = true;
	l->status = status;
	pthread_cond_signal(&l->rung);
	pthread_mutex_unlock(&l->lock);
}

enum fb_status fb_identity_make_key(struct fb_identity *i, struct fb_buf *out, struct fb_str owner_id,
				    enum fb_role role)
{
	const struct wish wish = { .owner_id = owner_id, .shown_wallet = { "", 0 }, .role = role,
				   .rate_per_min = FB_RATE_DEFAULT };
	struct latch l = { .lock = PTHREAD_MUTEX_INITIALIZER, .rung = PTHREAD_COND_INITIALIZER };
	struct key_text key;
	struct change *c;
	enum fb_status st;

	FB_ASSERT(owner_id.len >= 1 && owner_id.len <= FB_OWNER_ID_MAX);
	fb_key_text_make(&key, i->settings.rng);
	c = plan(i, &wish, &key);
	c->done = on_done;
	c->arg = &l;
	st = fb_change_take(c);
	if (st != FB_OK)
		return st;
	fb_change_commit(c);
	pthread_mutex_lock(&l.lock);
	while (!l.done)
		pthread_cond_wait(&l.rung, &l.lock);
	pthread_mutex_unlock(&l.lock);
	if (l.status == FB_OK)
		fb_key_text_token(out, &key);
	explicit_bzero(&key, sizeof(key));
	return l.status;
}
