/*
 * sweep_html.c - see sweep_html.h.
 *
 * The flag along which charts go is --rate if it was swept, else the first that was
 * and has numbers only.  Without one there are tables alone.  Where there are several
 * seeds a thin upright line through a point is its 95 % interval.
 */
#include "sweep_html.h"

#include "core/trace/chart.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 12 /* in a chart; more cannot be told apart */

static const struct figure {
	const char *title, *unit;
	const char *column; /* of the CSV */
	double scale;
	bool may_log;
} figures[] = {
	{"Throughput", "requests/s", "throughput.requests_per_s", 1, false},
	{"Output", "tokens/s", "throughput.output_tokens_per_s", 1, false},
	{"TTFT", "s, mean", "ttft_s.mean", 1, true},
	{"TTFT", "s, p99", "ttft_s.p99", 1, true},
	{"TPOT", "ms, mean", "tpot_s.mean", 1000, false},
	{"E2E latency", "s, mean", "e2e_s.mean", 1, true},
	{"Batch", "sequences, mean", "steps.sequences_mean", 1, false},
	{"Token states", "% of the pool", "memory.token_states", 100, false},
};
enum { FIGURES = sizeof(figures) / sizeof(*figures) };

struct page {
	FILE *out;
	const struct quire_sweep_summary *s;
	const struct quire_grid *grid;
	uint32_t along;	    /* axis; axes_count: none */
	uint32_t points;    /* values of it */
	uint32_t *order;    /* [points] values by size */
	uint32_t *line_of;  /* [groups] which line it is a point of */
	uint32_t *first_of; /* [lines] a group of it */
	uint32_t lines, lines_shown;
};

static void write_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if ((unsigned char)*text >= ' ')
			fputc(*text, out);
	}
}

static const char *value_text(const struct page *p, uint32_t axis, uint32_t group)
{
	uint32_t index = p->s->groups[group].first;

	return p->grid->axes[axis].values[quire_grid_pick(p->grid, axis, index)].text;
}

static bool swept(const struct page *p, uint32_t axis)
{
	return axis != p->grid->seed && p->grid->axes[axis].count > 1;
}

static bool all_numbers(const struct quire_grid_axis *axis)
{
	for (uint32_t i = 0; i < axis->count; i++)
		if (isnan(quire_sweep_csv_number(axis->values[i].text)))
			return false;
	return !axis->bare;
}

static void find_along(struct page *p)
{
	p->along = p->grid->axes_count;
	for (uint32_t a = p->grid->axes_count; a-- > 0;)
		if (swept(p, a) && all_numbers(&p->grid->axes[a]))
			p->along = a;
	for (uint32_t a = 0; a < p->grid->axes_count; a++)
		if (swept(p, a) && !strcmp(p->grid->axes[a].flag, "rate"))
			p->along = a;
	p->points = p->along < p->grid->axes_count ? p->grid->axes[p->along].count : 0;
}

/* Do two groups differ at most in the flag along which charts go? */
static bool same_line(const struct page *p, uint32_t a, uint32_t b)
{
	for (uint32_t axis = 0; axis < p->grid->axes_count; axis++)
		if (swept(p, axis) && axis != p->along &&
		    strcmp(value_text(p, axis, a), value_text(p, axis, b)) != 0)
			return false;
	return true;
}

static double point_x(const struct page *p, uint32_t i)
{
	return quire_sweep_csv_number(p->grid->axes[p->along].values[i].text);
}

static int make_lines(struct page *p)
{
	p->line_of = calloc(p->s->count + 1, sizeof(*p->line_of));
	p->first_of = calloc(p->s->count + 1, sizeof(*p->first_of));
	p->order = calloc(p->points + 1, sizeof(*p->order));
	if (!p->line_of || !p->first_of || !p->order)
		return quire_fail(-ENOMEM, "no memory for the charts");
	for (uint32_t i = 0; i < p->points; i++) { /* a few: by insertion */
		uint32_t at = i;

		for (; at > 0 && point_x(p, p->order[at - 1]) > point_x(p, i); at--)
			p->order[at] = p->order[at - 1];
		p->order[at] = i;
	}
	for (uint32_t g = 0; g < p->s->count; g++) {
		uint32_t line = 0;

		while (line < p->lines && line < LINES_MAX && !same_line(p, p->first_of[line], g))
			line++;
		if (line == p->lines && p->lines <= LINES_MAX)
			p->first_of[p->lines++] = g;
		p->line_of[g] = line; /* LINES_MAX: not shown */
	}
	p->lines_shown = p->lines < LINES_MAX ? p->lines : LINES_MAX;
	return 0;
}

