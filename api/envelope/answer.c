/* Answers in the form of the path's contract. */
#include "farebox/envelope.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FRAME = 512 /* bytes of an answer beside what varies */, ESCAPED = 6 /* bytes a byte may become */ };
enum face { FACE_PLAIN, FACE_V1, FACE_API_V1 };

static enum face face_of(const struct fb_request *r)
{
	if (fb_str_starts(r->path, FB_STR("/v1/")))
		return FACE_V1;
	return fb_str_starts(r->path, FB_STR("/api/v1/")) ? FACE_API_V1 : FACE_PLAIN;
}

/* ---- problems ------------------------------------------------------------------------------------------------- */
static void format_text(struct fb_problem *p, size_t at, const char *format, va_list args)
{
	int len = vsnprintf(p->text + at, sizeof(p->text) - at, format, args);

	FB_ASSERT(len >= 0);
}

bool fb_problem_set(struct fb_problem *p, uint16_t http, const char *code, const char *format, ...)
{
	va_list args;

	FB_ASSERT(http >= 400 && http <= 599);
	*p = (struct fb_problem){ .http = http, .code = code };
	va_start(args, format);
	format_text(p, 0, format, args);
	va_end(args);
	return false;
}

bool fb_problem_field(struct fb_problem *p, const char *field, const char *format, ...)
{
	va_list args;
	int len;

	*p = (struct fb_problem){ .http = 400, .code = "invalid_request" };
	len = snprintf(p->field, sizeof(p->field), "%s", field);
	FB_ASSERT(len >= 0);
	len = snprintf(p->text, sizeof(p->text), "%s: ", p->field);
	FB_ASSERT(len >= 0 && (size_t)len < sizeof(p->text));
	va_start(args, format);
	format_text(p, (size_t)len, format, args);
	va_end(args);
	return false;
}

/* ---- bodies ----------------------------------------------------------------------------------------------------- */
static const char *type_of(uint16_t http)
{
	switch (http) {
	case 401:
		return "authentication_error";
	case 402:
		return "payment_required_error";
	case 403:
		return "permission_error";
	case 404:
		return "not_found_error";
	case 409:
		return "conflict_error";
	case 429:
		return "rate_limit_error";
	default:
		return http < 500 ? "invalid_request_error" : "api_error";
	}
}

static void write_v1(struct fb_jw *w, const char *code, struct fb_str message, bool detailed, struct fb_str id)
{
	fb_jw_object(w);
	fb_jw_kv_bool(w, "ok", false);
	fb_jw_key(w, "error");
	fb_jw_object(w);
	fb_jw_kv_text(w, "code", code);
	fb_jw_kv_str(w, "message", message);
	fb_jw_key(w, "details");
	fb_jw_array(w);
	if (detailed)
		fb_jw_str(w, message);
	fb_jw_end(w);
	fb_jw_kv_str(w, "request_id", id);
	fb_jw_end(w);
	fb_jw_end(w);
}

static void write_api_v1(struct fb_jw *w, uint16_t http, const char *code, struct fb_str message, struct fb_str id)
{
	fb_jw_object(w);
	fb_jw_kv_str(w, "detail", message);
	fb_jw_key(w, "error");
	fb_jw_object(w);
	fb_jw_kv_text(w, "type", type_of(http));
	fb_jw_kv_str(w, "message", message);
	fb_jw_kv_text(w, "code", code);
	fb_jw_kv_str(w, "request_id", id);
	fb_jw_end(w);
	fb_jw_end(w);
}

static void write_plain(struct fb_jw *w, const char *code, struct fb_str message, struct fb_str id)
{
	fb_jw_object(w);
	fb_jw_key(w, "error");
	fb_jw_object(w);
	fb_jw_kv_text(w, "code", code);
	fb_jw_kv_str(w, "message", message);
	fb_jw_kv_str(w, "request_id", id);
	fb_jw_end(w);
	fb_jw_end(w);
}

static void write_error(struct fb_buf *out, const struct fb_request *r, uint16_t http, const char *code,
			struct fb_str message, bool detailed)
{
	struct fb_jw w;

	fb_jw_init(&w, out);
	switch (face_of(r)) {
	case FACE_V1:
		write_v1(&w, code, message, detailed, r->id);
		return;
	case FACE_API_V1:
		write_api_v1(&w, http, code, message, r->id);
		return;
	case FACE_PLAIN:
		write_plain(&w, code, message, r->id);
		return;
	}
	FB_UNREACHABLE("there are three faces");
}

bool fb_envelope_error_body(struct fb_buf *out, const struct fb_request *r, enum fb_status s, struct fb_str message)
{
	if (face_of(r) == FACE_PLAIN)
		return false;
	write_error(out, r, fb_status_info(s)->http, fb_status_info(s)->name, message, false);
	return true;
}

/* ---- answers ------------------------------------------------------------------------------------------------- */
struct fb_answered fb_envelope_data(struct fb_request *r, uint16_t status, struct fb_str json)
{
	struct fb_buf b;

	FB_ASSERT(status < 400);
	if (face_of(r) != FACE_V1)
		return fb_http_json(r, status, json);
	b = fb_arena_buf(r->arena, json.len + sizeof("{\"ok\":true,\"data\":}"));
	fb_buf_text(&b, "{\"ok\":true,\"data\":");
	fb_buf_str(&b, json);
	fb_buf_char(&b, '}');
	return fb_http_json(r, status, fb_buf_view(&b));
}

static struct fb_answered send_error(struct fb_request *r, uint16_t http, const char *code, struct fb_str message,
				     bool detailed)
{
	struct fb_buf b = fb_arena_buf(r->arena, FRAME + 3 * ESCAPED * message.len);
	struct fb_reply reply = { .status = http };

	write_error(&b, r, http, code, message, detailed);
	reply.body = fb_buf_view(&b);
	if (http == 401)
		fb_reply_header(&reply, "WWW-Authenticate", FB_STR("Bearer"));
	if (http == 429 || http == 503)
		fb_reply_header(&reply, "Retry-After", FB_STR("1"));
	return fb_http_reply(r, &reply);
}

struct fb_answered fb_envelope_problem(struct fb_request *r, const struct fb_problem *p)
{
	return send_error(r, p->http, p->code, fb_str_of(p->text), p->field[0] != '\0');
}

struct fb_answered fb_envelope_status(struct fb_request *r, enum fb_status s, const char *message)
{
	const struct fb_status_info *info = fb_status_info(s);

	FB_ASSERT(s != FB_OK);
	return send_error(r, info->http, info->name, fb_str_of(message == NULL ? info->name : message), false);
}
