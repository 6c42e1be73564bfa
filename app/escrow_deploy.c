/* farebox escrow deploy: one transaction, signed with the configured key, that creates an escrow. */
#include "app.h"
#include "escrow_cli.h"

#include "farebox/json.h"
#include "farebox/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TX_MAX = FB_ESCROW_CREATION_MAX + 512,
	GAS_MAX = 8000000, /* twice what it takes */
	FEE_MULTIPLE = 2,  /* of the base fee: it may rise that far while the transaction waits */
	UNKNOWN_TIP = 1000000,
	POLL_MS = 250,
	WAIT_MS = 180000,
	REFUSED_WAIT_MS = 5000, /* if the endpoint refused it, which may be because it has it already */
	GWEI = 1000000000,
	ARENA = 65536,
};

struct deployment {
	struct fb_app_escrow *cli;
	struct fb_escrow_terms terms;
	struct fb_address signer, escrow;
	char *creation, *params; /* FB_ESCROW_CREATION_MAX bytes, and twice that in hex and what stands around it */
	size_t creation_len;
	fb_u128 nonce, pending_nonce, balance, base_fee, tip, gas, max_fee;
	char signed_tx[TX_MAX];
	size_t signed_len;
	struct fb_app_made made;
	bool included;
};

/* ---- the terms ---------------------------------------------------------------------------------------------- */

/* An address, or "nobody" for a role that may stay without. */
static enum fb_status read_role(struct fb_app_escrow *c, struct fb_address *out, const char *flag, const char *text,
				bool needed)
{
	*out = (struct fb_address){ { 0 } };
	if (!needed && strcmp(text, "nobody") == 0)
		return FB_OK;
	if (fb_address_parse_checked(out, fb_str_of(text)) == FB_OK && !fb_address_is_zero(out))
		return FB_OK;
	return fb_error_set(&c->error, FB_BAD_VALUE,
			    "%s: \"%.60s\": want an address of 0x and 40 hex digits, in one case or with a right EIP-55 "
			    "checksum%s", flag, text, needed ? "" : ", or nobody");
}

static enum fb_status read_cap(struct fb_app_escrow *c, fb_u128 *out, const char *flag, const char *text)
{
	const struct fb_token *t = &c->server->network.tokens[0];
	struct fb_amount a;

	if (strcmp(text, "none") == 0) {
		*out = ~(fb_u128)0;
		return FB_OK;
	}
	if (fb_amount_parse_decimal(&a, fb_str_of(text), t->decimals) != FB_OK)
		return fb_error_set(&c->error, FB_BAD_VALUE, "%s: \"%.60s\": want whole %s like 1000 or 0.5, or none", flag,
				    text, t->symbol);
	return fb_u256_to_u128(out, fb_u256_from_amount(a));
}

static enum fb_status check_apart(struct fb_app_escrow *c, const struct fb_escrow_terms *t)
{
	bool same = fb_address_eq(&t->owner, &t->payout_role) || fb_address_eq(&t->owner, &t->pause_role) ||
		    (fb_address_eq(&t->payout_role, &t->pause_role) && !fb_address_is_zero(&t->payout_role));

	return !same ? FB_OK : fb_error_set(&c->error, FB_BAD_VALUE, "--owner, --payout-role and --pause-role are held by "
					    "different addresses: a key that can do two of these things is worth stealing");
}

static enum fb_status read_terms(struct deployment *d)
{
	struct fb_app_escrow *c = d->cli;
	enum fb_status st = read_role(c, &d->terms.owner, "--owner", c->owner, true);

	d->terms.token = c->server->network.tokens[0].address;
	if (st == FB_OK)
		st = read_role(c, &d->terms.payout_role, "--payout-role", c->payout_role, false);
	if (st == FB_OK)
		st = read_role(c, &d->terms.pause_role, "--pause-role", c->pause_role, false);
	if (st == FB_OK)
		st = check_apart(c, &d->terms);
	if (st == FB_OK)
		st = read_cap(c, &d->terms.payout_cap, "--payout-cap", c->payout_cap);
	return st != FB_OK ? st : read_cap(c, &d->terms.day_cap, "--day-cap", c->day_cap);
}

/* ---- what the chain says before ------------------------------------------------------------------------------- */

enum { LATEST_NONCE, PENDING_NONCE, BALANCE, BLOCK, TIP, GAS, FACTS };

static enum fb_status read_base_fee(fb_u128 *out, struct fb_json_value block)
{
	_Alignas(16) unsigned char space[16];
	struct fb_arena none;
	struct fb_str text;

	fb_arena_init(&none, space, sizeof(space));
	if (fb_json_string(&text, fb_json_get(block, "baseFeePerGas"), &none) != FB_OK)
		return FB_BAD_SYNTAX;
	return fb_quantity_parse_u128(out, text);
}

