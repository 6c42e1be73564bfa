/* A batch: header, records, and the SHA-256 that chains it to the batch before. */
#include "farebox/crypto.h"
#include "farebox/journal.h"

#include <string.h>

enum { VERSION = 1, HASH_LEN = 32 };
enum {
	AT_MAGIC = 0,
	AT_VERSION = 4,
	AT_SPARE = 6,
	AT_EPOCH = 8,
	AT_NUMBER = 16,
	AT_FIRST_SEQ = 24,
	AT_RECORDS = 32,
	AT_PUTS = 36,
	AT_TIME = 40,
	AT_PREVIOUS = 48,
	AT_PUTS_HASH = 80,
};
_Static_assert(AT_PUTS_HASH + HASH_LEN == FB_BATCH_HEAD_LEN, "stored format");
static const uint8_t magic[4] = { 'F', 'B', 'J', 'B' };
static const struct fb_hash zero_hash;

size_t fb_batch_len(uint32_t records)
{
	FB_ASSERT(records <= FB_BATCH_RECORDS_MAX);
	return FB_BATCH_HEAD_LEN + (size_t)records * FB_RECORD_LEN + HASH_LEN;
}

uint8_t *fb_batch_records(uint8_t *batch)
{
	return batch + FB_BATCH_HEAD_LEN;
}

/* What no batch of ours breaks; NULL, or the field that does. */
static const char *head_fault(const struct fb_batch_head *h)
{
	if (h->first_seq == 0)
		return "first seq";
	if (h->records > FB_BATCH_RECORDS_MAX || (h->number == 0 && h->records != 0))
		return "record count";
	if (h->time_us < 0)
		return "time";
	if ((h->number == 0) != fb_hash_eq(&h->previous, &zero_hash))
		return "previous hash";
	if ((h->puts == 0) != fb_hash_eq(&h->puts_hash, &zero_hash))
		return "hash of the puts";
	return NULL;
}

static void put_head(uint8_t *p, const struct fb_batch_head *h)
{
	memcpy(p + AT_MAGIC, magic, sizeof(magic));
	fb_put_be16(p + AT_VERSION, VERSION);
	fb_put_be16(p + AT_SPARE, 0);
	fb_put_be64(p + AT_EPOCH, h->epoch);
	fb_put_be64(p + AT_NUMBER, h->number);
	fb_put_be64(p + AT_FIRST_SEQ, h->first_seq);
	fb_put_be32(p + AT_RECORDS, h->records);
	fb_put_be32(p + AT_PUTS, h->puts);
	fb_put_be64(p + AT_TIME, (uint64_t)h->time_us);
	memcpy(p + AT_PREVIOUS, h->previous.bytes, HASH_LEN);
	memcpy(p + AT_PUTS_HASH, h->puts_hash.bytes, HASH_LEN);
}

void fb_batch_seal(uint8_t *batch, struct fb_hash *hash, const struct fb_batch_head *head)
{
	size_t body = fb_batch_len(head->records) - HASH_LEN;

	FB_ASSERT(head_fault(head) == NULL);
	put_head(batch, head);
	*hash = fb_sha256(batch, body);
	memcpy(batch + body, hash->bytes, HASH_LEN);
}

static void get_head(struct fb_batch_head *h, const uint8_t *p)
{
	h->epoch = fb_get_be64(p + AT_EPOCH);
	h->number = fb_get_be64(p + AT_NUMBER);
	h->first_seq = fb_get_be64(p + AT_FIRST_SEQ);
	h->records = fb_get_be32(p + AT_RECORDS);
	h->puts = fb_get_be32(p + AT_PUTS);
	h->time_us = (int64_t)fb_get_be64(p + AT_TIME);
	memcpy(h->previous.bytes, p + AT_PREVIOUS, HASH_LEN);
	memcpy(h->puts_hash.bytes, p + AT_PUTS_HASH, HASH_LEN);
}

/* Before the header can be read. */
static const char *frame_fault(struct fb_str bytes)
{
	const uint8_t *p = (const uint8_t *)bytes.at;

	if (bytes.len < fb_batch_len(0))
		return "length";
	if (memcmp(p + AT_MAGIC, magic, sizeof(magic)) != 0)
		return "magic";
	if (fb_get_be16(p + AT_VERSION) != VERSION || fb_get_be16(p + AT_SPARE) != 0)
		return "version";
	return NULL;
}

enum fb_status fb_batch_open(struct fb_batch *out, struct fb_str bytes, struct fb_error *e)
{
	const uint8_t *p = (const uint8_t *)bytes.at;
	const char *fault = frame_fault(bytes);
	struct fb_batch b;

	if (fault == NULL) {
		get_head(&b.head, p);
		fault = head_fault(&b.head);
	}
	if (fault == NULL && bytes.len != fb_batch_len(b.head.records))
		fault = "length";
	if (fault == NULL) {
		b.records = p + FB_BATCH_HEAD_LEN;
		b.hash = fb_sha256(p, bytes.len - HASH_LEN);
		if (memcmp(b.hash.bytes, p + bytes.len - HASH_LEN, HASH_LEN) != 0)
			fault = "hash";
	}
	if (fault != NULL)
		return fb_error_set(e, FB_STORAGE, "not a batch of the journal: its %s is wrong", fault);
	*out = b;
	return FB_OK;
}

/* A put is hashed as its lengths and flag, its key's hash and its value's, so that no two lists of puts look alike. */
static struct fb_hash put_hash(const struct fb_put *put)
{
	uint8_t block[1 + 8 + 8 + HASH_LEN + HASH_LEN];
	struct fb_hash key = fb_sha256(put->key.at, put->key.len), value = fb_sha256(put->value.at, put->value.len);

	block[0] = put->remove;
	fb_put_be64(block + 1, put->key.len);
	fb_put_be64(block + 9, put->value.len);
	memcpy(block + 17, key.bytes, HASH_LEN);
	memcpy(block + 17 + HASH_LEN, value.bytes, HASH_LEN);
	return fb_sha256(block, sizeof(block));
}

struct fb_hash fb_puts_hash(const struct fb_put *puts, size_t count)
{
	struct fb_hash link[2] = { { { 0 } } };

	for (size_t i = 0; i < count; i++) {
		link[1] = put_hash(&puts[i]);
		link[0] = fb_sha256(link, sizeof(link));
	}
	return link[0];
}

void fb_journal_key(uint8_t out[FB_JOURNAL_KEY_LEN], uint64_t number)
{
	out[0] = 'J';
	fb_put_be64(out + 1, number);
}
