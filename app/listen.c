/* The API and its listeners. */
#include "server.h"

#include "farebox/envelope.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum {
	SETTLE_MARGIN_MS = 15000 /* the server waits this much longer than the engine */,
	DEMO_TIMEOUT_S = 300,
	METRICS_CONNECTIONS = 16
};

static void ask_to_stop(void *arg)
{
	(void)arg;
	kill(getpid(), SIGTERM);
}

static void fill_x402(struct fb_server *s)
{
	struct fb_x402 *x = &s->x402; /* the payees were read with the settings */

	x->network = &s->network;
	x->loop = s->loop;
	x->view = s->view;
	x->settle = s->settle;
	for (size_t i = 0; i < s->lane_count; i++)
		x->signers[x->signer_count++] = *fb_lane_signer(s->lanes[i]);
	x->clock = s->clock;
	x->metrics = s->metrics;
	x->verify_ms = s->conf.verify_timeout_ms;
	x->settle_ms = s->conf.settle_wait_ms + SETTLE_MARGIN_MS;
	x->gas_limit_max = s->conf.gas_limit_max;
	x->payment_identifier = s->conf.payment_identifier;
	x->store = s->store;
	x->commit = fb_writer_port(s->writer);
}

static void mount_all(struct fb_server *s)
{
	fill_x402(s);
	s->ops.metrics = s->metrics;
	s->ops.close = ask_to_stop;
	s->mounts[s->mount_count++] = fb_x402_mount(&s->x402);
	s->mounts[s->mount_count++] = fb_settlements_mount(s->settlements);
	s->mounts[s->mount_count++] = fb_identity_mount(s->identity);
	s->mounts[s->mount_count++] = fb_ops_mount(&s->ops);
	if (s->pay.token != NULL) {
		s->pay.x402 = &s->x402;
		s->pay.public_url = s->conf.public_url;
		s->pay.timeout_s = DEMO_TIMEOUT_S;
		s->mounts[s->mount_count++] = fb_pay_mount(&s->pay);
	}
	if (s->conf.test_hooks)
		s->mounts[s->mount_count++] = fb_ops_close_mount(&s->ops);
	FB_ASSERT(s->mount_count <= FB_COUNT(s->mounts));
	s->metrics_mount = fb_ops_metrics_mount(&s->ops);
}

static struct fb_http_settings api_settings(struct fb_server *s)
{
	return (struct fb_http_settings){ .bind = s->conf.bind,
					  .port = (uint16_t)s->conf.port,
					  .threads = (unsigned)s->conf.threads,
					  .connections_max = (unsigned)s->conf.connections_max,
					  .per_address_max = (unsigned)s->conf.per_address_max,
					  .read_ms = s->conf.read_timeout_ms,
					  .idle_ms = s->conf.idle_timeout_ms,
					  .grace_ms = s->conf.stop_grace_ms,
					  .access_log = s->conf.access_log,
					  .authorise = fb_server_authorise,
					  .authorise_ctx = s,
					  .error_body = fb_envelope_error_body };
}

static struct fb_http_settings metrics_settings(struct fb_server *s)
{
	struct fb_http_settings m = api_settings(s);

	m.bind = "127.0.0.1";
	m.port = (uint16_t)s->conf.metrics_port;
	m.threads = 2;
	m.connections_max = METRICS_CONNECTIONS;
	m.per_address_max = METRICS_CONNECTIONS;
	m.access_log = false;
	return m;
}

enum fb_status fb_server_listen(struct fb_server *s, struct fb_error *e)
{
	struct fb_http_settings api = api_settings(s), metrics = metrics_settings(s);
	enum fb_status st;

	mount_all(s);
	/* The API last: nobody is served before all of the start went well. */
	st = fb_http_open(&s->metrics_http, &metrics, &s->metrics_mount, 1, s->clock, s->rng, NULL, NULL, e);
	if (st != FB_OK)
		return st;
	return fb_http_open(&s->http, &api, s->mounts, s->mount_count, s->clock, s->rng, s->log, s->metrics, e);
}
