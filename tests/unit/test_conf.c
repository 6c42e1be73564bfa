/* Goal: the contract of farebox/conf.h. Method: tables of command lines, environments and files, with the exact
 * sentence of every refusal. */
#include "fb_test_dir.h"
#include "farebox/conf.h"
#include "farebox/json.h"
#include "fb_test.h"

#include <unistd.h>

#define KEY "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"

static struct fb_test_dir root;
static char file_path[256]; /* of the config file of one test */

static int setup(void **state)
{
	(void)state;
	if (!fb_test_dir_make(&root))
		return -1;
	snprintf(file_path, sizeof(file_path), "%s/f.conf", root.path);
	return chdir(root.path); /* so that messages name it "f.conf" */
}

static int teardown(void **state)
{
	(void)state;
	return chdir("/") == 0 && fb_test_dir_remove(&root) ? 0 : -1;
}

static void write_file(struct fb_str text)
{
	FILE *f = fopen(file_path, "w");

	CHECK(f != NULL && fwrite(text.at, 1, text.len, f) == text.len);
	fclose(f);
}

enum { ARGS_MAX = 8 };
struct sources {
	const char *args[ARGS_MAX], *environment[ARGS_MAX]; /* NULL-terminated */
	const char *file; /* NULL: none */
};

static enum fb_status open_conf(struct fb_conf *c, const struct sources *s, struct fb_error *e)
{
	const char *args[ARGS_MAX + 2];
	int count = 0;

	if (s->file != NULL) {
		write_file(fb_str_of(s->file));
		args[count++] = "--config";
		args[count++] = "f.conf";
	}
	for (size_t i = 0; s->args[i] != NULL; i++)
		args[count++] = s->args[i];
	return fb_conf_open(c, count, args, s->environment, e);
}

static void open__nothing_set__gives_the_defaults(void **state)
{
	struct fb_conf c;
	struct sources s = { .file = NULL };
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_OK, open_conf(&c, &s, &e));
	CHECK(c.port == 4022 && c.rpc_timeout_ms == 5000 && !c.open_settle);
	CHECK(strcmp(c.bind, "127.0.0.1") == 0 && strcmp(c.key, "") == 0 && strcmp(c.demo_price, "0.001") == 0);
	for (size_t i = 0; i < fb_conf_count(); i++)
		CHECK(strcmp(fb_conf_origin(&c, fb_conf_name(i)), "default") == 0);
	fb_conf_close(&c);
}

static void open__same_setting_everywhere__the_strongest_source_wins(void **state)
{
	static const struct { struct sources s; uint64_t port; const char *origin; } rows[] = {
		{ { .args = { "--port", "1" }, .environment = { "PORT=2" }, .file = "port = 3\n" }, 1, "flag --port" },
		{ { .args = { "--port=1" }, .environment = { "PORT=2" }, .file = "port = 3\n" }, 1, "flag --port" },
		{ { .environment = { "PORT=2" }, .file = "port = 3\n" }, 2, "PORT in the environment" },
		{ { .environment = { "PORT=", "PORTS=9", "XPORT=9" }, .file = "port = 3\n" }, 3, "f.conf:1" },
		{ { .file = "# port = 9\n\n \t \nport=3" }, 3, "f.conf:4" },
		{ { .environment = { "PORT=" } }, 4022, "default" },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_conf c;
		struct fb_error e;

		CHECK_STATUS(FB_OK, open_conf(&c, &rows[i].s, &e));
		CHECK(c.port == rows[i].port);
		CHECK_STR(rows[i].origin, fb_str_of(fb_conf_origin(&c, "port")));
		fb_conf_close(&c);
	}
}

