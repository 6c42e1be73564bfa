/* The sheet: a row of cells, printed at once as JSON or CSV, or kept until the widths of a table are known. */
#include "report_int.h"

#include "farebox/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_ROW_MAX = 8192, GAP = 2 /* blanks between two columns */ };

void sheet_open(struct sheet *s, FILE *out, enum fb_report_form form, const struct column *columns, size_t count)
{
	FB_ASSERT(count > 0 && count <= SHEET_COLUMNS_MAX);
	*s = (struct sheet){ .out = out, .form = form, .columns = columns, .column_count = count };
	if (form == FB_REPORT_TABLE)
		s->table = fb_must_alloc(count * SHEET_ROWS_MAX, SHEET_CELL_MAX);
	if (form == FB_REPORT_CSV)
		for (size_t i = 0; i < count; i++)
			fprintf(out, "%s%s", columns[i].name, i + 1 == count ? "\r\n" : ",");
}

struct fb_buf *sheet_cell(struct sheet *s)
{
	FB_ASSERT(s->column < s->column_count);
	memset(s->cell[s->column], 0, SHEET_CELL_MAX);
	fb_buf_init(&s->writing, s->cell[s->column++], SHEET_CELL_MAX - 1);
	return &s->writing;
}

/* ---- programs' forms ------------------------------------------------------------------------------------------- */

static void print_json(struct sheet *s)
{
	char block[JSON_ROW_MAX];
	struct fb_buf b;
	struct fb_jw w;

	fb_buf_init(&b, block, sizeof(block));
	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	for (size_t i = 0; i < s->column_count; i++) {
		struct fb_str text = fb_str_of(s->cell[i]);

		if (text.len == 0)
			continue;
		if (s->columns[i].kind == COLUMN_NUMBER)
			fb_jw_kv_raw(&w, s->columns[i].name, text);
		else
			fb_jw_kv_str(&w, s->columns[i].name, text);
	}
	fb_jw_end(&w);
	FB_ASSERT(!b.overflowed);
	if (s->form == FB_REPORT_JSON)
		fputs(s->rows == 0 ? "[\n" : ",\n", s->out);
	fwrite(b.at, 1, b.len, s->out);
	if (s->form == FB_REPORT_JSONL)
		fputc('\n', s->out);
}

/* No value of ours holds a comma, a quote or a line's end. */
static void print_csv(const struct sheet *s)
{
	for (size_t i = 0; i < s->column_count; i++)
		fprintf(s->out, "%s%s", s->cell[i], i + 1 == s->column_count ? "\r\n" : ",");
}

void sheet_row_end(struct sheet *s)
{
	FB_ASSERT(s->column == s->column_count);
	switch (s->form) {
	case FB_REPORT_TABLE:
		FB_ASSERT(s->rows < SHEET_ROWS_MAX);
		memcpy(s->table[s->rows * s->column_count], s->cell, s->column_count * SHEET_CELL_MAX);
		break;
	case FB_REPORT_JSON:
	case FB_REPORT_JSONL:
		print_json(s);
		break;
	case FB_REPORT_CSV:
		print_csv(s);
		break;
	}
	s->rows++;
	s->column = 0;
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

/* 0: nobody has a value there, or it is not for a table. */
static size_t width_of(const struct sheet *s, size_t column)
{
	size_t name = strlen(s->columns[column].name), width = 0;

	for (size_t row = 0; row < s->rows; row++) {
		size_t len = strlen(s->table[row * s->column_count + column]);

		width = len > width ? len : width;
	}
	if (s->columns[column].not_in_table || width == 0)
		return 0;
	return width > name ? width : name;
}

static void print_line(const struct sheet *s, const size_t *widths, size_t row,
		       const char *(*text)(const struct sheet *s, size_t row, size_t column))
{
	size_t blanks = 0;

	for (size_t i = 0; i < s->column_count; i++) {
		const char *t = text(s, row, i);
		size_t len = strlen(t), pad;

		if (widths[i] == 0)
			continue;
		pad = widths[i] - len;
		if (s->columns[i].kind == COLUMN_TEXT) {
			fprintf(s->out, "%*s%s", (int)blanks, "", t);
			blanks = pad + GAP;
		} else {
			fprintf(s->out, "%*s%s", (int)(blanks + pad), "", t);
			blanks = GAP;
		}
	}
	fputc('\n', s->out);
}

static const char *name_at(const struct sheet *s, size_t row, size_t column)
{
	(void)row;
	return s->columns[column].name;
}

static const char *cell_at(const struct sheet *s, size_t row, size_t column)
{
	return s->table[row * s->column_count + column];
}

static void print_table(const struct sheet *s)
{
	size_t widths[SHEET_COLUMNS_MAX];

	for (size_t i = 0; i < s->column_count; i++)
		widths[i] = width_of(s, i);
	print_line(s, widths, 0, name_at);
	for (size_t row = 0; row < s->rows; row++)
		print_line(s, widths, row, cell_at);
}

enum fb_status sheet_close(struct sheet *s, struct fb_error *e)
{
	FB_ASSERT(s->column == 0);
	if (s->form == FB_REPORT_TABLE && s->rows > 0)
		print_table(s);
	if (s->form == FB_REPORT_JSON)
		fputs(s->rows == 0 ? "[]\n" : "\n]\n", s->out);
	free(s->table);
	if (fflush(s->out) == 0 && !ferror(s->out))
		return FB_OK;
	return fb_error_set(e, FB_IO, "the report cannot be written: %s", strerror(errno));
}
