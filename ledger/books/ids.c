/* Remembered ids: a queue of memos in the order in which they changed, and a table that finds them. What the id index
 * knows by now leaves from the old end, a few for every new one. */
#include "books_int.h"

#include <stdlib.h>
#include <string.h>

enum {
	DIRECTORY_MIN = 16,
	SWEEP_MAX = 2 * FB_BATCH_RECORDS_MAX, /* memos at once */
	AHEAD = 8,                            /* memos whose places in the table are fetched before */
	POSITIONS = 31,                       /* bits */
};
static const uint32_t position_mask = (1u << POSITIONS) - 1, in_use = 1u << POSITIONS;

void fb_ids_open(struct fb_ids **out, uint64_t seed)
{
	struct fb_ids *ids = fb_must_alloc(1, sizeof(*ids));

	fb_table_open(&ids->by_id);
	ids->seed = seed;
	ids->directory_len = DIRECTORY_MIN;
	ids->directory = fb_must_alloc(ids->directory_len, sizeof(*ids->directory));
	*out = ids;
}

void fb_ids_close(struct fb_ids *ids)
{
	for (uint32_t i = 0; i < ids->directory_len; i++)
		free(ids->directory[i]);
	free(ids->directory);
	free(ids->spare);
	fb_table_close(&ids->by_id);
	free(ids);
}

static struct fb_memo_block **block_of(const struct fb_ids *ids, uint32_t position)
{
	return &ids->directory[position / FB_MEMOS & (ids->directory_len - 1)];
}

static struct fb_memo *memo_at(const struct fb_ids *ids, uint32_t position)
{
	return &(*block_of(ids, position))->memo[position % FB_MEMOS];
}

static bool has_id(const void *ids, uint32_t ref, const void *id)
{
	return memo_at(ids, ref & position_mask)->id == *(const fb_id *)id;
}

static uint32_t find(const struct fb_ids *ids, fb_id id)
{
	return fb_table_find(&ids->by_id, fb_id_hash(id, ids->seed), has_id, ids, &id);
}

bool fb_ids_find(const struct fb_ids *ids, struct fb_id_fact *out, fb_id id)
{
	uint32_t ref = find(ids, id);
	const struct fb_memo *m;

	if (ref == 0)
		return false;
	m = memo_at(ids, ref & position_mask);
	*out = (struct fb_id_fact){ .seq = m->seq, .content = m->content, .refused = m->refused, .kind = m->kind,
		.undone = m->undone };
	return true;
}

/* Blocks keep their order; only where they stand in the directory changes. */
static void widen(struct fb_ids *ids)
{
	uint32_t len = ids->directory_len, blocks = (1u << POSITIONS) / FB_MEMOS;
	struct fb_memo_block **wide = fb_must_alloc(2 * (size_t)len, sizeof(*wide));

	FB_ASSERT(2 * len < blocks);
	for (uint32_t i = 0, block = ids->head / FB_MEMOS; i < len; i++, block = (block + 1) % blocks)
		wide[block & (2 * len - 1)] = ids->directory[block & (len - 1)];
	free(ids->directory);
	ids->directory = wide;
	ids->directory_len = 2 * len;
}

static void new_block(struct fb_ids *ids)
{
	struct fb_memo_block *block = ids->spare;

	if (*block_of(ids, ids->tail) != NULL)
		widen(ids);
	FB_ASSERT(*block_of(ids, ids->tail) == NULL);
	ids->spare = NULL;
	if (block == NULL)
		block = fb_must_alloc(1, sizeof(*block));
	*block_of(ids, ids->tail) = block;
}

static void drop_block(struct fb_ids *ids, uint32_t position)
{
	free(ids->spare);
	ids->spare = *block_of(ids, position);
	*block_of(ids, position) = NULL;
}

/* Only out of blocks that are full and of which the index knows everything. */
static bool forget_one(struct fb_ids *ids)
{
	struct fb_memo *m;

	if (ids->head / FB_MEMOS == ids->tail / FB_MEMOS || (*block_of(ids, ids->head))->last_seq > ids->forget)
		return false;
	m = memo_at(ids, ids->head);
	if (ids->head % FB_MEMOS + AHEAD < FB_MEMOS)
		fb_table_prefetch(&ids->by_id, fb_id_hash(m[AHEAD].id, ids->seed));
	if (m->id != 0)
		fb_table_remove(&ids->by_id, fb_id_hash(m->id, ids->seed), ids->head | in_use);
	if (ids->head % FB_MEMOS == FB_MEMOS - 1)
		drop_block(ids, ids->head);
	ids->head = (ids->head + 1) & position_mask;
	return true;
}

void fb_ids_add(struct fb_ids *ids, fb_id id, const struct fb_id_fact *fact, uint64_t changed_seq)
{
	struct fb_memo m = { .id = id, .content = fact->content, .seq = fact->seq & 0xffffffffffff,
		.refused = (uint8_t)fact->refused, .kind = (unsigned)fact->kind & 0xf, .undone = fact->undone };

	FB_ASSERT(id != 0 && m.seq == fact->seq && m.refused == fact->refused && m.kind == fact->kind);
	if (ids->tail % FB_MEMOS == 0)
		new_block(ids);
	*memo_at(ids, ids->tail) = m;
	(*block_of(ids, ids->tail))->last_seq = changed_seq;
	fb_table_put(&ids->by_id, fb_id_hash(id, ids->seed), ids->tail | in_use);
	fb_table_reap(&ids->by_id);
	ids->tail = (ids->tail + 1) & position_mask;
	ids->added++;
}

void fb_ids_change(struct fb_ids *ids, fb_id id, const struct fb_id_fact *fact, uint64_t changed_seq)
{
	uint32_t ref = find(ids, id);

	if (ref != 0) {
		memo_at(ids, ref & position_mask)->id = 0;
		fb_table_remove(&ids->by_id, fb_id_hash(id, ids->seed), ref);
	}
	fb_ids_add(ids, id, fact, changed_seq);
}

/* Twice as many as came since the last time, so that the old are caught up with. */
void fb_ids_sweep(struct fb_ids *ids)
{
	uint64_t most = 2 * ids->added < SWEEP_MAX ? 2 * ids->added : SWEEP_MAX;

	ids->added = 0;
	while (most > 0 && forget_one(ids))
		most--;
}

size_t fb_ids_memory(const struct fb_ids *ids)
{
	size_t blocks = ids->spare != NULL;

	for (uint32_t i = 0; i < ids->directory_len; i++)
		blocks += ids->directory[i] != NULL;
	return fb_table_memory(&ids->by_id) + ids->directory_len * sizeof(*ids->directory) +
	       blocks * sizeof(struct fb_memo_block);
}

void fb_books_forget_ids(struct fb_books *b, uint64_t up_to_seq)
{
	if (up_to_seq > b->ids->forget)
		b->ids->forget = up_to_seq;
}
