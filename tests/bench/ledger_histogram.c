/* A histogram whose cells grow with the value, so that a nanosecond and a minute are both known well enough. */
#include "ledger_bench.h"

static size_t cell_of(uint64_t value)
{
	unsigned shift;
	size_t cell;

	if (value < HISTOGRAM_STEPS)
		return value;
	shift = 63u - (unsigned)__builtin_clzll(value / HISTOGRAM_STEPS);
	cell = (size_t)HISTOGRAM_STEPS * shift + (value >> shift);
	return cell < HISTOGRAM_CELLS ? cell : HISTOGRAM_CELLS - 1;
}

/* The greatest value of a cell. */
static uint64_t most(size_t cell)
{
	size_t shift = cell < 2 * HISTOGRAM_STEPS ? 0 : cell / HISTOGRAM_STEPS - 1;

	return ((cell - shift * HISTOGRAM_STEPS + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t value)
{
	h->cells[cell_of(value)]++;
	h->count++;
	h->max = value > h->max ? value : h->max;
}

uint64_t histogram_at(const struct histogram *h, unsigned of_10000)
{
	uint64_t left = (h->count * of_10000 + 9999) / 10000;

	for (size_t i = 0; i < HISTOGRAM_CELLS && h->count > 0; i++) {
		if (left <= h->cells[i])
			return most(i) < h->max ? most(i) : h->max;
		left -= h->cells[i];
	}
	return h->max;
}
