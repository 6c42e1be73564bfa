/* Inside ledger/writer: what waits to be written. */
#ifndef FB_WRITER_INT_H
#define FB_WRITER_INT_H
#include "farebox/writer.h"

/* One commit: a block of its own, with the bytes of its rows behind them. */
struct item {
	struct item *next;
	void (*done)(void *arg, enum fb_status status);
	void *arg;
	size_t count, bytes;
	struct fb_put puts[];
};

/* Copies the rows and all they point to. Free with free(). */
struct item *item_make(const struct fb_put *puts, size_t count, void (*done)(void *arg, enum fb_status status),
		       void *arg);

/* First in, first out, and how much is in it. */
struct queue {
	struct item *first, *last;
	size_t rows, bytes;
};
void queue_push(struct queue *q, struct item *i);
/* Moves items from the front as long as `out` stays within the bounds; always the first one. */
void queue_take(struct queue *out, struct queue *q, size_t rows_max, size_t bytes_max);
#endif /* FB_WRITER_INT_H */
