/* The token's logs: of a transaction, as a receipt holds them, and as eth_getLogs finds them; and what others do with
 * an authorization. */
#include "sim_int.h"

#include <stdlib.h>
#include <string.h>

static void kv_bytes(struct fb_jw *w, const char *key, const void *bytes, size_t len)
{
	char block[2 * 32 + 2];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_hex(&b, bytes, len);
	FB_ASSERT(!b.overflowed);
	if (key != NULL)
		fb_jw_key(w, key);
	fb_jw_str(w, fb_buf_view(&b));
}

static void put_log(const struct fb_sim *s, struct fb_jw *w, const struct fb_hash topics[3], const struct fb_hash *tx,
		    const void *data, size_t len)
{
	fb_jw_object(w);
	kv_bytes(w, "address", s->token.bytes, 20);
	fb_jw_key(w, "topics");
	fb_jw_array(w);
	for (size_t i = 0; i < 3; i++)
		kv_bytes(w, NULL, topics[i].bytes, 32);
	fb_jw_end(w);
	kv_bytes(w, "transactionHash", tx->bytes, 32);
	kv_bytes(w, "data", data, len);
	fb_jw_end(w);
}

static struct fb_hash padded(const struct fb_address *a)
{
	struct fb_hash h = { { 0 } };

	memcpy(h.bytes + 12, a->bytes, 20);
	return h;
}

static const char used_text[] = "AuthorizationUsed(address,bytes32)",
		  canceled_text[] = "AuthorizationCanceled(address,bytes32)";

static void put_canceled(const struct fb_sim *s, struct fb_jw *w, const struct fb_authorization *a,
			 const struct fb_hash *tx)
{
	struct fb_hash topics[3] = { fb_keccak256(canceled_text, sizeof(canceled_text) - 1), padded(&a->from), a->nonce };

	put_log(s, w, topics, tx, "", 0);
}

static void put_pair(const struct fb_sim *s, struct fb_jw *w, const struct fb_authorization *a,
		     const struct fb_hash *tx)
{
	const char transfer[] = "Transfer(address,address,uint256)";
	struct fb_hash topics[3] = { fb_keccak256(used_text, sizeof(used_text) - 1), padded(&a->from), a->nonce };
	uint8_t value[32];

	put_log(s, w, topics, tx, "", 0);
	topics[0] = fb_keccak256(transfer, sizeof(transfer) - 1);
	topics[2] = padded(&a->to);
	fb_u256_to_be(value, a->value);
	put_log(s, w, topics, tx, value, sizeof(value));
}

void sim_put_logs(const struct fb_sim *s, struct fb_jw *w, const struct sim_tx *tx)
{
	fb_jw_array(w);
	if (tx->cancels)
		put_canceled(s, w, &tx->call->authorization, &tx->hash);
	else if (tx->state == FB_SIM_TX_MOVED && tx->call != NULL)
		put_pair(s, w, &tx->call->authorization, &tx->hash);
	for (size_t i = 0; tx->state == FB_SIM_TX_MOVED && tx->batch != NULL && i < tx->batch->count; i++)
		if (tx->batch->moved[i])
			put_pair(s, w, &tx->batch->calls[i].authorization, &tx->hash);
	fb_jw_end(w);
}

static struct fb_str text_of(struct fb_json_value v)
{
	struct fb_str text;

	FB_ASSERT(fb_json_string(&text, v, NULL) == FB_OK);
	return text;
}

static void read_range(uint64_t *from, uint64_t *to, const struct fb_sim *s, struct fb_json_value filter)
{
	struct fb_str last = text_of(fb_json_get(filter, "toBlock"));

	*to = sim_visible(s)->block;
	FB_ASSERT(fb_quantity_parse_u64(from, text_of(fb_json_get(filter, "fromBlock"))) == FB_OK);
	FB_ASSERT(fb_str_eq(last, FB_STR("latest")) || fb_quantity_parse_u64(to, last) == FB_OK);
}

bool sim_takes_filter(const struct fb_sim *s, struct fb_json_value filter)
{
	uint64_t from, to;

	read_range(&from, &to, s, filter);
	return s->logs_max == 0 || to < from || to - from < s->logs_max;
}

