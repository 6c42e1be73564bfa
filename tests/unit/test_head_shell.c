/* Goal: looks, reports and events over a real loop. Method: a simulated chain that is there, is another one, is ill,
 * lies, is taken back, or gone. */
#include "test_head.h"

#include "fb_stage.h"

enum { EVENTS_MAX = 256, POLL_MS = 10 };

struct seen {
	struct stage stage;
	struct fb_head *head;
	pthread_mutex_t lock;
	unsigned reports;
	struct fb_head_report first, last;
	size_t event_count;
	struct fb_head_event events[EVENTS_MAX];
	uint64_t asked; /* by ask_rung */
	struct fb_hash hash;
	enum fb_rung rung, rung_of_before;
	struct fb_hash before;
	bool known;
};

static void on_report(void *arg, const struct fb_head_report *r)
{
	struct seen *s = arg;

	pthread_mutex_lock(&s->lock);
	if (s->reports++ == 0)
		s->first = *r;
	s->last = *r;
	pthread_mutex_unlock(&s->lock);
}

static void on_event(void *arg, const struct fb_head_event *e)
{
	struct seen *s = arg;

	pthread_mutex_lock(&s->lock);
	FB_ASSERT(s->event_count < EVENTS_MAX);
	s->events[s->event_count++] = *e;
	pthread_mutex_unlock(&s->lock);
}

static unsigned reports(struct seen *s)
{
	unsigned n;

	pthread_mutex_lock(&s->lock);
	n = s->reports;
	pthread_mutex_unlock(&s->lock);
	return n;
}

static struct fb_head_report last_report(struct seen *s)
{
	struct fb_head_report r;

	pthread_mutex_lock(&s->lock);
	r = s->last;
	pthread_mutex_unlock(&s->lock);
	return r;
}

static bool heard(struct seen *s, enum fb_head_change change, uint64_t first, uint64_t depth, uint64_t head)
{
	bool yes = false;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->event_count; i++) {
		const struct fb_head_event *e = &s->events[i];

		yes |= e->change == change && e->first == first && e->depth == depth && e->head.number == head;
	}
	pthread_mutex_unlock(&s->lock);
	return yes;
}

static void open_head(void *arg)
{
	struct seen *s = arg;
	const struct fb_head_settings settings = { .chain_id = s->stage.network.chain_id,
						   .poll_ms = POLL_MS,
						   .depth_max = 16,
						   .confirmations = 3,
						   .finality_blocks = 32 };

	fb_head_open(&s->head, s->stage.loop, s->stage.rpc, &settings, NULL, s->stage.metrics, on_report, s);
	fb_head_listen(s->head, on_event, s);
}

static void close_head(void *arg)
{
	struct seen *s = arg;

	fb_head_stop(s->head);
	fb_head_stop(s->head);
	stage_close_rpc(&s->stage);
	fb_head_close(s->head);
}

static struct seen *start(void)
{
	static struct seen s;

	memset(&s, 0, sizeof(s));
	pthread_mutex_init(&s.lock, NULL);
	stage_open(&s.stage, 1000);
	fb_loop_start(s.stage.loop, "head");
	return &s;
}

static void stop(struct seen *s)
{
	stage_on_loop(&s->stage, close_head, s);
	stage_close(&s->stage);
	pthread_mutex_destroy(&s->lock);
}

/* The first report of a head that is opened now. */
static struct fb_head_report first_report(struct seen *s)
{
	stage_on_loop(&s->stage, open_head, s);
	STAGE_WAIT(reports(s) > 0);
	return s->first; /* which does not change any more */
}

/* A head that knows the chain, up to block 1000. */
static struct seen *follow(void)
{
	struct seen *s = start();

	CHECK_STATUS(FB_OK, first_report(s).status);
	CHECK(heard(s, FB_HEAD_EXTENDED, 984, 0, 1000));
	return s;
}

static void mine(struct seen *s, unsigned blocks)
{
	for (unsigned i = 0; i < blocks; i++)
		fb_sim_mine(s->stage.sim);
}

