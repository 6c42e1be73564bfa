/* Property 1: no bytes crash the reading of a network file, and a refusal says why in one line that starts
 * with the file's name. Property 2: an accepted file, written anew from the values, reads as the same values. */
#include "farebox/json.h"
#include "farebox/network.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 32768 };

static void write_token(struct fb_jw *w, const struct fb_token *t)
{
	char text[FB_HASH_TEXT_LEN];
	struct fb_buf b;

	fb_jw_object(w);
	fb_jw_kv_text(w, "version", t->version);
	fb_jw_kv_u64(w, "decimals", t->decimals);
	fb_buf_init(&b, text, sizeof(text));
	fb_buf_hash(&b, &t->domain);
	fb_jw_kv_str(w, "domain_separator", fb_buf_view(&b));
	fb_buf_init(&b, text, sizeof(text));
	fb_buf_address(&b, &t->address);
	fb_jw_kv_str(w, "address", fb_buf_view(&b));
	fb_jw_kv_text(w, "name", t->name);
	fb_jw_kv_text(w, "symbol", t->symbol);
	fb_jw_end(w);
}

static void write_lists(struct fb_jw *w, const struct fb_network *n)
{
	fb_jw_key(w, "tokens");
	fb_jw_array(w);
	for (size_t i = 0; i < n->token_count; i++)
		write_token(w, &n->tokens[i]);
	fb_jw_end(w);
	fb_jw_key(w, "rpc_urls");
	fb_jw_array(w);
	for (size_t i = 0; i < n->rpc_url_count; i++)
		fb_jw_text(w, n->rpc_urls[i]);
	fb_jw_end(w);
}

static void write_escrow(struct fb_jw *w, const struct fb_network *n)
{
	char text[FB_ADDRESS_TEXT_LEN];
	struct fb_buf b;

	if (!n->has_escrow)
		return;
	fb_jw_key(w, "escrow");
	fb_jw_object(w);
	fb_jw_kv_u64(w, "block", n->escrow_block);
	fb_buf_init(&b, text, sizeof(text));
	fb_buf_address(&b, &n->escrow);
	fb_jw_kv_str(w, "address", fb_buf_view(&b));
	fb_jw_end(w);
}

static struct fb_str write_network(char *out, const struct fb_network *n)
{
	char text[FB_ADDRESS_TEXT_LEN];
	struct fb_buf b, address;
	struct fb_jw w;

	fb_buf_init(&b, out, TEXT_MAX);
	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	write_lists(&w, n);
	write_escrow(&w, n);
	fb_buf_init(&address, text, sizeof(text));
	fb_buf_address(&address, &n->multicall3);
	fb_jw_kv_str(&w, "multicall3", fb_buf_view(&address));
	fb_jw_kv_u64(&w, "finality_blocks", n->finality_blocks);
	fb_jw_kv_u64(&w, "chain_id", n->chain_id);
	fb_jw_kv_text(&w, "explorer_tx", n->explorer_tx);
	fb_jw_kv_text(&w, "v1_name", n->v1_name);
	fb_jw_kv_text(&w, "caip2", n->caip2);
	fb_jw_kv_text(&w, "name", n->name);
	fb_jw_end(&w);
	FB_ASSERT(!b.overflowed);
	return fb_buf_view(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char first[TEXT_MAX], second[TEXT_MAX];
	struct fb_network n, again;
	struct fb_error e = { "" };
	struct fb_str text;
	enum fb_status st = fb_network_parse(&n, (struct fb_str){ (const char *)data, size }, "file", &e);

	if (st != FB_OK) {
		FB_ASSERT(strncmp(e.text, "file: ", 6) == 0 && e.text[6] != '\0' && strchr(e.text, '\n') == NULL);
		return 0;
	}
	text = write_network(first, &n);
	FB_ASSERT(fb_network_parse(&again, text, "file", NULL) == FB_OK);
	FB_ASSERT(fb_str_eq(text, write_network(second, &again)));
	return 0;
}
