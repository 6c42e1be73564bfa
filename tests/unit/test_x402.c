/* Goal: a settlement's way between an HTTP request and the engine: what is answered when, and that no success gets lost
 * between the two. Method: the real server and loop; in the engine's place two functions that do what the test says. */
#include "farebox/x402.h"
#include "farebox/os.h"
#include "fb_client.h"
#include "fb_sample.h"
#include "fb_test.h"

#include <poll.h>
#include <unistd.h>

enum { SETTLE_MS = 100, PATIENCE_MS = 5000 };

static struct fb_network network;
static struct fb_x402 x402;
static struct fb_http *http;
static struct fb_mount mount;

/* ---- in the engine's place --------------------------------------------------------------------------------------- */

static struct {
	void (*done)(void *arg, const struct fb_settle_outcome *o);
	void *arg;
	atomic_uint submitted, given_back;
	struct fb_settle_key key; /* of the one given back */
} engine;

void fb_settle_submit(struct fb_settle *s, const struct fb_claim *c, const uint8_t *api_key,
		      void (*done)(void *arg, const struct fb_settle_outcome *o), void *arg)
{
	(void)s, (void)c, (void)api_key;
	engine.done = done;
	engine.arg = arg;
	atomic_fetch_add(&engine.submitted, 1);
}

void fb_settle_give_back(struct fb_settle *s, const struct fb_settle_key *key)
{
	(void)s;
	engine.key = *key;
	atomic_fetch_add(&engine.given_back, 1);
}

static const struct fb_settle_outcome success = { .reason = FB_REASON_NONE, .has_tx = true, .tx = { { 0x7a } },
						  .key = { { 1, 2, 3 } } };

/* On the loop's thread. */
static void answer_with(void *arg)
{
	engine.done(engine.arg, arg);
}

static void answer(const struct fb_settle_outcome *o)
{
	fb_loop_post(x402.loop, answer_with, (void *)(uintptr_t)o);
}

static bool becomes(atomic_uint *counter, unsigned value)
{
	for (int ms = 0; atomic_load(counter) != value && ms < PATIENCE_MS; ms++)
		poll(NULL, 0, 1);
	return atomic_load(counter) == value;
}

/* ---- a request --------------------------------------------------------------------------------------------------- */

#define ADDRESS(digit) "0x" digit digit digit digit digit digit digit digit digit digit
#define REQUIREMENT                                                                                   \
	"{\"scheme\":\"exact\",\"network\":\"eip155:84532\",\"amount\":\"1000\",\"asset\":\"" ADDRESS("cccc")  \
	"\",\"payTo\":\"" ADDRESS("1111") "\",\"maxTimeoutSeconds\":300,"                             \
	"\"extra\":{\"name\":\"USDC\",\"version\":\"2\"}}"
#define HASH "0x" "2222222222222222222222222222222222222222222222222222222222222222"

static const char body[] =
	"{\"x402Version\":2,\"paymentPayload\":{\"x402Version\":2,\"accepted\":" REQUIREMENT ",\"payload\":{"
	"\"signature\":\"" HASH "\",\"authorization\":{\"from\":\"" ADDRESS("3333") "\",\"to\":\"" ADDRESS("1111")
	"\",\"value\":\"1000\",\"validAfter\":\"0\",\"validBefore\":\"2000000000\",\"nonce\":\"" HASH "\"}}},"
	"\"paymentRequirements\":" REQUIREMENT "}";

static int post_settle(void)
{
	char text[4096];
	int n = snprintf(text, sizeof(text),
			 "POST /settle HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
			 sizeof(body) - 1, body);

	CHECK(n > 0 && (size_t)n < sizeof(text));
	return client_send(fb_http_port(http), (struct fb_str){ text, (size_t)n });
}

