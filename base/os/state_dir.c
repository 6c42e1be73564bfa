/* Where records belong on this system when the operator names no directory. */
#include "farebox/os.h"

#include <stdlib.h>

/* A variable that holds an absolute path; an empty view otherwise (the XDG rules want relative ones ignored). */
static struct fb_str absolute_path(const char *variable)
{
	struct fb_str value = fb_str_of(getenv(variable));

	return fb_str_starts(value, FB_STR("/")) ? value : FB_STR("");
}

void fb_os_state_dir(struct fb_buf *out)
{
	struct fb_str systemd = absolute_path("STATE_DIRECTORY");
	struct fb_str xdg = absolute_path("XDG_STATE_HOME");
	struct fb_str home = absolute_path("HOME");
	struct fb_str rest;

	if (systemd.len > 0) {
		(void)fb_str_split(&systemd, &rest, systemd, ':'); /* a unit may name several: the first is the main one */
		fb_buf_str(out, systemd);
	} else if (xdg.len > 0) {
		fb_buf_str(out, xdg);
		fb_buf_text(out, "/farebox");
	} else if (home.len > 0) {
		fb_buf_str(out, home);
		fb_buf_text(out, "/.local/state/farebox");
	} else {
		fb_buf_text(out, "/var/lib/farebox");
	}
}
