/* The draft: what one chain of operations, or one replayed record, changes. It is made of records alone, and becomes
 * true as a whole or not at all. Nothing else in the books changes an account, a hold or an id. */
#include "books_int.h"

/* ---- looking at the books through the draft --------------------------------------------------------------------- */
static struct fb_entry *new_entry(struct fb_draft *d)
{
	FB_ASSERT(d->entries < FB_DRAFT_ENTRIES);
	return &d->entry[d->entries++];
}

struct fb_entry *fb_draft_number(struct fb_books *b, uint64_t number)
{
	struct fb_draft *d = b->draft;
	uint64_t count = fb_accounts_count(b->accounts);
	struct fb_cell *c;
	struct fb_entry *e;

	if (number > count) {
		FB_ASSERT(number - count <= d->opens);
		return d->opened[number - count - 1];
	}
	c = fb_cell_at(b->accounts, number);
	if (c->draft != 0)
		return &d->entry[c->draft - 1];
	FB_ASSERT(fb_cell_is_open(c));
	e = new_entry(d);
	c->draft = d->entries;
	*e = (struct fb_entry){ .cell = c, .key = c->key, .number = number, .may_go_below_zero = c->may_go_below_zero,
		.last_seq = atomic_load_explicit(&c->last_seq, memory_order_relaxed), .counters = fb_cell_read(c) };
	return e;
}

/* What a purpose's accounts may do unless they are opened explicitly. */
static bool default_below_zero(enum fb_purpose purpose)
{
	switch (purpose) {
#define X(name, num, below, text) \
	case FB_PURPOSE_##name:   \
		return below;
		FB_PURPOSES(X)
#undef X
	case FB_PURPOSE_END:
		break;
	}
	FB_UNREACHABLE("a purpose");
}

struct fb_entry *fb_draft_account(struct fb_books *b, const struct fb_key *key)
{
	struct fb_draft *d = b->draft;
	uint32_t number = fb_accounts_find(b->accounts, key);
	struct fb_entry *e;

	if (number != 0)
		return fb_draft_number(b, number);
	for (uint32_t i = 0; i < d->entries; i++)
		if (d->entry[i].cell == NULL && fb_key_same(&d->entry[i].key, key))
			return &d->entry[i];
	e = new_entry(d);
	*e = (struct fb_entry){ .key = *key, .may_go_below_zero = default_below_zero((enum fb_purpose)key->word[3]) };
	return e;
}

static struct fb_draft_hold *draft_hold(struct fb_draft *d, fb_id id)
{
	for (uint32_t i = d->holds; i > 0; i--)
		if (d->hold[i - 1].hold.id == id)
			return &d->hold[i - 1];
	return NULL;
}

const struct fb_draft_hold *fb_draft_hold(const struct fb_books *b, fb_id id)
{
	return draft_hold(b->draft, id);
}

bool fb_draft_fact(const struct fb_books *b, struct fb_id_fact *out, fb_id id)
{
	const struct fb_draft *d = b->draft;

	for (uint32_t i = d->ids; i > 0; i--)
		if (d->id[i - 1].id == id) {
			*out = d->id[i - 1].fact;
			return true;
		}
	return false;
}

/* ---- adding a record -------------------------------------------------------------------------------------------- */
static void write_last(struct fb_draft *d, bool linked)
{
	if (!d->unwritten)
		return;
	d->record.linked = linked;
	fb_record_encode(d->out + (size_t)d->written * FB_RECORD_LEN, &d->record);
	d->written++;
	d->unwritten = false;
}

struct fb_record *fb_draft_record(struct fb_books *b, enum fb_record_kind kind)
{
	struct fb_draft *d = b->draft;

	FB_ASSERT(d->out != NULL && d->written < FB_BATCH_RECORDS_MAX);
	write_last(d, true);
	d->record = (struct fb_record){ .seq = d->seq + 1, .kind = kind };
	d->unwritten = true;
	return &d->record;
}

static void add_amount(struct fb_amount *counter, struct fb_amount amount)
{
	enum fb_status st = fb_amount_add(counter, *counter, amount);

	FB_ASSERT(st == FB_OK);
}

static void sub_amount(struct fb_amount *counter, struct fb_amount amount)
{
	enum fb_status st = fb_amount_sub(counter, *counter, amount);

	FB_ASSERT(st == FB_OK);
}

/* The counters to change, or NULL: the account has counted this record already (it came from a newer snapshot). */
static struct fb_counters *touch(struct fb_books *b, uint64_t number, uint64_t seq)
{
	struct fb_entry *e = fb_draft_number(b, number);

