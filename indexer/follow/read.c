/* Reading one range: headers and logs, blocks whose bloom says more, the second endpoint, receipts, and then the
 * decision. One request is under way at a time; a failure anywhere begins the range anew. */
#include "follow_int.h"

#include <string.h>

enum { SHRINK = 2, GROW_FROM = 4, GROW_TO = 5 };

static void shrink(struct fb_follow *f)
{
	uint64_t span = f->r.last - f->r.first + 1;

	f->range = span > SHRINK ? span / SHRINK : 1;
}

static void grow(struct fb_follow *f)
{
	f->range = f->range * GROW_TO / GROW_FROM + 1;
	if (f->range > f->settings.range_max)
		f->range = f->settings.range_max;
}

void fb_follow_doubt(struct fb_follow *f, enum fb_credit_halt halt, const char *why)
{
	f->doubts++;
	fb_error_set(&f->doubt, FB_MISMATCH, "%s", why);
	fb_metric_add(f->metrics, FB_M_INDEXER_DOUBTS, 1);
	fb_log(f->log, FB_EV_INDEXER_DOUBT, FB_F_U64("first", f->r.first), FB_F_U64("last", f->r.last),
	       FB_F_TEXT("why", why));
	if (halt != FB_CREDIT_HALT_NONE && ++f->doubts_in_row >= f->settings.doubts_max) {
		f->doubts_in_row = 0;
		fb_follow_halt(f, halt);
	}
	fb_follow_later(f);
}

/* An endpoint that cannot give so much says so in a hundred ways: whatever fails, the next range is smaller. */
static void fail(struct fb_follow *f)
{
	shrink(f);
	fb_follow_later(f);
}

/* True: go on with the answer, of which the first `needed` calls must have gone well. */
static bool arrived(struct fb_follow *f, const struct fb_rpc_reply *reply, size_t needed)
{
	f->asking = false;
	if (f->stopped || reply->status == FB_DRAINING)
		return false;
	if (f->rewind_due) { /* what was asked for is of a chain that is no more */
		fb_follow_pump(f);
		return false;
	}
	for (size_t i = 0; reply->status == FB_OK && i < needed; i++) {
		if (reply->results[i].status != FB_OK) {
			fail(f);
			return false;
		}
	}
	if (reply->status != FB_OK)
		fail(f);
	return reply->status == FB_OK;
}

static enum fb_status read_logs(struct fb_chain_log *out, size_t *count, const struct fb_rpc_result *results)
{
	enum fb_status st = FB_OK;

	*count = 0;
	for (size_t i = 0; i < FB_FOLLOW_FILTERS && st == FB_OK; i++)
		st = fb_chain_logs_read(out, count, FB_FOLLOW_LOGS_MAX, results[i].result);
	return st;
}

/* ---- the end: the decision ------------------------------------------------------------------------------------- */
static void decide(struct fb_follow *f)
{
	struct fb_reading *r = &f->r;
	struct fb_credit_scan s = { .first = r->first, .last = r->last, .movements = r->movements,
				    .count = r->movement_count, .blocks = r->blocks, .block_count = r->header_count,
				    .sequence = r->sequence };
	struct fb_error e = { "" };
	enum fb_status st;

	for (size_t i = 0; i < r->header_count; i++)
		r->blocks[i] = (struct fb_credit_block){ r->numbers[i], r->headers[i].hash };
	s.last_hash = r->blocks[r->header_count - 1].hash;
	st = fb_credit_scan(f->credit, &s, &e);
	if (st == FB_MISMATCH || st == FB_MISSING) {
		fb_follow_doubt(f, FB_CREDIT_HALT_MISSING, e.text);
		return;
	}
	if (st != FB_OK) { /* full, or halted: others' events may change that */
		fb_follow_later(f);
		return;
	}
	f->doubts_in_row = 0;
	grow(f);
	fb_metric_add(f->metrics, FB_M_INDEXER_RANGES, 1);
	f->working = true;
	fb_follow_pump(f);
}

/* ---- receipts of bare transfers -------------------------------------------------------------------------------- */
static void ask_receipts(struct fb_follow *f);

