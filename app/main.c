/* The command line: one row a command. The tour starts in serve.c, which opens every library in the order
 * of its layer; ARCHITECTURE.md has the picture. */
#include "app.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct fb_command commands[] = {
	{ "serve", "serve [--SETTING VALUE]...", "run the facilitator", fb_command_serve },
	{ "pay", "pay URL --key SOURCE [--yes] [--max AMOUNT]", "buy one call from an x402 server", fb_command_pay },
	{ "key", "key new|import|address ...", "make, encrypt and show keys", fb_command_key },
	{ "ledger", "ledger ACTION [--data DIR] ...", "look into the books, check and copy them", fb_command_ledger },
	{ "escrow", "escrow deploy|status [--SETTING VALUE]...", "create and show the contract that holds deposits",
	  fb_command_escrow },
	{ "indexer", "indexer status|rescan|release [--SETTING VALUE]...",
	  "how far the escrow is indexed, read it again, go on after a halt", fb_command_indexer },
	{ "admin-key", "admin-key new [--owner OWNER_ID] [--SETTING VALUE]...", "make an admin's API key",
	  fb_command_admin_key },
	{ "config", "config check|print [--json] [--SETTING VALUE]...",
	  "check and show the settings and where each came from", fb_command_config },
	{ "version", "version [--json]", "show the version", fb_command_version },
};

bool fb_app_wants_help(int count, const char *const *args)
{
	for (int i = 0; i < count; i++)
		if (strcmp(args[i], "--help") == 0 || strcmp(args[i], "-h") == 0)
			return true;
	return false;
}

int fb_app_fail(enum fb_status st, const char *sentence)
{
	fprintf(stderr, "farebox: %s\n", sentence);
	if (st == FB_UNREACHABLE || st == FB_TIMEOUT || st == FB_RPC_ERROR)
		return FB_EXIT_UNAVAILABLE;
	return st == FB_IO || st == FB_STORAGE || st == FB_BUSY ? FB_EXIT_IO : FB_EXIT_CONFIG;
}

int fb_app_usage(const char *sentence)
{
	fprintf(stderr, "farebox: %s\n", sentence);
	return FB_EXIT_USAGE;
}

int fb_command_version(int count, const char *const *args)
{
	bool json = count == 1 && strcmp(args[0], "--json") == 0;

	if (fb_app_wants_help(count, args)) {
		puts("usage: farebox version [--json]");
		return FB_EXIT_OK;
	}
	if (count > 0 && !json)
		return fb_app_usage("version takes --json only");
	printf(json ? "{\"name\":\"farebox\",\"version\":\"%s\"}\n" : "farebox %s\n", FB_VERSION);
	return FB_EXIT_OK;
}

static void print_usage(FILE *to)
{
	fputs("farebox: payments in USDC for software agents (x402 facilitator)\n\nusage:\n", to);
	for (size_t i = 0; i < FB_COUNT(commands); i++)
		fprintf(to, "  farebox %-48s %s\n", commands[i].usage, commands[i].summary);
	fputs("\nfarebox COMMAND --help says more about one of them.\n", to);
}

/* Started without standard streams, the next files opened would take their numbers, and what is printed or logged
 * would be written into them: into the records, say. */
static bool fill_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd >= 0 && close(fd) == 0;
}

/* What was bought, or a key's address, must not get lost on a full disk behind an exit code of 0. */
static int flush_output(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "farebox: standard output cannot be written: %s\n", strerror(errno));
	return code == FB_EXIT_OK ? FB_EXIT_IO : code;
}

static int run(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return FB_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		print_usage(stdout);
		return FB_EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0)
		return fb_command_version(0, NULL);
	for (size_t i = 0; i < FB_COUNT(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 2, (const char *const *)argv + 2);
	fprintf(stderr, "farebox: there is no command \"%s\"\n\n", argv[1]);
	print_usage(stderr);
	return FB_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (!fill_standard_streams())
		return FB_EXIT_IO;
	return flush_output(run(argc, argv));
}
