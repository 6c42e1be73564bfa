/* Goal: the contract of farebox/metric.h. Method: move numbers, read the page back line by line. */
#include "farebox/metric.h"
#include "fb_test.h"

#include <pthread.h>
#include <time.h>

static char page_block[FB_METRICS_PAGE_MAX];

static struct fb_str print(const struct fb_metrics *m)
{
	struct fb_buf b;

	fb_buf_init(&b, page_block, sizeof(page_block));
	fb_metrics_print(m, &b);
	CHECK(!b.overflowed);
	return fb_buf_view(&b);
}

/* How many lines of the page are exactly this one. */
static unsigned count_line(struct fb_str page, const char *want)
{
	struct fb_str line;
	unsigned n = 0;

	while (fb_str_split(&line, &page, page, '\n'))
		n += fb_str_eq(line, fb_str_of(want));
	return n;
}

/* The number behind "name " on the page. */
static uint64_t number_of(struct fb_str page, const char *name)
{
	struct fb_str line, key, value;
	uint64_t v;

	while (fb_str_split(&line, &page, page, '\n')) {
		if (!fb_str_split(&key, &value, line, ' ') || !fb_str_eq(key, fb_str_of(name)))
			continue;
		CHECK_STATUS(FB_OK, fb_u64_parse(&v, value));
		return v;
	}
	fail_msg("no %s on the page", name);
	return 0;
}

static void counters_and_gauges__moved__are_printed(void **state)
{
	struct fb_metrics *m;
	struct fb_str page;

	(void)state;
	fb_metrics_open(&m);
	fb_metric_add(m, FB_M_HTTP_2XX, 2);
	fb_metric_add(m, FB_M_HTTP_2XX, 3);
	fb_metric_add(m, FB_M_TX_INFLIGHT, 9);
	fb_metric_sub(m, FB_M_TX_INFLIGHT, 9);
	fb_metric_set(m, FB_M_CHAIN_HEAD, UINT64_MAX);
	CHECK(fb_metric_get(m, FB_M_HTTP_2XX) == 5 && fb_metric_get(m, FB_M_TX_INFLIGHT) == 0);
	page = print(m);
	CHECK(count_line(page, "farebox_http_requests_total{code=\"2xx\"} 5") == 1);
	CHECK(count_line(page, "farebox_http_requests_total{code=\"3xx\"} 0") == 1);
	CHECK(count_line(page, "# TYPE farebox_http_requests_total counter") == 1);
	CHECK(count_line(page, "# HELP farebox_http_requests_total HTTP requests answered") == 1);
	CHECK(count_line(page, "farebox_tx_inflight 0") == 1);
	CHECK(count_line(page, "# TYPE farebox_tx_inflight gauge") == 1);
	CHECK(count_line(page, "farebox_chain_head_block 18446744073709551615") == 1);
	fb_metrics_close(m);
}

static void histogram__times__buckets_are_cumulative(void **state)
{
	static const uint64_t ns[] = { 0, 500000, 500001, 2500000, 60000000000, 60000000001 };
	static const struct { const char *le; unsigned count; } rows[] = {
		{ "0.0005", 2 }, { "0.001", 3 }, { "0.0025", 4 }, { "0.005", 4 }, { "0.01", 4 }, { "0.025", 4 },
		{ "0.05", 4 },   { "0.1", 4 },   { "0.25", 4 },   { "0.5", 4 },   { "1", 4 },    { "2.5", 4 },
		{ "5", 4 },      { "10", 4 },    { "30", 4 },     { "60", 5 },    { "+Inf", 6 },
	};
	struct fb_metrics *m;
	struct fb_str page;

	(void)state;
	fb_metrics_open(&m);
	for (size_t i = 0; i < FB_COUNT(ns); i++)
		fb_metric_time_ns(m, FB_M_COMMIT_SECONDS, ns[i]);
	CHECK(fb_metric_get(m, FB_M_COMMIT_SECONDS) == 6);
	page = print(m);
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		char want[96];

		snprintf(want, sizeof(want), "farebox_wal_fsync_seconds_bucket{le=\"%s\"} %u", rows[i].le, rows[i].count);
		CHECK(count_line(page, want) == 1);
	}
	CHECK(count_line(page, "farebox_wal_fsync_seconds_sum 120.003500002") == 1);
	CHECK(count_line(page, "farebox_wal_fsync_seconds_count 6") == 1);
	CHECK(count_line(page, "# TYPE farebox_wal_fsync_seconds histogram") == 1);
	fb_metrics_close(m);
}

