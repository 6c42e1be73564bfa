/* The groups of lane's tests, one a file, and the stage that they share. */
#ifndef FB_TEST_LANE_H
#define FB_TEST_LANE_H
#include "fb_test_dir.h" /* before any other */

#include "farebox/lane.h"
#include "farebox/writer.h"
#include "fb_stage.h"
#include "fb_test.h"

int test_lane_row(void);
int test_lane_life(void);
int test_lane_heal(void);
int test_lane_block(void);

enum { POLL_MS = 10, CALLS_MAX = 4096, DEPTH_MAX = 16, CONFIRMATIONS = 3, BUMP_MS = 15000 };

struct lane_stage {
	struct stage stage;
	struct fb_test_dir dir;
	struct fb_store *store;
	struct fb_writer *writer;
	struct fb_head *head_follower;
	struct fb_lane *lane;
	struct fb_lane_settings settings;
	fb_u128 max_fee;
	struct fb_str data;
	enum fb_status sent, started, opened;
	char sentence[320];
	bool runs;
	pthread_mutex_t lock; /* of what follows */
	/* One letter a call: signing, durable, Replaced, included, recorded, vanished, confirmed, lost, found; '?': not as
	 * it should be. */
	char heard[CALLS_MAX];
	size_t heard_len, wrong;
	bool start_answered;
	struct fb_hash tx;    /* the newest attempt */
	struct fb_hash mined; /* as told with the last inclusion */
	bool last_succeeded;
	unsigned booked, refuse_books; /* gas: booked so often; so many are refused first */
	fb_u128 cost;
	uint64_t open, included, head, moves[FB_LANE_MOVE_END]; /* as last looked at */
};

struct lane_stage *lane_open_stage(void); /* not started */
struct lane_stage *lane_running(void);
void lane_close_stage(struct lane_stage *l);
void lane_open_life(struct lane_stage *l);
void lane_close_life(struct lane_stage *l);
enum fb_status lane_start(struct lane_stage *l);
enum fb_status lane_send(struct lane_stage *l);
void lane_stop(void *stage); /* on the loop: what close_life does first */
bool lane_heard(struct lane_stage *l, const char *calls);
bool lane_stored(struct lane_stage *l, const char *value); /* the owner's row */
/* What the lane says of itself now. */
uint64_t lane_open_rows(struct lane_stage *l);
uint64_t lane_included_rows(struct lane_stage *l);
uint64_t lane_moves(struct lane_stage *l, enum fb_lane_move m);
uint64_t lane_metric(struct lane_stage *l, enum fb_metric_id id);
void lane_advance(struct lane_stage *l, uint64_t ms); /* the clock */
void lane_mine(struct lane_stage *l, unsigned blocks); /* and waits until a follower that runs has them */
#endif /* FB_TEST_LANE_H */
