/* Who is calling, and who owns what: what every other part asks. */
#include "identity_int.h"

enum fb_status fb_identity_caller(struct fb_identity *i, struct fb_caller *out, const struct fb_request *r)
{
	(void)i;
	(void)out;
	return fb_request_header(r, "Authorization").len == 0 && fb_request_header(r, "x-api-key").len == 0 ?
		       FB_MISSING : FB_UNAUTHORIZED;
}

bool fb_identity_need(struct fb_identity *i, struct fb_caller *out, struct fb_problem *p, const struct fb_request *r,
		      uint32_t scopes)
{
	if (fb_identity_caller(i, out, r) != FB_OK)
		return fb_problem_set(p, 401, "unauthorized", "an API key is needed: Authorization: Bearer KEY");
	if ((out->scopes & scopes) != scopes)
		return fb_problem_set(p, 403, "forbidden", "this API key may not do that");
	return true;
}

enum fb_status fb_identity_authorise(struct fb_identity *i, const struct fb_request *r)
{
	struct fb_caller caller;

	return fb_identity_caller(i, &caller, r) == FB_OK ? FB_OK : FB_UNAUTHORIZED;
}

bool fb_identity_owner_of(struct fb_identity *i, struct fb_owner *out, const struct fb_address *wallet)
{
	(void)i;
	(void)out;
	(void)wallet;
	return false;
}

bool fb_identity_wallet(struct fb_identity *i, const struct fb_owner *owner, struct fb_address *wallet,
			int64_t *changed_us)
{
	(void)i;
	(void)owner;
	(void)wallet;
	(void)changed_us;
	return false;
}

enum fb_status fb_identity_find(struct fb_identity *i, struct fb_principal_view *out, struct fb_str id)
{
	(void)i;
	(void)out;
	(void)id;
	return FB_NOT_FOUND;
}

enum fb_status fb_identity_make_key(struct fb_identity *i, struct fb_buf *out, struct fb_str owner_id,
				    enum fb_role role)
{
	(void)i;
	(void)out;
	(void)owner_id;
	(void)role;
	return FB_LIMIT;
}
