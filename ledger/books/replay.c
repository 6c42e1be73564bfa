/* Repeats a record from the journal: the checks that a record of ours always passes, then the same draft as ever. */
#include "books_int.h"

/* ---- accounts --------------------------------------------------------------------------------------------------- */
static bool is_open(const struct fb_books *b, uint64_t number)
{
	return number > 0 && number <= fb_accounts_count(b->accounts) && fb_cell_is_open(fb_cell_at(b->accounts, number));
}

/* The row of the account was in the snapshot already. */
static bool opened_before(const struct fb_books *b, const struct fb_record *r, const struct fb_key *key)
{
	return is_open(b, r->debit) && fb_key_same(&fb_cell_at(b->accounts, r->debit)->key, key) &&
	       fb_cell_at(b->accounts, r->debit)->may_go_below_zero == r->may_go_below_zero;
}

static enum fb_status replay_account(struct fb_books *b, const struct fb_record *r)
{
	const struct fb_account_key key = { .owner = r->owner, .asset = r->asset, .purpose = r->purpose };
	const struct fb_key packed = fb_key_pack(&key);

	if (opened_before(b, r, &packed)) {
		b->seq = r->seq;
		return FB_OK;
	}
	if (is_open(b, r->debit) || fb_accounts_find(b->accounts, &packed) != 0 || r->debit > FB_ACCOUNTS_MAX ||
	    r->debit > fb_accounts_count(b->accounts) + 1)
		return FB_STORAGE;
	fb_draft_apply(b, r);
	return FB_OK;
}

/* ---- counters --------------------------------------------------------------------------------------------------- */
/* Whether the record takes the account where no record of ours does. It reserves, frees and posts these amounts. */
static bool debit_is_good(const struct fb_books *b, const struct fb_record *r, struct fb_amount reserved,
			  struct fb_amount freed, struct fb_amount posted)
{
	const struct fb_cell *c = fb_cell_at(b->accounts, r->debit);
	struct fb_counters n = fb_cell_read(c);
	struct fb_amount debits;

	if (r->seq <= atomic_load_explicit(&c->last_seq, memory_order_relaxed))
		return true; /* counted already */
	if (fb_amount_sub(&n.debits_pending, n.debits_pending, freed) != FB_OK ||
	    fb_amount_add(&n.debits_pending, n.debits_pending, reserved) != FB_OK ||
	    fb_amount_add(&n.debits_posted, n.debits_posted, posted) != FB_OK ||
	    fb_amount_add(&debits, n.debits_posted, n.debits_pending) != FB_OK)
		return false;
	return c->may_go_below_zero || fb_amount_cmp(debits, n.credits_posted) <= 0; /* B2 */
}

static bool credit_is_good(const struct fb_books *b, const struct fb_record *r)
{
	const struct fb_cell *c = fb_cell_at(b->accounts, r->credit);
	struct fb_amount credits;

	return r->seq <= atomic_load_explicit(&c->last_seq, memory_order_relaxed) ||
	       fb_amount_add(&credits, fb_cell_read(c).credits_posted, r->amount) == FB_OK;
}

static bool is_of_asset(const struct fb_books *b, uint64_t number, uint32_t asset)
{
	return is_open(b, number) && fb_key_asset(&fb_cell_at(b->accounts, number)->key) == asset;
}

static bool move_is_good(const struct fb_books *b, const struct fb_record *r)
{
	return is_of_asset(b, r->debit, r->asset) && is_of_asset(b, r->credit, r->asset) && r->debit != r->credit &&
	       debit_is_good(b, r, (struct fb_amount){ 0 }, r->held, r->amount) && credit_is_good(b, r);
}

/* ---- holds ------------------------------------------------------------------------------------------------------ */
static bool same_hold(const struct fb_open_hold *o, const struct fb_record *r)
{
	return o->account == r->debit && o->seq == r->seq && o->amount.atoms == r->amount.atoms &&
	       o->expires_us == r->expires_us && o->content == r->content;
}

static bool hold_is_good(const struct fb_books *b, const struct fb_record *r)
{
	uint32_t slot = fb_holds_find(b->holds, r->id);

	if (slot == 0 ? b->holds->count == FB_HOLDS_MAX : !same_hold(fb_hold_at(b->holds, slot), r))
		return false;
	return is_of_asset(b, r->debit, r->asset) &&
	       debit_is_good(b, r, r->amount, (struct fb_amount){ 0 }, (struct fb_amount){ 0 });
}

/* B4. A hold that is not there may have been ended in a snapshot that is newer in parts, unless its own record was
 * replayed: then it has ended twice. */
static bool end_is_good(const struct fb_books *b, const struct fb_record *r, struct fb_amount held)
{
	uint32_t slot = fb_holds_find(b->holds, r->ref);
	struct fb_id_fact fact;

	if (slot == 0)
		return b->loaded && !fb_ids_find(b->ids, &fact, r->ref);
	return fb_hold_at(b->holds, slot)->account == r->debit && fb_hold_at(b->holds, slot)->amount.atoms == held.atoms;
}