static enum fb_status read_facts(void *out, const struct fb_rpc_reply *reply, struct fb_error *e)
{
	struct deployment *d = out;
	const struct fb_rpc_result *r = reply->results;

	if (r[TIP].status != FB_OK || fb_app_escrow_quantity(&d->tip, &r[TIP]) != FB_OK)
		d->tip = UNKNOWN_TIP;
	if (fb_app_escrow_quantity(&d->nonce, &r[LATEST_NONCE]) != FB_OK ||
	    fb_app_escrow_quantity(&d->pending_nonce, &r[PENDING_NONCE]) != FB_OK ||
	    fb_app_escrow_quantity(&d->balance, &r[BALANCE]) != FB_OK ||
	    fb_app_escrow_quantity(&d->gas, &r[GAS]) != FB_OK ||
	    read_base_fee(&d->base_fee, r[BLOCK].result) != FB_OK || d->nonce > INT64_MAX ||
	    d->base_fee > (fb_u128)1 << 90 || d->tip > (fb_u128)1 << 90)
		return fb_error_set(e, FB_RPC_ERROR, "%s answers what cannot be read about the signer, the newest block or the "
				    "gas of the deployment", reply->endpoint);
	return FB_OK;
}

static void put_estimate(struct fb_buf *b, const struct deployment *d)
{
	fb_buf_text(b, "[{\"from\":\"");
	fb_buf_address(b, &d->signer);
	fb_buf_text(b, "\",\"data\":\"");
	fb_buf_hex(b, d->creation, d->creation_len);
	fb_buf_text(b, "\"}]");
	FB_ASSERT(!b->overflowed);
}

static struct fb_str signer_params(char block[96], const struct deployment *d, const char *tag)
{
	struct fb_buf b;

	fb_buf_init(&b, block, 96);
	fb_buf_text(&b, "[\"");
	fb_buf_address(&b, &d->signer);
	fb_buf_printf(&b, "\",\"%s\"]", tag);
	FB_ASSERT(!b.overflowed);
	return fb_buf_view(&b);
}

static enum fb_status ask_facts(struct deployment *d)
{
	char latest[96], pending[96];
	struct fb_app_question q = { .count = FACTS, .read = read_facts, .out = d };
	struct fb_buf b;

	fb_buf_init(&b, d->params, 3 * FB_ESCROW_CREATION_MAX);
	put_estimate(&b, d);
	q.calls[LATEST_NONCE] = (struct fb_rpc_call){ "eth_getTransactionCount", signer_params(latest, d, "latest") };
	q.calls[PENDING_NONCE] = (struct fb_rpc_call){ "eth_getTransactionCount", signer_params(pending, d, "pending") };
	q.calls[BALANCE] = (struct fb_rpc_call){ "eth_getBalance", fb_str_of(latest) };
	q.calls[BALANCE].params = q.calls[LATEST_NONCE].params;
	q.calls[BLOCK] = (struct fb_rpc_call){ "eth_getBlockByNumber", FB_STR("[\"latest\",false]") };
	q.calls[TIP] = (struct fb_rpc_call){ "eth_maxPriorityFeePerGas", FB_STR("[]") };
	q.optional[TIP] = true;
	q.calls[GAS] = (struct fb_rpc_call){ "eth_estimateGas", fb_buf_view(&b) };
	return fb_app_escrow_ask(d->cli, &q);
}

/* Whether it may be sent, and at what price. */
static enum fb_status price(struct deployment *d)
{
	struct fb_error *e = &d->cli->error;
	fb_u128 most = (fb_u128)d->cli->server->conf.max_fee_gwei * GWEI;

	d->gas += d->gas / 5;
	d->max_fee = FEE_MULTIPLE * d->base_fee + d->tip;
	if (d->nonce != d->pending_nonce)
		return fb_error_set(e, FB_CONFLICT, "the signer has transactions under way: wait for them, or deploy with "
				    "another key (deploying gives a key no power over the escrow)");
	if (d->gas > GAS_MAX)
		return fb_error_set(e, FB_MISMATCH, "the deployment would take %llu gas, more than it ever should (%d)",
				    (unsigned long long)d->gas, GAS_MAX);
	if (d->max_fee > most)
		return fb_error_set(e, FB_LIMIT, "the chain asks for up to %llu gwei per gas, max_fee_gwei (%s) allows %llu",
				    (unsigned long long)(d->max_fee / GWEI), fb_conf_origin(&d->cli->server->conf, "max_fee_gwei"),
				    (unsigned long long)d->cli->server->conf.max_fee_gwei);
	if (d->balance < d->gas * d->max_fee)
		return fb_error_set(e, FB_NO_GAS, "the signer has %llu gwei and needs up to %llu: send it gas money",
				    (unsigned long long)(d->balance / GWEI), (unsigned long long)(d->gas * d->max_fee / GWEI));
	return FB_OK;
}