static void open__every_kind__reads_its_forms(void **state)
{
	static const struct sources s = {
		.args = { "--rpc-url=http://a/?x=1,http://b", "--access-log", "--pay-to", "", "--key", "$SIGNER",
			  "--threads=64" },
		.environment = { "FAREBOX_TEST_HOOKS=true", "FAREBOX_LOCAL_CHAIN=false" },
		.file = "  public_url =  https://pay.example/a#b  \nopen_settle = true\n"
			"api_keys = /run/keys = x\ndemo_pay_to =\n",
	};
	struct fb_conf c;
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_OK, open_conf(&c, &s, &e));
	CHECK_STR("http://a/?x=1,http://b", fb_str_of(c.rpc_url));
	CHECK(c.access_log && c.test_hooks && !c.local_chain && c.open_settle && c.threads == 64);
	CHECK_STR("", fb_str_of(c.pay_to));
	CHECK_STR("flag --pay-to", fb_str_of(fb_conf_origin(&c, "pay_to")));
	CHECK_STR("$SIGNER", fb_str_of(c.key));
	CHECK_STR("https://pay.example/a#b", fb_str_of(c.public_url));
	CHECK_STR("/run/keys = x", fb_str_of(c.api_keys));
	CHECK_STR("", fb_str_of(c.demo_pay_to));
	CHECK_STR("f.conf:4", fb_str_of(fb_conf_origin(&c, "demo_pay_to")));
	fb_conf_close(&c);
}

