/* Looks up a header in an answer's raw lines. */
#include "farebox/net.h"

#include <string.h>

/* Takes the first line off *rest, without its end. */
static struct fb_str take_line(struct fb_str *rest)
{
	const char *end = memchr(rest->at, '\n', rest->len);
	size_t len = end == NULL ? rest->len : (size_t)(end - rest->at);
	struct fb_str line = { rest->at, len };

	if (end != NULL)
		len++;
	rest->at += len;
	rest->len -= len;
	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	return line;
}

struct fb_str fb_net_header(const struct fb_net_reply *reply, const char *name)
{
	struct fb_str rest = reply->headers, wanted = fb_str_of(name), head, value;

	while (rest.len > 0)
		if (fb_str_split(&head, &value, take_line(&rest), ':') && fb_str_eq_nocase(head, wanted))
			return fb_str_trim(value);
	return FB_STR("");
}
