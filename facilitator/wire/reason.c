/* The strings of the reasons. */
#include "wire_int.h"

const char *fb_reason_text(enum fb_reason r)
{
	static const char *const texts[] = {
#define X(name, text) [FB_REASON_##name] = text,
		FB_REASONS(X)
#undef X
	};
	size_t i = (size_t)r;

	FB_ASSERT(i < FB_COUNT(texts));
	return texts[i];
}
