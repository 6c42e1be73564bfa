/* Inside ledger/writer. The parts, from the bottom: the queue of submissions; the tail of records that are not folded
 * yet; derived rows as bytes; the batch under way; the fold; recovery; reads. */
#ifndef FB_WRITER_INT_H
#define FB_WRITER_INT_H
#include "farebox/writer.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- queue.c: what callers handed over ------------------------------------------------------------------------- */
/* One submission: its operations, its rows and what those point to stand behind it in the same block. */
struct item {
	size_t bytes;                 /* of all of it */
	size_t records_max, put_bytes;
	uint32_t op_count, put_count;
	bool puts_need_ok;
	void (*done)(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count);
	void (*done_puts)(void *arg, enum fb_status status); /* one of the two */
	void *arg;
	struct fb_op *ops;
	struct fb_put *puts;
	struct fb_op_result *results; /* of the batch it is in */
};

/* How many batches are decided and not answered, at most. */
enum { BATCHES = 6 };
/* Callers fill a block, the decider empties another, and those of items that are not answered stay as they are: the
 * decider begins a batch, which is when it takes a block, while at most BATCHES - 1 are not answered. */
enum { QUEUE_BLOCKS = BATCHES + 1 };
struct queue {
	char *block[QUEUE_BLOCKS];
	unsigned taking; /* of the decider: the block it empties */
	size_t at, end;  /* likewise: what it has not taken yet of it */
	int bell;        /* eventfd: wakes the decider */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t room;  /* a new block is being filled, or the end began */
	unsigned filling;     /* the block that callers fill */
	size_t used;          /* of it */
	unsigned waiters;     /* threads that wait for room */
	bool asleep;          /* the decider waits for the bell */
	size_t wake_at;       /* for so many bytes in the block that is being filled */
	bool nudged;
	bool closing;
};
void queue_open(struct queue *q);
void queue_close(struct queue *q);
/* Copies the submission, after a wait for room if need be. False if the end began first. */
bool queue_push(struct queue *q, const struct fb_submission *s, void (*done_puts)(void *arg, enum fb_status status));
/* The end begins: nothing more is accepted. */
void queue_drain(struct queue *q);
/* Waits until `enough` bytes are queued (at least 1), `timeout_ms` passed (-1: no limit), or somebody nudges. False at
 * the end: nothing is queued and nobody can queue any more. */
bool queue_wait(struct queue *q, size_t enough, int timeout_ms);
void queue_nudge(struct queue *q); /* any thread: ends the decider's wait, or its next one */
/* The next item, NULL: none without a wait. It stays as it is until it is answered. */
struct item *queue_peek(const struct queue *q);
struct item *queue_after(const struct queue *q, const struct item *i); /* the one after it, likewise */
void queue_take(struct queue *q);

/* ---- tail.c: records that are not folded yet, by seq ----------------------------------------------------------- */
/* A record, what its accounts were after it, and the batch it is in. What it is found by, and what the fold needs of it
 * without decoding it, stands in front. */
struct entry {
	uint64_t debit, credit;
	fb_id id, ref;
	enum fb_record_kind kind;
	enum fb_status refused;
	uint64_t content;
	int64_t time_us;
	uint64_t batch;
	struct fb_counters after[2]; /* debit, credit */
	uint8_t bytes[FB_RECORD_LEN];
};
static inline const struct fb_counters *entry_after(const struct entry *e, uint64_t account)
{
	return &e->after[account == e->debit ? 0 : 1];
}
enum { TAIL_CHUNK = 1024 /* entries */ };
/* Entries first … end-1 can be read by anybody who holds the lock for reading, or by the folder. The decider adds
 * behind `filled`, the committer moves `end`; the folder takes from the front while it holds the lock for writing. */
