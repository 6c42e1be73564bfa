/* Backups: made through the lock when nobody has it, row by row beside a server that does; and turned back. */
#include "farebox/backup.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIRECTORY_MODE = 0700 };

/* ---- making ---------------------------------------------------------------------------------------------------- */

static enum fb_status copy_family(struct fb_store *to, struct fb_store *from, enum fb_family family, struct fb_error *e)
{
	enum fb_status st = FB_OK;
	struct fb_bulk *bulk;
	struct fb_cursor *c;
	bool more;

	fb_cursor_open(&c, from, family);
	fb_bulk_open(&bulk, to, family);
	more = fb_cursor_seek(c, FB_STR(""));
	if (more) {
		for (; more; more = fb_cursor_next(c))
			fb_bulk_put(bulk, fb_cursor_key(c), fb_cursor_value(c));
		st = fb_bulk_finish(bulk);
		if (st == FB_OK)
			st = fb_bulk_ingest(bulk);
	}
	if (st != FB_OK)
		fb_error_set(e, st, "the copy cannot be written: %s", fb_bulk_failure(bulk));
	else if (fb_cursor_status(c) != FB_OK)
		st = fb_error_set(e, FB_STORAGE, "the records cannot be read to their end");
	fb_bulk_close(bulk);
	fb_cursor_close(c);
	return st;
}

/* The anchor last: a copy that was cut short has none, and does not open. */
static enum fb_status copy_rows(struct fb_store *to, struct fb_store *from, struct fb_error *e)
{
	struct fb_anchor anchor;
	enum fb_status st = fb_store_anchor(from, &anchor, e);

	for (int family = 0; st == FB_OK && family < FB_FAMILY_END; family++)
		st = copy_family(to, from, (enum fb_family)family, e);
	return st == FB_OK ? fb_store_anchor_make(to, &anchor, e) : st;
}

static enum fb_status copy_beside_owner(struct fb_store *from, const char *target, struct fb_error *e)
{
	struct fb_store *to;
	enum fb_status st;

	if (mkdir(target, DIRECTORY_MODE) != 0)
		return fb_error_set(e, errno == EEXIST ? FB_CONFLICT : FB_STORAGE, "cannot create %s: %s", target,
				    strerror(errno));
	st = fb_store_open(&to, target, e);
	if (st != FB_OK)
		return st;
	st = copy_rows(to, from, e);
	fb_store_close(to);
	return st;
}

static enum fb_status make(const char *directory, const char *target, struct fb_error *e)
{
	struct fb_store *reader, *own;
	enum fb_status st = fb_store_open_reader(&reader, directory, e); /* which makes nothing, if nothing is there */

	if (st != FB_OK)
		return st;
	st = fb_store_open(&own, directory, e);
	if (st == FB_BUSY)
		st = copy_beside_owner(reader, target, e);
	else if (st == FB_OK) {
		st = fb_store_backup(own, target, e);
		fb_store_close(own);
	}
	fb_store_close(reader);
	return st;
}

enum fb_status fb_backup_make(struct fb_audit_summary *out, struct fb_audit_finding *finding, const char *directory,
			      const char *target, const struct fb_audit_settings *settings, struct fb_error *e)
{
	struct fb_store *copy;
	enum fb_status st = make(directory, target, e);

	if (st == FB_OK)
		st = fb_store_open_reader(&copy, target, e);
	if (st != FB_OK)
		return st;
	st = fb_audit_verify(out, finding, copy, settings, e);
	fb_store_close(copy);
	return st;
}

/* ---- restoring ------------------------------------------------------------------------------------------------- */

static enum fb_status clear_target(const char *target, struct fb_error *e)
{
	if (rmdir(target) == 0 || errno == ENOENT)
		return FB_OK;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return fb_error_set(e, FB_CONFLICT, "%s is not empty: a backup is restored into a new directory", target);
	return fb_error_set(e, FB_STORAGE, "cannot use %s: %s", target, strerror(errno));
}

enum fb_status fb_backup_restore(struct fb_audit_summary *out, struct fb_audit_finding *finding, const char *backup,
				 const char *target, const struct fb_audit_settings *settings, struct fb_error *e)
{
	struct fb_store *restored;
	enum fb_status st = clear_target(target, e);

	if (st == FB_OK)
		st = fb_store_restore(backup, target, e);
	if (st == FB_OK)
		st = fb_store_open_reader(&restored, target, e);
	if (st != FB_OK)
		return st;
	st = fb_audit_run(out, finding, restored, settings, e);
	fb_store_close(restored);
	return st;
}
