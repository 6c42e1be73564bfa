/* Shared inside the books. The parts, from the bottom: stable arrays and hash tables; accounts, holds with their
 * expiry, ids; the draft, through which alone they change; what decides (form, outside, decide, run) or repeats
 * (replay). */
#ifndef FB_BOOKS_INT_H
#define FB_BOOKS_INT_H
#include "farebox/books.h"

#include <stdatomic.h>

/* ---- seg.c: an array that grows without moving its elements: segments that double ------------------------------- */
enum { FB_SEG_BASE = 64 /* elements of the first */, FB_SEG_MAX = 25 };
struct fb_seg {
	size_t size; /* bytes of an element */
	size_t high; /* elements that were ever reserved */
	uint8_t *at[FB_SEG_MAX];
	void *raw[FB_SEG_MAX]; /* as allocated */
};
void fb_seg_open(struct fb_seg *s, size_t size);
void fb_seg_close(struct fb_seg *s);
/* Makes room for element i, zeroed when it is new; what lies before it has room too. */
void fb_seg_reserve(struct fb_seg *s, uint32_t i);
size_t fb_seg_memory(const struct fb_seg *s);
static inline void *fb_seg_at(const struct fb_seg *s, uint32_t i, size_t size)
{
	uint64_t n = (uint64_t)i + FB_SEG_BASE;
	unsigned k = 57u - (unsigned)__builtin_clzll(n); /* log2(n / FB_SEG_BASE) */

	return s->at[k] + (n - ((uint64_t)FB_SEG_BASE << k)) * size;
}

/* ---- table.c: hash table of references; grows a few slots at a time --------------------------------------------- */
/* A slot is 0 (empty), or an element's hash above its reference. Reference 0 with a hash: removed while growing. */
struct fb_slots {
	uint64_t mask;
	struct fb_slots *retired; /* the next one */
	_Atomic uint64_t slot[];
};
struct fb_table {
	/* Elements are in `now`, or not yet moved there from `old` (NULL unless it grows). A thread that takes both,
	 * `now` first, sees every element of a table from which nothing is removed. */
	_Atomic(struct fb_slots *) now, old;
	struct fb_slots *retired; /* former `old`s, which other threads may be in */
	uint64_t used, moved;     /* elements; slots of `old` that were moved */
};
void fb_table_open(struct fb_table *t);
void fb_table_close(struct fb_table *t);
void fb_table_put(struct fb_table *t, uint32_t hash, uint32_t ref); /* which is not there */
void fb_table_remove(struct fb_table *t, uint32_t hash, uint32_t ref); /* which is there */
void fb_table_reap(struct fb_table *t); /* frees what is retired: nobody is in it */
size_t fb_table_memory(const struct fb_table *t);

/* Has the place of an element fetched, for whoever looks for it soon. */
static inline void fb_table_prefetch(const struct fb_table *t, uint32_t hash)
{
	const struct fb_slots *now = atomic_load_explicit(&t->now, memory_order_relaxed);

	__builtin_prefetch(&now->slot[hash & now->mask]);
}

typedef bool (*fb_table_eq)(const void *elements, uint32_t ref, const void *key);
__attribute__((always_inline)) static inline uint32_t fb_slots_find(const struct fb_slots *s, uint32_t hash,
		fb_table_eq eq, const void *elements, const void *key)
{
	for (uint64_t i = hash & s->mask;; i = (i + 1) & s->mask) {
		uint64_t slot = atomic_load_explicit(&s->slot[i], memory_order_acquire);
		uint32_t ref = (uint32_t)slot;

		if (slot == 0)
			return 0;
		if (slot >> 32 == hash && ref != 0 && eq(elements, ref, key))
			return ref;
	}
}
/* The reference of the element that equals key, or 0. */
__attribute__((always_inline)) static inline uint32_t fb_table_find(const struct fb_table *t, uint32_t hash,
		fb_table_eq eq, const void *elements, const void *key)
{
	const struct fb_slots *now = atomic_load(&t->now), *old = atomic_load(&t->old);
	uint32_t ref = fb_slots_find(now, hash, eq, elements, key);

	return ref != 0 || old == NULL ? ref : fb_slots_find(old, hash, eq, elements, key);
}

