/* The auditor's books: see model.h. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

enum { RECORDS_MAX = FB_BATCH_RECORDS_MAX };
static const fb_u128 top = FB_AMOUNT_MAX;

void model_open(struct model *m, size_t accounts_max, size_t holds_max)
{
	*m = (struct model){ .accounts_max = accounts_max, .holds_max = holds_max };
	m->records = fb_must_alloc(RECORDS_MAX, sizeof(*m->records));
}

void model_close(struct model *m)
{
	model_free(&m->now);
	free(m->ops);
	free(m->records);
}

/* Arrays have room for a power of two of elements. */
static void *with_room(void *array, size_t count, size_t size)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return array;
	array = realloc(array, (count == 0 ? 1 : 2 * count) * size);
	FB_ASSERT(array != NULL);
	return array;
}

static void *copy_of(const void *array, size_t count, size_t size)
{
	size_t room = 1;
	void *copy;

	while (room < count)
		room *= 2;
	copy = fb_must_alloc(2 * room, size);
	if (count > 0)
		memcpy(copy, array, count * size);
	return copy;
}

void model_copy(struct model_state *to, const struct model_state *from)
{
	*to = *from;
	to->accounts = copy_of(from->accounts, from->account_count, sizeof(*from->accounts));
	to->ids = copy_of(from->ids, from->id_count, sizeof(*from->ids));
}

void model_free(struct model_state *s)
{
	free(s->accounts);
	free(s->ids);
	*s = (struct model_state){ .accounts = NULL };
}

/* ---- looking ---------------------------------------------------------------------------------------------------- */
bool model_same_key(const struct fb_account_key *a, const struct fb_account_key *b)
{
	for (int i = 0; i < FB_OWNER_LEN; i++)
		if (a->owner.bytes[i] != b->owner.bytes[i])
			return false;
	return a->asset == b->asset && a->purpose == b->purpose;
}

static size_t index_of(const struct model *m, const struct fb_account_key *key)
{
	size_t i = 0;

	while (i < m->now.account_count && !model_same_key(&m->now.accounts[i].key, key))
		i++;
	return i;
}

const struct model_account *model_find(const struct model *m, const struct fb_account_key *key)
{
	size_t i = index_of(m, key);

	return i < m->now.account_count ? &m->now.accounts[i] : NULL;
}

static struct model_id *id_of(const struct model *m, fb_id id)
{
	for (size_t i = 0; i < m->now.id_count; i++)
		if (m->now.ids[i].id == id)
			return &m->now.ids[i];
	return NULL;
}

static bool same_leg(const struct fb_leg *a, const struct fb_leg *b)
{
	return model_same_key(&a->credit, &b->credit) && a->amount.atoms == b->amount.atoms;
}

static bool same_content(const struct fb_op *a, const struct fb_op *b)
{
	bool debit = a->kind == FB_OP_POST || a->kind == FB_OP_HOLD;
	bool legs = a->kind == FB_OP_POST || a->kind == FB_OP_CAPTURE;

	if (a->kind != b->kind || a->code != b->code || a->user != b->user ||
	    memcmp(&a->external, &b->external, sizeof(a->external)) != 0)
		return false;
	if (debit && !model_same_key(&a->debit, &b->debit))
		return false;
	if (a->kind == FB_OP_HOLD)
		return a->amount.atoms == b->amount.atoms && a->expires_us == b->expires_us;
	if (a->kind != FB_OP_POST && a->ref != b->ref)
		return false;
	for (size_t i = 0; legs && i < a->leg_count; i++)
		if (b->leg_count != a->leg_count || !same_leg(&a->legs[i], &b->legs[i]))
			return false;
	return true;
}

size_t model_open_holds(const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->now.id_count; i++)
		n += m->now.ids[i].fate == MODEL_OPEN;
	return n;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */
static struct fb_record *write_record(struct model *m, enum fb_record_kind kind)
{
	struct fb_record *r = &m->records[m->record_count++];

	FB_ASSERT(m->record_count <= RECORDS_MAX);
	*r = (struct fb_record){ .kind = kind, .seq = ++m->now.seq };
	return r;
}

static bool goes_below(enum fb_purpose p)
{
	return p == FB_PURPOSE_ESCROW || p == FB_PURPOSE_RECEIVABLE || p == FB_PURPOSE_GAS || p == FB_PURPOSE_WORLD;
}

