/* Principals and their keys, as the settings want them; and who may call which route. */
#include "server.h"

#include "farebox/os.h"

#include <stdlib.h>
#include <string.h>

struct proven {
	struct fb_server *server;
	struct fb_address wallet;
};

static void claim(void *arg)
{
	struct proven *p = arg;

	fb_server_indexer_claims(p->server, &p->wallet);
	free(p);
}

/* From the disk's thread: the indexer lives on the loop's. */
void fb_server_wallet_proven(void *ctx, const struct fb_address *wallet)
{
	struct proven *p = fb_must_alloc(1, sizeof(*p));

	*p = (struct proven){ ctx, *wallet };
	fb_loop_post(p->server->loop, claim, p);
}

/* Of "https://pay.example:8443/x": what stands before and behind "://", up to the path. */
static void split_url(struct fb_server *s)
{
	struct fb_str url = fb_str_of(s->conf.public_url), host, path;
	size_t at = fb_str_starts(url, FB_STR("https://")) ? 5 : 4;

	if (url.len == 0)
		return;
	memcpy(s->siwe_scheme, url.at, at);
	host = path = (struct fb_str){ url.at + at + 3, url.len - at - 3 };
	(void)fb_str_split(&host, &path, host, '/');
	FB_ASSERT(host.len < sizeof(s->siwe_domain));
	memcpy(s->siwe_domain, host.at, host.len);
}

enum fb_status fb_server_open_identity(struct fb_server *s, struct fb_error *e)
{
	struct fb_identity_settings settings = { .clock = fb_os_clock(), .rng = fb_os_rng(),
						 .chain_id = s->network.chain_id,
						 .loopback_domains = fb_server_is_loopback(s->conf.bind),
						 .public_url = s->conf.public_url,
						 .wallet_hold_s = s->conf.wallet_hold_s,
						 .registrations_per_min = s->conf.registrations_per_min };
	const struct fb_identity_ports ports = { .proven = fb_server_wallet_proven, .ctx = s };

	split_url(s);
	settings.scheme = s->siwe_scheme;
	settings.domains = s->conf.siwe_domain[0] == '\0' ? s->siwe_domain : s->conf.siwe_domain;
	/* Without a writer, who only looks. */
	return fb_identity_open(&s->identity, s->store, s->writer == NULL ? (struct fb_commit){ NULL, NULL } :
				fb_writer_port(s->writer), &settings, ports, e);
}

enum fb_status fb_server_authorise(void *ctx, const struct fb_request *r, const struct fb_route *route)
{
	struct fb_server *s = ctx;

	if (route->auth == FB_AUTH_PRINCIPAL)
		return fb_identity_authorise(s->identity, r);
	return fb_auth_check(s->keys, r, route);
}
