/* Shared inside indexer/logs: texts of JSON values without a copy, fields of hex. */
#ifndef FB_LOGS_INT_H
#define FB_LOGS_INT_H
#include "farebox/logs.h"

/* What stands between the quotes; hex needs no escapes, and one that has some is no hex. FB_MISSING, FB_WRONG_TYPE. */
FB_MUST_USE enum fb_status fb_logs_text(struct fb_str *out, struct fb_json_value v);
FB_MUST_USE enum fb_status fb_logs_quantity(uint64_t *out, struct fb_json_value o, const char *key);
FB_MUST_USE enum fb_status fb_logs_hash(struct fb_hash *out, struct fb_json_value o, const char *key);
/* topic0 */
bool fb_logs_is_event(const struct fb_chain_log *log, const uint8_t topic[32]);
/* A topic that is an address. FB_BAD_VALUE. */
FB_MUST_USE enum fb_status fb_logs_topic_address(struct fb_address *out, const struct fb_chain_log *log, size_t i);
#endif /* FB_LOGS_INT_H */