static void line_name(const struct page *p, uint32_t line, char *name, size_t size)
{
	size_t n = 0;

	snprintf(name, size, "all runs");
	for (uint32_t a = 0; a < p->grid->axes_count; a++) {
		const char *flag = p->grid->axes[a].flag;
		bool plain = !strcmp(flag, "scheduler") || !strcmp(flag, "allocator") ||
			     !strcmp(flag, "model") || !strcmp(flag, "gpu");

		if (!swept(p, a) || a == p->along || n >= size)
			continue;
		n += (size_t)snprintf(name + n, size - n, "%s%s%s%s", n ? ", " : "",
				      plain ? "" : flag, plain ? "" : " ",
				      value_text(p, a, p->first_of[line]));
	}
}

static uint32_t find_column(const struct quire_sweep_csv *csv, const char *name)
{
	uint32_t c = 0;

	while (c < csv->columns_count - 1 && strcmp(csv->columns[c], name) != 0)
		c++;
	return c;
}

static struct quire_look look_of(uint32_t line)
{
	return (struct quire_look){.colour = quire_chart_colour(line),
				   .dash = line / 6,
				   .marker = 1 + line % (QUIRE_MARKERS - 1)};
}

/* A line, and for each of its points the interval. */
static int add_line(struct page *p, struct quire_figure *f, struct quire_chart *chart,
		    const struct figure *kind, uint32_t line)
{
	const uint32_t column = find_column(p->s->csv, kind->column);
	const uint32_t saturated = find_column(p->s->csv, "saturated");
	double *x = quire_figure_alloc(f, 4 * (size_t)p->points, sizeof(*x));
	bool *hollow = quire_figure_alloc(f, p->points, sizeof(*hollow));
	struct quire_curve *curve = &chart->curves[chart->curves_count++];

	if (!x || !hollow)
		return quire_fail(-ENOMEM, "no memory for the charts");
	*curve = (struct quire_curve){.look = look_of(line),
				      .x = x,
				      .y = x + p->points,
				      .count = p->points,
				      .dots = true,
				      .hollow = hollow};
	line_name(p, line, curve->name, sizeof(curve->name));
	for (uint32_t i = 0; i < p->points; i++) {
		x[i] = point_x(p, p->order[i]);
		x[p->points + i] = NAN;
	}
	for (uint32_t g = 0; g < p->s->count; g++) {
		const struct quire_mean *m = &p->s->groups[g].mean[column];
		uint32_t value = p->line_of[g] == line
					 ? quire_grid_pick(p->grid, p->along, p->s->groups[g].first)
					 : p->points;
		double *bar;

		for (uint32_t i = 0; i < p->points && value < p->points; i++) {
			if (p->order[i] != value)
				continue;
			x[p->points + i] = m->mean * kind->scale;
			hollow[i] = p->s->groups[g].mean[saturated].mean > 0;
			if (isnan(quire_mean_half(m)))
				continue;
			bar = quire_figure_alloc(f, 4, sizeof(*bar));
			if (!bar)
				return quire_fail(-ENOMEM, "no memory for the charts");
			bar[0] = bar[1] = x[i];
			bar[2] = fmax(0, m->mean - quire_mean_half(m)) * kind->scale;
			bar[3] = (m->mean + quire_mean_half(m)) * kind->scale;
			chart->curves[chart->curves_count++] = (struct quire_curve){
				.look = {.colour = look_of(line).colour, .width = 0.8},
				.x = bar,
				.y = bar + 2,
				.count = 2};
		}
	}
	return 0;
}

/* A logarithmic axis, if the means span more than a factor of 20.  It has no 0, so
 * intervals that reach further down are cut at the smallest mean. */
static void scale_axis(struct quire_chart *chart)
{
	double low = INFINITY, high = 0;

	for (uint32_t c = 0; c < chart->curves_count; c++) {
		for (uint32_t i = 0; i < chart->curves[c].count && chart->curves[c].dots; i++) {
			double y = chart->curves[c].y[i];

			if (y > 0 && y < low)
				low = y;
			if (y > high)
				high = y;
		}
	}
	if (!(high > 20 * low))
		return;
	chart->y.scale = QUIRE_LOG10;
	for (uint32_t c = 0; c < chart->curves_count; c++) {
		double *y = (double *)chart->curves[c].y; /* ours */

		if (!chart->curves[c].dots && y[0] < low)
			y[0] = low;
	}
}

