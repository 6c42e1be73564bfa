/* Shared by the indexer command's files. */
#ifndef FB_INDEXER_CLI_H
#define FB_INDEXER_CLI_H
#include "server.h"

struct fb_app_indexer {
	struct fb_server *server; /* its settings alone are open */
	bool json, check;         /* check: of rescan, compare alone */
	uint64_t from;            /* of rescan; 0: from the escrow's first block */
};
/* indexer_cli.c: the rows into a state of the decisions; and a batch of it to the ledger, waiting for its answer. */
FB_MUST_USE enum fb_status fb_app_indexer_load(struct fb_credit **out, struct fb_server *s, struct fb_error *e);
FB_MUST_USE enum fb_status fb_app_indexer_submit(struct fb_server *s, const struct fb_credit_batch *b,
						 struct fb_error *e);
FB_MUST_USE enum fb_status fb_app_indexer_open_writer(struct fb_server *s, struct fb_error *e);
int fb_app_indexer_rescan(struct fb_app_indexer *c); /* indexer_rescan.c; the exit code */
#endif /* FB_INDEXER_CLI_H */
