/* What the settings mean together: network, key, data directory, who may settle, the demo's price. */
#include "app.h"
#include "server.h"

#include "farebox/os.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NETWORK_FILE_MAX = 65536, KEYS_FILE_MAX = 8192 };
enum { PUBLIC_URL_MAX = 400 /* leaves room for a path in what the paywall quotes */ };

bool fb_server_is_loopback(const char *bind)
{
	return strncmp(bind, "127.", 4) == 0 || strcmp(bind, "::1") == 0;
}

/* ---- addresses and URLs ------------------------------------------------------------------------------ */

/* http or https, a host, and nothing that would have to be escaped. */
static bool is_url(struct fb_str s)
{
	size_t start = fb_str_starts(s, FB_STR("https://")) ? 8 : fb_str_starts(s, FB_STR("http://")) ? 7 : s.len;
	size_t end = start;

	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] > '~')
			return false;
	while (end < s.len && strchr("/?#\\", s.at[end]) == NULL)
		end++;
	return end > start && s.at[end - 1] != '@';
}

static enum fb_status check_bind(const struct fb_server *s, struct fb_error *e)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, s->conf.bind, address) == 1 || inet_pton(AF_INET6, s->conf.bind, address) == 1)
		return FB_OK;
	return fb_error_set(e, FB_BAD_VALUE, "bind (%s): \"%.60s\": want a numeric IPv4 or IPv6 address like 127.0.0.1",
			    fb_conf_origin(&s->conf, "bind"), s->conf.bind);
}

/* A path is put behind it. */
static enum fb_status check_public_url(const struct fb_server *s, struct fb_error *e)
{
	struct fb_str url = fb_str_of(s->conf.public_url);

	if (url.len == 0 || (is_url(url) && url.len <= PUBLIC_URL_MAX && url.at[url.len - 1] != '/' &&
			     strpbrk(url.at, "?#\\") == NULL))
		return FB_OK;
	return fb_error_set(e, FB_BAD_VALUE, "public_url (%s): want a URL like https://pay.example, without / at its end, "
			    "of at most %d characters", fb_conf_origin(&s->conf, "public_url"), PUBLIC_URL_MAX);
}

/* ---- network ---------------------------------------------------------------------------------------- */

static enum fb_status read_network_file(struct fb_network *out, const char *path, struct fb_error *e)
{
	char *text = fb_must_alloc(NETWORK_FILE_MAX, 1);
	size_t len = 0;
	enum fb_status st = fb_os_read_file(text, &len, NETWORK_FILE_MAX, path, e);

	if (st == FB_OK)
		st = fb_network_parse(out, (struct fb_str){ text, len }, path, e);
	free(text);
	return st;
}

/* rpc_url replaces what the network file says. */
static enum fb_status take_rpc_urls(struct fb_server *s, struct fb_error *e)
{
	struct fb_str rest = fb_str_of(s->conf.rpc_url), url;

	if (rest.len > 0)
		s->network.rpc_url_count = 0;
	while (rest.len > 0) {
		struct fb_str tail = { "", 0 };

		url = rest;
		(void)fb_str_split(&url, &tail, rest, ',');
		rest = tail;
		url = fb_str_trim(url);
		if (!is_url(url))
			return fb_error_set(e, FB_BAD_VALUE,
					    "rpc_url (%s): want http:// or https:// URLs, comma-separated",
					    fb_conf_origin(&s->conf, "rpc_url"));
		if (s->network.rpc_url_count == FB_RPC_ENDPOINTS_MAX || url.len >= FB_NETWORK_URL_MAX)
			return fb_error_set(
				e, FB_BAD_VALUE, "rpc_url (%s): want at most %d URLs of at most %d characters",
				fb_conf_origin(&s->conf, "rpc_url"), FB_RPC_ENDPOINTS_MAX, FB_NETWORK_URL_MAX - 1);
		snprintf(s->network.rpc_urls[s->network.rpc_url_count++], FB_NETWORK_URL_MAX, "%.*s", FB_STR_ARG(url));
	}
	if (s->network.rpc_url_count == 0)
		return fb_error_set(e, FB_BAD_VALUE,
				    "rpc_url is not set: set EVM_RPC_URL (or --rpc-url) to a JSON-RPC endpoint of %s",
				    s->network.name);
	return FB_OK;
}

/* escrow and escrow_from together replace what the network file says. */
static enum fb_status take_escrow(struct fb_server *s, struct fb_error *e)
{
	struct fb_network *n = &s->network;

