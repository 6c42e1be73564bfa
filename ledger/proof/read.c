/* A statement from JSON: the public part, and one owner's leaves. */
#include "proof_int.h"

#include "farebox/json.h"

enum { TOKENS_MAX = 4096 };

struct reader {
	struct fb_json doc;
	struct fb_json_token tokens[TOKENS_MAX];
	struct fb_error *e;
	enum fb_status status; /* the first fault; what comes behind it is not looked at */
};

static void fail(struct reader *r, enum fb_status st, const char *member)
{
	if (r->status == FB_OK)
		r->status = fb_error_set(r->e, st, "\"%s\" is %s", member,
					 st == FB_MISSING ? "missing" : "not as it must be");
}

/* A text without escapes: nothing here needs any. */
static struct fb_str text_of(struct reader *r, struct fb_json_value o, const char *member)
{
	struct fb_json_value v = fb_json_get(o, member);
	struct fb_str raw = fb_json_raw(v);

	if (!fb_json_present(v))
		fail(r, FB_MISSING, member);
	else if (!fb_json_is(v, FB_JSON_STRING))
		fail(r, FB_WRONG_TYPE, member);
	else
		return (struct fb_str){ raw.at + 1, raw.len - 2 };
	return FB_STR("");
}

static struct fb_json_value part_of(struct reader *r, struct fb_json_value o, const char *member,
				    enum fb_json_type type)
{
	struct fb_json_value v = fb_json_get(o, member);

	if (!fb_json_present(v))
		fail(r, FB_MISSING, member);
	else if (!fb_json_is(v, type))
		fail(r, FB_WRONG_TYPE, member);
	return v;
}

static uint64_t number_of(struct reader *r, struct fb_json_value o, const char *member)
{
	uint64_t v = 0;
	enum fb_status st = fb_json_u64(&v, fb_json_get(o, member));

	if (st != FB_OK)
		fail(r, st == FB_OVERFLOW ? FB_BAD_VALUE : st, member);
	return v;
}

static struct fb_amount money_of(struct reader *r, struct fb_json_value o, const char *member)
{
	struct fb_amount a = { 0 };
	struct fb_str text = text_of(r, o, member);

	if (r->status == FB_OK && fb_amount_parse_decimal(&a, text, FB_PROOF_DECIMALS) != FB_OK)
		fail(r, FB_BAD_VALUE, member);
	return a;
}

static void bytes_of(struct reader *r, uint8_t *out, size_t len, struct fb_json_value o, const char *member)
{
	struct fb_str text = text_of(r, o, member);

	if (r->status == FB_OK && fb_hex_decode_exact(out, len, text) != FB_OK)
		fail(r, FB_BAD_VALUE, member);
}

static void read_reserves(struct reader *r, struct fb_reserves *out, struct fb_json_value o)
{
	struct fb_json_value totals = part_of(r, o, "totals", FB_JSON_OBJECT);

	out->chain_id = number_of(r, o, "chainId");
	bytes_of(r, out->escrow.bytes, sizeof(out->escrow.bytes), o, "escrow");
	bytes_of(r, out->token.bytes, sizeof(out->token.bytes), o, "token");
	out->block = number_of(r, o, "block");
	bytes_of(r, out->block_hash.bytes, sizeof(out->block_hash.bytes), o, "blockHash");
	out->balance = money_of(r, o, "balance");
	out->root.sum = money_of(r, o, "liabilities");
	bytes_of(r, out->root.hash.bytes, sizeof(out->root.hash.bytes), o, "root");
	out->root.leaves = number_of(r, o, "leaves");
	out->accounts = number_of(r, o, "accounts");
	for (unsigned c = 0; c < FB_PROOF_CLASS_COUNT; c++)
		out->totals[c] = money_of(r, totals, fb_purpose_text(fb_proof_class_purpose((enum fb_proof_class)c)));
	out->receivables = money_of(r, o, "receivables");
	out->paid_out = money_of(r, o, "paidOut");
	if (r->status == FB_OK && (out->root.leaves > FB_PROOF_LEAVES_MAX || out->accounts > FB_PROOF_LEAVES_MAX))
		fail(r, FB_BAD_VALUE, "leaves");
}

static enum fb_purpose purpose_of(struct reader *r, struct fb_json_value o)
{
	struct fb_str text = text_of(r, o, "purpose");

