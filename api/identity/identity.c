/* Opening, closing, and the names of the closed sets. */
#include "identity_int.h"

#include <stdlib.h>

const char *fb_role_text(enum fb_role r)
{
	switch (r) {
#define X(name, num, text)     \
	case FB_ROLE_##name: \
		return text;
		FB_ROLES(X)
#undef X
	}
	FB_UNREACHABLE("a role");
}

enum fb_status fb_identity_open(struct fb_identity **out, struct fb_store *store, struct fb_commit commit,
				const struct fb_identity_settings *settings, struct fb_identity_ports ports,
				struct fb_error *e)
{
	struct fb_identity *i = fb_must_alloc(1, sizeof(*i));

	(void)e;
	i->settings = *settings;
	i->ports = ports;
	i->store = store;
	i->commit = commit;
	FB_ASSERT(pthread_rwlock_init(&i->lock, NULL) == 0);
	*out = i;
	return FB_OK;
}

void fb_identity_close(struct fb_identity *i)
{
	if (i == NULL)
		return;
	pthread_rwlock_destroy(&i->lock);
	free(i);
}

struct fb_mount fb_identity_mount(struct fb_identity *i)
{
	return (struct fb_mount){ NULL, 0, i };
}
