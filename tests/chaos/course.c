/* One course of events: what a seed makes callers, the chain, the node, the disk and the operator do. */
#include "chaos.h"

#include "virtual.h"

#include <stdlib.h>
#include <string.h>

enum { CONFIRMATIONS = 3, DEPTH_MAX = 16 /* of the rig's follower */ };

/* ---- chance ------------------------------------------------------------------------------------------------------ */

uint64_t chaos_draw(struct chaos *c, uint64_t below)
{
	uint64_t z = c->rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % below;
}

bool chaos_chance(struct chaos *c, unsigned percent)
{
	return chaos_draw(c, 100) < percent;
}

void chaos_sleep_ms(uint64_t ms)
{
	virtual_run_ms(ms);
}

/* ---- beginning -----------------------------------------------------------------------------------------------------
 */

static void draw_swarm(struct chaos *c)
{
	bool *flags[] = { &c->swarm.lag,   &c->swarm.hide,	   &c->swarm.foreign, &c->swarm.forget,
			  &c->swarm.fates, &c->swarm.stranger,	   &c->swarm.crash,   &c->swarm.disk,
			  &c->swarm.poor,  &c->swarm.manual_mining, &c->swarm.reorg, &c->swarm.fees,
			  &c->swarm.silence, &c->swarm.books,	   &c->swarm.cancel,
			  &c->swarm.deep };

	for (size_t i = 0; i < FB_COUNT(flags); i++)
		*flags[i] = chaos_chance(c, 40);
}

static void draw_rates(struct chaos *c)
{
	uint32_t ppm[FB_SIM_FAULTS] = { 0 };

	for (int f = FB_SIM_NONE + 1; f < FB_SIM_FAULTS; f++)
		ppm[f] = f != FB_SIM_STRANGE && chaos_chance(c, 40) ? (uint32_t)chaos_draw(c, 80000) : 0;
	fb_sim_set_rates(fb_rig_sim(c->rig), ppm, (unsigned)chaos_draw(c, 120) + 1);
}

static struct fb_address payer_address(unsigned number)
{
	struct fb_key key = fb_rig_payer(number);

	return fb_key_address(&key);
}

void chaos_start(struct chaos *c)
{
	fb_sim_set_lag(fb_rig_sim(c->rig), false); /* one that stays is taken for another chain, and rightly so */
	while (fb_rig_start(c->rig) != FB_OK) /* a node that fails is asked again, as the operator would */
		FB_ASSERT(strstr(fb_rig_sentence(c->rig), "another chain") == NULL);
}

void chaos_open(struct chaos *c, uint64_t seed)
{
	struct fb_rig_settings settings = { .seed = seed };
	struct fb_address signer;

	c->rng = seed * 1000003;
	settings.wait_ms = 200 + chaos_draw(c, 20000);
	settings.rpc_timeout_ms = 100 + chaos_draw(c, 400);
	fb_rig_open(&c->rig, &settings);
	signer = fb_rig_signer(c->rig);
	draw_swarm(c);
	for (unsigned i = 0; i < CHAOS_PAYERS; i++) {
		struct fb_address payer = payer_address(i);

		fb_sim_pay_in(fb_rig_sim(c->rig), &payer, c->swarm.poor ? chaos_draw(c, 8000) : 1000000);
	}
	fb_sim_auto_mine(fb_rig_sim(c->rig), !c->swarm.manual_mining);
	if (c->swarm.deep) /* one without any transaction of the signer is another chain, and rightly so */
		fb_sim_set_counter(fb_rig_sim(c->rig), &signer, 1);
	if (chaos_chance(c, 20))
		fb_sim_set_logs_max(fb_rig_sim(c->rig), 16 + chaos_draw(c, 64));
	chaos_start(c);
	draw_rates(c);
}

/* ---- callers
 * ---------------------------------------------------------------------------------------------------------- */

void chaos_submit(struct chaos *c, struct chaos_payment *p, const struct fb_claim *claim)
{
	if (p->ticket_count == CHAOS_TICKETS_MAX)
		return;
	p->tickets[p->ticket_count++] = fb_rig_submit(c->rig, claim);
}

