/* What the token's events in a receipt, or found by eth_getLogs, say of authorizations. */
#include "farebox/token.h"

#include "abi_constants.h"

#include <string.h>

/* One log, read; the parts that a log of ours has. */
struct log {
	struct fb_address emitter;
	uint32_t topics;
	struct fb_hash topic[3];
	bool has_word; /* the data is exactly one word */
	uint8_t word[32];
};

/* Escaped hex is not worth an arena: no node writes it. */
static bool text_of(struct fb_str *out, struct fb_json_value v)
{
	_Alignas(16) unsigned char none[16];
	struct fb_arena arena;

	fb_arena_init(&arena, none, sizeof(none));
	return fb_json_string(out, v, &arena) == FB_OK && out->at != (const char *)none;
}

static bool read_topics(struct log *out, struct fb_json_value topics)
{
	struct fb_json_value v = fb_json_first(topics, NULL);
	struct fb_str text;

	out->topics = fb_json_count(topics);
	for (uint32_t i = 0; i < out->topics && i < FB_COUNT(out->topic); i++, v = fb_json_next(topics, v, NULL))
		if (!text_of(&text, v) || fb_hash_parse(&out->topic[i], text) != FB_OK)
			return false;
	return true;
}

/* Of a block that is no part of the chain any more. */
static bool is_removed(struct fb_json_value v)
{
	return fb_json_is(fb_json_get(v, "removed"), FB_JSON_TRUE);
}

/* False: none of the token's own events, or one that was taken back. */
static bool read_log(struct log *out, struct fb_json_value v)
{
	struct fb_json_value topics = fb_json_get(v, "topics");
	struct fb_str text;

	*out = (struct log){ .topics = 0 };
	if (is_removed(v) || !fb_json_is(topics, FB_JSON_ARRAY) || !text_of(&text, fb_json_get(v, "address")) ||
	    fb_address_parse(&out->emitter, text) != FB_OK || !read_topics(out, topics))
		return false;
	if (!text_of(&text, fb_json_get(v, "data")))
		return false;
	out->has_word = fb_hex_decode_exact(out->word, sizeof(out->word), text) == FB_OK;
	return true;
}

static bool is_address(const struct fb_hash *topic, const struct fb_address *a)
{
	static const uint8_t zeros[12];

	return memcmp(topic->bytes, zeros, sizeof(zeros)) == 0 && memcmp(topic->bytes + 12, a->bytes, 20) == 0;
}

static bool is_event(const struct log *l, const uint8_t topic[32], const struct fb_address *emitter)
{
	return l->topics == 3 && memcmp(l->topic[0].bytes, topic, 32) == 0 && fb_address_eq(&l->emitter, emitter);
}

static bool is_of(const struct log *l, const struct fb_log_item *item)
{
	return is_address(&l->topic[1], &item->authorization.from) &&
	       fb_hash_eq(&l->topic[2], &item->authorization.nonce);
}

static bool is_transfer(const struct log *l, const struct fb_log_item *item)
{
	const struct fb_authorization *a = &item->authorization;
	uint8_t value[32];

	fb_u256_to_be(value, a->value);
	return is_event(l, FB_TOPIC_TRANSFER, &item->asset) && is_address(&l->topic[1], &a->from) &&
	       is_address(&l->topic[2], &a->to) && l->has_word && memcmp(l->word, value, sizeof(value)) == 0;
}

/* The item that this AuthorizationUsed or AuthorizationCanceled speaks of; NULL for others. */
static struct fb_log_item *item_of(const struct log *l, const uint8_t topic[32], struct fb_log_item *items,
				   size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_event(l, topic, &items[i].asset) && is_of(l, &items[i]))
			return &items[i];
	return NULL;
}

/* True if `next` was used, too. */
static bool take_log(const struct log *l, const struct log *next, struct fb_log_item *items, size_t count)
{
	struct fb_log_item *item = item_of(l, FB_TOPIC_AUTHORIZATION_USED, items, count);

	if (item != NULL && item->said == FB_LOGS_NOTHING) {
		item->said = next != NULL && is_transfer(next, item) ? FB_LOGS_MOVED : FB_LOGS_USED;
		return item->said == FB_LOGS_MOVED;
	}
	item = item_of(l, FB_TOPIC_AUTHORIZATION_CANCELED, items, count);
	if (item != NULL && item->said == FB_LOGS_NOTHING)
		item->said = FB_LOGS_CANCELED;
	return false;
}

void fb_receipt_judge(struct fb_json_value receipt, struct fb_log_item *items, size_t count)
{
	struct fb_json_value logs = fb_json_get(receipt, "logs"), v = fb_json_first(logs, NULL);
	struct log pair[2];
	bool good[2] = { false, false };

	for (size_t i = 0; i < count; i++)
		items[i].said = FB_LOGS_NOTHING;
	good[0] = fb_json_present(v) && read_log(&pair[0], v);
	while (fb_json_present(v)) {
		struct fb_json_value next = fb_json_next(logs, v, NULL);

		good[1] = fb_json_present(next) && read_log(&pair[1], next);
		if (good[0] && take_log(&pair[0], good[1] ? &pair[1] : NULL, items, count))
			good[1] = false; /* each log is used once */
		pair[0] = pair[1];
		good[0] = good[1];
		v = next;
	}
}

enum fb_status fb_authorization_find(struct fb_hash *tx, bool *canceled, struct fb_json_value logs,
				     const struct fb_log_item *item)
{
	struct fb_log_item one = *item;
	struct fb_str text;
	struct log l;

	if (!fb_json_is(logs, FB_JSON_ARRAY))
		return FB_WRONG_TYPE;
	for (struct fb_json_value v = fb_json_first(logs, NULL); fb_json_present(v); v = fb_json_next(logs, v, NULL)) {
		one.said = FB_LOGS_NOTHING;
		if (!read_log(&l, v))
			continue;
		(void)take_log(&l, NULL, &one, 1);
		if (one.said == FB_LOGS_NOTHING || !text_of(&text, fb_json_get(v, "transactionHash")) ||
		    fb_hash_parse(tx, text) != FB_OK)
			continue;
		*canceled = one.said == FB_LOGS_CANCELED;
		return FB_OK;
	}
	return FB_NOT_FOUND;
}