static void ask_rung(void *arg)
{
	struct seen *s = arg;

	s->known = fb_head_hash(s->head, s->asked, &s->hash) == FB_OK;
	s->rung = fb_head_rung(s->head, s->asked, &s->hash);
	s->rung_of_before = fb_head_rung(s->head, s->asked, &s->before);
}

static enum fb_rung rung(struct seen *s, uint64_t number)
{
	s->asked = number;
	stage_on_loop(&s->stage, ask_rung, s);
	return s->rung;
}

static void head__chain_is_well__block_and_time(void **state)
{
	struct seen *s = start();
	struct fb_head_report r = first_report(s);

	(void)state;
	CHECK_STATUS(FB_OK, r.status);
	CHECK(r.block == 1000 && r.block_time_s == FB_SAMPLE_NOW_S);
	for (int i = 0; i < 3; i++)
		fb_sim_mine(s->stage.sim);
	STAGE_WAIT(last_report(s).block == 1003);
	stop(s);
}

static void head__another_chain__mismatch(void **state)
{
	struct seen *s = start();

	(void)state;
	fb_sim_set_chain_id(s->stage.sim, 1);
	CHECK_STATUS(FB_MISMATCH, first_report(s).status);
	stop(s);
}

static void head__fault__said_and_asked_again(void **state)
{
	static const struct {
		const char *method;
		enum fb_sim_fault fault;
		enum fb_status want;
	} rows[] = {
		{ "eth_chainId", FB_SIM_ERROR, FB_RPC_ERROR },
		{ "eth_chainId", FB_SIM_RUBBISH, FB_RPC_ERROR },
		{ "eth_chainId", FB_SIM_NULL, FB_RPC_ERROR },
		{ "eth_getBlockByNumber", FB_SIM_ERROR, FB_RPC_ERROR },
		{ "eth_getBlockByNumber", FB_SIM_NULL, FB_RPC_ERROR },
		{ "eth_getBlockByNumber", FB_SIM_RUBBISH, FB_RPC_ERROR },
		{ "eth_chainId", FB_SIM_HTML, FB_RPC_ERROR },
		{ "eth_chainId", FB_SIM_429, FB_RPC_ERROR },
		{ "eth_chainId", FB_SIM_REFUSE, FB_UNREACHABLE },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct seen *s = start();

		stage_fault(&s->stage, rows[i].method, rows[i].fault, 1);
		CHECK_STATUS(rows[i].want, first_report(s).status);
		if (i == 0) {
			STAGE_WAIT(last_report(s).block == 1000);
		}
		stop(s);
	}
}

static void head__nothing_known__no_block(void **state)
{
	struct seen *s = start();

	(void)state;
	fb_sim_set_chain_id(s->stage.sim, 1);
	CHECK(first_report(s).block == 0);
	CHECK(rung(s, 1000) == FB_RUNG_NONE && !s->known && s->event_count == 0);
	stop(s);
}

static void head__blocks_missed__fetched_and_told(void **state)
{
	struct seen *s = follow();

	(void)state;
	fb_sim_set_lag(s->stage.sim, true);
	mine(s, 40);
	fb_sim_set_lag(s->stage.sim, false);
	STAGE_WAIT(last_report(s).block == 1040);
	CHECK(heard(s, FB_HEAD_EXTENDED, 1001, 0, 1032) && heard(s, FB_HEAD_EXTENDED, 1033, 0, 1040));
	CHECK(rung(s, 1020) == FB_RUNG_CONFIRMED && s->known);
	stop(s);
}

static void head__reorg__told_counted_and_other_hashes(void **state)
{
	struct seen *s = follow();

	(void)state;
	CHECK(rung(s, 998) == FB_RUNG_INCLUDED && rung(s, 997) == FB_RUNG_CONFIRMED);
	s->before = s->hash;
	fb_sim_reorg(s->stage.sim, 5, 6, FB_SIM_REORG_MINE);
	STAGE_WAIT(heard(s, FB_HEAD_REORGED, 996, 5, 1001));
	CHECK(rung(s, 997) == FB_RUNG_CONFIRMED && s->rung_of_before == FB_RUNG_NONE);
	fb_sim_reorg(s->stage.sim, 2, 2, FB_SIM_REORG_MINE);
	STAGE_WAIT(heard(s, FB_HEAD_REORGED, 1000, 2, 1001));
	CHECK(fb_metric_get(s->stage.metrics, FB_M_REORGS) == 2);
	CHECK(fb_metric_get(s->stage.metrics, FB_M_REORG_DEPTH) == 5);
	stop(s);
}

