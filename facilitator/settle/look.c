/* What is known of a settlement, for those who only want to know. */
#include "settle_int.h"

enum fb_status fb_settle_look(struct fb_settle *s, struct fb_settle_status *out, const struct fb_settle_key *key)
{
	struct fb_settle_record r = { 0 };
	enum fb_status st = fb_settle_load_record(s, &r, key);

	FB_ASSERT(fb_loop_is_mine(s->loop));
	if (st == FB_NOT_FOUND && fb_settle_find(s, key) != NULL)
		st = FB_OK; /* under way, and nothing is durable */
	if (st != FB_OK)
		return st;
	*out = (struct fb_settle_status){ .state = r.state,
					  .granted = r.granted,
					  .reason = r.reason,
					  .tx = r.tx,
					  .to = r.to,
					  .value = r.value,
					  .block = r.block,
					  .block_hash = r.block_hash,
					  .gas_wei = r.gas_wei,
					  .created_us = r.created_us,
					  .updated_us = r.updated_us };
	return FB_OK;
}
