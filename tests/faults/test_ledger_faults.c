/* Goal: a damaged file never loses anything silently. Method: a data directory with tables, a log, a list of tables and
 * an anchor; copies of it, in each of which one file is changed once: a bit flipped, bytes zeroed, the end cut off, at
 * a random place. Opened in a process of its own, each must either refuse with a sentence, or have every submission
 * that was acknowledged. A full audit then says whether all of it can be read, or finds what is damaged.
 *
 * test_ledger_faults [MUTATIONS [SEED]]: 500 by default, 10000 with FB_TEST_FULL=1; the build under TSan runs 50. */
#include "ledger_course.h"

#include "farebox/audit.h"

#include <dirent.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	MUTATIONS = 500,
	FULL = 20,              /* times as many */
	LIVES = 6,              /* of the directory: what one leaves in the log is a table of the next */
	SUBMISSIONS = 60,       /* a life: two folds */
	FILES_MAX = 256,
	NAME_LEN_MAX = 64,
	ZEROS_MAX = 512,
	CHILD_MAX_S = 60,
};

/* X(name, what a mutated directory came to) */
#define OUTCOMES(X)                                                                  \
	X(WHOLE,   "opened with everything")                                          \
	X(FOUND,   "opened with everything acknowledged; reading it, or the audit, says what is damaged") \
	X(REFUSED, "refused with a sentence")                                         \
	X(LOST,    "LOST something")                                                  \
	X(DIED,    "DIED")
enum outcome {
#define X(name, text) name,
	OUTCOMES(X)
#undef X
	OUTCOME_END
};
static const char *const outcome_texts[] = {
#define X(name, text) text,
	OUTCOMES(X)
#undef X
};

/* X(name, of which files) */
#define KINDS(X)                   \
	X(LOG, "log")              \
	X(TABLE, "table")          \
	X(MANIFEST, "manifest")    \
	X(CURRENT, "CURRENT")      \
	X(ANCHOR, "anchor")        \
	X(OTHER, "other")
enum kind {
#define X(name, text) KIND_##name,
	KINDS(X)
#undef X
	KIND_END
};
static const char *const kind_texts[] = {
#define X(name, text) text,
	KINDS(X)
#undef X
};

struct file {
	char name[NAME_LEN_MAX]; /* within the data directory */
	enum kind kind;
	off_t size;
};
struct run {
	struct fb_test_dir root; /* has the directories `made` and `copy` */
	struct file files[FILES_MAX];
	size_t file_count;
	uint64_t random;
	unsigned counts[KIND_END][OUTCOME_END];
};

static uint64_t draw(struct run *r, uint64_t below)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random % below;
}

static void shell(const struct run *r, const char *what)
{
	char command[512];

	snprintf(command, sizeof(command), "cd '%s' && %s", r->root.path, what);
	MUST(system(command) == 0);
}

