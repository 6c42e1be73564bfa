/* Goal: the contract of farebox/view.h: facts for many payments from few reads, and an outage is never a fact. Method:
 * a simulated chain whose facts, contracts and faults are set, and counts of what it was asked. */
#include "farebox/view.h"

#include "fb_stage.h"

enum { QUERIES = FB_VIEW_WAITING_MAX + 64 };

struct query {
	struct view_stage *of;
	struct fb_authorization authorization;
	struct fb_view_query q;
	unsigned times;
	struct fb_facts facts;
};
struct view_stage {
	struct stage stage;
	struct fb_view *view;
	pthread_mutex_t lock;
	size_t count, asked, answered;
	struct query *queries;
};

static const struct fb_hash digest;
static const struct fb_address sender = { { 0x5e } };
static const uint8_t signature[65];

static void on_facts(void *arg, const struct fb_facts *facts)
{
	struct query *q = arg;

	pthread_mutex_lock(&q->of->lock);
	q->facts = *facts;
	q->times++;
	q->of->answered++;
	pthread_mutex_unlock(&q->of->lock);
}

static size_t answered(struct view_stage *v)
{
	size_t n;

	pthread_mutex_lock(&v->lock);
	n = v->answered;
	pthread_mutex_unlock(&v->lock);
	return n;
}

static struct view_stage *start(void)
{
	static struct view_stage v;

	memset(&v, 0, sizeof(v));
	pthread_mutex_init(&v.lock, NULL);
	v.queries = fb_must_alloc(QUERIES, sizeof(*v.queries));
	stage_open(&v.stage, 1000);
	fb_view_open(&v.view, v.stage.loop, v.stage.rpc, v.stage.metrics);
	fb_loop_start(v.stage.loop, "view");
	return &v;
}

static void close_view(void *arg)
{
	struct view_stage *v = arg;

	stage_close_rpc(&v->stage);
	fb_view_close(v->view);
}

static void stop(struct view_stage *v)
{
	stage_on_loop(&v->stage, close_view, v);
	for (size_t i = 0; i < v->count; i++)
		CHECK(v->queries[i].times == 1);
	stage_close(&v->stage);
	pthread_mutex_destroy(&v->lock);
	free(v->queries);
}

/* Payer `fill`, of the first token; asked by ask_all. */
static struct query *add(struct view_stage *v, uint8_t fill)
{
	struct query *q = &v->queries[v->count++];

	q->of = v;
	q->authorization.from = fb_sample_address(fill);
	q->authorization.to = fb_sample_address(0xbb);
	q->authorization.nonce.bytes[31] = fill;
	q->q = (struct fb_view_query){ .asset = v->stage.network.tokens[0].address,
				       .listed = true,
				       .authorization = &q->authorization,
				       .digest = &digest,
				       .signature = { (const char *)signature, sizeof(signature) },
				       .sender = &sender,
				       .gas_limit_max = 400000 };
	return q;
}

static void ask(void *arg)
{
	struct view_stage *v = arg;

	for (; v->asked < v->count; v->asked++)
		fb_view_read(v->view, &v->queries[v->asked].q, on_facts, &v->queries[v->asked]);
}

static void ask_all(struct view_stage *v)
{
	stage_on_loop(&v->stage, ask, v);
	STAGE_WAIT(answered(v) == v->count);
}

static size_t calls(struct view_stage *v)
{
	return fb_sim_asked(v->stage.sim, "eth_call");
}

/* ---- facts ----------------------------------------------------------------------------------------------------------
 */

static void read__one_payment__its_facts(void **state)
{
	struct view_stage *v = start();
	struct query *q = add(v, 1);

	(void)state;
	fb_sim_pay_in(v->stage.sim, &q->authorization.from, 777);
	ask_all(v);
	CHECK_STATUS(FB_OK, q->facts.status);
	CHECK(q->facts.block == 1000 && q->facts.block_time_s == FB_SAMPLE_NOW_S && fb_view_block(v->view) == 1000);
	CHECK(q->facts.asset_has_code && !q->facts.paused && q->facts.of.eip3009);
	CHECK(!q->facts.of.payer_has_code && !q->facts.of.nonce_used && !q->facts.of.from_blacklisted &&
	      !q->facts.of.to_blacklisted);
	CHECK(fb_u256_eq(q->facts.of.balance, fb_u256_from_u64(777)));
	stop(v);
}

