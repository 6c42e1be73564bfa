/* Answers: their headers, their error bodies, and handing them to libmicrohttpd. */
#include "http_int.h"

#include "farebox/json.h"

#include <string.h>

enum { ERROR_FRAME = 512, MESSAGES = 3 }; /* of an error body: bytes beside its message, how often that is in it */

void fb_reply_header(struct fb_reply *reply, const char *name, struct fb_str value)
{
	FB_ASSERT(reply->header_count < FB_HTTP_REPLY_HEADERS_MAX);
	FB_ASSERT(name != NULL && name[0] != '\0');
	for (size_t i = 0; i < value.len; i++)
		FB_ASSERT(value.at[i] != '\r' && value.at[i] != '\n' && value.at[i] != '\0');
	reply->headers[reply->header_count].name = name;
	reply->headers[reply->header_count].value = value;
	reply->header_count++;
}

static bool has_header(const struct fb_reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->header_count; i++)
		if (fb_str_eq_nocase(fb_str_of(reply->headers[i].name), fb_str_of(name)))
			return true;
	return false;
}

/* True for memory of the exchange itself, which outlives the answer: that body need not be copied. */
static bool is_ours(const struct exchange *x, struct fb_str s)
{
	uintptr_t at = (uintptr_t)s.at, arena = (uintptr_t)x->arena.base, own = (uintptr_t)x->own.base;

	return (at >= arena && at - arena < x->arena.size) || (at >= own && at - own < x->own.size);
}

static struct MHD_Response *make_body(const struct exchange *x, struct fb_str body)
{
	/* Const in all but its type: libmicrohttpd only reads it. */
	void *bytes = (void *)(uintptr_t)(body.len == 0 ? "" : body.at);
	bool stays = body.len == 0 || is_ours(x, body);

	return MHD_create_response_from_buffer(body.len, bytes, stays ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
}

static bool add(struct MHD_Response *to, const char *name, const char *value)
{
	return MHD_add_response_header(to, name, value) == MHD_YES;
}

static bool add_own(struct exchange *x, struct MHD_Response *to, const struct fb_reply *reply)
{
	const char *type = reply->content_type == NULL ? "application/json" : reply->content_type;

	return add(to, "X-Request-Id", x->r.id.at) && add(to, "X-Content-Type-Options", "nosniff") &&
	       ((reply->body.len == 0 && reply->content_type == NULL) || add(to, "Content-Type", type)) &&
	       (has_header(reply, "Cache-Control") || add(to, "Cache-Control", "no-store")) &&
	       (!x->conn->worker->draining || add(to, "Connection", "close"));
}

static bool add_handlers(struct exchange *x, struct MHD_Response *to, const struct fb_reply *reply)
{
	for (size_t i = 0; i < reply->header_count; i++) {
		struct fb_str value = reply->headers[i].value;
		char *text = value.len == 0 ? NULL : fb_arena_copy(&x->own, value);

		if (value.len > 0 && (text == NULL || !add(to, reply->headers[i].name, text)))
			return false;
	}
	return true;
}

static bool hand_over(struct exchange *x, const struct fb_reply *reply)
{
	struct MHD_Response *response = make_body(x, reply->body);
	bool ok;

	if (response == NULL)
		return false;
	ok = add_own(x, response, reply) && add_handlers(x, response, reply) &&
	     MHD_queue_response(x->mhd, reply->status, response) == MHD_YES;
	MHD_destroy_response(response);
	return ok;
}

static void send_reply(struct exchange *x, const struct fb_reply *reply)
{
	FB_ASSERT(x->stage != STAGE_WAITING && x->stage != STAGE_REPLYING); /* one answer per request */
	FB_ASSERT(reply->status >= 200 && reply->status <= 599);
	FB_ASSERT(reply->header_count <= FB_HTTP_REPLY_HEADERS_MAX);
	x->stage = STAGE_REPLYING;
	x->status = reply->status;
	x->reply_len = reply->body.len;
	fb_http_conn_deadline(x->conn, x->conn->worker->http->settings.idle_ms);
	if (!x->gone && !hand_over(x, reply))
		x->broken = true;
}

static struct fb_str error_body(struct exchange *x, enum fb_status s, struct fb_str message)
{
	const struct fb_http_settings *settings = &x->conn->worker->http->settings;
	struct fb_buf out = fb_arena_buf(&x->own, ERROR_FRAME + 6 * MESSAGES * message.len);
	struct fb_jw w;

	if (settings->error_body != NULL && settings->error_body(&out, &x->r, s, message))
		return out.overflowed ? FB_STR("{}") : fb_buf_view(&out);
	fb_jw_init(&w, &out);
	fb_jw_object(&w);
	fb_jw_key(&w, "error");
	fb_jw_object(&w);
	fb_jw_kv_text(&w, "code", fb_status_info(s)->name);
	fb_jw_kv_str(&w, "message", message);
	fb_jw_kv_str(&w, "request_id", x->r.id);
	fb_jw_end(&w);
	fb_jw_end(&w);
	return out.overflowed ? FB_STR("{\"error\":{\"code\":\"no_memory\"}}") : fb_buf_view(&out);
}

void fb_http_send_error(struct exchange *x, enum fb_status s, const char *message)
{
	const struct fb_status_info *info = fb_status_info(s);
	struct fb_reply reply = { .status = info->http };

	FB_ASSERT(s != FB_OK);
	reply.body = error_body(x, s, fb_str_of(message == NULL ? info->name : message));
	if (s == FB_METHOD)
		fb_reply_header(&reply, "Allow", fb_buf_view(&x->allow));
	if (s == FB_UNAUTHORIZED)
		fb_reply_header(&reply, "WWW-Authenticate", FB_STR("Bearer"));
	if (info->http == 503 || info->http == 429)
		fb_reply_header(&reply, "Retry-After", FB_STR("1"));
	send_reply(x, &reply);
}

void fb_http_send_options(struct exchange *x)
{
	struct fb_reply reply = { .status = 204 };

	fb_reply_header(&reply, "Allow", fb_buf_view(&x->allow));
	send_reply(x, &reply);
}

struct fb_answered fb_http_reply(struct fb_request *r, const struct fb_reply *reply)
{
	struct exchange *x = fb_exchange_of(r);

	x->delivered = reply->delivered;
	x->delivered_arg = reply->delivered_arg;
	if (x->arena.overflowed) { /* something in this answer may be missing */
		x->replaced = true;
		fb_http_send_error(x, FB_NO_MEMORY, NULL);
	} else {
		send_reply(x, reply);
	}
	return (struct fb_answered){ HOW_REPLIED };
}

struct fb_answered fb_http_json(struct fb_request *r, uint16_t status, struct fb_str json)
{
	return fb_http_reply(r, &(struct fb_reply){ .status = status, .body = json });
}

struct fb_answered fb_http_error(struct fb_request *r, enum fb_status s, const char *message)
{
	fb_http_send_error(fb_exchange_of(r), s, message);
	return (struct fb_answered){ HOW_REPLIED };
}
