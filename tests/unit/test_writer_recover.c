/* Goal: the writer opens with everything that was acknowledged, or not at all, and says what is lost and what to do.
 * Method: a data directory is put together from pieces of different age, or damaged, between two opens. */
#include "test_writer_model.h"

#include <dirent.h>
#include <fcntl.h>
#include <semaphore.h>
#include <unistd.h>

/* ---- operations ---------------------------------------------------------------------------------------------- */

struct wait {
	sem_t came;
	enum fb_status status;
};

static void on_done(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	struct wait *wait = arg;

	(void)results, (void)count;
	wait->status = status;
	sem_post(&wait->came);
}

/* So many posts of 1, a batch each. */
static void post_some(struct world *w, unsigned first_id, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct fb_op op = { .kind = FB_OP_POST, .id = first_id + i, .leg_count = 1,
				    .debit = model_key(0, 0, FB_PURPOSE_WORLD) };
		struct wait wait;

		op.legs[0] = (struct fb_leg){ model_key(1, 0, FB_PURPOSE_AVAILABLE), { 1 } };
		CHECK(sem_init(&wait.came, 0, 0) == 0);
		fb_writer_submit(w->writer,
				 &(struct fb_submission){ .ops = &op, .op_count = 1, .done = on_done, .arg = &wait });
		CHECK(sem_wait(&wait.came) == 0);
		CHECK_STATUS(FB_OK, wait.status);
		sem_destroy(&wait.came);
	}
}

static uint64_t balance(struct world *w)
{
	struct fb_account_key key = model_key(1, 0, FB_PURPOSE_AVAILABLE);
	struct fb_account a;

	CHECK_STATUS(FB_OK, fb_writer_balance(w->writer, &a, &key));
	return (uint64_t)a.counters.credits_posted.atoms;
}

/* ---- directories --------------------------------------------------------------------------------------------- */

/* In the data directory. */
static void shell(const struct world *w, const char *what)
{
	char command[512];

	snprintf(command, sizeof(command), "cd '%s' && %s", w->root.path, what);
	CHECK(system(command) == 0);
}

/* What the open says when it refuses. */
static const char *refusal(struct world *w)
{
	const struct fb_writer_settings settings = { .clock = w->clock, .rng = fb_os_rng(),
						     .snapshot_every = w->snapshot_every };
	static struct fb_error e;
	struct fb_writer *writer = NULL;
	struct fb_store *store = NULL;
	enum fb_status st = fb_writer_open_store(&store, w->root.path, w->log, &e);

	if (st == FB_OK)
		st = fb_writer_open(&writer, store, &settings, w->log, w->metrics, &e);
	CHECK(writer == NULL);
	fb_store_close(store);
	CHECK_STATUS(FB_STORAGE, st);
	return e.text;
}

static void check_refusal(struct world *w, const char *word, const char *remedy)
{
	const char *text = refusal(w);

	if (strstr(text, word) == NULL || strstr(text, remedy) == NULL)
		fail_msg("\"%s\" says neither \"%s\" nor \"%s\"", text, word, remedy);
}

static void find_log(struct world *w, char path[512])
{
	char rows[200];
	struct dirent *entry;
	DIR *dir;

	snprintf(rows, sizeof(rows), "%s/rows", w->root.path);
	dir = opendir(rows);
	CHECK(dir != NULL);
	path[0] = '\0';
	while ((entry = readdir(dir)) != NULL)
		if (strlen(entry->d_name) > 4 && strcmp(entry->d_name + strlen(entry->d_name) - 4, ".log") == 0)
			snprintf(path, 512, "%s/%s", rows, entry->d_name);
	closedir(dir);
	CHECK(path[0] != '\0');
}

/* Flips a byte so far from the end of the log. */
static void damage_log(struct world *w, off_t from_end)
{
	char path[512];
	struct stat info;
	int fd;
	char c;

	find_log(w, path);
	fd = open(path, O_RDWR);
	CHECK(fd >= 0 && fstat(fd, &info) == 0 && info.st_size > from_end);
	CHECK(pread(fd, &c, 1, info.st_size - from_end) == 1);
	c ^= 0x20;
	CHECK(pwrite(fd, &c, 1, info.st_size - from_end) == 1);
	close(fd);
}

/* ---- the anchor ------------------------------------------------------------------------------------------------ */

