/* Inside ledger/store: the open database. */
#ifndef FB_STORE_INT_H
#define FB_STORE_INT_H
#include "farebox/store.h"

#include <rocksdb/c.h>
#include <stdatomic.h>

struct fb_store {
	int lock; /* descriptor of the directory, locked as long as the store is open */
	rocksdb_t *db;
	rocksdb_options_t *options;
	rocksdb_cache_t *cache;
	rocksdb_readoptions_t *get_options;
	rocksdb_writeoptions_t *commit_options;
	rocksdb_writebatch_t *batch; /* of the committing thread, reused */
	atomic_bool committing;      /* proves that there is one such thread */
	bool poisoned;
	struct fb_error failure;     /* why */
};

/* Takes over a text that RocksDB allocated: copies it, cut, without line breaks. */
void store_take_text(char *out, size_t cap, char *text);
#endif /* FB_STORE_INT_H */