static void on_receipts(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_follow *f = arg;
	struct fb_reading *r = &f->r;
	size_t at = r->receipts_from;

	if (!arrived(f, reply, r->asked_count))
		return;
	for (size_t k = 0; k < r->asked_count; k++) {
		const struct fb_hash tx = r->movements[r->asked[k]].tx;

		for (at = r->asked[k]; at < r->movement_count && fb_hash_eq(&r->movements[at].tx, &tx); at++) {
			enum fb_status st = FB_OK;

			if (r->movements[at].kind == FB_MOVEMENT_TRANSFER)
				st = fb_movement_authorize(&r->movements[at], reply->results[k].result,
							   &f->settings.credit.escrow);
			if (st != FB_OK) {
				fb_follow_doubt(f, FB_CREDIT_HALT_NONE, "a receipt does not fit the logs of its transaction");
				return;
			}
		}
	}
	r->receipts_from = at;
	ask_receipts(f);
}

/* The next transactions with a bare transfer. A transaction's movements lie together. */
static void ask_receipts(struct fb_follow *f)
{
	struct fb_reading *r = &f->r;
	struct fb_calls c;

	fb_calls_init(&c, f);
	r->asked_count = 0;
	for (size_t i = r->receipts_from; i < r->movement_count && r->asked_count < FB_FOLLOW_RECEIPTS_MAX; i++) {
		const struct fb_movement *m = &r->movements[i];
		bool again = r->asked_count > 0 && fb_hash_eq(&r->movements[r->asked[r->asked_count - 1]].tx, &m->tx);

		if (m->kind != FB_MOVEMENT_TRANSFER || again)
			continue;
		r->asked[r->asked_count++] = i;
		fb_calls_receipt(&c, &m->tx);
	}
	if (r->asked_count == 0) {
		decide(f);
		return;
	}
	fb_calls_send(f, f->rpc, &c, on_receipts);
}

static void make_movements(struct fb_follow *f)
{
	struct fb_reading *r = &f->r;
	struct fb_error e = { "" };
	enum fb_status st;

	r->sequence = fb_credit_sequence(f->credit, r->first);
	st = fb_movements_read(r->movements, &r->movement_count, &r->sequence, r->logs, r->log_count,
			       &f->settings.credit.escrow, &e);
	if (st != FB_OK) {
		fb_follow_doubt(f, FB_CREDIT_HALT_MISSING, e.text);
		return;
	}
	if (r->has_balances && !fb_follow_explains(r) && ++f->gaps_in_row < FB_FOLLOW_GAPS_MAX) {
		fb_follow_doubt(f, FB_CREDIT_HALT_NONE, "the logs do not explain how the escrow's balance changed");
		return;
	}
	f->gaps_in_row = 0; /* said again and again: the reserve check has the last word */
	r->receipts_from = 0;
	ask_receipts(f);
}

/* ---- the second endpoint ---------------------------------------------------------------------------------------- */
static void on_second(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_follow *f = arg;
	struct fb_reading *r = &f->r;

	if (!arrived(f, reply, FB_FOLLOW_FILTERS))
		return;
	if (read_logs(r->second, &r->second_count, reply->results) != FB_OK ||
	    fb_chain_logs_sort(r->second, r->second_count, &f->settings.credit.escrow, r->first, r->last) != FB_OK ||
	    !fb_follow_same_logs(r)) {
		fb_follow_doubt(f, FB_CREDIT_HALT_DISAGREE, "a second endpoint gives other logs for these final blocks");
		return;
	}
	make_movements(f);
}

static void ask_second(struct fb_follow *f)
{
	struct fb_calls c;

	if (f->second_rpc == NULL || !f->r.is_final) {
		make_movements(f);
		return;
	}
	fb_calls_init(&c, f);
	fb_calls_logs(&c, &f->settings.credit.escrow, f->r.first, f->r.last);
	fb_calls_send(f, f->second_rpc, &c, on_second);
}

/* ---- blocks whose bloom says more -------------------------------------------------------------------------------- */
static void ask_suspects(struct fb_follow *f);

static void on_suspects(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_follow *f = arg;

	if (!arrived(f, reply, f->r.suspect_count * FB_FOLLOW_FILTERS))
		return;
	for (size_t i = 0; i < reply->count; i++) {
		const struct fb_json_value logs = reply->results[i].result;

		if (!fb_json_is(logs, FB_JSON_ARRAY) || fb_json_count(logs) > 0) {
			fb_follow_doubt(f, FB_CREDIT_HALT_NONE, "a block has logs that its range was without");
			return;
		}
	}
	if (!f->r.has_balances && ++f->r.confirms < FB_FOLLOW_CONFIRMS)
		ask_suspects(f);
	else
		ask_second(f);
}

