/* Inside base/metric: the table of rows, the cells that hold their numbers, and what the kernel knows of us. */
#ifndef FB_METRIC_INT_H
#define FB_METRIC_INT_H
#include "farebox/metric.h"

#include <stdatomic.h>

enum { METRIC_BOUNDS = 16, METRIC_CACHE_LINE = 64 };

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
struct metric_row {
	const char *name, *labels, *help;
	enum metric_kind kind;
};
extern const struct metric_row fb_metric_rows[FB_M_END];

struct metric_bound {
	uint64_t ns;
	const char *le; /* the same in seconds */
};
extern const struct metric_bound fb_metric_bounds[METRIC_BOUNDS];

/* value: of counter or gauge, or a histogram's sum in ns. buckets: not cumulative, the last is beyond all bounds. */
struct metric_cell {
	_Alignas(METRIC_CACHE_LINE) _Atomic uint64_t value;
	_Atomic uint64_t buckets[METRIC_BOUNDS + 1];
};

struct fb_metrics {
	struct metric_cell cells[FB_M_END];
	uint64_t start_s; /* Unix seconds */
};

uint64_t fb_metric_process_start_s(void); /* Unix seconds; 0 where /proc does not tell */
uint64_t fb_metric_resident_bytes(void);  /* likewise */
#endif /* FB_METRIC_INT_H */