/* The sentence is part of the contract: it says what, where, and what would have been right. */
static const struct { struct sources s; enum fb_status want; const char *text; } refused[] = {
	{ { .args = { "--rpc-timeout-ms", "5" } }, FB_BAD_VALUE, "--rpc-timeout-ms = 5: want 50..60000" },
	{ { .args = { "--rpc-timeout-ms=60001" } }, FB_BAD_VALUE, "--rpc-timeout-ms = 60001: want 50..60000" },
	{ { .args = { "--port=08" } }, FB_BAD_VALUE, "--port = 08: want 0..65535" },
	{ { .args = { "--port=80 " } }, FB_BAD_VALUE, "--port = 80 : want 0..65535" },
	{ { .args = { "--port=" } }, FB_BAD_VALUE, "--port = : want 0..65535" },
	{ { .args = { "--port=-1" } }, FB_BAD_VALUE, "--port = -1: want 0..65535" },
	{ { .args = { "--port=99999999999999999999999" } }, FB_BAD_VALUE,
	  "--port = 99999999999999999999999: want 0..65535" },
	{ { .args = { "--port" } }, FB_BAD_SYNTAX, "--port: its value is missing" },
	{ { .args = { "--bind", "--port", "1" } }, FB_BAD_SYNTAX, "--bind: its value is missing" },
	{ { .args = { "--port=1", "--port=1" } }, FB_BAD_VALUE, "--port: set twice" },
	{ { .args = { "--prot", "1" } }, FB_BAD_VALUE, "--prot: no such setting; did you mean --port?" },
	{ { .args = { "--rpc_timeout_ms=1" } }, FB_BAD_VALUE,
	  "--rpc_timeout_ms: no such setting; did you mean --rpc-timeout-ms?" },
	{ { .args = { "--RPC-URL=1" } }, FB_BAD_VALUE, "--RPC-URL: no such setting; did you mean --rpc-url?" },
	{ { .args = { "--private-key=" KEY } }, FB_BAD_VALUE, "--private-key: no such setting; --help lists them" },
	{ { .args = { "--=x" } }, FB_BAD_VALUE, "--: no such setting; --help lists them" },
	{ { .args = { "--access-log=true" } }, FB_BAD_VALUE, "--access-log: a switch, it takes no value" },
	{ { .args = { "--access-log", "true" } }, FB_BAD_VALUE, "true: want --name value" },
	{ { .args = { "serve" } }, FB_BAD_VALUE, "serve: want --name value" },
	{ { .args = { "--" } }, FB_BAD_VALUE, "--: want --name value" },
	{ { .args = { "-p", "1" } }, FB_BAD_VALUE, "-p: want --name value" },
	{ { .args = { "0x" KEY } }, FB_BAD_VALUE, "(a key): want --name value" },
	{ { .args = { "EVM_PRIVATE_KEY=0x" KEY } }, FB_BAD_VALUE, "EVM_PRIVATE_KEY: want --name value" },
	{ { .args = { "--0x" KEY } }, FB_BAD_VALUE, "--(a key): no such setting; --help lists them" },
	{ { .args = { "--bind=a\nb" } }, FB_BAD_VALUE, "argument 1 holds a control character" },
	{ { .args = { "--bind", "a\nb" } }, FB_BAD_VALUE, "--bind: the value holds a control character" },
	{ { .args = { "--config" } }, FB_BAD_SYNTAX, "--config: its value is missing" },
	{ { .args = { "--config=" } }, FB_BAD_VALUE, "--config: want the path of a file" },
	{ { .args = { "--config=a", "--config=b" } }, FB_BAD_VALUE, "--config: set twice" },
	{ { .args = { "--config=none.conf" } }, FB_NOT_FOUND, "cannot read none.conf: No such file or directory" },
	{ { .args = { "--config=." } }, FB_IO, "cannot read .: Is a directory" },
	{ { .args = { "--key=" KEY } }, FB_BAD_VALUE,
	  "--key: that is a key itself: want $NAME of a variable that holds it, or the path of a file" },
	{ { .args = { "--key=0x" KEY } }, FB_BAD_VALUE,
	  "--key: that is a key itself: want $NAME of a variable that holds it, or the path of a file" },
	{ { .environment = { "PORT=x" } }, FB_BAD_VALUE, "PORT = x: want 0..65535" },
	{ { .environment = { "PORT=1", "PORT=1" } }, FB_BAD_VALUE, "PORT: set twice" },
	{ { .environment = { "FAREBOX_ACCESS_LOG=1" } }, FB_BAD_VALUE, "FAREBOX_ACCESS_LOG = 1: want true or false" },
	{ { .environment = { "FAREBOX_CONFIG=none.conf" } }, FB_NOT_FOUND,
	  "cannot read none.conf: No such file or directory" },
	{ { .file = "\n\nrpc_timeout_ms = 5" }, FB_BAD_VALUE, "f.conf:3: rpc_timeout_ms = 5: want 50..60000" },
	{ { .file = "port = 1\nport = 1\n" }, FB_BAD_VALUE, "f.conf:2: port: set twice" },
	{ { .file = "port = 1 # a comment\n" }, FB_BAD_VALUE, "f.conf:1: port = 1 # a comment: want 0..65535" },
	{ { .file = "prot = 1\n" }, FB_BAD_VALUE, "f.conf:1: prot: no such setting; did you mean port?" },
	{ { .file = "something_else = 1\n" }, FB_BAD_VALUE,
	  "f.conf:1: something_else: no such setting; --help lists them" },
	{ { .file = "port 1\n" }, FB_BAD_SYNTAX, "f.conf:1: want name = value" },
	{ { .file = "= 1\n" }, FB_BAD_VALUE, "f.conf:1: : no such setting; --help lists them" },
	{ { .file = "port = 1\r\n" }, FB_BAD_SYNTAX,
	  "f.conf:1: a control character (a tab, or the line ends of Windows?)" },
	{ { .file = "key = " KEY "\n" }, FB_BAD_VALUE,
	  "f.conf:1: key: that is a key itself: want $NAME of a variable that holds it, or the path of a file" },
	/* a weaker source is checked although its value does not count */
	{ { .args = { "--port=1" }, .environment = { "PORT=x" } }, FB_BAD_VALUE, "PORT = x: want 0..65535" },
	{ { .args = { "--port=1" }, .file = "port = x\n" }, FB_BAD_VALUE, "f.conf:1: port = x: want 0..65535" },
	/* and the first fault in the order of the sources is the one told */
	{ { .args = { "--port=x" }, .environment = { "PORT=y" }, .file = "port = z\n" }, FB_BAD_VALUE,
	  "--port = x: want 0..65535" },
	{ { .environment = { "PORT=y" }, .file = "port = z\n" }, FB_BAD_VALUE, "PORT = y: want 0..65535" },
};

static void open__table__every_fault_is_refused_with_its_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(refused); i++) {
		struct fb_conf c = { .port = 77 };
		struct fb_error e = { "" };

		CHECK_STATUS(refused[i].want, open_conf(&c, &refused[i].s, &e));
		CHECK_STR(refused[i].text, fb_str_of(e.text));
		CHECK(c.port == 77 && c.texts == NULL); /* untouched */
		CHECK(strstr(e.text, KEY) == NULL);
	}
}

