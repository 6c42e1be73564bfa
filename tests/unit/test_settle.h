/* The groups of settle's tests, one a file, and the rig they run on. */
#ifndef FB_TEST_SETTLE_H
#define FB_TEST_SETTLE_H
#include "farebox/rig.h"
#include "fb_sample.h"
#include "fb_test.h"

#include <time.h>

int test_settle_record(void);
int test_settle_once(void);
int test_settle_batch(void);
int test_settle_chain(void);
int test_settle_limits(void);
int test_settle_restart(void);
int test_settle_lost(void);

/* A running rig whose payer number 0 has a million atoms. */
static inline struct fb_rig *rig_with(const struct fb_rig_settings *settings)
{
	struct fb_key key = fb_rig_payer(0);
	struct fb_address payer = fb_key_address(&key);
	struct fb_rig *r;

	fb_rig_open(&r, settings);
	fb_sim_pay_in(fb_rig_sim(r), &payer, 1000000);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	return r;
}

static inline struct fb_rig *rig(void)
{
	return rig_with(&(struct fb_rig_settings){ .seed = fb_test_seed() });
}

/* Payer 0's payment of 1000 atoms. */
static inline struct fb_claim payment(struct fb_rig *r, uint32_t nonce)
{
	struct fb_rig_payment p = { .payer = fb_rig_payer(0), .nonce = nonce };
	struct fb_claim c;

	fb_rig_claim(&c, r, &p);
	return c;
}

static inline struct fb_sim_history history(struct fb_rig *r, const struct fb_claim *c)
{
	return fb_sim_history(fb_rig_sim(r), &c->authorization.from, &c->authorization.nonce);
}

/* Gives the engine's own timers (every 100 ms) their time. */
static inline void breathe(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

#define WAIT_UNTIL(condition)                                                     \
	do {                                                                      \
		for (int tries_ = 0; tries_ < 4000 && !(condition); tries_++)     \
			breathe(5);                                               \
		CHECK(condition);                                                 \
	} while (0)

/* Every method that has that fault from now on. */
static inline void fault(struct fb_rig *r, const char *method, enum fb_sim_fault f, unsigned count)
{
	fb_sim_add_rule(fb_rig_sim(r),
			&(struct fb_sim_rule){ .method = method, .fault = f, .count = count, .ms = 300 });
}

#define CHECK_OUTCOME(want, outcome)                                                                          \
	do {                                                                                                  \
		struct fb_settle_outcome o_ = (outcome);                                                      \
		if (o_.reason != (want))                                                                      \
			fail_msg("%s -> \"%s\" (%s), want \"%s\"", #outcome, fb_reason_text(o_.reason), o_.note.text, \
				 fb_reason_text(want));                                                       \
	} while (0)
#define CHECK_SENT(count, rig, claim)                                                                         \
	do {                                                                                                  \
		struct fb_sim_history h_ = history(rig, claim);                                               \
		CHECK(h_.open_max <= 1);                                                                      \
		if (h_.sent != (count))                                                                       \
			fail_msg("%u transactions were sent for " #claim ", want %u", h_.sent, (unsigned)(count)); \
	} while (0)
#endif /* FB_TEST_SETTLE_H */
