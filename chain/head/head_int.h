/* Shared inside chain/head: the follower's state and its steps, which do no I/O, and the reader of blocks. */
#ifndef FB_HEAD_INT_H
#define FB_HEAD_INT_H
#include "farebox/head.h"

#include "farebox/json.h"

enum { BRANCH_MAX = FB_HEAD_DEPTH_MAX + FB_HEAD_BATCH + 2 };
enum { LOOK_ASKS_MAX = FB_HEAD_GAP_MAX / FB_HEAD_BATCH + FB_HEAD_DEPTH_MAX / FB_HEAD_BATCH + 16 };

/* What a look is doing. */
enum follow_stage {
	FOLLOW_IDLE,
	FOLLOW_FORWARD, /* fetching missed blocks above the head */
	FOLLOW_BACK,    /* fetching a branch downwards, to where it leaves the remembered chain */
	FOLLOW_START,   /* fetching a first chain downwards: nothing is remembered, or all of it is left behind */
	FOLLOW_PROBE,   /* asking whether the endpoint has the remembered head still, before a jump */
};

struct follow {
	struct fb_head_settings settings;
	bool known;                                /* something is remembered: foot..head */
	uint64_t head, foot;
	struct fb_head_block kept[FB_HEAD_KEEP_MAX]; /* by number modulo its length */
	bool has_safe, has_final;                  /* the endpoint has named one */
	uint64_t safe, final;                      /* that one */
	enum follow_stage stage;
	struct fb_head_block target;               /* the head that the endpoint named */
	struct fb_head_block branch[BRANCH_MAX];   /* newest first, linked, not joined yet */
	size_t branch_count;
	uint64_t asked_from;
	size_t asked;
	unsigned asks, lower_looks, rest_looks;
	enum fb_head_fault rest_fault;
};

/* One block that was asked for: a block if the fault is NONE. */
struct follow_answer {
	enum fb_head_fault fault;
	struct fb_head_block block;
};
/* What is to be done after a step. */
struct follow_step {
	bool changed;
	struct fb_head_event event;  /* to be told, if changed */
	uint64_t ask_from;           /* blocks to ask for, */
	size_t ask_count;            /* at most FB_HEAD_BATCH; 0: the look is over */
	enum fb_head_fault fault;    /* of the look that is over */
};

/* follow.c: pure. */
void fb_follow_init(struct follow *f, const struct fb_head_settings *settings);
/* A look begins with the head that the endpoint names. */
struct follow_step fb_follow_latest(struct follow *f, const struct fb_head_block *latest);
/* The blocks that the last step asked for, in its order. */
struct follow_step fb_follow_blocks(struct follow *f, const struct follow_answer *answers, size_t count);
void fb_follow_abandon(struct follow *f); /* they could not be had */
const struct fb_head_block *fb_follow_at(const struct follow *f, uint64_t number); /* NULL: not remembered */

/* ladder.c: pure. How final the remembered blocks are. */
struct follow_step fb_follow_ladder(struct follow *f, const struct follow_answer *safe,
				    const struct follow_answer *final);
uint64_t fb_follow_safe(const struct follow *f);  /* the lowest number that is not */
uint64_t fb_follow_final(const struct follow *f);
enum fb_rung fb_follow_rung(const struct follow *f, uint64_t number, const struct fb_hash *hash);

/* block.c: FB_MISSING, FB_WRONG_TYPE, FB_BAD_HEX, FB_BAD_LENGTH, FB_OVERFLOW; FB_BAD_VALUE if it is its own parent. */
FB_MUST_USE enum fb_status fb_head_block_read(struct fb_head_block *out, struct fb_json_value json);
#endif /* FB_HEAD_INT_H */
