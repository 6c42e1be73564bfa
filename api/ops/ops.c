/* Liveness, readiness with reasons, metrics, and the end on request. */
#include "farebox/ops.h"

#include "farebox/json.h"

enum { READY_MAX = 2048, REASON_MAX = 160 };

void fb_ops_set(struct fb_ops *o, enum fb_ops_fault fault, bool present)
{
	FB_ASSERT(fault < FB_OPS_FAULT_END);
	if (present)
		atomic_fetch_or(&o->faults, 1u << fault);
	else
		atomic_fetch_and(&o->faults, ~(1u << fault));
}

bool fb_ops_has(struct fb_ops *o, enum fb_ops_fault fault)
{
	FB_ASSERT(fault < FB_OPS_FAULT_END);
	return (atomic_load(&o->faults) & 1u << fault) != 0;
}

static struct fb_answered healthz(struct fb_request *r)
{
	return fb_http_json(r, 200, FB_STR("{\"status\":\"ok\"}"));
}

static void put_reason(struct fb_jw *w, struct fb_ops *o, unsigned fault, const char *text)
{
	unsigned long long first = atomic_load(&o->reserve_first);
	char block[REASON_MAX];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_text(&b, text);
	if (fault == FB_OPS_RESERVES && first > 0)
		fb_buf_printf(&b, " (first at block %llu)", first);
	FB_ASSERT(!b.overflowed);
	fb_jw_str(w, fb_buf_view(&b));
}

static struct fb_answered readyz(struct fb_request *r)
{
	static const char *const texts[] = {
#define X(name, text) [FB_OPS_##name] = text,
		FB_OPS_FAULTS(X)
#undef X
	};
	struct fb_ops *o = r->ctx;
	unsigned faults = atomic_load(&o->faults);
	struct fb_buf b = fb_arena_buf(r->arena, READY_MAX);
	struct fb_jw w;

	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	fb_jw_kv_bool(&w, "ready", faults == 0);
	fb_jw_key(&w, "reasons");
	fb_jw_array(&w);
	for (unsigned i = 0; i < FB_OPS_FAULT_END; i++)
		if ((faults & 1u << i) != 0)
			put_reason(&w, o, i, texts[i]);
	fb_jw_end(&w);
	fb_jw_end(&w);
	return fb_http_json(r, faults == 0 ? 200 : 503, fb_buf_view(&b));
}

static struct fb_answered metrics(struct fb_request *r)
{
	struct fb_ops *o = r->ctx;
	struct fb_buf b = fb_arena_buf(r->arena, FB_METRICS_PAGE_MAX);
	struct fb_reply reply = { .status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8" };

	fb_metrics_print(o->metrics, &b);
	reply.body = fb_buf_view(&b);
	return fb_http_reply(r, &reply);
}

static struct fb_answered close_server(struct fb_request *r)
{
	struct fb_ops *o = r->ctx;
	unsigned stopping = 1u << FB_OPS_STOPPING;

	if (fb_request_header(r, "Origin").len > 0) /* a web page in a browser on this machine */
		return fb_http_error(r, FB_FORBIDDEN, NULL);
	/* Once: a second signal would end the program before it has answered what is under way. */
	if ((atomic_fetch_or(&o->faults, stopping) & stopping) == 0)
		o->close(o->close_arg);
	return fb_http_json(r, 200, FB_STR("{\"message\":\"closing\"}"));
}

static const struct fb_route routes[] = {
	/* method  pattern     handler  body_max auth          repeat          summary */
	{ FB_GET,  "/healthz", healthz, 0,       FB_AUTH_NONE, FB_REPEAT_NONE, "is the process alive" },
	{ FB_GET,  "/readyz",  readyz,  0,       FB_AUTH_NONE, FB_REPEAT_NONE, "can it serve, and if not why" },
};
static const struct fb_route metrics_routes[] = {
	{ FB_GET,  "/metrics", metrics, 0,       FB_AUTH_NONE, FB_REPEAT_NONE, "numbers for Prometheus" },
};
static const struct fb_route close_routes[] = {
	{ FB_POST, "/close", close_server, 4096, FB_AUTH_NONE, FB_REPEAT_NONE, "stop the server (test hooks)" },
};

struct fb_mount fb_ops_mount(struct fb_ops *o)
{
	return (struct fb_mount){ routes, FB_COUNT(routes), o };
}

struct fb_mount fb_ops_metrics_mount(struct fb_ops *o)
{
	return (struct fb_mount){ metrics_routes, FB_COUNT(metrics_routes), o };
}

struct fb_mount fb_ops_close_mount(struct fb_ops *o)
{
	return (struct fb_mount){ close_routes, FB_COUNT(close_routes), o };
}
