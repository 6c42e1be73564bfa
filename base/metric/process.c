/* What the kernel knows about this process: when it began and how much memory it holds. */
#include "metric_int.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	PROC_FILE_MAX = 65536, /* /proc/stat lists every interrupt before its btime line */
	STAT_START_FIELD = 19, /* starttime, counted from the field behind the command's closing parenthesis */
};

/* The file's text; empty if there is none. */
static struct fb_str slurp(char *block, size_t cap, const char *path)
{
	FILE *f = fopen(path, "re");
	size_t len;

	if (f == NULL)
		return FB_STR("");
	len = fread(block, 1, cap, f);
	fclose(f);
	return (struct fb_str){ block, len };
}

/* The index-th word of s as a number; 0 if it is none. */
static uint64_t word_number(struct fb_str s, size_t index)
{
	struct fb_str word = s, rest = s;
	uint64_t v = 0;

	for (size_t i = 0; i <= index; i++) {
		s = fb_str_trim(rest);
		if (!fb_str_split(&word, &rest, s, ' ')) {
			word = s;
			rest = FB_STR("");
		}
	}
	return fb_u64_parse(&v, word) == FB_OK ? v : 0;
}

static uint64_t boot_time_s(void)
{
	char block[PROC_FILE_MAX];
	struct fb_str rest = slurp(block, sizeof(block), "/proc/stat"), line;

	while (fb_str_split(&line, &rest, rest, '\n'))
		if (fb_str_starts(line, FB_STR("btime ")))
			return word_number(line, 1);
	return 0;
}

uint64_t fb_metric_process_start_s(void)
{
	char block[1024];
	struct fb_str stat = slurp(block, sizeof(block), "/proc/self/stat"), before;
	uint64_t boot_s = boot_time_s(), ticks;
	long per_second = sysconf(_SC_CLK_TCK);

	/* The command stands in parentheses and may itself hold blanks and parentheses: the last one counts. */
	while (fb_str_split(&before, &stat, stat, ')'))
		;
	ticks = word_number(stat, STAT_START_FIELD);
	return boot_s == 0 || per_second <= 0 ? 0 : boot_s + ticks / (uint64_t)per_second;
}

uint64_t fb_metric_resident_bytes(void)
{
	char block[256];
	struct fb_str statm = slurp(block, sizeof(block), "/proc/self/statm"), first = statm, rest;
	long page = sysconf(_SC_PAGESIZE);

	(void)fb_str_split(&first, &rest, statm, '\n');
	return page <= 0 ? 0 : word_number(first, 1) * (uint64_t)page;
}
