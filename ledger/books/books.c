/* Opens and closes the books, and says whether they are whole. */
#include "books_int.h"

#include <stdlib.h>

void fb_books_open(struct fb_books **out, struct fb_id_index index, struct fb_books_settings settings)
{
	struct fb_books *b = fb_must_alloc(1, sizeof(*b));

	FB_ASSERT(settings.accounts <= FB_ACCOUNTS_MAX && settings.holds <= FB_HOLDS_MAX);
	fb_accounts_open(&b->accounts, settings.seed, settings.accounts != 0 ? settings.accounts : FB_ACCOUNTS_MAX);
	fb_holds_open(&b->holds, settings.seed, settings.holds != 0 ? settings.holds : FB_HOLDS_MAX);
	fb_ids_open(&b->ids, settings.seed);
	b->draft = fb_must_alloc(1, sizeof(*b->draft));
	b->index = index;
	*out = b;
}

void fb_books_close(struct fb_books *b)
{
	if (b == NULL)
		return;
	fb_accounts_close(b->accounts);
	fb_holds_close(b->holds);
	fb_ids_close(b->ids);
	free(b->draft);
	free(b->outside);
	free(b);
}

/* Rows of different age, and a journal that ends too early, leave gaps or sums that do not meet. */
bool fb_books_are_whole(struct fb_books *b)
{
	if (!b->whole)
		b->whole = b->accounts->open == fb_accounts_count(b->accounts) && b->newest <= b->seq &&
			   b->debits == b->credits && b->pending == b->held;
	return b->whole;
}

uint64_t fb_books_seq(const struct fb_books *b)
{
	return b->seq;
}

size_t fb_books_memory(const struct fb_books *b)
{
	const struct fb_accounts *a = b->accounts;
	const struct fb_holds *h = b->holds;

	return sizeof(*b) + sizeof(*a) + sizeof(*h) + sizeof(*b->draft) + b->outside_len * sizeof(*b->outside) +
	       fb_seg_memory(&a->cells) + fb_seg_memory(&a->changes) + fb_table_memory(&a->by_key) +
	       fb_seg_memory(&h->slots) + fb_seg_memory(&h->heap.nodes) + fb_seg_memory(&h->changes) +
	       fb_seg_memory(&h->ended) + fb_table_memory(&h->by_id) + fb_ids_memory(b->ids);
}
