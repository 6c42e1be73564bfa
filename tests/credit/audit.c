/* The auditor: what every account must hold, from the chain as it is, without looking at how it came about. */
#include "world.h"

struct expected {
	world_sum escrow, paid_out, of[WORLD_WALLETS], unsigned_for[WORLD_WALLETS];
};

/* Naive: all blocks up to `last`, every transaction. */
static struct expected recount(const struct world *w, uint64_t last)
{
	struct expected x = { 0 };

	for (uint64_t h = WORLD_FROM; h <= last; h++) {
		for (size_t i = 0; i < w->chain[h].count; i++) {
			const struct world_tx *t = &w->chain[h].txs[i];

			if (t->kind == FB_MOVEMENT_PAYOUT) {
				x.escrow -= t->amount;
				x.paid_out += t->amount;
				continue;
			}
			x.escrow += t->amount;
			x.of[t->wallet] += t->amount;
			if (t->kind == FB_MOVEMENT_GIFT || t->kind == FB_MOVEMENT_TRANSFER)
				x.unsigned_for[t->wallet] += t->amount;
		}
	}
	return x;
}

static world_sum both(struct world *w, uint8_t wallet, enum fb_purpose purpose)
{
	struct fb_owner plain = ledger_owner(w, wallet, false), named = ledger_owner(w, wallet, true);

	return ledger_balance(w, &plain, purpose) +
	       (plain.bytes[0] == named.bytes[0] ? 0 : ledger_balance(w, &named, purpose));
}

static void check_debts(struct world *w)
{
	for (size_t i = 0; i < fb_credit_debtors(w->credit); i++) {
		struct fb_amount debt;
		struct fb_owner owner = fb_credit_debtor(w->credit, i, &debt);

		CHECK(w, ledger_balance(w, &owner, FB_PURPOSE_RECEIVABLE) == -(world_sum)debt.atoms); /* C2 */
	}
}

/* The sum of what the movements say equals the books, always; and at most one credit of an identity is live. */
void audit_always(struct world *w)
{
	struct fb_owner escrow;
	world_sum live = 0;

	for (size_t i = 0; i < 20; i++)
		escrow.bytes[i] = w->settings.escrow.address.bytes[i];
	for (uint8_t i = 0; i < WORLD_WALLETS; i++) {
		live += both(w, i, FB_PURPOSE_AVAILABLE) + both(w, i, FB_PURPOSE_PENDING_IN) +
			both(w, i, FB_PURPOSE_SUSPENSE) + both(w, i, FB_PURPOSE_RECEIVABLE) + w->spent[i];
		CHECK(w, both(w, i, FB_PURPOSE_RECEIVABLE) <= 0);
	}
	CHECK(w, -ledger_balance(w, &escrow, FB_PURPOSE_ESCROW) ==
			 live + ledger_balance(w, &escrow, FB_PURPOSE_PAYOUT));
	CHECK(w, fb_credit_at_risk(w->credit).atoms <= w->early_cap);
	check_debts(w);
}

void audit_end(struct world *w)
{
	struct expected x = recount(w, w->head);
	struct fb_owner escrow;
	struct fb_amount value;

	audit_always(w);
	for (size_t i = 0; i < 20; i++)
		escrow.bytes[i] = w->settings.escrow.address.bytes[i];
	CHECK(w, -ledger_balance(w, &escrow, FB_PURPOSE_ESCROW) == x.escrow); /* C3 */
	CHECK(w, -ledger_balance(w, &escrow, FB_PURPOSE_PAYOUT) == x.paid_out);
	CHECK(w, fb_credit_count(w->credit) == 0);
	CHECK(w, fb_credit_at_risk(w->credit).atoms == 0);
	CHECK(w, (fb_credit_value(w->credit, w->head, &value) == FB_OK) == (x.escrow >= 0));
	if (x.escrow >= 0)
		CHECK(w, value.atoms == (fb_u128)x.escrow);
	for (uint8_t i = 0; i < WORLD_WALLETS; i++) {
		world_sum suspense = both(w, i, FB_PURPOSE_SUSPENSE), owed = both(w, i, FB_PURPOSE_RECEIVABLE);

		CHECK(w, both(w, i, FB_PURPOSE_PENDING_IN) == 0);
		CHECK(w, suspense == (w->registered[i] ? 0 : x.unsigned_for[i]));
		CHECK(w, both(w, i, FB_PURPOSE_AVAILABLE) + suspense + owed + w->spent[i] == x.of[i]);
	}
}
