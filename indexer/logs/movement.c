/* Logs that concern the escrow into movements: which Transfer belongs to which event, and what each one is. */
#include "logs_int.h"

#include "farebox/crypto.h"
#include "farebox/escrow.h"

#include <string.h>

/* The walk over the logs: the movement made last is the one an event of the escrow may belong to. */
struct walk {
	struct fb_movement *out;
	size_t count;
	uint64_t sequence;
	const struct fb_escrow *escrow;
	struct fb_error *error;
};

static void absorb_u64(struct fb_keccak *k, uint64_t v)
{
	uint8_t bytes[8];

	fb_put_be64(bytes, v);
	fb_keccak_update(k, bytes, sizeof(bytes));
}

static bool is_zero(const struct fb_hash *h)
{
	static const struct fb_hash zero;

	return fb_hash_eq(h, &zero);
}

struct fb_hash fb_movement_identity(const struct fb_movement *m, const struct fb_escrow *e)
{
	bool authorized = !fb_movement_leaves(m->kind) && !is_zero(&m->reference);
	struct fb_keccak k;

	fb_keccak_init(&k);
	fb_keccak_update(&k, authorized ? "A" : "T", 1);
	absorb_u64(&k, e->chain_id);
	if (authorized) {
		fb_keccak_update(&k, e->token.bytes, 20);
		fb_keccak_update(&k, m->payer.bytes, 20);
		fb_keccak_update(&k, m->reference.bytes, 32);
	} else {
		fb_keccak_update(&k, e->address.bytes, 20);
		fb_keccak_update(&k, m->tx.bytes, 32);
		absorb_u64(&k, m->place);
	}
	return fb_keccak_final(&k);
}

static struct fb_str data_of(const struct fb_chain_log *log)
{
	FB_ASSERT(log->data_len <= FB_LOG_DATA_MAX);
	return (struct fb_str){ (const char *)log->data, log->data_len };
}

static enum fb_status amount_of(struct fb_amount *out, const struct fb_chain_log *log)
{
	struct fb_u256 v;
	enum fb_status st = fb_abi_get_u256(&v, data_of(log), 0);

	return st != FB_OK ? st : fb_u256_to_amount(out, v);
}

/* ---- the token's side ------------------------------------------------------------------------------------------ */
static enum fb_status read_transfer(struct walk *w, const struct fb_chain_log *log, uint32_t place)
{
	struct fb_movement m = { .block = log->block, .index = log->index, .block_hash = log->block_hash, .tx = log->tx,
				 .place = place };
	struct fb_address to;
	enum fb_status st;

	if (log->data_len != 32)
		return FB_BAD_LENGTH;
	if ((st = fb_logs_topic_address(&m.payer, log, 1)) != FB_OK ||
	    (st = fb_logs_topic_address(&to, log, 2)) != FB_OK || (st = amount_of(&m.amount, log)) != FB_OK)
		return st;
	if (fb_amount_cmp(m.amount, (struct fb_amount){ 0 }) == 0)
		return FB_OK;
	m.kind = fb_address_eq(&to, &w->escrow->address) ? FB_MOVEMENT_TRANSFER : FB_MOVEMENT_LEAK;
	m.wallet = m.kind == FB_MOVEMENT_TRANSFER ? m.payer : to;
	m.identity = fb_movement_identity(&m, w->escrow);
	w->out[w->count++] = m;
	return FB_OK;
}

/* ---- the escrow's side ----------------------------------------------------------------------------------------- */
/* The Transfer directly before the event, if it moves this amount from or to this wallet. */
static struct fb_movement *transfer_before(const struct walk *w, const struct fb_chain_log *log,
					   enum fb_movement_kind kind, const struct fb_address *wallet,
					   struct fb_amount amount)
{
	struct fb_movement *m = w->count == 0 ? NULL : &w->out[w->count - 1];

	if (m == NULL || m->kind != kind || m->block != log->block || m->index + 1 != log->index ||
	    !fb_hash_eq(&m->tx, &log->tx) || !fb_address_eq(&m->wallet, wallet) || fb_amount_cmp(m->amount, amount) != 0)
		return NULL;
	return m;
}

