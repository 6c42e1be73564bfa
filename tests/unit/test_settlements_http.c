/* Goal: what is asked strictly, answered exactly, and waited for. Method: the real HTTP server and a real head on a
 * simulated chain; in the engine's place one function that tells what the test says. */
#include "fb_client.h"
#include "test_settlements.h"

#include <poll.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000 };
#define PAYER "1111111111111111111111111111111111111111"
#define NONCE "2222222222222222222222222222222222222222222222222222222222222222"
#define USDC "cccccccccccccccccccccccccccccccccccccccc"
#define EURC "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define ID "84532-" USDC "-" PAYER "-" NONCE
#define BY_PAYER "/v1/settlements?payer=0x" PAYER "&nonce=0x" NONCE

static struct {
	struct stage stage;
	struct fb_head *head;
	struct fb_settlements *settlements;
	struct fb_http *http;
	struct fb_mount mount;
	enum fb_status authorised;
	struct fb_hash hash; /* by ask_hash */
	uint64_t number;
	bool drained;
} all;

/* ---- in the engine's place ------------------------------------------------------------------------------- */

static struct {
	pthread_mutex_t lock;
	enum fb_status status;
	uint8_t token; /* the asset that it is known with */
	struct fb_settle_status record;
	unsigned looks;
} engine = { .lock = PTHREAD_MUTEX_INITIALIZER };

enum fb_status fb_settle_look(struct fb_settle *s, struct fb_settle_status *out, const struct fb_settle_key *key)
{
	enum fb_status st;

	(void)s;
	pthread_mutex_lock(&engine.lock);
	engine.looks++;
	st = engine.status == FB_OK && fb_settle_key_asset(key).bytes[0] != engine.token ? FB_NOT_FOUND : engine.status;
	if (st == FB_OK)
		*out = engine.record;
	pthread_mutex_unlock(&engine.lock);
	return st;
}

static unsigned looks(void)
{
	unsigned n;

	pthread_mutex_lock(&engine.lock);
	n = engine.looks;
	pthread_mutex_unlock(&engine.lock);
	return n;
}

static void tell(enum fb_status status, int state)
{
	pthread_mutex_lock(&engine.lock);
	engine.status = status;
	engine.record.state = (enum fb_settle_state)state;
	pthread_mutex_unlock(&engine.lock);
}

/* In that block of the chain, as it is now. */
static void ask_hash(void *arg)
{
	(void)arg;
	CHECK_STATUS(FB_OK, fb_head_hash(all.head, all.number, &all.hash));
}

static void tell_included(uint64_t block)
{
	all.number = block;
	stage_on_loop(&all.stage, ask_hash, NULL);
	pthread_mutex_lock(&engine.lock);
	engine.status = FB_OK;
	engine.record.state = FB_SETTLE_INCLUDED;
	engine.record.block = block;
	engine.record.block_hash = all.hash;
	pthread_mutex_unlock(&engine.lock);
}

/* In another block than the hash says, if it says one. */
static void tell_block(uint64_t block, bool with_hash)
{
	pthread_mutex_lock(&engine.lock);
	engine.record.block = block;
	if (!with_hash)
		memset(&engine.record.block_hash, 0, sizeof(engine.record.block_hash));
	pthread_mutex_unlock(&engine.lock);
}

static void tell_token(uint8_t fill)
{
	pthread_mutex_lock(&engine.lock);
	engine.token = fill;
	pthread_mutex_unlock(&engine.lock);
}

static void tell_reason(enum fb_reason reason)
{
	pthread_mutex_lock(&engine.lock);
	engine.record.reason = reason;
	pthread_mutex_unlock(&engine.lock);
}

/* ---- the stage ------------------------------------------------------------------------------------------- */

static enum fb_status authorise(void *ctx, const struct fb_request *r, const struct fb_route *route)
{
	(void)ctx, (void)r, (void)route;
	return all.authorised;
}

static void open_on_loop(void *arg)
{
	const struct fb_head_settings head = { .chain_id = FB_SAMPLE_CHAIN, .poll_ms = 10, .depth_max = 16,
					       .confirmations = 3, .finality_blocks = 10 };

	(void)arg;
	fb_head_open(&all.head, all.stage.loop, all.stage.rpc, &head, NULL, NULL, NULL, NULL);
	fb_settlements_open(&all.settlements, all.stage.loop, &all.stage.network, NULL, all.head,
			    stage_clock(&all.stage));
}

