/* farebox/writer.h - the one thread that writes: group commit.
 *
 * What it is  whatever commits wait when the previous fsync ends go into the next batch together
 *             (no timer): idle latency is one fsync, throughput grows with load.
 * Layer       4
 * Order       commits become durable in the order in which they were handed over; done callbacks
 *             run in that order on the writer's thread, after the fsync.
 * Errors      FB_STORAGE once: then every later commit too (see farebox/store.h); logged as
 *             STORAGE_FAILED. FB_DRAINING after close began: then, and only then, done is called
 *             on the caller's thread, before commit returns.
 * Limits      FB_WRITER_QUEUE_MAX rows and FB_WRITER_QUEUE_BYTES_MAX bytes wait; a commit beyond
 *             either waits for room (back-pressure). A done callback never commits: it would wait for itself.
 *             A batch holds FB_WRITER_BATCH_MAX rows and FB_WRITER_BATCH_BYTES_MAX bytes.
 * Ownership   borrows store, log and metrics until closed. Close first writes what is queued.
 * Threads     commit: any. open and close: one; nobody commits once close has returned.
 */
#ifndef FB_WRITER_H
#define FB_WRITER_H
#include "farebox/core.h"
#include "farebox/event.h"
#include "farebox/metric.h"
#include "farebox/port.h"
#include "farebox/store.h"

enum {
	FB_WRITER_QUEUE_MAX = 65536, /* rows */
	FB_WRITER_QUEUE_BYTES_MAX = 64 << 20,
	FB_WRITER_BATCH_MAX = FB_STORE_BATCH_MAX, /* rows */
	FB_WRITER_BATCH_BYTES_MAX = 8 << 20,
};
struct fb_writer;
void fb_writer_open(struct fb_writer **out, struct fb_store *store, struct fb_log *log, struct fb_metrics *metrics,
		    struct fb_clock clock);
void fb_writer_close(struct fb_writer *w); /* NULL allowed */
struct fb_commit fb_writer_port(struct fb_writer *w);
#endif /* FB_WRITER_H */