	FB_ASSERT(seq > e->last_seq || b->draft->out == NULL);
	if (seq <= e->last_seq)
		return NULL;
	e->last_seq = seq;
	e->changed = true;
	return &e->counters;
}

static void open_account(struct fb_books *b, const struct fb_record *r)
{
	const struct fb_account_key key = { .owner = r->owner, .asset = r->asset, .purpose = r->purpose };
	const struct fb_key packed = fb_key_pack(&key);
	struct fb_entry *e = fb_draft_account(b, &packed);

	FB_ASSERT(e->number == 0);
	e->number = r->debit;
	e->may_go_below_zero = r->may_go_below_zero;
	e->last_seq = r->seq;
	e->changed = true;
	b->draft->opened[b->draft->opens++] = e;
}

static void move(struct fb_books *b, const struct fb_record *r)
{
	struct fb_counters *debit = touch(b, r->debit, r->seq), *credit = touch(b, r->credit, r->seq);

	if (debit != NULL)
		add_amount(&debit->debits_posted, r->amount);
	if (debit != NULL && r->held.atoms != 0)
		sub_amount(&debit->debits_pending, r->held);
	if (credit != NULL)
		add_amount(&credit->credits_posted, r->amount);
}

static void reserve(struct fb_books *b, const struct fb_record *r)
{
	struct fb_draft *d = b->draft;
	struct fb_counters *debit = touch(b, r->debit, r->seq);
	const struct fb_hold hold = { .id = r->id, .account = r->debit, .seq = r->seq, .content = r->content,
		.amount = r->amount, .expires_us = r->expires_us };

	if (debit != NULL)
		add_amount(&debit->debits_pending, r->amount);
	if (fb_holds_find(b->holds, r->id) != 0)
		return; /* replayed, and the snapshot's holds are newer */
	FB_ASSERT(d->holds < FB_DRAFT_HOLDS);
	d->hold[d->holds++] = (struct fb_draft_hold){ .hold = hold };
	d->more_holds++;
}

/* A hold that is not there was ended already in the snapshot that this is replayed onto. */
static void end_hold(struct fb_books *b, fb_id id)
{
	struct fb_draft *d = b->draft;
	struct fb_draft_hold *mine = draft_hold(d, id);
	uint32_t slot;

	if (mine != NULL) {
		FB_ASSERT(!mine->ended);
		mine->ended = true;
		d->more_holds--;
		return;
	}
	slot = fb_holds_find(b->holds, id);
	FB_ASSERT(slot != 0 || d->out == NULL);
	if (slot == 0)
		return;
	FB_ASSERT(d->holds < FB_DRAFT_HOLDS);
	d->more_holds--;
	d->hold[d->holds++] = (struct fb_draft_hold){ .hold.id = id, .hold.account = fb_hold_at(b->holds, slot)->account,
		.slot = slot, .ended = true };
}

static void release(struct fb_books *b, const struct fb_record *r)
{
	struct fb_counters *debit = touch(b, r->debit, r->seq);

	if (debit != NULL)
		sub_amount(&debit->debits_pending, r->amount);
	end_hold(b, r->ref);
}

static void add_id(struct fb_draft *d, const struct fb_draft_id *id)
{
	FB_ASSERT(d->ids < FB_DRAFT_IDS);
	d->id[d->ids++] = *id;
}

static void remember(struct fb_books *b, const struct fb_record *r)
{
	const struct fb_id_fact fact = { .seq = r->seq, .content = r->content, .refused = r->refused, .kind = r->kind };

	add_id(b->draft, &(struct fb_draft_id){ .id = r->id, .fact = fact, .changed_seq = r->seq });
}

void fb_draft_undo(struct fb_books *b, fb_id id, const struct fb_id_fact *fact)
{
	struct fb_draft_id undone = { .id = id, .fact = *fact, .changed_seq = b->draft->seq, .known = true };

	FB_ASSERT(fact->refused == FB_OK && (fact->kind == FB_RECORD_HOLD || fact->kind == FB_RECORD_POST));
	undone.fact.undone = true;
	add_id(b->draft, &undone);
}