struct tail {
	pthread_rwlock_t lock;
	struct entry **chunks; /* a ring; their number is a power of two */
	size_t chunk_count, entries_max;
	_Atomic uint64_t first;  /* the oldest seq; all before are folded */
	_Atomic uint64_t end;    /* one behind the newest durable seq */
	uint64_t filled;         /* of the decider: one behind the newest */
};
void tail_open(struct tail *t, uint64_t first, size_t entries_max);
void tail_close(struct tail *t);
size_t tail_room(const struct tail *t);
struct entry *tail_add(struct tail *t); /* there is room */
void tail_publish(struct tail *t, uint64_t end); /* what is before `end` is durable */
/* An entry that was added. */
static inline const struct entry *tail_at(const struct tail *t, uint64_t seq)
{
	return &t->chunks[seq / TAIL_CHUNK & (t->chunk_count - 1)][seq % TAIL_CHUNK];
}
struct fb_record tail_record(const struct tail *t, uint64_t seq);
void tail_drop(struct tail *t, uint64_t end); /* the folder, under the lock */
static inline uint64_t tail_first(const struct tail *t)
{
	return atomic_load_explicit(&t->first, memory_order_acquire);
}
static inline uint64_t tail_end(const struct tail *t)
{
	return atomic_load_explicit(&t->end, memory_order_acquire);
}
/* Adds the entries of records[from … to-1], which are one chain, applied: what the accounts are now they were after
 * each. */
void tail_add_chain(struct tail *t, const struct fb_books *books, const uint8_t *records, uint32_t from, uint32_t to,
		    int64_t time_us, uint64_t batch);

/* ---- rows.c: derived rows as bytes (DATA.md) ------------------------------------------------------------------- */
enum {
	ROW_KEY_MAX = 25,
	ROW_VALUE_MAX = 320,
	ROW_SEQ_KEY_LEN = 10,
	ROW_TIME_KEY_LEN = 10,
	ROW_ACCOUNT_KEY_LEN = 9,
	ROW_HOLD_KEY_LEN = 25,
	ROW_HISTORY_KEY_LEN = 17,
};
struct row {
	uint8_t key[ROW_KEY_MAX], value[ROW_VALUE_MAX];
	size_t key_len, value_len;
};
static inline struct fb_str row_key(const struct row *r)
{
	return (struct fb_str){ (const char *)r->key, r->key_len };
}
static inline struct fb_str row_value(const struct row *r)
{
	return (struct fb_str){ (const char *)r->value, r->value_len };
}
/* Up to where everything is folded. */
struct mark {
	uint64_t seq, batch;
	struct fb_hash hash; /* of that batch */
};
void row_mark_key(struct row *r);
void row_mark(struct row *r, const struct mark *m);
enum fb_status row_mark_read(struct mark *out, struct fb_str value);
void row_seq_key(struct row *r, uint64_t first_seq);
void row_seq(struct row *r, uint64_t first_seq, uint64_t batch);
enum fb_status row_seq_read(uint64_t *batch, struct fb_str key, struct fb_str value); /* key: of any kind */
void row_time_key(struct row *r, int64_t time_us);
void row_time(struct row *r, int64_t time_us, uint64_t last_seq);
enum fb_status row_time_read(uint64_t *last_seq, struct fb_str key, struct fb_str value);
void row_account(struct row *r, const struct fb_account *a);
enum fb_status row_account_read(struct fb_account *out, struct fb_str key, struct fb_str value);
void row_hold_key(struct row *r, uint64_t account, fb_id id);
void row_hold(struct row *r, const struct fb_hold *h);
enum fb_status row_hold_read(struct fb_hold *out, struct fb_str key, struct fb_str value);
void row_id_key(struct row *r, fb_id id);
void row_id(struct row *r, fb_id id, const struct fb_id_fact *f);
enum fb_status row_id_read(struct fb_id_fact *out, struct fb_str value);
void row_history_key(struct row *r, uint64_t account, uint64_t seq);
void row_history(struct row *r, uint64_t account, uint64_t seq, const struct entry *e);
enum fb_status row_history_read(struct fb_history_line *out, struct fb_str key, struct fb_str value);
bool row_is(struct fb_str key, char kind, size_t key_len);
/* The account or first number that a key holds behind its kind. */
uint64_t row_number(struct fb_str key);

