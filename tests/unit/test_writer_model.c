/* The naive reading of the journal, and the random operations, that tests of the writer share. */
#include "test_writer_model.h"

/* ---- the journal --------------------------------------------------------------------------------------------- */

static void add(struct fb_amount *to, struct fb_amount amount)
{
	CHECK_STATUS(FB_OK, fb_amount_add(to, *to, amount));
}

static void sub(struct fb_amount *from, struct fb_amount amount)
{
	CHECK_STATUS(FB_OK, fb_amount_sub(from, *from, amount));
}

static void apply(struct fb_counters *debit, struct fb_counters *credit, const struct fb_record *r)
{
	switch (r->kind) {
	case FB_RECORD_POST:
	case FB_RECORD_REVERSE:
	case FB_RECORD_LEG:
	case FB_RECORD_CAPTURE:
		add(&debit->debits_posted, r->amount);
		add(&credit->credits_posted, r->amount);
		sub(&debit->debits_pending, r->held);
		break;
	case FB_RECORD_HOLD:
		add(&debit->debits_pending, r->amount);
		break;
	case FB_RECORD_RELEASE:
	case FB_RECORD_EXPIRE:
		sub(&debit->debits_pending, r->amount);
		break;
	case FB_RECORD_ACCOUNT:
	case FB_RECORD_REFUSE:
	case FB_RECORD_KIND_END:
		break;
	}
}

/* Every record of a chain gets what the chain left. */
static void read_records(struct model *m, const struct fb_batch *b, struct fb_counters *counters)
{
	uint64_t chain = m->count + 1;

	for (uint32_t i = 0; i < b->head.records; i++) {
		struct model_line *line = &m->lines[++m->count];

		CHECK(m->count < MODEL_RECORDS);
		CHECK_STATUS(FB_OK, fb_record_decode(&line->record, b->records + (size_t)i * FB_RECORD_LEN));
		CHECK(line->record.seq == m->count);
		line->time_us = b->head.time_us;
		if (line->record.kind == FB_RECORD_ACCOUNT) {
			CHECK(line->record.debit == ++m->accounts && m->accounts < MODEL_ACCOUNTS);
			m->keys[m->accounts] = (struct fb_account_key){ .owner = line->record.owner,
				.asset = line->record.asset, .purpose = line->record.purpose };
		}
		apply(&counters[line->record.debit], &counters[line->record.credit], &line->record);
		if (line->record.linked)
			continue;
		for (; chain <= m->count; chain++) {
			m->lines[chain].after[0] = counters[m->lines[chain].record.debit];
			m->lines[chain].after[1] = counters[m->lines[chain].record.credit];
		}
	}
}

void model_read(struct model *m, struct fb_store *s)
{
	struct fb_counters *counters = fb_must_alloc(MODEL_ACCOUNTS, sizeof(counters[0]));
	struct fb_hash previous = { { 0 } };
	struct fb_cursor *c;
	uint64_t number = 0;

	memset(m, 0, sizeof(*m));
	m->lines = fb_must_alloc(MODEL_RECORDS, sizeof(m->lines[0]));
	fb_cursor_open(&c, s, FB_FAMILY_JOURNAL);
	for (bool more = fb_cursor_seek(c, FB_STR("J")); more; more = fb_cursor_next(c)) {
		struct fb_batch b;

		CHECK_STATUS(FB_OK, fb_batch_open(&b, fb_cursor_value(c), NULL));
		CHECK(b.head.number == number++ && b.head.first_seq == m->count + 1);
		CHECK(fb_hash_eq(&b.head.previous, &previous));
		previous = b.hash;
		read_records(m, &b, counters);
	}
	CHECK_STATUS(FB_OK, fb_cursor_status(c));
	fb_cursor_close(c);
	free(counters);
}

void model_free(struct model *m)
{
	free(m->lines);
}

bool model_counters(const struct model *m, struct fb_counters *out, uint64_t account, uint64_t seq)
{
	for (uint64_t s = seq < m->count ? seq : m->count; s > 0; s--) {
		const struct model_line *line = &m->lines[s];

		if (line->record.debit != account && line->record.credit != account)
			continue;
		*out = line->after[line->record.debit == account ? 0 : 1];
		return true;
	}
	return false;
}

bool model_hold_is_open(const struct model *m, const struct fb_record *hold)
{
	if (hold->kind != FB_RECORD_HOLD)
		return false;
	for (uint64_t s = hold->seq; s <= m->count; s++) {
		const struct fb_record *r = &m->lines[s].record;

		if (r->ref == hold->id && (r->kind == FB_RECORD_CAPTURE || r->kind == FB_RECORD_RELEASE ||
					   r->kind == FB_RECORD_EXPIRE))
			return false;
	}
	return true;
}

