/* farebox/backup.h - copies of a data directory that are known to be good.
 *
 * What it is  a backup is a data directory of its own, made while a server uses the original or while none does.
 *             Making one ends with a check of the copy's chain of batches and its anchor; restoring one ends with an
 *             audit.
 * Layer       7
 * Promise     whatever was acknowledged before fb_backup_make was called is in the copy.
 * Errors      FB_CONFLICT: the target exists. FB_NOT_FOUND: there is nothing to copy. FB_MISMATCH: *finding says what
 *             is wrong with the copy, which is left where it is. FB_STORAGE, FB_BUSY; e says which directory and why.
 * Threads     one call uses one thread.
 */
#ifndef FB_BACKUP_H
#define FB_BACKUP_H
#include "farebox/audit.h"
#include "farebox/core.h"

FB_MUST_USE enum fb_status fb_backup_make(struct fb_audit_summary *out, struct fb_audit_finding *finding,
					  const char *directory, const char *target,
					  const struct fb_audit_settings *settings, struct fb_error *e);
/* `target` may be an empty directory. It begins a new epoch: who has seen more than the backup holds can tell. */
FB_MUST_USE enum fb_status fb_backup_restore(struct fb_audit_summary *out, struct fb_audit_finding *finding,
					     const char *backup, const char *target,
					     const struct fb_audit_settings *settings, struct fb_error *e);
#endif /* FB_BACKUP_H */