	if (s->conf.escrow[0] == '\0')
		return s->conf.escrow_from == 0 ? FB_OK :
			fb_error_set(e, FB_BAD_VALUE, "escrow_from (%s) is set without escrow: set ESCROW_ADDRESS too",
				     fb_conf_origin(&s->conf, "escrow_from"));
	if (fb_address_parse_checked(&n->escrow, fb_str_of(s->conf.escrow)) != FB_OK || fb_address_is_zero(&n->escrow))
		return fb_error_set(e, FB_BAD_VALUE, "escrow (%s): \"%.60s\" is no contract's address: want 0x and 40 hex "
				    "digits, in one case or with a right EIP-55 checksum",
				    fb_conf_origin(&s->conf, "escrow"), s->conf.escrow);
	n->has_escrow = true;
	n->escrow_block = s->conf.escrow_from;
	return FB_OK;
}

enum fb_status fb_server_read_network(struct fb_server *s, struct fb_error *e)
{
	enum fb_status st;

	if (s->conf.network_file[0] != '\0')
		st = read_network_file(&s->network, s->conf.network_file, e);
	else
		st = fb_network_builtin(&s->network, fb_str_of(s->conf.network), e);
	if (st == FB_OK)
		st = take_rpc_urls(s, e);
	return st != FB_OK ? st : take_escrow(s, e);
}

/* ---- key -------------------------------------------------------------------------------------------- */

struct passphrase {
	const char *source;
	struct fb_error why_none;
};

static size_t take_passphrase(void *ctx, char *out, size_t cap, const char *what)
{
	struct passphrase *p = ctx;
	char prompt[256];

	snprintf(prompt, sizeof(prompt), "Passphrase of %s: ", what);
	return fb_app_passphrase(out, cap, p->source, prompt, &p->why_none);
}

/* A key stands for one lane: two for the same account would take each other's nonces. */
static bool is_known(const struct fb_server *s, const struct fb_key *key)
{
	struct fb_address address = fb_key_address(key), other;

	for (size_t i = 0; i < s->signer_count; i++) {
		other = fb_key_address(&s->signers[i]);
		if (fb_address_eq(&address, &other))
			return true;
	}
	return false;
}

static enum fb_status add_key(struct fb_server *s, const struct fb_key *key, const char *setting, struct fb_error *e)
{
	if (s->signer_count == FB_LANES_MAX)
		return fb_error_set(e, FB_BAD_VALUE, "%s (%s): want at most %d keys in all", setting,
				    fb_conf_origin(&s->conf, setting), FB_LANES_MAX);
	if (is_known(s, key))
		return fb_error_set(e, FB_BAD_VALUE, "%s (%s): one key is named twice", setting,
				    fb_conf_origin(&s->conf, setting));
	s->signers[s->signer_count++] = *key;
	return FB_OK;
}

enum fb_status fb_server_load_key(struct fb_server *s, struct fb_key *out, const char *source, struct fb_error *e)
{
	struct passphrase p = { .source = s->conf.passphrase };
	enum fb_status st = fb_key_load(out, source, (struct fb_passphrase){ take_passphrase, &p }, e);

	if (st != FB_OK && p.why_none.text[0] != '\0')
		fb_error_set(e, st, "%s: %s", source, p.why_none.text);
	return st;
}

static enum fb_status load_key(struct fb_server *s, const char *source, const char *setting, struct fb_error *e)
{
	struct fb_key key;
	enum fb_status st = fb_server_load_key(s, &key, source, e);

	if (st == FB_OK) {
		st = add_key(s, &key, setting, e);
		fb_key_wipe(&key);
	}
	return st;
}

/* The key itself, or where it is. Errors do not repeat the line: it may be a secret. */
static enum fb_status take_key_line(struct fb_server *s, struct fb_str line, unsigned number, struct fb_error *e)
{
	char source[FB_CONF_PATH_MAX];
	struct fb_key key;
	enum fb_status st;

	if (!fb_str_starts(line, FB_STR("0x"))) {
		if (line.len >= sizeof(source))
			return fb_error_set(e, FB_BAD_VALUE, "more_keys (%s): line %u is too long",
					    fb_conf_origin(&s->conf, "more_keys"), number);
		snprintf(source, sizeof(source), "%.*s", FB_STR_ARG(line));
		return load_key(s, source, "more_keys", e);
	}
	st = fb_key_parse(&key, line);
	if (st != FB_OK)
		return fb_error_set(e, st, "more_keys (%s): line %u is no key: want 0x and 64 hex digits",
				    fb_conf_origin(&s->conf, "more_keys"), number);
	st = add_key(s, &key, "more_keys", e);
	fb_key_wipe(&key);
	return st;
}