static size_t open_one(struct model *m, const struct fb_account_key *key, bool below_zero)
{
	struct model_state *s = &m->now;
	struct fb_record *r = write_record(m, FB_RECORD_ACCOUNT);

	s->accounts = with_room(s->accounts, s->account_count, sizeof(*s->accounts));
	s->accounts[s->account_count] = (struct model_account){ .key = *key, .below_zero = below_zero, .last_seq = r->seq };
	r->debit = ++s->account_count;
	r->owner = key->owner;
	r->asset = key->asset;
	r->purpose = key->purpose;
	r->may_go_below_zero = below_zero;
	return s->account_count - 1;
}

static size_t open_if_new(struct model *m, const struct fb_account_key *key)
{
	size_t i = index_of(m, key);

	return i < m->now.account_count ? i : open_one(m, key, goes_below(key->purpose));
}

static struct model_id *add_id(struct model *m, const struct fb_op *op, enum fb_status refused)
{
	struct model_state *s = &m->now;

	m->ops = with_room(m->ops, m->op_count, sizeof(*m->ops));
	m->ops[m->op_count] = *op;
	s->ids = with_room(s->ids, s->id_count, sizeof(*s->ids));
	s->ids[s->id_count] = (struct model_id){ .id = op->id, .op = m->op_count++, .refused = refused, .seq = s->seq };
	return &s->ids[s->id_count++];
}

static struct fb_record *write_op(struct model *m, enum fb_record_kind kind, const struct fb_op *op)
{
	struct fb_record *r = write_record(m, kind);

	r->id = op->id;
	r->code = op->code;
	r->user = op->user;
	r->external = op->external;
	if (op->kind == FB_OP_CAPTURE || op->kind == FB_OP_RELEASE || op->kind == FB_OP_REVERSE || kind == FB_RECORD_REFUSE)
		r->ref = op->ref;
	return r;
}

static void move(struct model *m, struct fb_record *r, size_t from, size_t to, fb_u128 amount)
{
	m->now.accounts[from].debits += amount;
	m->now.accounts[to].credits += amount;
	m->now.accounts[from].last_seq = m->now.accounts[to].last_seq = r->seq;
	r->asset = m->now.accounts[from].key.asset;
	r->debit = from + 1;
	r->credit = to + 1;
	r->amount.atoms = amount;
}

static void free_hold(struct model *m, struct fb_record *r, struct model_id *hold, enum model_fate fate)
{
	struct model_account *a = &m->now.accounts[hold->debit];

	a->pending -= m->ops[hold->op].amount.atoms;
	a->last_seq = r->seq;
	hold->fate = fate;
	r->asset = a->key.asset;
	r->debit = hold->debit + 1;
	r->amount.atoms = m->ops[hold->op].amount.atoms;
}

/* ---- judging ---------------------------------------------------------------------------------------------------- */
static bool bad_key(const struct fb_account_key *key)
{
	return key->purpose != FB_PURPOSE_ESCROW && key->purpose != FB_PURPOSE_AVAILABLE &&
	       key->purpose != FB_PURPOSE_PENDING_IN && key->purpose != FB_PURPOSE_FEES &&
	       key->purpose != FB_PURPOSE_SUSPENSE && key->purpose != FB_PURPOSE_RECEIVABLE &&
	       key->purpose != FB_PURPOSE_GAS && key->purpose != FB_PURPOSE_WORLD;
}

static bool bad_id(fb_id id)
{
	return id == 0 || id == (fb_id)-1;
}

static bool bad_legs(const struct fb_op *op, size_t least, size_t most)
{
	if (op->leg_count < least || op->leg_count > most)
		return true;
	for (size_t i = 0; i < op->leg_count; i++)
		if (bad_key(&op->legs[i].credit) || op->legs[i].amount.atoms > top ||
		    op->legs[i].credit.asset != op->legs[0].credit.asset)
			return true;
	return false;
}

static bool bad_value(const struct fb_op *op)
{
	switch ((int)op->kind) {
	case FB_OP_ACCOUNT:
		return bad_key(&op->debit) || op->leg_count != 0;
	case FB_OP_POST:
		return bad_id(op->id) || bad_key(&op->debit) || bad_legs(op, 1, 1) ||
		       op->debit.asset != op->legs[0].credit.asset;
	case FB_OP_HOLD:
		return bad_id(op->id) || bad_key(&op->debit) || op->leg_count != 0 || op->amount.atoms > top ||
		       op->expires_us < 0;
	case FB_OP_CAPTURE:
		return bad_id(op->id) || bad_id(op->ref) || bad_legs(op, 1, 8);
	case FB_OP_RELEASE:
	case FB_OP_REVERSE:
		return bad_id(op->id) || bad_id(op->ref) || op->leg_count != 0;
	default:
		return true;
	}
}

