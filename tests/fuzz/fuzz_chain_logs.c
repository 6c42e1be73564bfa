/* What a node answers about blocks, logs and receipts. Properties: reading ends in a known status and leaves the output
 * alone unless it is FB_OK; a log that was read, written out and read again is the same; sorted logs are in order;
 * every movement has a log of its own and the identity that its fields lead to; a receipt never makes more movements
 * than it has logs. */
#include "farebox/logs.h"

#include <string.h>

enum { TOKENS = 8192, LOGS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fb_json_token tokens[TOKENS], again[TOKENS];

static struct fb_escrow escrow(void)
{
	struct fb_escrow e = { .chain_id = 31337 };

	memset(e.address.bytes, 0xee, 20);
	memset(e.token.bytes, 0xcc, 20);
	return e;
}

static void write_log(struct fb_buf *b, const struct fb_chain_log *l)
{
	fb_buf_text(b, "{\"address\":\"");
	fb_buf_address(b, &l->address);
	fb_buf_text(b, "\",\"topics\":[");
	for (size_t i = 0; i < l->topic_count; i++) {
		fb_buf_text(b, i == 0 ? "\"" : ",\"");
		fb_buf_hash(b, &l->topics[i]);
		fb_buf_char(b, '"');
	}
	fb_buf_text(b, "],\"data\":\"");
	fb_buf_hex(b, l->data, l->data_len);
	fb_buf_text(b, "\",\"blockNumber\":\"");
	fb_buf_quantity(b, l->block);
	fb_buf_text(b, "\",\"blockHash\":\"");
	fb_buf_hash(b, &l->block_hash);
	fb_buf_text(b, "\",\"transactionHash\":\"");
	fb_buf_hash(b, &l->tx);
	fb_buf_text(b, "\",\"logIndex\":\"");
	fb_buf_quantity(b, l->index);
	fb_buf_text(b, "\"}");
}

static bool same_log(const struct fb_chain_log *a, const struct fb_chain_log *b)
{
	bool same = fb_address_eq(&a->address, &b->address) && a->topic_count == b->topic_count &&
		    a->data_len == b->data_len && memcmp(a->data, b->data, FB_LOG_DATA_MAX) == 0 && a->block == b->block &&
		    fb_hash_eq(&a->block_hash, &b->block_hash) && fb_hash_eq(&a->tx, &b->tx) && a->index == b->index;

	for (size_t i = 0; same && i < a->topic_count; i++)
		same = fb_hash_eq(&a->topics[i], &b->topics[i]);
	return same;
}

static void check_round_trip(const struct fb_chain_log *l)
{
	static char text[4096];
	struct fb_chain_log copy;
	struct fb_json doc;
	struct fb_buf b;

	if (l->data_len > FB_LOG_DATA_MAX)
		return;
	fb_buf_init(&b, text, sizeof(text));
	write_log(&b, l);
	FB_ASSERT(!b.overflowed && fb_json_parse(&doc, again, TOKENS, fb_buf_view(&b)) == FB_OK);
	FB_ASSERT(fb_chain_log_read(&copy, fb_json_root(&doc)) == FB_OK);
	FB_ASSERT(same_log(&copy, l));
}

static void check_movements(const struct fb_movement *m, size_t count, size_t logs, const struct fb_escrow *e)
{
	FB_ASSERT(count <= logs);
	for (size_t i = 0; i < count; i++) {
		struct fb_hash identity = fb_movement_identity(&m[i], e);

		FB_ASSERT(m[i].kind >= FB_MOVEMENT_TRANSFER && m[i].kind < FB_MOVEMENT_END);
		FB_ASSERT(fb_hash_eq(&identity, &m[i].identity));
		FB_ASSERT(fb_amount_cmp(m[i].amount, (struct fb_amount){ 0 }) > 0);
	}
}

static void check_logs(struct fb_json_value root, const struct fb_escrow *e)
{
	static struct fb_chain_log logs[LOGS];
	static struct fb_movement movements[LOGS];
	size_t count = 0, made = 0;
	uint64_t sequence = 0;

	if (fb_chain_logs_read(logs, &count, LOGS, root) != FB_OK)
		return;
	for (size_t i = 0; i < count; i++)
		check_round_trip(&logs[i]);
	if (fb_chain_logs_sort(logs, count, e, 0, UINT64_MAX) != FB_OK)
		return;
	for (size_t i = 1; i < count; i++)
		FB_ASSERT(logs[i - 1].block < logs[i].block ||
			  (logs[i - 1].block == logs[i].block && logs[i - 1].index < logs[i].index));
	if (fb_movements_read(movements, &made, &sequence, logs, count, e, NULL) == FB_OK)
		check_movements(movements, made, count, e);
	else
		FB_ASSERT(made == 0 && sequence == 0);
}

static void check_receipt(struct fb_json_value root, const struct fb_escrow *e)
{
	static struct fb_movement movements[LOGS];
	size_t made = 0;

	if (fb_movements_of_receipt(movements, &made, LOGS, root, e, NULL) == FB_OK)
		check_movements(movements, made, fb_json_count(fb_json_get(root, "logs")), e);
	else
		FB_ASSERT(made == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fb_escrow e = escrow();
	struct fb_block_header header = { .number = 77 };
	struct fb_json doc;
	struct fb_json_value root;

	if (fb_json_parse(&doc, tokens, TOKENS, (struct fb_str){ (const char *)data, size }) != FB_OK)
		return 0;
	root = fb_json_root(&doc);
	check_logs(root, &e);
	check_receipt(root, &e);
	if (fb_block_header_read(&header, root) == FB_OK)
		(void)fb_bloom_may_concern(header.bloom, &e);
	else
		FB_ASSERT(header.number == 77);
	return 0;
}