static enum fb_status take_key_lines(struct fb_server *s, struct fb_str rest, struct fb_error *e)
{
	enum fb_status st = FB_OK;

	for (unsigned number = 1; st == FB_OK && rest.len > 0; number++) {
		struct fb_str line = rest, tail = { "", 0 };

		(void)fb_str_split(&line, &tail, rest, '\n');
		rest = tail;
		line = fb_str_trim(line);
		if (line.len > 0)
			st = take_key_line(s, line, number, e);
	}
	return st;
}

/* A file that is itself a keystore is one key. */
static enum fb_status read_more_keys(struct fb_server *s, struct fb_error *e)
{
	const char *source = s->conf.more_keys, *variable;
	char text[KEYS_FILE_MAX];
	size_t len = 0;
	enum fb_status st = FB_OK;

	if (source[0] == '\0')
		return FB_OK;
	if (source[0] == '$') {
		variable = getenv(source + 1);
		if (variable == NULL)
			return fb_error_set(e, FB_NOT_FOUND, "more_keys (%s): %s is not set",
					    fb_conf_origin(&s->conf, "more_keys"), source);
		return take_key_lines(s, fb_str_of(variable), e);
	}
	st = fb_os_read_secret(text, &len, sizeof(text), source, e);
	if (st == FB_OK && len > 0 && text[0] == '{')
		st = load_key(s, source, "more_keys", e);
	else if (st == FB_OK)
		st = take_key_lines(s, (struct fb_str){ text, len }, e);
	explicit_bzero(text, sizeof(text));
	return st;
}

enum fb_status fb_server_read_key(struct fb_server *s, struct fb_error *e)
{
	enum fb_status st;

	if (s->conf.key[0] == '\0')
		return fb_error_set(
			e, FB_BAD_VALUE,
			"key is not set: set EVM_PRIVATE_KEY, or --key to $NAME, a key file or a keystore "
			"(farebox key new makes one)");
	st = load_key(s, s->conf.key, "key", e);
	return st == FB_OK ? read_more_keys(s, e) : st;
}

void fb_server_wipe_keys(struct fb_server *s)
{
	while (s->signer_count > 0)
		fb_key_wipe(&s->signers[--s->signer_count]);
	fb_key_wipe(&s->payout_key);
}

/* ---- who may settle ------------------------------------------------------------------------------------ */

static enum fb_status read_payees(struct fb_server *s, struct fb_error *e)
{
	struct fb_str rest = fb_str_of(s->conf.pay_to);

	while (rest.len > 0) {
		struct fb_str one = rest, tail = { "", 0 };

		(void)fb_str_split(&one, &tail, rest, ',');
		rest = tail;
		if (s->x402.payee_count == FB_X402_PAYEES_MAX)
			return fb_error_set(e, FB_BAD_VALUE, "pay_to (%s): want at most %d addresses",
					    fb_conf_origin(&s->conf, "pay_to"), FB_X402_PAYEES_MAX);
		if (fb_address_parse_checked(&s->x402.payees[s->x402.payee_count++], fb_str_trim(one)) != FB_OK)
			return fb_error_set(
				e, FB_BAD_VALUE,
				"pay_to (%s): \"%.*s\" is no address: want 0x and 40 hex digits, in one case or with a right "
				"EIP-55 checksum",
				fb_conf_origin(&s->conf, "pay_to"), FB_STR_ARG(one));
	}
	return FB_OK;
}

/* Anyone's transfers on our gas money: only on loopback, or with a fence. */
static enum fb_status check_policy(const struct fb_server *s, struct fb_error *e)
{
	bool fenced = fb_auth_has_keys(s->keys) || s->x402.payee_count > 0;

