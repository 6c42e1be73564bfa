/* Memory of exchanges: one mapping each, of which only touched pages cost anything; small ones are kept for
 * reuse, as mapping and unmapping cost more than all else that is done here for a request. What thousands at once
 * needed is kept for the next thousands: those that wait for their payment's block end and begin together. */
#include "http_int.h"

#include <string.h>
#include <sys/mman.h>

enum {
	EXCHANGE_BYTES = (sizeof(struct exchange) + 63) / 64 * 64,
	BLOCK_BYTES = EXCHANGE_BYTES + OWN_ARENA + FB_HTTP_ARENA,
};
_Static_assert(sizeof(struct block) <= EXCHANGE_BYTES, "a free block holds its link");
_Static_assert(OWN_ARENA % 16 == 0 && FB_HTTP_ARENA % 16 == 0, "arenas are aligned");

static void *take(struct worker *w)
{
	struct block *b = w->blocks;
	void *fresh;

	if (b != NULL) {
		w->blocks = b->next;
		w->block_count--;
		return b;
	}
	fresh = mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return fresh == MAP_FAILED ? NULL : fresh;
}

struct exchange *fb_http_block_take(struct worker *w)
{
	unsigned char *at = take(w);
	struct exchange *x = (struct exchange *)at;

	if (at == NULL)
		return NULL;
	memset(x, 0, sizeof(*x));
	fb_arena_init(&x->own, at + EXCHANGE_BYTES, OWN_ARENA);
	fb_arena_init(&x->arena, at + EXCHANGE_BYTES + OWN_ARENA, FB_HTTP_ARENA);
	return x;
}

void fb_http_block_give(struct worker *w, struct exchange *x)
{
	struct block *b = (struct block *)x;

	if (w->block_count >= BLOCKS_KEPT || x->own.used + x->arena.used > BLOCK_KEPT_USED) {
		FB_ASSERT(munmap(b, BLOCK_BYTES) == 0);
		return;
	}
	/* The next request finds nothing of this one. */
	fb_arena_release(&x->own, (struct fb_arena_mark){ 0 });
	fb_arena_release(&x->arena, (struct fb_arena_mark){ 0 });
	b->next = w->blocks;
	w->blocks = b;
	w->block_count++;
}

void fb_http_blocks_free(struct worker *w)
{
	while (w->blocks != NULL) {
		struct block *b = w->blocks;

		w->blocks = b->next;
		FB_ASSERT(munmap(b, BLOCK_BYTES) == 0);
	}
	w->block_count = 0;
}
