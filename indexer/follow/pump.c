/* What is done next: one event at a time, and nothing while an answer of the chain or of the ledger is waited for. */
#include "follow_int.h"

#include <stdlib.h>
#include <string.h>

static void halt(struct fb_follow *f)
{
	f->halt_due = false;
	if (fb_credit_halted(f->credit) != FB_CREDIT_HALT_NONE)
		return;
	fb_credit_halt(f->credit, f->halt_why);
	f->working = true;
	fb_metric_set(f->metrics, FB_M_INDEXER_HALTED, 1);
	fb_log(f->log, FB_EV_INDEXER_HALTED, FB_F_TEXT("why", fb_credit_halt_text(f->halt_why)));
}

static void rewind_to(struct fb_follow *f, uint64_t first)
{
	struct fb_hash hash;

	f->rewind_due = false;
	if (first <= fb_credit_looked(f->credit, &hash))
		fb_follow_halt(f, FB_CREDIT_HALT_DEEP);
	else if (fb_credit_rewind(f->credit, first) == FB_OK)
		f->working = true;
}

/* Marks that lie above a head that was taken back mean nothing. */
static void tell_heads(struct fb_follow *f)
{
	struct fb_head_block latest;
	uint64_t safe, final;

	f->heads_due = false;
	if (!fb_head_latest(f->head, &latest) || !fb_head_ladder(f->head, &safe, &final))
		return;
	safe = safe < latest.number ? safe : latest.number;
	final = final < safe ? final : safe;
	if (fb_credit_heads(f->credit, latest.number, safe, final) != FB_OK)
		return;
	f->latest = latest.number;
	f->safe = safe;
	f->final = final;
	f->working = f->repay_due = true;
}

static bool balance(struct fb_follow *f, struct fb_amount *out, const struct fb_owner *owner, enum fb_purpose purpose)
{
	const struct fb_account_key key = { *owner, f->settings.credit.asset, purpose };
	struct fb_account a;

	return fb_writer_balance(f->writer, &a, &key) == FB_OK &&
	       fb_amount_sub(out, a.counters.credits_posted, a.counters.debits_posted) == FB_OK &&
	       fb_amount_sub(out, *out, a.counters.debits_pending) == FB_OK;
}

static void grant_wish(struct fb_follow *f)
{
	struct fb_wish w = f->wishes[0];
	struct fb_owner wallet, owner;
	struct fb_amount suspense;

	memmove(f->wishes, f->wishes + 1, --f->wish_count * sizeof(w));
	if (w.movements != NULL) {
		FB_ASSERT(f->receipt == NULL);
		f->receipt = w.movements;
		f->working = fb_credit_receipt(f->credit, w.movements, w.count) == FB_OK;
		if (!f->working) {
			free(f->receipt);
			f->receipt = NULL;
		}
		return;
	}
	memcpy(wallet.bytes, w.wallet.bytes, FB_OWNER_LEN);
	if (!f->ports.owner_of(f->ports.ctx, &owner, &w.wallet))
		return;
	if (!balance(f, &suspense, &wallet, FB_PURPOSE_SUSPENSE))
		suspense = (struct fb_amount){ 0 };
	f->working = fb_credit_claim(f->credit, &w.wallet, suspense) == FB_OK;
}

/* The first debtor who has something. */
static bool repay(struct fb_follow *f)
{
	for (size_t i = 0; i < fb_credit_debtors(f->credit); i++) {
		struct fb_amount debt, available;
		struct fb_owner owner = fb_credit_debtor(f->credit, i, &debt);

		if (balance(f, &available, &owner, FB_PURPOSE_AVAILABLE) &&
		    fb_credit_repay(f->credit, &f->batch, i, available)) {
			f->repaying = true;
			fb_follow_submit(f);
			return true;
		}
	}
	f->repay_due = false;
	return false;
}

/* False: nothing is due, or it is waited for. */
static bool next_event(struct fb_follow *f)
{
	if (f->halt_due)
		halt(f);
	else if (f->rewind_due)
		rewind_to(f, f->rewind_first);
	else if (f->heads_due)
		tell_heads(f);
	else if (f->repay_due)
		(void)repay(f);
	else if (f->wish_count > 0)
		grant_wish(f);
	else if (f->retry == NULL && fb_follow_choose(f))
		fb_follow_read(f);
	else
		return false;
	return true;
}

static void show(struct fb_follow *f)
{
	struct fb_hash hash;
	uint64_t leaks = fb_credit_leaks(f->credit);

	fb_metric_set(f->metrics, FB_M_INDEXER_BLOCK, fb_credit_next_block(f->credit) - 1);
	fb_metric_set(f->metrics, FB_M_INDEXER_LOOKED, fb_credit_looked(f->credit, &hash));
	fb_metric_set(f->metrics, FB_M_INDEXER_LIVE, fb_credit_count(f->credit));
	if (leaks > f->leaks)
		fb_log(f->log, FB_EV_ESCROW_LEAK, FB_F_U64("movements", leaks - f->leaks));
	f->leaks = leaks;
	if (f->ports.changed != NULL)
		f->ports.changed(f->ports.ctx);
}

void fb_follow_pump(struct fb_follow *f)
{
	while (!f->stopped && !f->dead && !f->asking && !f->submitting) {
		if (f->working)
			fb_follow_work(f);
		else if (!next_event(f))
			break;
	}
	if (!f->stopped && !f->dead && !f->submitting && !f->working)
		show(f);
}

static void on_retry(void *arg)
{
	struct fb_follow *f = arg;

	fb_timer_stop(f->retry);
	f->retry = NULL;
	fb_follow_pump(f);
}

void fb_follow_later(struct fb_follow *f)
{
	if (f->retry == NULL)
		f->retry = fb_timer_start(f->loop, FB_FOLLOW_RETRY_MS, 0, on_retry, f);
	fb_follow_pump(f);
}
