/* A simulated chain, a loop on its own thread and an RPC client to the chain: what a library of the chain room
 * stands on, for its unit tests. */
#ifndef FB_STAGE_H
#define FB_STAGE_H
#include "farebox/net.h"
#include "farebox/os.h"
#include "farebox/rpc.h"
#include "farebox/sim.h"
#include "fb_sample.h"
#include "fb_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

struct stage {
	struct fb_network network;
	struct fb_sim *sim;
	struct fb_metrics *metrics;
	struct fb_loop *loop;
	struct fb_rpc *rpc;
	_Atomic uint64_t offset_ms; /* the clock's, beyond real time */
};

static inline uint64_t stage_mono_ns(void *ctx)
{
	struct stage *s = ctx;
	struct fb_clock os = fb_os_clock();

	return os.mono_ns(os.ctx) + atomic_load(&s->offset_ms) * 1000000u;
}

static inline int64_t stage_wall_us(void *ctx)
{
	struct stage *s = ctx;

	return ((int64_t)FB_SAMPLE_NOW_S * 1000 + (int64_t)atomic_load(&s->offset_ms)) * 1000;
}

static inline struct fb_clock stage_clock(struct stage *s)
{
	return (struct fb_clock){ stage_mono_ns, stage_wall_us, s };
}

/* The loop does not run yet: what is opened next may still be opened on this thread. */
static inline void stage_open(struct stage *s, uint64_t rpc_timeout_ms)
{
	struct fb_rpc_settings settings = { .url_count = 1, .timeout_ms = rpc_timeout_ms };

	memset(s, 0, sizeof(*s));
	s->network = fb_sample_network();
	fb_sim_open(&s->sim, &s->network, stage_clock(s), fb_test_seed());
	fb_metrics_open(&s->metrics);
	settings.urls[0] = fb_sim_url(s->sim);
	CHECK_STATUS(FB_OK, fb_loop_open(&s->loop));
	CHECK_STATUS(FB_OK, fb_rpc_open(&s->rpc, s->loop, &settings, NULL, s->metrics));
}

struct stage_visit {
	void (*fn)(void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool over;
};

static inline void stage_visit(void *arg)
{
	struct stage_visit *v = arg;

	v->fn(v->arg);
	pthread_mutex_lock(&v->lock);
	v->over = true;
	pthread_cond_signal(&v->changed);
	pthread_mutex_unlock(&v->lock);
}

/* Runs fn(arg) on the loop and waits for it. */
static inline void stage_on_loop(struct stage *s, void (*fn)(void *arg), void *arg)
{
	struct stage_visit v = { .fn = fn, .arg = arg };

	pthread_mutex_init(&v.lock, NULL);
	pthread_cond_init(&v.changed, NULL);
	fb_loop_post(s->loop, stage_visit, &v);
	pthread_mutex_lock(&v.lock);
	while (!v.over)
		pthread_cond_wait(&v.changed, &v.lock);
	pthread_mutex_unlock(&v.lock);
	pthread_cond_destroy(&v.changed);
	pthread_mutex_destroy(&v.lock);
}

static inline void stage_close_rpc(void *arg)
{
	struct stage *s = arg;

	fb_rpc_close(s->rpc);
	s->rpc = NULL;
}

/* What was opened on the loop must be closed already; the RPC client may be. */
static inline void stage_close(struct stage *s)
{
	stage_on_loop(s, stage_close_rpc, s);
	fb_loop_close(s->loop);
	fb_metrics_close(s->metrics);
	fb_sim_close(s->sim);
}

static inline void stage_breathe(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

#define STAGE_WAIT(condition)                                                 \
	do {                                                                  \
		for (int tries_ = 0; tries_ < 4000 && !(condition); tries_++) \
			stage_breathe(5);                                     \
		CHECK(condition);                                             \
	} while (0)

static inline void stage_fault(struct stage *s, const char *method, enum fb_sim_fault f, unsigned count)
{
	fb_sim_add_rule(s->sim, &(struct fb_sim_rule){ .method = method, .fault = f, .count = count, .ms = 200 });
}
#endif /* FB_STAGE_H */
