/* Members of a node's JSON objects as values. */
#include "logs_int.h"

#include <string.h>

enum fb_status fb_logs_text(struct fb_str *out, struct fb_json_value v)
{
	struct fb_str raw;

	if (!fb_json_present(v))
		return FB_MISSING;
	if (!fb_json_is(v, FB_JSON_STRING))
		return FB_WRONG_TYPE;
	raw = fb_json_raw(v);
	FB_ASSERT(raw.len >= 2);
	*out = (struct fb_str){ raw.at + 1, raw.len - 2 };
	return FB_OK;
}

enum fb_status fb_logs_quantity(uint64_t *out, struct fb_json_value o, const char *key)
{
	struct fb_str text;
	enum fb_status st = fb_logs_text(&text, fb_json_get(o, key));

	return st != FB_OK ? st : fb_quantity_parse_u64(out, text);
}

enum fb_status fb_logs_hash(struct fb_hash *out, struct fb_json_value o, const char *key)
{
	struct fb_str text;
	enum fb_status st = fb_logs_text(&text, fb_json_get(o, key));

	return st != FB_OK ? st : fb_hash_parse(out, text);
}

bool fb_logs_is_event(const struct fb_chain_log *log, const uint8_t topic[32])
{
	return log->topic_count > 0 && memcmp(log->topics[0].bytes, topic, 32) == 0;
}

enum fb_status fb_logs_topic_address(struct fb_address *out, const struct fb_chain_log *log, size_t i)
{
	if (i >= log->topic_count)
		return FB_BAD_VALUE;
	return fb_abi_get_address(out, (struct fb_str){ (const char *)log->topics[i].bytes, 32 }, 0);
}
