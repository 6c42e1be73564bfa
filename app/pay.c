/* farebox pay: buy one call. Steps are told on standard error, the bought answer goes to standard output. */
#include "app.h"
#include "purchase.h"

#include "farebox/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int print_help(void)
{
	puts("usage: farebox pay URL [--key SOURCE] [--yes] [--max AMOUNT] [--x402-version 1|2]\n"
	     "                   [--method METHOD] [--data BODY] [--network-file PATH] [--json]\n\n"
	     "Asks for URL. If it answers 402 with an x402 quote, shows the quote, asks, signs a payment\n"
	     "(EIP-3009, USDC) and asks again with it. The bought answer goes to standard output, what\n"
	     "happens on the way to standard error. If the outcome is not known yet, the same payment is sent\n"
	     "again, never a second one.\n\n"
	     "--key SOURCE       the buyer's key: $NAME, a key file or a keystore; default $EVM_PRIVATE_KEY\n"
	     "--yes              do not ask\n"
	     "--max AMOUNT       the most to pay, in whole tokens; default 1\n"
	     "--x402-version N   take quotes of this version only; default: 2 if offered, else 1\n"
	     "--method, --data   another request than GET\n"
	     "--network-file     a network beside the built-in ones\n"
	     "--json             print one JSON object with quote, receipt, status and body instead\n\n"
	     "exit code: 0 bought (or free), 1 refused or failed, 64 wrong usage, 69 server not reachable or outcome\n"
	     "not known, 78 key or file");
	return FB_EXIT_OK;
}

static bool take_value(const char **out, int *i, int count, const char *const *args, const char *flag)
{
	if (strcmp(args[*i], flag) != 0 || *i + 1 >= count)
		return false;
	*out = args[++*i];
	return true;
}

/* In capitals, as all methods are that one can pay for. */
static bool is_method(const char *s)
{
	size_t len = 0;

	while (s[len] >= 'A' && s[len] <= 'Z')
		len++;
	return len > 0 && s[len] == '\0';
}

static bool parse(struct fb_pay_options *o, int count, const char *const *args)
{
	const char *version = "";

	*o = (struct fb_pay_options){ .key = "$EVM_PRIVATE_KEY", .max = "1" };
	for (int i = 0; i < count; i++) {
		if (take_value(&o->key, &i, count, args, "--key") || take_value(&o->max, &i, count, args, "--max") ||
		    take_value(&o->method, &i, count, args, "--method") ||
		    take_value(&o->data, &i, count, args, "--data") ||
		    take_value(&o->network_file, &i, count, args, "--network-file") ||
		    take_value(&version, &i, count, args, "--x402-version"))
			continue;
		if (strcmp(args[i], "--yes") == 0)
			o->yes = true;
		else if (strcmp(args[i], "--json") == 0)
			o->json = true;
		else if (o->url == NULL && strncmp(args[i], "--", 2) != 0)
			o->url = args[i];
		else
			return false;
	}
	o->version = version[0] == '1' ? 1 : version[0] == '2' ? 2 : 0;
	return o->url != NULL && (version[0] == '\0' || (o->version != 0 && version[1] == '\0'));
}

int fb_command_pay(int count, const char *const *args)
{
	struct fb_pay_options o;
	struct fb_buying *b;
	int code;

	if (fb_app_wants_help(count, args))
		return print_help();
	if (!parse(&o, count, args))
		return fb_app_usage(
			"want: farebox pay URL [--key SOURCE] [--yes] [--max AMOUNT]; see farebox pay --help");
	if (o.method == NULL)
		o.method = o.data == NULL ? "GET" : "POST";
	if (!is_method(o.method))
		return fb_app_usage("--method: want a method like GET or POST");
	b = fb_must_alloc(1, sizeof(*b));
	b->options = o;
	code = fb_buy(b);
	fb_key_wipe(&b->key);
	free(b->memory);
	free(b);
	return code;
}