static void read__every_fact__seen(void **state)
{
	struct view_stage *v = start();
	struct fb_address payee = fb_sample_address(0xbb);
	struct query *listed = add(v, 1), *plain = add(v, 2);

	(void)state;
	fb_sim_set_blacklisted(v->stage.sim, &listed->authorization.from, true);
	fb_sim_set_blacklisted(v->stage.sim, &payee, true);
	fb_sim_set_paused(v->stage.sim, true);
	fb_sim_mine(v->stage.sim);
	ask_all(v);
	CHECK(listed->facts.of.from_blacklisted && !plain->facts.of.from_blacklisted);
	CHECK(listed->facts.of.to_blacklisted && plain->facts.of.to_blacklisted && plain->facts.paused);
	CHECK(plain->facts.block == 1001 && fb_view_block(v->view) == 1001);
	stop(v);
}

static void read__listed_asset_without_code__says_so(void **state)
{
	struct view_stage *v = start();
	struct query *q = add(v, 1);

	(void)state;
	q->q.asset = v->stage.network.tokens[1].address; /* the simulated chain has the first alone */
	ask_all(v);
	CHECK_STATUS(FB_OK, q->facts.status);
	CHECK(!q->facts.asset_has_code);
	stop(v);
}

/* ---- few reads
 * --------------------------------------------------------------------------------------------------------- */

static void read__many_at_once__shared(void **state)
{
	struct view_stage *v = start();

	(void)state;
	for (uint8_t i = 0; i < 100; i++)
		fb_sim_pay_in(v->stage.sim, &add(v, (uint8_t)(i + 1))->authorization.from, i);
	ask_all(v);
	CHECK(calls(v) == 2); /* the first alone, all others behind it */
	CHECK(fb_metric_get(v->stage.metrics, FB_M_VIEW_READS) == 2);
	CHECK(fb_metric_get(v->stage.metrics, FB_M_VIEW_PAYMENTS) == 100);
	for (size_t i = 0; i < 100; i++)
		CHECK(fb_u256_eq(v->queries[i].facts.of.balance, fb_u256_from_u64(i)));
	stop(v);
}

static void read__more_than_fit__split(void **state)
{
	struct view_stage *v = start();

	(void)state;
	for (int i = 0; i < 1 + 2 * FB_TOKEN_READ_MAX + 10; i++)
		add(v, 1);
	ask_all(v);
	CHECK(calls(v) == 4);
	for (size_t i = 0; i < v->count; i++)
		CHECK_STATUS(FB_OK, v->queries[i].facts.status);
	stop(v);
}

static void read__two_assets__not_mixed(void **state)
{
	struct view_stage *v = start();

	(void)state;
	for (int i = 0; i < 20; i++)
		add(v, 1)->q.asset = v->stage.network.tokens[i % 2].address;
	ask_all(v);
	for (size_t i = 0; i < v->count; i++)
		CHECK(v->queries[i].facts.asset_has_code == (i % 2 == 0));
	CHECK(calls(v) >= 2 && calls(v) <= 4);
	stop(v);
}

/* A chain that takes its time is asked twice at once, so nobody waits for two answers. */
static void read__slow_chain__second_read_beside_the_first(void **state)
{
	struct view_stage *v = start();
	size_t first;

	(void)state;
	stage_fault(&v->stage, "eth_call", FB_SIM_LATE, 2);
	add(v, 1);
	stage_on_loop(&v->stage, ask, v);
	STAGE_WAIT(calls(v) == 1);
	add(v, 2);
	add(v, 3);
	stage_on_loop(&v->stage, ask, v);
	STAGE_WAIT(calls(v) == 2);
	first = answered(v);
	CHECK(first == 0);
	add(v, 4); /* a third has to wait */
	stage_on_loop(&v->stage, ask, v);
	stage_breathe(20);
	CHECK(calls(v) == 2);
	STAGE_WAIT(answered(v) == 4);
	CHECK(calls(v) == 3);
	stop(v);
}

/* ---- payers with code
 * --------------------------------------------------------------------------------------------------- */

static void read__payer_with_code__its_contract_is_asked(void **state)
{
	static const struct {
		bool accepts, paused, contract_accepts, contract_simulated;
	} rows[] = { { true, true, true, false }, { false, false, false, false } };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct view_stage *v = start();
		struct query *q = add(v, 1);

		fb_sim_set_contract(v->stage.sim, &q->authorization.from, rows[i].accepts);
		fb_sim_set_paused(v->stage.sim, rows[i].paused);
		ask_all(v);
		CHECK_STATUS(FB_OK, q->facts.status);
		CHECK(q->facts.of.payer_has_code);
		CHECK(q->facts.contract_accepts == rows[i].contract_accepts);
		CHECK(q->facts.contract_simulated == rows[i].contract_simulated);
		stop(v);
	}
}