static void pay(struct chaos *c, struct chaos_totals *t)
{
	struct fb_rig_payment how = { .payer = fb_rig_payer((uint32_t)chaos_draw(c, CHAOS_PAYERS)),
				      .nonce = (uint32_t)c->payment_count };
	struct chaos_payment *p;

	if (c->payment_count == CHAOS_PAYMENTS_MAX)
		return;
	p = &c->payments[c->payment_count++];
	how.life_s = chaos_chance(c, 10) ? 6 + chaos_draw(c, 20) : 3600;
	fb_rig_claim(&p->claim, c->rig, &how);
	how.atoms = 1500;
	fb_rig_claim(&p->other, c->rig, &how);
	p->forged = chaos_chance(c, 8);
	if (p->forged) {
		p->claim.signature[3] ^= 1;
		p->claim.signer_matches = false;
		p->other = p->claim;
	}
	t->payments++;
	chaos_submit(c, p, &p->claim);
}

static struct chaos_payment *some_payment(struct chaos *c)
{
	return c->payment_count == 0 ? NULL : &c->payments[chaos_draw(c, c->payment_count)];
}

static void repeat(struct chaos *c, struct chaos_totals *t)
{
	struct chaos_payment *p = some_payment(c);

	(void)t;
	for (uint64_t i = 0; p != NULL && i <= chaos_draw(c, 4); i++)
		chaos_submit(c, p, chaos_chance(c, 90) ? &p->claim : &p->other);
}

static void give_back(struct chaos *c, struct chaos_totals *t)
{
	struct chaos_payment *p = some_payment(c);

	for (size_t i = 0; p != NULL && i < p->ticket_count; i++) {
		struct fb_rig_answer a;

		if (p->given_back[i] || !fb_rig_answered(c->rig, p->tickets[i]))
			continue;
		a = fb_rig_wait(c->rig, p->tickets[i]);
		if (a.reached_nobody || a.outcome.reason != FB_REASON_NONE)
			continue;
		fb_rig_give_back(c->rig, p->tickets[i]);
		p->given_back[i] = true;
		t->given_back++;
		return;
	}
}

/* ---- the chain and others on it
 * ----------------------------------------------------------------------------------------- */

static void mine(struct chaos *c, struct chaos_totals *t)
{
	(void)t;
	fb_sim_mine(fb_rig_sim(c->rig));
}

/* Mostly no deeper than what counts as confirmed; now and then as deep as the follower goes. */
static void reorg(struct chaos *c, struct chaos_totals *t)
{
	uint64_t depth = 1 + chaos_draw(c, c->swarm.deep && chaos_chance(c, 40) ? DEPTH_MAX : CONFIRMATIONS);

	if (!c->swarm.reorg)
		return;
	t->deep_reorgs += depth > CONFIRMATIONS;
	if (depth > CONFIRMATIONS)
		fb_rig_reprice(c->rig);
	fb_sim_reorg(fb_rig_sim(c->rig), depth, depth + 1 - chaos_draw(c, 2),
		     (enum fb_sim_reorg)chaos_draw(c, FB_SIM_REORG_DROP + 1));
	c->reorged = true;
	t->reorgs++;
}

/* As usual, ten times that, or more than we ever pay. */
static void fees(struct chaos *c, struct chaos_totals *t)
{
	static const unsigned times[] = { 1, 1, 10, 10, 1000 };

	if (!c->swarm.fees)
		return;
	fb_sim_set_base_fee(fb_rig_sim(c->rig), (fb_u128)FB_SIM_BASE_FEE * times[chaos_draw(c, FB_COUNT(times))]);
	fb_sim_strict_fees(fb_rig_sim(c->rig), chaos_chance(c, 50));
	t->fees++;
}

static void silence(struct chaos *c, struct chaos_totals *t)
{
	struct fb_sim_rule rule = { "eth_sendRawTransaction", FB_SIM_LOSE, .count = 1 };

	if (!c->swarm.silence)
		return;
	fb_sim_add_rule(fb_rig_sim(c->rig), &rule);
	t->replies_lost++;
}

static void books(struct chaos *c, struct chaos_totals *t)
{
	(void)t;
	if (c->swarm.books)
		fb_rig_refuse_books(c->rig, (unsigned)chaos_draw(c, 3));
}

static void money(struct chaos *c, struct chaos_totals *t)
{
	struct fb_address payer = payer_address((unsigned)chaos_draw(c, CHAOS_PAYERS));

	(void)t;
	if (!c->swarm.poor)
		return;
	if (chaos_chance(c, 60))
		fb_sim_pay_in(fb_rig_sim(c->rig), &payer, chaos_draw(c, 3000));
	else
		fb_sim_pay_out(fb_rig_sim(c->rig), &payer, chaos_draw(c, 3000));
}

