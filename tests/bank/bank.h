/* Shared by the bank's clients: what they are, what they submit, what they write down. */
#ifndef FB_BANK_H
#define FB_BANK_H
#include "farebox/os.h"
#include "farebox/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum {
	BANK_CLIENTS = 24,
	BANK_OWNERS = 48, /* shared by all clients */
	BANK_ASSETS = 2,
	BANK_LINKED_MAX = 4,    /* operations of a chain */
	BANK_IN_FLIGHT_MAX = 8, /* submissions of a client that wait for their answers */
	BANK_MEMORY = 64,       /* holds, posts and operations that a client remembers */
};

#define BANK_MUST(c)                                                                        \
	do {                                                                                \
		if (!(c)) {                                                                 \
			fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #c);    \
			exit(1);                                                            \
		}                                                                           \
	} while (0)

struct bank {
	struct fb_writer *writer;
	struct fb_clock clock;
	uint64_t run;                /* the ids of this run begin with it */
	uint64_t ops_max;
	atomic_uint_fast64_t ops;    /* submitted so far, by all */
	atomic_uint_fast64_t newest; /* seq that somebody was told */
	atomic_bool over;
};
struct client;
struct bank_submission {
	struct client *client;
	struct fb_op ops[BANK_LINKED_MAX];
	size_t count;
	enum fb_status status;
	struct fb_op_result results[BANK_LINKED_MAX];
};
/* A hold that a client made. */
struct bank_hold {
	fb_id id;
	uint32_t asset;
	uint64_t amount;
};
struct client {
	struct bank *bank;
	unsigned number;
	uint64_t random, made; /* state of its dice; ids made */
	FILE *log;
	pthread_t thread;

	struct bank_hold holds[BANK_MEMORY];
	fb_id posts[BANK_MEMORY];
	struct fb_op before[BANK_MEMORY];
	size_t hold_count, post_count, before_count; /* ever remembered: the oldest are overwritten */

	struct bank_submission under_way[BANK_IN_FLIGHT_MAX];
	pthread_mutex_t lock;
	pthread_cond_t answered;
	size_t waiting; /* guarded by lock */
};

/* ---- ops.c: what to do next */
uint64_t bank_draw(struct client *c, uint64_t below);
void bank_make(struct client *c, struct bank_submission *s);
struct fb_account_key bank_any_account(struct client *c);
/* ---- log.c: one JSON object a line, whole when it is written */
void bank_log_submission(struct client *c, const struct bank_submission *s);
void bank_log_balance(struct client *c, const struct fb_account_key *key, enum fb_status st,
		      const struct fb_account *a);
/* As of a seq. */
void bank_log_balance_at(struct client *c, const struct fb_account_key *key, uint64_t seq, enum fb_status st,
			 const struct fb_account *a);
#endif /* FB_BANK_H */