static void drain(void *arg)
{
	(void)arg;
	fb_settlements_drain(all.settlements);
}

static void close_on_loop(void *arg)
{
	(void)arg;
	fb_settlements_drain(all.settlements);
	fb_head_stop(all.head);
	stage_close_rpc(&all.stage);
	fb_settlements_close(all.settlements);
	fb_head_close(all.head);
}

static void see_head(void *arg)
{
	struct fb_head_block b;

	*(uint64_t *)arg = fb_head_latest(all.head, &b) ? b.number : 0;
}

static uint64_t head(void)
{
	uint64_t n;

	stage_on_loop(&all.stage, see_head, &n);
	return n;
}

static int open_all(void **state)
{
	struct fb_http_settings settings = { .bind = "127.0.0.1", .threads = 2, .connections_max = 512,
					     .per_address_max = 512, .read_ms = 5000, .idle_ms = 5000, .grace_ms = 5000,
					     .authorise = authorise };
	struct fb_error e;

	(void)state;
	memset(&all, 0, sizeof(all));
	engine.status = FB_NOT_FOUND;
	engine.token = 0xcc;
	engine.record = (struct fb_settle_status){ .created_us = 1700000000000000, .updated_us = 1700000001234567 };
	engine.record.tx.bytes[0] = 0x7a;
	engine.record.to = fb_sample_address(0x33);
	engine.record.value = fb_u256_from_u64(1000);
	stage_open(&all.stage, 2000);
	fb_loop_start(all.stage.loop, "settlements");
	stage_on_loop(&all.stage, open_on_loop, NULL);
	STAGE_WAIT(head() == 1000);
	all.mount = fb_settlements_mount(all.settlements);
	CHECK_STATUS(FB_OK, fb_http_open(&all.http, &settings, &all.mount, 1, fb_os_clock(), fb_os_rng(), NULL, NULL,
					 &e));
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	stage_on_loop(&all.stage, drain, NULL);
	fb_http_stop(all.http);
	stage_on_loop(&all.stage, close_on_loop, NULL);
	stage_close(&all.stage);
	return 0;
}

/* ---- requests -------------------------------------------------------------------------------------------- */

static int send_get(const char *target)
{
	char text[1024];
	int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", target);

	CHECK(n > 0 && (size_t)n < sizeof(text));
	return client_send(fb_http_port(all.http), (struct fb_str){ text, (size_t)n });
}

static bool is_answered(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static const char *get(const char *target)
{
	return client_read(send_get(target));
}

static bool holds(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		print_message("no %s in %s\n", part, text);
	return strstr(text, part) != NULL;
}

static void take_revision(char out[17], const char *text)
{
	const char *at = strstr(text, "\"revision\":\"");

	CHECK(at != NULL);
	memcpy(out, at + 12, 16);
	out[16] = '\0';
}

/* ---- what is asked --------------------------------------------------------------------------------------- */

static void get__wrong_parameters__400_with_their_name(void **state)
{
	static const struct {
		const char *target, *says;
	} rows[] = {
		{ "/v1/settlements", "payer: want" },
		{ "/v1/settlements?nonce=0x" NONCE, "payer: want" },
		{ "/v1/settlements?payer=0x" PAYER, "nonce: want" },
		{ "/v1/settlements?payer=" PAYER "&nonce=0x" NONCE, "payer: want" },
		{ "/v1/settlements?payer=0x" PAYER "00&nonce=0x" NONCE, "payer: want" },
		{ "/v1/settlements?payer=0x" PAYER "&nonce=0x00", "nonce: want" },
		{ BY_PAYER "&payer=0x" PAYER, "payer: want" },
		{ BY_PAYER "&asset=usdc", "asset: want" },
		{ BY_PAYER "&asset=", "asset: want" },
		{ BY_PAYER "&page=2", "unknown parameter" },
		{ BY_PAYER "&", "200 OK" },
		{ BY_PAYER "&&wait=0", "unknown parameter" },
		{ BY_PAYER "&w%61it=0", "unknown parameter" },
		{ BY_PAYER "&wait=61", "wait: want" },
		{ BY_PAYER "&wait=1.5", "wait: want" },
		{ BY_PAYER "&wait=-1", "wait: want" },
		{ BY_PAYER "&wait=", "wait: want" },
		{ BY_PAYER "&wait=1&wait=1", "wait: want" },
		{ BY_PAYER "&seen=1", "seen: want" },
		{ BY_PAYER "&seen=0123456789abcdeg", "seen: want" },
		{ "/v1/settlements/7", "id: want" },
		{ "/v1/settlements/" ID "0", "id: want" },
		{ "/v1/settlements/" ID "?payer=0x" PAYER, "unknown parameter" },
		{ "/v1/settlements/" ID "?wait=x", "wait: want" },
	};

	(void)state;
	tell(FB_OK, FB_SETTLE_SIGNED);
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		const char *text = get(rows[i].target);

		CHECK(holds(text, strcmp(rows[i].says, "200 OK") == 0 ? "200 OK" : "400 Bad Request"));
		CHECK(holds(text, rows[i].says));
	}
}

