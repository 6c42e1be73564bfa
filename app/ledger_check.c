/* farebox ledger audit, verify, backup, restore, accept: what was found, as a sentence or as JSON. */
#include "ledger.h"

#include "farebox/audit.h"
#include "farebox/backup.h"
#include "farebox/json.h"
#include "farebox/os.h"

#include <unistd.h>

enum { TEXT_MAX = 1024 };

/* ---- while it runs --------------------------------------------------------------------------------------------- */

static void show_progress(void *arg, const struct fb_audit_progress *p)
{
	uint64_t percent = p->total == 0 ? 100 : p->done * 100 / p->total;
	uint64_t per_second = p->elapsed_ms == 0 ? 0 : p->done * 1000 / p->elapsed_ms;

	(void)arg;
	fprintf(stderr, "\r%3llu%%  %llu of %llu records, %llu/s \x1b[K", (unsigned long long)percent,
		(unsigned long long)p->done, (unsigned long long)p->total, (unsigned long long)per_second);
	fflush(stderr);
}

static struct fb_audit_settings settings(void)
{
	struct fb_audit_settings s = { .clock = fb_os_clock(), .rng = fb_os_rng() };

	if (isatty(STDERR_FILENO))
		s.progress = show_progress;
	return s;
}

static void clear_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\x1b[K", stderr);
}

/* ---- what came out --------------------------------------------------------------------------------------------- */
struct outcome {
	const struct fb_ledger_options *options;
	const char *good; /* a sentence before the numbers */
	bool quick;       /* the numbers of verify alone */
	struct fb_audit_summary sum;
	struct fb_audit_finding finding;
};

static void write_summary(struct fb_jw *w, const struct outcome *o)
{
	char block[FB_HASH_TEXT_LEN];
	struct fb_buf hash;

	fb_buf_init(&hash, block, sizeof(block));
	fb_buf_hash(&hash, &o->sum.head);
	fb_jw_kv_u64(w, "batches", o->sum.batches);
	fb_jw_kv_u64(w, "records", o->sum.records);
	if (!o->quick) {
		fb_jw_kv_u64(w, "accounts", o->sum.accounts);
		fb_jw_kv_u64(w, "open_holds", o->sum.holds);
		fb_jw_kv_u64(w, "ids", o->sum.ids);
		fb_jw_kv_u64(w, "derived_rows", o->sum.derived);
	}
	fb_jw_kv_u64(w, "anchor_batch", o->sum.anchor);
	fb_jw_kv_str(w, "head", fb_buf_view(&hash));
	fb_jw_kv_u64(w, "elapsed_ms", o->sum.elapsed_ms);
}

static void write_finding(struct fb_jw *w, const struct outcome *o, struct fb_str sentence)
{
	const struct fb_audit_finding *f = &o->finding;

	fb_jw_kv_text(w, "check", fb_audit_check_info(f->check)->name);
	if (f->in_journal)
		fb_jw_kv_u64(w, "batch", f->batch);
	if (f->seq != 0)
		fb_jw_kv_u64(w, "seq", f->seq);
	if (f->account != 0)
		fb_jw_kv_u64(w, "account", f->account);
	fb_jw_kv_text(w, "what", f->what);
	fb_jw_kv_text(w, "found", f->found);
	fb_jw_kv_text(w, "expected", f->expected);
	fb_jw_kv_str(w, "sentence", sentence);
}

static void print_json(const struct outcome *o, bool ok, struct fb_str sentence)
{
	char block[4 * TEXT_MAX];
	struct fb_buf b;
	struct fb_jw w;

	fb_buf_init(&b, block, sizeof(block));
	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	fb_jw_kv_bool(&w, "ok", ok);
	if (ok)
		write_summary(&w, o);
	else
		write_finding(&w, o, sentence);
	fb_jw_end(&w);
	printf("%.*s\n", FB_STR_ARG(fb_buf_view(&b)));
}