static void open__new__begins_with_batch_0(void **state)
{
	struct world *w = *state;
	struct fb_anchor a;
	struct model m;

	CHECK_STATUS(FB_OK, fb_store_anchor(w->store, &a, NULL));
	CHECK(a.epoch == 1 && a.number == 0);
	model_read(&m, w->store);
	CHECK(m.count == 0 && fb_writer_seq(w->writer) == 0);
	model_free(&m);
	post_some(w, 1, 3);
	CHECK_STATUS(FB_OK, fb_store_anchor(w->store, &a, NULL));
	CHECK(a.number == 3);
}

static void open__older_rows__says_how_much_is_lost(void **state)
{
	struct world *w = *state;

	post_some(w, 1, 4);
	test_writer_close(w);
	shell(w, "cp -r rows older");
	test_writer_open(w);
	post_some(w, 5, 3);
	test_writer_close(w);
	shell(w, "mv rows newer && mv older rows");
	check_refusal(w, "end with batch 4, but batch 7 was acknowledged: 3 batches are lost", "restore it from a backup");
	check_refusal(w, "3 batches are lost", "restore"); /* and again: nothing was changed by it */
	shell(w, "rm -r rows && mv newer rows");
	test_writer_open(w);
	CHECK(balance(w) == 7);
}

static void open__rows_emptied__says_that_all_is_lost(void **state)
{
	struct world *w = *state;

	post_some(w, 1, 2);
	test_writer_close(w);
	shell(w, "mv rows kept && mkdir rows");
	check_refusal(w, "missing", "restore it from a backup");
	shell(w, "rm -r rows && mkdir other && mv anchor other/");
	test_writer_open(w); /* a new journal, with an anchor of its own */
	test_writer_close(w);
	shell(w, "mv other/anchor anchor");
	check_refusal(w, "2 batches are lost", "restore");
	shell(w, "rm -r rows && mv kept rows");
	test_writer_open(w);
	CHECK(balance(w) == 2);
}

static void open__other_history__is_refused(void **state)
{
	struct world *w = *state;

	post_some(w, 1, 3);
	test_writer_close(w);
	shell(w, "mkdir a && mv rows anchor a/");
	test_writer_open(w);
	post_some(w, 11, 5);
	test_writer_close(w);
	shell(w, "mkdir b && mv rows anchor b/ && cp -r b/rows a/anchor .");
	check_refusal(w, "not of one history", "one backup");
	shell(w, "rm -r rows anchor && cp -r a/rows a/anchor .");
	test_writer_open(w);
}

static void open__anchor_gone_or_damaged__is_refused_and_can_be_accepted(void **state)
{
	struct world *w = *state;
	struct fb_store *s;
	struct fb_error e;

	post_some(w, 1, 3);
	test_writer_close(w);
	shell(w, "cp anchor kept && rm anchor");
	check_refusal(w, "there is no", "ledger accept 3");
	shell(w, "head -c 8192 /dev/zero > anchor");
	check_refusal(w, "is damaged", "ledger accept 3");
	shell(w, "head -c 100 kept > anchor"); /* one slot is enough */
	test_writer_open(w);
	CHECK(balance(w) == 3);
	test_writer_close(w);
	shell(w, "rm anchor");
	CHECK_STATUS(FB_OK, fb_store_open(&s, w->root.path, &e));
	CHECK_STATUS(FB_MISMATCH, fb_writer_accept(s, 4, &e));
	CHECK(strstr(e.text, "batch 3") != NULL);
	CHECK_STATUS(FB_OK, fb_writer_accept(s, 3, &e));
	CHECK_STATUS(FB_CONFLICT, fb_writer_accept(s, 3, &e)); /* there is a good anchor */
	fb_store_close(s);
	test_writer_open(w);
	CHECK(balance(w) == 3);
}

static void open__durable_but_not_anchored__counts(void **state)
{
	struct world *w = *state;
	struct fb_anchor a;

	post_some(w, 1, 4);
	test_writer_close(w);
	shell(w, "cp anchor older");
	test_writer_open(w);
	post_some(w, 5, 2);
	test_writer_close(w);
	shell(w, "mv older anchor");
	test_writer_open(w);
	CHECK(balance(w) == 6);
	CHECK_STATUS(FB_OK, fb_store_anchor(w->store, &a, NULL));
	CHECK(a.number == 6);
}

