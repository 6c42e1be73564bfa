/* A change: names are taken under the lock, rows are made durable, and only then does anybody see it. */
#include "identity_int.h"

#include <stdlib.h>
#include <string.h>

enum { MICROSECONDS_A_MINUTE = 60000000, PUTS = 2 };

struct change *fb_change_new(struct fb_identity *i)
{
	struct change *c = fb_must_alloc(1, sizeof(*c));

	c->identity = i;
	return c;
}

void fb_change_facts(struct change *c, const struct facts *next)
{
	uint8_t key[PRINCIPAL_KEY_LEN];
	size_t len;

	FB_ASSERT(c->row == NULL);
	c->row = fb_must_alloc(PRINCIPAL_ROW_MAX, 1);
	len = fb_principal_write(c->row, next);
	fb_principal_key(key, &next->id);
	FB_ASSERT(fb_principal_read(&c->next, (struct fb_str){ (const char *)key, sizeof(key) },
				    (struct fb_str){ (const char *)c->row, len }) == FB_OK);
}

struct change *fb_change_of(struct fb_identity *i, struct facts *f, const struct fb_uuid *id)
{
	struct change *c = fb_change_new(i);

	pthread_rwlock_rdlock(&i->lock);
	c->principal = fb_identity_by_id(i, id);
	if (c->principal != NULL) {
		*f = c->principal->is;
		c->seen = f->updated_us;
		fb_change_facts(c, f); /* texts of our own: the row may be replaced when the lock is given back */
		*f = c->next;
	}
	pthread_rwlock_unlock(&i->lock);
	if (c->principal != NULL)
		return c;
	fb_change_drop(c);
	return NULL;
}

void fb_change_again(struct change *c, const struct facts *next)
{
	uint8_t *old = c->row;

	c->row = NULL;
	fb_change_facts(c, next);
	free(old);
}

void fb_change_key(struct change *c, const struct key_text *text, enum fb_role role, uint32_t rate_per_min)
{
	FB_ASSERT(c->key == NULL);
	c->key = fb_key_new(c->identity, text, role, rate_per_min);
}

void fb_change_drop(struct change *c)
{
	free(c->row);
	free(c->key);
	free(c);
}

/* ---- taking -------------------------------------------------------------------------------------------------- */
/* A bucket of one minute's registrations that fills evenly. */
static bool take_from_bucket(struct fb_identity *i)
{
	uint64_t now = (uint64_t)fb_identity_now(i), each = MICROSECONDS_A_MINUTE / i->settings.registrations_per_min;
	uint64_t from = i->bucket_us > now - MICROSECONDS_A_MINUTE ? i->bucket_us : now - MICROSECONDS_A_MINUTE;

	if (from + each > now)
		return false;
	i->bucket_us = from + each;
	return true;
}

static enum fb_status check_fresh(const struct fb_identity *i, const struct change *c)
{
	if (i->count == FB_PRINCIPALS_MAX)
		return FB_LIMIT;
	if (c->next.kind != FB_PRINCIPAL_PROFILE &&
	    fb_map_find(&i->by_owner_id, c->next.owner_id.at, c->next.owner_id.len) != NULL)
		return FB_ID_REUSED;
	return FB_OK;
}

static enum fb_status check(struct fb_identity *i, const struct change *c)
{
	enum fb_status st = c->fresh ? check_fresh(i, c) : FB_OK;

	if (st != FB_OK)
		return st;
	if (!c->fresh && c->row != NULL && (c->principal->busy || c->principal->is.updated_us != c->seen))
		return FB_BUSY;
	if (c->proves && fb_map_find(&i->by_wallet, c->next.wallet.bytes, 20) != NULL)
		return FB_CONFLICT;
	if (c->key != NULL && (i->key_count == FB_KEYS_MAX ||
			       (!c->fresh && c->principal->key_count == FB_KEYS_EACH_MAX)))
		return FB_LIMIT;
	return c->guarded && !take_from_bucket(i) ? FB_LIMIT : FB_OK;
}

static void take_wallet(struct fb_identity *i, struct principal *p, const struct fb_address *wallet)
{
	unsigned slot = p->wallet_slot ^ 1u;

	p->wallets[slot] = *wallet;
	fb_map_add(&i->by_wallet, &p->by_wallet[slot], p->wallets[slot].bytes, 20, p);
}

