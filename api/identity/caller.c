/* Who is calling, and who owns what: what every other part asks. */
#include "identity_int.h"

#include <string.h>

static void describe(struct fb_caller *out, const struct api_key *k)
{
	const struct facts *f = &k->of->is;

	*out = (struct fb_caller){ .principal = f->id, .owner = fb_owner_of_uuid(&f->id), .kind = f->kind,
				   .role = k->is.role, .scopes = k->is.scopes, .rate_per_min = k->is.rate_per_min,
				   .key = k->is.number, .owner_id_len = f->owner_id.len };
	memcpy(out->owner_id, f->owner_id.at, f->owner_id.len);
}

enum fb_status fb_identity_caller(struct fb_identity *i, struct fb_caller *out, const struct fb_request *r)
{
	const struct api_key *k;
	struct key_text text;
	enum fb_status st = fb_key_text_of(&text, r);

	if (st != FB_OK)
		return st;
	pthread_rwlock_rdlock(&i->lock);
	k = fb_identity_key(i, &text);
	if (k != NULL)
		describe(out, k);
	pthread_rwlock_unlock(&i->lock);
	return k == NULL ? FB_UNAUTHORIZED : FB_OK;
}

bool fb_identity_need(struct fb_identity *i, struct fb_caller *out, struct fb_problem *p, const struct fb_request *r,
		      uint32_t scopes)
{
	enum fb_status st = fb_identity_caller(i, out, r);

	if (st == FB_MISSING)
		return fb_problem_set(p, 401, "unauthorized", "an API key is needed: Authorization: Bearer KEY");
	if (st != FB_OK)
		return fb_problem_set(p, 401, "unauthorized", "the API key is not valid");
	if ((out->scopes & scopes) != scopes)
		return fb_problem_set(p, 403, "forbidden", "this API key's role is %s, which may not do that",
				      fb_role_text(out->role));
	return true;
}

enum fb_status fb_identity_authorise(struct fb_identity *i, const struct fb_request *r)
{
	struct fb_caller caller;

	return fb_identity_caller(i, &caller, r) == FB_OK ? FB_OK : FB_UNAUTHORIZED;
}

/* A wallet that is only being taken is not found. */
static const struct principal *holder_of(const struct fb_identity *i, const struct fb_address *wallet)
{
	const struct principal *p = fb_map_find(&i->by_wallet, wallet->bytes, sizeof(wallet->bytes));

	return p != NULL && p->durable && p->is.has_wallet && fb_address_eq(&p->is.wallet, wallet) ? p : NULL;
}

bool fb_identity_owner_of(struct fb_identity *i, struct fb_owner *out, const struct fb_address *wallet)
{
	const struct principal *p;

	pthread_rwlock_rdlock(&i->lock);
	p = holder_of(i, wallet);
	if (p != NULL)
		*out = fb_owner_of_uuid(&p->is.id);
	pthread_rwlock_unlock(&i->lock);
	return p != NULL;
}

bool fb_identity_wallet(struct fb_identity *i, const struct fb_owner *owner, struct fb_address *wallet,
			int64_t *changed_us)
{
	const struct principal *p;
	struct fb_uuid id;
	bool found;

	memcpy(id.bytes, owner->bytes, sizeof(id.bytes));
	pthread_rwlock_rdlock(&i->lock);
	p = fb_identity_by_id(i, &id);
	found = p != NULL && p->is.has_wallet;
	if (found) {
		*wallet = p->is.wallet;
		*changed_us = p->is.changed_us;
	}
	pthread_rwlock_unlock(&i->lock);
	return found;
}

enum fb_status fb_identity_find(struct fb_identity *i, struct fb_principal_view *out, struct fb_str id)
{
	const struct principal *p;

	pthread_rwlock_rdlock(&i->lock);
	p = fb_identity_by_text(i, id);
	if (p != NULL) {
		*out = (struct fb_principal_view){ .id = p->is.id, .owner = fb_owner_of_uuid(&p->is.id),
						   .kind = p->is.kind, .active = p->is.standing == STANDING_ACTIVE,
						   .verified = p->is.verified, .name_len = p->is.name.len,
						   .owner_id_len = p->is.owner_id.len };
		memcpy(out->name, p->is.name.at, p->is.name.len);
		memcpy(out->owner_id, p->is.owner_id.at, p->is.owner_id.len);
	}
	pthread_rwlock_unlock(&i->lock);
	return p == NULL ? FB_NOT_FOUND : FB_OK;
}

void fb_identity_wallets(struct fb_identity *i, void (*each)(void *arg, const struct fb_address *wallet), void *arg)
{
	pthread_rwlock_rdlock(&i->lock);
	for (size_t n = 0; n < i->count; n++)
		if (i->all[n]->durable && i->all[n]->is.has_wallet)
			each(arg, &i->all[n]->is.wallet);
	pthread_rwlock_unlock(&i->lock);
}
