/* The commit port under the engine: the writer's, but slow or failing when a test wants it so. */
#include "rig_int.h"

#include <stdlib.h>

struct commit {
	struct fb_rig *rig;
	bool unconfirmed;
	void (*done)(void *arg, enum fb_status status);
	void *arg;
};

static bool released(struct fb_rig *r, void *arg)
{
	(void)arg;
	return !r->disk.held;
}

/* On the writer's thread, behind the fsync. */
static void on_durable(void *arg, enum fb_status status)
{
	struct commit *c = arg;

	rig_lock(c->rig);
	rig_wait(c->rig, released, NULL, "the disk is let go");
	rig_unlock(c->rig);
	c->done(c->arg, c->unconfirmed ? FB_STORAGE : status);
	free(c);
}

/* Counts a commit in; false if it is not to reach the disk. */
static bool admit(struct fb_rig *r, bool *unconfirmed)
{
	struct rig_disk *d = &r->disk;
	bool stored;

	rig_lock(r);
	d->commits++;
	*unconfirmed = !d->failed && d->commits == d->fail_at;
	stored = *unconfirmed ? d->stored : !d->failed;
	d->failed |= *unconfirmed;
	rig_unlock(r);
	return stored && !atomic_load(&r->crashed);
}

static void commit(void *ctx, const struct fb_put *puts, size_t count, void (*done)(void *arg, enum fb_status status),
		   void *arg)
{
	struct fb_rig *r = ctx;
	struct fb_commit writer = fb_writer_port(r->writer);
	struct commit *c = fb_must_alloc(1, sizeof(*c));

	*c = (struct commit){ .rig = r, .done = done, .arg = arg };
	for (size_t i = 0; i < count; i++)
		rig_note_removed(r, &puts[i]);
	if (admit(r, &c->unconfirmed)) {
		writer.commit(writer.ctx, puts, count, on_durable, c);
		return;
	}
	free(c);
	done(arg, FB_STORAGE);
}

struct fb_commit rig_disk_port(struct fb_rig *r)
{
	return (struct fb_commit){ commit, r };
}

void fb_rig_hold_commits(struct fb_rig *r, bool hold)
{
	rig_lock(r);
	r->disk.held = hold;
	rig_unlock(r);
}

void fb_rig_fail_commit(struct fb_rig *r, unsigned after, bool stored)
{
	rig_lock(r);
	r->disk.fail_at = r->disk.commits + after + 1;
	r->disk.stored = stored;
	rig_unlock(r);
}

unsigned fb_rig_commits(struct fb_rig *r)
{
	unsigned n;

	rig_lock(r);
	n = r->disk.commits;
	rig_unlock(r);
	return n;
}
