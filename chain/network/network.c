/* Looks things up in a network. */
#include "farebox/network.h"

#include <string.h>

const struct fb_token *fb_network_token(const struct fb_network *n, const struct fb_address *asset)
{
	FB_ASSERT(n->token_count <= FB_NETWORK_TOKENS_MAX);
	for (size_t i = 0; i < n->token_count; i++)
		if (fb_address_eq(&n->tokens[i].address, asset))
			return &n->tokens[i];
	return NULL;
}

void fb_network_explorer(const struct fb_network *n, struct fb_buf *out, const struct fb_hash *tx)
{
	static const char place[] = "{hash}";
	const char *at = strstr(n->explorer_tx, place);

	if (at == NULL)
		return;
	fb_buf_put(out, n->explorer_tx, (size_t)(at - n->explorer_tx));
	fb_buf_hash(out, tx);
	fb_buf_text(out, at + sizeof(place) - 1);
}
