/* Goal: the contract of farebox/head.h. Method: a simulated chain that is there, is another one, is ill, or gone. */
#include "farebox/head.h"

#include "fb_stage.h"

struct seen {
	struct stage stage;
	struct fb_head *head;
	pthread_mutex_t lock;
	unsigned reports;
	struct fb_head_report last;
};

static void on_report(void *arg, const struct fb_head_report *r)
{
	struct seen *s = arg;

	pthread_mutex_lock(&s->lock);
	s->reports++;
	s->last = *r;
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

static uint64_t head_block(struct seen *s)
{
	uint64_t n;

	pthread_mutex_lock(&s->lock);
	n = s->last.block;
	pthread_mutex_unlock(&s->lock);
	return n;
}

static void open_head(void *arg)
{
	struct seen *s = arg;

	const struct fb_head_settings settings = { .chain_id = s->stage.network.chain_id,
						   .poll_ms = 20,
						   .depth_max = FB_HEAD_DEPTH,
						   .confirmations = 3,
						   .finality_blocks = 32 };

	fb_head_open(&s->head, s->stage.loop, s->stage.rpc, &settings, NULL, s->stage.metrics, on_report, s);
}

static void close_head(void *arg)
{
	struct seen *s = arg;

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
	return s->last;
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
	STAGE_WAIT(head_block(s) == 1003);
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
			STAGE_WAIT(head_block(s) == 1000);
		}
		stop(s);
	}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(head__chain_is_well__block_and_time),
		cmocka_unit_test(head__another_chain__mismatch),
		cmocka_unit_test(head__fault__said_and_asked_again),
		cmocka_unit_test(head__closed_while_it_asks__says_nothing_more),
		cmocka_unit_test(head__null__closes),
	};
	return cmocka_run_group_tests_name("head", tests, NULL, NULL);
}
