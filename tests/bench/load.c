/* A load generator for POST /verify and /settle over HTTP keep-alive: one thread, the latency of every request, every
 * answer judged. Prints one JSON object; exit 0 only if every answer came and was right. */
#include "load.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void print_help(FILE *to)
{
	fputs("usage: bench_load --port N --bodies FILE [options]\n"
	      "  --bodies FILE       request bodies, one a line, sent in turn\n"
	      "  --first N           the body to start with (default 0)\n"
	      "  --want TEXT         what each of them must be answered with (default \"isValid\":true)\n"
	      "  --again TEXT        what asks for the same body again; latency counts from its first sending\n"
	      "  --bad FILE          bodies that must be refused: 4xx, or without the text wanted\n"
	      "  --bad-every N       every Nth request is a bad one (default 10)\n"
	      "  --connections N     how many requests are under way at once (default 16)\n"
	      "  --seconds N         for how long (default 10)\n"
	      "  --requests N        end after so many\n"
	      "  --patience SECONDS  without any answer: then the rest is given up (default 30)\n"
	      "  --outcomes FILE     tells what came of every request\n"
	      "  --path PATH         (default /verify)\n",
	      to);
}

static _Noreturn void refuse(const char *what)
{
	fprintf(stderr, "bench_load: %s\n", what);
	print_help(stderr);
	exit(2);
}

static uint64_t number(const char *text, uint64_t most, const char *name)
{
	uint64_t value;

	if (fb_u64_parse(&value, fb_str_of(text)) != FB_OK || value == 0 || value > most)
		refuse(name);
	return value;
}

static void take_option(struct load_plan *p, int option, const char *value)
{
	switch (option) {
	case 'p': p->server.sin_port = htons((uint16_t)number(value, UINT16_MAX, "--port: want 1..65535")); break;
	case 'b': load_bodies_read(&p->good, value); break;
	case 'x': load_bodies_read(&p->bad, value); break;
	case 'e': p->bad_every = number(value, LOAD_REQUESTS_MAX, "--bad-every: want a positive number"); break;
	case 'c': p->connections = (unsigned)number(value, LOAD_CONNECTIONS_MAX, "--connections: want 1..4096"); break;
	case 't': p->seconds = number(value, LOAD_SECONDS_MAX, "--seconds: want 1..600"); break;
	case 'n': p->requests = number(value, LOAD_REQUESTS_MAX, "--requests: want 1..8000000"); break;
	case 'f': p->first = number(value, LOAD_REQUESTS_MAX, "--first: want a number up to 8000000"); break;
	case 'w': p->want = fb_str_of(value); break;
	case 'a': p->again = fb_str_of(value); break;
	case 'i': p->patience_ms = 1000 * number(value, LOAD_SECONDS_MAX, "--patience: want 1..600"); break;
	case 'o': p->outcomes = value; break;
	case 'u': p->path = value; break;
	case 'h': print_help(stdout); exit(0);
	default: refuse("unknown option");
	}
}

static void read_plan(struct load_plan *p, int arg_count, char **args)
{
	static const struct option options[] = {
		{ "port", required_argument, NULL, 'p' },      { "bodies", required_argument, NULL, 'b' },
		{ "bad", required_argument, NULL, 'x' },       { "bad-every", required_argument, NULL, 'e' },
		{ "connections", required_argument, NULL, 'c' }, { "seconds", required_argument, NULL, 't' },
		{ "requests", required_argument, NULL, 'n' },  { "path", required_argument, NULL, 'u' },
		{ "first", required_argument, NULL, 'f' },     { "want", required_argument, NULL, 'w' },
		{ "again", required_argument, NULL, 'a' },     { "patience", required_argument, NULL, 'i' },
		{ "outcomes", required_argument, NULL, 'o' },  { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*p = (struct load_plan){ .path = "/verify", .connections = 16, .seconds = 10, .bad_every = 10 };
	p->want = FB_STR("\"isValid\":true");
	p->requests = LOAD_REQUESTS_MAX;
	p->patience_ms = LOAD_PATIENCE_MS;
	p->server.sin_family = AF_INET;
	p->server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while ((option = getopt_long(arg_count, args, "", options, NULL)) != -1)
		take_option(p, option, optarg);
	if (p->server.sin_port == 0 || p->good.count == 0 || optind != arg_count)
		refuse("--port and --bodies are needed");
	if (p->bad.count == 0)
		p->bad_every = 0;
}

static int compare_samples(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The smallest latency that at least `percent` of all answers did not exceed. */
static uint32_t percentile(const struct load_result *r, size_t percent)
{
	size_t rank = (r->samples * percent + 99) / 100;

	return rank == 0 ? 0 : r->sample_us[rank - 1];
}

static void print_result(struct load_result *r)
{
	const struct { const char *name; uint64_t value; } members[] = {
		{ "sent", r->sent }, { "answers", r->samples }, { "wrong", r->wrong }, { "lost", r->lost },
		{ "closed", r->closed }, { "again", r->again }, { "elapsed_us", r->elapsed_us }, { "cpu_us", r->cpu_us },
		{ "p50_us", percentile(r, 50) }, { "p99_us", percentile(r, 99) }, { "max_us", percentile(r, 100) },
	};

	for (size_t i = 0; i < FB_COUNT(members); i++)
		printf("%s\"%s\":%" PRIu64, i == 0 ? "{" : ",", members[i].name, members[i].value);
	puts("}");
	if (r->first_fault[0] != '\0')
		fprintf(stderr, "bench_load: the first fault: %s\n", r->first_fault);
}

int main(int arg_count, char **args)
{
	struct load_plan plan;
	struct load_result result;

	read_plan(&plan, arg_count, args);
	load_run(&result, &plan);
	qsort(result.sample_us, result.samples, sizeof(*result.sample_us), compare_samples);
	print_result(&result);
	return result.wrong == 0 && result.lost == 0 ? 0 : 1;
}
