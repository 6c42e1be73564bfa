/* Many clients of one ledger: each submits random operations and reads, and writes down what it was told. An inspector
 * adds up all accounts all the time: money is neither made nor lost, nobody is below zero.
 *
 * bank DATA LOGS OPERATIONS SEED RUN: OPERATIONS 0 goes on until it is killed. RUN: another one for every run on the
 * same ledger. Every client's log is LOGS/run-RUN-client-N.jsonl. */
#include "bank.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INSPECT_US = 20000, SNAPSHOT_EVERY = 5000 /* records: often, so that all its parts are used */ };

/* ---- a client -------------------------------------------------------------------------------------------------- */

static void note_newest(struct bank *b, uint64_t seq)
{
	uint_fast64_t known = atomic_load(&b->newest);

	while (seq > known && !atomic_compare_exchange_weak(&b->newest, &known, seq))
		;
}

static void done(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	struct bank_submission *s = arg;

	BANK_MUST(status != FB_OK || count == s->count);
	s->status = status;
	if (status == FB_OK)
		memcpy(s->results, results, count * sizeof(results[0]));
	pthread_mutex_lock(&s->client->lock);
	if (--s->client->waiting == 0)
		pthread_cond_signal(&s->client->answered);
	pthread_mutex_unlock(&s->client->lock);
}

static void submit(struct client *c, struct bank_submission *s)
{
	struct fb_submission out = { .ops = s->ops, .done = done, .arg = s };

	s->client = c;
	bank_make(c, s);
	out.op_count = s->count;
	atomic_fetch_add(&c->bank->ops, s->count);
	fb_writer_submit(c->bank->writer, &out);
}

/* A few at once, then all their answers. */
static void take_turn(struct client *c)
{
	size_t count = 1 + bank_draw(c, BANK_IN_FLIGHT_MAX);

	c->waiting = count; /* nobody else looks at it yet */
	for (size_t i = 0; i < count; i++)
		submit(c, &c->under_way[i]);
	pthread_mutex_lock(&c->lock);
	while (c->waiting > 0)
		pthread_cond_wait(&c->answered, &c->lock);
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < count; i++) {
		const struct bank_submission *s = &c->under_way[i];

		bank_log_submission(c, s);
		BANK_MUST(s->status == FB_OK);
		for (size_t k = 0; k < s->count; k++)
			note_newest(c->bank, s->results[k].seq);
	}
}

static void look(struct client *c)
{
	struct fb_account_key key = bank_any_account(c);
	uint64_t newest = atomic_load(&c->bank->newest), seq;
	struct fb_account a;
	enum fb_status st = fb_writer_balance(c->bank->writer, &a, &key);

	bank_log_balance(c, &key, st, &a);
	BANK_MUST(st == FB_OK || st == FB_NOT_FOUND);
	if (newest == 0)
		return;
	seq = 1 + bank_draw(c, newest);
	st = fb_writer_balance_at(c->bank->writer, &a, &key, seq);
	bank_log_balance_at(c, &key, seq, st, &a);
	BANK_MUST(st == FB_OK || st == FB_NOT_FOUND);
}

static void *live(void *arg)
{
	struct client *c = arg;

	while (atomic_load(&c->bank->ops) < c->bank->ops_max) {
		take_turn(c);
		look(c);
	}
	return NULL;
}

static void start_client(struct client *c, struct bank *b, unsigned number, uint64_t seed, const char *logs)
{
	char path[512];

	memset(c, 0, sizeof(*c));
	c->bank = b;
	c->number = number;
	c->random = seed * 0x9e3779b97f4a7c15u + number + 1;
	BANK_MUST(pthread_mutex_init(&c->lock, NULL) == 0 && pthread_cond_init(&c->answered, NULL) == 0);
	snprintf(path, sizeof(path), "%s/run-%llu-client-%u.jsonl", logs, (unsigned long long)b->run, number);
	c->log = fopen(path, "a");
	BANK_MUST(c->log != NULL && setvbuf(c->log, NULL, _IOFBF, 1 << 16) == 0);
	BANK_MUST(pthread_create(&c->thread, NULL, live, c) == 0);
}

