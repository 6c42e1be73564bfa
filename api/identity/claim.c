/* /v1/agents/claim: a holder takes an agent under his care by the link that the agent was given. */
#include "identity_int.h"

#include "farebox/crypto.h"

#include <string.h>

/* Under the lock: the agent of that link, or NULL. */
static struct principal *agent_of(struct fb_identity *i, struct fb_str text)
{
	char block[2 + 2 * SECRET_LEN] = "0x";
	uint8_t token[SECRET_LEN];
	struct principal *p;
	struct fb_hash hash;

	if (text.len != 2 * SECRET_LEN)
		return NULL;
	memcpy(block + 2, text.at, text.len);
	if (fb_hex_decode_exact(token, sizeof(token), (struct fb_str){ block, sizeof(block) }) != FB_OK)
		return NULL;
	hash = fb_secret_hash(token);
	p = fb_map_find(&i->by_claim, hash.bytes, sizeof(hash.bytes));
	return p != NULL && p->durable && p->is.has_claim && fb_identity_now(i) < p->is.claim_until_us ? p : NULL;
}

static void write_agent(struct fb_jw *w, const struct facts *f)
{
	fb_jw_object(w);
	fb_jw_kv_uuid(w, "entityId", &f->id);
	fb_jw_kv_str(w, "displayName", f->name);
	fb_jw_kv_str(w, "bio", f->description);
	fb_jw_kv_time(w, "createdAt", f->created_us);
	fb_jw_end(w);
}

static struct fb_answered no_such_link(struct fb_request *r)
{
	return fb_envelope_status(r, FB_NOT_FOUND, "there is no such claim, or it was used or has expired");
}

struct fb_answered fb_route_claim_show(struct fb_request *r)
{
	struct fb_identity *i = r->ctx;
	struct fb_buf b = fb_arena_buf(r->arena, ANSWER_MAX);
	const struct principal *p;
	struct fb_jw w;

	fb_jw_init(&w, &b);
	pthread_rwlock_rdlock(&i->lock);
	p = agent_of(i, r->params[0]);
	if (p != NULL)
		write_agent(&w, &p->is);
	pthread_rwlock_unlock(&i->lock);
	return p == NULL ? no_such_link(r) : fb_envelope_data(r, 200, fb_buf_view(&b));
}

static struct fb_str claimed(struct fb_request *r, const struct facts *f)
{
	struct fb_buf b = fb_arena_buf(r->arena, 512);
	struct fb_jw w;

	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	fb_jw_kv_uuid(&w, "entityId", &f->id);
	fb_jw_kv_bool(&w, "claimed", true);
	fb_jw_end(&w);
	return fb_buf_view(&b);
}

struct fb_answered fb_route_claim(struct fb_request *r)
{
	struct fb_identity *i = r->ctx;
	struct fb_caller caller;
	struct fb_problem p;
	struct principal *agent;
	struct change *c;
	struct fb_uuid id = { { 0 } };
	struct facts f;

	if (!fb_identity_need(i, &caller, &p, r, FB_SCOPE_MANAGE))
		return fb_envelope_problem(r, &p);
	pthread_rwlock_rdlock(&i->lock);
	agent = agent_of(i, r->params[0]);
	if (agent != NULL)
		id = agent->is.id;
	pthread_rwlock_unlock(&i->lock);
	if (agent == NULL)
		return no_such_link(r);
	if (fb_uuid_eq(&id, &caller.principal))
		return fb_envelope_status(r, FB_FORBIDDEN, "an agent cannot claim itself");
	c = fb_change_of(i, &f, &id);
	FB_ASSERT(c != NULL);
	if (!f.has_claim) { /* somebody was faster */
		fb_change_drop(c);
		return no_such_link(r);
	}
	f.has_claim = false;
	f.has_holder = true;
	f.holder = caller.principal;
	f.updated_us = fb_identity_now(i);
	fb_change_again(c, &f);
	return fb_change_answer(r, c, 200, claimed(r, &c->next));
}

/* ---- what a holder has claimed ---------------------------------------------------------------------------------- */
static const struct fb_member page_members[] = {
	{ "limit", FB_MEMBER_NUMBER, false, 1, 100 },
	{ "offset", FB_MEMBER_NUMBER, false, 0, FB_PRINCIPALS_MAX },
};
enum { LIMIT = 50, PAGE_MAX = 1 << 17 };

static bool is_held_by(const struct principal *p, const struct fb_uuid *holder)
{
	return p->durable && p->is.kind == FB_PRINCIPAL_AGENT && p->is.has_holder && fb_uuid_eq(&p->is.holder, holder);
}

static uint64_t write_held(struct fb_jw *w, const struct fb_identity *i, const struct fb_uuid *holder, uint64_t limit,
			   uint64_t offset)
{
	uint64_t total = 0;

	for (size_t n = 0; n < i->count; n++) {
		const struct facts *f = &i->all[n]->is;

		if (!is_held_by(i->all[n], holder) || total++ < offset || total > offset + limit)
			continue;
		fb_jw_object(w);
		fb_jw_kv_uuid(w, "entityId", &f->id);
		fb_jw_kv_str(w, "name", f->name);
		fb_jw_kv_wallet(w, "walletAddress", f);
		fb_jw_kv_time(w, "createdAt", f->created_us);
		fb_jw_end(w);
	}
	return total;
}

struct fb_answered fb_route_claimed(struct fb_request *r)
{
	struct fb_identity *i = r->ctx;
	struct fb_value v[FB_COUNT(page_members)];
	uint64_t limit, offset, total;
	struct fb_caller caller;
	struct fb_problem p;
	struct fb_buf b;
	struct fb_jw w;

	if (!fb_identity_need(i, &caller, &p, r, FB_SCOPE_READ) ||
	    !fb_query_read(&p, v, r, page_members, FB_COUNT(page_members)))
		return fb_envelope_problem(r, &p);
	limit = v[0].present ? v[0].number : LIMIT;
	offset = v[1].number;
	b = fb_arena_buf(r->arena, PAGE_MAX);
	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	fb_jw_key(&w, "items");
	fb_jw_array(&w);
	pthread_rwlock_rdlock(&i->lock);
	total = write_held(&w, i, &caller.principal, limit, offset);
	pthread_rwlock_unlock(&i->lock);
	fb_jw_end(&w);
	fb_jw_kv_u64(&w, "total", total);
	fb_jw_kv_u64(&w, "limit", limit);
	fb_jw_kv_u64(&w, "offset", offset);
	fb_jw_end(&w);
	return b.overflowed ? fb_no_memory(r) : fb_envelope_data(r, 200, fb_buf_view(&b));
}