static void open__config_variable__names_the_file_unless_a_flag_does(void **state)
{
	static const struct sources by_variable = { .environment = { "FAREBOX_CONFIG=f.conf" } };
	static const struct sources by_both = { .file = "port = 5\n", .environment = { "FAREBOX_CONFIG=none.conf" } };
	struct fb_conf c;
	struct fb_error e;

	(void)state;
	write_file(FB_STR("port = 7\n"));
	CHECK_STATUS(FB_OK, open_conf(&c, &by_variable, &e));
	CHECK(c.port == 7);
	fb_conf_close(&c);
	CHECK_STATUS(FB_OK, open_conf(&c, &by_both, &e));
	CHECK(c.port == 5);
	fb_conf_close(&c);
}

static void open__limits__are_exact(void **state)
{
	static char arg[FB_CONF_VALUE_MAX + 16], text[FB_CONF_FILE_MAX + 1], path[FB_CONF_PATH_MAX + 2];
	const char *args[] = { arg }, *config[] = { "--config", "f.conf" }, *long_path[] = { "--config", path };
	const char *none[] = { NULL };
	struct fb_conf c;
	struct fb_error e;

	(void)state;
	memset(arg, 'x', sizeof(arg));
	memcpy(arg, "--bind=", 7);
	arg[7 + FB_CONF_VALUE_MAX] = '\0';
	CHECK_STATUS(FB_OK, fb_conf_open(&c, 1, args, none, &e));
	CHECK(strlen(c.bind) == FB_CONF_VALUE_MAX);
	fb_conf_close(&c);
	memcpy(arg + 7 + FB_CONF_VALUE_MAX, "x", 2);
	CHECK_STATUS(FB_BAD_VALUE, fb_conf_open(&c, 1, args, none, &e));
	CHECK_STR("--bind: the value is longer than 4096 bytes", fb_str_of(e.text));

	memset(text, '#', sizeof(text));
	write_file((struct fb_str){ text, FB_CONF_FILE_MAX });
	CHECK_STATUS(FB_OK, fb_conf_open(&c, 2, config, none, &e));
	fb_conf_close(&c);
	write_file((struct fb_str){ text, sizeof(text) });
	CHECK_STATUS(FB_TOO_LARGE, fb_conf_open(&c, 2, config, none, &e));
	CHECK_STR("cannot read f.conf: it is larger than 65536 bytes", fb_str_of(e.text));

	memset(path, 'p', sizeof(path) - 1);
	CHECK_STATUS(FB_BAD_VALUE, fb_conf_open(&c, 2, long_path, none, &e));
	CHECK_STR("the path of the config file is longer than 1024 bytes", fb_str_of(e.text));
}

/* Everything at its longest, in every source at once: the memory for texts is enough. */
static void open__all_texts_at_their_longest__fit(void **state)
{
	static char args_text[64][FB_CONF_VALUE_MAX + 64], env_text[64][FB_CONF_VALUE_MAX + 64];
	const char *args[64], *environment[64];
	int count = 0;
	struct fb_conf c;
	struct fb_error e;
	static const char *const fields[] = {
		"bind", "network", "network-file", "rpc-url", "data", "pay-to", "public-url", "demo-price", "demo-pay-to",
		"key", "passphrase", "api-keys",
	};
	static const char *const variables[] = {
		"FAREBOX_BIND", "EVM_NETWORK", "EVM_RPC_URL", "FAREBOX_DATA", "FAREBOX_PAY_TO",
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(fields); i++) {
		size_t len = (size_t)snprintf(args_text[i], sizeof(args_text[i]), "--%s=", fields[i]);

		memset(args_text[i] + len, 'x', FB_CONF_VALUE_MAX);
		args[count++] = args_text[i];
	}
	for (size_t i = 0; i < FB_COUNT(variables); i++) {
		size_t len = (size_t)snprintf(env_text[i], sizeof(env_text[i]), "%s=", variables[i]);

		memset(env_text[i] + len, 'x', FB_CONF_VALUE_MAX);
		environment[i] = env_text[i];
	}
	environment[FB_COUNT(variables)] = NULL;
	CHECK_STATUS(FB_OK, fb_conf_open(&c, count, args, environment, &e));
	CHECK(strlen(c.rpc_url) == FB_CONF_VALUE_MAX && strlen(c.api_keys) == FB_CONF_VALUE_MAX);
	fb_conf_close(&c);
}

