/* Opening, which loads every row; the tables' contents; closing. */
#include "identity_int.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64 };

const char *fb_role_text(enum fb_role r)
{
	switch (r) {
#define X(name, num, text)   \
	case FB_ROLE_##name: \
		return text;
		FB_ROLES(X)
#undef X
	}
	FB_UNREACHABLE("a role");
}

/* ---- what is in the tables -------------------------------------------------------------------------------------- */
static void append(struct fb_identity *i, struct principal *p)
{
	if (i->count == i->cap) {
		size_t cap = i->cap == 0 ? FIRST_CAP : 2 * i->cap;
		struct principal **more = fb_must_alloc(cap, sizeof(struct principal *));

		if (i->count > 0)
			memcpy(more, i->all, i->count * sizeof(struct principal *));
		free(i->all);
		i->all = more;
		i->cap = cap;
	}
	i->all[i->count++] = p;
}

void fb_identity_add(struct fb_identity *i, struct principal *p)
{
	append(i, p);
	fb_map_add(&i->by_id, &p->by_id, p->is.id.bytes, sizeof(p->is.id.bytes), p);
	if (p->is.kind != FB_PRINCIPAL_PROFILE) {
		p->owner_id_len = p->is.owner_id.len;
		memcpy(p->owner_id, p->is.owner_id.at, p->owner_id_len);
		fb_map_add(&i->by_owner_id, &p->by_owner_id, p->owner_id, p->owner_id_len, p);
	}
	if (p->is.has_wallet) {
		p->wallets[p->wallet_slot] = p->is.wallet;
		fb_map_add(&i->by_wallet, &p->by_wallet[p->wallet_slot], p->wallets[p->wallet_slot].bytes, 20, p);
	}
	if (p->is.has_claim) {
		p->claim = p->is.claim;
		fb_map_add(&i->by_claim, &p->by_claim, p->claim.bytes, sizeof(p->claim.bytes), p);
	}
}

static void free_principal(struct principal *p)
{
	free(p->row);
	free(p);
}

void fb_identity_drop(struct fb_identity *i, struct principal *p)
{
	size_t at = i->count;

	FB_ASSERT(p->keys == NULL);
	while (i->all[--at] != p)
		FB_ASSERT(at > 0);
	memmove(i->all + at, i->all + at + 1, (i->count - at - 1) * sizeof(struct principal *));
	i->count--;
	fb_map_remove(&i->by_id, &p->by_id);
	if (p->is.kind != FB_PRINCIPAL_PROFILE)
		fb_map_remove(&i->by_owner_id, &p->by_owner_id);
	if (p->is.has_wallet)
		fb_map_remove(&i->by_wallet, &p->by_wallet[p->wallet_slot]);
	if (p->is.has_claim)
		fb_map_remove(&i->by_claim, &p->by_claim);
	free_principal(p);
}

struct api_key *fb_key_new(const struct fb_identity *i, const struct key_text *text, enum fb_role role,
			   uint32_t rate_per_min)
{
	struct api_key *k = fb_must_alloc(1, sizeof(*k));

	k->is = (struct key_facts){ .number = text->number, .secret = fb_secret_hash(text->secret), .role = role,
				    .scopes = fb_role_scopes(role), .rate_per_min = rate_per_min,
				    .created_us = fb_identity_now(i) };
	return k;
}

void fb_identity_add_key(struct fb_identity *i, struct api_key *k, struct principal *of)
{
	k->is.principal = of->is.id;
	k->of = of;
	k->next = of->keys;
	of->keys = k;
	of->key_count++;
	i->key_count++;
	fb_put_be64(k->number, k->is.number);
	fb_map_add(&i->by_number, &k->by_number, k->number, sizeof(k->number), k);
}

void fb_identity_drop_key(struct fb_identity *i, struct api_key *k)
{
	struct api_key **at = &k->of->keys;

	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	k->of->key_count--;
	i->key_count--;
	fb_map_remove(&i->by_number, &k->by_number);
	free(k);
}

struct principal *fb_identity_by_id(const struct fb_identity *i, const struct fb_uuid *id)
{
	struct principal *p = fb_map_find(&i->by_id, id->bytes, sizeof(id->bytes));

	return p != NULL && p->durable ? p : NULL;
}

struct principal *fb_identity_by_text(const struct fb_identity *i, struct fb_str text)
{
	struct principal *p = NULL;
	struct fb_uuid id;

