/* farebox/network.h - what a chain is: a network file read into values, and the check that the RPC
 * endpoint in use really serves it.
 *
 * Layer      4
 * File       JSON (testnet/networks/NAME.json): name, caip2, chain_id, v1_name, rpc_urls, explorer_tx
 *            ("{hash}" stands for the hash; may be ""), multicall3, finality_blocks, tokens[{address,
 *            symbol, name, version, decimals, domain_separator}], and, if there is one, escrow{address,
 *            block}: the escrow contract and the block it was created in. Unknown and missing members are
 *            errors that name the file. The files of `testnet/networks` are compiled in.
 * Limits     FB_NETWORK_TOKENS_MAX tokens; texts as below.
 * Errors     as written at each function; outputs only on FB_OK.
 * Ownership  fb_network is a plain value.
 * Threads    pure functions, but fb_network_check: the loop's thread.
 */
#ifndef FB_NETWORK_H
#define FB_NETWORK_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/rpc.h"

enum { FB_NETWORK_TOKENS_MAX = 8, FB_NETWORK_TEXT_MAX = 64, FB_NETWORK_URL_MAX = 256 };

struct fb_token {
	struct fb_address address;
	struct fb_hash domain; /* EIP-712 domain separator */
	char symbol[FB_NETWORK_TEXT_MAX], name[FB_NETWORK_TEXT_MAX], version[FB_NETWORK_TEXT_MAX];
	uint8_t decimals;
};
struct fb_network {
	char name[FB_NETWORK_TEXT_MAX];    /* "base-sepolia" */
	char caip2[FB_NETWORK_TEXT_MAX];   /* "eip155:84532" */
	char v1_name[FB_NETWORK_TEXT_MAX]; /* name in x402 v1 messages */
	char explorer_tx[FB_NETWORK_URL_MAX];
	char rpc_urls[FB_RPC_ENDPOINTS_MAX][FB_NETWORK_URL_MAX];
	size_t rpc_url_count;
	uint64_t chain_id;
	uint64_t finality_blocks; /* blocks on top of one, after which it is taken for final; at least 1 */
	struct fb_address multicall3;
	struct fb_token tokens[FB_NETWORK_TOKENS_MAX];
	size_t token_count;
	bool has_escrow;
	struct fb_address escrow;
	uint64_t escrow_block; /* no event of the escrow is older */
};

/* FB_BAD_SYNTAX, FB_BAD_VALUE (unknown members), FB_MISSING, then member by member in the order above
 * FB_WRONG_TYPE and FB_BAD_VALUE; e says where in `origin`. The CAIP-2 id must agree with the chain id,
 * and the domain separators with name, version and chain id, from which they are recomputed (FB_MISMATCH). */
FB_MUST_USE enum fb_status fb_network_parse(struct fb_network *out, struct fb_str json, const char *origin,
					    struct fb_error *e);
/* A network compiled in, by its name or its CAIP-2 id (of several with one id: the public one).
 * FB_NOT_FOUND; e lists what there is. */
FB_MUST_USE enum fb_status fb_network_builtin(struct fb_network *out, struct fb_str name, struct fb_error *e);
size_t fb_network_builtin_count(void);
const char *fb_network_builtin_name(size_t i);
/* NULL if the network has no such token. */
const struct fb_token *fb_network_token(const struct fb_network *n, const struct fb_address *asset);
/* The explorer's address of a transaction; nothing when the network has none. */
void fb_network_explorer(const struct fb_network *n, struct fb_buf *out, const struct fb_hash *tx);

/* Asks the chain for its id, the code at token and Multicall3, and each token's name(), version(),
 * decimals() and DOMAIN_SEPARATOR(). Calls done once: FB_OK, those of a batch (the chain is down), FB_RPC_ERROR (a
 * call failed), FB_MISMATCH; the sentence, during `done` only, names what differs, what was found and what
 * was expected. Copies n. Loop's thread. */
void fb_network_check(struct fb_rpc *rpc, const struct fb_network *n,
		      void (*done)(void *arg, enum fb_status status, const char *sentence), void *arg);
#endif /* FB_NETWORK_H */
