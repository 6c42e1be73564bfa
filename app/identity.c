/* Principals and their keys, as the settings want them; and who may call which route. */
#include "server.h"

/* From the disk's thread: the indexer lives on the loop's. */
static void on_proven(void *ctx, const struct fb_address *wallet)
{
	(void)ctx;
	(void)wallet;
}

enum fb_status fb_server_open_identity(struct fb_server *s, struct fb_error *e)
{
	const struct fb_identity_settings settings = { .clock = s->clock, .rng = s->rng,
						       .chain_id = s->network.chain_id,
						       .domains = "", .scheme = "",
						       .loopback_domains = fb_server_is_loopback(s->conf.bind),
						       .public_url = s->conf.public_url,
						       .registrations_per_min = 600 };
	const struct fb_identity_ports ports = { .proven = on_proven, .ctx = s };

	return fb_identity_open(&s->identity, s->store, fb_writer_port(s->writer), &settings, ports, e);
}

enum fb_status fb_server_authorise(void *ctx, const struct fb_request *r, const struct fb_route *route)
{
	struct fb_server *s = ctx;

	if (route->auth == FB_AUTH_PRINCIPAL)
		return fb_identity_authorise(s->identity, r);
	return fb_auth_check(s->keys, r, route);
}