static void head__lower_branch__followed_when_it_lasts(void **state)
{
	struct seen *s = follow();

	(void)state;
	fb_sim_reorg(s->stage.sim, 5, 2, FB_SIM_REORG_MINE);
	STAGE_WAIT(heard(s, FB_HEAD_REORGED, 996, 5, 997));
	CHECK(fb_metric_get(s->stage.metrics, FB_M_HEAD_LOWER) == FB_HEAD_LOWER_LOOKS - 1);
	stop(s);
}

static void head__reorg_deeper_than_followed__conflict_until_an_operator_comes(void **state)
{
	struct seen *s = follow();

	(void)state;
	fb_sim_reorg(s->stage.sim, 20, 21, FB_SIM_REORG_MINE);
	STAGE_WAIT(last_report(s).fault == FB_HEAD_FAULT_DEEP);
	CHECK_STATUS(FB_CONFLICT, last_report(s).status);
	CHECK(last_report(s).block == 1000 && fb_metric_get(s->stage.metrics, FB_M_REORGS) == 0);
	stop(s);
}

static void head__marks__give_rungs_and_hold(void **state)
{
	struct seen *s = follow();

	(void)state;
	CHECK(rung(s, 990) == FB_RUNG_CONFIRMED);
	fb_sim_set_finality(s->stage.sim, 5, 10);
	STAGE_WAIT(heard(s, FB_HEAD_ROSE, 0, 0, 1000));
	CHECK(rung(s, 990) == FB_RUNG_FINAL && rung(s, 991) == FB_RUNG_SAFE && rung(s, 996) == FB_RUNG_CONFIRMED);
	CHECK(rung(s, 900) == FB_RUNG_FINAL && !s->known);
	fb_sim_reorg(s->stage.sim, 11, 12, FB_SIM_REORG_MINE);
	STAGE_WAIT(last_report(s).fault == FB_HEAD_FAULT_FINAL);
	CHECK_STATUS(FB_CONFLICT, last_report(s).status);
	CHECK(last_report(s).block == 1000);
	stop(s);
}

static void head__lagging_node__chain_stays(void **state)
{
	struct seen *s = follow();

	(void)state;
	fb_sim_set_lag(s->stage.sim, true);
	fb_sim_set_lag(s->stage.sim, false);
	mine(s, 4);
	STAGE_WAIT(last_report(s).block == 1004);
	fb_sim_fall_back(s->stage.sim, 8);
	STAGE_WAIT(fb_metric_get(s->stage.metrics, FB_M_HEAD_BACKWARDS) >= 8);
	CHECK(fb_metric_get(s->stage.metrics, FB_M_REORGS) == 0 && last_report(s).block == 1004);
	CHECK_STATUS(FB_OK, last_report(s).status);
	stop(s);
}

/* Whatever was believed for a moment, in the end there is the true chain. */
static void head__lying_node__true_chain_in_the_end(void **state)
{
	(void)state;
	for (int lie = 0; lie < FB_SIM_LIES; lie++) {
		struct seen *s = follow();
		unsigned before = reports(s);

		fb_sim_lie(s->stage.sim, (enum fb_sim_lie)lie, 7);
		mine(s, 3);
		STAGE_WAIT(reports(s) > before + 12);
		mine(s, 1);
		STAGE_WAIT(last_report(s).block == 1004 && last_report(s).fault == FB_HEAD_FAULT_NONE);
		CHECK(rung(s, 1000) == FB_RUNG_CONFIRMED);
		stop(s);
	}
}

