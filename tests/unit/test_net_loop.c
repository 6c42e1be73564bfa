/* Goal: posts are run in order, all of them, whoever posts and whenever the loop stops; timers keep
 * their promises. Method: several posting threads; the loop on a thread of its own and on ours. */
#include "farebox/net.h"
#include "fb_peer.h"
#include "fb_test.h"
#include "test_net.h"

#include <signal.h>
#include <sys/wait.h>

enum { POSTERS = 4, POSTS_EACH = 20000 };

struct seen {
	uint32_t last[POSTERS];
	size_t count;
	bool disorder, elsewhere;
	struct fb_loop *loop;
};
struct note {
	struct seen *seen;
	uint32_t who, nr;
};
struct poster {
	struct seen *seen;
	uint32_t who;
	struct note *notes;
};

static void see(void *arg)
{
	struct note *n = arg;

	n->seen->disorder |= n->nr != n->seen->last[n->who] + 1;
	n->seen->elsewhere |= !fb_loop_is_mine(n->seen->loop);
	n->seen->last[n->who] = n->nr;
	n->seen->count++;
}

static void *post_many(void *arg)
{
	struct poster *p = arg;

	for (uint32_t i = 0; i < POSTS_EACH; i++) {
		p->notes[i] = (struct note){ p->seen, p->who, i + 1 };
		fb_loop_post(p->seen->loop, see, &p->notes[i]);
	}
	return NULL;
}

