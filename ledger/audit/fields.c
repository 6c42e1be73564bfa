/* Fields of derived rows, taken one after the other. */
#include "audit_int.h"

#include <string.h>

enum { WORD_LEN = 8, MAP_LEN = 4 };

struct fields fields_of(struct fb_str row)
{
	return (struct fields){ (const uint8_t *)row.at, row.len, true };
}

void fields_bytes(struct fields *f, void *out, size_t len)
{
	memset(out, 0, len);
	if (!f->ok || len > f->left) {
		f->ok = false;
		return;
	}
	memcpy(out, f->at, len);
	f->at += len;
	f->left -= len;
}

uint64_t fields_small(struct fields *f, size_t len)
{
	uint8_t bytes[4];
	uint64_t v = 0;

	FB_ASSERT(len <= sizeof(bytes));
	fields_bytes(f, bytes, len);
	for (size_t i = 0; i < len; i++)
		v = v << 8 | bytes[i];
	return v;
}

uint64_t fields_u64(struct fields *f)
{
	uint8_t bytes[8];

	fields_bytes(f, bytes, sizeof(bytes));
	return fb_get_be64(bytes);
}

fb_u128 fields_u128(struct fields *f)
{
	uint8_t bytes[16];

	fields_bytes(f, bytes, sizeof(bytes));
	return fb_get_be128(bytes);
}

void fields_words(struct fields *f, uint8_t *out, size_t count)
{
	uint64_t map = fields_small(f, MAP_LEN);

	f->ok = f->ok && map >> count == 0;
	for (size_t i = 0; i < count; i++) {
		memset(out + i * WORD_LEN, 0, WORD_LEN);
		if (map >> i & 1)
			fields_bytes(f, out + i * WORD_LEN, WORD_LEN);
	}
}

bool fields_end(const struct fields *f)
{
	return f->ok && f->left == 0;
}
