/* JSON-RPC: one request, its faults, and an answer for each call. */
#include "sim_int.h"

#include "abi_constants.h"
#include "lens_code.h"
#include "trial_code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 8192, DATA_MAX = 65536, TEXT_MAX = 2 * DATA_MAX + 16 };

/* A call being answered: the id is written already, result or error is not. */
struct answer {
	struct fb_sim *sim;
	struct fb_jw *w;
	struct fb_json_value params;
	struct fb_arena *arena;
};

static struct fb_str text_of(struct answer *a, struct fb_json_value v)
{
	struct fb_str s = { "", 0 };

	return fb_json_string(&s, v, a->arena) == FB_OK ? s : (struct fb_str){ "", 0 };
}

static struct fb_json_value param(struct answer *a, unsigned i)
{
	struct fb_json_value v = fb_json_first(a->params, NULL);

	while (i-- > 0 && fb_json_present(v))
		v = fb_json_next(a->params, v, NULL);
	return v;
}

/* ---- results and errors ------------------------------------------------------------------------------------- */

static void result_str(struct answer *a, struct fb_str text)
{
	fb_jw_kv_str(a->w, "result", text);
}

static void result_quantity(struct answer *a, fb_u128 v)
{
	char block[64];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_quantity(&b, v);
	result_str(a, fb_buf_view(&b));
}

static void result_bytes(struct answer *a, struct fb_str bytes)
{
	static _Thread_local char block[TEXT_MAX];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_hex(&b, bytes.at, bytes.len);
	FB_ASSERT(!b.overflowed);
	result_str(a, fb_buf_view(&b));
}

static void error(struct answer *a, int64_t code, const char *text)
{
	char number[32];
	struct fb_buf b;

	fb_buf_init(&b, number, sizeof(number));
	fb_buf_printf(&b, "%lld", (long long)code);
	fb_jw_key(a->w, "error");
	fb_jw_object(a->w);
	fb_jw_kv_raw(a->w, "code", fb_buf_view(&b));
	fb_jw_kv_text(a->w, "message", text);
	fb_jw_end(a->w);
}

static void reverted(struct answer *a, const char *why)
{
	char text[128];

	snprintf(text, sizeof(text), "execution reverted: %s", why);
	error(a, 3, text);
}

static void kv_quantity(struct fb_jw *w, const char *key, fb_u128 v)
{
	char block[64];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_quantity(&b, v);
	fb_jw_kv_str(w, key, fb_buf_view(&b));
}

