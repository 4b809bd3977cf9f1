/*
 * html.c - see html.h.
 */
#include "html.h"

#include "chart_canvas.h"
#include "html_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
	"body{font:15px/1.5 'DejaVu Sans',Verdana,Arial,sans-serif;color:#20242b;"
	"max-width:900px;margin:2em auto;padding:0 1em}\n"
	"h1{font-size:1.4em;margin:0 0 .3em}h2{font-size:1.1em;margin:2em 0 .2em}\n"
	"p{margin:.3em 0}.faint,figcaption{color:#555b64;font-size:.87em}\n"
	".note{border-left:3px solid #d55e00;padding-left:.6em;font-size:.9em}\n"
	"figure{margin:0}svg{width:100%;height:auto;display:block}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.82em;margin:.6em 0;"
	"font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.15em .55em;text-align:right;white-space:nowrap}"
	"th{color:#555b64;font-weight:normal;vertical-align:bottom;"
	"border-bottom:1px solid #555b64}\n"
	"td.name,th.name{text-align:left;padding:.15em 1.2em .15em "
	"0}td.text{text-align:left;white-space:normal}"
	"tr.gap td{padding-top:.9em}\n"
	"td.best{font-weight:bold}.key{display:inline-block;width:.8em;height:.8em;"
	"border:1px solid #555b64;vertical-align:-.05em;margin-right:.35em;"
	"print-color-adjust:exact;-webkit-print-color-adjust:exact}\n"
	"code{font-size:.87em;overflow-wrap:anywhere}\n"
	"@page{margin:16mm 14mm}\n"
	"@media print{body{font-size:10pt;max-width:none;margin:0;padding:0}"
	"table{font-size:7.4pt}th,td{padding:.12em .4em}h2{break-after:avoid;margin-top:1.2em}"
	"section,tr{break-inside:avoid}section.long{break-inside:auto}.wide{overflow:visible}}\n";

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

	if (rc > 0) {
		fputs("<section>\n<h2>", out);
		quire_text_xml(out, f.title);
		if (*f.subtitle && f.charts_count > 1) {
			fputs(" <span class=\"faint\">", out);
			quire_text_xml(out, f.subtitle);
			fputs("</span>", out);
		}
		fputs("</h2>\n<figure>\n", out);
		rc = quire_figure_write(&f, out, QUIRE_SVG, false);
		fputs("<figcaption>", out);
		quire_text_xml(out, f.caption);
		fputs("</figcaption>\n</figure>\n</section>\n", out);
	}
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
	fputs("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
	      "<meta charset=\"utf-8\"/>\n<title>quire: ",
	      out);
	quire_text_xml(out, rows->count ? rows->rows[0].first->config.workload : "");
	fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", style);
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
	fputs("</body>\n</html>\n", out);
	quire_chart_view_free(view);
	if (rc == 0 && (fflush(out) != 0 || ferror(out)))
		rc = quire_fail(-EIO, "cannot write the report: %s", strerror(errno));
	return rc;
}
