/* farebox key: make a key, put an existing one into an encrypted file, show a key's address. */
#include "app.h"

#include "farebox/crypto.h"
#include "farebox/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PASSPHRASE_MAX = 1024, FILE_MAX = 4096, PASSPHRASE_MIN = 8 };

struct options {
	const char *action, *file, *from, *passphrase_file;
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
	     "--passphrase-file  a file only you can read; without it the passphrase is asked for\n"
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
	*o = (struct options){ .action = count > 0 ? args[0] : "" };
	for (int i = 1; i < count; i++) {
		if (take_value(&o->from, &i, count, args, "--from") ||
		    take_value(&o->passphrase_file, &i, count, args, "--passphrase-file"))
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

static size_t read_passphrase(const struct options *o, char *out, size_t cap, const char *prompt)
{
	size_t len = 0;

	if (o->passphrase_file == NULL)
		return fb_os_ask(out, cap, prompt, true) == FB_OK ? strlen(out) : 0;
	if (fb_os_read_secret(out, &len, cap, o->passphrase_file, NULL) != FB_OK)
		return 0;
	while (len > 0 && (out[len - 1] == '\n' || out[len - 1] == '\r'))
		len--;
	return len;
}

static size_t ask_for_load(void *ctx, char *out, size_t cap, const char *what)
{
	char prompt[256];

	snprintf(prompt, sizeof(prompt), "Passphrase of %s: ", what);
	return read_passphrase(ctx, out, cap, prompt);
}

/* A new passphrase, typed twice when it is typed. */
static enum fb_status choose_passphrase(const struct options *o, char out[PASSPHRASE_MAX], size_t *len,
					struct fb_error *e)
{
	char again[PASSPHRASE_MAX];
	enum fb_status st = FB_OK;

	*len = read_passphrase(o, out, PASSPHRASE_MAX, "New passphrase: ");
	if (*len < PASSPHRASE_MIN)
		return fb_error_set(
			e, FB_BAD_VALUE,
			"the passphrase has %zu characters: want at least %d (typed, or in --passphrase-file)",
			*len, PASSPHRASE_MIN);
	if (o->passphrase_file == NULL) {
		size_t again_len = read_passphrase(o, again, sizeof(again), "The same again: ");

		if (again_len != *len || memcmp(again, out, *len) != 0)
			st = fb_error_set(e, FB_BAD_VALUE, "the two passphrases differ: nothing was written");
		explicit_bzero(again, sizeof(again));
	}
	return st;
}

/* ---- actions ------------------------------------------------------------------------------------------- */

static void show(const struct options *o, const struct fb_key *key, bool wrote)
{
	struct fb_address address = fb_key_address(key);
	char block[FB_ADDRESS_TEXT_LEN];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_address_checksum(&b, &address);
	if (!o->json)
		printf("%.*s\n", FB_STR_ARG(fb_buf_view(&b)));
	else if (wrote)
		printf("{\"address\":\"%.*s\",\"file\":\"%s\"}\n", FB_STR_ARG(fb_buf_view(&b)), o->file);
	else
		printf("{\"address\":\"%.*s\"}\n", FB_STR_ARG(fb_buf_view(&b)));
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

static enum fb_status act(const struct options *o, struct fb_key *key, struct fb_error *e)
{
	struct options mine = *o;
	struct fb_passphrase ask = { ask_for_load, &mine };
	enum fb_status st;

	if (strcmp(o->action, "new") == 0) {
		fb_key_generate(key, fb_os_rng());
		return write_keystore(o, key, e);
	}
	if (strcmp(o->action, "address") == 0)
		return fb_key_load(key, o->file, ask, e);
	st = fb_key_load(key, o->from, ask, e);
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
