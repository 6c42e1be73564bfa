/* What must hold at every moment, whatever a test does. */
#include "rig_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LANE_KEY_LEN = 1 + 8 + 20 + 8 };
enum { AT_STATE = 1, AT_GRANTED = 2, AT_RECORD_TX = 4 + 32, AT_LANE_COUNT = 1, AT_LANE_TX = 32 };

static enum fb_status read_row(struct fb_rig *r, uint8_t row[RIG_ROW_MAX], size_t *len, const uint8_t *key,
			       size_t key_len)
{
	return fb_store_get(r->store, row, len, RIG_ROW_MAX, (struct fb_str){ (const char *)key, key_len });
}

static struct fb_rig_record record_of(struct fb_rig *r, const struct fb_settle_key *key)
{
	struct fb_rig_record record = { 0 };
	uint8_t row[RIG_ROW_MAX];
	size_t len;
	enum fb_status st = read_row(r, row, &len, key->bytes, sizeof(key->bytes));

	FB_ASSERT(st == FB_OK || st == FB_NOT_FOUND);
	if (st == FB_NOT_FOUND)
		return record;
	record.state = row[AT_STATE];
	record.granted = row[AT_GRANTED] == 1;
	memcpy(record.tx.bytes, row + AT_RECORD_TX, 32);
	return record;
}

struct fb_settle_key rig_key(const struct fb_rig *r, const struct fb_claim *c)
{
	struct fb_settle_key k;

	k.bytes[0] = 'S';
	fb_put_be64(k.bytes + 1, r->network.chain_id);
	memcpy(k.bytes + 9, c->asset.bytes, 20);
	memcpy(k.bytes + 29, c->authorization.from.bytes, 20);
	memcpy(k.bytes + 49, c->authorization.nonce.bytes, 32);
	return k;
}

struct fb_rig_record fb_rig_record(struct fb_rig *r, const struct fb_claim *c)
{
	struct fb_settle_key key = rig_key(r, c);

	FB_ASSERT(r->store != NULL);
	return record_of(r, &key);
}

static unsigned granted(struct fb_rig *r, const struct fb_settle_key *key)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->answer_count; i++) {
		const struct rig_answer *a = &r->answers[i];

		n += a->times > 0 && !a->given_back && !a->answer.reached_nobody &&
		     a->answer.outcome.reason == FB_REASON_NONE &&
		     memcmp(&a->answer.outcome.key, key, sizeof(*key)) == 0;
	}
	return n;
}

unsigned fb_rig_successes(struct fb_rig *r, const struct fb_claim *c)
{
	struct fb_settle_key key = rig_key(r, c);
	unsigned n;

	rig_lock(r);
	n = granted(r, &key);
	rig_unlock(r);
	return n;
}

/* S2, and that a failure is one: of that payment no money had moved, by anybody. */
static void check_chain(struct fb_rig *r, const struct fb_settle_outcome *o, const struct fb_settle_key *key)
{
	struct fb_address payer;
	struct fb_hash nonce;

	memcpy(payer.bytes, key->bytes + 29, 20);
	memcpy(nonce.bytes, key->bytes + 49, 32);
	FB_ASSERT(o->reason != FB_REASON_NONE || fb_sim_moved_by(r->sim, &payer, &nonce, &o->tx) ||
		  fb_sim_tx_was(r->sim, &o->tx, FB_SIM_TX_MOVED));
	if (o->reason != FB_REASON_TRANSACTION_FAILED && o->reason != FB_REASON_TRANSFER_EVENT)
		return;
	FB_ASSERT(fb_sim_tx_was(r->sim, &o->tx, FB_SIM_TX_REVERTED) || fb_sim_tx_was(r->sim, &o->tx, FB_SIM_TX_SILENT) ||
		  fb_sim_tx_was(r->sim, &o->tx, FB_SIM_TX_MOVED)); /* of a batch: others' money */
	FB_ASSERT(fb_sim_history(r->sim, &payer, &nonce).ours == 0); /* a stranger may have come this very moment */
}

