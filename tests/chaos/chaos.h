/* Shared by the random run: one course of events drawn from a seed, and what is known of its payments. */
#ifndef FB_CHAOS_H
#define FB_CHAOS_H
#include "farebox/rig.h"

enum { CHAOS_PAYMENTS_MAX = 40, CHAOS_TICKETS_MAX = 512, CHAOS_PAYERS = 4 };

struct chaos_payment {
	struct fb_claim claim, other; /* other: the same nonce with other content */
	bool forged;                  /* its signature is nobody's */
	bool canceled;                /* by the payer; a reorg may have taken that back */
	fb_rig_ticket tickets[CHAOS_TICKETS_MAX];
	bool given_back[CHAOS_TICKETS_MAX];
	size_t ticket_count;
};

/* What this course may do at all: every seed draws its own, so that rare faults meet often. */
struct chaos_swarm {
	bool lag, hide, foreign, forget, fates, stranger, crash, disk, poor, manual_mining, reorg, fees, silence, books;
	bool cancel, deep;
};

struct chaos {
	struct fb_rig *rig;
	uint64_t rng;
	struct chaos_swarm swarm;
	struct chaos_payment payments[CHAOS_PAYMENTS_MAX];
	size_t payment_count;
	bool grants_may_be_lost; /* a crash or an unconfirmed write: success may have reached nobody */
	bool reorged;            /* what moved money may have been taken back, and come too late the second time */
};

/* Over all seeds: a run that met nothing proves nothing. X(name, what it counts) */
#define CHAOS_TOTALS_TABLE(X)                   \
	X(payments, "payments")                 \
	X(successes, "successes")               \
	X(pendings, "pending")                  \
	X(repeats, "already used")              \
	X(failures, "failed")                   \
	X(refusals, "refused")                  \
	X(unknowns, "errors with nothing sent") \
	X(restarts, "restarts")                 \
	X(crashes, "crashes")                   \
	X(disk_failures, "disk failures")       \
	X(foreign, "foreign transactions")      \
	X(strangers, "strangers who settled")   \
	X(canceled, "authorizations canceled")  \
	X(given_back, "successes given back")   \
	X(reorgs, "reorgs")                     \
	X(deep_reorgs, "deep reorgs")           \
	X(fees, "changes of the base fee")      \
	X(replies_lost, "lost replies")
struct chaos_totals {
#define X(name, text) unsigned name;
	CHAOS_TOTALS_TABLE(X)
#undef X
#define X(name, from, to) unsigned move_##name; /* of the lane's rows */
	FB_LANE_MOVES(X)
#undef X
#define X(from, to, what) unsigned step_##from##_##to; /* of the settlements' records */
	FB_SETTLE_MOVES(X)
#undef X
};
enum { CHAOS_TOTALS = sizeof(struct chaos_totals) / sizeof(unsigned) };

uint64_t chaos_draw(struct chaos *c, uint64_t below);
bool chaos_chance(struct chaos *c, unsigned percent);
void chaos_sleep_ms(uint64_t ms);
void chaos_start(struct chaos *c); /* of the rig, until it runs */
/* course.c */
void chaos_open(struct chaos *c, uint64_t seed);
void chaos_step(struct chaos *c, struct chaos_totals *t);
void chaos_submit(struct chaos *c, struct chaos_payment *p, const struct fb_claim *claim);
/* audit.c: the world is well again; every payment is brought to its end and the books are compared. */
void chaos_audit(struct chaos *c, struct chaos_totals *t);
#endif /* FB_CHAOS_H */
