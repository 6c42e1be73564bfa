/* farebox/conf.h - every setting in one table: type, default, range, unit, where it can be set, meaning.
 *
 * The parser, --help, `config print` and the manual are loops over it. A value names its origin
 * (flag, variable, file:line, default), so a wrong one can be pointed at.
 * Layer      3
 * Sources    strongest first: flags, environment, config file, defaults. A file holds one
 *            `name = value` a line; '#' starts a comment line; blank lines are fine. A variable that is
 *            empty counts as not set, and others than the table's are not looked at: an environment is shared.
 * Strict     unknown name, repeated name in one source, out of range, trailing bytes and control characters are
 *            errors, also in a source that a stronger one overrides; nothing is "adjusted". The unit is the last word
 *            of the name, never in the value.
 * Secrets    the value of a SECRET row is always a reference: "$NAME" (the variable NAME holds the
 *            secret) or a path. Set through its own variable, the value becomes "$" and that variable's
 *            name, so the secret itself never enters this table; config print shows references only, and
 *            a private key written where a reference belongs is refused without being repeated.
 * Limits     FB_CONF_VALUE_MAX bytes a value, FB_CONF_FILE_MAX bytes a file, FB_CONF_PATH_MAX bytes its path.
 * Errors     the first fault in the order flags, environment, file.
 * Threads    one; read-only after start.
 */
#ifndef FB_CONF_H
#define FB_CONF_H
#include "farebox/core.h"

enum { FB_CONF_VALUE_MAX = 4096, FB_CONF_FILE_MAX = 65536, FB_CONF_PATH_MAX = 1024 };

/* TEXT(field, default, variable, meaning)   field is also the file's name and, with '-' for '_', the flag's
 * NUMBER(field, default, min, max, variable, meaning)
 * SWITCH(field, variable, meaning)           flag without a value; in file and environment true/false
 * SECRET(field, variable, meaning)           a reference to a secret; empty by default */
