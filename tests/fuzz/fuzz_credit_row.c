/* Rows of the indexer. The first byte is the tag, the second the length of the key's rest, then that rest, then the
 * value. Properties: what is no row of ours is FB_STORAGE and changes nothing; what is loaded is written again as it
 * was, byte for byte, by the next batch that holds it (the cursor), and a final row has the key that its value leads
 * to. */
#include "farebox/credit.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool owner_of(void *ctx, struct fb_owner *out, const struct fb_address *wallet)
{
	(void)ctx;
	(void)out;
	(void)wallet;
	return false;
}

static bool is_payout(void *ctx, const struct fb_movement *m)
{
	(void)ctx;
	return m->kind == FB_MOVEMENT_PAYOUT;
}

static enum fb_stand stands(void *ctx, uint64_t block, const struct fb_hash *hash)
{
	(void)ctx;
	(void)block;
	(void)hash;
	return FB_STAND_UNKNOWN;
}

static void check_cursor(struct fb_credit *c, struct fb_str value)
{
	static struct fb_credit_batch batch;
	enum fb_credit_halt halt = fb_credit_halted(c);

	fb_credit_halt(c, halt);
	FB_ASSERT(fb_credit_next(c, &batch) && batch.op_count == 0 && batch.put_count == 1);
	FB_ASSERT(batch.puts[0].value.len == value.len && memcmp(batch.puts[0].value.at, value.at, value.len) == 0);
	FB_ASSERT(!fb_credit_next(c, &batch));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_credit_settings settings = { .escrow = { .chain_id = 1 }, .asset = 1, .from_block = 1,
					       .rung = FB_CREDIT_SAFE };
	uint8_t key[FB_CREDIT_PREFIX_LEN + 64];
	struct fb_credit_item item;
	struct fb_credit *c;
	struct fb_str k, v;
	enum fb_status st;
	size_t rest;

	if (size < 2 || data[1] > 64 || size - 2 < data[1])
		return 0;
	rest = data[1];
	fb_credit_prefix(key, (char)data[0], &settings.escrow);
	memcpy(key + FB_CREDIT_PREFIX_LEN, data + 2, rest);
	k = (struct fb_str){ (const char *)key, FB_CREDIT_PREFIX_LEN + rest };
	v = (struct fb_str){ (const char *)data + 2 + rest, size - 2 - rest };
	fb_credit_open(&c, &settings, (struct fb_credit_ports){ owner_of, is_payout, stands, NULL });
	st = fb_credit_load(c, k, v);
	FB_ASSERT(st == FB_OK || st == FB_STORAGE);
	FB_ASSERT(fb_credit_count(c) == (st == FB_OK && data[0] == 'M'));
	FB_ASSERT(fb_credit_debtors(c) == (st == FB_OK && data[0] == 'O'));
	if (st == FB_OK && data[0] == 'C')
		check_cursor(c, v);
	if (fb_credit_read_final(&item, k, v, &settings.escrow) == FB_OK)
		FB_ASSERT(data[0] == 'D' && memcmp(item.m.tx.bytes, data + 2, 32) == 0);
	fb_credit_close(c);
	return 0;
}