static enum fb_status judge_form(const struct fb_op *op)
{
	bool zero = op->kind == FB_OP_HOLD && op->amount.atoms == 0;

	if (bad_value(op))
		return FB_BAD_VALUE;
	for (size_t i = 0; i < op->leg_count; i++)
		zero = zero || op->legs[i].amount.atoms == 0;
	if (zero)
		return FB_ZERO_AMOUNT;
	return op->kind == FB_OP_POST && model_same_key(&op->debit, &op->legs[0].credit) ? FB_SAME_ACCOUNT : FB_OK;
}

/* Whether `amount` may leave the account; the account may be new. */
static enum fb_status judge_debit(const struct model *m, const struct fb_account_key *key, fb_u128 amount,
				  bool overflow)
{
	const struct model_account *a = model_find(m, key);
	fb_u128 out = a == NULL ? 0 : a->debits + a->pending, in = a == NULL ? 0 : a->credits;
	bool below = a == NULL ? goes_below(key->purpose) : a->below_zero;

	if (overflow || amount > top - out)
		return FB_OVERFLOW;
	return below || in >= out + amount ? FB_OK : FB_FUNDS;
}

static bool overflows(const struct model *m, const struct fb_account_key *key, fb_u128 amount)
{
	const struct model_account *a = model_find(m, key);

	return a != NULL && amount > top - a->credits;
}

static size_t missing(const struct model *m, const struct fb_account_key *const *keys, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		bool before = false;

		for (size_t k = 0; k < i; k++)
			before = before || model_same_key(keys[k], keys[i]);
		n += !before && model_find(m, keys[i]) == NULL;
	}
	return n;
}

static bool too_many(const struct model *m, const struct fb_account_key *const *keys, size_t count)
{
	size_t n = missing(m, keys, count);

	return n > 0 && m->now.account_count + n > m->accounts_max;
}

/* ---- doing ------------------------------------------------------------------------------------------------------ */
static enum fb_status do_account(struct model *m, struct fb_op_result *result, const struct fb_op *op)
{
	const struct model_account *a = model_find(m, &op->debit);

	if (a != NULL && a->below_zero != op->may_go_below_zero)
		return FB_ID_REUSED;
	result->existed = a != NULL;
	if (a != NULL)
		return FB_OK;
	if (m->now.account_count + 1 > m->accounts_max)
		return FB_LIMIT;
	open_one(m, &op->debit, op->may_go_below_zero);
	result->seq = m->now.seq;
	return FB_OK;
}

static enum fb_status do_post(struct model *m, const struct fb_op *op)
{
	const struct fb_account_key *keys[2] = { &op->debit, &op->legs[0].credit };
	fb_u128 amount = op->legs[0].amount.atoms;
	enum fb_status st = judge_debit(m, keys[0], amount, overflows(m, keys[1], amount));
	struct model_id *id;
	size_t from, to;

	if (st != FB_OK)
		return st;
	if (too_many(m, keys, 2))
		return FB_LIMIT;
	from = open_if_new(m, keys[0]);
	to = open_if_new(m, keys[1]);
	move(m, write_op(m, FB_RECORD_POST, op), from, to, amount);
	id = add_id(m, op, FB_OK);
	id->debit = from;
	id->credit = to;
	return FB_OK;
}

static enum fb_status do_hold(struct model *m, const struct fb_op *op, int64_t time_us)
{
	const struct fb_account_key *key = &op->debit;
	enum fb_status st = judge_debit(m, key, op->amount.atoms, false);
	struct model_id *id;
	struct fb_record *r;
	size_t from;

	if (op->expires_us != 0 && time_us >= op->expires_us)
		return FB_HOLD_EXPIRED;
	if (st != FB_OK)
		return st;
	if (too_many(m, &key, 1) || model_open_holds(m) == m->holds_max)
		return FB_LIMIT;
	from = open_if_new(m, key);
	r = write_op(m, FB_RECORD_HOLD, op);
	r->asset = key->asset;
	r->debit = from + 1;
	r->amount = op->amount;
	r->expires_us = op->expires_us;
	m->now.accounts[from].pending += op->amount.atoms;
	m->now.accounts[from].last_seq = r->seq;
	id = add_id(m, op, FB_OK);
	id->fate = MODEL_OPEN;
	id->debit = from;
	return FB_OK;
}

static enum fb_status judge_hold(const struct model *m, struct model_id **hold, fb_id ref, int64_t time_us)
{
	struct model_id *id = id_of(m, ref);
	const struct fb_op *op = id == NULL ? NULL : &m->ops[id->op];