void fb_draft_apply(struct fb_books *b, const struct fb_record *r)
{
	FB_ASSERT(r->seq == b->draft->seq + 1);
	b->draft->seq = r->seq;
	switch (r->kind) {
	case FB_RECORD_ACCOUNT:
		open_account(b, r);
		return;
	case FB_RECORD_POST:
	case FB_RECORD_REVERSE:
		move(b, r);
		break;
	case FB_RECORD_HOLD:
		reserve(b, r);
		break;
	case FB_RECORD_CAPTURE:
		move(b, r);
		end_hold(b, r->ref);
		break;
	case FB_RECORD_LEG:
		move(b, r);
		return; /* the capture has the id */
	case FB_RECORD_RELEASE:
		release(b, r);
		break;
	case FB_RECORD_EXPIRE:
		release(b, r);
		return;
	case FB_RECORD_REFUSE:
		break;
	case FB_RECORD_KIND_END:
		FB_UNREACHABLE("a kind of record");
	}
	remember(b, r);
}

/* ---- the end of a draft ----------------------------------------------------------------------------------------- */
void fb_draft_begin(struct fb_books *b, uint8_t *records, uint32_t count)
{
	struct fb_draft *d = b->draft;

	FB_ASSERT(d->entries == 0 && d->holds == 0 && d->ids == 0 && d->opens == 0 && !d->unwritten);
	FB_ASSERT(count <= b->seq);
	d->seq = b->seq;
	d->out = records;
	d->written = count;
	d->first_seq = b->seq - count + 1;
}

static void clear(struct fb_draft *d)
{
	for (uint32_t i = 0; i < d->entries; i++)
		if (d->entry[i].cell != NULL)
			d->entry[i].cell->draft = 0;
	d->entries = d->opens = d->holds = d->ids = 0;
	d->more_holds = 0;
	d->unwritten = false;
}

void fb_draft_drop(struct fb_books *b)
{
	clear(b->draft);
}

static void commit_entry(struct fb_books *b, struct fb_entry *e)
{
	struct fb_counters before = { .debits_posted = { 0 } };
	const struct fb_counters *after = &e->counters;

	if (!e->changed)
		return;
	if (e->cell == NULL) {
		fb_accounts_add(b->accounts, e->number, &e->key, e->may_go_below_zero);
		e->cell = fb_cell_at(b->accounts, e->number);
	}
	before = fb_cell_read(e->cell);
	fb_cell_write(e->cell, after, e->last_seq);
	fb_accounts_changed(b->accounts, e->number);
	b->debits += after->debits_posted.atoms - before.debits_posted.atoms;
	b->pending += after->debits_pending.atoms - before.debits_pending.atoms;
	b->credits += after->credits_posted.atoms - before.credits_posted.atoms;
}

static void commit_hold(struct fb_books *b, const struct fb_draft_hold *h)
{
	uint32_t *first = &fb_cell_at(b->accounts, h->hold.account)->holds;

	if (h->slot == 0 && h->ended)
		return; /* opened and ended by the same chain */
	if (h->ended) {
		b->held -= fb_hold_at(b->holds, h->slot)->amount.atoms;
		fb_holds_end(b->holds, first, h->slot);
	} else {
		b->held += h->hold.amount.atoms;
		fb_holds_add(b->holds, first, &h->hold, false);
	}
}

static void commit_id(struct fb_ids *ids, const struct fb_draft_id *id)
{
	if (id->known)
		fb_ids_change(ids, id->id, &id->fact, id->changed_seq);
	else
		fb_ids_add(ids, id->id, &id->fact, id->changed_seq);
}

/* B5, of every account that the draft touched. */
static void verify(const struct fb_books *b)
{
#ifdef FB_VERIFY
	for (uint32_t i = 0; i < b->draft->entries && b->whole; i++) {
		const struct fb_cell *c = b->draft->entry[i].cell;

		if (c != NULL)
			FB_ASSERT(fb_cell_read(c).debits_pending.atoms == fb_holds_sum(b->holds, c->holds));
	}
#else
	(void)b;
#endif
}

uint32_t fb_draft_commit(struct fb_books *b)
{
	struct fb_draft *d = b->draft;

	write_last(d, false);
	for (uint32_t i = 0; i < d->opens; i++) /* in the order of their numbers */
		commit_entry(b, d->opened[i]);
	for (uint32_t i = 0; i < d->opens; i++)
		d->opened[i]->changed = false;
	for (uint32_t i = 0; i < d->entries; i++)
		commit_entry(b, &d->entry[i]);
	for (uint32_t i = 0; i < d->holds; i++)
		commit_hold(b, &d->hold[i]);
	for (uint32_t i = 0; i < d->ids; i++)
		commit_id(b->ids, &d->id[i]);
	b->seq = d->seq;
	FB_ASSERT(!b->whole || b->debits == b->credits);  /* B1 */
	FB_ASSERT(!b->whole || b->pending == b->held);    /* B5 */
	verify(b);
	clear(d);
	return d->written;
}