/* ---- sending ------------------------------------------------------------------------------------------------ */

static enum fb_status sign(struct deployment *d)
{
	struct fb_tx tx = { .chain_id = d->cli->server->network.chain_id, .nonce = (uint64_t)d->nonce,
			    .gas_limit = (uint64_t)d->gas, .max_priority_fee = d->tip, .max_fee = d->max_fee,
			    .creates = true, .data = { d->creation, d->creation_len } };
	struct fb_buf b;
	enum fb_status st;

	fb_buf_init(&b, d->signed_tx, sizeof(d->signed_tx));
	st = fb_tx_sign(&b, &d->made.tx, &tx, &d->cli->server->signers[0]);
	FB_ASSERT(st == FB_OK); /* TX_MAX */
	d->signed_len = b.len;
	d->escrow = fb_created_address(&d->signer, tx.nonce);
	return st;
}

/* The receipt alone decides: what the endpoint answers to the sending says little. */
static enum fb_status read_sent(void *out, const struct fb_rpc_reply *reply, struct fb_error *e)
{
	(void)out;
	if (reply->results[0].status == FB_OK)
		return FB_OK;
	return fb_error_set(e, FB_RPC_ERROR, "%s refuses the transaction: %.*s", reply->endpoint,
			    FB_STR_ARG(reply->results[0].error_message));
}

static enum fb_status send_it(struct deployment *d)
{
	struct fb_app_question q = { .count = 1, .once = true, .optional = { true }, .read = read_sent };
	struct fb_buf b;

	fb_buf_init(&b, d->params, 3 * FB_ESCROW_CREATION_MAX);
	fb_buf_text(&b, "[\"");
	fb_buf_hex(&b, d->signed_tx, d->signed_len);
	fb_buf_text(&b, "\"]");
	FB_ASSERT(!b.overflowed);
	q.calls[0] = (struct fb_rpc_call){ "eth_sendRawTransaction", fb_buf_view(&b) };
	return fb_app_escrow_ask(d->cli, &q);
}

static enum fb_status read_receipt(void *out, const struct fb_rpc_reply *reply, struct fb_error *e)
{
	_Alignas(16) static unsigned char memory[ARENA];
	struct deployment *d = out;
	struct fb_arena arena;
	enum fb_status st;

	fb_arena_init(&arena, memory, sizeof(memory));
	st = fb_receipt_read(&d->made.receipt, reply->results[0].result, &arena);
	if (st != FB_OK && st != FB_NOT_FOUND)
		return fb_error_set(e, FB_RPC_ERROR, "%s answers no proper receipt", reply->endpoint);
	d->included = st == FB_OK;
	return FB_OK;
}

/* True once it is in a block. An endpoint that fails meanwhile is asked again. */
static bool wait_for_receipt(struct deployment *d, uint64_t wait_ms)
{
	char params[FB_HASH_TEXT_LEN + 8];
	struct fb_app_question q = { .count = 1, .read = read_receipt, .out = d };
	struct fb_buf b;

	fb_buf_init(&b, params, sizeof(params));
	fb_buf_text(&b, "[\"");
	fb_buf_hash(&b, &d->made.tx);
	fb_buf_text(&b, "\"]");
	q.calls[0] = (struct fb_rpc_call){ "eth_getTransactionReceipt", fb_buf_view(&b) };
	for (uint64_t waited = 0; waited < wait_ms && !d->included; waited += POLL_MS) {
		if (fb_app_escrow_ask(d->cli, &q) != FB_OK || !d->included)
			fb_app_escrow_wait(d->cli, POLL_MS);
	}
	return d->included;
}

/* ---- talking -------------------------------------------------------------------------------------------------- */

static void say_address(const char *what, const struct fb_address *a)
{
	char block[FB_ADDRESS_TEXT_LEN];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	if (fb_address_is_zero(a))
		fb_buf_text(&b, "nobody");
	else
		fb_buf_address_checksum(&b, a);
	fprintf(stderr, "%s %.*s\n", what, FB_STR_ARG(fb_buf_view(&b)));
}

static void say_plan(const struct deployment *d)
{
	const struct fb_network *n = &d->cli->server->network;

	if (d->cli->json)
		return;
	fprintf(stderr, "An escrow for %s on %s, created with %llu gas at up to %llu gwei\n", n->tokens[0].symbol, n->name,
		(unsigned long long)d->gas, (unsigned long long)(d->max_fee / GWEI));
	say_address("  signed by", &d->signer);
	say_address("  owner    ", &d->terms.owner);
	say_address("  payouts  ", &d->terms.payout_role);
	say_address("  pause    ", &d->terms.pause_role);
}