/* On the loop's thread, locked. */
void rig_check_answer(struct fb_rig *r, const struct rig_answer *a)
{
	const struct fb_settle_outcome *o = &a->answer.outcome;
	struct fb_rig_record record;

	FB_ASSERT(a->times == 1);
	FB_ASSERT((o->reason == FB_REASON_NONE) == (o->note.text[0] == '\0'));
	FB_ASSERT(o->has_tx || (o->reason != FB_REASON_NONE && o->reason != FB_REASON_PENDING));
	if (r->sim != NULL)
		check_chain(r, o, &a->key);
	if (o->reason != FB_REASON_NONE || a->answer.reached_nobody)
		return;
	FB_ASSERT(memcmp(&o->key, &a->key, sizeof(a->key)) == 0);
	record = record_of(r, &a->key);
	FB_ASSERT(record.state == FB_SETTLE_INCLUDED || record.state == FB_SETTLE_CONFIRMED);
	FB_ASSERT(record.granted && fb_hash_eq(&record.tx, &o->tx)); /* S3 */
	FB_ASSERT(granted(r, &a->key) == 1);
}

void rig_book(void *rig, const struct fb_hash *tx, fb_u128 cost, void (*done)(void *arg, enum fb_status status),
	      void *arg)
{
	struct fb_rig *r = rig;
	bool refused;
	size_t i = 0;

	rig_lock(r);
	while (i < r->booked_count && !fb_hash_eq(&r->booked[i].tx, tx))
		i++;
	refused = r->refuse_books > 0;
	r->refuse_books -= refused;
	FB_ASSERT(i < RIG_BOOKED_MAX);
	FB_ASSERT(i == r->booked_count || r->booked[i].cost == cost || r->repriced);
	if (!refused && i == r->booked_count) {
		r->booked[r->booked_count].tx = *tx;
		r->booked[r->booked_count++].cost = cost;
	}
	rig_unlock(r);
	done(arg, refused ? FB_STORAGE : FB_OK);
}

void fb_rig_reprice(struct fb_rig *r)
{
	rig_lock(r);
	r->repriced = true;
	rig_unlock(r);
}

void fb_rig_refuse_books(struct fb_rig *r, unsigned times)
{
	rig_lock(r);
	r->refuse_books = times;
	rig_unlock(r);
}

/* The rows' format is spelt out independently of the lane, too. */
static bool is_attempt(const uint8_t row[RIG_ROW_MAX], const struct fb_hash *tx)
{
	for (size_t i = 0; i < row[AT_LANE_COUNT]; i++)
		if (memcmp(row + AT_LANE_TX + 32 * i, tx->bytes, 32) == 0)
			return true;
	return false;
}

/* What is on its way to the chain may arrive when its row has come to its end. */
void rig_note_removed(struct fb_rig *r, const struct fb_put *put)
{
	uint8_t row[RIG_ROW_MAX];
	size_t len;

	if (!put->remove || put->key.len != LANE_KEY_LEN || put->key.at[0] != 'L' ||
	    read_row(r, row, &len, (const uint8_t *)put->key.at, put->key.len) != FB_OK)
		return;
	rig_lock(r);
	for (size_t i = 0; i < row[AT_LANE_COUNT]; i++)
		memcpy(r->gone[r->gone_count++ % RIG_GONE_MAX].bytes, row + AT_LANE_TX + 32 * i, 32);
	rig_unlock(r);
}

static bool is_gone(const struct fb_rig *r, const struct fb_hash *tx)
{
	size_t count = r->gone_count < RIG_GONE_MAX ? r->gone_count : RIG_GONE_MAX;

	for (size_t i = 0; i < count; i++)
		if (fb_hash_eq(&r->gone[i], tx))
			return true;
	return false;
}

/* On the chain's thread: L1. A request that comes when its sender is gone already is none of our sends. */
void rig_check_sent(void *rig, const struct fb_sim_sent *sent)
{
	struct fb_rig *r = rig;
	uint8_t key[LANE_KEY_LEN], row[RIG_ROW_MAX];
	enum fb_status st;
	size_t len;

	key[0] = 'L';
	fb_put_be64(key + 1, r->network.chain_id);
	memcpy(key + 9, sent->sender.bytes, 20);
	fb_put_be64(key + 29, sent->nonce);
	rig_lock(r);
	if (r->store != NULL) {
		st = read_row(r, row, &len, key, sizeof(key));
		FB_ASSERT((st == FB_OK && is_attempt(row, &sent->tx)) || is_gone(r, &sent->tx));
	}
	rig_unlock(r);
}