bool counters_eq(const struct fb_counters *a, const struct fb_counters *b)
{
	return a->debits_posted.atoms == b->debits_posted.atoms && a->debits_pending.atoms == b->debits_pending.atoms &&
	       a->credits_posted.atoms == b->credits_posted.atoms && a->credits_pending.atoms == b->credits_pending.atoms;
}

/* ---- operations ---------------------------------------------------------------------------------------------- */

uint64_t draw(struct drawer *d, uint64_t below)
{
	d->random ^= d->random << 13;
	d->random ^= d->random >> 7;
	d->random ^= d->random << 17;
	return d->random % below;
}

struct fb_account_key model_key(unsigned owner, unsigned asset, enum fb_purpose purpose)
{
	struct fb_account_key key = { .asset = asset + 1, .purpose = purpose };

	key.owner.bytes[0] = (uint8_t)owner;
	key.owner.bytes[FB_OWNER_LEN - 1] = 0xee;
	return key;
}

static struct fb_account_key draw_key(struct drawer *d, unsigned asset, enum fb_purpose purpose)
{
	return model_key((unsigned)draw(d, MODEL_OWNERS), asset, purpose);
}

static fb_id scatter(fb_id id)
{
	return id * FB_U128(0x9e3779b97f4a7c15u, 0xf39cc0605cedc835u) | 1; /* so that ids do not come in order */
}

/* An id that was used not long ago, or nearly. */
static fb_id old_id(struct drawer *d)
{
	fb_id back = 1 + draw(d, draw(d, 4) == 0 ? 4000 : 60);

	return scatter(d->next_id > back ? d->next_id - back : d->next_id);
}

static void draw_legs(struct drawer *d, struct fb_op *op, unsigned asset)
{
	op->leg_count = 1 + draw(d, 3);
	for (size_t i = 0; i < op->leg_count; i++) {
		op->legs[i].credit = draw_key(d, asset, i == 0 ? FB_PURPOSE_AVAILABLE : FB_PURPOSE_FEES);
		op->legs[i].amount.atoms = 1 + draw(d, 4);
	}
}

static void draw_post(struct drawer *d, struct fb_op *op, unsigned asset)
{
	op->kind = FB_OP_POST;
	op->debit = draw_key(d, asset, draw(d, 3) == 0 ? FB_PURPOSE_AVAILABLE : FB_PURPOSE_WORLD);
	op->leg_count = 1;
	op->legs[0].credit = draw_key(d, asset, FB_PURPOSE_AVAILABLE);
	op->legs[0].amount.atoms = 1 + draw(d, 50);
}

static struct fb_op draw_op(struct drawer *d)
{
	unsigned asset = (unsigned)draw(d, MODEL_ASSETS);
	struct fb_op op = { .id = scatter(d->next_id++), .code = (uint16_t)draw(d, 3), .user = draw(d, 2) };

	switch (draw(d, 10)) {
	case 0:
	case 1:
	case 2:
		draw_post(d, &op, asset);
		break;
	case 3:
	case 4:
	case 5:
		op.kind = FB_OP_HOLD;
		op.debit = draw_key(d, asset, FB_PURPOSE_AVAILABLE);
		op.amount.atoms = 1 + draw(d, 9);
		op.expires_us = draw(d, 2) == 0 ? 0 : d->now_us + (int64_t)draw(d, 5000);
		break;
	case 6:
	case 7:
		op.kind = FB_OP_CAPTURE;
		op.ref = old_id(d);
		draw_legs(d, &op, asset);
		break;
	case 8:
		op.kind = draw(d, 2) == 0 ? FB_OP_RELEASE : FB_OP_REVERSE;
		op.ref = old_id(d);
		break;
	default:
		if (draw(d, 4) == 0) {
			op = (struct fb_op){ .kind = FB_OP_ACCOUNT, .debit = draw_key(d, asset, FB_PURPOSE_PENDING_IN) };
		} else {
			draw_post(d, &op, asset);
			op.id = old_id(d); /* reused */
		}
	}
	return op;
}

size_t draw_ops(struct drawer *d, struct fb_op *ops, size_t cap)
{
	size_t count = 1 + draw(d, cap);

	for (size_t i = 0; i < count; i++) {
		ops[i] = draw_op(d);
		ops[i].linked = i + 1 < count && draw(d, 5) == 0;
	}
	return count;
}
