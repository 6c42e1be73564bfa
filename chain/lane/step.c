/* The one place where a row's state changes: by the table of moves, counted, and the lane's sizes with it. */
#include "lane_int.h"

static const struct {
	enum fb_lane_step from, to;
} moves[] = {
#define X(name, from, to) { FB_LANE_##from, FB_LANE_##to },
	FB_LANE_MOVES(X)
#undef X
};

bool fb_lane_step_is_open(enum fb_lane_step s)
{
	static const bool open[] = {
#define X(name, open) open,
		FB_LANE_STEPS(X)
#undef X
	};

	FB_ASSERT(s < FB_LANE_STEP_END);
	return open[s];
}

void fb_lane_move(struct fb_lane_row *row, enum fb_lane_move m)
{
	struct fb_lane *lane = row->lane;
	bool was_open = fb_lane_step_is_open(row->step);

	FB_ASSERT(m < FB_LANE_MOVE_END);
	FB_ASSERT(row->step == moves[m].from); /* L4 */
	row->step = moves[m].to;
	lane->moves[m]++;
	if (was_open == fb_lane_step_is_open(row->step))
		return;
	lane->open += was_open ? (size_t)-1 : 1;
	lane->included += was_open ? 1 : (size_t)-1;
	(was_open ? fb_metric_sub : fb_metric_add)(lane->ports.metrics, FB_M_TX_INFLIGHT, 1);
	(was_open ? fb_metric_add : fb_metric_sub)(lane->ports.metrics, FB_M_LANE_INCLUDED, 1);
}

uint64_t fb_lane_moves(const struct fb_lane *lane, enum fb_lane_move m)
{
	FB_ASSERT(m < FB_LANE_MOVE_END);
	return lane->moves[m];
}