/* ---- salvage --------------------------------------------------------------------------------------------------- */

static void open__log_damaged_behind_the_anchor__goes_on_without_that(void **state)
{
	struct world *w = *state;

	post_some(w, 1, 20);
	test_writer_close(w);
	test_writer_open(w); /* a log of its own for what follows */
	post_some(w, 21, 4);
	shell(w, "cp anchor older");
	post_some(w, 25, 2);
	test_writer_close(w);
	shell(w, "mv older anchor");
	damage_log(w, 500); /* in the last batch but one: nobody was told of it, says the anchor */
	test_writer_open(w);
	CHECK(balance(w) == 24);
	CHECK(test_writer_logged(w, "\"event\":\"store_salvaged\""));
	post_some(w, 27, 1);
	test_writer_close(w);
	shell(w, "test -f damaged-1/CURRENT");
	test_writer_open(w);
	CHECK(balance(w) == 25);
}

static void open__log_damaged_before_the_anchor__is_refused(void **state)
{
	struct world *w = *state;

	post_some(w, 1, 20);
	test_writer_close(w);
	test_writer_open(w);
	post_some(w, 21, 6);
	test_writer_close(w);
	damage_log(w, 500);
	check_refusal(w, "end with batch 24, but batch 26 was acknowledged: 2 batches are lost", "restore");
	shell(w, "test ! -e damaged-1");
	damage_log(w, 500); /* the byte back */
	test_writer_open(w);
	CHECK(balance(w) == 26);
}

/* ---- a journal that is not ours ---------------------------------------------------------------------------------- */

/* Replaces the last batch by what `change` makes of it, sealed again if it says so, with the anchor to match. */
static void rewrite_last(struct world *w, bool (*change)(struct fb_batch_head *head, uint8_t *records))
{
	static uint8_t bytes[1 << 16];
	uint8_t key[FB_JOURNAL_KEY_LEN];
	struct fb_put put;
	struct fb_cursor *c;
	struct fb_batch b;
	struct fb_anchor a;
	struct fb_store *s;
	struct fb_error e;

	CHECK_STATUS(FB_OK, fb_store_open(&s, w->root.path, &e));
	fb_journal_key(key, UINT64_MAX);
	fb_cursor_open(&c, s, FB_FAMILY_JOURNAL);
	CHECK(fb_cursor_seek_back(c, (struct fb_str){ (const char *)key, sizeof(key) }));
	CHECK_STATUS(FB_OK, fb_batch_open(&b, fb_cursor_value(c), &e));
	memcpy(bytes, fb_cursor_value(c).at, fb_cursor_value(c).len);
	put.value = (struct fb_str){ (const char *)bytes, fb_cursor_value(c).len };
	fb_cursor_close(c);
	CHECK_STATUS(FB_OK, fb_store_anchor(s, &a, &e));
	fb_journal_key(key, b.head.number);
	put.key = (struct fb_str){ (const char *)key, sizeof(key) };
	put.remove = false;
	if (change(&b.head, fb_batch_records(bytes)))
		fb_batch_seal(bytes, &a.hash, &b.head);
	CHECK_STATUS(FB_OK, fb_store_commit(s, &put, NULL, 0));
	CHECK_STATUS(FB_OK, fb_store_anchor_make(s, &a, &e));
	fb_store_close(s);
}

static bool flip_a_byte(struct fb_batch_head *head, uint8_t *records)
{
	(void)head;
	records[100] ^= 1;
	return false;
}

static bool change_previous(struct fb_batch_head *head, uint8_t *records)
{
	(void)records;
	head->previous.bytes[0] ^= 1;
	return true;
}

static bool change_time(struct fb_batch_head *head, uint8_t *records)
{
	(void)records;
	head->time_us = 5;
	return true;
}

/* More than the account has. */
static bool change_amount(struct fb_batch_head *head, uint8_t *records)
{
	struct fb_record r;

	(void)head;
	CHECK_STATUS(FB_OK, fb_record_decode(&r, records));
	r.debit = 2; /* the one that may not go below zero */
	r.credit = 1;
	r.amount.atoms = 1000;
	fb_record_encode(records, &r);
	return true;
}