static void get__nothing_known__404(void **state)
{
	(void)state;
	CHECK(holds(get(BY_PAYER), "404 Not Found"));
	CHECK(holds(get("/v1/settlements/" ID), "nothing is known of this settlement"));
	tell(FB_OK, FB_SETTLE_SIGNED);
	CHECK(holds(get("/v1/settlements/1-" EURC "-" PAYER "-" NONCE), "404 Not Found"));
}

static void get__record_cannot_be_read__503(void **state)
{
	(void)state;
	tell(FB_STORAGE, 0);
	CHECK(holds(get(BY_PAYER "&wait=60"), "503 Service Unavailable"));
}

static void get__without_the_key__401(void **state)
{
	(void)state;
	all.authorised = FB_UNAUTHORIZED;
	CHECK(holds(get(BY_PAYER), "401 Unauthorized"));
	CHECK(holds(get("/v1/settlements/" ID), "401 Unauthorized"));
}

/* ---- what is answered ------------------------------------------------------------------------------------ */

static void get__every_member__golden(void **state)
{
	const char *text;

	(void)state;
	tell(FB_OK, FB_SETTLE_SIGNED);
	text = get("/v1/settlements/" ID);
	CHECK(holds(text, "{\"id\":\"" ID "\",\"network\":\"eip155:84532\",\"asset\":\"0x" USDC "\","
			  "\"payer\":\"0x" PAYER "\",\"nonce\":\"0x" NONCE "\",\"state\":\"signed\","
			  "\"rung\":\"sent\",\"payTo\":\"0x"
			  "3333333333333333333333333333333333333333\",\"amount\":\"1000\",\"transaction\":\"0x7a00000000"
			  "000000000000000000000000000000000000000000000000000000\",\"blockNumber\":null,"
			  "\"blockHash\":null,\"gasWei\":null,\"reason\":null,\"granted\":false,"
			  "\"createdAt\":1700000000000,\"updatedAt\":1700000001234,\"revision\":\""));
	CHECK(holds(get(BY_PAYER), "\"id\":\"" ID "\""));
}

static void get__states_without_a_block__their_names_and_rungs(void **state)
{
	(void)state;
	tell(FB_OK, 0);
	CHECK(holds(get(BY_PAYER), "\"state\":\"queued\",\"rung\":null,\"revision\""));
	tell(FB_OK, FB_SETTLE_LOST);
	CHECK(holds(get(BY_PAYER), "\"state\":\"lost\",\"rung\":null,"));
	tell_reason(FB_REASON_TRANSACTION_FAILED);
	tell(FB_OK, FB_SETTLE_FAILED);
	CHECK(holds(get(BY_PAYER), "\"state\":\"failed\",\"rung\":null,"));
	CHECK(holds(get(BY_PAYER), "\"reason\":\"invalid_exact_evm_transaction_failed\""));
}

