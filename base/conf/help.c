/* The settings part of --help: grouped, aligned, wrapped. */
#include "conf_int.h"

#include <inttypes.h>
#include <string.h>

enum { PAGE_WIDTH = 96, TEXT_COLUMN = 28 };

/* A group begins at the setting named and ends where the next one begins. */
static const struct { size_t first; const char *title; } groups[] = {
	{ SETTING_OF_bind, "Server" },
	{ SETTING_OF_network, "Chain" },
	{ SETTING_OF_key, "Signer and records" },
	{ SETTING_OF_open_settle, "Who may settle, and at what cost" },
	{ SETTING_OF_rpc_timeout_ms, "Times and health" },
	{ SETTING_OF_threads, "Limits of the server" },
	{ SETTING_OF_public_url, "Demo and debugging" },
};

/* Continues a line of which `column` characters stand already, breaking at blanks. */
static void put_wrapped(struct fb_buf *out, size_t *column, const char *text)
{
	struct fb_str rest = fb_str_of(text);

	while (rest.len > 0) {
		struct fb_str word = rest, tail = FB_STR("");

		(void)fb_str_split(&word, &tail, rest, ' ');
		rest = tail;
		if (*column + 1 + word.len > PAGE_WIDTH) {
			fb_buf_char(out, '\n');
			for (*column = 0; *column < TEXT_COLUMN; ++*column)
				fb_buf_char(out, ' ');
		} else if (*column > TEXT_COLUMN) {
			fb_buf_char(out, ' ');
			++*column;
		}
		fb_buf_str(out, word);
		*column += word.len;
	}
}

/* "(50..60000, default 5000; FAREBOX_RPC_TIMEOUT_MS)" */
static void describe(struct fb_buf *b, const struct setting *s)
{
	fb_buf_char(b, '(');
	if (s->kind == SETTING_NUMBER)
		fb_buf_printf(b, "%" PRIu64 "..%" PRIu64 ", default %" PRIu64 "; ", s->min, s->max, s->number);
	else if (s->kind == SETTING_TEXT && s->text[0] != '\0')
		fb_buf_printf(b, "default %s; ", s->text);
	fb_buf_printf(b, "%s)", s->variable);
}

static void put_setting(struct fb_buf *out, const struct setting *s)
{
	static const char *const arguments[] = {
		[SETTING_TEXT] = " TEXT", [SETTING_NUMBER] = " N", [SETTING_SWITCH] = "", [SETTING_SECRET] = " REF",
	};
	size_t start = out->len, column = TEXT_COLUMN;
	char flag[SETTING_NAME_MAX], note[192];
	struct fb_buf b;

	setting_flag(flag, s);
	fb_buf_printf(out, "  --%s%s", flag, arguments[s->kind]);
	do
		fb_buf_char(out, ' ');
	while (!out->overflowed && out->len - start < TEXT_COLUMN);
	fb_buf_init(&b, note, sizeof(note) - 1);
	describe(&b, s);
	FB_ASSERT(!b.overflowed);
	note[b.len] = '\0';
	column = out->len - start;
	put_wrapped(out, &column, s->doc);
	put_wrapped(out, &column, note);
	fb_buf_char(out, '\n');
}

void fb_conf_help(struct fb_buf *out)
{
	fb_buf_text(out, "Settings, strongest source first: flags, environment, config file (--config FILE or\n"
			 "FAREBOX_CONFIG; one `name = value` a line, names with _ for -). REF is $NAME of a variable, or\n"
			 "the path of a file.\n");
	for (size_t i = 0; i < SETTINGS; i++) {
		for (size_t g = 0; g < FB_COUNT(groups); g++)
			if (groups[g].first == i)
				fb_buf_printf(out, "\n%s\n", groups[g].title);
		put_setting(out, &fb_conf_settings[i]);
	}
}