#define FB_SETTINGS(TEXT, NUMBER, SWITCH, SECRET)                                                                       \
	TEXT(bind, "127.0.0.1", "FAREBOX_BIND", "numeric address the API listens on")                                   \
	NUMBER(port, 4022, 0, 65535, "PORT", "TCP port of the API; 0 takes a free one")                                 \
	NUMBER(metrics_port, 0, 0, 65535, "FAREBOX_METRICS_PORT", "loopback port of /metrics; 0 takes a free one")      \
	TEXT(network, "eip155:84532", "EVM_NETWORK", "network by name or CAIP-2 id")                                    \
	TEXT(network_file, "", "FAREBOX_NETWORK_FILE", "a network file that replaces the built-in ones")                \
	TEXT(rpc_url, "", "EVM_RPC_URL", "JSON-RPC endpoints of the chain, comma-separated, best first")                \
	SECRET(key, "EVM_PRIVATE_KEY", "key that sends transactions: $NAME, a key file or a keystore")                  \
	SECRET(more_keys, "FAREBOX_MORE_KEYS", "up to 7 more keys that send transactions side by side, one a line: a file or $NAME; a line is a key as above, or the key itself") \
	SECRET(passphrase, "FAREBOX_PASSPHRASE", "passphrase of the keystore: $NAME or a file; asked for when empty")   \
	TEXT(escrow, "", "ESCROW_ADDRESS", "address of the escrow contract; empty takes the network file's, if it names one") \
	NUMBER(escrow_from, 0, 0, 9223372036854775807, "ESCROW_FROM_BLOCK", "block in which the escrow was created; set it with escrow") \
	TEXT(credit_rung, "safe", "FAREBOX_CREDIT_RUNG", "when a deposit may be spent: blocks, safe or finalized")       \
	NUMBER(credit_blocks, 12, 1, 1000000, "FAREBOX_CREDIT_BLOCKS", "with credit_rung blocks: how many, the deposit's own counted") \
	NUMBER(credit_early_max, 0, 0, 1000000000000000, "FAREBOX_CREDIT_EARLY_MAX", "largest deposit, in the token's smallest unit, that may be spent at once; 0 is none") \
	NUMBER(credit_early_cap, 0, 0, 1000000000000000, "FAREBOX_CREDIT_EARLY_CAP", "most that all such deposits together may be while their rung is not reached") \
	NUMBER(log_range_max, 10000, 1, 10000, "FAREBOX_LOG_RANGE_MAX", "blocks whose logs are asked for at once")       \
	NUMBER(log_doubts_max, 240, 1, 100000, "FAREBOX_LOG_DOUBTS_MAX", "contradictory answers about logs in a row, four a second, from which crediting halts until an operator looks") \
	SECRET(payout_key, "FAREBOX_PAYOUT_KEY", "key that holds the escrow's payout role, none of the others: $NAME, a key file or a keystore; without it nobody can withdraw") \
	NUMBER(withdraw_min, 10000, 1, 1000000000000000, "FAREBOX_WITHDRAW_MIN", "smallest withdrawal, in the token's smallest unit; more than withdraw_fee") \
	NUMBER(withdraw_max, 100000000000, 1, 1000000000000000, "FAREBOX_WITHDRAW_MAX", "largest withdrawal, in the token's smallest unit") \
	NUMBER(withdraw_fee, 0, 0, 1000000000000000, "FAREBOX_WITHDRAW_FEE", "what is kept of each withdrawal, in the token's smallest unit") \
	NUMBER(withdraw_day_max, 0, 0, 1000000000000000, "FAREBOX_WITHDRAW_DAY_MAX", "what one owner may withdraw in a UTC day, in the token's smallest unit; 0 is no limit") \
	TEXT(withdraw_rung, "safe", "FAREBOX_WITHDRAW_RUNG", "when a payout counts as done: blocks, safe or finalized") \
	NUMBER(withdraw_blocks, 12, 1, 1000000, "FAREBOX_WITHDRAW_BLOCKS", "with withdraw_rung blocks: how many, the payout's own counted") \
	TEXT(data, "", "FAREBOX_DATA", "directory of the stored records; empty takes the platform's state directory")   \
	SWITCH(open_settle, "FAREBOX_OPEN_SETTLE", "let anyone settle on a non-loopback address (needs gas_budget_day_gwei)") \
	NUMBER(gas_budget_day_gwei, 0, 0, 1000000000000000, "FAREBOX_GAS_BUDGET_DAY_GWEI", "gas money a UTC day may cost; 0 is no limit") \
	TEXT(pay_to, "", "FAREBOX_PAY_TO", "payees that may be settled for, comma-separated; empty is any")             \
	SECRET(api_keys, "FAREBOX_API_KEYS", "API keys, one a line: a file or $NAME; when set, /verify and /settle need one") \
	SWITCH(payment_identifier, "FAREBOX_PAYMENT_IDENTIFIER", "the same payment with the same payment-identifier gets its success again") \
	NUMBER(gas_limit_max, 400000, 21000, 16000000, "FAREBOX_GAS_LIMIT_MAX", "absolute gas cap of one settlement")   \
	NUMBER(payer_gas_day_gwei, 0, 0, 1000000000000000, "FAREBOX_PAYER_GAS_DAY_GWEI", "gas money that one payer may cost in a UTC day; 0 is no limit") \
	NUMBER(api_key_gas_day_gwei, 0, 0, 1000000000000000, "FAREBOX_API_KEY_GAS_DAY_GWEI", "gas money that one API key may cost in a UTC day; 0 is no limit") \
	NUMBER(batch_max, 100, 1, 100, "FAREBOX_BATCH_MAX", "payments that may share a transaction; 1 sends each alone")  \
	NUMBER(batch_gas_max, 16000000, 400000, 16000000, "FAREBOX_BATCH_GAS_MAX", "gas limit of a transaction that payments share") \
	NUMBER(batch_age_ms, 5, 0, 10000, "FAREBOX_BATCH_AGE_MS", "how long a payment waits for others while few transactions are under way") \
	NUMBER(batch_inflight, 4, 1, 200, "FAREBOX_BATCH_INFLIGHT", "transactions under way from which payments wait for an inclusion, or a full batch") \
	NUMBER(max_fee_gwei, 500, 1, 1000000, "FAREBOX_MAX_FEE_GWEI", "absolute cap of the fee per gas")                \
	NUMBER(rpc_timeout_ms, 5000, 50, 60000, "FAREBOX_RPC_TIMEOUT_MS", "deadline of one RPC attempt")                \
	NUMBER(verify_timeout_ms, 10000, 100, 80000, "FAREBOX_VERIFY_TIMEOUT_MS", "deadline of one verification")       \
	NUMBER(settle_wait_ms, 45000, 0, 80000, "FAREBOX_SETTLE_WAIT_MS", "how long /settle waits for a receipt before it answers settlement_pending") \
	NUMBER(receipt_poll_ms, 200, 10, 10000, "FAREBOX_RECEIPT_POLL_MS", "pause between two looks for receipts")      \
	NUMBER(handover_s, 30, 0, 3600, "FAREBOX_HANDOVER_S", "how long the start waits for another process of this machine that uses one of the keys") \
	NUMBER(bump_ms, 15000, 1000, 600000, "FAREBOX_BUMP_MS", "how long the signer's next transaction waits before its fees are raised") \
	NUMBER(head_poll_ms, 0, 0, 60000, "FAREBOX_HEAD_POLL_MS", "pause between two looks at the newest block; 0 takes 500 on a local chain, else 1000") \
	NUMBER(reorg_depth_max, 64, 1, 512, "FAREBOX_REORG_DEPTH_MAX", "blocks that the chain may take back at once and is still followed") \
	NUMBER(confirmations, 12, 1, 512, "FAREBOX_CONFIRMATIONS", "blocks on top of a transaction from which it counts as confirmed; at most reorg_depth_max") \
	NUMBER(finality_blocks, 128, 1, 1000000, "FAREBOX_FINALITY_BLOCKS", "blocks on top from which one is final, on a chain that does not name its finalized block; at least confirmations") \
	NUMBER(head_max_age_s, 120, 5, 86400, "FAREBOX_HEAD_MAX_AGE_S", "age of the newest block from which the server is not ready") \
	SWITCH(local_chain, "FAREBOX_LOCAL_CHAIN", "the chain mines on demand: its newest block may be old")            \
	NUMBER(signer_min_gwei, 100000, 0, 1000000000000, "FAREBOX_SIGNER_MIN_GWEI", "signer balance under which the server is not ready") \
	NUMBER(threads, 2, 2, 64, "FAREBOX_THREADS", "API threads")                                                     \
	NUMBER(connections_max, 2048, 16, 65536, "FAREBOX_CONNECTIONS_MAX", "open connections")                         \
	NUMBER(per_address_max, 1024, 1, 65536, "FAREBOX_PER_ADDRESS_MAX", "open connections of one address")           \
	NUMBER(read_timeout_ms, 10000, 100, 600000, "FAREBOX_READ_TIMEOUT_MS", "time a request may take to arrive")     \
	NUMBER(idle_timeout_ms, 60000, 1000, 600000, "FAREBOX_IDLE_TIMEOUT_MS", "time a connection may be idle")        \
	NUMBER(stop_grace_ms, 10000, 0, 600000, "FAREBOX_STOP_GRACE_MS", "time requests under way get at the end")      \
	TEXT(public_url, "", "FAREBOX_PUBLIC_URL", "base URL that buyers see, e.g. https://pay.example; empty takes the Host header") \
	TEXT(siwe_domain, "", "FAREBOX_SIWE_DOMAIN", "hosts that a wallet's sign-in message may name, comma-separated; empty takes public_url's, and on loopback the Host header's") \
	NUMBER(wallet_hold_s, 86400, 0, 31536000, "FAREBOX_WALLET_HOLD_S", "how long withdrawals wait after a principal's wallet was replaced by another one") \
	NUMBER(registrations_per_min, 600, 1, 1000000, "FAREBOX_REGISTRATIONS_PER_MIN", "principals that may be made in a minute without a key") \
	TEXT(demo_price, "0.001", "FAREBOX_DEMO_PRICE", "price of GET /demo in whole tokens")                           \
	TEXT(demo_pay_to, "", "EVM_PAYEE_ADDRESS", "payee of GET /demo; an escrow, if one is set, is paid instead; empty without an escrow leaves the demo out") \
	SWITCH(access_log, "FAREBOX_ACCESS_LOG", "one log line a request")                                              \
	SWITCH(test_hooks, "FAREBOX_TEST_HOOKS", "offer POST /close; loopback only")

