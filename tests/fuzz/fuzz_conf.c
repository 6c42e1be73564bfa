/* Bytes to command line, environment and config file. The input is cut at NUL bytes: a piece that begins with '-' is an
 * argument, one that begins with a capital letter a variable, every other a line of the file.
 * Property 1: nothing crashes. Property 2: a refusal has one printable sentence. Property 3: what was accepted, written
 * again as flags, gives the same settings. */
#define _GNU_SOURCE
#include "farebox/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PIECES_MAX = 64, ARG_MAX_LEN = FB_CONF_VALUE_MAX + 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const char *args[PIECES_MAX + 3], *environment[PIECES_MAX + 1];
	int args_count, environment_count;
};

/* Sorts the pieces of a terminated text. */
static void take_pieces(struct input *in, int file, char *text, size_t size)
{
	for (size_t at = 0, n = 0; at < size && n < PIECES_MAX; n++) {
		char *piece = text + at;
		size_t len = strlen(piece);

		if (piece[0] == '-')
			in->args[in->args_count++] = piece;
		else if (piece[0] >= 'A' && piece[0] <= 'Z')
			in->environment[in->environment_count++] = piece;
		else
			FB_ASSERT(write(file, piece, len) == (ssize_t)len && write(file, "\n", 1) == 1);
		at += len + 1;
	}
}

static void check_sentence(const struct fb_error *e)
{
	FB_ASSERT(e->text[0] != '\0');
	for (const char *c = e->text; *c != '\0'; c++)
		FB_ASSERT((uint8_t)*c >= 0x20 && *c != 0x7f);
}

static char block[64][ARG_MAX_LEN];

/* The settings as flags that set them all. */
static int as_flags(const char *args[64], const struct fb_conf *c)
{
	int n = 0;

#define ARG(field, ...)                                                                     \
	do {                                                                                \
		FB_ASSERT(snprintf(block[n], ARG_MAX_LEN, __VA_ARGS__) < ARG_MAX_LEN);      \
		for (size_t i = 0; i < strlen("--" #field); i++)                            \
			if (block[n][i] == '_')                                             \
				block[n][i] = '-';                                          \
		args[n] = block[n];                                                         \
		n++;                                                                        \
	} while (0);
#define TEXT(field, def, var, doc) ARG(field, "--" #field "=%s", c->field)
#define NUMBER(field, def, min, max, var, doc) ARG(field, "--" #field "=%llu", (unsigned long long)c->field)
#define SWITCH(field, var, doc) if (c->field) ARG(field, "--" #field)
#define SECRET(field, var, doc) ARG(field, "--" #field "=%s", c->field)
	FB_SETTINGS(TEXT, NUMBER, SWITCH, SECRET)
#undef TEXT
#undef NUMBER
#undef SWITCH
#undef SECRET
	return n;
}

static void check_same(const struct fb_conf *a, const struct fb_conf *b)
{
#define TEXT(field, def, var, doc) FB_ASSERT(strcmp(a->field, b->field) == 0);
#define NUMBER(field, def, min, max, var, doc)                                              \
	FB_ASSERT(a->field == b->field);                                                    \
	FB_ASSERT(a->field <= (max) && a->field + 1 >= (uint64_t)(min) + 1);
#define SWITCH(field, var, doc) FB_ASSERT(a->field == b->field);
#define SECRET(field, var, doc) FB_ASSERT(strcmp(a->field, b->field) == 0);
	FB_SETTINGS(TEXT, NUMBER, SWITCH, SECRET)
#undef TEXT
#undef NUMBER
#undef SWITCH
#undef SECRET
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int file = -1;
	static char path[64];
	static const char *const nothing[] = { NULL };
	struct input in = { .args_count = 0 };
	const char *again[64];
	struct fb_conf c, twice;
	struct fb_error e = { "" };
	char *text = fb_must_alloc(size + 1, 1);

	if (file < 0)
		file = memfd_create("conf", 0);
	FB_ASSERT(file >= 0 && ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0);
	snprintf(path, sizeof(path), "--config=/proc/self/fd/%d", file);
	if (size > 0)
		memcpy(text, data, size);
	in.args[in.args_count++] = path;
	take_pieces(&in, file, text, size);
	if (fb_conf_open(&c, in.args_count, in.args, in.environment, &e) != FB_OK) {
		check_sentence(&e);
		free(text);
		return 0;
	}
	FB_ASSERT(fb_conf_open(&twice, as_flags(again, &c), again, nothing, &e) == FB_OK);
	check_same(&c, &twice);
	fb_conf_close(&c);
	fb_conf_close(&twice);
	free(text);
	return 0;
}
