/* The groups of verify's tests, and the case they all start from: a payment that is good in everything. */
#ifndef FB_TEST_VERIFY_H
#define FB_TEST_VERIFY_H
#include "farebox/token.h"
#include "farebox/verify.h"
#include "fb_sample.h"
#include "fb_test.h"

int test_verify_order(void);
int test_verify_claim(void);
int test_verify_judge(void);

struct verify_case {
	struct fb_network network;
	struct fb_payment payment;
	struct fb_requirement requirement;
	struct fb_facts facts;
	int64_t now_s;
	bool enveloped, bad_signature; /* what verify_sign makes of the signature */
	uint8_t signature[512];
	struct fb_claim claim;
	struct fb_note note;
};
/* Into static memory, overwritten by the next call. */
struct verify_case *verify_good(uint8_t version);
/* Signs what the case says now; call it after the last change of authorization or domain. */
void verify_sign(struct verify_case *c);
/* The whole way: claim, recovery, judgement. Checks that a note stands with exactly the refusals. */
enum fb_reason verify_run(struct verify_case *c);
#define CHECK_REASON(want, expr)                                                                             \
	do {                                                                                                 \
		enum fb_reason got_r_ = (expr);                                                              \
		if (got_r_ != (want))                                                                        \
			fail_msg("%s -> \"%s\", want \"%s\"", #expr, fb_reason_text(got_r_), fb_reason_text(want)); \
	} while (0)
#endif /* FB_TEST_VERIFY_H */
