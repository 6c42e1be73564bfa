/* The numbers: counters, gauges and histograms as atomics, one cache line or more each. */
#include "metric_int.h"

#include <stdlib.h>

const struct metric_row fb_metric_rows[FB_M_END] = {
#define X(id, name, kind, labels, help) [FB_M_##id] = { name, labels, help, METRIC_##kind },
	FB_METRICS(X)
#undef X
};

const struct metric_bound fb_metric_bounds[METRIC_BOUNDS] = {
	{ 500000, "0.0005" },    { 1000000, "0.001" },   { 2500000, "0.0025" },  { 5000000, "0.005" },
	{ 10000000, "0.01" },    { 25000000, "0.025" },  { 50000000, "0.05" },   { 100000000, "0.1" },
	{ 250000000, "0.25" },   { 500000000, "0.5" },   { 1000000000, "1" },    { 2500000000, "2.5" },
	{ 5000000000, "5" },     { 10000000000, "10" },  { 30000000000, "30" },  { 60000000000, "60" },
};

static enum metric_kind kind_of(enum fb_metric_id id)
{
	FB_ASSERT(id < FB_M_END);
	return fb_metric_rows[id].kind;
}

void fb_metrics_open(struct fb_metrics **out)
{
	/* calloc aligns to 16 bytes, a cell wants its own cache line. */
	struct fb_metrics *m = aligned_alloc(_Alignof(struct fb_metrics), sizeof(*m));

	FB_ASSERT(m != NULL);
	for (size_t i = 0; i < FB_M_END; i++) {
		atomic_init(&m->cells[i].value, 0);
		for (size_t k = 0; k <= METRIC_BOUNDS; k++)
			atomic_init(&m->cells[i].buckets[k], 0);
	}
	m->start_s = fb_metric_process_start_s();
	*out = m;
}

void fb_metrics_close(struct fb_metrics *m)
{
	free(m);
}

void fb_metric_add(struct fb_metrics *m, enum fb_metric_id id, uint64_t n)
{
	FB_ASSERT(kind_of(id) != METRIC_HISTOGRAM);
	if (m != NULL)
		atomic_fetch_add_explicit(&m->cells[id].value, n, memory_order_relaxed);
}

void fb_metric_sub(struct fb_metrics *m, enum fb_metric_id id, uint64_t n)
{
	FB_ASSERT(kind_of(id) == METRIC_GAUGE);
	if (m != NULL)
		FB_ASSERT(atomic_fetch_sub_explicit(&m->cells[id].value, n, memory_order_relaxed) >= n);
}

void fb_metric_set(struct fb_metrics *m, enum fb_metric_id id, uint64_t v)
{
	FB_ASSERT(kind_of(id) == METRIC_GAUGE);
	if (m != NULL)
		atomic_store_explicit(&m->cells[id].value, v, memory_order_relaxed);
}

void fb_metric_time_ns(struct fb_metrics *m, enum fb_metric_id id, uint64_t ns)
{
	size_t k = 0;

	FB_ASSERT(kind_of(id) == METRIC_HISTOGRAM);
	if (m == NULL)
		return;
	while (k < METRIC_BOUNDS && ns > fb_metric_bounds[k].ns)
		k++;
	atomic_fetch_add_explicit(&m->cells[id].buckets[k], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&m->cells[id].value, ns, memory_order_relaxed);
}

uint64_t fb_metric_get(const struct fb_metrics *m, enum fb_metric_id id)
{
	uint64_t count = 0;
	enum metric_kind kind = kind_of(id);

	if (m == NULL)
		return 0;
	if (kind != METRIC_HISTOGRAM)
		return atomic_load_explicit(&m->cells[id].value, memory_order_relaxed);
	for (size_t k = 0; k <= METRIC_BOUNDS; k++)
		count += atomic_load_explicit(&m->cells[id].buckets[k], memory_order_relaxed);
	return count;
}
