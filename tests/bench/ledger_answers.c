/* One thread puts, one takes; who takes sleeps on an eventfd when there is nothing. */
#include "ledger_bench.h"

#include <sys/eventfd.h>
#include <unistd.h>

enum { LOOKS = 200 /* before going to sleep: waking up costs more than these */ };

void answers_open(struct answers *a)
{
	a->bell = eventfd(0, EFD_CLOEXEC);
	FB_ASSERT(a->bell >= 0);
}

void answers_close(struct answers *a)
{
	FB_ASSERT(a->at == atomic_load(&a->end));
	close(a->bell);
}

void answers_put(struct answers *a, void *answer)
{
	uint32_t end = atomic_load_explicit(&a->end, memory_order_relaxed);
	uint64_t one = 1;

	a->ring[end % ANSWERS_MAX] = answer;
	atomic_store(&a->end, end + 1);
	if (atomic_load(&a->asleep) && atomic_exchange(&a->asleep, false))
		FB_ASSERT(write(a->bell, &one, sizeof(one)) == sizeof(one));
}

static bool is_empty(struct answers *a)
{
	return atomic_load(&a->end) == a->at;
}

static void sleep_until_rung(struct answers *a)
{
	uint64_t rings;

	atomic_store(&a->asleep, true);
	if (!is_empty(a) && atomic_exchange(&a->asleep, false))
		return;
	FB_ASSERT(read(a->bell, &rings, sizeof(rings)) == sizeof(rings));
}

void *answers_take(struct answers *a)
{
	for (unsigned i = 0; i < LOOKS && is_empty(a); i++)
		__builtin_ia32_pause();
	while (is_empty(a))
		sleep_until_rung(a);
	return a->ring[a->at++ % ANSWERS_MAX];
}