static void page__process_rows__tell_the_truth(void **state)
{
	struct fb_metrics *m;
	struct fb_str page;
	uint64_t now = (uint64_t)time(NULL), start, resident;

	(void)state;
	fb_metrics_open(&m);
	page = print(m);
	start = number_of(page, "process_start_time_seconds");
	resident = number_of(page, "process_resident_memory_bytes");
	CHECK(start + 300 > now && start <= now + 2); /* this test runs for less than its time-out */
	CHECK(resident > 100000 && resident < 8000000000);
	CHECK(number_of(page, "farebox_build_info{version=\"0.1.0\"}") == 1);
	fb_metrics_close(m);
}

static bool is_name(struct fb_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!((s.at[i] >= 'a' && s.at[i] <= 'z') || s.at[i] == '_'))
			return false;
	return s.len > 0;
}

/* Prometheus refuses a page with the same head or series twice. */
static void page__every_line__is_well_formed_and_unique(void **state)
{
	struct fb_metrics *m;
	struct fb_str page, rest, line, key, value, name, labels;
	unsigned series = 0;

	(void)state;
	fb_metrics_open(&m);
	page = rest = print(m);
	while (fb_str_split(&line, &rest, rest, '\n')) {
		char text[256];

		snprintf(text, sizeof(text), "%.*s", FB_STR_ARG(line));
		CHECK(count_line(page, text) == 1);
		if (line.at[0] == '#')
			continue;
		CHECK(fb_str_split(&key, &value, line, ' '));
		name = key;
		(void)fb_str_split(&name, &labels, key, '{');
		CHECK(is_name(name));
		series++;
	}
	CHECK(rest.len == 0 && series > FB_M_END);
	fb_metrics_close(m);
}

static void page__no_room__latches(void **state)
{
	struct fb_metrics *m;
	char block[1000];
	struct fb_buf b;

	(void)state;
	fb_metrics_open(&m);
	fb_buf_init(&b, block, sizeof(block));
	fb_metrics_print(m, &b);
	CHECK(b.overflowed);
	fb_metrics_close(m);
}

static void all__without_metrics__do_nothing(void **state)
{
	(void)state;
	fb_metric_add(NULL, FB_M_HTTP_2XX, 1);
	fb_metric_sub(NULL, FB_M_TX_INFLIGHT, 1);
	fb_metric_set(NULL, FB_M_TX_INFLIGHT, 1);
	fb_metric_time_ns(NULL, FB_M_COMMIT_SECONDS, 1);
	CHECK(fb_metric_get(NULL, FB_M_HTTP_2XX) == 0);
	fb_metrics_close(NULL);
}

enum { THREADS = 4, ROUNDS = 20000 };
static void *add_many(void *arg)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		fb_metric_add(arg, FB_M_HTTP_2XX, 1);
		fb_metric_add(arg, FB_M_TX_INFLIGHT, 2);
		fb_metric_sub(arg, FB_M_TX_INFLIGHT, 2);
		fb_metric_time_ns(arg, FB_M_COMMIT_SECONDS, i);
	}
	return NULL;
}

static void all__many_threads__lose_nothing(void **state)
{
	struct fb_metrics *m;
	pthread_t threads[THREADS];

	(void)state;
	fb_metrics_open(&m);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, add_many, m) == 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(fb_metric_get(m, FB_M_HTTP_2XX) == THREADS * ROUNDS);
	CHECK(fb_metric_get(m, FB_M_TX_INFLIGHT) == 0);
	CHECK(fb_metric_get(m, FB_M_COMMIT_SECONDS) == THREADS * ROUNDS);
	fb_metrics_close(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_and_gauges__moved__are_printed),
		cmocka_unit_test(histogram__times__buckets_are_cumulative),
		cmocka_unit_test(page__process_rows__tell_the_truth),
		cmocka_unit_test(page__every_line__is_well_formed_and_unique),
		cmocka_unit_test(page__no_room__latches),
		cmocka_unit_test(all__without_metrics__do_nothing),
		cmocka_unit_test(all__many_threads__lose_nothing),
	};
	return cmocka_run_group_tests_name("metric", tests, NULL, NULL);
}
