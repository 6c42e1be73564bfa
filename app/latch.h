/* One answer handed from the loop's thread to the main thread, which waits for it. */
#ifndef FB_LATCH_H
#define FB_LATCH_H
#include "farebox/core.h"
#include "farebox/net.h"

#include <pthread.h>

struct fb_latch {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool set;
	enum fb_status status;
	struct fb_error error; /* the sentence, when status is not FB_OK */
};
void fb_latch_init(struct fb_latch *l);
void fb_latch_set(struct fb_latch *l, enum fb_status status, const char *sentence); /* NULL: none. Any thread */
enum fb_status fb_latch_wait(struct fb_latch *l);
void fb_latch_destroy(struct fb_latch *l);
/* Runs fn(arg) on the loop's thread and waits for its end. */
void fb_run_on(struct fb_loop *loop, void (*fn)(void *arg), void *arg);
#endif /* FB_LATCH_H */