static void post__several_threads__all_run_in_each_ones_order(void **state)
{
	struct seen seen = { 0 };
	struct poster posters[POSTERS];
	pthread_t threads[POSTERS];

	(void)state;
	CHECK_STATUS(FB_OK, fb_loop_open(&seen.loop));
	fb_loop_start(seen.loop, "a-loop");
	for (uint32_t i = 0; i < POSTERS; i++) {
		posters[i] = (struct poster){ &seen, i, calloc(POSTS_EACH, sizeof(struct note)) };
		CHECK(pthread_create(&threads[i], NULL, post_many, &posters[i]) == 0);
	}
	for (size_t i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	fb_loop_close(seen.loop); /* stops: what was posted is run first */
	CHECK(seen.count == (size_t)POSTERS * POSTS_EACH);
	CHECK(!seen.disorder && !seen.elsewhere);
	for (size_t i = 0; i < POSTERS; i++)
		free(posters[i].notes);
}

static void stop_it(void *arg)
{
	fb_loop_stop(arg);
}

struct chain {
	struct fb_loop *loop;
	int left, ran;
};

static void post_next(void *arg)
{
	struct chain *c = arg;

	c->ran++;
	if (c->left-- > 0)
		fb_loop_post(c->loop, post_next, c);
}

static void stop__posts_that_post__are_run_to_the_end(void **state)
{
	struct chain c = { .left = 5 };

	(void)state;
	CHECK_STATUS(FB_OK, fb_loop_open(&c.loop));
	fb_loop_post(c.loop, post_next, &c);
	fb_loop_stop(c.loop); /* before the run: the run ends by itself */
	fb_loop_run(c.loop);
	CHECK(c.ran == 6);
	fb_loop_close(c.loop);
}

static void count(void *arg)
{
	++*(int *)arg;
}

static void post__after_the_stop__runs_with_the_next_run_or_the_close(void **state)
{
	struct fb_loop *loop;
	int ran = 0;

	(void)state;
	CHECK_STATUS(FB_OK, fb_loop_open(&loop));
	fb_loop_stop(loop);
	fb_loop_run(loop);
	fb_loop_post(loop, count, &ran);
	CHECK(ran == 0);
	fb_loop_post(loop, stop_it, loop);
	fb_loop_run(loop);
	CHECK(ran == 1);
	fb_loop_post(loop, count, &ran);
	fb_loop_close(loop);
	CHECK(ran == 2);
}

static void *ask_whose(void *arg)
{
	CHECK(!fb_loop_is_mine(arg));
	return NULL;
}

static void is_mine__follows_the_thread_that_runs_it(void **state)
{
	struct fb_loop *loop;
	pthread_t other;

	(void)state;
	CHECK_STATUS(FB_OK, fb_loop_open(&loop));
	CHECK(fb_loop_is_mine(loop));
	CHECK(pthread_create(&other, NULL, ask_whose, loop) == 0);
	pthread_join(other, NULL);
	fb_loop_start(loop, "fifteen-letters");
	CHECK(!fb_loop_is_mine(loop));
	fb_loop_close(loop);
	fb_loop_close(NULL);
}

struct ticks {
	struct fb_loop *loop;
	struct fb_timer *timer, *other;
	int ticks, others;
	bool over;
};

static void tick(void *arg)
{
	struct ticks *t = arg;

	if (++t->ticks == 3) {
		fb_timer_stop(t->timer); /* from inside its own fn */
		fb_loop_stop(t->loop);
	}
}

static void other(void *arg)
{
	((struct ticks *)arg)->others++;
}

static void timer__repeating__ticks_until_stopped_from_inside(void **state)
{
	struct ticks t = { 0 };

	(void)state;
	CHECK_STATUS(FB_OK, fb_loop_open(&t.loop));
	t.timer = fb_timer_start(t.loop, 1, 2, tick, &t);
	t.other = fb_timer_start(t.loop, 3, 0, other, &t); /* fires once, then waits to be stopped */
	fb_loop_run(t.loop);
	CHECK(t.ticks == 3 && t.others == 1);
	fb_timer_stop(t.other);
	fb_timer_stop(NULL);
	fb_loop_close(t.loop);
}

static void end_run(void *arg)
{
	struct ticks *t = arg;

	t->over = true;
	fb_loop_stop(t->loop);
}

static void timer__stopped_before_its_time__never_fires(void **state)
{
	struct ticks t = { 0 };

	(void)state;
	CHECK_STATUS(FB_OK, fb_loop_open(&t.loop));
	t.timer = fb_timer_start(t.loop, 5, 0, other, &t);
	t.other = fb_timer_start(t.loop, 20, 0, end_run, &t);
	fb_timer_stop(t.timer);
	fb_loop_run(t.loop);
	CHECK(t.over && t.others == 0);
	fb_timer_stop(t.other);
	fb_loop_close(t.loop);
}

static void post_again(void *arg)
{
	struct ticks *t = arg;

	t->ticks++;
	if (!t->over)
		fb_loop_post(t->loop, post_again, t);
}

static void post__that_posts_itself__does_not_starve_timers(void **state)
{
	struct ticks t = { 0 };

	(void)state;
	CHECK_STATUS(FB_OK, fb_loop_open(&t.loop));
	t.timer = fb_timer_start(t.loop, 10, 0, end_run, &t);
	fb_loop_post(t.loop, post_again, &t);
	fb_loop_run(t.loop);
	CHECK(t.over && t.ticks > 1);
	fb_timer_stop(t.timer);
	fb_loop_close(t.loop);
}

/* In a child: what breaks the limit is a bug that no caller can answer, so the program stops. */
static void post__more_than_the_limit__stops_the_program(void **state)
{
	struct fb_loop *loop;
	int ran = 0, status = 0;
	pid_t child;

	(void)state;
	CHECK_STATUS(FB_OK, fb_loop_open(&loop));
	for (size_t i = 0; i < FB_LOOP_POSTS_MAX; i++)
		fb_loop_post(loop, count, &ran);
	child = fork();
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		fb_loop_post(loop, count, &ran);
		_exit(0);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	fb_loop_close(loop);
	CHECK(ran == FB_LOOP_POSTS_MAX);
}

int test_net_loop(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(post__several_threads__all_run_in_each_ones_order),
		cmocka_unit_test(stop__posts_that_post__are_run_to_the_end),
		cmocka_unit_test(post__after_the_stop__runs_with_the_next_run_or_the_close),
		cmocka_unit_test(is_mine__follows_the_thread_that_runs_it),
		cmocka_unit_test(timer__repeating__ticks_until_stopped_from_inside),
		cmocka_unit_test(timer__stopped_before_its_time__never_fires),
		cmocka_unit_test(post__that_posts_itself__does_not_starve_timers),
		cmocka_unit_test(post__more_than_the_limit__stops_the_program),
	};
	return cmocka_run_group_tests_name("net.loop", tests, NULL, NULL);
}