static void open__last_batch_is_not_ours__is_refused(void **state)
{
	static const struct { bool (*change)(struct fb_batch_head *head, uint8_t *records); const char *says; } rows[] = {
		{ flip_a_byte, "hash is wrong" },
		{ change_previous, "previous hash is wrong" },
		{ change_time, "time is wrong" },
		{ change_amount, "contradicts" },
	};
	struct world *w = *state;

	post_some(w, 1, 5);
	test_writer_close(w);
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		shell(w, "cp -r rows kept && cp anchor anchor-kept");
		rewrite_last(w, rows[i].change);
		check_refusal(w, rows[i].says, "batch 5");
		shell(w, "rm -r rows && mv kept rows && mv anchor-kept anchor");
	}
	test_writer_open(w);
	CHECK(balance(w) == 5);
}

/* ---- derived rows ------------------------------------------------------------------------------------------------ */

static void spoil_derived(struct world *w, struct fb_str key, struct fb_str value, bool remove)
{
	struct fb_store *s;
	struct fb_bulk *b;
	struct fb_error e;

	CHECK_STATUS(FB_OK, fb_store_open(&s, w->root.path, &e));
	fb_bulk_open(&b, s, FB_FAMILY_DERIVED);
	if (remove)
		fb_bulk_remove(b, key);
	else
		fb_bulk_put(b, key, value);
	CHECK_STATUS(FB_OK, fb_bulk_finish(b));
	CHECK_STATUS(FB_OK, fb_bulk_ingest(b));
	fb_bulk_close(b);
	fb_store_close(s);
}

/* Rows that are damaged, of other books, or missing: all are made again, and nothing is refused. */
static void open__derived_rows_spoilt__makes_them_again(void **state)
{
	static const char a1[] = "A\0\0\0\0\0\0\0\1", r[64] = { 1 };
	static const struct { struct fb_str key, value; bool remove; } rows[] = {
		{ { "B", 1 }, { "nonsense", 8 }, false },
		{ { "B", 1 }, { r, 49 }, false },     /* well formed, of nothing */
		{ { a1, 9 }, { "nonsense", 8 }, false },
		{ { a1, 9 }, { NULL, 0 }, true },     /* an account that others pay */
		{ { "H\0\0\0\0\0\0\0\1abcdefghijklmnop", 25 }, { r, 41 }, false },
	};
	struct world *w = *state;
	unsigned posts = 0;

	w->snapshot_every = 10;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		post_some(w, 1 + posts, 30);
		posts += 30;
		test_writer_close(w);
		spoil_derived(w, rows[i].key, rows[i].value, rows[i].remove);
		CHECK(ftruncate(w->log_fd, 0) == 0);
		test_writer_open(w);
		if (!test_writer_logged(w, "\"event\":\"derived_rebuilt\""))
			fail_msg("row %zu did no harm", i);
		CHECK(balance(w) == posts);
	}
}

/* What is found damaged only when it is used. */
static void read__derived_row_damaged__says_so_and_is_mended_at_the_next_start(void **state)
{
	uint8_t key[17] = { 'I' };
	struct world *w = *state;
	struct fb_transfer t;

	w->snapshot_every = 10;
	test_writer_close(w);
	test_writer_open(w);
	post_some(w, 1, 60);
	test_writer_close(w);
	fb_put_be128(key + 1, 7);
	spoil_derived(w, (struct fb_str){ (const char *)key, sizeof(key) }, FB_STR("nonsense"), false);
	test_writer_open(w);
	CHECK_STATUS(FB_OK, fb_writer_transfer(w->writer, &t, 6));
	CHECK(!test_writer_logged(w, "\"event\":\"derived_damaged\""));
	CHECK_STATUS(FB_STORAGE, fb_writer_transfer(w->writer, &t, 7));
	CHECK(test_writer_logged(w, "\"event\":\"derived_damaged\""));
	test_writer_close(w);
	test_writer_open(w);
	CHECK(test_writer_logged(w, "\"event\":\"derived_rebuilt\""));
	CHECK_STATUS(FB_OK, fb_writer_transfer(w->writer, &t, 7));
	CHECK(balance(w) == 60);
}

/* ---- beside the owner, and copies -------------------------------------------------------------------------------- */