/* ---- digest.c --------------------------------------------------------------------------------------------------- */
/* An account's key as words: compared, hashed and digested eight bytes at a time. */
struct fb_key {
	uint64_t word[4];
};
struct fb_key fb_key_pack(const struct fb_account_key *key);
struct fb_account_key fb_key_unpack(const struct fb_key *key);
static inline bool fb_key_same(const struct fb_key *a, const struct fb_key *b)
{
	return ((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) | (a->word[2] ^ b->word[2]) |
		(a->word[3] ^ b->word[3])) == 0;
}
static inline uint32_t fb_key_asset(const struct fb_key *k)
{
	return (uint32_t)(k->word[2] >> 32);
}
uint32_t fb_key_hash(const struct fb_key *key, uint64_t seed);
uint32_t fb_id_hash(fb_id id, uint64_t seed);
/* What tells "the same again" from "the id reused". Stored: never to change. */
uint64_t fb_op_digest(const struct fb_op *op);

/* ---- accounts.c ------------------------------------------------------------------------------------------------- */
enum { FB_COUNTER_WORDS = 8 };
/* The key is written once, before anybody can find it; version, last_seq and counters form a seqlock: the owner's
 * thread makes version odd, writes, makes it even again. Every word is atomic: no read is torn or undefined. */
struct fb_cell {
	struct fb_key key;        /* purpose 0: not open */
	_Atomic uint32_t version;
	uint32_t draft;           /* its entry of the draft, from 1; 0 none */
	uint32_t holds;           /* one of its open holds, 0 none */
	bool may_go_below_zero;
	bool changed;             /* is in the list of changes */
	_Atomic uint64_t last_seq;
	uint64_t spare;
	_Atomic uint64_t counter[FB_COUNTER_WORDS];
};
_Static_assert(sizeof(struct fb_cell) == 128, "two cache lines an account");

struct fb_accounts {
	struct fb_seg cells;
	struct fb_table by_key;
	uint64_t seed;
	_Atomic uint64_t count;    /* the highest number */
	uint64_t open;             /* as many as count, but during recovery */
	uint32_t max;              /* to be opened; what is loaded may be more */
	_Atomic uint32_t readers;  /* threads that look something up now */
	struct fb_seg changes;     /* numbers */
	uint32_t change_count;
};
void fb_accounts_open(struct fb_accounts **out, uint64_t seed, uint32_t max);
void fb_accounts_close(struct fb_accounts *a);
static inline uint64_t fb_accounts_count(const struct fb_accounts *a)
{
	return atomic_load_explicit(&a->count, memory_order_acquire);
}
static inline struct fb_cell *fb_cell_at(const struct fb_accounts *a, uint64_t number)
{
	FB_ASSERT(number > 0 && number <= fb_accounts_count(a));
	return fb_seg_at(&a->cells, (uint32_t)number, sizeof(struct fb_cell));
}
static inline bool fb_cell_is_open(const struct fb_cell *c)
{
	return c->key.word[3] != 0;
}
uint32_t fb_accounts_find(const struct fb_accounts *a, const struct fb_key *key); /* the number, 0 none */
void fb_accounts_reach(struct fb_accounts *a, uint64_t number); /* has cells up to this number, open or not */
void fb_accounts_add(struct fb_accounts *a, uint64_t number, const struct fb_key *key, bool may_go_below_zero);
struct fb_counters fb_cell_read(const struct fb_cell *c); /* on the owner's thread */
void fb_cell_write(struct fb_cell *c, const struct fb_counters *counters, uint64_t last_seq);
void fb_accounts_changed(struct fb_accounts *a, uint64_t number);