static int make_figure(struct page *p, struct quire_figure *f)
{
	int rc = 0;

	*f = (struct quire_figure){
		.columns = 2, .charts_count = FIGURES, .width = 720, .chart_height = 190};
	f->charts = quire_figure_alloc(f, FIGURES, sizeof(*f->charts));
	f->legend = quire_figure_alloc(f, LINES_MAX, sizeof(*f->legend));
	if (!f->charts || !f->legend)
		return quire_fail(-ENOMEM, "no memory for the charts");
	f->legend_count = p->lines_shown > 1 ? p->lines_shown : 0;
	for (uint32_t line = 0; line < f->legend_count; line++) {
		f->legend[line].look = look_of(line);
		line_name(p, line, f->legend[line].text, sizeof(f->legend[line].text));
	}
	for (uint32_t i = 0; i < FIGURES && rc == 0; i++) {
		struct quire_chart *chart = &f->charts[i];

		quire_chart_init(chart, figures[i].title, figures[i].unit);
		snprintf(chart->x.label, sizeof(chart->x.label), "%s%s",
			 p->grid->axes[p->along].flag,
			 !strcmp(p->grid->axes[p->along].flag, "rate") ? " (requests/s)" : "");
		chart->curves = quire_figure_alloc(f, (size_t)p->lines_shown * (p->points + 1),
						   sizeof(*chart->curves));
		if (!chart->curves)
			return quire_fail(-ENOMEM, "no memory for the charts");
		for (uint32_t line = 0; line < p->lines_shown && rc == 0; line++)
			rc = add_line(p, f, chart, &figures[i], line);
		if (figures[i].may_log)
			scale_axis(chart);
		quire_chart_fit(chart);
	}
	return rc;
}

static int write_charts(struct page *p)
{
	struct quire_figure f;
	int rc;

	if (!p->points)
		return 0;
	rc = make_figure(p, &f);
	if (rc == 0) {
		fputs("<figure>\n", p->out);
		rc = quire_figure_write(&f, p->out, QUIRE_SVG, false);
		fputs("<figcaption>Hollow points are saturated: the queue grew without end, and "
		      "latency depends on how long one looked. Upright lines are 95 % intervals "
		      "of the mean over seeds.",
		      p->out);
		if (p->lines > LINES_MAX)
			fprintf(p->out, " The first %d combinations are shown.", LINES_MAX);
		fputs("</figcaption>\n</figure>\n", p->out);
	}
	quire_figure_free(&f);
	return rc;
}

static const char style_text[] =
	"body{font:15px/1.5 'DejaVu Sans',Verdana,Arial,sans-serif;color:#20242b;max-width:900px;"
	"margin:2em auto;padding:0 1em}h1{font-size:1.4em;margin:0 0 .3em}"
	"figure{margin:1em 0}svg{width:100%;height:auto;display:block}"
	"figcaption{color:#555b64;font-size:.87em}pre{font-size:.78em;overflow-x:auto}"
	"code{font-size:.87em;overflow-wrap:anywhere}@page{margin:16mm 14mm}"
	"@media print{body{max-width:none;margin:0}pre{white-space:pre-wrap;font-size:6.5pt}}";

/* The table for the terminal, as wide as the page. */
static int write_table(struct page *p)
{
	const struct quire_table_style wide = {.columns = 125, .utf8 = true};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int rc;

	if (!out)
		return quire_fail(-ENOMEM, "no memory for the report");
	rc = quire_sweep_table(out, p->s, &wide);
	if (fclose(out) != 0 && rc == 0)
		rc = quire_fail(-ENOMEM, "no memory for the report");
	if (rc == 0) {
		char *body = strchr(text, '\n'); /* the first line is above the charts */

		fputs("<pre>", p->out);
		for (char *line = body ? body : text; *line;) {
			size_t n = strcspn(line, "\n");
			char end = line[n];

			line[n] = '\0';
			write_text(p->out, line);
			fputc('\n', p->out);
			line += n + (end != '\0');
		}
		fputs("</pre>\n", p->out);
	}
	free(text);
	return rc;
}

int quire_sweep_html(FILE *out, const struct quire_sweep_summary *s)
{
	struct page p = {.out = out, .s = s, .grid = s->csv->grid};
	char *common = quire_grid_common(p.grid);
	int rc = common ? 0 : quire_fail(-ENOMEM, "no memory for the report");

	find_along(&p);
	if (rc == 0)
		rc = make_lines(&p);
	if (rc == 0) {
		fprintf(out,
			"<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" "
			"lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>quire "
			"sweep</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>%u combinations, "
			"%u runs</h1>\n<p>all with <code>",
			style_text, s->count, s->csv->count);
		write_text(out, common);
		fputs("</code></p>\n", out);
		rc = write_charts(&p);
	}
	if (rc == 0)
		rc = write_table(&p);
	fputs("</body>\n</html>\n", out);
	free(p.line_of);
	free(p.first_of);
	free(p.order);
	free(common);
	if (rc == 0 && (fflush(out) || ferror(out)))
		rc = quire_fail(-EIO, "cannot write the report: %s", strerror(errno));
	return rc;
}
