/* Measures pairs of a hold and its capture through the writer; prints JSON. Started by tests/bench/ledger. */
#include "ledger_bench.h"

#include <stdio.h>

enum { PLANS_MAX = 16 };

static void print_cpu(const struct usage *u, double pairs)
{
	uint64_t ours = u->load_ns + u->decide_ns + u->write_ns + u->fold_ns;
	uint64_t others = u->process_ns > ours ? u->process_ns - ours : 0;

	printf(", \"decide_cpu_us\": %.2f, \"write_cpu_us\": %.2f, \"fold_cpu_us\": %.2f, \"load_cpu_us\": %.2f",
	       (double)u->decide_ns / 1e3 / pairs, (double)u->write_ns / 1e3 / pairs, (double)u->fold_ns / 1e3 / pairs,
	       (double)u->load_ns / 1e3 / pairs);
	printf(", \"other_cpu_us\": %.2f, \"cpu_us\": %.2f", (double)others / 1e3 / pairs,
	       (double)u->process_ns / 1e3 / pairs);
}

static void print_result(const struct load_plan *plan, const struct load_result *r)
{
	double pairs = r->pairs > 0 ? (double)r->pairs : 1, seconds = (double)r->elapsed_ns / 1e9;

	printf("{\"outstanding\": %llu, \"apart\": %s, \"pairs_per_second\": %.1f", (unsigned long long)plan->outstanding,
	       plan->apart ? "true" : "false", (double)r->pairs / seconds);
	printf(", \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f", (double)histogram_at(&r->latency, 5000) / 1e3,
	       (double)histogram_at(&r->latency, 9900) / 1e3, (double)r->latency.max / 1e3);
	print_cpu(&r->usage, pairs);
	printf(", \"written_bytes\": %.0f, \"commits_per_second\": %.1f, \"pairs_per_commit\": %.1f}",
	       (double)r->usage.written / pairs, (double)r->commits / seconds,
	       pairs / (double)(r->commits > 0 ? r->commits : 1));
	fflush(stdout);
}

/* Every pair left its fee, those of the warm-up too: the books themselves say how many were done. */
static uint64_t pairs_in_books(const struct stage *s)
{
	struct fb_account_key fees = stage_fees();
	struct fb_account a;
	enum fb_status st = fb_writer_balance(s->writer, &a, &fees);

	FB_ASSERT(st == FB_OK && a.counters.credits_posted.atoms % FEE == 0);
	return (uint64_t)(a.counters.credits_posted.atoms / FEE);
}

static void run_all(struct stage *s, const struct load_plan *plans, size_t count)
{
	uint64_t pairs = 0;

	for (size_t i = 0; i < count; i++) {
		static struct load_result result;
		uint64_t before = pairs;

		load_run(&result, s, &plans[i]);
		printf(i == 0 ? "" : ",\n\t\t");
		print_result(&plans[i], &result);
		pairs = pairs_in_books(s);
		FB_ASSERT(pairs - before >= result.pairs);
	}
}

static bool read_number(uint64_t *out, struct fb_str text, uint64_t least, uint64_t most)
{
	return fb_u64_parse(out, text) == FB_OK && *out >= least && *out <= most;
}

/* "1024" or "apart:1024". */
static bool read_plan(struct load_plan *out, const char *text, uint64_t seconds)
{
	struct fb_str head, tail = fb_str_of(text);

	*out = (struct load_plan){ .seconds = seconds };
	if (fb_str_split(&head, &tail, tail, ':')) {
		if (!fb_str_eq(head, FB_STR("apart")))
			return false;
		out->apart = true;
	}
	return read_number(&out->outstanding, tail, 1, LOAD_OUTSTANDING_MAX);
}

static int usage(void)
{
	fprintf(stderr, "usage: bench_ledger DIRECTORY ACCOUNTS SECONDS [apart:]OUTSTANDING...\n"
		"(2 to %d accounts, at most %d s, 1 to %d outstanding)\n", STAGE_ACCOUNTS_MAX, LOAD_SECONDS_MAX,
		LOAD_OUTSTANDING_MAX);
	return 2;
}

int main(int arg_count, char **args)
{
	static struct stage s;
	struct load_plan plans[PLANS_MAX];
	size_t count = arg_count > 4 ? (size_t)arg_count - 4 : 0;
	struct fb_clock clock = fb_os_clock();
	uint64_t accounts, seconds, start_ns;

	if (count == 0 || count > PLANS_MAX || !read_number(&accounts, fb_str_of(args[2]), 2, STAGE_ACCOUNTS_MAX) ||
	    !read_number(&seconds, fb_str_of(args[3]), 1, LOAD_SECONDS_MAX))
		return usage();
	for (size_t i = 0; i < count; i++)
		if (!read_plan(&plans[i], args[4 + i], seconds))
			return usage();
	start_ns = clock.mono_ns(clock.ctx);
	stage_open(&s, args[1], accounts);
	printf("{\"accounts\": %llu, \"fund_seconds\": %.1f, \"resident_bytes_per_account\": %.0f, \"rows\": [\n\t\t",
	       (unsigned long long)accounts, (double)(stage_now_ns(&s) - start_ns) / 1e9,
	       (double)(usage_resident() - s.resident) / (double)accounts);
	stage_rest();
	run_all(&s, plans, count);
	printf("]}\n");
	stage_close(&s);
	return fflush(stdout) == 0 ? 0 : 1;
}
