/* A log of the escrow: the first byte is how many topics follow, 32 bytes each; the rest is the data. Properties: what
 * is read, written back by the rules of the ABI, is the same log; what is refused leaves the output alone. */
#include "farebox/escrow.h"

#include <string.h>

enum { LOG_MAX = 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_u128(struct fb_buf *b, fb_u128 v)
{
	fb_abi_u256(b, fb_u256_from_u128(v));
}

static void put_payout(struct fb_buf *b, const struct fb_escrow_event *e)
{
	fb_abi_word(b, e->id.bytes);
	if (e->kind == FB_ESCROW_PAYOUT_CANCELLED)
		return;
	fb_abi_address(b, &e->to);
	fb_abi_u256(b, e->amount);
	if (e->kind == FB_ESCROW_PAYOUT_FAILED)
		fb_abi_u64(b, e->reason);
}

static void put_deposit(struct fb_buf *b, const struct fb_escrow_event *e)
{
	fb_abi_address(b, &e->beneficiary);
	fb_abi_address(b, &e->payer);
	fb_abi_u256(b, e->amount);
	fb_abi_word(b, e->authorization.bytes);
}

static void put_change(struct fb_buf *b, const struct fb_escrow_event *e)
{
	if (e->kind != FB_ESCROW_PAUSED && e->kind != FB_ESCROW_UNPAUSED)
		fb_abi_address(b, &e->previous);
	fb_abi_address(b, &e->account);
}

/* Topics and data one behind the other. */
static void put_event(struct fb_buf *b, const struct fb_escrow_event *e)
{
	struct fb_hash topic = fb_escrow_topic(e->kind);

	fb_abi_word(b, topic.bytes);
	fb_abi_u64(b, e->sequence);
	if (e->kind == FB_ESCROW_DEPOSIT)
		put_deposit(b, e);
	else if (e->kind <= FB_ESCROW_PAYOUT_CANCELLED)
		put_payout(b, e);
	else if (e->kind != FB_ESCROW_CAPS_CHANGED)
		put_change(b, e);
	else {
		put_u128(b, e->payout_cap);
		put_u128(b, e->day_cap);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_hash topics[FB_ESCROW_TOPICS_MAX + 1];
	struct fb_escrow_event e = { .sequence = 77 };
	char block[LOG_MAX];
	struct fb_buf b;
	size_t count;

	if (size == 0 || size > LOG_MAX || data[0] > FB_ESCROW_TOPICS_MAX + 1 || size - 1 < (size_t)data[0] * 32)
		return 0;
	count = data[0];
	memcpy(topics, data + 1, count * 32);
	if (fb_escrow_event_read(&e, topics, count,
				 (struct fb_str){ (const char *)data + 1 + count * 32, size - 1 - count * 32 }) != FB_OK) {
		FB_ASSERT(e.sequence == 77);
		return 0;
	}
	fb_buf_init(&b, block, sizeof(block));
	put_event(&b, &e);
	FB_ASSERT(!b.overflowed && b.len == size - 1 && memcmp(b.at, data + 1, b.len) == 0);
	FB_ASSERT(e.reason != FB_ESCROW_REFUSAL_NONE || e.kind != FB_ESCROW_PAYOUT_FAILED);
	return 0;
}
