/* The tail: records that are durable or about to be, and not folded yet, found by their seq. */
#include "writer_int.h"

#include <stdlib.h>
#include <string.h>

static struct entry **chunk_of(const struct tail *t, uint64_t seq)
{
	return &t->chunks[seq / TAIL_CHUNK & (t->chunk_count - 1)];
}

void tail_open(struct tail *t, uint64_t first, size_t entries_max)
{
	pthread_rwlockattr_t attributes;

	memset(t, 0, sizeof(*t));
	t->entries_max = entries_max;
	t->chunk_count = 1;
	while (t->chunk_count < entries_max / TAIL_CHUNK + 2) /* the first and the last may be used in part */
		t->chunk_count *= 2;
	t->chunks = fb_must_alloc(t->chunk_count, sizeof(t->chunks[0]));
	atomic_store(&t->first, first);
	atomic_store(&t->end, first);
	t->filled = first;
	/* Readers come and go all the time; the folder, who comes rarely, must get its turn. */
	FB_ASSERT(pthread_rwlockattr_init(&attributes) == 0);
	FB_ASSERT(pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0);
	FB_ASSERT(pthread_rwlock_init(&t->lock, &attributes) == 0);
	pthread_rwlockattr_destroy(&attributes);
}

void tail_close(struct tail *t)
{
	if (t->chunks == NULL)
		return;
	for (size_t i = 0; i < t->chunk_count; i++)
		free(t->chunks[i]);
	free(t->chunks);
	t->chunks = NULL;
	pthread_rwlock_destroy(&t->lock);
}

size_t tail_room(const struct tail *t)
{
	return t->entries_max - (size_t)(t->filled - tail_first(t));
}

struct entry *tail_add(struct tail *t)
{
	struct entry **chunk = chunk_of(t, t->filled);

	FB_ASSERT(tail_room(t) > 0);
	if (*chunk == NULL)
		*chunk = fb_must_alloc(TAIL_CHUNK, sizeof(**chunk));
	return &(*chunk)[t->filled++ % TAIL_CHUNK];
}

void tail_publish(struct tail *t, uint64_t end)
{
	FB_ASSERT(end >= tail_end(t));
	atomic_store_explicit(&t->end, end, memory_order_release);
}

struct fb_record tail_record(const struct tail *t, uint64_t seq)
{
	struct fb_record r;

	FB_ASSERT(seq >= tail_first(t));
	FB_ASSERT(fb_record_decode(&r, tail_at(t, seq)->bytes) == FB_OK);
	return r;
}

/* Gives back the memory of chunks that nothing is in any more. */
void tail_drop(struct tail *t, uint64_t end)
{
	FB_ASSERT(end >= tail_first(t) && end <= tail_end(t));
	for (uint64_t seq = tail_first(t); seq / TAIL_CHUNK < end / TAIL_CHUNK; seq += TAIL_CHUNK) {
		free(*chunk_of(t, seq));
		*chunk_of(t, seq) = NULL;
	}
	atomic_store_explicit(&t->first, end, memory_order_release);
}

static struct fb_counters counters_of(const struct fb_books *books, uint64_t number)
{
	struct fb_account a = { 0 };

	if (number != 0)
		FB_ASSERT(fb_books_account(books, &a, number) == FB_OK);
	return a.counters;
}

void tail_add_chain(struct tail *t, const struct fb_books *books, const uint8_t *records, uint32_t from, uint32_t to,
		    int64_t time_us, uint64_t batch)
{
	for (uint32_t i = from; i < to; i++) {
		const uint8_t *bytes = records + (size_t)i * FB_RECORD_LEN;
		uint64_t seq = t->filled;
		struct entry *e = tail_add(t);
		struct fb_record r;

		FB_ASSERT(fb_record_decode(&r, bytes) == FB_OK && r.seq == seq);
		*e = (struct entry){ .debit = r.debit, .credit = r.credit, .id = r.id, .ref = r.ref, .kind = r.kind,
				     .refused = r.refused, .content = r.content, .time_us = time_us, .batch = batch };
		e->after[0] = counters_of(books, r.debit);
		e->after[1] = counters_of(books, r.credit);
		memcpy(e->bytes, bytes, FB_RECORD_LEN);
	}
}