static void get__included__climbs_with_the_blocks_upon_it(void **state)
{
	(void)state;
	tell_included(1000);
	CHECK(holds(get(BY_PAYER), "\"state\":\"included\",\"rung\":\"included\","));
	CHECK(holds(get(BY_PAYER), "\"blockNumber\":1000,\"blockHash\":\"0x"));
	tell_included(997);
	CHECK(holds(get(BY_PAYER), "\"rung\":\"confirmed\","));
	tell_included(990);
	CHECK(holds(get(BY_PAYER), "\"rung\":\"final\","));
	fb_sim_set_finality(all.stage.sim, 5, 12);
	for (int i = 0; i < 2000 && strstr(get(BY_PAYER), "\"rung\":\"safe\",") == NULL; i++)
		stage_breathe(5);
	CHECK(holds(get(BY_PAYER), "\"rung\":\"safe\","));
}

static void get__block_unknown_or_gone__included_or_sent(void **state)
{
	(void)state;
	tell_included(1000);
	tell_block(1001, true); /* its receipt came before its block was seen */
	CHECK(holds(get(BY_PAYER), "\"rung\":\"included\","));
	tell_block(999, true); /* another block has that number */
	CHECK(holds(get(BY_PAYER), "\"rung\":\"sent\","));
	tell_block(999, false); /* not stored: by its number */
	CHECK(holds(get(BY_PAYER), "\"rung\":\"included\","));
	tell_block(900, false);
	CHECK(holds(get(BY_PAYER), "\"rung\":\"final\","));
}

static void get__second_token__found_without_asset_and_with_it(void **state)
{
	(void)state;
	tell(FB_OK, FB_SETTLE_SIGNED);
	tell_token(0xee);
	CHECK(holds(get(BY_PAYER), "\"asset\":\"0x" EURC "\""));
	CHECK(holds(get(BY_PAYER "&asset=0x" EURC), "200 OK"));
	CHECK(holds(get(BY_PAYER "&asset=0x" USDC), "404 Not Found"));
}

/* ---- waiting --------------------------------------------------------------------------------------------- */

static void wait__nothing_changes__answered_when_the_time_is_over(void **state)
{
	int fd;

	(void)state;
	tell(FB_OK, FB_SETTLE_SIGNED);
	fd = send_get(BY_PAYER "&wait=60");
	CHECK(!is_answered(fd, 300));
	atomic_fetch_add(&all.stage.offset_ms, 61000);
	CHECK(is_answered(fd, PATIENCE_MS) && holds(client_read(fd), "\"rung\":\"sent\""));
	fd = send_get("/v1/settlements/" USDC "?wait=60");
	CHECK(holds(client_read(fd), "400 Bad Request"));
}

static void wait__unknown__answered_when_it_is_known_or_404_at_the_end(void **state)
{
	int fd = send_get(BY_PAYER "&wait=60");

	(void)state;
	CHECK(!is_answered(fd, 200));
	tell(FB_OK, FB_SETTLE_SIGNED);
	CHECK(is_answered(fd, PATIENCE_MS) && holds(client_read(fd), "\"state\":\"signed\""));
	tell(FB_NOT_FOUND, 0);
	fd = send_get(BY_PAYER "&wait=60");
	CHECK(!is_answered(fd, 200));
	atomic_fetch_add(&all.stage.offset_ms, 61000);
	CHECK(is_answered(fd, PATIENCE_MS) && holds(client_read(fd), "404 Not Found"));
}

static void wait__state_or_rung_changes__answered(void **state)
{
	int fd;

	(void)state;
	tell(FB_OK, FB_SETTLE_SIGNED);
	fd = send_get(BY_PAYER "&wait=60");
	CHECK(!is_answered(fd, 200));
	tell_included(1000);
	CHECK(is_answered(fd, PATIENCE_MS) && holds(client_read(fd), "\"rung\":\"included\""));
	fd = send_get(BY_PAYER "&wait=60");
	CHECK(!is_answered(fd, 200));
	for (int i = 0; i < 3; i++)
		fb_sim_mine(all.stage.sim);
	CHECK(is_answered(fd, PATIENCE_MS) && holds(client_read(fd), "\"rung\":\"confirmed\""));
	fd = send_get(BY_PAYER "&wait=60");
	CHECK(!is_answered(fd, 200));
	fb_sim_reorg(all.stage.sim, 5, 6, FB_SIM_REORG_MINE);
	CHECK(is_answered(fd, PATIENCE_MS) && holds(client_read(fd), "\"rung\":\"sent\""));
}