static bool capture_is_good(const struct fb_books *b, const struct fb_record *r)
{
	return fb_amount_cmp(r->amount, r->held) <= 0 && move_is_good(b, r) && end_is_good(b, r, r->held);
}

/* A leg follows its capture, or another leg of it, and takes what these have left. */
static bool leg_is_good(const struct fb_books *b, const struct fb_record *r)
{
	const struct fb_record *last = &b->replayed;

	return last->linked && (last->kind == FB_RECORD_CAPTURE || last->kind == FB_RECORD_LEG) && last->id == r->id &&
	       last->ref == r->ref && last->debit == r->debit && fb_amount_cmp(r->amount, b->left) <= 0 &&
	       move_is_good(b, r);
}

static bool release_is_good(const struct fb_books *b, const struct fb_record *r)
{
	return is_of_asset(b, r->debit, r->asset) && end_is_good(b, r, r->amount) &&
	       debit_is_good(b, r, (struct fb_amount){ 0 }, r->amount, (struct fb_amount){ 0 });
}

/* ---- what is undone --------------------------------------------------------------------------------------------- */
/* The fact of the record that `ref` names; the index may know it to be undone already, being ahead of the replay. */
static enum fb_status find_ref(const struct fb_books *b, struct fb_id_fact *out, fb_id ref, enum fb_record_kind kind)
{
	enum fb_status st = FB_OK;

	if (!fb_ids_find(b->ids, out, ref)) {
		st = b->index.find == NULL ? FB_NOT_FOUND : b->index.find(b->index.ctx, out, ref);
		out->undone = false;
	}
	return st == FB_OK && out->kind == kind && out->refused == FB_OK && !out->undone ? FB_OK : FB_STORAGE;
}

static enum fb_status replay_reverse(struct fb_books *b, const struct fb_record *r)
{
	struct fb_id_fact fact;
	enum fb_status st = find_ref(b, &fact, r->ref, FB_RECORD_POST);

	if (st != FB_OK || !move_is_good(b, r))
		return FB_STORAGE;
	fb_draft_apply(b, r);
	fb_draft_undo(b, r->ref, &fact);
	return FB_OK;
}

static enum fb_status replay_expire(struct fb_books *b, const struct fb_record *r)
{
	struct fb_id_fact fact = { .kind = FB_RECORD_HOLD };
	uint32_t slot = fb_holds_find(b->holds, r->ref);
	enum fb_status st = FB_OK;

	if (slot != 0) {
		fact.seq = fb_hold_at(b->holds, slot)->seq;
		fact.content = fb_hold_at(b->holds, slot)->content;
	} else {
		st = find_ref(b, &fact, r->ref, FB_RECORD_HOLD);
	}
	if (st != FB_OK || !release_is_good(b, r))
		return FB_STORAGE;
	fb_draft_apply(b, r);
	fb_draft_undo(b, r->ref, &fact);
	return FB_OK;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */
static bool is_good(const struct fb_books *b, const struct fb_record *r)
{
	switch (r->kind) {
	case FB_RECORD_POST:
		return move_is_good(b, r);
	case FB_RECORD_HOLD:
		return hold_is_good(b, r);
	case FB_RECORD_CAPTURE:
		return capture_is_good(b, r);
	case FB_RECORD_LEG:
		return leg_is_good(b, r);
	case FB_RECORD_RELEASE:
		return release_is_good(b, r);
	case FB_RECORD_REFUSE:
		return true;
	case FB_RECORD_ACCOUNT:
	case FB_RECORD_EXPIRE:
	case FB_RECORD_REVERSE:
	case FB_RECORD_KIND_END:
		break;
	}
	FB_UNREACHABLE("a kind that is replayed on its own");
}

static enum fb_status replay_kind(struct fb_books *b, const struct fb_record *r)
{
	if (r->kind == FB_RECORD_ACCOUNT)
		return replay_account(b, r);
	if (r->kind == FB_RECORD_EXPIRE)
		return replay_expire(b, r);
	if (r->kind == FB_RECORD_REVERSE)
		return replay_reverse(b, r);
	if (!is_good(b, r))
		return FB_STORAGE;
	fb_draft_apply(b, r);
	return FB_OK;
}

static void note_replayed(struct fb_books *b, const struct fb_record *r)
{
	if (r->kind == FB_RECORD_CAPTURE)
		b->left.atoms = r->held.atoms - r->amount.atoms;
	else if (r->kind == FB_RECORD_LEG)
		b->left.atoms -= r->amount.atoms;
	b->replayed = *r;
}

enum fb_status fb_books_replay(struct fb_books *b, const struct fb_record *r)
{
	bool takes_id = r->kind != FB_RECORD_LEG && r->id != 0;
	struct fb_id_fact fact;
	enum fb_status st;

	FB_ASSERT(!b->whole);
	if (r->seq != b->seq + 1 || (takes_id && fb_ids_find(b->ids, &fact, r->id))) /* B3 */
		return FB_STORAGE;
	fb_draft_begin(b, NULL, 0);
	st = replay_kind(b, r);
	if (st != FB_OK)
		return st;
	if (b->draft->seq == r->seq)
		fb_draft_commit(b);
	note_replayed(b, r);
	return FB_OK;
}
