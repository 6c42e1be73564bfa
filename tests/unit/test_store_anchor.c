/* Goal: the anchor says the newest written number as long as one slot is whole, and its bytes are frozen.
 * Method: a real file; damage is bytes overwritten in it. */
#include "test_store.h"

#include <fcntl.h>
#include <unistd.h>

enum { SLOT = 4096 };

static struct fb_anchor anchor_of(uint64_t epoch, uint64_t number)
{
	struct fb_anchor a = { .epoch = epoch, .number = number };

	memset(a.hash.bytes, (int)(number & 0xff), sizeof(a.hash.bytes));
	return a;
}

static const char *anchor_path(void)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/anchor", test_store_data);
	return path;
}

static void check_anchor(uint64_t epoch, uint64_t number)
{
	struct fb_store *s = test_store_open();
	struct fb_anchor got, want = anchor_of(epoch, number);
	struct fb_error e;

	CHECK_STATUS(FB_OK, fb_store_anchor(s, &got, &e));
	CHECK(got.epoch == epoch && got.number == number && fb_hash_eq(&got.hash, &want.hash));
	fb_store_close(s);
}

/* A store with an anchor moved to numbers 1 … last. */
static void make(uint64_t last)
{
	struct fb_store *s = test_store_open();
	struct fb_anchor a = anchor_of(1, 0), got;
	struct fb_error e;

	CHECK_STATUS(FB_NOT_FOUND, fb_store_anchor(s, &got, &e));
	CHECK(strstr(e.text, anchor_path()) != NULL);
	CHECK_STATUS(FB_OK, fb_store_anchor_make(s, &a, &e));
	for (uint64_t n = 1; n <= last; n++) {
		a = anchor_of(1, n);
		CHECK_STATUS(FB_OK, fb_store_anchor_move(s, &a));
	}
	CHECK_STATUS(FB_OK, fb_store_anchor(s, &got, &e));
	CHECK(got.number == last);
	fb_store_close(s);
}

static void anchor__moved__is_what_the_next_open_reads(void **state)
{
	(void)state;
	make(0);
	check_anchor(1, 0);
	for (uint64_t n = 1; n < 6; n++) { /* across opens, the slots still take turns */
		struct fb_store *s = test_store_open();
		struct fb_anchor a = anchor_of(1, n);

		CHECK_STATUS(FB_OK, fb_store_anchor_move(s, &a));
		fb_store_close(s);
		check_anchor(1, n);
	}
}

static void anchor__one_slot_damaged__the_other_counts(void **state)
{
	struct fb_store *s;
	struct fb_anchor a, got;
	struct fb_error e;
	unsigned newest_lost = 0;

	(void)state;
	make(2);
	for (unsigned slot = 0; slot < 2; slot++)
		for (off_t at = 0; at < 60; at += 7) {
			test_store_flip(anchor_path(), slot * SLOT + at);
			s = test_store_open();
			CHECK_STATUS(FB_OK, fb_store_anchor(s, &got, &e));
			CHECK(got.number == 1 || got.number == 2);
			newest_lost += got.number == 1;
			fb_store_close(s);
			test_store_flip(anchor_path(), slot * SLOT + at);
		}
	CHECK(newest_lost == 9); /* those of the newest slot, and no other */
	test_store_flip(anchor_path(), 0);
	s = test_store_open(); /* the next write goes over the damaged slot */
	a = anchor_of(1, 3);
	CHECK_STATUS(FB_OK, fb_store_anchor_move(s, &a));
	fb_store_close(s);
	check_anchor(1, 3);
}

static void anchor__both_slots_damaged__says_so_and_can_be_made_new(void **state)
{
	struct fb_store *s;
	struct fb_anchor a = anchor_of(2, 7), got;
	struct fb_error e;

	(void)state;
	make(5);
	test_store_flip(anchor_path(), 20);
	test_store_flip(anchor_path(), SLOT + 57);
	s = test_store_open();
	CHECK_STATUS(FB_STORAGE, fb_store_anchor(s, &got, &e));
	CHECK(strstr(e.text, "anchor is damaged") != NULL);
	CHECK_STATUS(FB_OK, fb_store_anchor_make(s, &a, &e));
	CHECK_STATUS(FB_OK, fb_store_anchor(s, &got, &e));
	fb_store_close(s);
	check_anchor(2, 7);
	CHECK(truncate(anchor_path(), 0) == 0);
	s = test_store_open();
	CHECK_STATUS(FB_STORAGE, fb_store_anchor(s, &got, &e));
	fb_store_close(s);
}

static void anchor__golden__its_bytes_are_frozen(void **state)
{
	static const uint8_t want[60] = {
		'f', 'b', 'a', 'n', 'c', 'h', 'o', 'r', 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9,
		9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
		0x3c, 0x55, 0x1e, 0x20, /* CRC-32C of the 56 bytes before */
	};
	uint8_t got[2 * SLOT];
	int fd;

	(void)state;
	make(9);
	fd = open(anchor_path(), O_RDONLY);
	CHECK(fd >= 0 && read(fd, got, sizeof(got)) == sizeof(got));
	close(fd);
	CHECK(memcmp(got, want, sizeof(want)) == 0 || memcmp(got + SLOT, want, sizeof(want)) == 0);
}

static void open__anchor_but_no_rows__is_refused_and_nothing_is_made(void **state)
{
	char current[200], saved[200];

	(void)state;
	make(1);
	snprintf(current, sizeof(current), "%s/rows/CURRENT", test_store_data);
	snprintf(saved, sizeof(saved), "%s/saved", test_store_data);
	CHECK(rename(current, saved) == 0);
	CHECK(strstr(test_store_refusal(), "missing") != NULL);
	CHECK(access(current, F_OK) != 0);
	CHECK(rename(saved, current) == 0);
	check_anchor(1, 1);
}

int test_store_anchor(void)
{
#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, test_store_setup, test_store_teardown)
	const struct CMUnitTest tests[] = {
		IN_ROOT(anchor__moved__is_what_the_next_open_reads),
		IN_ROOT(anchor__one_slot_damaged__the_other_counts),
		IN_ROOT(anchor__both_slots_damaged__says_so_and_can_be_made_new),
		IN_ROOT(anchor__golden__its_bytes_are_frozen),
		IN_ROOT(open__anchor_but_no_rows__is_refused_and_nothing_is_made),
	};

	return cmocka_run_group_tests_name("store: the anchor", tests, NULL, NULL);
}
