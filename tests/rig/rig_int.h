/* Shared inside tests/rig: the engine's parts, the ports under it, and the answers it gave. */
#ifndef FB_RIG_INT_H
#define FB_RIG_INT_H
#include "farebox/rig.h"

#include "farebox/event.h"
#include "farebox/metric.h"
#include "farebox/port.h"
#include "farebox/store.h"
#include "farebox/writer.h"

#include <pthread.h>
#include <stdatomic.h>

enum { RIG_POLL_MS = 10, RIG_CONFIRMATIONS = 3, RIG_DEPTH_MAX = 16, RIG_BUMP_MS = 15000, RIG_BOOKED_MAX = 16384,
       RIG_GONE_MAX = 32768, RIG_ROW_MAX = 65536 };

struct rig_answer {
	struct fb_rig *rig;
	struct fb_settle_key key;
	unsigned times; /* answered */
	bool given_back;
	struct fb_rig_answer answer;
};

/* What the commit port does on the way to the writer. */
struct rig_disk {
	unsigned commits, fail_at; /* fail_at: 0 never */
	bool stored, failed, held;
};

struct fb_rig {
	struct fb_rig_settings settings;
	struct fb_network network;
	struct fb_key key;
	char directory[64];
	bool keeps_directory;
	char sentence[512];
	struct fb_sim *own_sim, *sim; /* NULL: the chain is in another process */
	_Atomic uint64_t offset_ms, race_from_ns;
	_Atomic unsigned race_times; /* 0 as real time */
	uint64_t opened_ns;
	int nowhere; /* where the log goes */
	struct fb_log *log;
	struct fb_metrics *metrics;
	struct fb_store *store;
	struct fb_writer *writer;
	struct fb_loop *loop;
	struct fb_rpc *rpc;
	struct fb_head *head;
	struct fb_view *view;
	struct fb_lane *lane;
	struct fb_settle *settle;
	uint64_t moves[FB_LANE_MOVE_END], settle_moves[FB_SETTLE_MOVE_END];
	atomic_bool crashed;
	pthread_mutex_t lock; /* of everything below, and of `store` against its closing */
	pthread_cond_t changed;
	struct rig_disk disk;
	struct {
		struct fb_hash tx;
		fb_u128 cost;
	} booked[RIG_BOOKED_MAX];
	size_t booked_count;
	unsigned refuse_books;
	bool repriced;
	struct fb_hash gone[RIG_GONE_MAX]; /* transactions whose lane row was there and is removed; a ring */
	size_t gone_count;
	size_t answer_count;
	struct rig_answer *answers;
	bool lane_answered;
	enum fb_status lane_status;
};

void rig_lock(struct fb_rig *r);
void rig_unlock(struct fb_rig *r); /* tells who waits */
/* Waits until check says so, at most FB_RIG_WAIT_MS. Locked. */
void rig_wait(struct fb_rig *r, bool (*check)(struct fb_rig *r, void *arg), void *arg, const char *what);

/* disk.c: a commit port over the writer's. */
struct fb_commit rig_disk_port(struct fb_rig *r);
/* check.c: a record's key, spelt out independently of the engine; what must hold of every answer and of every
 * transaction. */
struct fb_settle_key rig_key(const struct fb_rig *r, const struct fb_claim *c);
void rig_check_answer(struct fb_rig *r, const struct rig_answer *a);
void rig_check_sent(void *rig, const struct fb_sim_sent *sent);
void rig_note_removed(struct fb_rig *r, const struct fb_put *put); /* before it is stored */
/* The lane's gas book. */
void rig_book(void *rig, const struct fb_hash *tx, fb_u128 cost, void (*done)(void *arg, enum fb_status status),
	      void *arg);
#endif /* FB_RIG_INT_H */
