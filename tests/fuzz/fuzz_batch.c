/* Batches of the journal. Property: what opens is sealed again to the same bytes, and every record that decodes is
 * encoded to the same bytes. The input is tried as it is and with its hash put right, which no fuzzer could guess. */
#include "farebox/crypto.h"
#include "farebox/journal.h"

#include <string.h>

enum { BATCH_MAX = 8192, HASH_LEN = 32 };

static void check_record(const uint8_t *bytes)
{
	uint8_t again[FB_RECORD_LEN];
	struct fb_record r;

	if (fb_record_decode(&r, bytes) != FB_OK)
		return;
	fb_record_encode(again, &r);
	FB_ASSERT(memcmp(again, bytes, sizeof(again)) == 0);
	FB_ASSERT(fb_record_kind_text(r.kind)[0] != '\0');
	FB_ASSERT(r.kind != FB_RECORD_ACCOUNT || fb_purpose_text(r.purpose)[0] != '\0');
}

static bool check_batch(const uint8_t *bytes, size_t len)
{
	static uint8_t again[BATCH_MAX];
	struct fb_error e = { "" };
	struct fb_hash hash;
	struct fb_batch b;

	if (fb_batch_open(&b, (struct fb_str){ (const char *)bytes, len }, &e) != FB_OK) {
		FB_ASSERT(e.text[0] != '\0');
		return false;
	}
	FB_ASSERT(len == fb_batch_len(b.head.records) && b.records == bytes + FB_BATCH_HEAD_LEN);
	memcpy(fb_batch_records(again), b.records, (size_t)b.head.records * FB_RECORD_LEN);
	fb_batch_seal(again, &hash, &b.head);
	FB_ASSERT(memcmp(again, bytes, len) == 0 && fb_hash_eq(&hash, &b.hash));
	for (uint32_t i = 0; i < b.head.records; i++)
		check_record(b.records + i * FB_RECORD_LEN);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[BATCH_MAX];
	struct fb_hash hash;

	for (size_t at = 0; at + FB_RECORD_LEN <= size; at += FB_RECORD_LEN)
		check_record(data + at);
	if (size > sizeof(bytes) || check_batch(data, size) || size < HASH_LEN)
		return 0;
	memcpy(bytes, data, size);
	hash = fb_sha256(bytes, size - HASH_LEN);
	memcpy(bytes + size - HASH_LEN, hash.bytes, HASH_LEN);
	check_batch(bytes, size);
	return 0;
}