static void wait__seen_another_revision__answered_at_once(void **state)
{
	char target[512], revision[17];
	int fd;

	(void)state;
	tell(FB_OK, FB_SETTLE_SIGNED);
	take_revision(revision, get(BY_PAYER));
	snprintf(target, sizeof(target), BY_PAYER "&wait=60&seen=%s", revision);
	fd = send_get(target);
	CHECK(!is_answered(fd, 200));
	tell_included(1000);
	CHECK(is_answered(fd, PATIENCE_MS));
	client_read(fd);
	fd = send_get(target);
	CHECK(is_answered(fd, PATIENCE_MS) && holds(client_read(fd), "\"rung\":\"included\""));
	snprintf(target, sizeof(target), BY_PAYER "&wait=60&seen=0000000000000000");
	CHECK(holds(get(target), "200 OK"));
}

static void wait__final__answered_at_once(void **state)
{
	char target[512], revision[17];

	(void)state;
	tell_included(988);
	take_revision(revision, get(BY_PAYER));
	snprintf(target, sizeof(target), BY_PAYER "&wait=60&seen=%s", revision);
	CHECK(holds(get(target), "\"rung\":\"final\""));
}

static void wait__drained__answered_at_once_then_and_later(void **state)
{
	int fd;

	(void)state;
	tell(FB_OK, FB_SETTLE_SIGNED);
	fd = send_get(BY_PAYER "&wait=60");
	CHECK(!is_answered(fd, 200));
	stage_on_loop(&all.stage, drain, NULL);
	CHECK(is_answered(fd, PATIENCE_MS) && holds(client_read(fd), "200 OK"));
	CHECK(holds(get(BY_PAYER "&wait=60"), "200 OK"));
}

static void wait__client_leaves__nothing_is_left_behind(void **state)
{
	unsigned before;
	int fd;

	(void)state;
	tell(FB_OK, FB_SETTLE_SIGNED);
	fd = send_get(BY_PAYER "&wait=60");
	CHECK(!is_answered(fd, 200));
	close(fd);
	tell(FB_OK, FB_SETTLE_LOST);
	before = looks();
	stage_breathe(300);
	CHECK(looks() <= before + 1); /* nobody waits, so nobody looks */
}

static void wait__as_many_as_may__one_more_is_503(void **state)
{
	static int fds[FB_SETTLEMENTS_WAITERS_MAX];
	unsigned before;

	(void)state;
	tell(FB_OK, FB_SETTLE_SIGNED);
	for (size_t i = 0; i < FB_COUNT(fds); i++)
		fds[i] = send_get(BY_PAYER "&wait=60");
	do { /* until all of them are looked at again and again */
		before = looks();
		stage_breathe(2 * FB_SETTLEMENTS_LOOK_MS);
	} while (looks() < before + FB_SETTLEMENTS_WAITERS_MAX);
	CHECK(holds(get(BY_PAYER "&wait=60"), "503 Service Unavailable"));
	CHECK(holds(get(BY_PAYER), "200 OK"));
	tell(FB_OK, FB_SETTLE_LOST);
	for (size_t i = 0; i < FB_COUNT(fds); i++)
		CHECK(holds(client_read(fds[i]), "\"state\":\"lost\""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int test_settlements_http(void)
{
	const struct CMUnitTest tests[] = {
		TEST(get__wrong_parameters__400_with_their_name),
		TEST(get__nothing_known__404),
		TEST(get__record_cannot_be_read__503),
		TEST(get__without_the_key__401),
		TEST(get__every_member__golden),
		TEST(get__states_without_a_block__their_names_and_rungs),
		TEST(get__included__climbs_with_the_blocks_upon_it),
		TEST(get__block_unknown_or_gone__included_or_sent),
		TEST(get__second_token__found_without_asset_and_with_it),
		TEST(wait__nothing_changes__answered_when_the_time_is_over),
		TEST(wait__unknown__answered_when_it_is_known_or_404_at_the_end),
		TEST(wait__state_or_rung_changes__answered),
		TEST(wait__seen_another_revision__answered_at_once),
		TEST(wait__final__answered_at_once),
		TEST(wait__drained__answered_at_once_then_and_later),
		TEST(wait__client_leaves__nothing_is_left_behind),
		TEST(wait__as_many_as_may__one_more_is_503),
	};
	return cmocka_run_group_tests_name("settlements: over HTTP", tests, NULL, NULL);
}