static void kv_bytes(struct fb_jw *w, const char *key, const void *bytes, size_t len)
{
	char block[2 * 32 + 2];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_hex(&b, bytes, len);
	FB_ASSERT(!b.overflowed);
	if (key == NULL)
		fb_jw_str(w, fb_buf_view(&b));
	else
		fb_jw_kv_str(w, key, fb_buf_view(&b));
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

static struct sim_account *account_of(struct answer *a)
{
	struct sim_state *st = (struct sim_state *)(uintptr_t)sim_visible(a->sim);
	struct fb_address of;

	FB_ASSERT(fb_address_parse(&of, text_of(a, param(a, 0))) == FB_OK);
	return sim_account(st, &of);
}

static void chain_id(struct answer *a)
{
	result_quantity(a, a->sim->said_chain_id);
}

static void block_number(struct answer *a)
{
	result_quantity(a, sim_visible(a->sim)->block);
}

enum { GAS_LIMIT = 30000000 };

static struct fb_hash made_up(struct fb_sim *s)
{
	uint64_t what = sim_draw(s);

	return fb_keccak256(&what, sizeof(what));
}

static void lie(struct fb_sim *s, uint64_t *number, struct fb_hash *hash, struct fb_hash *parent)
{
	s->lie_count--;
	if (s->lie == FB_SIM_LIE_HASH)
		*hash = made_up(s);
	else if (s->lie == FB_SIM_LIE_PARENT)
		*parent = made_up(s);
	else
		*number += s->lie == FB_SIM_LIE_AHEAD ? 1000000 : (uint64_t)-1;
}

static void put_block(struct answer *a, uint64_t number)
{
	const struct sim_state *st = sim_visible(a->sim);
	struct fb_hash hash = sim_block_hash(st, number), parent = { { 0 } };

	if (number > 0)
		parent = sim_block_hash(st, number - 1);
	if (a->sim->lie_count > 0)
		lie(a->sim, &number, &hash, &parent);
	fb_jw_key(a->w, "result");
	fb_jw_object(a->w);
	kv_quantity(a->w, "number", number);
	kv_bytes(a->w, "hash", hash.bytes, sizeof(hash.bytes));
	kv_bytes(a->w, "parentHash", parent.bytes, sizeof(parent.bytes));
	kv_quantity(a->w, "timestamp", (fb_u128)fb_clock_wall_s(&a->sim->clock));
	kv_quantity(a->w, "gasLimit", GAS_LIMIT);
	kv_quantity(a->w, "baseFeePerGas", a->sim->base_fee);
	fb_jw_end(a->w);
}

/* False: there is no such block. */
static bool find_block(const struct answer *a, struct fb_str which, uint64_t *number)
{
	uint64_t head = sim_visible(a->sim)->block, below = 0;

	if (fb_quantity_parse_u64(number, which) == FB_OK)
		return *number <= head;
	if (fb_str_eq(which, FB_STR("safe")))
		below = a->sim->safe_blocks;
	else if (fb_str_eq(which, FB_STR("finalized")))
		below = a->sim->final_blocks;
	*number = head - below;
	return fb_str_eq(which, FB_STR("latest")) || (below > 0 && below <= head);
}

static void get_block(struct answer *a)
{
	uint64_t number;

	if (!find_block(a, text_of(a, param(a, 0)), &number)) {
		fb_jw_key(a->w, "result");
		fb_jw_null(a->w);
		return;
	}
	put_block(a, number);
}

static void get_counter(struct answer *a)
{
	result_quantity(a, account_of(a)->counter);
}

static void get_balance(struct answer *a)
{
	result_quantity(a, account_of(a)->wei);
}

static void get_code(struct answer *a)
{
	struct fb_address of;

	FB_ASSERT(fb_address_parse(&of, text_of(a, param(a, 0))) == FB_OK);
	result_str(a, account_of(a)->has_code || fb_address_eq(&of, &a->sim->token) ? FB_STR("0x6001") : FB_STR("0x"));
}

static void priority_fee(struct answer *a)
{
	result_quantity(a, FB_SIM_TIP);
}

/* ---- calls ----------------------------------------------------------------------------------------------------- */

static struct fb_str call_data(struct answer *a, uint8_t block[DATA_MAX])
{
	size_t len;

	FB_ASSERT(fb_hex_decode(block, &len, DATA_MAX, text_of(a, fb_json_get(param(a, 0), "data"))) == FB_OK);
	return (struct fb_str){ (const char *)block, len };
}

static void call_lens(struct answer *a, struct fb_str data)
{
	static _Thread_local char block[DATA_MAX];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	if (data.len > FB_TRIAL_CODE_LEN && memcmp(data.at, FB_TRIAL_CODE, FB_TRIAL_CODE_LEN) == 0) {
		sim_trial_answer(a->sim, &b,
				 (struct fb_str){ data.at + FB_TRIAL_CODE_LEN, data.len - FB_TRIAL_CODE_LEN });
		result_bytes(a, fb_buf_view(&b));
		return;
	}
	FB_ASSERT(data.len > FB_LENS_CODE_LEN && memcmp(data.at, FB_LENS_CODE, FB_LENS_CODE_LEN) == 0);
	sim_lens_answer(a->sim, &b, (struct fb_str){ data.at + FB_LENS_CODE_LEN, data.len - FB_LENS_CODE_LEN });
	FB_ASSERT(!b.overflowed);
	result_bytes(a, fb_buf_view(&b));
}

/* The refusal of the transfer in the data, NULL if it would go through. */
static const char *refusal_of(struct answer *a, struct fb_str data)
{
	struct sim_call *call = fb_must_alloc(1, sizeof(*call));
	const char *why =
		sim_decode_call(call, data) ? sim_token_refusal(a->sim, sim_visible(a->sim), call) : "unknown function";

	free(call);
	return why;
}

/* authorizationState. A block that the node does not have yet is an error. */
static void call_state(struct answer *a, struct fb_str data)
{
	const struct sim_state *st = sim_visible(a->sim);
	struct fb_str at = text_of(a, param(a, 1)), args = { data.at + 4, data.len - 4 };
	struct fb_address payer;
	struct fb_hash nonce;
	uint8_t word[32] = { 0 };
	uint64_t block = 0;

	FB_ASSERT(args.len == 64 && fb_abi_get_address(&payer, args, 0) == FB_OK);
	memcpy(nonce.bytes, args.at + 32, 32);
	if (!fb_str_eq(at, FB_STR("latest")))
		FB_ASSERT(fb_quantity_parse_u64(&block, at) == FB_OK);
	if (block > st->block) {
		error(a, -32000, "header not found");
		return;
	}
	word[31] = sim_is_used(a->sim, st, &payer, &nonce);
	result_bytes(a, (struct fb_str){ (const char *)word, sizeof(word) });
}

static void call_contract(struct answer *a, const struct fb_address *to)
{
	static const uint8_t magic[32] = { 0x16, 0x26, 0xba, 0x7e };
	const struct sim_account *wallet = sim_account((struct sim_state *)(uintptr_t)sim_visible(a->sim), to);

	if (wallet->has_code && wallet->accepts)
		result_bytes(a, (struct fb_str){ (const char *)magic, sizeof(magic) });
	else
		reverted(a, "no");
}

static void call(struct answer *a)
{
	static _Thread_local uint8_t block[DATA_MAX];
	struct fb_str data = call_data(a, block), to_text = text_of(a, fb_json_get(param(a, 0), "to"));
	struct fb_address to;
	const char *why;

	if (to_text.len == 0) {
		call_lens(a, data);
		return;
	}
	FB_ASSERT(fb_address_parse(&to, to_text) == FB_OK);
	if (!fb_address_eq(&to, &a->sim->token)) {
		call_contract(a, &to);
		return;
	}
	if (data.len >= 4 && fb_get_be32((const uint8_t *)data.at) == FB_SELECTOR_AUTHORIZATION_STATE) {
		call_state(a, data);
		return;
	}
	why = refusal_of(a, data);
	if (why != NULL)
		reverted(a, why);
	else
		result_str(a, FB_STR("0x"));
}

static void estimate(struct answer *a)
{
	static _Thread_local uint8_t block[DATA_MAX];
	const char *why = refusal_of(a, call_data(a, block));

	if (why != NULL)
		reverted(a, why);
	else
		result_quantity(a, a->sim->gas_estimate);
}

/* ---- transactions ----------------------------------------------------------------------------------------------- */

/* The hook may look into a store, which takes a while: the lock is not held. */
static void tell_hook(struct fb_sim *s, const struct sim_tx *tx)
{
	struct fb_sim_sent sent = { tx->sender, tx->nonce, tx->hash };
	void (*hook)(void *arg, const struct fb_sim_sent *sent) = s->hook;
	void *arg = s->hook_arg;

	sim_unlock(s);
	if (hook != NULL)
		hook(arg, &sent);
	sim_lock(s);
}

static void send_raw(struct answer *a)
{
	static _Thread_local uint8_t block[DATA_MAX];
	struct sim_tx tx;
	const char *why;
	size_t len;

	FB_ASSERT(fb_hex_decode(block, &len, sizeof(block), text_of(a, param(a, 0))) == FB_OK);
	if (!sim_decode_tx(&tx, (struct fb_str){ (const char *)block, len }, a->sim->chain_id)) {
		error(a, -32000, "typed transaction too short");
		return;
	}
	tell_hook(a->sim, &tx);
	why = sim_take(a->sim, &tx);
	if (why != NULL)
		error(a, -32000, why);
	else
		result_bytes(a, (struct fb_str){ (const char *)tx.hash.bytes, 32 });
	sim_free_calls(&tx); /* nothing if it was kept */
}

static void put_receipt(struct answer *a, const struct sim_tx *tx)
{
	struct fb_hash block = sim_block_hash(sim_visible(a->sim), tx->block);

	fb_jw_key(a->w, "result");
	fb_jw_object(a->w);
	kv_bytes(a->w, "transactionHash", tx->hash.bytes, 32);
	kv_quantity(a->w, "status", tx->state == FB_SIM_TX_REVERTED ? 0 : 1);
	kv_quantity(a->w, "blockNumber", tx->block);
	kv_bytes(a->w, "blockHash", block.bytes, 32);
	kv_quantity(a->w, "gasUsed", FB_SIM_GAS_USED);
	kv_quantity(a->w, "effectiveGasPrice", a->sim->base_fee);
	fb_jw_key(a->w, "logs");
	sim_put_logs(a->sim, a->w, tx);
	fb_jw_end(a->w);
}

static void get_receipt(struct answer *a)
{
	const struct sim_tx *tx;
	struct fb_hash hash;
	bool mined;

	FB_ASSERT(fb_hash_parse(&hash, text_of(a, param(a, 0))) == FB_OK);
	tx = sim_find(a->sim, &hash);
	mined = tx != NULL &&
		(tx->state == FB_SIM_TX_MOVED || tx->state == FB_SIM_TX_REVERTED || tx->state == FB_SIM_TX_SILENT);
	if (!mined || a->sim->hide_receipts || tx->block > sim_visible(a->sim)->block) {
		fb_jw_key(a->w, "result");
		fb_jw_null(a->w);
	} else {
		put_receipt(a, tx);
	}
}

static void get_logs(struct answer *a)
{
	if (!sim_takes_filter(a->sim, param(a, 0))) {
		error(a, -32005, "query exceeds the block range that is served");
		return;
	}
	fb_jw_key(a->w, "result");
	sim_put_filtered(a->sim, a->w, param(a, 0));
}

/* ---- requests ------------------------------------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	void (*answer)(struct answer *a);
} methods[] = {
	{ "eth_chainId", chain_id },
	{ "eth_blockNumber", block_number },
	{ "eth_getBlockByNumber", get_block },
	{ "eth_getTransactionCount", get_counter },
	{ "eth_getBalance", get_balance },
	{ "eth_getCode", get_code },
	{ "eth_call", call },
	{ "eth_estimateGas", estimate },
	{ "eth_maxPriorityFeePerGas", priority_fee },
	{ "eth_sendRawTransaction", send_raw },
	{ "eth_getTransactionReceipt", get_receipt },
	{ "eth_getLogs", get_logs },
};
_Static_assert(FB_COUNT(methods) <= SIM_METHODS_MAX, "a count for each");

static size_t method_of(struct fb_json_value request)
{
	struct fb_str name = { "", 0 };

	FB_ASSERT(fb_json_string(&name, fb_json_get(request, "method"), NULL) == FB_OK);
	for (size_t i = 0; i < FB_COUNT(methods); i++)
		if (fb_str_eq(name, fb_str_of(methods[i].name)))
			return i;
	FB_UNREACHABLE("a method the simulated chain does not know");
}

static void answer_faulty(struct answer *a, const struct fb_sim_rule *fault)
{
	if (fault->fault == FB_SIM_ERROR) {
		error(a, fault->code == 0 ? -32000 : fault->code,
		      fault->text == NULL ? "something is wrong" : fault->text);
	} else if (fault->fault == FB_SIM_RUBBISH) {
		result_str(a, FB_STR("0xzz"));
	} else if (fault->fault == FB_SIM_STRANGE) {
		put_receipt(a, &(struct sim_tx){ .state = FB_SIM_TX_REVERTED, .block = 1 });
	} else if (fault->fault == FB_SIM_NUMBER) {
		fb_jw_kv_u64(a->w, "result", 7);
	} else {
		fb_jw_key(a->w, "result");
		fb_jw_null(a->w);
	}
}

static void answer_call(struct fb_sim *s, struct fb_jw *w, struct fb_json_value request)
{
	_Alignas(16) static _Thread_local unsigned char memory[4096];
	size_t m = method_of(request);
	struct fb_sim_rule fault = sim_call_fault(s, methods[m].name);
	struct answer a = { .sim = s, .w = w, .params = fb_json_get(request, "params") };
	struct fb_arena arena;

	fb_arena_init(&arena, memory, sizeof(memory));
	a.arena = &arena;
	snprintf(s->asked[m].method, sizeof(s->asked[m].method), "%s", methods[m].name);
	s->asked[m].calls++;
	fb_jw_object(w);
	fb_jw_kv_text(w, "jsonrpc", "2.0");
	fb_jw_kv_raw(w, "id", fb_json_raw(fb_json_get(request, "id")));
	if (fault.fault != FB_SIM_NONE)
		answer_faulty(&a, &fault);
	else
		methods[m].answer(&a);
	fb_jw_end(w);
}

static size_t methods_in(const char *names[], struct fb_json_value root)
{
	size_t n = 0;

	if (!fb_json_is(root, FB_JSON_ARRAY)) {
		names[0] = methods[method_of(root)].name;
		return 1;
	}
	for (struct fb_json_value v = fb_json_first(root, NULL); fb_json_present(v); v = fb_json_next(root, v, NULL))
		names[n++] = methods[method_of(v)].name;
	return n;
}

static void answer_all(struct fb_sim *s, struct fb_buf *out, struct fb_json_value root)
{
	struct fb_jw w;

	fb_jw_init(&w, out);
	if (!fb_json_is(root, FB_JSON_ARRAY)) {
		answer_call(s, &w, root);
		return;
	}
	fb_jw_array(&w);
	for (struct fb_json_value v = fb_json_first(root, NULL); fb_json_present(v); v = fb_json_next(root, v, NULL))
		answer_call(s, &w, v);
	fb_jw_end(&w);
}

void sim_answer(struct fb_sim *s, struct fb_buf *out, struct fb_str body, struct fb_sim_rule *fault)
{
	static _Thread_local struct fb_json_token tokens[TOKENS];
	const char *names[TOKENS];
	struct fb_json doc;
	size_t count;

	FB_ASSERT(fb_json_parse(&doc, tokens, TOKENS, body) == FB_OK);
	sim_lock(s);
	s->requests++;
	count = methods_in(names, fb_json_root(&doc));
	*fault = sim_request_fault(s, names, count);
	if (fault->fault == FB_SIM_NONE || fault->fault == FB_SIM_LOSE || fault->fault == FB_SIM_LATE)
		answer_all(s, out, fb_json_root(&doc));
	s->fall_back -= s->fall_back > 0;
	sim_unlock(s);
	FB_ASSERT(!out->overflowed);
}
