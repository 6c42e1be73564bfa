/* Shared inside tests/virtual: one thread, one clock, one queue of events. What is linked from here stands in for the
 * loop and the HTTP client (base/net), the clock (base/os), the store and the writer (ledger), the simulated chain's
 * server and the rig's waiting: the engine runs as it is, and a seed replays a run exactly. */
#ifndef FB_VIRTUAL_H
#define FB_VIRTUAL_H
#include "farebox/core.h"

enum { VIRTUAL_MS = 1000000 /* nanoseconds */ };

/* ---- time and events (world.c) --------------------------------------------------------------------- */
void virtual_reset(uint64_t seed); /* the time is 0 again, every disk empty; nothing may be open */
uint64_t virtual_now_ns(void);
uint64_t virtual_draw(uint64_t below);
/* Runs fn(arg) so much later, in order; events of one moment in the order in which they were asked for. */
void virtual_at(uint64_t delay_ns, void (*fn)(void *arg), void *arg, const void *owner);
void virtual_cancel(const void *owner); /* its events never run */
/* The next event of that owner, out of its turn; false: it has none. */
bool virtual_step_of(const void *owner);
bool virtual_step(void);            /* the next event, if there is one */
void virtual_run_ms(uint64_t ms);   /* all events of so much time */

/* ---- disks (disk.c) ---------------------------------------------------------------------------------- */
void virtual_disks_clear(void);
void virtual_disks_hold(bool hold); /* nothing becomes durable meanwhile */

/* ---- chains (net.c) ---------------------------------------------------------------------------------- */
void virtual_chains_clear(void);
#endif /* FB_VIRTUAL_H */