/* ---- holds.c, expiry.c ------------------------------------------------------------------------------------------ */
struct fb_open_hold {
	fb_id id;                 /* 0: the slot is free */
	struct fb_amount amount;
	uint64_t seq, content;
	int64_t expires_us;
	uint32_t account;
	uint32_t heap;            /* its place in the heap, from 1; 0 never expires */
	uint32_t next, prev;      /* of the account's holds, in a ring; next: of the free slots */
	bool saved;               /* was among the changes taken before */
	bool changed;             /* the slot is in the list of changes */
};
struct fb_ended_hold {
	fb_id id;
	uint64_t account, seq;
};
struct fb_heap_node {
	int64_t expires_us;
	uint64_t seq; /* of two that expire together the older goes first */
	uint32_t slot;
};
struct fb_heap {
	struct fb_seg nodes; /* from 1; place i has the children 2i and 2i+1 */
	uint32_t count;
};
struct fb_holds {
	struct fb_seg slots; /* from 1 */
	struct fb_table by_id;
	struct fb_heap heap;
	uint64_t seed;
	uint32_t free, high, count, max; /* a free slot; slots ever used; open; the most to open */
	struct fb_seg changes;           /* slots */
	struct fb_seg ended;             /* struct fb_ended_hold, of those that were saved */
	uint32_t change_count, ended_count;
};
void fb_holds_open(struct fb_holds **out, uint64_t seed, uint32_t max);
void fb_holds_close(struct fb_holds *h);
static inline struct fb_open_hold *fb_hold_at(const struct fb_holds *h, uint32_t slot)
{
	return fb_seg_at(&h->slots, slot, sizeof(struct fb_open_hold));
}
uint32_t fb_holds_find(const struct fb_holds *h, fb_id id); /* its slot, 0 none */
/* `first` is the account's cell's `holds`. */
void fb_holds_add(struct fb_holds *h, uint32_t *first, const struct fb_hold *hold, bool saved);
void fb_holds_end(struct fb_holds *h, uint32_t *first, uint32_t slot);
#ifdef FB_VERIFY
fb_u128 fb_holds_sum(const struct fb_holds *h, uint32_t first); /* of the ring's amounts */
#endif
struct fb_hold fb_hold_view(const struct fb_open_hold *o);

void fb_heap_push(struct fb_holds *h, uint32_t slot);
void fb_heap_remove(struct fb_holds *h, uint32_t slot);
uint32_t fb_heap_first(const struct fb_holds *h); /* the slot that expires first, 0 none */

/* ---- ids.c: what is remembered of ids, oldest change first ------------------------------------------------------ */
enum { FB_MEMOS = 1024 /* of a block */ };
struct fb_memo {
	fb_id id; /* 0: was said again later */
	uint64_t content;
	uint64_t seq : 48, refused : 8, kind : 4, undone : 1;
};
_Static_assert(sizeof(struct fb_memo) == 32, "a remembered id");
struct fb_memo_block {
	uint64_t last_seq; /* of the records that changed any of its ids */
	struct fb_memo memo[FB_MEMOS];
};
/* Positions count memos, modulo 2^31; a position's block is found through the directory. */
struct fb_ids {
	struct fb_table by_id;
	uint64_t seed;
	struct fb_memo_block **directory, *spare;
	uint32_t directory_len; /* a power of two */
	uint32_t head, tail;    /* positions of the oldest and of the next */
	uint64_t forget;        /* what changed up to this seq may go */
	uint64_t added;         /* memos since the last sweep */
};
void fb_ids_open(struct fb_ids **out, uint64_t seed);
void fb_ids_close(struct fb_ids *ids);
bool fb_ids_find(const struct fb_ids *ids, struct fb_id_fact *out, fb_id id);
void fb_ids_add(struct fb_ids *ids, fb_id id, const struct fb_id_fact *fact, uint64_t changed_seq); /* a new one */
void fb_ids_change(struct fb_ids *ids, fb_id id, const struct fb_id_fact *fact, uint64_t changed_seq);
/* Lets some of what may be forgotten go. Never while a submission is decided: what was found to be remembered when it
 * began is not looked up in the index. */
void fb_ids_sweep(struct fb_ids *ids);
size_t fb_ids_memory(const struct fb_ids *ids);