	if (s->conf.test_hooks && !fb_server_is_loopback(s->conf.bind))
		return fb_error_set(e, FB_BAD_VALUE,
				    "test_hooks (%s) with bind %s: POST /close is offered on loopback only",
				    fb_conf_origin(&s->conf, "test_hooks"), s->conf.bind);
	if (fb_server_is_loopback(s->conf.bind) || fenced)
		return FB_OK;
	if (!s->conf.open_settle)
		return fb_error_set(
			e, FB_BAD_VALUE,
			"bind %s (%s) would let anyone settle with this signer's gas money: set api_keys or pay_to, or "
			"--open-settle with gas_budget_day_gwei",
			s->conf.bind, fb_conf_origin(&s->conf, "bind"));
	if (s->conf.gas_budget_day_gwei == 0)
		return fb_error_set(e, FB_BAD_VALUE,
				    "open_settle (%s) on %s needs a gas budget: set gas_budget_day_gwei above 0",
				    fb_conf_origin(&s->conf, "open_settle"), s->conf.bind);
	return FB_OK;
}

/* ---- chain ------------------------------------------------------------------------------------------------- */

static enum fb_status check_depths(const struct fb_server *s, struct fb_error *e)
{
	if (s->conf.confirmations > s->conf.reorg_depth_max)
		return fb_error_set(e, FB_BAD_VALUE, "confirmations (%s): want at most reorg_depth_max (%s), %llu",
				    fb_conf_origin(&s->conf, "confirmations"),
				    fb_conf_origin(&s->conf, "reorg_depth_max"),
				    (unsigned long long)s->conf.reorg_depth_max);
	if (s->conf.finality_blocks < s->conf.confirmations)
		return fb_error_set(e, FB_BAD_VALUE, "finality_blocks (%s): want at least confirmations (%s), %llu",
				    fb_conf_origin(&s->conf, "finality_blocks"),
				    fb_conf_origin(&s->conf, "confirmations"),
				    (unsigned long long)s->conf.confirmations);
	return FB_OK;
}

/* ---- demo, data ------------------------------------------------------------------------------------------ */

static enum fb_status read_demo(struct fb_server *s, struct fb_error *e)
{
	const struct fb_token *token = &s->network.tokens[0];

	if (s->network.has_escrow)
		s->pay.pay_to = s->network.escrow;
	else if (s->conf.demo_pay_to[0] == '\0')
		return FB_OK;
	else if (fb_address_parse_checked(&s->pay.pay_to, fb_str_of(s->conf.demo_pay_to)) != FB_OK)
		return fb_error_set(
			e, FB_BAD_VALUE,
			"demo_pay_to (%s): \"%s\" is no address: want 0x and 40 hex digits, in one case or with a right "
			"EIP-55 checksum",
			fb_conf_origin(&s->conf, "demo_pay_to"), s->conf.demo_pay_to);
	if (fb_amount_parse_decimal(&s->pay.price, fb_str_of(s->conf.demo_price), token->decimals) != FB_OK ||
	    fb_amount_cmp(s->pay.price, (struct fb_amount){ 0 }) == 0)
		return fb_error_set(
			e, FB_BAD_VALUE,
			"demo_price (%s): \"%s\": want an amount above 0 like 0.001 with at most %u decimals",
			fb_conf_origin(&s->conf, "demo_price"), s->conf.demo_price, token->decimals);
	s->pay.token = token;
	return FB_OK;
}

enum fb_status fb_server_name_data(struct fb_server *s, struct fb_error *e)
{
	struct fb_buf b;

	fb_buf_init(&b, s->data, sizeof(s->data) - 1);
	if (s->conf.data[0] != '\0')
		fb_buf_text(&b, s->conf.data);
	else
		fb_os_state_dir(&b);
	if (b.overflowed)
		return fb_error_set(e, FB_BAD_VALUE, "data (%s): the path is too long: want at most %zu bytes",
				    fb_conf_origin(&s->conf, "data"), sizeof(s->data) - 1);
	s->data[b.len] = '\0';
	return FB_OK;
}

enum fb_status fb_server_read_settings(struct fb_server *s, struct fb_error *e)
{
	enum fb_status st = fb_server_read_network(s, e);

	if (st == FB_OK)
		st = fb_server_read_credit(s, e);
	if (st == FB_OK)
		st = check_bind(s, e);
	if (st == FB_OK)
		st = check_public_url(s, e);
	if (st == FB_OK)
		st = check_depths(s, e);
	if (st == FB_OK)
		st = fb_server_read_key(s, e);
	if (st == FB_OK)
		st = fb_server_read_payout(s, e);
	if (st == FB_OK)
		st = fb_auth_open(&s->keys, s->conf.api_keys, e);
	if (st == FB_OK)
		st = read_payees(s, e);
	if (st == FB_OK)
		st = check_policy(s, e);
	if (st == FB_OK)
		st = read_demo(s, e);
	return st == FB_OK ? fb_server_name_data(s, e) : st;
}