static void take(struct fb_identity *i, struct change *c)
{
	struct principal *p = c->principal;

	if (c->fresh) {
		p = c->principal = fb_must_alloc(1, sizeof(*p));
		p->row = c->row;
		p->is = c->next;
		fb_identity_add(i, p);
	} else if (c->row != NULL) {
		p->busy = true;
		if (c->proves)
			take_wallet(i, p, &c->next.wallet);
	}
	if (c->key != NULL)
		fb_identity_add_key(i, c->key, p);
}

/* ---- the end ------------------------------------------------------------------------------------------------- */
static void leave_wallet(struct fb_identity *i, struct principal *p, unsigned slot)
{
	fb_map_remove(&i->by_wallet, &p->by_wallet[slot]);
}

static void publish(struct fb_identity *i, struct change *c)
{
	struct principal *p = c->principal;

	if (c->key != NULL)
		c->key->durable = true;
	if (c->fresh) {
		p->durable = true;
		return;
	}
	if (c->row == NULL)
		return;
	if (c->proves) {
		if (p->is.has_wallet)
			leave_wallet(i, p, p->wallet_slot);
		p->wallet_slot ^= 1u;
	}
	if (p->is.has_claim && !c->next.has_claim)
		fb_map_remove(&i->by_claim, &p->by_claim);
	free(p->row);
	p->row = c->row;
	p->is = c->next;
	p->busy = false;
}

static void undo(struct fb_identity *i, struct change *c)
{
	struct principal *p = c->principal;

	if (c->key != NULL)
		fb_identity_drop_key(i, c->key);
	if (c->fresh) {
		fb_identity_drop(i, p);
		return;
	}
	if (c->row == NULL)
		return;
	if (c->proves)
		leave_wallet(i, p, p->wallet_slot ^ 1u);
	p->busy = false;
	free(c->row);
}

static void on_committed(void *arg, enum fb_status status)
{
	struct change *c = arg;
	struct fb_identity *i = c->identity;
	struct fb_address wallet = c->next.wallet;

	pthread_rwlock_wrlock(&i->lock);
	if (status == FB_OK)
		publish(i, c);
	else
		undo(i, c);
	pthread_rwlock_unlock(&i->lock);
	if (status == FB_OK && c->proves && i->ports.proven != NULL)
		i->ports.proven(i->ports.ctx, &wallet);
	c->done(c->arg, status);
	free(c);
}

static struct fb_str bytes(const uint8_t *at, size_t len)
{
	return (struct fb_str){ (const char *)at, len };
}

void fb_change_commit(struct change *c)
{
	uint8_t principal_key[PRINCIPAL_KEY_LEN], key_key[KEY_KEY_LEN], key_row[KEY_ROW_LEN], *row = NULL;
	struct fb_put puts[PUTS];
	size_t count = 0;

	if (c->row != NULL) {
		row = fb_must_alloc(PRINCIPAL_ROW_MAX, 1);
		fb_principal_key(principal_key, &c->next.id);
		puts[count++] = (struct fb_put){ .key = bytes(principal_key, sizeof(principal_key)),
						 .value = bytes(row, fb_principal_write(row, &c->next)) };
	}
	if (c->key != NULL) {
		fb_key_row_key(key_key, c->key->is.number);
		fb_key_row_write(key_row, &c->key->is);
		puts[count++] = (struct fb_put){ .key = bytes(key_key, sizeof(key_key)),
						 .value = bytes(key_row, sizeof(key_row)) };
	}
	FB_ASSERT(count > 0);
	c->identity->commit.commit(c->identity->commit.ctx, puts, count, on_committed, c);
	free(row);
}

enum fb_status fb_change_take(struct change *c)
{
	struct fb_identity *i = c->identity;
	enum fb_status st;

	FB_ASSERT(c->done != NULL && (c->row != NULL || c->key != NULL));
	pthread_rwlock_wrlock(&i->lock);
	st = check(i, c);
	if (st == FB_OK)
		take(i, c);
	pthread_rwlock_unlock(&i->lock);
	if (st != FB_OK)
		fb_change_drop(c);
	return st;
}