static void forget(struct chaos *c, struct chaos_totals *t)
{
	(void)t;
	if (c->swarm.forget)
		fb_sim_forget_pending(fb_rig_sim(c->rig));
}

static void take_nonce(struct chaos *c, struct chaos_totals *t)
{
	struct fb_address signer = fb_rig_signer(c->rig);

	if (!c->swarm.foreign)
		return;
	fb_sim_take_nonce(fb_rig_sim(c->rig), &signer);
	t->foreign++;
}

static void stranger(struct chaos *c, struct chaos_totals *t)
{
	struct chaos_payment *p = some_payment(c);

	if (c->swarm.stranger && p != NULL)
		t->strangers +=
			fb_sim_stranger_settles(fb_rig_sim(c->rig), &p->claim.authorization, p->claim.signature);
}

static void cancel(struct chaos *c, struct chaos_totals *t)
{
	struct chaos_payment *p = some_payment(c);

	if (!c->swarm.cancel || p == NULL || !fb_sim_cancel(fb_rig_sim(c->rig), &p->claim.authorization))
		return;
	p->canceled = true;
	t->canceled++;
}

static void fates(struct chaos *c, struct chaos_totals *t)
{
	(void)t;
	if (c->swarm.fates)
		fb_sim_next_fates(fb_rig_sim(c->rig), chaos_chance(c, 50) ? FB_SIM_REVERT : FB_SIM_SILENT, 1);
}

static void lag(struct chaos *c, struct chaos_totals *t)
{
	(void)t;
	if (c->swarm.lag)
		fb_sim_set_lag(fb_rig_sim(c->rig), chaos_chance(c, 50));
}

static void hide(struct chaos *c, struct chaos_totals *t)
{
	(void)t;
	if (c->swarm.hide)
		fb_sim_hide_receipts(fb_rig_sim(c->rig), chaos_chance(c, 50));
}

/* ---- time, the disk, the operator
 * --------------------------------------------------------------------------------------- */

static void pass_time(struct chaos *c, struct chaos_totals *t)
{
	(void)t;
	fb_rig_advance_ms(c->rig, chaos_draw(c, 8000));
	chaos_sleep_ms(chaos_draw(c, 30));
}

static void restart(struct chaos *c, struct chaos_totals *t)
{
	fb_rig_stop(c->rig);
	chaos_start(c);
	t->restarts++;
}

static void crash(struct chaos *c, struct chaos_totals *t)
{
	if (!c->swarm.crash)
		return;
	c->grants_may_be_lost = true;
	fb_rig_crash(c->rig);
	chaos_start(c);
	t->crashes++;
}

static void fail_disk(struct chaos *c, struct chaos_totals *t)
{
	if (!c->swarm.disk)
		return;
	c->grants_may_be_lost = true;
	fb_rig_fail_commit(c->rig, (unsigned)chaos_draw(c, 3), chaos_chance(c, 50));
	t->disk_failures++;
}

static void slow_disk(struct chaos *c, struct chaos_totals *t)
{
	(void)t;
	virtual_disks_hold(true);
	chaos_sleep_ms(chaos_draw(c, 20));
	virtual_disks_hold(false);
}

void chaos_step(struct chaos *c, struct chaos_totals *t)
{
	static const struct {
		unsigned weight;
		void (*act)(struct chaos *c, struct chaos_totals *t);
	} actions[] = {
		{ 30, pay },	   { 30, repeat },  { 8, give_back }, { 15, mine },	{ 6, money }, { 4, forget },
		{ 5, take_nonce }, { 4, stranger }, { 5, fates },     { 6, lag },	{ 6, hide },  { 20, pass_time },
		{ 5, restart },	   { 5, crash },    { 4, fail_disk }, { 4, slow_disk }, { 6, reorg }, { 5, fees },
		{ 4, silence },	   { 3, books },    { 4, cancel },
	};
	unsigned all = 0, at;

	for (size_t i = 0; i < FB_COUNT(actions); i++)
		all += actions[i].weight;
	at = (unsigned)chaos_draw(c, all);
	for (size_t i = 0; i < FB_COUNT(actions); i++) {
		if (at < actions[i].weight) {
			actions[i].act(c, t);
			break;
		}
		at -= actions[i].weight;
	}
	chaos_sleep_ms(chaos_draw(c, 6));
}
