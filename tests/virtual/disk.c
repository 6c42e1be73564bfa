/* The store and the writer in memory: a directory's rows outlive what is opened on it; a commit is durable after a
 * while, in the order of committing, and not before. */
#include "virtual.h"

#include "farebox/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_MS_MAX = 4 };

struct row {
	size_t key_len, value_len;
	char *key, *value;
	struct row *next; /* by key */
};
struct fb_store {
	char directory[64];
	struct row *rows;
	bool open;
	struct fb_store *next;
};
struct batch {
	struct fb_put *puts;
	size_t count;
	void (*done)(void *arg, enum fb_status status);
	void *arg;
	struct batch *next;
};
struct fb_writer {
	struct fb_store *store;
	struct batch *waiting; /* oldest first */
	uint64_t last_ns;      /* when the newest of them is durable */
	bool closing;
};
static struct fb_store *disks;
static bool held;

/* ---- rows ------------------------------------------------------------------------------------------------ */

static int compare(struct fb_str a, const struct row *row)
{
	size_t common = a.len < row->key_len ? a.len : row->key_len;
	int c = memcmp(a.at, row->key, common);

	return c != 0 ? c : a.len < row->key_len ? -1 : a.len > row->key_len;
}

static struct row **place(struct fb_store *s, struct fb_str key)
{
	struct row **at = &s->rows;

	while (*at != NULL && compare(key, *at) > 0)
		at = &(*at)->next;
	return at;
}

static char *copy(struct fb_str s)
{
	char *c = fb_must_alloc(s.len + 1, 1);

	if (s.len > 0)
		memcpy(c, s.at, s.len);
	return c;
}

static void remove_row(struct row **at)
{
	struct row *row = *at;

	*at = row->next;
	free(row->key);
	free(row->value);
	free(row);
}

static void apply(struct fb_store *s, const struct fb_put *put)
{
	struct row **at = place(s, put->key), *row;

	if (*at != NULL && compare(put->key, *at) == 0)
		remove_row(at);
	if (put->remove)
		return;
	row = fb_must_alloc(1, sizeof(*row));
	*row = (struct row){ put->key.len, put->value.len, copy(put->key), copy(put->value), *at };
	*at = row;
}

enum fb_status fb_store_get(struct fb_store *s, uint8_t *out, size_t *out_len, size_t cap, struct fb_str key)
{
	const struct row *row = *place(s, key);

	if (row == NULL || compare(key, row) != 0)
		return FB_NOT_FOUND;
	if (row->value_len > cap)
		return FB_TOO_LARGE;
	memcpy(out, row->value, row->value_len);
	*out_len = row->value_len;
	return FB_OK;
}

enum fb_status fb_store_scan(struct fb_store *s, struct fb_str prefix,
			     bool (*each)(void *arg, struct fb_str key, struct fb_str value), void *arg)
{
	for (const struct row *row = *place(s, prefix); row != NULL; row = row->next) {
		struct fb_str key = { row->key, row->key_len }, value = { row->value, row->value_len };

		if (!fb_str_starts(key, prefix) || !each(arg, key, value))
			return FB_OK;
	}
	return FB_OK;
}

/* ---- opening ------------------------------------------------------------------------------------------------ */

enum fb_status fb_writer_open_store(struct fb_store **out, const char *directory, struct fb_log *log,
				    struct fb_error *e)
{
	struct fb_store *s = disks;

	(void)log;
	(void)e;
	while (s != NULL && strcmp(s->directory, directory) != 0)
		s = s->next;
	if (s == NULL) {
		s = fb_must_alloc(1, sizeof(*s));
		snprintf(s->directory, sizeof(s->directory), "%s", directory);
		s->next = disks;
		disks = s;
	}
	FB_ASSERT(!s->open);
	s->open = true;
	*out = s;
	return FB_OK;
}

void fb_store_close(struct fb_store *s)
{
	if (s != NULL)
		s->open = false;
}

void virtual_disks_clear(void)
{
	while (disks != NULL) {
		struct fb_store *s = disks;

		FB_ASSERT(!s->open);
		disks = s->next;
		while (s->rows != NULL)
			remove_row(&s->rows);
		free(s);
	}
	held = false;
}

enum fb_status fb_writer_open(struct fb_writer **out, struct fb_store *store, const struct fb_writer_settings *settings,
			      struct fb_log *log, struct fb_metrics *metrics, struct fb_error *e)
{
	(void)settings;
	(void)log;
	(void)metrics;
	(void)e;
	*out = fb_must_alloc(1, sizeof(**out));
	(*out)->store = store;
	return FB_OK;
}

/* ---- committing ------------------------------------------------------------------------------------------------ */

static void flush_first(struct fb_writer *w)
{
	struct batch *b = w->waiting;

	w->waiting = b->next;
	for (size_t i = 0; i < b->count; i++) {
		apply(w->store, &b->puts[i]);
		free((char *)(uintptr_t)b->puts[i].key.at);
		free((char *)(uintptr_t)b->puts[i].value.at);
	}
	b->done(b->arg, FB_OK);
	free(b->puts);
	free(b);
}

static void on_flushed(void *arg)
{
	struct fb_writer *w = arg;

	if (held)
		virtual_at(VIRTUAL_MS, on_flushed, w, w);
	else
		flush_first(w);
}

static void commit(void *ctx, const struct fb_put *puts, size_t count, void (*done)(void *arg, enum fb_status status),
		   void *arg)
{
	struct fb_writer *w = ctx;
	struct batch *b = fb_must_alloc(1, sizeof(*b)), **at = &w->waiting;
	uint64_t now = virtual_now_ns(), ready = now + virtual_draw(FLUSH_MS_MAX * VIRTUAL_MS);

	FB_ASSERT(count > 0 && count <= FB_PUTS_MAX);
	*b = (struct batch){ fb_must_alloc(count, sizeof(*puts)), count, done, arg, NULL };
	for (size_t i = 0; i < count; i++)
		b->puts[i] = (struct fb_put){ { copy(puts[i].key), puts[i].key.len },
					      { copy(puts[i].value), puts[i].value.len },
					      puts[i].remove };
	while (*at != NULL)
		at = &(*at)->next;
	*at = b;
	w->last_ns = ready > w->last_ns ? ready : w->last_ns;
	virtual_at(w->last_ns - now, on_flushed, w, w);
}

struct fb_commit fb_writer_port(struct fb_writer *w)
{
	return (struct fb_commit){ commit, w };
}

void fb_writer_close(struct fb_writer *w)
{
	if (w == NULL)
		return;
	while (w->waiting != NULL)
		flush_first(w);
	virtual_cancel(w);
	free(w);
}

void virtual_disks_hold(bool hold)
{
	held = hold;
}
