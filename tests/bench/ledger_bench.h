/* Shared inside the ledger's benchmark. From the bottom: a histogram; what a run costs; the stage, which is a ledger
 * with its funded accounts; the load. */
#ifndef FB_LEDGER_BENCH_H
#define FB_LEDGER_BENCH_H
#include "farebox/os.h"
#include "farebox/writer.h"

#include <stdatomic.h>

/* ---- ledger_histogram.c ---------------------------------------------------------------------------------------- */
enum {
	HISTOGRAM_STEPS = 64, /* per power of two: a value is known to 1.6 % */
	HISTOGRAM_POWERS = 40,
	HISTOGRAM_CELLS = HISTOGRAM_STEPS * HISTOGRAM_POWERS,
};
struct histogram {
	uint64_t cells[HISTOGRAM_CELLS], count, max;
};
void histogram_add(struct histogram *h, uint64_t value);
/* The least value that so many of 10,000 do not exceed; 0 of none. */
uint64_t histogram_at(const struct histogram *h, unsigned of_10000);

/* ---- ledger_usage.c -------------------------------------------------------------------------------------------- */
struct usage {
	uint64_t process_ns, load_ns;           /* of the processor; load: the calling thread */
	uint64_t decide_ns, write_ns, fold_ns;  /* of the ledger's threads */
	uint64_t written;                       /* bytes this process had the system write */
};
void usage_read(struct usage *out);
uint64_t usage_resident(void); /* bytes */

/* ---- ledger_stage.c -------------------------------------------------------------------------------------------- */
enum {
	STAGE_ACCOUNTS_MAX = 10000000,
	STAGE_FUND_OPS = FB_SUBMIT_OPS_MAX,
	STAGE_FUND_OUTSTANDING = 64, /* submissions */
	STAGE_HOLD_S = 3600,
	STAGE_REST_S_MAX = 300,
	PRICE = 1000,
	FEE = 100, /* of it */
};
struct stage {
	struct fb_clock clock;
	struct fb_log *log;
	struct fb_metrics *metrics;
	struct fb_store *store;
	struct fb_writer *writer;
	uint64_t accounts, ids; /* ids: how many were made */
	uint64_t resident;      /* bytes, before the accounts were opened */
	uint64_t random;
	int64_t expires_us;     /* of every hold: long after the run */
};
void stage_open(struct stage *s, const char *directory, uint64_t accounts);
/* Waits until the merging of indexes that the opening has left behind is done: it would be counted as the pairs'. */
void stage_rest(void);
void stage_close(struct stage *s);
struct fb_account_key stage_account(uint64_t number);
struct fb_account_key stage_fees(void);
fb_id stage_new_id(struct stage *s); /* random to the eye, never the same twice */
uint64_t stage_draw(struct stage *s, uint64_t below);
static inline uint64_t stage_now_ns(const struct stage *s)
{
	return s->clock.mono_ns(s->clock.ctx);
}

/* ---- ledger_answers.c: from the writer's thread to the one that waits --------------------------------------- */
enum { ANSWERS_MAX = 1 << 14 };
struct answers {
	void *ring[ANSWERS_MAX];
	_Atomic uint32_t end;
	uint32_t at;
	atomic_bool asleep;
	int bell;
};
void answers_open(struct answers *a);
void answers_close(struct answers *a);
void answers_put(struct answers *a, void *answer); /* never more than ANSWERS_MAX that were not taken */
void *answers_take(struct answers *a);             /* waits for one */

/* ---- ledger_load.c --------------------------------------------------------------------------------------------- */
enum { LOAD_OUTSTANDING_MAX = ANSWERS_MAX / 2, LOAD_SECONDS_MAX = 600, LOAD_WARM_UP_S = 2 };
struct load_plan {
	uint64_t outstanding, seconds;
	bool apart; /* the capture is handed over when the hold is durable; else both at once */
};
struct load_result {
	struct histogram latency; /* ns, from before a pair is handed over until its answer is taken */
	struct usage usage;
	uint64_t pairs, commits, elapsed_ns;
};
/* A warm-up, then so many seconds that count. Stops the program if a pair fails. */
void load_run(struct load_result *out, struct stage *s, const struct load_plan *plan);
#endif /* FB_LEDGER_BENCH_H */
