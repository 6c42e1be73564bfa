/* farebox key: make a key, put an existing one into an encrypted file, show a key's address. */
#include "app.h"

#include "farebox/crypto.h"
#include "farebox/json.h"
#include "farebox/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PASSPHRASE_MAX = 1024, FILE_MAX = 4096, PASSPHRASE_MIN = 8 };

struct options {
	const char *action, *file, *from;
	const char *passphrase; /* a file or $NAME; "" asks */
	bool json, light;
};

static int print_help(void)
{
	puts("usage: farebox key new FILE [--passphrase-file PATH] [--light] [--json]\n"
	     "       farebox key import FILE --from SOURCE [--passphrase-file PATH] [--light] [--json]\n"
	     "       farebox key address SOURCE [--passphrase-file PATH] [--json]\n\n"
	     "FILE is written as a Web3 keystore (version 3, scrypt), mode 0600, and never overwritten.\n"
	     "SOURCE is $NAME (a variable that holds 0x and 64 hex digits), a file with the same text that\n"
	     "only you can read, or a keystore. A key itself is never taken from the command line.\n"
	     "--passphrase-file  a file only you can read, or $NAME; without it the passphrase is asked for\n"
	     "--light            a cheaper key derivation (4 MiB instead of 256), for tests\n"
	     "--json             prints {\"address\":…,\"file\":…}");
	return FB_EXIT_OK;
}

static bool take_value(const char **out, int *i, int count, const char *const *args, const char *flag)
{
	if (strcmp(args[*i], flag) != 0 || *i + 1 >= count)
		return false;
	*out = args[++*i];
	return true;
}

static bool parse(struct options *o, int count, const char *const *args)
{
	*o = (struct options){ .action = count > 0 ? args[0] : "", .passphrase = "" };
	for (int i = 1; i < count; i++) {
		if (take_value(&o->from, &i, count, args, "--from") ||
		    take_value(&o->passphrase, &i, count, args, "--passphrase-file"))
			continue;
		if (strcmp(args[i], "--json") == 0)
			o->json = true;
		else if (strcmp(args[i], "--light") == 0)
			o->light = true;
		else if (o->file == NULL && strncmp(args[i], "--", 2) != 0)
			o->file = args[i];
		else
			return false;
	}
	return o->file != NULL;
}

/* ---- passphrase --------------------------------------------------------------------------------------- */

struct asking {
	const struct options *options;
	struct fb_error why_none;
};

static size_t ask_for_load(void *ctx, char *out, size_t cap, const char *what)
{
	struct asking *a = ctx;
	char prompt[256];

	snprintf(prompt, sizeof(prompt), "Passphrase of %s: ", what);
	return fb_app_passphrase(out, cap, a->options->passphrase, prompt, &a->why_none);
}

/* A new passphrase, typed twice when it is typed. */
static enum fb_status choose_passphrase(const struct options *o, char out[PASSPHRASE_MAX], size_t *len,
					struct fb_error *e)
{
	char again[PASSPHRASE_MAX];
	enum fb_status st = FB_OK;

	*len = fb_app_passphrase(out, PASSPHRASE_MAX, o->passphrase, "New passphrase: ", e);
	if (*len == 0)
		return FB_BAD_VALUE;
	if (*len < PASSPHRASE_MIN)
		return fb_error_set(e, FB_BAD_VALUE, "the passphrase has %zu characters: want at least %d", *len,
				    PASSPHRASE_MIN);
	if (o->passphrase[0] == '\0') {
		size_t again_len = fb_app_passphrase(again, sizeof(again), "", "The same again: ", e);

		if (again_len != *len || memcmp(again, out, *len) != 0)
			st = fb_error_set(e, FB_BAD_VALUE, "the two passphrases differ: nothing was written");
		explicit_bzero(again, sizeof(again));
	}
	return st;
}

/* ---- actions ------------------------------------------------------------------------------------------- */