/* ---- the inspector --------------------------------------------------------------------------------------------- */

static bool may_go_below_zero(enum fb_purpose p)
{
	return p == FB_PURPOSE_ESCROW || p == FB_PURPOSE_RECEIVABLE;
}

static void inspect(struct bank *b)
{
	struct fb_trial_row rows[32];
	fb_u128 debits[BANK_ASSETS + 1] = { 0 }, credits[BANK_ASSETS + 1] = { 0 };
	uint64_t seq;
	size_t count;

	BANK_MUST(fb_writer_trial_balance(b->writer, rows, &count, FB_COUNT(rows), &seq) == FB_OK);
	for (size_t i = 0; i < count; i++) {
		const struct fb_counters *c = &rows[i].sums;

		BANK_MUST(rows[i].asset >= 1 && rows[i].asset <= BANK_ASSETS);
		debits[rows[i].asset] += c->debits_posted.atoms;
		credits[rows[i].asset] += c->credits_posted.atoms;
		BANK_MUST(may_go_below_zero(rows[i].purpose) ||
			  c->credits_posted.atoms >= c->debits_posted.atoms + c->debits_pending.atoms);
	}
	for (unsigned a = 1; a <= BANK_ASSETS; a++)
		BANK_MUST(debits[a] == credits[a]);
}

static void *inspect_all_the_time(void *arg)
{
	struct bank *b = arg;
	unsigned times = 0;

	for (; !atomic_load(&b->over); times++) {
		inspect(b);
		usleep(INSPECT_US);
	}
	BANK_MUST(times > 0);
	return NULL;
}

/* ---- the bank -------------------------------------------------------------------------------------------------- */

static struct fb_store *open_bank(struct bank *b, const char *data)
{
	const struct fb_writer_settings settings = { .clock = b->clock, .rng = fb_os_rng(),
						     .snapshot_every = SNAPSHOT_EVERY };
	struct fb_error e = { "" };
	struct fb_store *s = NULL;

	if (fb_writer_open_store(&s, data, NULL, &e) != FB_OK ||
	    fb_writer_open(&b->writer, s, &settings, NULL, NULL, &e) != FB_OK)
		fprintf(stderr, "the ledger does not open: %s\n", e.text);
	BANK_MUST(b->writer != NULL);
	return s;
}

static uint64_t number_from(const char *text)
{
	uint64_t v = 0;

	BANK_MUST(fb_u64_parse(&v, fb_str_of(text)) == FB_OK);
	return v;
}

int main(int argc, char **argv)
{
	static struct client clients[BANK_CLIENTS];
	struct bank b = { .clock = fb_os_clock() };
	pthread_t inspector;
	struct fb_store *s;

	BANK_MUST(argc == 6);
	b.ops_max = number_from(argv[3]) == 0 ? UINT64_MAX : number_from(argv[3]);
	b.run = number_from(argv[5]);
	s = open_bank(&b, argv[1]);
	for (unsigned i = 0; i < BANK_CLIENTS; i++)
		start_client(&clients[i], &b, i, number_from(argv[4]), argv[2]);
	BANK_MUST(pthread_create(&inspector, NULL, inspect_all_the_time, &b) == 0);
	for (unsigned i = 0; i < BANK_CLIENTS; i++) {
		BANK_MUST(pthread_join(clients[i].thread, NULL) == 0);
		BANK_MUST(fclose(clients[i].log) == 0);
	}
	atomic_store(&b.over, true);
	BANK_MUST(pthread_join(inspector, NULL) == 0);
	fb_writer_close(b.writer);
	fb_store_close(s);
	printf("%llu operations by %d clients\n", (unsigned long long)b.ops, BANK_CLIENTS);
	return 0;
}