/* ---- print and help ------------------------------------------------------------------------------------------ */
static char page_block[FB_CONF_PAGE_MAX];

static struct fb_str print(const struct fb_conf *c, bool json)
{
	struct fb_buf b;

	fb_buf_init(&b, page_block, sizeof(page_block) - 1);
	fb_conf_print(c, &b, json);
	CHECK(!b.overflowed);
	page_block[b.len] = '\0';
	return fb_buf_view(&b);
}

static void open__secret_in_its_own_variable__only_the_reference_is_kept(void **state)
{
	static const struct sources s = { .environment = { "EVM_PRIVATE_KEY=0x" KEY, "FAREBOX_PASSPHRASE=sesame\nopen" } };
	struct fb_conf c;
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_OK, open_conf(&c, &s, &e));
	CHECK_STR("$EVM_PRIVATE_KEY", fb_str_of(c.key));
	CHECK_STR("EVM_PRIVATE_KEY in the environment", fb_str_of(fb_conf_origin(&c, "key")));
	CHECK_STR("$FAREBOX_PASSPHRASE", fb_str_of(c.passphrase));
	for (unsigned json = 0; json < 2; json++) {
		(void)print(&c, json == 1);
		CHECK(strstr(page_block, "$EVM_PRIVATE_KEY") != NULL);
		CHECK(strstr(page_block, KEY) == NULL && strstr(page_block, "sesame") == NULL);
	}
	fb_conf_close(&c);
}

static void print__endpoints__show_scheme_and_host_only(void **state)
{
	static const struct {
		const char *variable, *shown;
	} rows[] = {
		{ "EVM_RPC_URL=https://a.b/v2/SESAME", "= https://a.b/... " },
		{ "EVM_RPC_URL=https://u:SESAME@a.b:9/", "= https://a.b:9 " },
		{ "EVM_RPC_URL=https://a.b?key=SESAME", "= https://a.b/... " },
		{ "EVM_RPC_URL=https://a.b/SESAME, http://c.d", "= https://a.b/...,http://c.d " },
		{ "EVM_RPC_URL=SESAME", "= ... " },
		{ "EVM_RPC_URL=http://127.0.0.1:8545", "= http://127.0.0.1:8545 " },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct sources s = { .environment = { rows[i].variable } };
		struct fb_conf c;
		struct fb_error e;

		CHECK_STATUS(FB_OK, open_conf(&c, &s, &e));
		(void)print(&c, true);
		CHECK(strstr(page_block, "SESAME") == NULL);
		(void)print(&c, false);
		CHECK(strstr(page_block, "SESAME") == NULL);
		if (strstr(page_block, rows[i].shown) == NULL)
			fail_msg("no \"%s\" in\n%s", rows[i].shown, page_block);
		fb_conf_close(&c);
	}
}

static void print__table__name_value_and_origin_in_columns(void **state)
{
	static const struct sources s = { .args = { "--port=80", "--access-log" }, .file = "network = base\n" };
	static const char *const lines[] = {
		"bind                  = 127.0.0.1                     (default)\n",
		"port                  = 80                            (flag --port)\n",
		"network               = base                          (f.conf:1)\n",
		"key                   =                               (default)\n",
		"access_log            = true                          (flag --access-log)\n",
		"test_hooks            = false                         (default)\n",
	};
	struct fb_conf c;
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_OK, open_conf(&c, &s, &e));
	(void)print(&c, false);
	for (size_t i = 0; i < FB_COUNT(lines); i++)
		if (strstr(page_block, lines[i]) == NULL)
			fail_msg("no line \"%s\" in\n%s", lines[i], page_block);
	fb_conf_close(&c);
}