	if (fb_uuid_parse(&id, text) == FB_OK)
		p = fb_map_find(&i->by_id, id.bytes, sizeof(id.bytes));
	if (p == NULL && text.len > 0 && text.len <= FB_OWNER_ID_MAX)
		p = fb_map_find(&i->by_owner_id, text.at, text.len);
	return p != NULL && p->durable ? p : NULL;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */
struct loading {
	struct fb_identity *identity;
	struct fb_error *error;
	enum fb_status status;
};

static bool bad(struct loading *l, const char *why)
{
	l->status = fb_error_set(l->error, FB_STORAGE, "a stored row of a principal or an API key %s", why);
	return false;
}

static bool is_taken(const struct fb_identity *i, const struct facts *f)
{
	return fb_map_find(&i->by_id, f->id.bytes, 16) != NULL ||
	       (f->kind != FB_PRINCIPAL_PROFILE && fb_map_find(&i->by_owner_id, f->owner_id.at, f->owner_id.len) != NULL) ||
	       (f->has_wallet && fb_map_find(&i->by_wallet, f->wallet.bytes, 20) != NULL) ||
	       (f->has_claim && fb_map_find(&i->by_claim, f->claim.bytes, 32) != NULL);
}

static bool load_principal(void *arg, struct fb_str key, struct fb_str value)
{
	struct loading *l = arg;
	struct principal *p;
	struct facts f;
	uint8_t *row;

	if (fb_principal_read(&f, key, value) != FB_OK)
		return bad(l, "cannot be read");
	if (is_taken(l->identity, &f)) /* I1 */
		return bad(l, "contradicts another one");
	row = fb_must_alloc(value.len, 1);
	memcpy(row, value.at, value.len);
	p = fb_must_alloc(1, sizeof(*p));
	p->row = row;
	FB_ASSERT(fb_principal_read(&p->is, key, (struct fb_str){ (const char *)row, value.len }) == FB_OK);
	p->durable = true;
	fb_identity_add(l->identity, p);
	return true;
}

static bool load_key(void *arg, struct fb_str key, struct fb_str value)
{
	struct loading *l = arg;
	struct principal *of;
	struct key_facts f;
	struct api_key *k;

	if (fb_key_row_read(&f, key, value) != FB_OK)
		return bad(l, "cannot be read");
	of = fb_identity_by_id(l->identity, &f.principal);
	if (of == NULL)
		return bad(l, "belongs to nobody");
	k = fb_must_alloc(1, sizeof(*k));
	k->is = f;
	k->durable = true;
	fb_identity_add_key(l->identity, k, of);
	return true;
}

static int older(const void *a, const void *b)
{
	const struct principal *const *x = a, *const *y = b;

	if ((*x)->is.created_us != (*y)->is.created_us)
		return (*x)->is.created_us < (*y)->is.created_us ? -1 : 1;
	return memcmp((*x)->is.id.bytes, (*y)->is.id.bytes, 16);
}

static enum fb_status load(struct fb_identity *i, struct fb_store *store, struct fb_error *e)
{
	struct loading l = { i, e, FB_OK };
	enum fb_status st = fb_store_scan(store, FB_STR("P"), load_principal, &l);

	if (st == FB_OK && l.status == FB_OK)
		st = fb_store_scan(store, FB_STR("K"), load_key, &l);
	if (st != FB_OK)
		return fb_error_set(e, st, "the rows of principals cannot be read");
	if (i->count > 0)
		qsort(i->all, i->count, sizeof(struct principal *), older);
	return l.status;
}

/* ---- opening, closing ------------------------------------------------------------------------------------------- */
enum fb_status fb_identity_open(struct fb_identity **out, struct fb_store *store, struct fb_commit commit,
				const struct fb_identity_settings *settings, struct fb_identity_ports ports,
				struct fb_error *e)
{
	struct fb_identity *i = fb_must_alloc(1, sizeof(*i));
	enum fb_status st;

	FB_ASSERT(settings->registrations_per_min >= 1);
	i->settings = *settings;
	i->ports = ports;
	i->commit = commit;
	i->nonces = fb_nonces_open(settings->clock, settings->rng, NONCES_OPEN);
	FB_ASSERT(pthread_rwlock_init(&i->lock, NULL) == 0);
	fb_map_open(&i->by_id, settings->rng);
	fb_map_open(&i->by_owner_id, settings->rng);
	fb_map_open(&i->by_wallet, settings->rng);
	fb_map_open(&i->by_claim, settings->rng);
	fb_map_open(&i->by_number, settings->rng);
	st = load(i, store, e);
	if (st != FB_OK) {
		fb_identity_close(i);
		return st;
	}
	*out = i;
	return FB_OK;
}

static void free_keys(struct principal *p)
{
	struct api_key *k, *next;

	for (k = p->keys; k != NULL; k = next) {
		next = k->next;
		free(k);
	}
}

void fb_identity_close(struct fb_identity *i)
{
	if (i == NULL)
		return;
	for (size_t n = 0; n < i->count; n++) {
		free_keys(i->all[n]);
		free_principal(i->all[n]);
	}
	free(i->all);
	fb_map_close(&i->by_id);
	fb_map_close(&i->by_owner_id);
	fb_map_close(&i->by_wallet);
	fb_map_close(&i->by_claim);
	fb_map_close(&i->by_number);
	fb_nonces_close(i->nonces);
	pthread_rwlock_destroy(&i->lock);
	free(i);
}