static void read__payer_with_code_and_money__simulated(void **state)
{
	struct view_stage *v = start();
	struct query *q = add(v, 1);

	(void)state;
	fb_sim_set_contract(v->stage.sim, &q->authorization.from, true);
	fb_sim_pay_in(v->stage.sim, &q->authorization.from, 10);
	q->authorization.value = fb_u256_from_u64(10);
	q->authorization.valid_before = fb_u256_from_u64(FB_SAMPLE_NOW_S + 100);
	ask_all(v);
	CHECK(q->facts.contract_accepts && q->facts.contract_simulated);
	stop(v);
}

/* What the node says of itself is no word of the contract's. */
static void read__node_cannot_run_the_contract__outage(void **state)
{
	static const struct {
		int64_t code;
		const char *text;
		enum fb_status want;
	} rows[] = {
		{ -32005, "limit exceeded", FB_RPC_ERROR },
		{ -32603, "internal error", FB_RPC_ERROR },
		{ 429, "slow down", FB_RPC_ERROR },
		{ -32000, "header not found", FB_RPC_ERROR },
		{ -32000, "missing trie node 5b6f2b", FB_RPC_ERROR },
		{ -32000, "execution aborted (timeout = 5s)", FB_RPC_ERROR },
		{ 3, "execution reverted", FB_OK },
		{ -32000, "execution reverted: no", FB_OK },
		{ -32000, "out of gas", FB_OK },
		{ -32000, "invalid opcode: INVALID", FB_OK },
		{ -32015, "VM execution error.", FB_OK },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct view_stage *v = start();
		struct query *q = add(v, 1);

		fb_sim_set_contract(v->stage.sim, &q->authorization.from, true);
		fb_sim_add_rule(v->stage.sim, &(struct fb_sim_rule){ .method = "eth_call",
								     .fault = FB_SIM_ERROR,
								     .skip = 1,
								     .count = 1,
								     .code = rows[i].code,
								     .text = rows[i].text });
		ask_all(v);
		CHECK_STATUS(rows[i].want, q->facts.status);
		CHECK(!q->facts.contract_accepts);
		CHECK((q->facts.why != NULL) == (rows[i].want != FB_OK));
		stop(v);
	}
}

/* ---- assets that are not listed
 * ------------------------------------------------------------------------------------------ */

static void read__unlisted_asset__only_looked_at(void **state)
{
	struct view_stage *v = start();
	struct query *contract = add(v, 1), *nothing = add(v, 2);

	(void)state;
	contract->q.listed = nothing->q.listed = false;
	nothing->q.asset = fb_sample_address(0x77);
	ask_all(v);
	CHECK_STATUS(FB_OK, contract->facts.status);
	CHECK(contract->facts.asset_has_code && !contract->facts.of.payer_has_code && !nothing->facts.asset_has_code);
	CHECK(calls(v) == 0);
	stop(v);
}

/* Its contract is asked about the signature; the asset itself is never run. */
static void read__unlisted_asset_of_a_payer_with_code__one_call(void **state)
{
	struct view_stage *v = start();
	struct query *q = add(v, 1);

	(void)state;
	q->q.listed = false;
	fb_sim_set_contract(v->stage.sim, &q->authorization.from, true);
	ask_all(v);
	CHECK_STATUS(FB_OK, q->facts.status);
	CHECK(q->facts.of.payer_has_code && q->facts.contract_accepts && !q->facts.contract_simulated);
	CHECK(calls(v) == 1);
	stop(v);
}

static void read__unlisted_asset_and_rubbish__an_outage_and_no_fact(void **state)
{
	static const struct {
		enum fb_sim_fault fault;
		enum fb_status want;
	} rows[] = { { FB_SIM_NUMBER, FB_BAD_SYNTAX }, { FB_SIM_NULL, FB_BAD_SYNTAX }, { FB_SIM_ERROR, FB_RPC_ERROR },
		     { FB_SIM_REFUSE, FB_UNREACHABLE },       { FB_SIM_HTML, FB_RPC_ERROR } };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct view_stage *v = start();
		struct query *q = add(v, 1);

		q->q.listed = false;
		stage_fault(&v->stage, "eth_getCode", rows[i].fault, 2);
		ask_all(v);
		CHECK_STATUS(rows[i].want, q->facts.status);
		CHECK(q->facts.why != NULL);
		stop(v);
	}
}

