/* What only a receipt can say: whether a transfer to the escrow was made by an authorization. */
#include "logs_int.h"

#include "abi_constants.h"

#include <stdlib.h>
#include <string.h>

/* The receipt's log of that index. FB_NOT_FOUND. */
static enum fb_status find_log(struct fb_chain_log *out, struct fb_json_value receipt, uint64_t index)
{
	struct fb_json_value logs = fb_json_get(receipt, "logs");

	if (!fb_json_present(logs))
		return FB_MISSING;
	if (!fb_json_is(logs, FB_JSON_ARRAY))
		return FB_WRONG_TYPE;
	for (struct fb_json_value v = fb_json_first(logs, NULL); fb_json_present(v); v = fb_json_next(logs, v, NULL)) {
		uint64_t at;
		enum fb_status st = fb_logs_quantity(&at, v, "logIndex");

		if (st != FB_OK)
			return st;
		if (at == index)
			return fb_chain_log_read(out, v);
	}
	return FB_NOT_FOUND;
}

static bool is_transfer_of(const struct fb_chain_log *log, const struct fb_movement *m, const struct fb_escrow *e)
{
	struct fb_address from;
	struct fb_u256 value;

	return log->block == m->block && fb_hash_eq(&log->block_hash, &m->block_hash) && fb_hash_eq(&log->tx, &m->tx) &&
	       fb_log_concerns(log, e) && fb_address_eq(&log->address, &e->token) && log->data_len == 32 &&
	       fb_logs_topic_address(&from, log, 1) == FB_OK && fb_address_eq(&from, &m->payer) &&
	       fb_abi_get_u256(&value, (struct fb_str){ (const char *)log->data, 32 }, 0) == FB_OK &&
	       fb_u256_eq(value, fb_u256_from_amount(m->amount));
}

static bool is_authorization_of(const struct fb_chain_log *log, const struct fb_movement *m, const struct fb_escrow *e)
{
	struct fb_address payer;

	return fb_address_eq(&log->address, &e->token) && fb_logs_is_event(log, FB_TOPIC_AUTHORIZATION_USED) &&
	       log->topic_count == 3 && fb_logs_topic_address(&payer, log, 1) == FB_OK &&
	       fb_address_eq(&payer, &m->payer) && fb_hash_eq(&log->tx, &m->tx);
}

enum fb_status fb_movement_authorize(struct fb_movement *m, struct fb_json_value receipt, const struct fb_escrow *e)
{
	static const struct fb_hash zero;
	struct fb_chain_log log;
	enum fb_status st;

	FB_ASSERT(m->kind == FB_MOVEMENT_TRANSFER);
	if (fb_json_is(receipt, FB_JSON_NULL))
		return FB_NOT_FOUND;
	st = find_log(&log, receipt, m->index);
	if (st == FB_NOT_FOUND || (st == FB_OK && !is_transfer_of(&log, m, e)))
		return FB_MISMATCH;
	if (st != FB_OK)
		return st;
	st = m->index == 0 ? FB_NOT_FOUND : find_log(&log, receipt, m->index - 1);
	if (st == FB_NOT_FOUND)
		return FB_OK;
	if (st != FB_OK)
		return st;
	if (is_authorization_of(&log, m, e) && !fb_hash_eq(&log.topics[2], &zero)) {
		m->kind = FB_MOVEMENT_AUTHORIZED;
		m->reference = log.topics[2];
		m->identity = fb_movement_identity(m, e);
	}
	return FB_OK;
}

/* ---- a receipt alone ------------------------------------------------------------------------------------------- */
static enum fb_status concerned_logs(struct fb_chain_log *out, size_t *count, size_t cap, struct fb_json_value receipt,
				     const struct fb_escrow *e)
{
	struct fb_json_value logs = fb_json_get(receipt, "logs");
	struct fb_chain_log log;

	if (!fb_json_present(logs))
		return FB_MISSING;
	if (!fb_json_is(logs, FB_JSON_ARRAY))
		return FB_WRONG_TYPE;
	for (struct fb_json_value v = fb_json_first(logs, NULL); fb_json_present(v); v = fb_json_next(logs, v, NULL)) {
		enum fb_status st = fb_chain_log_read(&log, v);

		if (st != FB_OK)
			return st;
		if (!fb_log_concerns(&log, e))
			continue;
		if (*count == cap)
			return FB_TOO_MANY;
		out[(*count)++] = log;
	}
	return FB_OK;
}

/* All of one transaction in one block. */
static enum fb_status check_one(const struct fb_chain_log *logs, size_t count, struct fb_json_value receipt)
{
	struct fb_hash tx, block;
	enum fb_status st = fb_logs_hash(&tx, receipt, "transactionHash");

	if (st == FB_OK)
		st = fb_logs_hash(&block, receipt, "blockHash");
	for (size_t i = 0; i < count && st == FB_OK; i++)
		if (!fb_hash_eq(&logs[i].tx, &tx) || !fb_hash_eq(&logs[i].block_hash, &block))
			st = FB_MISMATCH;
	return st;
}

static uint64_t sequence_before(const struct fb_chain_log *logs, size_t count, const struct fb_escrow *e)
{
	uint64_t n;

	for (size_t i = 0; i < count; i++)
		if (fb_address_eq(&logs[i].address, &e->address) && logs[i].topic_count > 1 &&
		    fb_u256_to_u64(&n, fb_u256_from_be(logs[i].topics[1].bytes)) == FB_OK && n > 0)
			return n - 1;
	return 0;
}

static enum fb_status read_receipt(struct fb_movement *out, size_t *out_count, struct fb_chain_log *logs, size_t cap,
				   struct fb_json_value receipt, const struct fb_escrow *e, struct fb_error *error)
{
	size_t count = 0, made = 0;
	uint64_t sequence;
	enum fb_status st = concerned_logs(logs, &count, cap, receipt, e);

	if (st == FB_OK)
		st = check_one(logs, count, receipt);
	if (st == FB_OK && count > 0)
		st = fb_chain_logs_sort(logs, count, e, logs[0].block, logs[0].block);
	sequence = st == FB_OK ? sequence_before(logs, count, e) : 0;
	if (st == FB_OK)
		st = fb_movements_read(out, &made, &sequence, logs, count, e, error);
	for (size_t i = 0; i < made && st == FB_OK; i++)
		if (out[i].kind == FB_MOVEMENT_TRANSFER)
			st = fb_movement_authorize(&out[i], receipt, e);
	if (st == FB_OK)
		*out_count = made;
	return st;
}

enum fb_status fb_movements_of_receipt(struct fb_movement *out, size_t *out_count, size_t cap,
				       struct fb_json_value receipt, const struct fb_escrow *e, struct fb_error *error)
{
	struct fb_chain_log *logs;
	uint64_t status;
	enum fb_status st;

	if (fb_json_is(receipt, FB_JSON_NULL))
		return FB_NOT_FOUND;
	st = fb_logs_quantity(&status, receipt, "status");
	if (st != FB_OK)
		return st;
	if (status != 1) {
		*out_count = 0;
		return FB_OK;
	}
	logs = fb_must_alloc(cap + 1, sizeof(*logs));
	st = read_receipt(out, out_count, logs, cap, receipt, e, error);
	free(logs);
	return st;
}