/* ---- draft.c: the change that one chain of operations, or one replayed record, makes ---------------------------- */
enum {
	FB_DRAFT_ENTRIES = FB_CHAIN_MAX * (1 + FB_LEGS_MAX),
	FB_DRAFT_HOLDS = 2 * FB_CHAIN_MAX, /* opened; ended */
	FB_DRAFT_IDS = 2 * FB_CHAIN_MAX,   /* an operation's own; the one it undoes */
};
/* An account as the draft leaves it. */
struct fb_entry {
	struct fb_cell *cell; /* NULL: not open before the draft */
	struct fb_key key;
	uint64_t number;      /* 0: not opened yet */
	uint64_t last_seq;
	bool may_go_below_zero, changed;
	struct fb_counters counters;
};
struct fb_draft_hold {
	struct fb_hold hold;
	uint32_t slot; /* 0: opened by this draft */
	bool ended;
};
struct fb_draft_id {
	fb_id id;
	struct fb_id_fact fact;
	uint64_t changed_seq;
	bool known; /* may be remembered already */
};
struct fb_draft {
	struct fb_entry entry[FB_DRAFT_ENTRIES];
	struct fb_entry *opened[FB_DRAFT_ENTRIES]; /* by number, after those that were open */
	struct fb_draft_hold hold[FB_DRAFT_HOLDS];
	struct fb_draft_id id[FB_DRAFT_IDS];
	uint32_t entries, opens, holds, ids;
	int64_t more_holds;       /* opened less ended */
	uint64_t seq;             /* of its last record */
	struct fb_record record;  /* the last, which is written when it is known whether one follows */
	bool unwritten;
	uint8_t *out;             /* the batch's records; NULL: replayed, nothing to write */
	uint32_t written;         /* records there */
	uint64_t first_seq;       /* of the first there */
};

/* What one operation needs from the id index, read before anything is decided. */
struct fb_outside {
	struct fb_id_fact id, ref;
	bool has_id, has_ref;
	bool was_open; /* the hold that ref names: nothing more is read about it */
	struct fb_record post; /* seq 0: none */
};
struct fb_books {
	struct fb_accounts *accounts;
	struct fb_holds *holds;
	struct fb_ids *ids;
	struct fb_draft *draft;
	struct fb_id_index index;
	struct fb_outside *outside; /* one per operation of a submission */
	size_t outside_len;
	int64_t time_us;            /* of the submission being decided */
	uint64_t seq;
	/* Sums over all accounts and holds, modulo 2^128; in whole books the pairs are equal (B1, B5). */
	fb_u128 debits, credits, pending, held;
	bool whole;                 /* recovery is over and its result was found good */
	uint64_t newest;            /* the highest seq in a loaded row */
	bool loaded;                /* began with a snapshot, whose rows may be newer than what is replayed */
	/* The record replayed last, which a LEG belongs to, and what the legs of its capture may still take. */
	struct fb_record replayed;
	struct fb_amount left;
};

/* The account as it is in the draft; an account that is not open is an entry without number. */
struct fb_entry *fb_draft_account(struct fb_books *b, const struct fb_key *key);
struct fb_entry *fb_draft_number(struct fb_books *b, uint64_t number); /* which is open */
/* A hold that the draft opened or ended; NULL otherwise. */
const struct fb_draft_hold *fb_draft_hold(const struct fb_books *b, fb_id id);
bool fb_draft_fact(const struct fb_books *b, struct fb_id_fact *out, fb_id id); /* of an id that it changed */
/* Begins the next record; the caller fills it in, then applies it to the draft. */
struct fb_record *fb_draft_record(struct fb_books *b, enum fb_record_kind kind);
void fb_draft_apply(struct fb_books *b, const struct fb_record *r);
/* A hold expired or a post was reversed by the last record. */
void fb_draft_undo(struct fb_books *b, fb_id id, const struct fb_id_fact *fact);
void fb_draft_begin(struct fb_books *b, uint8_t *records, uint32_t count);
uint32_t fb_draft_commit(struct fb_books *b); /* the draft becomes true; returns how many records are written */
void fb_draft_drop(struct fb_books *b);       /* nothing happened */

/* ---- form.c, outside.c, decide.c -------------------------------------------------------------------------------- */
enum fb_status fb_op_form(const struct fb_op *op); /* what is wrong with it whatever the books say */
/* FB_STORAGE. */
enum fb_status fb_outside_read(struct fb_books *b, struct fb_outside *out, const struct fb_op *op);
/* Of an operation's own id or of its ref. */
bool fb_fact_find(const struct fb_books *b, struct fb_id_fact *out, fb_id id, const struct fb_id_fact *outside);
/* Decides one operation and adds what it does to the draft, if anything. */
void fb_decide(struct fb_books *b, struct fb_op_result *result, const struct fb_op *op,
	       const struct fb_outside *outside);

/* ---- books.c ---------------------------------------------------------------------------------------------------- */
/* Whether loading and replaying made whole books: asked before the first change. */
bool fb_books_are_whole(struct fb_books *b);
#endif /* FB_BOOKS_INT_H */