static void ask_suspects(struct fb_follow *f)
{
	struct fb_calls c;

	if (f->r.suspect_count == 0) {
		ask_second(f);
		return;
	}
	fb_calls_init(&c, f);
	for (size_t i = 0; i < f->r.suspect_count; i++)
		fb_calls_logs_of_block(&c, &f->settings.credit.escrow, &f->r.headers[f->r.suspects[i]].hash);
	fb_calls_send(f, f->rpc, &c, on_suspects);
}

/* ---- headers and logs -------------------------------------------------------------------------------------------- */
static enum fb_status read_answer(struct fb_reading *r, const struct fb_rpc_result *results)
{
	enum fb_status st = FB_OK;

	for (size_t i = 0; i < r->header_count && st == FB_OK; i++)
		st = fb_block_header_read(&r->headers[i], results[i].result);
	return st == FB_OK ? read_logs(r->logs, &r->log_count, results + r->header_count) : st;
}

/* Of old blocks an endpoint may not know them any more. */
static void read_balances(struct fb_reading *r, const struct fb_rpc_result *results)
{
	struct fb_amount *const out[FB_FOLLOW_ENDS] = { &r->before, &r->after };

	r->has_balances = true;
	for (size_t i = 0; i < FB_FOLLOW_ENDS && r->has_balances; i++) {
		struct fb_str raw = results[i].status == FB_OK ? fb_json_raw(results[i].result) : FB_STR("");
		uint8_t word[32];

		r->has_balances = raw.len > 2 &&
				  fb_hex_decode_exact(word, sizeof(word), (struct fb_str){ raw.at + 1, raw.len - 2 }) == FB_OK &&
				  fb_u256_to_amount(out[i], fb_u256_from_be(word)) == FB_OK;
	}
}

static bool is_our_chain(const struct fb_follow *f, const struct fb_rpc_result *r)
{
	_Alignas(16) unsigned char block[64];
	struct fb_arena arena;
	struct fb_str text;
	uint64_t id;

	fb_arena_init(&arena, block, sizeof(block));
	return fb_json_string(&text, r->result, &arena) == FB_OK && fb_quantity_parse_u64(&id, text) == FB_OK &&
	       id == f->settings.credit.escrow.chain_id;
}

static void on_range(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_follow *f = arg;
	const struct fb_rpc_result *results = reply->results + 1; /* behind the chain's id */
	struct fb_error e = { "" };
	enum fb_status st;

	if (!arrived(f, reply, 1 + f->r.header_count + FB_FOLLOW_FILTERS))
		return;
	if (!is_our_chain(f, &reply->results[0])) {
		fb_follow_doubt(f, FB_CREDIT_HALT_NONE, "the endpoint serves another chain");
		return;
	}
	read_balances(&f->r, results + f->r.header_count + FB_FOLLOW_FILTERS);
	f->pruned = !f->r.has_balances;
	if (f->pruned && f->r.last - f->r.first >= FB_FOLLOW_HEADERS_MAX) { /* nothing would speak for it */
		fb_follow_pump(f);
		return;
	}
	st = read_answer(&f->r, results);
	if (st == FB_TOO_MANY && f->r.last > f->r.first) {
		fail(f);
		return;
	}
	if (st != FB_OK) {
		fb_follow_doubt(f, FB_CREDIT_HALT_NONE, "headers or logs are absent or malformed");
		return;
	}
	st = fb_follow_check(f, &e);
	if (st == FB_OK)
		ask_suspects(f);
	else
		fb_follow_doubt(f, st == FB_CONFLICT ? FB_CREDIT_HALT_DEEP : FB_CREDIT_HALT_NONE, e.text);
}

void fb_follow_read(struct fb_follow *f)
{
	struct fb_reading *r = &f->r;
	struct fb_calls c;

	r->confirms = 0;
	fb_calls_init(&c, f);
	fb_calls_chain(&c);
	for (size_t i = 0; i < r->header_count; i++)
		fb_calls_header(&c, r->numbers[i]);
	fb_calls_logs(&c, &f->settings.credit.escrow, r->first, r->last);
	fb_calls_balance(&c, &f->settings.credit.escrow, r->first - 1);
	fb_calls_balance(&c, &f->settings.credit.escrow, r->last);
	fb_calls_send(f, f->rpc, &c, on_range);
}
