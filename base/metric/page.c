/* The page of all numbers in Prometheus' text form, version 0.0.4. */
#include "metric_int.h"

#include <inttypes.h>
#include <string.h>

static void put_head(struct fb_buf *out, const char *name, const char *help, const char *type)
{
	fb_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_histogram(struct fb_buf *out, const struct metric_row *row, const struct metric_cell *cell)
{
	uint64_t count = 0, sum_ns = atomic_load_explicit(&cell->value, memory_order_relaxed);

	FB_ASSERT(row->labels[0] == '\0'); /* there is no merging with le */
	for (size_t k = 0; k <= METRIC_BOUNDS; k++) {
		count += atomic_load_explicit(&cell->buckets[k], memory_order_relaxed);
		fb_buf_printf(out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", row->name,
			      k < METRIC_BOUNDS ? fb_metric_bounds[k].le : "+Inf", count);
	}
	fb_buf_printf(out, "%s_sum %" PRIu64 ".%09" PRIu64 "\n%s_count %" PRIu64 "\n", row->name, sum_ns / 1000000000,
		      sum_ns % 1000000000, row->name, count);
}

static void put_row(struct fb_buf *out, const struct fb_metrics *m, size_t i)
{
	static const char *const types[] = {
		[METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram",
	};
	const struct metric_row *row = &fb_metric_rows[i];

	if (i == 0 || strcmp(row->name, fb_metric_rows[i - 1].name) != 0)
		put_head(out, row->name, row->help, types[row->kind]);
	if (row->kind == METRIC_HISTOGRAM)
		put_histogram(out, row, &m->cells[i]);
	else
		fb_buf_printf(out, "%s%s %" PRIu64 "\n", row->name, row->labels,
			      atomic_load_explicit(&m->cells[i].value, memory_order_relaxed));
}

/* A number of the kernel's; left out where it does not tell (a sandbox may hide /proc/stat). */
static void put_known(struct fb_buf *out, const char *name, const char *help, uint64_t value)
{
	if (value == 0)
		return;
	put_head(out, name, help, "gauge");
	fb_buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

void fb_metrics_print(const struct fb_metrics *m, struct fb_buf *out)
{
	for (size_t i = 0; i < FB_M_END; i++)
		put_row(out, m, i);
	put_known(out, "process_start_time_seconds", "start of the process, Unix time", m->start_s);
	put_known(out, "process_resident_memory_bytes", "memory held in RAM", fb_metric_resident_bytes());
	put_head(out, "farebox_build_info", "always 1; the version is in the label", "gauge");
	fb_buf_printf(out, "farebox_build_info{version=\"%s\"} 1\n", FB_VERSION);
}
