/* Logs as eth_getLogs and receipts list them. */
#include "logs_int.h"

#include "abi_constants.h"

#include <stdlib.h>
#include <string.h>

static enum fb_status read_address(struct fb_address *out, struct fb_json_value log)
{
	struct fb_str text;
	enum fb_status st = fb_logs_text(&text, fb_json_get(log, "address"));

	return st != FB_OK ? st : fb_address_parse(out, text);
}

static enum fb_status read_topics(struct fb_chain_log *out, struct fb_json_value log)
{
	struct fb_json_value topics = fb_json_get(log, "topics");
	enum fb_status st = FB_OK;

	if (!fb_json_present(topics))
		return FB_MISSING;
	if (!fb_json_is(topics, FB_JSON_ARRAY))
		return FB_WRONG_TYPE;
	if (fb_json_count(topics) > FB_LOG_TOPICS_MAX)
		return FB_TOO_MANY;
	for (struct fb_json_value v = fb_json_first(topics, NULL); fb_json_present(v) && st == FB_OK;
	     v = fb_json_next(topics, v, NULL)) {
		struct fb_str text;

		st = fb_logs_text(&text, v);
		if (st == FB_OK)
			st = fb_hash_parse(&out->topics[out->topic_count++], text);
	}
	return st;
}

static enum fb_status read_data(struct fb_chain_log *out, struct fb_json_value log)
{
	struct fb_str text, kept;
	enum fb_status st = fb_logs_text(&text, fb_json_get(log, "data"));
	size_t len;

	if (st != FB_OK)
		return st;
	if (text.len < 2 || text.len % 2 != 0)
		return FB_BAD_HEX;
	out->data_len = text.len / 2 - 1;
	kept = (struct fb_str){ text.at, text.len };
	if (out->data_len > FB_LOG_DATA_MAX)
		kept.len = 2 + 2 * FB_LOG_DATA_MAX;
	return fb_hex_decode(out->data, &len, FB_LOG_DATA_MAX, kept);
}

static bool is_removed(struct fb_json_value log)
{
	struct fb_json_value removed = fb_json_get(log, "removed");

	return !fb_json_absent_or_null(removed) && !fb_json_is(removed, FB_JSON_FALSE);
}

enum fb_status fb_chain_log_read(struct fb_chain_log *out, struct fb_json_value log)
{
	struct fb_chain_log l = { .topic_count = 0 };
	enum fb_status st;

	if (!fb_json_is(log, FB_JSON_OBJECT))
		return FB_WRONG_TYPE;
	if ((st = read_address(&l.address, log)) != FB_OK || (st = read_topics(&l, log)) != FB_OK ||
	    (st = read_data(&l, log)) != FB_OK || (st = fb_logs_quantity(&l.block, log, "blockNumber")) != FB_OK ||
	    (st = fb_logs_hash(&l.block_hash, log, "blockHash")) != FB_OK ||
	    (st = fb_logs_hash(&l.tx, log, "transactionHash")) != FB_OK ||
	    (st = fb_logs_quantity(&l.index, log, "logIndex")) != FB_OK)
		return st;
	if (is_removed(log))
		return FB_BAD_VALUE;
	*out = l;
	return FB_OK;
}

enum fb_status fb_chain_logs_read(struct fb_chain_log *out, size_t *count, size_t cap, struct fb_json_value logs)
{
	size_t n = *count;
	enum fb_status st = FB_OK;

	if (!fb_json_is(logs, FB_JSON_ARRAY))
		return FB_WRONG_TYPE;
	if (fb_json_count(logs) > cap - n)
		return FB_TOO_MANY;
	for (struct fb_json_value v = fb_json_first(logs, NULL); fb_json_present(v) && st == FB_OK;
	     v = fb_json_next(logs, v, NULL))
		st = fb_chain_log_read(&out[n++], v);
	if (st == FB_OK)
		*count = n;
	return st;
}

static bool topic_is(const struct fb_chain_log *log, size_t i, const struct fb_address *a)
{
	static const uint8_t zero[12];

	return memcmp(log->topics[i].bytes, zero, 12) == 0 && memcmp(log->topics[i].bytes + 12, a->bytes, 20) == 0;
}

bool fb_log_concerns(const struct fb_chain_log *log, const struct fb_escrow *e)
{
	if (fb_address_eq(&log->address, &e->address))
		return true;
	return fb_address_eq(&log->address, &e->token) && fb_logs_is_event(log, FB_TOPIC_TRANSFER) &&
	       log->topic_count == 3 && topic_is(log, 1, &e->address) != topic_is(log, 2, &e->address);
}

static int by_place(const void *a, const void *b)
{
	const struct fb_chain_log *x = a, *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

enum fb_status fb_chain_logs_sort(struct fb_chain_log *logs, size_t count, const struct fb_escrow *e, uint64_t first,
				  uint64_t last)
{
	for (size_t i = 0; i < count; i++)
		if (logs[i].block < first || logs[i].block > last || !fb_log_concerns(&logs[i], e))
			return FB_MISMATCH;
	if (count > 1)
		qsort(logs, count, sizeof(*logs), by_place);
	for (size_t i = 1; i < count; i++)
		if (logs[i].block == logs[i - 1].block && (logs[i].index == logs[i - 1].index ||
							    !fb_hash_eq(&logs[i].block_hash, &logs[i - 1].block_hash)))
			return FB_MISMATCH;
	return FB_OK;
}
