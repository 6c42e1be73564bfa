/* Many transfers in one transaction: Multicall3's aggregate3, read and executed, and the trial of a batch. */
#include "sim_int.h"

#include "abi_constants.h"

#include <stdlib.h>
#include <string.h>

enum { TRIAL_ITEM = 20 + 4 + 9 * 32 };

void sim_free_calls(struct sim_tx *tx)
{
	free(tx->call);
	free(tx->batch);
}

static bool read_number(size_t *out, struct fb_str data, size_t at)
{
	uint64_t v;

	if (at > data.len || fb_abi_get_u64(&v, (struct fb_str){ data.at + at, data.len - at }, 0) != FB_OK ||
	    v > data.len)
		return false;
	*out = (size_t)v;
	return true;
}

/* The i-th tuple; `list` begins at the offsets. */
static bool read_call(struct sim_call *out, struct fb_str list, size_t i)
{
	struct fb_str tuple, data;
	bool may_fail;
	size_t at;

	if (!read_number(&at, list, i * 32))
		return false;
	tuple = (struct fb_str){ list.at + at, list.len - at };
	return fb_abi_get_bool(&may_fail, tuple, 1) == FB_OK && may_fail && fb_abi_get_bytes(&data, tuple, 2) == FB_OK &&
	       sim_decode_call(out, data);
}

struct sim_batch *sim_decode_batch(struct fb_str data)
{
	struct fb_str words = { data.at + 4, data.len - 4 }, list;
	struct sim_batch *b;
	size_t at, count;

	if (data.len < 4 || fb_get_be32((const uint8_t *)data.at) != FB_SELECTOR_AGGREGATE3 ||
	    !read_number(&at, words, 0) || !read_number(&count, words, at) || count > SIM_BATCH_MAX)
		return NULL;
	b = fb_must_alloc(1, sizeof(*b) + count * sizeof(b->calls[0]));
	b->count = count;
	list = (struct fb_str){ words.at + at + 32, words.len - at - 32 };
	for (size_t i = 0; i < count; i++) {
		if (!read_call(&b->calls[i], list, i)) {
			free(b);
			return NULL;
		}
	}
	return b;
}

size_t sim_batch_find(const struct sim_batch *b, const struct fb_address *payer, const struct fb_hash *nonce)
{
	size_t i = 0;

	while (i < b->count && (!fb_address_eq(&b->calls[i].authorization.from, payer) ||
				!fb_hash_eq(&b->calls[i].authorization.nonce, nonce)))
		i++;
	return i;
}

void sim_batch_execute(struct fb_sim *s, const struct sim_tx *tx)
{
	struct sim_batch *b = tx->batch;

	for (size_t i = 0; i < b->count; i++) {
		b->moved[i] = sim_token_refusal(s, &s->now, &b->calls[i]) == NULL;
		if (b->moved[i])
			sim_token_move(s, &b->calls[i], &tx->hash);
	}
}

/* On a copy of what the node sees: a trial leaves nothing behind. */
void sim_trial_answer(struct fb_sim *s, struct fb_buf *out, struct fb_str data)
{
	struct sim_state *keep = fb_must_alloc(1, sizeof(*keep));
	struct sim_used *used = fb_must_alloc(SIM_USED_MAX, sizeof(*used)); /* a node that lags writes over the newest */
	static const struct fb_hash none;

	FB_ASSERT(data.len > 0 && data.len % TRIAL_ITEM == 0);
	*keep = s->now;
	memcpy(used, s->used, sizeof(s->used));
	s->now = *sim_visible(s);
	for (size_t at = 0; at < data.len; at += TRIAL_ITEM) {
		struct sim_call call = { .signature_len = 0 };
		bool ours = memcmp(data.at + at, s->token.bytes, 20) == 0 &&
			    sim_decode_call(&call, (struct fb_str){ data.at + at + 20, TRIAL_ITEM - 20 });
		bool taken = ours && sim_token_refusal(s, &s->now, &call) == NULL;
		uint8_t word[32] = { taken ? 0x80 : 0 };

		if (taken)
			sim_token_move(s, &call, &none);
		fb_put_be64(word + 24, FB_SIM_GAS_USED);
		fb_abi_word(out, word);
	}
	s->now = *keep;
	memcpy(s->used, used, sizeof(s->used));
	free(used);
	free(keep);
}
