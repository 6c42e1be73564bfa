/* Shared inside the world: its state, the disk, the clients, the checks. */
#ifndef FB_WORLD_INT_H
#define FB_WORLD_INT_H
#include "world.h"

enum { OWNERS_MAX = 6, SUBMISSION_MAX = 48 };

/* What a crash leaves. */
struct disk {
	struct fb_record *journal; /* record seq is at seq - 1 */
	size_t journal_count;
	struct fb_account *accounts; /* rows */
	struct fb_hold *holds;
	size_t account_count, hold_count;
	uint64_t mark;             /* the rows lack nothing up to this record */
	uint64_t indexed;          /* the index knows ids up to here */
	struct fb_books_changes writing; /* the snapshot that is being written */
	size_t accounts_left, holds_left;
	uint64_t writing_mark;     /* 0: none is being written */
};
struct world {
	struct world_seen *seen;
	struct world_source source;
	const char *name;
	unsigned step;
	struct fb_books *books;
	struct model model;
	struct disk disk;
	struct fb_books_settings settings;
	int64_t now_us;
	uint8_t *batch;
	uint32_t batch_count;
	struct fb_record *expected; /* records that the auditor wants in this batch */
	size_t expected_count;
	struct fb_op *history;      /* operations that clients have sent */
	size_t history_count;
	/* This world's ways: chances in 256, and sizes. */
	unsigned owners, assets, p_repeat, p_alter, p_spoil, p_link, p_expiry, p_crash, p_fail, p_huge, p_index, p_seal;
	uint64_t kinds[WORLD_KINDS]; /* weights */
	bool index_fails;
};
_Noreturn void world_differs(const struct world *w, const char *what, int line);
#define WANT(w, c) ((c) ? (void)0 : world_differs((w), #c, __LINE__))

uint64_t draw(struct world *w, uint64_t below);
bool chance(struct world *w, unsigned of_256);

/* clients.c */
size_t clients_submit(struct world *w, struct fb_op ops[SUBMISSION_MAX]);
/* disk.c */
struct fb_id_index disk_index(struct world *w);
void disk_seal(struct world *w);          /* the batch is in the journal */
void disk_snapshot_some(struct world *w); /* writes a few rows more, or begins */
void disk_crash(struct world *w);         /* new books from what is there */
void disk_free(struct disk *d);
/* compare.c */
void compare_books(struct world *w);
void compare_records(struct world *w);    /* of the batch, with what the auditor wants */
void compare_replayed(struct world *w);   /* the books with others made of the journal alone */
#endif /* FB_WORLD_INT_H */