	if (id == NULL || id->refused != FB_OK || op->kind != FB_OP_HOLD)
		return FB_NOT_FOUND;
	*hold = id;
	if (id->fate == MODEL_ENDED)
		return FB_HOLD_ENDED;
	return id->fate == MODEL_EXPIRED || (op->expires_us != 0 && time_us >= op->expires_us) ? FB_HOLD_EXPIRED : FB_OK;
}

static enum fb_status judge_legs(const struct model *m, const struct fb_op *op, const struct model_id *hold)
{
	const struct fb_account_key *keys[FB_LEGS_MAX] = { NULL }, *own = &m->now.accounts[hold->debit].key;
	fb_u128 left = m->ops[hold->op].amount.atoms;

	for (size_t i = 0; i < op->leg_count; i++)
		keys[i] = &op->legs[i].credit;
	if (op->legs[0].credit.asset != own->asset)
		return FB_BAD_VALUE;
	for (size_t i = 0; i < op->leg_count; i++)
		if (model_same_key(keys[i], own))
			return FB_SAME_ACCOUNT;
	for (size_t i = 0; i < op->leg_count; left -= op->legs[i].amount.atoms, i++)
		if (op->legs[i].amount.atoms > left)
			return FB_HOLD_TOO_SMALL;
	for (size_t i = 0; i < op->leg_count; i++) {
		fb_u128 sum = 0;

		for (size_t k = 0; k < op->leg_count; k++)
			sum += model_same_key(keys[k], keys[i]) ? op->legs[k].amount.atoms : 0;
		if (overflows(m, keys[i], sum))
			return FB_OVERFLOW;
	}
	return too_many(m, keys, op->leg_count) ? FB_LIMIT : FB_OK;
}

static enum fb_status do_capture(struct model *m, struct fb_op_result *result, const struct fb_op *op, int64_t time_us)
{
	struct model_id *hold = NULL;
	enum fb_status st = judge_hold(m, &hold, op->ref, time_us);
	size_t from, to[FB_LEGS_MAX];

	if (st == FB_OK)
		st = judge_legs(m, op, hold);
	if (st != FB_OK)
		return st;
	from = hold->debit;
	for (size_t i = 0; i < op->leg_count; i++)
		to[i] = open_if_new(m, &op->legs[i].credit);
	for (size_t i = 0; i < op->leg_count; i++) {
		struct fb_record *r = write_op(m, i == 0 ? FB_RECORD_CAPTURE : FB_RECORD_LEG, op);

		if (i == 0) {
			free_hold(m, r, hold, MODEL_ENDED);
			r->held = r->amount;
			result->seq = r->seq;
			add_id(m, op, FB_OK);
		}
		move(m, r, from, to[i], op->legs[i].amount.atoms);
	}
	return FB_OK;
}

static enum fb_status do_release(struct model *m, const struct fb_op *op, int64_t time_us)
{
	struct model_id *hold = NULL;
	enum fb_status st = judge_hold(m, &hold, op->ref, time_us);

	if (st != FB_OK)
		return st;
	free_hold(m, write_op(m, FB_RECORD_RELEASE, op), hold, MODEL_ENDED);
	add_id(m, op, FB_OK);
	return FB_OK;
}

static enum fb_status do_reverse(struct model *m, const struct fb_op *op)
{
	struct model_id *post = id_of(m, op->ref);
	fb_u128 amount;
	enum fb_status st;

	if (post == NULL || post->refused != FB_OK || m->ops[post->op].kind != FB_OP_POST)
		return FB_NOT_FOUND;
	if (post->fate == MODEL_REVERSED)
		return FB_REVERSED_ALREADY;
	amount = m->ops[post->op].legs[0].amount.atoms;
	st = judge_debit(m, &m->now.accounts[post->credit].key, amount,
			 overflows(m, &m->now.accounts[post->debit].key, amount));
	if (st != FB_OK)
		return st;
	move(m, write_op(m, FB_RECORD_REVERSE, op), post->credit, post->debit, amount);
	post->fate = MODEL_REVERSED;
	add_id(m, op, FB_OK);
	return FB_OK;
}

static enum fb_status do_new(struct model *m, struct fb_op_result *result, const struct fb_op *op, int64_t time_us)
{
	switch (op->kind) {
	case FB_OP_POST:
		return do_post(m, op);
	case FB_OP_HOLD:
		return do_hold(m, op, time_us);
	case FB_OP_CAPTURE:
		return do_capture(m, result, op, time_us);
	case FB_OP_RELEASE:
		return do_release(m, op, time_us);
	case FB_OP_REVERSE:
		return do_reverse(m, op);
	case FB_OP_ACCOUNT:
		break;
	}
	FB_UNREACHABLE("an operation with an id");
}

