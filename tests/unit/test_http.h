/* What the tests of api/http share: a server with test routes, and a client that sends raw bytes and reads answers. */
#ifndef FB_TEST_HTTP_H
#define FB_TEST_HTTP_H
#include "farebox/event.h"
#include "farebox/http.h"
#include "farebox/metric.h"
#include "farebox/os.h"
#include "fb_test.h"

#include <stdatomic.h>

int run_http_target_tests(void);
int run_http_server_tests(void);
int run_http_limit_tests(void);
int run_http_framing_tests(void);
int run_http_wait_tests(void);
int run_http_stop_tests(void);

/* ---- the server ---------------------------------------------------------------------------- */
enum { TOKENS_MAX = 2048, ECHO_MAX = 65536, SMALL_MAX = 1000 };
struct server {
	struct fb_http *http;
	uint16_t port;
	struct fb_http_settings settings;
	struct fb_metrics *metrics;
	struct fb_log *log;
	int log_fd;
	/* what the handlers of /wait have done */
	pthread_mutex_t lock;
	struct fb_http_wait *tokens[TOKENS_MAX]; /* nobody has woken these yet */
	unsigned token_count;
	bool wake_at_once; /* /wait wakes its own token before it returns */
	atomic_uint woken, expired, whole, not_whole;
};
void server_settings(struct server *s); /* defaults, to be changed before server_start */
void server_start(struct server *s);
void server_stop(struct server *s); /* and checks that nothing BROKEN was logged */
unsigned server_wake_all(struct server *s);
void server_wait_tokens(struct server *s, unsigned count); /* until so many are out */
void server_wait_connections(struct server *s, unsigned count); /* with 0: everything is counted and logged, too */
uint64_t now_ms(void);
void wait_for(atomic_uint *counter, unsigned value);
void server_log_text(const struct server *s, char *out, size_t cap);

/* ---- the client ---------------------------------------------------------------------------- */
enum { CLIENT_BUF = 1 << 19 };
struct client {
	int fd;
	size_t len;
	char *buf; /* CLIENT_BUF bytes */
};
struct answer {
	unsigned status; /* 0: closed without one */
	char head[4096];
	char body[1 << 18];
	size_t body_len;
};
bool client_try(struct client *c, const struct server *s); /* false: nobody listens */
void client_open(struct client *c, const struct server *s);
void client_close(struct client *c);
void client_reset(struct client *c); /* closes with RST */
bool client_send(struct client *c, const char *bytes, size_t len); /* false: the other side is gone */
void client_text(struct client *c, const char *text);
bool client_read(struct client *c, struct answer *a, bool head_only); /* false: closed, or nothing within 5 s */
bool client_closed(struct client *c); /* the server closes within 5 s, and sends nothing more before */
bool client_silent(struct client *c, int ms); /* nothing comes within ms, and it is not closed */
/* Opens, sends, reads one answer, closes. */
unsigned ask(const struct server *s, struct answer *a, const char *text);
const char *answer_header(const struct answer *a, const char *name, char out[512]); /* NULL: absent */
#endif /* FB_TEST_HTTP_H */