	for (unsigned c = 0; c < FB_PROOF_CLASS_COUNT; c++) {
		enum fb_purpose p = fb_proof_class_purpose((enum fb_proof_class)c);

		if (fb_str_eq(text, fb_str_of(fb_purpose_text(p))))
			return p;
	}
	fail(r, FB_BAD_VALUE, "purpose");
	return FB_PURPOSE_AVAILABLE;
}

static void read_leaf(struct reader *r, struct fb_proof_path *out, const struct fb_owner *owner, struct fb_json_value o)
{
	struct fb_json_value path = part_of(r, o, "path", FB_JSON_ARRAY), v;
	uint64_t part = number_of(r, o, "part");

	*out = (struct fb_proof_path){ .leaf.purpose = purpose_of(r, o), .leaf.owner = *owner };
	out->leaf.part = part < FB_PROOF_PARTS ? (uint8_t)part : 0;
	out->leaf.amount = money_of(r, o, "amount");
	out->index = number_of(r, o, "index");
	bytes_of(r, out->salt.bytes, sizeof(out->salt.bytes), o, "salt");
	if (part >= FB_PROOF_PARTS)
		fail(r, FB_BAD_VALUE, "part");
	if (r->status == FB_OK && fb_json_count(path) > FB_PROOF_DEPTH_MAX)
		fail(r, FB_BAD_VALUE, "path");
	for (v = fb_json_first(path, NULL); fb_json_present(v) && r->status == FB_OK; v = fb_json_next(path, v, NULL)) {
		struct fb_proof_node *n = &out->siblings[out->len++];

		bytes_of(r, n->hash.bytes, sizeof(n->hash.bytes), v, "hash");
		n->sum = money_of(r, v, "sum");
	}
}

static void read_proof(struct reader *r, struct fb_proof *out, struct fb_json_value o)
{
	struct fb_json_value leaves = part_of(r, o, "leaves", FB_JSON_ARRAY), v;

	read_reserves(r, &out->reserves, part_of(r, o, "reserves", FB_JSON_OBJECT));
	bytes_of(r, out->owner.bytes, sizeof(out->owner.bytes), o, "owner");
	if (r->status == FB_OK && fb_json_count(leaves) > FB_PROOF_PATHS_MAX)
		fail(r, FB_BAD_VALUE, "leaves");
	for (v = fb_json_first(leaves, NULL); fb_json_present(v) && r->status == FB_OK; v = fb_json_next(leaves, v, NULL))
		read_leaf(r, &out->paths[out->count++], &out->owner, v);
}

/* The statement itself: what "data" is, if there is one. */
static enum fb_status begin(struct reader *r, struct fb_json_value *out, struct fb_str text, struct fb_error *e)
{
	struct fb_json_value root;

	r->e = e;
	r->status = text.len > FB_PROOF_TEXT_MAX ? FB_TOO_LARGE : fb_json_parse(&r->doc, r->tokens, TOKENS_MAX, text);
	if (r->status != FB_OK)
		return fb_error_set(e, r->status, "this is no JSON that can be read: %s", fb_status_info(r->status)->name);
	root = fb_json_root(&r->doc);
	*out = fb_json_present(fb_json_get(root, "data")) ? fb_json_get(root, "data") : root;
	if (!fb_json_is(*out, FB_JSON_OBJECT))
		r->status = fb_error_set(e, FB_WRONG_TYPE, "this is no statement of reserves");
	return r->status;
}

enum fb_status fb_reserves_read(struct fb_reserves *out, struct fb_str text, struct fb_error *e)
{
	struct fb_reserves reserves = { 0 };
	struct fb_json_value o;
	struct reader r;

	if (begin(&r, &o, text, e) == FB_OK)
		read_reserves(&r, &reserves, o);
	if (r.status == FB_OK)
		*out = reserves;
	return r.status;
}

enum fb_status fb_proof_read(struct fb_proof *out, struct fb_str text, struct fb_error *e)
{
	struct fb_proof proof = { .count = 0 };
	struct fb_json_value o;
	struct reader r;

	if (begin(&r, &o, text, e) == FB_OK)
		read_proof(&r, &proof, o);
	if (r.status == FB_OK)
		*out = proof;
	return r.status;
}