static bool agreed(const struct deployment *d)
{
	char answer[16];

	return d->cli->yes || (fb_os_ask(answer, sizeof(answer), "Deploy? [y/N] ", false) == FB_OK &&
			       (answer[0] == 'y' || answer[0] == 'Y'));
}

/* Said before the sending: whatever happens then, it can be looked for. */
static void say_sending(const struct deployment *d)
{
	char block[FB_HASH_TEXT_LEN];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_hash(&b, &d->made.tx);
	fprintf(stderr, "Sending transaction %.*s\n", FB_STR_ARG(fb_buf_view(&b)));
	say_address("The escrow will stand at", &d->escrow);
}

static int undecided(const struct deployment *d)
{
	const char *why = d->cli->error.text;

	fprintf(stderr, "farebox: %s%sthe transaction is in no block yet, but may still get into one: look for it before "
		"you deploy again\n", why, why[0] == '\0' ? "" : "; ");
	return FB_EXIT_UNAVAILABLE;
}

/* ---- the whole way ---------------------------------------------------------------------------------------------- */

static enum fb_status check_new(struct fb_app_escrow *c)
{
	char block[FB_ADDRESS_TEXT_LEN];
	struct fb_buf b;

	if (!c->server->network.has_escrow || c->again)
		return FB_OK;
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_address_checksum(&b, &c->server->network.escrow);
	return fb_error_set(&c->error, FB_CONFLICT, "%s has an escrow, %.*s: a second one starts with no money and no "
			    "history; --again deploys it all the same", c->server->network.name, FB_STR_ARG(fb_buf_view(&b)));
}

static enum fb_status prepare(struct deployment *d)
{
	struct fb_buf b;
	enum fb_status st = check_new(d->cli);

	if (st == FB_OK)
		st = read_terms(d);
	if (st == FB_OK)
		st = fb_app_escrow_check(d->cli);
	if (st != FB_OK)
		return st;
	d->signer = fb_key_address(&d->cli->server->signers[0]);
	fb_buf_init(&b, d->creation, FB_ESCROW_CREATION_MAX);
	fb_escrow_creation(&b, &d->terms);
	FB_ASSERT(!b.overflowed);
	d->creation_len = b.len;
	st = ask_facts(d);
	return st != FB_OK ? st : price(d);
}

static bool as_asked(const struct fb_escrow_status *s, const struct fb_escrow_terms *t)
{
	return fb_address_eq(&s->token, &t->token) && fb_address_eq(&s->owner, &t->owner) &&
	       fb_address_eq(&s->payout_role, &t->payout_role) && fb_address_eq(&s->pause_role, &t->pause_role) &&
	       s->payout_cap == t->payout_cap && s->day_cap == t->day_cap;
}

static int conclude(struct deployment *d)
{
	struct fb_network *n = &d->cli->server->network;
	struct fb_app_look look;
	enum fb_status st;

	if (!d->made.receipt.succeeded) {
		fprintf(stderr, "farebox: the transaction is in block %llu and has failed: there is no escrow\n",
			(unsigned long long)d->made.receipt.block);
		return FB_EXIT_FAILED;
	}
	n->has_escrow = true;
	n->escrow = d->escrow;
	n->escrow_block = d->made.receipt.block;
	st = fb_app_escrow_look(d->cli, &look, &d->escrow);
	if (st == FB_OK && (!as_asked(&look.status, &d->terms) || !look.code_is_ours))
		st = fb_error_set(&d->cli->error, FB_MISMATCH, "the escrow is not as it was asked for: farebox escrow status");
	if (st != FB_OK)
		return fb_app_fail(st, d->cli->error.text);
	fb_app_escrow_show(d->cli, &look, &d->made);
	return FB_EXIT_OK;
}

static int deploy(struct deployment *d)
{
	enum fb_status st = prepare(d);

	if (st != FB_OK)
		return fb_app_fail(st, d->cli->error.text);
	say_plan(d);
	if (!agreed(d)) {
		fprintf(stderr, "farebox: nothing was sent (--yes deploys without asking)\n");
		return FB_EXIT_FAILED;
	}
	if (sign(d) != FB_OK)
		return FB_EXIT_INTERNAL;
	say_sending(d);
	st = send_it(d);
	if (!wait_for_receipt(d, st == FB_OK ? WAIT_MS : REFUSED_WAIT_MS))
		return undecided(d);
	return conclude(d);
}

int fb_app_escrow_deploy(struct fb_app_escrow *c)
{
	struct deployment *d = fb_must_alloc(1, sizeof(*d));
	int code;

	d->cli = c;
	d->creation = fb_must_alloc(FB_ESCROW_CREATION_MAX, 1);
	d->params = fb_must_alloc(3 * FB_ESCROW_CREATION_MAX, 1);
	code = deploy(d);
	free(d->params);
	free(d->creation);
	free(d);
	return code;
}
