/* The log: which events there are, and writing one as a line. */
#include "event_int.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct fb_log {
	int fd;
	enum fb_level min;
	struct fb_clock clock;
	_Atomic uint64_t broken;
};

enum { EVENT_NAME_MAX = 32 };
static char lower_names[FB_EV_END][EVENT_NAME_MAX];
static struct fb_event_info infos[FB_EV_END];

static void make_infos(void)
{
	static const struct fb_event_info rows[] = {
#define X(name, level, doc) [FB_EV_##name] = { #name, doc, FB_##level },
		FB_EVENTS(X)
#undef X
	};

	_Static_assert(FB_COUNT(rows) == FB_EV_END, "a row for every event");
	for (size_t i = 0; i < FB_EV_END; i++) {
		for (size_t k = 0; rows[i].name[k] != '\0'; k++) {
			char c = rows[i].name[k];

			FB_ASSERT(k + 1 < EVENT_NAME_MAX);
			lower_names[i][k] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		}
		infos[i] = rows[i];
		infos[i].name = lower_names[i];
	}
}

const struct fb_event_info *fb_event_info(enum fb_event e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	FB_ASSERT(e < FB_EV_END);
	FB_ASSERT(pthread_once(&once, make_infos) == 0);
	return &infos[e];
}

void fb_log_open(struct fb_log **out, int fd, enum fb_level min, struct fb_clock clock)
{
	struct fb_log *log = fb_must_alloc(1, sizeof(*log));

	FB_ASSERT(fd >= 0);
	FB_ASSERT(min <= FB_BROKEN);
	FB_ASSERT(clock.wall_us != NULL);
	log->fd = fd;
	log->min = min;
	log->clock = clock;
	*out = log;
}

void fb_log_close(struct fb_log *log)
{
	free(log);
}

uint64_t fb_log_broken_count(const struct fb_log *log)
{
	return atomic_load(&log->broken);
}

/* One write(2): lines of several threads never mix. What the descriptor does not take is lost: a log must not
 * stop payments. */
static void write_line(int fd, struct fb_str line)
{
	while (write(fd, line.at, line.len) < 0 && errno == EINTR)
		;
}

void fb_log_write(struct fb_log *log, enum fb_event e, const struct fb_field *fields, size_t count)
{
	const struct fb_event_info *info = fb_event_info(e);
	struct line line;

	if (log == NULL)
		return;
	if (info->level == FB_BROKEN)
		atomic_fetch_add(&log->broken, 1);
	if (info->level < log->min)
		return;
	line_begin(&line, log->clock.wall_us(log->clock.ctx), info);
	for (size_t i = 0; i < count && !line.cut; i++)
		line_field(&line, &fields[i]);
	write_line(log->fd, line_end(&line));
}
