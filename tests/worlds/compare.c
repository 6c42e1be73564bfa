/* The books against the auditor's, and against the journal. */
#include "world_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- accounts and holds ----------------------------------------------------------------------------------------- */
static void compare_account(struct world *w, const struct fb_account *a, size_t number)
{
	const struct model_account *m = &w->model.now.accounts[number - 1];

	WANT(w, a->number == number && model_same_key(&a->key, &m->key));
	WANT(w, a->may_go_below_zero == m->below_zero);
	WANT(w, a->last_seq == m->last_seq);
	WANT(w, a->counters.debits_posted.atoms == m->debits && a->counters.credits_posted.atoms == m->credits);
	WANT(w, a->counters.debits_pending.atoms == m->pending && a->counters.credits_pending.atoms == 0);
	WANT(w, m->below_zero || m->credits >= m->debits + m->pending); /* B2 */
}

static void compare_accounts(struct world *w)
{
	const struct model_state *s = &w->model.now;
	struct fb_account a;

	WANT(w, fb_books_account_count(w->books) == s->account_count);
	WANT(w, fb_books_account(w->books, &a, 0) == FB_NOT_FOUND);
	WANT(w, fb_books_account(w->books, &a, s->account_count + 1) == FB_NOT_FOUND);
	for (size_t n = 1; n <= s->account_count; n++) {
		WANT(w, fb_books_account(w->books, &a, n) == FB_OK);
		compare_account(w, &a, n);
		WANT(w, fb_books_balance(w->books, &a, &s->accounts[n - 1].key) == FB_OK);
		compare_account(w, &a, n);
	}
}

struct walk {
	struct world *w;
	size_t next;        /* of the auditor's ids, which are in the order of creation */
	uint64_t account;   /* 0: of all */
	fb_u128 sum;
	int64_t first_expiry;
};

static bool compare_hold(void *arg, const struct fb_hold *h)
{
	struct walk *walk = arg;
	const struct model *m = &walk->w->model;
	const struct model_id *id;
	const struct fb_op *op;

	while (walk->next < m->now.id_count && (m->now.ids[walk->next].fate != MODEL_OPEN ||
	       (walk->account != 0 && m->now.ids[walk->next].debit + 1 != walk->account)))
		walk->next++;
	WANT(walk->w, walk->next < m->now.id_count);
	id = &m->now.ids[walk->next++];
	op = &m->ops[id->op];
	WANT(walk->w, h->id == id->id && h->seq == id->seq && h->account == id->debit + 1);
	WANT(walk->w, h->amount.atoms == op->amount.atoms && h->expires_us == op->expires_us);
	walk->sum += h->amount.atoms;
	if (h->expires_us != 0 && h->expires_us < walk->first_expiry)
		walk->first_expiry = h->expires_us;
	return true;
}

static struct walk walk_holds(struct world *w, uint64_t account)
{
	struct walk walk = { .w = w, .account = account, .first_expiry = INT64_MAX };

	fb_books_each_hold(w->books, account, compare_hold, &walk);
	for (size_t i = walk.next; i < w->model.now.id_count; i++)
		WANT(w, w->model.now.ids[i].fate != MODEL_OPEN || (account != 0 && w->model.now.ids[i].debit + 1 != account));
	return walk;
}

static void compare_holds(struct world *w)
{
	WANT(w, walk_holds(w, 0).first_expiry == fb_books_next_expiry(w->books));
	for (size_t n = 1; n <= w->model.now.account_count; n++)
		WANT(w, walk_holds(w, n).sum == w->model.now.accounts[n - 1].pending); /* B5 */
}

/* B1, as the auditor has it. */
static void check_sums(struct world *w)
{
	for (uint32_t asset = 0; asset <= w->assets + 1; asset++) {
		fb_u128 sum = 0;

		for (size_t i = 0; i < w->model.now.account_count; i++)
			if (w->model.now.accounts[i].key.asset == asset)
				sum += w->model.now.accounts[i].debits - w->model.now.accounts[i].credits;
		WANT(w, sum == 0);
	}
}

void compare_books(struct world *w)
{
	WANT(w, fb_books_seq(w->books) == w->model.now.seq);
	compare_accounts(w);
	compare_holds(w);
	check_sums(w);
}

/* ---- records ---------------------------------------------------------------------------------------------------- */
static void compare_record(struct world *w, const struct fb_record *is, const struct fb_record *want)
{
	WANT(w, is->seq == want->seq && is->kind == want->kind && is->linked == want->linked);
	WANT(w, is->asset == want->asset && is->debit == want->debit && is->credit == want->credit);
	WANT(w, is->id == want->id && is->ref == want->ref);
	WANT(w, is->amount.atoms == want->amount.atoms && is->held.atoms == want->held.atoms);
	WANT(w, is->expires_us == want->expires_us && is->code == want->code && is->user == want->user);
	WANT(w, memcmp(&is->external, &want->external, sizeof(is->external)) == 0);
	WANT(w, is->refused == want->refused && is->purpose == want->purpose);
	WANT(w, is->may_go_below_zero == want->may_go_below_zero);
	WANT(w, memcmp(&is->owner, &want->owner, sizeof(is->owner)) == 0);
}

void compare_records(struct world *w)
{
	WANT(w, w->batch_count == w->expected_count);
	for (uint32_t i = 0; i < w->batch_count; i++) {
		struct fb_record is;

		WANT(w, fb_record_decode(&is, w->batch + i * FB_RECORD_LEN) == FB_OK);
		compare_record(w, &is, &w->expected[i]);
	}
}

/* B7. */
void compare_replayed(struct world *w)
{
	struct fb_books *live = w->books, *again;

	fb_books_open(&again, (struct fb_id_index){ .find = NULL }, (struct fb_books_settings){ .seed = 7 });
	for (size_t i = 0; i < w->disk.journal_count; i++)
		WANT(w, fb_books_replay(again, &w->disk.journal[i]) == FB_OK);
	w->books = again;
	compare_books(w);
	w->books = live;
	fb_books_close(again);
	w->seen->replays++;
}
