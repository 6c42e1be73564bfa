/* Shared inside the load generator: what is to be sent, and what came of it. */
#ifndef FB_LOAD_H
#define FB_LOAD_H
#include "farebox/core.h"

#include <netinet/in.h>

enum {
	LOAD_CONNECTIONS_MAX = 4096,
	LOAD_REQUESTS_MAX = 8000000, /* each leaves a sample of four bytes */
	LOAD_SECONDS_MAX = 600,
	LOAD_ANSWER_MAX = 16384,
	LOAD_PATIENCE_MS = 30000, /* without any answer: the rest is given up */
	LOAD_TRIES_MAX = 50,      /* of one body whose answer says that it must be asked again */
};

/* The lines of a file. */
struct load_bodies {
	struct fb_str *line;
	size_t count;
};
/* Stops the program with a message when the file cannot be read or holds no line. */
void load_bodies_read(struct load_bodies *out, const char *path);

struct load_plan {
	struct sockaddr_in server;
	const char *path;
	struct fb_str want;      /* text of a right answer */
	struct fb_str again;     /* text of an answer upon which the same body is sent again; empty: there is none */
	struct load_bodies good; /* every last answer must have `want` */
	struct load_bodies bad;  /* none may, and none may be a 5xx; every bad_every-th request is one of these */
	uint64_t bad_every;      /* 0: none */
	unsigned connections;
	uint64_t first;             /* the good body to start with */
	uint64_t requests, seconds; /* whichever comes first */
	uint64_t patience_ms;
	const char *outcomes; /* path of a file that tells what came of every request; NULL: none */
};

struct load_result {
	uint64_t sent;
	uint64_t wrong;  /* answered, but not as it should be */
	uint64_t lost;   /* never answered: connection broken or out of patience */
	uint64_t closed; /* connections the server ended after a whole answer */
	uint64_t again;  /* answers upon which the same body was sent again */
	uint32_t *sample_us; /* from the first sending of a body to the last answer to it */
	size_t samples;
	uint64_t elapsed_us, cpu_us; /* of the run, and what it cost this program */
	char first_fault[512]; /* what the first wrong answer or lost request looked like; "" for none */
};
void load_run(struct load_result *out, const struct load_plan *plan);

/* An HTTP/1.1 answer as it arrives. */
struct load_answer {
	char at[LOAD_ANSWER_MAX];
	size_t len;
};
struct load_view {
	unsigned status;
	struct fb_str body;
	bool close;
};
/* FB_OK: it is whole. FB_PENDING: more must come. FB_BAD_SYNTAX: this is no answer we understand. */
enum fb_status load_answer_view(struct load_view *out, const struct load_answer *a);

/* The file of outcomes: one line a request, tabs between: the number of its body, right or wrong or lost, the body of
 * the answer. Stops the program when the file cannot be written. */
struct load_outcomes;
struct load_outcomes *load_outcomes_open(const char *path); /* NULL for no path */
void load_outcomes_add(struct load_outcomes *o, uint64_t body, const char *what, struct fb_str answer);
void load_outcomes_close(struct load_outcomes *o); /* NULL allowed */
#endif /* FB_LOAD_H */