static void head__fault_while_it_fetches__fetched_at_the_next_look(void **state)
{
	static const enum fb_sim_fault faults[] = { FB_SIM_ERROR, FB_SIM_NULL, FB_SIM_RUBBISH, FB_SIM_HTML, FB_SIM_REFUSE,
						    FB_SIM_429 };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(faults); i++) {
		struct seen *s = follow();

		fb_sim_add_rule(s->stage.sim, &(struct fb_sim_rule){ .method = "eth_getBlockByNumber",
								     .fault = faults[i], .skip = 6, .count = 1 });
		fb_sim_reorg(s->stage.sim, 5, 6, FB_SIM_REORG_MINE);
		STAGE_WAIT(heard(s, FB_HEAD_REORGED, 996, 5, 1001));
		stop(s);
	}
}

static void on_nothing(void *arg, const struct fb_head_event *e)
{
	(void)arg;
	(void)e;
}

static void fill_listeners(void *arg)
{
	struct seen *s = arg;

	for (int i = 1; i < FB_HEAD_LISTENERS_MAX; i++)
		fb_head_listen(s->head, on_nothing, NULL);
}

static void head__as_many_listeners_as_fit__all_hear(void **state)
{
	struct seen *s = follow();

	(void)state;
	stage_on_loop(&s->stage, fill_listeners, s);
	mine(s, 1);
	STAGE_WAIT(heard(s, FB_HEAD_EXTENDED, 1001, 0, 1001));
	stop(s);
}

static void head__names__of_every_rung_and_fault(void **state)
{
	(void)state;
	CHECK_STR("none", fb_str_of(fb_rung_name(FB_RUNG_NONE)));
	CHECK_STR("included", fb_str_of(fb_rung_name(FB_RUNG_INCLUDED)));
	CHECK_STR("confirmed", fb_str_of(fb_rung_name(FB_RUNG_CONFIRMED)));
	CHECK_STR("safe", fb_str_of(fb_rung_name(FB_RUNG_SAFE)));
	CHECK_STR("final", fb_str_of(fb_rung_name(FB_RUNG_FINAL)));
	CHECK_STR("", fb_str_of(fb_head_fault_label(FB_HEAD_FAULT_NONE)));
	for (int f = FB_HEAD_FAULT_NONE + 1; f < FB_HEAD_FAULT_END; f++)
		CHECK(fb_head_fault_label((enum fb_head_fault)f)[0] != '\0');
}

static void head__closed_while_it_asks__says_nothing_more(void **state)
{
	struct seen *s = start();

	(void)state;
	stage_fault(&s->stage, "eth_chainId", FB_SIM_LATE, 1);
	stage_on_loop(&s->stage, open_head, s);
	STAGE_WAIT(fb_sim_requests(s->stage.sim) == 1);
	stop(s);
	CHECK(s->reports == 0);
}

static void head__null__closes(void **state)
{
	(void)state;
	fb_head_close(NULL);
}

int test_head_shell(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(head__chain_is_well__block_and_time),
		cmocka_unit_test(head__another_chain__mismatch),
		cmocka_unit_test(head__fault__said_and_asked_again),
		cmocka_unit_test(head__nothing_known__no_block),
		cmocka_unit_test(head__blocks_missed__fetched_and_told),
		cmocka_unit_test(head__reorg__told_counted_and_other_hashes),
		cmocka_unit_test(head__lower_branch__followed_when_it_lasts),
		cmocka_unit_test(head__reorg_deeper_than_followed__conflict_until_an_operator_comes),
		cmocka_unit_test(head__marks__give_rungs_and_hold),
		cmocka_unit_test(head__lagging_node__chain_stays),
		cmocka_unit_test(head__lying_node__true_chain_in_the_end),
		cmocka_unit_test(head__fault_while_it_fetches__fetched_at_the_next_look),
		cmocka_unit_test(head__as_many_listeners_as_fit__all_hear),
		cmocka_unit_test(head__names__of_every_rung_and_fault),
		cmocka_unit_test(head__closed_while_it_asks__says_nothing_more),
		cmocka_unit_test(head__null__closes),
	};
	return cmocka_run_group_tests_name("head: looks", tests, NULL, NULL);
}
