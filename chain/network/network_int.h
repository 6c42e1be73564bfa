/* Shared inside chain/network: the network files that the build compiles in. */
#ifndef FB_NETWORK_INT_H
#define FB_NETWORK_INT_H
#include "farebox/network.h"

struct fb_network_files_entry {
	const unsigned char *bytes;
	size_t len;
};
extern const struct fb_network_files_entry fb_network_files[]; /* looked up in this order */
extern const size_t fb_network_files_count;
#endif /* FB_NETWORK_INT_H */