/* The one filter that is asked for: of one payer's authorization, used or cancelled. */
void sim_put_filtered(const struct fb_sim *s, struct fb_jw *w, struct fb_json_value filter)
{
	const struct sim_state *st = sim_visible(s);
	struct fb_json_value topics = fb_json_get(filter, "topics"), kinds = fb_json_first(topics, NULL),
			     payer = fb_json_next(topics, kinds, NULL), nonce = fb_json_next(topics, payer, NULL);
	struct fb_hash want[2];
	uint64_t from, to;

	FB_ASSERT(fb_json_count(kinds) == 2 && fb_json_count(topics) == 3);
	FB_ASSERT(fb_hash_parse(&want[0], text_of(payer)) == FB_OK && fb_hash_parse(&want[1], text_of(nonce)) == FB_OK);
	read_range(&from, &to, s, filter);
	fb_jw_array(w);
	for (size_t i = 0; i < st->used_count; i++) {
		const struct sim_used *u = &s->used[i];
		struct fb_hash topic[3] = { u->canceled ? fb_keccak256(canceled_text, sizeof(canceled_text) - 1) :
							  fb_keccak256(used_text, sizeof(used_text) - 1),
					    padded(&u->payer), u->nonce };

		if (u->block >= from && u->block <= to && fb_hash_eq(&topic[1], &want[0]) && fb_hash_eq(&topic[2], &want[1]))
			put_log(s, w, topic, &u->tx, "", 0);
	}
	fb_jw_end(w);
}

/* ---- others ------------------------------------------------------------------------------------------------- */

static struct fb_hash foreign_hash(struct fb_sim *s)
{
	uint64_t seed[2] = { sim_draw(s), s->tx_count };

	return fb_keccak256(seed, sizeof(seed));
}

/* A transaction of somebody else's, mined in the newest block. */
static struct sim_tx *add_foreign(struct fb_sim *s, struct sim_call *call)
{
	struct sim_tx *tx;

	FB_ASSERT(s->tx_count < SIM_TXS_MAX);
	tx = &s->txs[s->tx_count++];
	*tx = (struct sim_tx){ .hash = foreign_hash(s), .to = s->token,
			       .foreign = true, .call = call };
	sim_set_tx(tx, FB_SIM_TX_MOVED, s->now.block);
	return tx;
}

bool fb_sim_stranger_settles(struct fb_sim *s, const struct fb_authorization *a,
			     const uint8_t signature[FB_SIGNATURE_LEN])
{
	struct sim_call *call = fb_must_alloc(1, sizeof(*call));
	bool moved;

	call->authorization = *a;
	call->signature_len = FB_SIGNATURE_LEN;
	memcpy(call->signature, signature, FB_SIGNATURE_LEN);
	sim_lock(s);
	s->now.block++;
	moved = sim_token_refusal(s, &s->now, call) == NULL;
	if (moved)
		sim_token_move(s, call, &add_foreign(s, call)->hash);
	sim_unlock(s);
	if (!moved)
		free(call);
	return moved;
}

bool fb_sim_cancel(struct fb_sim *s, const struct fb_authorization *a)
{
	struct sim_call *call;
	struct sim_tx *tx;
	bool fresh;

	sim_lock(s);
	s->now.block++;
	fresh = !sim_is_used(s, &s->now, &a->from, &a->nonce);
	if (fresh) {
		FB_ASSERT(s->now.used_count < SIM_USED_MAX);
		call = fb_must_alloc(1, sizeof(*call));
		call->authorization = *a;
		tx = add_foreign(s, call);
		tx->cancels = true;
		s->used[s->now.used_count++] = (struct sim_used){ .payer = a->from, .nonce = a->nonce, .canceled = true,
								  .block = s->now.block, .tx = tx->hash };
	}
	sim_unlock(s);
	return fresh;
}

bool fb_sim_moved_by(struct fb_sim *s, const struct fb_address *payer, const struct fb_hash *nonce,
		     const struct fb_hash *tx)
{
	bool yes = false;

	sim_lock(s);
	for (size_t i = 0; i < s->now.used_count; i++)
		yes |= fb_address_eq(&s->used[i].payer, payer) && fb_hash_eq(&s->used[i].nonce, nonce) &&
		       fb_hash_eq(&s->used[i].tx, tx) && !s->used[i].canceled;
	sim_unlock(s);
	return yes;
}