/* ---- outages and limits
 * --------------------------------------------------------------------------------------------------- */

static void read__chain_is_ill__everybody_is_told_and_the_next_are_served(void **state)
{
	static const struct {
		enum fb_sim_fault fault;
		enum fb_status want;
	} rows[] = { { FB_SIM_REFUSE, FB_UNREACHABLE }, { FB_SIM_LOSE, FB_UNREACHABLE },
		     { FB_SIM_HTML, FB_RPC_ERROR },	{ FB_SIM_429, FB_RPC_ERROR },
		     { FB_SIM_ERROR, FB_RPC_ERROR },	{ FB_SIM_RUBBISH, FB_BAD_SYNTAX },
		     { FB_SIM_NULL, FB_BAD_SYNTAX } };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct view_stage *v = start();

		stage_fault(&v->stage, "eth_call", rows[i].fault, 8);
		for (uint8_t n = 0; n < 5; n++)
			add(v, n);
		ask_all(v);
		for (size_t n = 0; n < v->count; n++) {
			CHECK_STATUS(rows[i].want, v->queries[n].facts.status);
			CHECK(v->queries[n].facts.why != NULL);
		}
		fb_sim_clear_faults(v->stage.sim);
		add(v, 9);
		ask_all(v);
		CHECK_STATUS(FB_OK, v->queries[5].facts.status);
		stop(v);
	}
}

static void read__too_slow__timeout(void **state)
{
	struct view_stage *v = start();
	struct query *q = add(v, 1);

	(void)state;
	fb_sim_add_rule(v->stage.sim,
			&(struct fb_sim_rule){ .method = "eth_call", .fault = FB_SIM_LATE, .count = 1, .ms = 3000 });
	ask_all(v);
	CHECK_STATUS(FB_TIMEOUT, q->facts.status);
	stop(v);
}

static void read__too_many_wait__busy_at_once(void **state)
{
	struct view_stage *v = start();
	size_t busy = 0;

	(void)state;
	stage_fault(&v->stage, "eth_call", FB_SIM_LATE, 2);
	for (size_t i = 0; i < 1 + FB_VIEW_WAITING_MAX + 3; i++)
		add(v, 1);
	ask_all(v);
	for (size_t i = 0; i < v->count; i++)
		busy += v->queries[i].facts.status == FB_BUSY;
	CHECK(busy == 3);
	stop(v);
}

static void close__with_queries_waiting__drained(void **state)
{
	struct view_stage *v = start();

	(void)state;
	stage_fault(&v->stage, "eth_call", FB_SIM_LATE, 2);
	for (int i = 0; i < 600; i++)
		add(v, 1);
	stage_on_loop(&v->stage, ask, v);
	STAGE_WAIT(calls(v) > 0);
	stage_on_loop(&v->stage, close_view, v);
	for (size_t i = 0; i < v->count; i++)
		CHECK_STATUS(FB_DRAINING, v->queries[i].facts.status);
	v->view = NULL;
	stop(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read__one_payment__its_facts),
		cmocka_unit_test(read__every_fact__seen),
		cmocka_unit_test(read__listed_asset_without_code__says_so),
		cmocka_unit_test(read__many_at_once__shared),
		cmocka_unit_test(read__more_than_fit__split),
		cmocka_unit_test(read__two_assets__not_mixed),
		cmocka_unit_test(read__slow_chain__second_read_beside_the_first),
		cmocka_unit_test(read__payer_with_code__its_contract_is_asked),
		cmocka_unit_test(read__payer_with_code_and_money__simulated),
		cmocka_unit_test(read__node_cannot_run_the_contract__outage),
		cmocka_unit_test(read__unlisted_asset__only_looked_at),
		cmocka_unit_test(read__unlisted_asset_of_a_payer_with_code__one_call),
		cmocka_unit_test(read__unlisted_asset_and_rubbish__an_outage_and_no_fact),
		cmocka_unit_test(read__chain_is_ill__everybody_is_told_and_the_next_are_served),
		cmocka_unit_test(read__too_slow__timeout),
		cmocka_unit_test(read__too_many_wait__busy_at_once),
		cmocka_unit_test(close__with_queries_waiting__drained),
	};
	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
