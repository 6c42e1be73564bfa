/* farebox/port.h - the doors to the outside world as values: clock, randomness, durable commit.
 *
 * Nothing above layer 2 calls clock_gettime, getrandom or RocksDB: it is handed these structs.
 * Production fills them from base/os and ledger/writer, tests from a simulation; that is the whole
 * mechanism behind replaying a run from its seed.
 *
 * Layer      1
 * Units      mono_ns: nanoseconds, arbitrary start, never goes back. wall_us: Unix microseconds.
 * Errors     FB_STORAGE from a commit means the outcome is UNKNOWN: the batch is either wholly
 *            durable or wholly absent. The writer refuses everything after it; the process restarts.
 *            FB_DRAINING: the writer is being closed, nothing was stored.
 * Threads    clock and rng may be called from any thread. commit may be called from any thread;
 *            `done` runs on the writer's thread and must only hand over to its owner's thread.
 */
#ifndef FB_PORT_H
#define FB_PORT_H
#include "farebox/core.h"

struct fb_clock {
	uint64_t (*mono_ns)(void *ctx);
	int64_t (*wall_us)(void *ctx);
	void *ctx;
};
static inline uint64_t fb_clock_mono_ms(const struct fb_clock *c)
{
	return c->mono_ns(c->ctx) / 1000000u;
}
static inline int64_t fb_clock_wall_s(const struct fb_clock *c)
{
	return c->wall_us(c->ctx) / 1000000;
}

struct fb_rng {
	void (*fill)(void *ctx, uint8_t *out, size_t len);
	void *ctx;
};

/* One row to store. An empty value is a row too; `remove` deletes the key. */
struct fb_put {
	struct fb_str key, value;
	bool remove;
};
/* The bounds of one batch. */
enum { FB_PUTS_MAX = 128, FB_PUT_KEY_MAX = 256, FB_PUT_VALUE_MAX = 65536 };

struct fb_commit {
	/* All puts or none; durable (fsync) before done(arg, FB_OK). The puts are copied before the
	 * call returns. done is called exactly once, also on FB_STORAGE; with FB_DRAINING before commit
	 * returns, on the caller's thread. */
	void (*commit)(void *ctx, const struct fb_put *puts, size_t count,
		       void (*done)(void *arg, enum fb_status status), void *arg);
	void *ctx;
};
#endif /* FB_PORT_H */
