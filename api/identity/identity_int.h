/* Shared inside identity: the tables and what is in them. */
#ifndef FB_IDENTITY_INT_H
#define FB_IDENTITY_INT_H
#include "farebox/identity.h"

#include <pthread.h>

struct fb_identity {
	struct fb_identity_settings settings;
	struct fb_identity_ports ports;
	struct fb_store *store;
	struct fb_commit commit;
	pthread_rwlock_t lock; /* tables */
};
#endif /* FB_IDENTITY_INT_H */