/* Runs in a process of its own: RocksDB's threads do not outlive a fork. Its exit status; -1: it was killed. */
static int in_child(int (*what)(const char *directory), const char *directory)
{
	int status;
	pid_t child = fork();

	MUST(child >= 0);
	if (child == 0) {
		alarm(CHILD_MAX_S);
		_exit(what(directory));
	}
	MUST(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- the directory ---------------------------------------------------------------------------------------------- */

static void on_done(void *arg, enum fb_status st, const struct fb_op_result *results, size_t count)
{
	(void)results, (void)count;
	MUST(st == FB_OK);
	sem_post(arg);
}

/* The last life ends without a close, so that there is a log. */
static int live(const char *directory)
{
	struct fb_store *store;
	struct fb_writer *writer;
	struct fb_error e;
	uint64_t first;
	sem_t came;

	MUST(sem_init(&came, 0, 0) == 0);
	MUST(course_open(&store, &writer, directory, &e) == FB_OK);
	MUST(course_check(&first, store, writer) == FB_OK);
	for (uint64_t n = 0; n < SUBMISSIONS; n++) {
		course_submit(writer, first + n, on_done, &came);
		MUST(sem_wait(&came) == 0);
	}
	if (first + SUBMISSIONS < LIVES * SUBMISSIONS)
		course_close(store, writer);
	return 0;
}

static enum kind kind_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (dot != NULL && strcmp(dot, ".log") == 0)
		return KIND_LOG;
	if (dot != NULL && strcmp(dot, ".sst") == 0)
		return KIND_TABLE;
	if (strstr(name, "MANIFEST") != NULL)
		return KIND_MANIFEST;
	if (strstr(name, "CURRENT") != NULL)
		return KIND_CURRENT;
	return strcmp(name, "anchor") == 0 ? KIND_ANCHOR : KIND_OTHER;
}

static void add_file(struct run *r, const char *name)
{
	struct file *f = &r->files[r->file_count];
	char path[256];
	struct stat info;

	snprintf(path, sizeof(path), "%s/made/%s", r->root.path, name);
	MUST(stat(path, &info) == 0 && r->file_count < FILES_MAX);
	if (!S_ISREG(info.st_mode) || info.st_size == 0)
		return;
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->kind = kind_of(name);
	f->size = info.st_size;
	r->file_count++;
}

static void make_directory(struct run *r)
{
	char path[256], name[NAME_LEN_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/made", r->root.path);
	for (unsigned i = 0; i < LIVES; i++)
		MUST(in_child(live, path) == 0);
	add_file(r, "anchor");
	snprintf(path, sizeof(path), "%s/made/rows", r->root.path);
	dir = opendir(path);
	MUST(dir != NULL);
	while ((entry = readdir(dir)) != NULL) {
		MUST((size_t)snprintf(name, sizeof(name), "rows/%.50s", entry->d_name) < sizeof(name));
		if (entry->d_name[0] != '.')
			add_file(r, name);
	}
	closedir(dir);
}

/* ---- one mutation ----------------------------------------------------------------------------------------------- */

static void mutate(struct run *r, const struct file *f)
{
	static const char zeros[ZEROS_MAX];
	off_t at = (off_t)draw(r, (uint64_t)f->size);
	size_t len = 1 + (size_t)draw(r, ZEROS_MAX);
	char path[256], c;
	int fd;

	snprintf(path, sizeof(path), "%s/copy/%s", r->root.path, f->name);
	fd = open(path, O_RDWR);
	MUST(fd >= 0);
	switch (draw(r, 3)) {
	case 0:
		MUST(pread(fd, &c, 1, at) == 1);
		c = (char)(c ^ 1 << draw(r, 8));
		MUST(pwrite(fd, &c, 1, at) == 1);
		break;
	case 1:
		len = len > (size_t)(f->size - at) ? (size_t)(f->size - at) : len;
		MUST(pwrite(fd, zeros, len, at) == (ssize_t)len);
		break;
	default:
		MUST(ftruncate(fd, at) == 0);
	}
	close(fd);
}

static bool audit_is_clean(const char *directory)
{
	const struct fb_audit_settings settings = { .rng = fb_os_rng(), .clock = fb_os_clock() };
	struct fb_audit_summary sum;
	struct fb_audit_finding finding;
	struct fb_error e;
	struct fb_store *s;
	enum fb_status st;

	if (fb_store_open(&s, directory, &e) != FB_OK)
		return false;
	st = fb_audit_run(&sum, &finding, s, &settings, &e);
	fb_store_close(s);
	return st == FB_OK;
}

/* course_check ends the process with status 1 if something is not there: LOST. */
_Static_assert(LOST != 1, "told apart from what course_check says");
static int judge(const char *directory)
{
	struct fb_store *store;
	struct fb_writer *writer;
	struct fb_error e = { "" };
	uint64_t found;
	enum fb_status st;

	if (course_open(&store, &writer, directory, &e) != FB_OK)
		return strlen(e.text) > 20 ? 10 + REFUSED : 10 + LOST;
	st = course_check(&found, store, writer);
	course_close(store, writer);
	if (st != FB_OK)
		return 10 + FOUND;
	if (found < LIVES * SUBMISSIONS)
		return 10 + LOST;
	return 10 + (audit_is_clean(directory) ? WHOLE : FOUND);
}

static void run_mutation(struct run *r, const struct file *f)
{
	char path[256];
	enum outcome outcome;
	int status;

	shell(r, "rm -rf copy && cp -r made copy");
	mutate(r, f);
	snprintf(path, sizeof(path), "%s/copy", r->root.path);
	status = in_child(judge, path);
	outcome = status >= 10 ? (enum outcome)(status - 10) : status == 1 ? LOST : DIED;
	r->counts[f->kind][outcome]++;
	if (outcome == LOST || outcome == DIED)
		fprintf(stderr, "%s of %s: see %s\n", outcome_texts[outcome], f->name, path);
	MUST(outcome != LOST && outcome != DIED);
}

/* Half of all are tables, which hold most; every other kind of file comes as often as the others. */
static const struct file *draw_file(struct run *r)
{
	enum kind kind = draw(r, 2) == 0 ? KIND_TABLE : (enum kind)draw(r, KIND_END);
	const struct file *f;

	do
		f = &r->files[draw(r, r->file_count)];
	while (f->kind != kind);
	return f;
}

static void print(const struct run *r, unsigned long long mutations)
{
	printf("%llu mutations of %zu files\n", mutations, r->file_count);
	for (unsigned kind = 0; kind < KIND_END; kind++)
		for (unsigned outcome = 0; outcome < OUTCOME_END; outcome++)
			if (r->counts[kind][outcome] > 0)
				printf("%-9s %5u %s\n", kind_texts[kind], r->counts[kind][outcome], outcome_texts[outcome]);
}

static uint64_t number_from(const char *text)
{
	uint64_t v;

	MUST(fb_u64_parse(&v, fb_str_of(text)) == FB_OK);
	return v;
}

int main(int argc, char **argv)
{
	const char *full = getenv("FB_TEST_FULL");
	uint64_t mutations = full != NULL && strcmp(full, "1") == 0 ? FULL * MUTATIONS : MUTATIONS;
	static struct run r;

	if (argc > 1)
		mutations = number_from(argv[1]);
	r.random = 88172645463325252u ^ (argc > 2 ? number_from(argv[2]) : 1) << 32;
	MUST(fb_test_dir_make(&r.root));
	make_directory(&r);
	for (uint64_t i = 0; i < mutations; i++)
		run_mutation(&r, draw_file(&r));
	print(&r, (unsigned long long)mutations);
	MUST(mutations < 100 || (r.counts[KIND_LOG][REFUSED] > 0 && r.counts[KIND_TABLE][FOUND] > 0));
	MUST(fb_test_dir_remove(&r.root));
	return 0;
}