static void do_one(struct model *m, struct fb_op_result *result, const struct fb_op *op, int64_t time_us)
{
	const struct model_id *id;

	*result = (struct fb_op_result){ .status = FB_OK };
	if (op->kind == FB_OP_ACCOUNT) {
		result->status = do_account(m, result, op);
		return;
	}
	id = id_of(m, op->id);
	if (id != NULL && !same_content(&m->ops[id->op], op)) {
		result->status = FB_ID_REUSED;
	} else if (id != NULL) {
		*result = (struct fb_op_result){ .status = id->refused == FB_OK ? FB_OK : FB_ID_FAILED, .seq = id->seq,
			.existed = id->refused == FB_OK, .first = id->refused };
	} else {
		result->status = do_new(m, result, op, time_us);
		if (result->status == FB_OK && result->seq == 0)
			result->seq = m->now.seq;
	}
}

/* ---- chains ----------------------------------------------------------------------------------------------------- */
static void link_all(struct fb_op_result *results, size_t count, size_t fault)
{
	for (size_t i = 0; i < count; i++)
		if (i != fault)
			results[i] = (struct fb_op_result){ .status = FB_LINKED_FAILED };
}

static void refuse_all(struct model *m, struct fb_op_result *results, const struct fb_op *ops, size_t count,
		       size_t fault)
{
	link_all(results, count, fault);
	for (size_t i = 0; i < count; i++) {
		const struct model_id *id = ops[i].kind == FB_OP_ACCOUNT ? NULL : id_of(m, ops[i].id);

		if (i != fault && id != NULL && id->refused != FB_OK && same_content(&m->ops[id->op], &ops[i]))
			results[i] = (struct fb_op_result){ .status = FB_ID_FAILED, .first = id->refused, .seq = id->seq };
	}
	for (size_t i = 0; results[fault].status != FB_LIMIT && i < count; i++)
		if (ops[i].kind != FB_OP_ACCOUNT && id_of(m, ops[i].id) == NULL) {
			write_op(m, FB_RECORD_REFUSE, &ops[i])->refused = results[i].status;
			add_id(m, &ops[i], results[i].status);
			results[i].seq = m->now.seq;
		}
}

static void do_chain(struct model *m, struct fb_op_result *results, const struct fb_op *ops, size_t count,
		     int64_t time_us)
{
	size_t first_record = m->record_count, fault = 0;
	struct model_state before;

	while (fault < count && results[fault].status == FB_OK)
		fault++;
	if (fault < count) {
		link_all(results, count, fault);
		return;
	}
	model_copy(&before, &m->now);
	for (fault = 0; fault < count; fault++) {
		do_one(m, &results[fault], &ops[fault], time_us);
		if (results[fault].status != FB_OK)
			break;
	}
	if (fault == count) {
		for (size_t i = first_record; i + 1 < m->record_count; i++)
			m->records[i].linked = true;
		model_free(&before);
		return;
	}
	model_free(&m->now);
	m->now = before;
	m->record_count = first_record;
	refuse_all(m, results, ops, count, fault);
}

void model_submit(struct model *m, struct fb_op_result *results, const struct fb_op *ops, size_t count, int64_t time_us)
{
	m->record_count = 0;
	for (size_t i = 0; i < count; i++)
		results[i] = (struct fb_op_result){ .status = judge_form(&ops[i]) };
	if (ops[count - 1].linked)
		results[count - 1].status = FB_BAD_VALUE;
	for (size_t first = 0, i = 0; i < count; i++) {
		if (ops[i].linked && i + 1 < count)
			continue;
		if (i + 1 - first > FB_CHAIN_MAX)
			results[first].status = FB_BAD_VALUE;
		do_chain(m, results + first, ops + first, i + 1 - first, time_us);
		first = i + 1;
	}
}

size_t model_expire(struct model *m, int64_t time_us, size_t max)
{
	size_t n = 0;

	for (m->record_count = 0; n < max; n++) {
		struct model_id *first = NULL;
		struct fb_record *r;

		for (size_t i = 0; i < m->now.id_count; i++) {
			struct model_id *id = &m->now.ids[i];
			int64_t at = m->ops[id->op].expires_us;

			if (id->fate == MODEL_OPEN && at != 0 && at <= time_us &&
			    (first == NULL || at < m->ops[first->op].expires_us))
				first = id; /* of the same expiry the older is found before */
		}
		if (first == NULL)
			break;
		r = write_record(m, FB_RECORD_EXPIRE);
		r->ref = first->id;
		free_hold(m, r, first, MODEL_EXPIRED);
	}
	return n;
}
