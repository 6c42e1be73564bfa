/* A block's header, and what its bloom can rule out. */
#include "logs_int.h"

#include "abi_constants.h"
#include "farebox/crypto.h"

#include <string.h>

enum { BLOOM_BITS = 3 };

enum fb_status fb_block_header_read(struct fb_block_header *out, struct fb_json_value block)
{
	struct fb_block_header h;
	struct fb_str bloom;
	enum fb_status st;

	if (fb_json_is(block, FB_JSON_NULL))
		return FB_NOT_FOUND;
	if ((st = fb_logs_quantity(&h.number, block, "number")) != FB_OK ||
	    (st = fb_logs_quantity(&h.time_s, block, "timestamp")) != FB_OK ||
	    (st = fb_logs_hash(&h.hash, block, "hash")) != FB_OK ||
	    (st = fb_logs_hash(&h.parent, block, "parentHash")) != FB_OK ||
	    (st = fb_logs_text(&bloom, fb_json_get(block, "logsBloom"))) != FB_OK ||
	    (st = fb_hex_decode_exact(h.bloom, FB_BLOOM_LEN, bloom)) != FB_OK)
		return st;
	*out = h;
	return FB_OK;
}

/* Three bits of 2048, each from two bytes of the hash; bit 0 is the lowest of the last byte. */
bool fb_bloom_may_hold(const uint8_t bloom[FB_BLOOM_LEN], const void *bytes, size_t len)
{
	struct fb_hash h = fb_keccak256(bytes, len);

	for (size_t i = 0; i < BLOOM_BITS; i++) {
		unsigned bit = fb_get_be16(h.bytes + 2 * i) & (FB_BLOOM_LEN * 8 - 1);

		if ((bloom[FB_BLOOM_LEN - 1 - bit / 8] >> bit % 8 & 1) == 0)
			return false;
	}
	return true;
}

bool fb_bloom_may_concern(const uint8_t bloom[FB_BLOOM_LEN], const struct fb_escrow *e)
{
	uint8_t topic[32] = { 0 };

	if (fb_bloom_may_hold(bloom, e->address.bytes, 20))
		return true;
	memcpy(topic + 12, e->address.bytes, 20);
	return fb_bloom_may_hold(bloom, e->token.bytes, 20) && fb_bloom_may_hold(bloom, FB_TOPIC_TRANSFER, 32) &&
	       fb_bloom_may_hold(bloom, topic, 32);
}
