/* Holding the signers' keys against other processes of this machine. */
#ifndef FB_HOLD_H
#define FB_HOLD_H
#include "server.h"

/* Waits for each up to the setting handover_s, and says so. FB_BUSY, FB_IO; what was held is released all the same. */
FB_MUST_USE enum fb_status fb_server_hold_signers(struct fb_server *s, struct fb_error *e);
void fb_server_release_signers(struct fb_server *s); /* last: nothing of theirs is open any more */
#endif /* FB_HOLD_H */
