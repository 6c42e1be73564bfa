/* What every unit test includes: cmocka, and checks in the project's own words.
 *
 * A test is a function named unit__situation__expectation with cmocka's signature; main() lists them
 * with cmocka_unit_test. A test that draws random numbers takes its seed from FB_TEST_SEED (default 1)
 * and prints it on failure through CHECK. */
#ifndef FB_TEST_H
#define FB_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "farebox/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline uint64_t fb_test_seed(void)
{
	const char *text = getenv("FB_TEST_SEED");

	return text == NULL ? 1 : strtoull(text, NULL, 10);
}

#define CHECK(c)                                                                               \
	do {                                                                                   \
		if (!(c))                                                                      \
			fail_msg("%s is false (seed %llu)", #c, (unsigned long long)fb_test_seed()); \
	} while (0)
#define CHECK_STATUS(want, expr)                                                               \
	do {                                                                                   \
		enum fb_status got_ = (expr);                                                  \
		if (got_ != (want))                                                            \
			fail_msg("%s -> %s, want %s (seed %llu)", #expr, fb_status_info(got_)->name, \
				 fb_status_info(want)->name, (unsigned long long)fb_test_seed()); \
	} while (0)
#define CHECK_STR(want, got)                                                                   \
	do {                                                                                   \
		struct fb_str want_ = fb_str_of(want), got_s_ = (got);                         \
		if (!fb_str_eq(want_, got_s_))                                                 \
			fail_msg("%s is \"%.*s\", want \"%s\"", #got, FB_STR_ARG(got_s_), want); \
	} while (0)
#endif /* FB_TEST_H */
