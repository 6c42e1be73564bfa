/* What waiting operations will need, looked up for many of them at once before they are decided: their ids in the
 * index, and the memory of the books. */
#include "writer_int.h"

#include <stdlib.h>

_Static_assert((size_t)AHEAD_OPS <= FB_STORE_GET_MANY_MAX, "one call");
_Static_assert((size_t)FB_SUBMIT_OPS_MAX <= AHEAD_OPS, "one submission fits");

void ahead_clear(struct ahead *a)
{
	a->op_count = a->id_count = a->next_id = a->decided = a->expected = 0;
}

static void take(void *arg, size_t i, struct fb_str value)
{
	struct ahead *a = arg;

	a->ids[i].status = row_id_read(&a->ids[i].fact, value);
}

/* FB_STORAGE of one read fails all of them: whoever asks for one finds out. */
static void read_ids(struct fb_writer *w, struct ahead *a)
{
	struct row rows[AHEAD_OPS];
	struct fb_str keys[AHEAD_OPS];
	enum fb_status st;

	for (size_t i = 0; i < a->id_count; i++) {
		row_id_key(&rows[i], a->ids[i].id);
		keys[i] = row_key(&rows[i]);
		a->ids[i].status = FB_NOT_FOUND;
	}
	st = fb_store_get_many(w->store, FB_FAMILY_DERIVED, keys, a->id_count, take, a);
	if (st != FB_OK)
		a->id_count = 0;
}

static void add(struct ahead *a, const struct item *i)
{
	for (size_t k = 0; k < i->op_count; k++) {
		a->ops[a->op_count++] = &i->ops[k];
		if (i->ops[k].kind != FB_OP_ACCOUNT)
			a->ids[a->id_count++].id = i->ops[k].id;
	}
}

void ahead_look(struct fb_writer *w, const struct item *item)
{
	struct ahead *a = w->ahead;

	if (a->decided < a->op_count)
		return;
	ahead_clear(a);
	for (; item != NULL && a->op_count + item->op_count <= AHEAD_OPS; item = queue_after(&w->queue, item))
		add(a, item);
	if (a->id_count > 0)
		read_ids(w, a);
}

void ahead_decide(struct fb_writer *w, size_t count)
{
	struct ahead *a = w->ahead;

	if (a->expected < a->op_count && a->decided + FB_EXPECT_MAX >= a->expected) {
		size_t left = a->op_count - a->expected, some = left < FB_EXPECT_MAX ? left : FB_EXPECT_MAX;

		fb_books_expect(w->books, a->ops + a->expected, some);
		a->expected += some;
	}
	a->decided += count;
	FB_ASSERT(a->decided <= a->op_count);
}

bool ahead_find(struct ahead *a, enum fb_status *out, struct fb_id_fact *fact, fb_id id)
{
	for (size_t i = a->next_id; i < a->id_count; i++)
		if (a->ids[i].id == id) {
			a->next_id = i; /* not behind it: it may be asked again */
			*out = a->ids[i].status;
			if (*out == FB_OK)
				*fact = a->ids[i].fact;
			return true;
		}
	return false;
}
