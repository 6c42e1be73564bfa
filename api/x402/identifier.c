/* The payment-identifier extension: an id that the payer chose, bound to the exact payment it came with. The same
 * payment with the same id gets its success again; another payment with it is a conflict. On the loop's thread. */
#include "x402_int.h"

#include "farebox/crypto.h"

#include <string.h>

enum { VERSION = 1, ROW_LEN = 1 + 32 };

/* Ids of different payers are different ids. */
static void make_key(struct fb_x402_id *id, const struct fb_claim *c, struct fb_str text)
{
	struct fb_hash h;
	struct fb_keccak k;

	fb_keccak_init(&k);
	fb_keccak_update(&k, c->authorization.from.bytes, sizeof(c->authorization.from.bytes));
	fb_keccak_update(&k, text.at, text.len);
	h = fb_keccak_final(&k);
	id->key[0] = 'I';
	memcpy(id->key + 1, h.bytes, sizeof(h.bytes));
}

static void absorb(struct fb_keccak *k, struct fb_u256 v)
{
	uint8_t bytes[32];

	fb_u256_to_be(bytes, v);
	fb_keccak_update(k, bytes, sizeof(bytes));
}

void fb_x402_id_make(struct fb_x402_id *id, uint64_t chain_id, const struct fb_claim *c, struct fb_str text)
{
	const struct fb_authorization *a = &c->authorization;
	struct fb_settle_key key = fb_settle_key_from(chain_id, &c->asset, &a->from, &a->nonce);
	struct fb_keccak k;

	*id = (struct fb_x402_id){ .given = true };
	make_key(id, c, text);
	fb_keccak_init(&k);
	fb_keccak_update(&k, key.bytes, sizeof(key.bytes));
	fb_keccak_update(&k, a->to.bytes, sizeof(a->to.bytes));
	absorb(&k, a->value);
	absorb(&k, a->valid_after);
	absorb(&k, a->valid_before);
	fb_keccak_update(&k, c->signature, c->signature_len); /* last, so its length needs no mark */
	id->payment = fb_keccak_final(&k);
}

static struct fb_str key_of(const struct fb_x402_id *id)
{
	return (struct fb_str){ (const char *)id->key, sizeof(id->key) };
}

static bool same_id(const struct fb_x402_id *a, const struct fb_x402_id *b)
{
	return memcmp(a->key, b->key, sizeof(a->key)) == 0;
}

/* FB_OK: bound to this payment. FB_NOT_FOUND, FB_CONFLICT, FB_STORAGE. */
static enum fb_status read_bond(const struct fb_x402 *x, const struct fb_x402_id *id)
{
	uint8_t row[ROW_LEN];
	size_t len;
	enum fb_status st = fb_store_get(x->store, row, &len, sizeof(row), key_of(id));

	if (st != FB_OK)
		return st == FB_NOT_FOUND ? st : FB_STORAGE;
	if (len != ROW_LEN || row[0] != VERSION)
		return FB_STORAGE;
	return memcmp(row + 1, id->payment.bytes, 32) == 0 ? FB_OK : FB_CONFLICT;
}

enum fb_status fb_x402_id_begin(struct fb_x402_job *j)
{
	enum fb_status st = read_bond(j->x402, &j->id);

	if (st != FB_OK && st != FB_NOT_FOUND)
		return st;
	j->id.bound = st == FB_OK;
	for (const struct fb_x402_job *other = j->x402->running; other != NULL; other = other->next)
		if (same_id(&other->id, &j->id) && !fb_hash_eq(&other->id.payment, &j->id.payment))
			return FB_CONFLICT;
	j->next = j->x402->running;
	j->x402->running = j;
	return FB_OK;
}

void fb_x402_id_end(struct fb_x402_job *j)
{
	struct fb_x402_job **at = &j->x402->running;

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
}

/* On the loop's thread again: whatever became of the row, the outcome stands. */
static void on_bound(void *arg)
{
	struct fb_x402_job *j = arg;

	fb_x402_id_end(j);
	j->id.finish(j);
}

/* On the writer's thread. */
static void on_committed(void *arg, enum fb_status status)
{
	struct fb_x402_job *j = arg;

	(void)status;
	fb_loop_post(j->x402->loop, on_bound, j);
}

/* The engine says NONE and PENDING to the payment itself alone, never to another one with its nonce: only then is the
 * id bound, so that a bond stands for a payment that is really settled, or under way. */
void fb_x402_id_bind(struct fb_x402_job *j, void (*finish)(struct fb_x402_job *j))
{
	uint8_t row[ROW_LEN] = { VERSION };
	struct fb_put put = { .key = key_of(&j->id), .value = { (const char *)row, sizeof(row) } };
	bool binds = j->outcome.reason == FB_REASON_NONE || j->outcome.reason == FB_REASON_PENDING;

	j->id.finish = finish;
	if (j->id.bound || !binds) {
		fb_x402_id_end(j);
		finish(j);
		return;
	}
	memcpy(row + 1, j->id.payment.bytes, 32);
	j->x402->commit.commit(j->x402->commit.ctx, &put, 1, on_committed, j);
}

bool fb_x402_id_repeats(const struct fb_x402_job *j, struct fb_settle_outcome *o)
{
	const struct fb_authorization *a = &j->claim.authorization;
	struct fb_settle_key key = fb_settle_key_from(j->x402->network->chain_id, &j->claim.asset, &a->from, &a->nonce);
	struct fb_settle_status s;

	if (!j->id.bound || o->reason != FB_REASON_NONCE_USED || fb_settle_look(j->x402->settle, &s, &key) != FB_OK ||
	    (int)s.state == 0 || s.state == FB_SETTLE_SIGNED || s.state == FB_SETTLE_FAILED || s.state == FB_SETTLE_LOST)
		return false;
	*o = (struct fb_settle_outcome){ .reason = FB_REASON_NONE, .has_tx = true, .tx = s.tx, .key = key };
	return true;
}
