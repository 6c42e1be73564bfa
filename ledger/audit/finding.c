/* The first difference, in words: what, where, found, expected. */
#include "audit_int.h"

#include <string.h>

static const struct fb_audit_check_info checks[FB_AUDIT_CHECK_END] = {
#define X(name, text, doc) [FB_AUDIT_##name] = { text, doc },
	FB_AUDIT_CHECKS(X)
#undef X
};

const struct fb_audit_check_info *fb_audit_check_info(enum fb_audit_check c)
{
	FB_ASSERT(c < FB_AUDIT_CHECK_END);
	return &checks[c];
}

/* Cut, never overrun; terminated. */
static void put_text(char out[FB_AUDIT_TEXT_MAX], struct fb_str s)
{
	size_t len = s.len < FB_AUDIT_TEXT_MAX - 1 ? s.len : FB_AUDIT_TEXT_MAX - 1;

	memcpy(out, s.at, len);
	out[len] = '\0';
}

enum fb_status audit_differ(struct audit *a, enum fb_audit_check check, uint64_t account, const char *what,
			    struct fb_str found, struct fb_str expected)
{
	struct fb_audit_finding *f = a->finding;

	f->check = check;
	f->account = account;
	put_text(f->what, fb_str_of(what));
	put_text(f->found, found);
	put_text(f->expected, expected);
	return FB_MISMATCH;
}

enum fb_status audit_differ_text(struct audit *a, enum fb_audit_check check, uint64_t account, const char *what,
				 const char *found, const char *expected)
{
	return audit_differ(a, check, account, what, fb_str_of(found), fb_str_of(expected));
}

enum fb_status audit_differ_number(struct audit *a, enum fb_audit_check check, uint64_t account, const char *what,
				   fb_u128 found, fb_u128 expected)
{
	char block[2][FB_U128_DIGITS + 1];
	struct fb_buf b[2];

	for (unsigned i = 0; i < 2; i++) {
		fb_buf_init(&b[i], block[i], sizeof(block[i]));
		fb_buf_u128(&b[i], i == 0 ? found : expected);
	}
	return audit_differ(a, check, account, what, fb_buf_view(&b[0]), fb_buf_view(&b[1]));
}

enum fb_status audit_differ_hash(struct audit *a, enum fb_audit_check check, const char *what,
				 const struct fb_hash *found, const struct fb_hash *expected)
{
	char block[2][FB_HASH_TEXT_LEN];
	struct fb_buf b[2];

	for (unsigned i = 0; i < 2; i++) {
		fb_buf_init(&b[i], block[i], sizeof(block[i]));
		fb_buf_hash(&b[i], i == 0 ? found : expected);
	}
	return audit_differ(a, check, 0, what, fb_buf_view(&b[0]), fb_buf_view(&b[1]));
}

void fb_audit_describe(struct fb_buf *out, const struct fb_audit_finding *f)
{
	const struct fb_audit_check_info *info = fb_audit_check_info(f->check);
	const char *comma = "";

	if (f->in_journal) {
		fb_buf_printf(out, "batch %llu", (unsigned long long)f->batch);
		comma = ", ";
	}
	if (f->seq != 0) {
		fb_buf_printf(out, "%sseq %llu", comma, (unsigned long long)f->seq);
		comma = ", ";
	}
	if (f->account != 0) {
		fb_buf_printf(out, "%saccount %llu", comma, (unsigned long long)f->account);
		comma = ", ";
	}
	fb_buf_printf(out, "%s%s is %s, expected %s (%s: %s)", comma[0] != '\0' ? ": " : "", f->what, f->found, f->expected,
		      info->name, info->doc);
}
