/* Inside base/event: one log line under construction.
 *
 * A line is ASCII: other characters are written as JSON escapes, so no byte of a field can end the line, move
 * the cursor of a terminal or make the object invalid. Bytes that are not UTF-8 become U+FFFD. */
#ifndef FB_EVENT_INT_H
#define FB_EVENT_INT_H
#include "farebox/event.h"

struct line {
	char text[FB_EVENT_LINE_MAX];
	size_t len;
	bool cut; /* latched when something did not fit; the line then ends in "cut":true */
};

void line_begin(struct line *l, int64_t wall_us, const struct fb_event_info *info);
void line_field(struct line *l, const struct fb_field *field);
struct fb_str line_end(struct line *l); /* with the newline */
#endif /* FB_EVENT_INT_H */