static void print_summary(const struct outcome *o)
{
	const struct fb_audit_summary *s = &o->sum;
	char block[FB_HASH_TEXT_LEN];
	struct fb_buf hash;

	fb_buf_init(&hash, block, sizeof(block));
	fb_buf_hash(&hash, &s->head);
	printf("%s\n  batches       %llu\n  records       %llu\n", o->good, (unsigned long long)s->batches,
	       (unsigned long long)s->records);
	if (!o->quick)
		printf("  accounts      %llu\n  open holds    %llu\n  ids           %llu\n  derived rows  %llu\n",
		       (unsigned long long)s->accounts, (unsigned long long)s->holds, (unsigned long long)s->ids,
		       (unsigned long long)s->derived);
	printf("  anchor batch  %llu\n  head          %.*s\n  took          %llu ms\n", (unsigned long long)s->anchor,
	       FB_STR_ARG(fb_buf_view(&hash)), (unsigned long long)s->elapsed_ms);
}

static int finish(const struct outcome *o, enum fb_status st, const struct fb_error *e)
{
	char block[TEXT_MAX];
	struct fb_buf sentence;

	clear_progress();
	fb_buf_init(&sentence, block, sizeof(block) - 1);
	if (st != FB_OK && st != FB_MISMATCH) {
		fb_app_fail(st, e->text);
		return st == FB_CONFLICT || st == FB_NOT_FOUND ? FB_EXIT_FAILED : FB_EXIT_IO;
	}
	if (st == FB_MISMATCH)
		fb_audit_describe(&sentence, &o->finding);
	if (o->options->json)
		print_json(o, st == FB_OK, fb_buf_view(&sentence));
	else if (st == FB_OK)
		print_summary(o);
	if (st == FB_OK)
		return FB_EXIT_OK;
	block[sentence.len] = '\0';
	fb_app_fail(st, block);
	return FB_EXIT_FAILED;
}

/* ---- actions --------------------------------------------------------------------------------------------------- */
typedef enum fb_status check(struct fb_audit_summary *, struct fb_audit_finding *, struct fb_store *,
			     const struct fb_audit_settings *, struct fb_error *);

static int run_check(const struct fb_ledger_options *options, check *run, bool quick)
{
	struct outcome o = { .options = options, .quick = quick,
			     .good = quick ? "The chain is whole." : "The journal and all that was derived from it agree." };
	const struct fb_audit_settings how = settings();
	struct fb_error e = { "" };
	struct fb_store *s = NULL;
	enum fb_status st = fb_store_open_reader(&s, options->directory, &e);

	if (st == FB_OK)
		st = run(&o.sum, &o.finding, s, &how, &e);
	fb_store_close(s);
	return finish(&o, st, &e);
}

int fb_ledger_audit(const struct fb_ledger_options *o)
{
	return run_check(o, fb_audit_run, false);
}

int fb_ledger_verify(const struct fb_ledger_options *o)
{
	return run_check(o, fb_audit_verify, true);
}

int fb_ledger_backup(const struct fb_ledger_options *options)
{
	struct outcome o = { .options = options, .quick = true, .good = "The backup is made, and its chain is whole." };
	const struct fb_audit_settings how = settings();
	struct fb_error e = { "" };
	enum fb_status st = fb_backup_make(&o.sum, &o.finding, options->directory, options->positional[0], &how, &e);

	return finish(&o, st, &e);
}

int fb_ledger_restore(const struct fb_ledger_options *options)
{
	struct outcome o = { .options = options, .good = "The backup is restored, and passes the audit." };
	const struct fb_audit_settings how = settings();
	struct fb_error e = { "" };
	enum fb_status st = fb_backup_restore(&o.sum, &o.finding, options->positional[0], options->positional[1], &how, &e);

	return finish(&o, st, &e);
}

int fb_ledger_accept(const struct fb_ledger_options *options)
{
	struct fb_error e = { "" };
	struct fb_store *s = NULL;
	uint64_t number;
	enum fb_status st;

	if (fb_u64_parse(&number, fb_str_of(options->positional[0])) != FB_OK)
		return fb_app_usage("want: farebox ledger accept BATCH, the number of the journal's last batch");
	st = fb_store_open(&s, options->directory, &e);
	if (st == FB_OK)
		st = fb_writer_accept(s, number, &e);
	fb_store_close(s);
	if (st == FB_OK) {
		printf("The journal is accepted as it is, up to batch %llu.\n", (unsigned long long)number);
		return FB_EXIT_OK;
	}
	fb_app_fail(st, e.text);
	return st == FB_STORAGE || st == FB_BUSY ? FB_EXIT_IO : FB_EXIT_FAILED;
}