struct fb_conf {
#define TEXT(field, def, var, doc) const char *field;
#define NUMBER(field, def, min, max, var, doc) uint64_t field;
#define SWITCH(field, var, doc) bool field;
#define SECRET(field, var, doc) const char *field;
	FB_SETTINGS(TEXT, NUMBER, SWITCH, SECRET)
#undef TEXT
#undef NUMBER
#undef SWITCH
#undef SECRET
	struct fb_conf_texts *texts; /* owns every text and origin */
};

/* Reads all sources. args: the command line behind the command's name; --config PATH names the file
 * (also FAREBOX_CONFIG). environment: terminated array of "NAME=value" (environ).
 * FB_BAD_VALUE (also unknown and repeated names), FB_BAD_SYNTAX, and of the file FB_NOT_FOUND, FB_IO, FB_TOO_LARGE:
 * e says what, where and what would have been right: "farebox.conf:3: rpc_timeout_ms = 5: want 50..60000".
 * *out is written on FB_OK only. */
FB_MUST_USE enum fb_status fb_conf_open(struct fb_conf *out, int arg_count, const char *const *args,
					const char *const *environment, struct fb_error *e);
void fb_conf_close(struct fb_conf *c);
size_t fb_conf_count(void);
const char *fb_conf_name(size_t i); /* i < count, in the table's order */
/* Where the setting `name`, which must be one, came from: "flag --port", "PORT in the environment", "FILE:3",
 * "default". */
const char *fb_conf_origin(const struct fb_conf *c, const char *name);
/* `config print`: every setting, value, origin; JSON array of {name,value,origin,default,help} if json. */
void fb_conf_print(const struct fb_conf *c, struct fb_buf *out, bool json);
/* The settings part of --help. */
void fb_conf_help(struct fb_buf *out);
enum { FB_CONF_PAGE_MAX = 131072 }; /* bytes that print and help fit into, unless values are extreme */
#endif /* FB_CONF_H */