static enum fb_status alone(const struct walk *w, const char *event, const struct fb_chain_log *log)
{
	return fb_error_set(w->error, FB_MISMATCH, "a %s without the token's Transfer before it, in block %llu, log %llu",
			    event, (unsigned long long)log->block, (unsigned long long)log->index);
}

static enum fb_status take_deposit(struct walk *w, const struct fb_chain_log *log, const struct fb_escrow_event *event,
				   struct fb_amount amount)
{
	struct fb_movement *m = transfer_before(w, log, FB_MOVEMENT_TRANSFER, &event->payer, amount);

	if (m == NULL)
		return alone(w, "Deposit", log);
	m->reference = event->authorization;
	m->kind = fb_address_eq(&event->payer, &event->beneficiary) ? FB_MOVEMENT_DEPOSIT : FB_MOVEMENT_GIFT;
	m->wallet = event->beneficiary;
	m->identity = fb_movement_identity(m, w->escrow);
	return FB_OK;
}

static enum fb_status take_payout(struct walk *w, const struct fb_chain_log *log, const struct fb_escrow_event *event,
				  struct fb_amount amount)
{
	struct fb_movement *m = transfer_before(w, log, FB_MOVEMENT_LEAK, &event->to, amount);

	if (m == NULL)
		return alone(w, "Payout", log);
	m->kind = FB_MOVEMENT_PAYOUT;
	m->reference = event->id;
	return FB_OK;
}

static enum fb_status take_number(struct walk *w, const struct fb_chain_log *log, uint64_t number)
{
	if (w->sequence != FB_SEQUENCE_UNKNOWN && number != w->sequence + 1)
		return fb_error_set(w->error, FB_MISMATCH,
				    "the escrow's event after number %llu is number %llu, in block %llu: others are missing",
				    (unsigned long long)w->sequence, (unsigned long long)number,
				    (unsigned long long)log->block);
	w->sequence = number;
	return FB_OK;
}

static enum fb_status read_event(struct walk *w, const struct fb_chain_log *log)
{
	struct fb_escrow_event event;
	struct fb_amount amount;
	enum fb_status st;

	if (log->data_len > FB_LOG_DATA_MAX)
		return FB_BAD_LENGTH;
	st = fb_escrow_event_read(&event, log->topics, log->topic_count, data_of(log));
	if (st == FB_OK)
		st = take_number(w, log, event.sequence);
	if (st != FB_OK || (event.kind != FB_ESCROW_DEPOSIT && event.kind != FB_ESCROW_PAYOUT))
		return st;
	st = fb_u256_to_amount(&amount, event.amount);
	if (st != FB_OK)
		return st;
	return event.kind == FB_ESCROW_DEPOSIT ? take_deposit(w, log, &event, amount)
					       : take_payout(w, log, &event, amount);
}

static enum fb_status walk_logs(struct walk *w, const struct fb_chain_log *logs, size_t count)
{
	uint32_t place = 0;

	for (size_t i = 0; i < count; i++) {
		enum fb_status st;

		place = i > 0 && fb_hash_eq(&logs[i].tx, &logs[i - 1].tx) ? place + 1 : 0;
		st = fb_address_eq(&logs[i].address, &w->escrow->address) ? read_event(w, &logs[i])
									   : read_transfer(w, &logs[i], place);
		if (st != FB_OK)
			return st == FB_MISMATCH ? st
						 : fb_error_set(w->error, st, "log %llu of block %llu is not as its event is declared",
								(unsigned long long)logs[i].index,
								(unsigned long long)logs[i].block);
	}
	return FB_OK;
}

enum fb_status fb_movements_read(struct fb_movement *out, size_t *out_count, uint64_t *sequence,
				 const struct fb_chain_log *logs, size_t count, const struct fb_escrow *e,
				 struct fb_error *error)
{
	struct walk w = { .out = out, .sequence = *sequence, .escrow = e, .error = error };
	enum fb_status st = walk_logs(&w, logs, count);

	if (st != FB_OK)
		return st;
	*out_count = w.count;
	*sequence = w.sequence;
	return FB_OK;
}