/* Paths are the caller's: any byte may be in them but NUL. */
static void show_json(const struct options *o, struct fb_str address, bool wrote)
{
	size_t cap = FILE_MAX + 6 * strlen(o->file); /* every byte may become an escape */
	struct fb_buf out;
	struct fb_jw w;

	fb_buf_init(&out, fb_must_alloc(cap, 1), cap);
	fb_jw_init(&w, &out);
	fb_jw_object(&w);
	fb_jw_kv_str(&w, "address", address);
	if (wrote)
		fb_jw_kv_text(&w, "file", o->file);
	fb_jw_end(&w);
	printf("%.*s\n", FB_STR_ARG(fb_buf_view(&out)));
	free(out.at);
}

static void show(const struct options *o, const struct fb_key *key, bool wrote)
{
	struct fb_address address = fb_key_address(key);
	char block[FB_ADDRESS_TEXT_LEN];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_address_checksum(&b, &address);
	if (o->json)
		show_json(o, fb_buf_view(&b), wrote);
	else
		printf("%.*s\n", FB_STR_ARG(fb_buf_view(&b)));
	if (wrote && !o->json)
		fprintf(stderr, "written to %s; keep the passphrase, nothing can replace it\n", o->file);
}

static enum fb_status write_keystore(const struct options *o, const struct fb_key *key, struct fb_error *e)
{
	char passphrase[PASSPHRASE_MAX], text[FILE_MAX];
	struct fb_buf b;
	size_t len;
	enum fb_status st = choose_passphrase(o, passphrase, &len, e);

	fb_buf_init(&b, text, sizeof(text));
	if (st == FB_OK &&
	    (st = fb_keystore_write(&b, key, (struct fb_str) { passphrase, len }, o->light, fb_os_rng())) != FB_OK)
		st = fb_error_set(e, st, "the keystore cannot be made: %s", fb_status_info(st)->name);
	explicit_bzero(passphrase, sizeof(passphrase));
	return st != FB_OK ? st : fb_os_write_secret(o->file, fb_buf_view(&b), e);
}

static enum fb_status load(const struct options *o, struct fb_key *key, const char *source, struct fb_error *e)
{
	struct asking a = { .options = o };
	enum fb_status st = fb_key_load(key, source, (struct fb_passphrase){ ask_for_load, &a }, e);

	return st == FB_OK || a.why_none.text[0] == '\0' ? st : fb_error_set(e, st, "%s: %s", source, a.why_none.text);
}

static enum fb_status act(const struct options *o, struct fb_key *key, struct fb_error *e)
{
	enum fb_status st;

	if (strcmp(o->action, "new") == 0) {
		fb_key_generate(key, fb_os_rng());
		return write_keystore(o, key, e);
	}
	if (strcmp(o->action, "address") == 0)
		return load(o, key, o->file, e);
	st = load(o, key, o->from, e);
	return st != FB_OK ? st : write_keystore(o, key, e);
}

int fb_command_key(int count, const char *const *args)
{
	struct fb_error e = { "" };
	struct options o;
	struct fb_key key = { { 0 } };
	enum fb_status st;
	bool writes;

	if (fb_app_wants_help(count, args))
		return print_help();
	if (!parse(&o, count, args))
		return fb_app_usage("want: farebox key new FILE, key import FILE --from SOURCE, or key address SOURCE");
	writes = strcmp(o.action, "address") != 0;
	if ((writes && strcmp(o.action, "new") != 0 && strcmp(o.action, "import") != 0) ||
	    (strcmp(o.action, "import") == 0 && o.from == NULL))
		return fb_app_usage("want: farebox key new FILE, key import FILE --from SOURCE, or key address SOURCE");
	st = act(&o, &key, &e);
	if (st == FB_OK)
		show(&o, &key, writes);
	fb_key_wipe(&key);
	return st == FB_OK ? FB_EXIT_OK : fb_app_fail(st, e.text);
}