static bool holds(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

static enum fb_status let_pass(void *ctx, const struct fb_request *r, const struct fb_route *route)
{
	(void)ctx, (void)r, (void)route;
	return FB_OK;
}

static int open_all(void **state)
{
	struct fb_http_settings settings = { .bind = "127.0.0.1", .threads = 2, .connections_max = 64,
					     .per_address_max = 64, .read_ms = 5000, .idle_ms = 5000, .grace_ms = 50 };
	struct fb_error e;

	(void)state;
	memset(&engine, 0, sizeof(engine));
	network = fb_sample_network();
	x402 = (struct fb_x402){ .network = &network, .clock = fb_os_clock(), .verify_ms = SETTLE_MS,
				 .settle_ms = SETTLE_MS, .gas_limit_max = 400000 };
	CHECK_STATUS(FB_OK, fb_loop_open(&x402.loop));
	fb_loop_start(x402.loop, "fb-test");
	mount = fb_x402_mount(&x402);
	settings.authorise = let_pass;
	CHECK_STATUS(FB_OK, fb_http_open(&http, &settings, &mount, 1, fb_os_clock(), fb_os_rng(), NULL, NULL, &e));
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	fb_http_stop(http);
	fb_x402_close(&x402);
	fb_loop_close(x402.loop);
	return 0;
}

/* ---- tests -------------------------------------------------------------------------------------------------- */

static void settle__outcome_in_time__answered_and_kept(void **state)
{
	const char *text;
	int fd;

	(void)state;
	x402.settle_ms = PATIENCE_MS;
	fd = post_settle();
	CHECK(becomes(&engine.submitted, 1));
	answer(&success);
	text = client_read(fd);
	CHECK(holds(text, "200 OK") && holds(text, "\"success\":true"));
	poll(NULL, 0, 50);
	CHECK(atomic_load(&engine.given_back) == 0);
}

static void settle__success_after_the_deadline__given_back(void **state)
{
	const char *text;
	int fd;

	(void)state;
	fd = post_settle();
	CHECK(becomes(&engine.submitted, 1));
	text = client_read(fd);
	CHECK(holds(text, "200 OK") && holds(text, "\"success\":false") && holds(text, "unexpected_settle_error"));
	CHECK(holds(text, "not known yet"));
	answer(&success);
	CHECK(becomes(&engine.given_back, 1));
	CHECK(memcmp(&engine.key, &success.key, sizeof(engine.key)) == 0);
}

static void settle__refusal_after_the_deadline__nothing_to_give_back(void **state)
{
	static const struct fb_settle_outcome refusal = { .reason = FB_REASON_BALANCE, .note = { "too little" } };

	int fd;

	(void)state;
	fd = post_settle();
	CHECK(becomes(&engine.submitted, 1));
	client_read(fd);
	answer(&refusal);
	poll(NULL, 0, 50);
	CHECK(atomic_load(&engine.given_back) == 0);
}

static void settle__client_gone_before_success__given_back(void **state)
{
	(void)state;
	x402.settle_ms = PATIENCE_MS;
	close(post_settle());
	CHECK(becomes(&engine.submitted, 1));
	answer(&success);
	CHECK(becomes(&engine.given_back, 1));
}

/* The engine may be gone by then. */
static void settle__success_after_the_close__not_given_back(void **state)
{
	int fd;

	(void)state;
	fd = post_settle();
	CHECK(becomes(&engine.submitted, 1));
	client_read(fd);
	fb_x402_close(&x402);
	answer(&success);
	poll(NULL, 0, 50);
	CHECK(atomic_load(&engine.given_back) == 0);
}

/* Whoever comes first at the deadline, a success is told or given back, never both and never neither. */
static void settle__success_at_the_deadline__told_or_given_back(void **state)
{
	unsigned told = 0;

	(void)state;
	x402.settle_ms = 20;
	for (unsigned i = 1; i <= 60; i++) {
		int fd = post_settle();

		CHECK(becomes(&engine.submitted, i));
		poll(NULL, 0, (int)(i % 30));
		answer(&success);
		told += holds(client_read(fd), "\"success\":true");
	}
	if (!becomes(&engine.given_back, 60 - told))
		fail_msg("%u told, %u given back, of 60", told, atomic_load(&engine.given_back));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(settle__outcome_in_time__answered_and_kept),
		TEST(settle__success_after_the_deadline__given_back),
		TEST(settle__refusal_after_the_deadline__nothing_to_give_back),
		TEST(settle__client_gone_before_success__given_back),
		TEST(settle__success_after_the_close__not_given_back),
		TEST(settle__success_at_the_deadline__told_or_given_back),
	};

	return cmocka_run_group_tests_name("x402", tests, NULL, NULL);
}