static void check_json_rows(const struct fb_json *doc, const struct fb_conf *c)
{
	struct fb_json_value array = fb_json_root(doc), row = fb_json_first(array, NULL);

	CHECK(fb_json_count(array) == fb_conf_count());
	for (size_t i = 0; i < fb_conf_count(); i++) {
		static _Alignas(16) unsigned char block[4096];
		struct fb_arena a;
		struct fb_str name, origin, help;

		fb_arena_init(&a, block, sizeof(block));
		CHECK_STATUS(FB_OK, fb_json_string(&name, fb_json_get(row, "name"), &a));
		CHECK_STATUS(FB_OK, fb_json_string(&origin, fb_json_get(row, "origin"), &a));
		CHECK_STATUS(FB_OK, fb_json_string(&help, fb_json_get(row, "help"), &a));
		CHECK_STR(fb_conf_name(i), name);
		CHECK_STR(fb_conf_origin(c, fb_conf_name(i)), origin);
		CHECK(help.len > 0);
		CHECK(fb_json_present(fb_json_get(row, "value")) && fb_json_present(fb_json_get(row, "default")));
		row = fb_json_next(array, row, NULL);
	}
}

static void print__json__is_an_array_of_typed_rows(void **state)
{
	static const struct sources s = { .args = { "--port=80", "--access-log", "--bind=\"\\" } };
	static struct fb_json_token tokens[2048];
	static const char *const rows[] = {
		"{\"name\":\"port\",\"value\":80,\"origin\":\"flag --port\",\"default\":4022,\"help\":",
		"{\"name\":\"access_log\",\"value\":true,\"origin\":\"flag --access-log\",\"default\":false,",
		"{\"name\":\"bind\",\"value\":\"\\\"\\\\\",\"origin\":\"flag --bind\",\"default\":\"127.0.0.1\",",
	};
	struct fb_json doc;
	struct fb_conf c;
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_OK, open_conf(&c, &s, &e));
	CHECK_STATUS(FB_OK, fb_json_parse(&doc, tokens, FB_COUNT(tokens), print(&c, true)));
	check_json_rows(&doc, &c);
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		CHECK(strstr(page_block, rows[i]) != NULL);
	fb_conf_close(&c);
}

static void help__page__names_every_setting_within_the_width(void **state)
{
	struct fb_buf b;
	struct fb_str rest, line;
	unsigned groups = 0;

	(void)state;
	fb_buf_init(&b, page_block, sizeof(page_block) - 1);
	fb_conf_help(&b);
	CHECK(!b.overflowed);
	page_block[b.len] = '\0';
	for (size_t i = 0; i < fb_conf_count(); i++) {
		char flag[64] = "\n  --";
		size_t len = strlen(flag);

		for (const char *n = fb_conf_name(i); *n != '\0'; n++)
			flag[len++] = *n == '_' ? '-' : *n;
		flag[len] = ' ';
		CHECK(strstr(page_block, flag) != NULL);
	}
	rest = fb_buf_view(&b);
	while (fb_str_split(&line, &rest, rest, '\n')) {
		CHECK(line.len <= 100);
		CHECK(line.len == 0 || line.at[line.len - 1] != ' ');
		groups += line.len > 0 && line.at[0] != ' ';
	}
	CHECK(groups >= 8); /* two lines of introduction among them */
	CHECK(strstr(page_block, "(50..60000, default 5000;") != NULL);
}

int main(void)
{
#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		IN_ROOT(open__nothing_set__gives_the_defaults),
		IN_ROOT(open__same_setting_everywhere__the_strongest_source_wins),
		IN_ROOT(open__every_kind__reads_its_forms),
		IN_ROOT(open__table__every_fault_is_refused_with_its_sentence),
		IN_ROOT(open__config_variable__names_the_file_unless_a_flag_does),
		IN_ROOT(open__limits__are_exact),
		IN_ROOT(open__all_texts_at_their_longest__fit),
		IN_ROOT(open__secret_in_its_own_variable__only_the_reference_is_kept),
		IN_ROOT(print__endpoints__show_scheme_and_host_only),
		IN_ROOT(print__table__name_value_and_origin_in_columns),
		IN_ROOT(print__json__is_an_array_of_typed_rows),
		cmocka_unit_test(help__page__names_every_setting_within_the_width),
	};
	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
