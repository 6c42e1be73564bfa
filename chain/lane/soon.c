/* Looks soon after a send. Where a block comes at once, waiting for the next regular look would be most of what a
 * payment takes; where blocks take longer, that is known from the last one, and nobody is asked for nothing. */
#include "lane_int.h"

enum { FIRST_MS = 2, LAST_MS = FIRST_MS << (FB_LANE_SOON_LOOKS - 1), ALL_MS = 2 * LAST_MS };

static void arm(struct fb_lane *lane);

static void on_soon(void *arg)
{
	struct fb_lane *lane = arg;

	fb_timer_stop(lane->soon);
	lane->soon = NULL;
	if (lane->open == 0)
		return;
	fb_lane_poll(lane);
	lane->soon_ms *= 2;
	arm(lane);
}

static void arm(struct fb_lane *lane)
{
	if (lane->soon_ms <= LAST_MS && lane->soon_ms < lane->settings.receipt_poll_ms)
		lane->soon = fb_timer_start(lane->ports.loop, lane->soon_ms, 0, on_soon, lane);
}

void fb_lane_look_soon(struct fb_lane *lane)
{
	if (lane->slow || lane->stopped)
		return;
	fb_lane_no_look_soon(lane);
	lane->soon_ms = FIRST_MS;
	arm(lane);
}

void fb_lane_no_look_soon(struct fb_lane *lane)
{
	fb_timer_stop(lane->soon);
	lane->soon = NULL;
}

void fb_lane_learn_pace(const struct fb_lane_row *row)
{
	struct fb_lane *lane = row->lane;

	if (row->sent_ms != 0)
		lane->slow = fb_lane_now_ms(lane) - row->sent_ms > ALL_MS;
}
