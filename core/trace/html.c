/*
 * html.c - see html.h.
 */
#include "html.h"

#include "chart_canvas.h"
#include "html_page.h"
#include "html_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a function prints for the terminal: lines as paragraphs, the first as a
 * heading if @first says so. */
static int print_lines(FILE *out, const struct quire_rows *rows,
		       void (*print)(const struct quire_rows *rows), const char *first,
		       const char *other)
{
	struct quire_rows copy = *rows;
	char *text = NULL, *next;
	size_t size = 0;

	copy.out = open_memstream(&text, &size);
	if (!copy.out)
		return quire_fail(-ENOMEM, "no memory for the report");
	print(&copy);
	if (fclose(copy.out) != 0) {
		free(text);
		return quire_fail(-ENOMEM, "no memory for the report");
	}
	for (char *line = text; *line; line = next) {
		size_t n = strcspn(line, "\n");
		const char *element = line == text ? first : other;

		next = line + n + (line[n] == '\n');
		line[n] = '\0';
		fprintf(out, "<%s>", element);
		quire_text_xml(out, line);
		fprintf(out, "</%.*s>\n", (int)strcspn(element, " "), element);
	}
	free(text);
	return 0;
}

static int print_figure(FILE *out, enum quire_run_figure which, const struct quire_chart_view *view)
{
	struct quire_figure f;
	int rc = quire_run_figure(&f, which, view);

	if (rc > 0)
		rc = quire_html_figure(out, &f);
	quire_figure_free(&f);
	return rc;
}

int quire_report_html(FILE *out, const struct quire_html *page)
{
	struct quire_chart_view *view = quire_chart_view_new(&page->runs);
	const struct quire_rows *rows;
	int rc;

	if (!view)
		return -ENOMEM;
	errno = 0;
	rows = &view->rows;
	quire_html_begin(out, rows->count ? rows->rows[0].first->config.workload : "");
	rc = print_lines(out, rows, quire_rows_headline, "h1", "p");
	if (rc == 0) /* of many runs the picture comes first */
		rc = print_figure(out, QUIRE_FIGURE_RATES, view);
	if (page->runs.count == 1)
		quire_html_single(out, page->runs.reports);
	else
		quire_html_tables(out, rows);
	if (rc == 0)
		rc = print_lines(out, rows, quire_rows_notes, "p class=\"note\"",
				 "p class=\"note\"");
	for (uint32_t i = QUIRE_FIGURE_RATES + 1; rc == 0 && i < QUIRE_RUN_FIGURE_COUNT; i++)
		rc = print_figure(out, i, view);
	quire_html_settings(out, rows, page->command);
	quire_html_end(out);
	quire_chart_view_free(view);
	if (rc == 0 && (fflush(out) != 0 || ferror(out)))
		rc = quire_fail(-EIO, "cannot write the report: %s", strerror(errno));
	return rc;
}
