/* Submissions that wait: copied once into the block that is being filled, taken a block at a time. */
#include "writer_int.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { ALIGN = 16 };
_Static_assert(_Alignof(struct fb_op) <= ALIGN && _Alignof(struct item) <= ALIGN, "blocks keep to it");
#define ALIGNED(bytes) (((bytes) + ALIGN - 1) & ~(size_t)(ALIGN - 1))

void queue_open(struct queue *q)
{
	memset(q, 0, sizeof(*q));
	q->filling = 1;
	for (unsigned i = 0; i < QUEUE_BLOCKS; i++)
		q->block[i] = fb_must_alloc(1, FB_WRITER_QUEUE_BYTES_MAX);
	q->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	FB_ASSERT(q->bell >= 0);
	FB_ASSERT(pthread_mutex_init(&q->lock, NULL) == 0);
	FB_ASSERT(pthread_cond_init(&q->room, NULL) == 0);
}

void queue_close(struct queue *q)
{
	FB_ASSERT(q->used == 0 && q->at == q->end && q->waiters == 0);
	pthread_cond_destroy(&q->room);
	pthread_mutex_destroy(&q->lock);
	close(q->bell);
	for (unsigned i = 0; i < QUEUE_BLOCKS; i++)
		free(q->block[i]);
}

/* ---- callers ------------------------------------------------------------------------------------------------- */

static size_t put_bytes(const struct fb_put *puts, size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		FB_ASSERT(puts[i].key.len > 0 && puts[i].key.len <= FB_PUT_KEY_MAX);
		FB_ASSERT(puts[i].value.len <= FB_PUT_VALUE_MAX);
		bytes += puts[i].key.len + puts[i].value.len;
	}
	return bytes;
}

static struct fb_str copy(char **at, struct fb_str s)
{
	struct fb_str own = { *at, s.len };

	if (s.len > 0)
		memcpy(*at, s.at, s.len);
	*at += s.len;
	return own;
}

static void fill(char *at, const struct item *item, const struct fb_submission *s)
{
	struct item *i = (struct item *)at;

	*i = *item;
	i->ops = (struct fb_op *)(at + ALIGNED(sizeof(*i)));
	i->puts = (struct fb_put *)(i->ops + s->op_count);
	at = (char *)(i->puts + s->put_count);
	if (s->op_count > 0)
		memcpy(i->ops, s->ops, s->op_count * sizeof(s->ops[0]));
	for (size_t k = 0; k < s->put_count; k++) {
		i->puts[k].key = copy(&at, s->puts[k].key);
		i->puts[k].value = copy(&at, s->puts[k].value);
		i->puts[k].remove = s->puts[k].remove;
	}
}

static struct item measure(const struct fb_submission *s, void (*done_puts)(void *arg, enum fb_status status))
{
	struct item i = { .put_bytes = put_bytes(s->puts, s->put_count), .op_count = (uint32_t)s->op_count,
			  .put_count = (uint32_t)s->put_count, .puts_need_ok = s->puts_need_ok, .done = s->done,
			  .done_puts = done_puts, .arg = s->arg };

	FB_ASSERT(s->op_count <= FB_SUBMIT_OPS_MAX && s->put_count <= FB_PUTS_MAX && s->op_count + s->put_count > 0);
	FB_ASSERT(i.put_bytes <= FB_WRITER_SUBMIT_BYTES_MAX);
	FB_ASSERT((s->done == NULL) != (done_puts == NULL));
	i.records_max = fb_books_records_max(s->ops, s->op_count);
	i.bytes = ALIGNED(ALIGNED(sizeof(i)) + s->op_count * sizeof(struct fb_op) + s->put_count * sizeof(struct fb_put) +
			  i.put_bytes);
	FB_ASSERT(i.bytes <= FB_WRITER_QUEUE_BYTES_MAX);
	return i;
}

static void ring(const struct queue *q)
{
	uint64_t one = 1;

	FB_ASSERT(write(q->bell, &one, sizeof(one)) == sizeof(one) || errno == EAGAIN);
}

bool queue_push(struct queue *q, const struct fb_submission *s, void (*done_puts)(void *arg, enum fb_status status))
{
	struct item item = measure(s, done_puts);
	bool accepted, wake;

	pthread_mutex_lock(&q->lock);
	q->waiters++;
	while (!q->closing && q->used + item.bytes > FB_WRITER_QUEUE_BYTES_MAX)
		pthread_cond_wait(&q->room, &q->lock);
	q->waiters--;
	accepted = !q->closing;
	if (accepted) {
		fill(q->block[q->filling] + q->used, &item, s);
		q->used += item.bytes;
	}
	wake = q->asleep && (q->used >= q->wake_at || q->closing);
	q->asleep &= !wake;
	pthread_mutex_unlock(&q->lock);
	if (wake)
		ring(q);
	return accepted;
}

void queue_drain(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	FB_ASSERT(!q->closing);
	q->closing = true;
	pthread_cond_broadcast(&q->room);
	pthread_mutex_unlock(&q->lock);
	ring(q);
}

void queue_nudge(struct queue *q)
{
	bool wake;

	pthread_mutex_lock(&q->lock);
	wake = q->asleep;
	q->asleep = false;
	q->nudged = true;
	pthread_mutex_unlock(&q->lock);
	if (wake)
		ring(q);
}

/* ---- the decider --------------------------------------------------------------------------------------------- */

/* Under the lock. The block before is filled again after QUEUE_BLOCKS - 1 others, when its items were answered. */
static void swap(struct queue *q)
{
	if (q->used == 0)
		return;
	q->taking = q->filling;
	q->filling = (q->filling + 1) % QUEUE_BLOCKS;
	q->at = 0;
	q->end = q->used;
	q->used = 0;
	pthread_cond_broadcast(&q->room);
}

/* False: time passed. */
static bool sleep_until_rung(const struct queue *q, int timeout_ms)
{
	struct pollfd p = { .fd = q->bell, .events = POLLIN };
	uint64_t rings;
	int got = poll(&p, 1, timeout_ms);

	if (got > 0)
		FB_ASSERT(read(q->bell, &rings, sizeof(rings)) == sizeof(rings));
	return got != 0;
}

/* Under the lock. */
static bool is_over(const struct queue *q)
{
	return q->used == 0 && q->closing && q->waiters == 0;
}

bool queue_wait(struct queue *q, size_t enough, int timeout_ms)
{
	bool rung = true, over;

	FB_ASSERT(q->at == q->end && enough > 0);
	pthread_mutex_lock(&q->lock);
	if (q->used < enough && !q->nudged && !is_over(q)) {
		q->asleep = true;
		q->wake_at = enough;
		pthread_mutex_unlock(&q->lock);
		rung = sleep_until_rung(q, timeout_ms);
		pthread_mutex_lock(&q->lock);
		q->asleep = false;
	}
	q->nudged = false;
	over = is_over(q);
	if (q->used >= enough || !rung)
		swap(q);
	pthread_mutex_unlock(&q->lock);
	return !over;
}

struct item *queue_peek(const struct queue *q)
{
	return q->at == q->end ? NULL : (struct item *)(q->block[q->taking] + q->at);
}

struct item *queue_after(const struct queue *q, const struct item *i)
{
	char *block = q->block[q->taking], *next = block + ((const char *)i - block) + i->bytes;

	return next == block + q->end ? NULL : (struct item *)next;
}

void queue_take(struct queue *q)
{
	q->at += queue_peek(q)->bytes;
	FB_ASSERT(q->at <= q->end);
}