/* ---- pack.c: words without those that are zero ----------------------------------------------------------------- */
enum { PACK_WORDS_MAX = 32, PACK_SLACK = 8 /* bytes behind what it returns that pack may write to */ };
size_t pack(uint8_t *out, const uint8_t *words, size_t count);
/* False: not what pack makes of so many words. */
bool unpack(uint8_t *words, size_t count, struct fb_str bytes);

/* ---- journal.c: where we are in the journal -------------------------------------------------------------------- */
/* A batch, borrowed from the cursor. */
struct journal_place {
	struct fb_cursor *cursor;
	struct fb_batch batch;
};
/* To be left, whatever came out. FB_STORAGE: it is not there, or not what was written. */
enum fb_status journal_find(struct fb_store *s, struct journal_place *p, uint64_t number, struct fb_error *e);
/* FB_NOT_FOUND: there is no batch. */
enum fb_status journal_find_last(struct fb_store *s, struct journal_place *p, struct fb_error *e);
/* The next one, linked to it. FB_NOT_FOUND: it was the last. */
enum fb_status journal_next(struct journal_place *p, struct fb_error *e);
void journal_leave(struct journal_place *p);

/* ---- the writer: three threads --------------------------------------------------------------------------------- */
/* The decider takes what waits and decides it, a batch at a time, while batches before are still being written: books
 * and tail are ahead of what is durable, which nobody else is shown. The committer writes all batches that are decided
 * in one durable step, moves the anchor, shows and answers them, in order. The folder makes derived rows of what is
 * durable. */

/* The newest batch of the journal. */
struct head {
	uint64_t epoch, number, next_seq;
	int64_t time_us;
	struct fb_hash hash;
};

/* The decider's until it is handed over, then the committer's until it is answered. */
struct batch {
	uint8_t *bytes;
	uint32_t records;
	uint64_t number, end; /* end: one behind its last seq */
	int64_t time_us;
	struct item **items; /* what was taken, and how much of everything that is */
	size_t item_count, op_count, row_count, row_bytes;
	struct fb_op_result *results; /* one an operation */
	struct fb_put *puts;          /* rows to be stored */
	size_t put_count;
	const char *failure;          /* not NULL: why nothing of it may be written */
	uint8_t key[FB_JOURNAL_KEY_LEN]; /* of its row in the journal */
};
void batch_open(struct batch *b);
void batch_close(struct batch *b);
/* Nothing to be written. */
static inline bool batch_is_empty(const struct batch *b)
{
	return b->records == 0 && b->put_count == 0;
}

/* Batches from the decider to the committer, which uses them in turn. */
struct commits {
	struct batch batch[BATCHES];
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;  /* a batch was decided, or the end began */
	pthread_cond_t room;  /* one was answered */
	uint64_t decided, answered; /* how many, ever */
	bool closing;
};

/* Of the decider: operations that are decided soon. Cleared with every batch: between two of them the books may
 * forget ids, and the index learns of them. */
enum { AHEAD_OPS = 512 };
struct ahead {
	const struct fb_op *ops[AHEAD_OPS];
	size_t op_count, decided, expected; /* expected: of the ops, what the books were told of */
	struct {
		fb_id id;
		enum fb_status status; /* FB_NOT_FOUND, FB_OK, FB_STORAGE */
		struct fb_id_fact fact;
	} ids[AHEAD_OPS];
	size_t id_count, next_id;
};

/* Another thread folds. */
struct fold {
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;  /* there is enough to fold, or the end began */
	pthread_cond_t done;  /* the tail got shorter, or never will */
	bool wanted, closing;
	atomic_bool failed;   /* for good */
};

struct fb_writer {
	struct fb_store *store, *own_store; /* own_store: of a reader, which opened it */
	struct fb_log *log;
	struct fb_metrics *metrics;
	struct fb_clock clock;
	struct fb_writer_settings settings;
	struct tail tail;
	struct queue queue;
	bool started, is_reader;

