/* One question on the terminal. While the echo is off, signals that would end or stop the program wait until
 * it is on again: they are blocked, watched through a descriptor, and delivered by the unblocking at the end. */
#include "farebox/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

struct terminal {
	int fd, signals;
	sigset_t mask_before;
	struct termios before;
};

static void watch_signals(struct terminal *t)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < FB_COUNT(ending); i++)
		sigaddset(&mask, ending[i]);
	FB_ASSERT(pthread_sigmask(SIG_BLOCK, &mask, &t->mask_before) == 0);
	t->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void unwatch_signals(struct terminal *t)
{
	if (t->signals >= 0)
		close(t->signals);
	FB_ASSERT(pthread_sigmask(SIG_SETMASK, &t->mask_before, NULL) == 0);
}

static bool echo_off(struct terminal *t)
{
	struct termios quiet;

	if (tcgetattr(t->fd, &t->before) != 0)
		return false;
	quiet = t->before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	return tcsetattr(t->fd, TCSAFLUSH, &quiet) == 0;
}

/* The next byte. False at the end of the terminal and when a signal waits. */
static bool read_byte(struct terminal *t, char *c)
{
	struct pollfd both[2] = { { .fd = t->fd, .events = POLLIN }, { .fd = t->signals, .events = POLLIN } };

	for (;;) {
		ssize_t n;

		if (poll(both, FB_COUNT(both), -1) < 0) {
			if (errno == EINTR)
				continue;
			return false;
		}
		if ((both[1].revents & POLLIN) != 0)
			return false;
		n = read(t->fd, c, 1);
		if (n >= 0 || errno != EINTR)
			return n == 1;
	}
}

static enum fb_status read_line(struct terminal *t, char *out, size_t cap)
{
	size_t len = 0;
	char c;

	while (read_byte(t, &c)) {
		if (c == '\n') {
			if (len >= cap)
				return FB_TOO_LARGE;
			out[len] = '\0';
			return FB_OK;
		}
		if (len < cap)
			out[len++] = c;
	}
	return FB_NOT_FOUND;
}

static void say(const struct terminal *t, const char *text)
{
	ssize_t n = write(t->fd, text, strlen(text));

	(void)n; /* a terminal that takes no prompt will give no answer either */
}

enum fb_status fb_os_ask(char *out, size_t cap, const char *prompt, bool secret)
{
	struct terminal t = { .fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC) };
	enum fb_status st = FB_NOT_FOUND;

	FB_ASSERT(cap > 0);
	if (t.fd < 0)
		return FB_NOT_FOUND;
	watch_signals(&t);
	if (t.signals >= 0 && (!secret || echo_off(&t))) {
		say(&t, prompt);
		st = read_line(&t, out, cap);
		if (secret) {
			(void)tcsetattr(t.fd, TCSAFLUSH, &t.before);
			say(&t, "\n"); /* the one that was typed had no echo */
		}
	}
	if (st != FB_OK)
		explicit_bzero(out, cap);
	unwatch_signals(&t);
	close(t.fd);
	return st;
}