static void reader__beside_the_writer__reads_what_was_durable(void **state)
{
	struct world *w = *state;
	const struct fb_writer_settings settings = { .clock = w->clock, .rng = fb_os_rng() };
	struct fb_account_key key = model_key(1, 0, FB_PURPOSE_AVAILABLE);
	struct fb_history_line lines[100];
	struct fb_writer *reader;
	struct fb_account a;
	struct fb_error e;
	size_t count;

	w->snapshot_every = 20;
	test_writer_close(w);
	test_writer_open(w);
	for (unsigned round = 1; round <= 3; round++) {
		post_some(w, round * 100, 30);
		CHECK_STATUS(FB_OK, fb_writer_open_reader(&reader, w->root.path, &settings, &e));
		post_some(w, round * 100 + 50, 1);
		CHECK(fb_writer_seq(reader) == fb_writer_seq(w->writer) - 1);
		CHECK_STATUS(FB_OK, fb_writer_balance(reader, &a, &key));
		CHECK(a.counters.credits_posted.atoms == round * 31 - 1);
		CHECK_STATUS(FB_OK, fb_writer_history(reader, lines, &count, FB_COUNT(lines), &key, 0, true));
		CHECK(count == round * 31);
		fb_writer_close(reader);
	}
	test_writer_close(w);
	CHECK_STATUS(FB_OK, fb_writer_open_reader(&reader, w->root.path, &settings, &e)); /* and without an owner */
	CHECK(fb_writer_seq(reader) == 95);
	fb_writer_close(reader);
	test_writer_open(w);
}

static void reader__no_journal__is_not_found(void **state)
{
	struct world *w = *state;
	const struct fb_writer_settings settings = { .clock = w->clock, .rng = fb_os_rng() };
	struct fb_writer *reader;
	struct fb_store *s;
	struct fb_error e;
	char path[128];

	snprintf(path, sizeof(path), "%s/other", w->root.path);
	CHECK_STATUS(FB_OK, fb_store_open(&s, path, &e));
	fb_store_close(s);
	CHECK_STATUS(FB_NOT_FOUND, fb_writer_open_reader(&reader, path, &settings, &e));
}

static void backup__restored__goes_on_in_the_next_epoch(void **state)
{
	struct world *w = *state;
	struct fb_anchor a;
	struct fb_error e;
	char copy[128], restored[128];

	snprintf(copy, sizeof(copy), "%s/copy", w->root.path);
	snprintf(restored, sizeof(restored), "%s/restored", w->root.path);
	post_some(w, 1, 5);
	CHECK_STATUS(FB_OK, fb_store_backup(w->store, copy, &e));
	post_some(w, 6, 5);
	test_writer_close(w);
	CHECK_STATUS(FB_OK, fb_store_restore(copy, restored, &e));
	shell(w, "rm -r rows anchor && mv restored/rows restored/anchor .");
	test_writer_open(w);
	CHECK(balance(w) == 5);
	post_some(w, 6, 2);
	CHECK_STATUS(FB_OK, fb_store_anchor(w->store, &a, &e));
	CHECK(a.epoch == 2 && a.number == 7);
	test_writer_close(w);
	test_writer_open(w);
	CHECK(balance(w) == 7);
}

int test_writer_recover(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, test_writer_setup, test_writer_teardown)
	const struct CMUnitTest tests[] = {
		IN_WORLD(open__new__begins_with_batch_0),
		IN_WORLD(open__older_rows__says_how_much_is_lost),
		IN_WORLD(open__rows_emptied__says_that_all_is_lost),
		IN_WORLD(open__other_history__is_refused),
		IN_WORLD(open__anchor_gone_or_damaged__is_refused_and_can_be_accepted),
		IN_WORLD(open__durable_but_not_anchored__counts),
		IN_WORLD(open__log_damaged_behind_the_anchor__goes_on_without_that),
		IN_WORLD(open__log_damaged_before_the_anchor__is_refused),
		IN_WORLD(open__last_batch_is_not_ours__is_refused),
		IN_WORLD(open__derived_rows_spoilt__makes_them_again),
		IN_WORLD(read__derived_row_damaged__says_so_and_is_mended_at_the_next_start),
		IN_WORLD(reader__beside_the_writer__reads_what_was_durable),
		IN_WORLD(reader__no_journal__is_not_found),
		IN_WORLD(backup__restored__goes_on_in_the_next_epoch),
	};

	return cmocka_run_group_tests_name("writer: recovery", tests, NULL, NULL);
}
