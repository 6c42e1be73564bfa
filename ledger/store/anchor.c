/* The anchor: how far the journal must reach, in a file of its own.
 *
 * A slot is: magic 8, epoch 8, number 8, hash 32, CRC-32C of these 4, zeros to 4096. */
#include "store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	EPOCH_AT = 8,
	NUMBER_AT = 16,
	HASH_AT = 24,
	SUM_AT = 56,
	FILE_MODE = 0600,
};
_Static_assert(SUM_AT == HASH_AT + sizeof(struct fb_hash), "no gap");
static const char magic[EPOCH_AT] = "fbanchor", file_name[] = "anchor", new_name[] = "anchor.new";

/* CRC-32C (Castagnoli), bit by bit: 56 bytes a batch. */
static uint32_t checksum(const uint8_t *bytes, size_t len)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
	}
	return ~crc;
}

static void encode(uint8_t slot[ANCHOR_SLOT_LEN], const struct fb_anchor *a)
{
	memset(slot, 0, ANCHOR_SLOT_LEN);
	memcpy(slot, magic, sizeof(magic));
	fb_put_be64(slot + EPOCH_AT, a->epoch);
	fb_put_be64(slot + NUMBER_AT, a->number);
	memcpy(slot + HASH_AT, a->hash.bytes, sizeof(a->hash.bytes));
	fb_put_be32(slot + SUM_AT, checksum(slot, SUM_AT));
}

static bool decode(struct fb_anchor *out, const uint8_t slot[ANCHOR_SLOT_LEN])
{
	if (memcmp(slot, magic, sizeof(magic)) != 0 || fb_get_be32(slot + SUM_AT) != checksum(slot, SUM_AT))
		return false;
	out->epoch = fb_get_be64(slot + EPOCH_AT);
	out->number = fb_get_be64(slot + NUMBER_AT);
	memcpy(out->hash.bytes, slot + HASH_AT, sizeof(out->hash.bytes));
	return true;
}

static bool is_newer(const struct fb_anchor *a, const struct fb_anchor *b)
{
	return a->epoch != b->epoch ? a->epoch > b->epoch : a->number > b->number;
}

static bool choose(struct fb_anchor *out, unsigned *slot, const uint8_t bytes[ANCHOR_LEN])
{
	struct fb_anchor found[2];
	bool valid[2];

	for (unsigned i = 0; i < 2; i++)
		valid[i] = decode(&found[i], bytes + i * ANCHOR_SLOT_LEN);
	if (!valid[0] && !valid[1])
		return false;
	*slot = !valid[0] || (valid[1] && is_newer(&found[1], &found[0]));
	*out = found[*slot];
	return true;
}

enum fb_status store_anchor_read(const struct fb_store *s, struct fb_anchor *out, unsigned *slot, struct fb_error *e)
{
	uint8_t bytes[ANCHOR_LEN] = { 0 }; /* what a shorter file lacks is damage */

	if (s->anchor < 0)
		return fb_error_set(e, FB_NOT_FOUND, "there is no %s/%s", s->directory, file_name);
	if (pread(s->anchor, bytes, sizeof(bytes), 0) < 0)
		return fb_error_set(e, FB_STORAGE, "cannot read %s/%s: %s", s->directory, file_name, strerror(errno));
	if (choose(out, slot, bytes))
		return FB_OK;
	return fb_error_set(e, FB_STORAGE, "%s/%s is damaged: nothing says any more how far the records must reach",
			    s->directory, file_name);
}

enum fb_status store_anchor_open(struct fb_store *s, struct fb_error *e)
{
	/* O_DSYNC: overwriting needs no new size on disk, so a write costs one flush. */
	int flags = (s->is_reader ? O_RDONLY : O_RDWR | O_DSYNC) | O_CLOEXEC;
	unsigned slot = 1;

	s->anchor = openat(s->lock, file_name, flags);
	if (s->anchor < 0 && errno != ENOENT)
		return fb_error_set(e, FB_STORAGE, "cannot open %s/%s: %s", s->directory, file_name, strerror(errno));
	s->newest_status = store_anchor_read(s, &s->newest, &slot, &s->newest_error);
	s->slot = slot ^ 1;
	return FB_OK;
}

enum fb_status fb_store_anchor(const struct fb_store *s, struct fb_anchor *out, struct fb_error *e)
{
	if (s->newest_status != FB_OK)
		return fb_error_set(e, s->newest_status, "%s", s->newest_error.text);
	*out = s->newest;
	return FB_OK;
}

static bool write_new(int directory, const struct fb_anchor *a)
{
	uint8_t bytes[ANCHOR_LEN];
	int fd = openat(directory, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	bool ok;

	encode(bytes, a);
	encode(bytes + ANCHOR_SLOT_LEN, a);
	ok = fd >= 0 && write(fd, bytes, sizeof(bytes)) == sizeof(bytes) && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok && renameat(directory, new_name, directory, file_name) == 0 && fsync(directory) == 0;
}

enum fb_status store_anchor_make_at(int directory, const struct fb_anchor *a, struct fb_error *e)
{
	bool ok = !store_before(STORE_ANCHOR_MAKE) && write_new(directory, a) && !store_after(STORE_ANCHOR_MAKE);

	return ok ? FB_OK : fb_error_set(e, FB_STORAGE, "cannot write the anchor: %s", strerror(errno));
}

enum fb_status fb_store_anchor_make(struct fb_store *s, const struct fb_anchor *a, struct fb_error *e)
{
	enum fb_status st = store_anchor_make_at(s->lock, a, e);

	if (st != FB_OK)
		return st;
	if (s->anchor >= 0)
		close(s->anchor);
	return store_anchor_open(s, e);
}

enum fb_status fb_store_anchor_move(struct fb_store *s, const struct fb_anchor *a)
{
	uint8_t bytes[ANCHOR_SLOT_LEN];
	bool ok;

	FB_ASSERT(s->anchor >= 0 && s->slot < 2);
	if (s->poisoned)
		return FB_STORAGE;
	encode(bytes, a);
	ok = !store_before(STORE_ANCHOR) &&
	     pwrite(s->anchor, bytes, sizeof(bytes), (off_t)s->slot * ANCHOR_SLOT_LEN) == sizeof(bytes) &&
	     !store_after(STORE_ANCHOR);
	if (!ok) {
		s->poisoned = true;
		fb_error_set(&s->failure, FB_STORAGE, "the anchor was not written: %s", strerror(errno));
		return FB_STORAGE;
	}
	s->slot ^= 1;
	s->newest = *a;
	return FB_OK;
}