	/* Of the decider. */
	pthread_t thread;
	struct fb_books *books;
	struct ahead *ahead;
	struct batch *batch;    /* the one being decided */
	uint64_t number;        /* of the newest batch that it decided */
	int64_t time_us;        /* likewise */
	uint64_t forgotten;     /* what the books were told to forget */
	const char *stopped;    /* not NULL: why nothing is decided any more */

	struct commits commits;
	struct head head;       /* of the committer */
	struct fold fold;
	struct mark mark;       /* of the folder */

	pthread_mutex_t durable_lock; /* with it, readers wait for tail.end or the failure */
	pthread_cond_t durable;
	unsigned durable_waiters;
	atomic_bool dead;       /* nothing becomes durable any more */
	atomic_bool distrusts;  /* derived rows could not be read */
};

/* batch.c: takes what waits, decides it as w->batch, hands it over. */
void batch_run(struct fb_writer *w);

/* commit.c */
void commits_open(struct commits *c);
void commits_close(struct commits *c);
void commits_start(struct fb_writer *w);
void commits_stop(struct fb_writer *w); /* after what was decided */
/* Of the decider: waits until there is one to be decided; the same until it is handed over. */
struct batch *commits_next(struct fb_writer *w);
bool commits_idle(struct fb_writer *w); /* all that was handed over is answered */
void commits_hand_over(struct fb_writer *w);
/* Writes one batch and moves the anchor. FB_STORAGE. */
enum fb_status commit_one(struct fb_writer *w, struct batch *b);

/* ahead.c */
void ahead_clear(struct ahead *a);
/* Looks up what the item and those behind it need, unless that was done. */
void ahead_look(struct fb_writer *w, const struct item *item);
/* So many operations are being decided. */
void ahead_decide(struct fb_writer *w, size_t count);
/* False: it was not looked up. */
bool ahead_find(struct ahead *a, enum fb_status *out, struct fb_id_fact *fact, fb_id id);

/* fold.c */
void fold_start(struct fb_writer *w);
void fold_stop(struct fb_writer *w); /* after a last fold */
void fold_want(struct fb_writer *w);
/* The decider: waits until the tail has room for a batch. False: it will not get it. */
bool fold_wait_room(struct fb_writer *w);
void fold_give_up(struct fb_writer *w); /* nobody waits for room any more: the writer is dead */
/* Folds everything durable. `why` on FB_STORAGE. */
enum fb_status fold_now(struct fb_writer *w, struct fb_error *why);

/* derive.c: the rows of all that is durable and not folded. FB_STORAGE: an older row cannot be read. */
enum fb_status derive(struct fb_writer *w, struct fb_bulk *bulk, struct mark *m);

/* anchor.c: the journal against the anchor; a new journal begins. *anchor is what was acknowledged, and is in it; *last
 * the number of the last batch. FB_NOT_FOUND: the journal has not begun. */
enum fb_status anchor_check(struct fb_store *s, struct fb_anchor *anchor, uint64_t *last, struct fb_error *e);
enum fb_status anchor_begin(struct fb_store *s, struct fb_anchor *anchor, struct fb_error *e);
/* load.c: books and tail from the derived rows, if there are any, and the records after them. FB_MISMATCH: the one or
 * the other is wrong. FB_STORAGE: the journal is damaged. */
enum fb_status load(struct fb_writer *w, bool *from_genesis, struct fb_error *e);
/* recover.c */
enum fb_status recover(struct fb_writer *w, struct fb_error *e);

/* index.c: what the books ask */
struct fb_id_index index_of(struct fb_writer *w);
/* A folded record, from the journal. FB_STORAGE. */
enum fb_status index_record(struct fb_writer *w, struct fb_record *out, int64_t *time_us, uint64_t seq);
enum fb_status index_find(struct fb_writer *w, struct fb_id_fact *out, fb_id id);
/* A derived row: FB_NOT_FOUND, FB_STORAGE. */
enum fb_status index_get(struct fb_writer *w, struct row *r);
/* Passes on what came of a read of derived rows; FB_STORAGE has them made again at the next start. */
enum fb_status index_judge(struct fb_writer *w, enum fb_status st);
#endif /* FB_WRITER_INT_H */
