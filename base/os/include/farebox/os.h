/* farebox/os.h - the operating system behind the ports, and the few files the program reads.
 *
 * Layer      2
 * Errors     of the files: e names the path, the reason and, where there is one, the remedy.
 * Threads    every function may be called from any thread; fb_os_ask is for the start, before there are others.
 */
#ifndef FB_OS_H
#define FB_OS_H
#include "farebox/core.h"
#include "farebox/port.h"

struct fb_clock fb_os_clock(void);
struct fb_rng fb_os_rng(void); /* getrandom(2); stops the program if it cannot give bytes */

/* The whole of a file of at most `cap` bytes into out. Errors in order: FB_NOT_FOUND, FB_IO,
 * FB_TOO_LARGE; e names the path and the reason. */
FB_MUST_USE enum fb_status fb_os_read_file(char *out, size_t *out_len, size_t cap, const char *path,
					   struct fb_error *e);
/* As above for secrets: FB_FORBIDDEN if anyone but the owner may read or write the file. */
FB_MUST_USE enum fb_status fb_os_read_secret(char *out, size_t *out_len, size_t cap, const char *path,
					     struct fb_error *e);
/* Creates (never overwrites: FB_CONFLICT) with mode 0600, fsynced with its directory. FB_IO. */
FB_MUST_USE enum fb_status fb_os_write_secret(const char *path, struct fb_str text, struct fb_error *e);
/* Creates the directory and its missing parents with mode 0700. FB_IO; e names the part that failed. */
FB_MUST_USE enum fb_status fb_os_make_dirs(const char *path, struct fb_error *e);
/* The platform's state directory for farebox: $STATE_DIRECTORY (systemd), else
 * $XDG_STATE_HOME/farebox, else $HOME/.local/state/farebox, else /var/lib/farebox. */
void fb_os_state_dir(struct fb_buf *out);
/* One line typed on the terminal, without echo if `secret`. FB_NOT_FOUND without a terminal, at its end or
 * when a signal ends the question; FB_TOO_LARGE from cap bytes on. Otherwise out is terminated. */
FB_MUST_USE enum fb_status fb_os_ask(char *out, size_t cap, const char *prompt, bool secret);
/* Holds a name against every other process of this machine (of its network namespace), until it is released or the
 * process ends. FB_BUSY: another holds it, or this one already. FB_IO. */
enum { FB_OS_NAME_MAX = 106 };
FB_MUST_USE enum fb_status fb_os_hold(int *out, struct fb_str name);
void fb_os_release(int held);
#endif /* FB_OS_H */
