/*
 * chart_pair_key.c - the key figures of two runs: how much more or less B has than A.
 */
#include "chart_pair_parts.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>

static int no_memory(void)
{
	return quire_fail(-ENOMEM, "no memory for a chart");
}

struct row {
	const char *label;
	size_t offset; /* of a double in struct quire_report */
	enum unit unit;
	bool gap;
};

#define FIGURE(field) offsetof(struct quire_report, field)
#define SPREAD(name, field)                                                                        \
	{name " mean", FIGURE(field.mean), TIME, true},                                            \
		{name " p50", FIGURE(field.p50), TIME, false},                                     \
		{name " p99", FIGURE(field.p99), TIME, false},

static const struct row latency_rows[] = {SPREAD("TTFT", ttft_s) SPREAD("TPOT", tpot_s)
						  SPREAD("ITL", itl_s) SPREAD("E2E", e2e_s)};
static const struct row other_rows[] = {
	{"output tokens/s", FIGURE(output_tokens_per_s), RATE, false},
	{"prompt tokens/s", FIGURE(prompt_tokens_per_s), RATE, false},
	{"requests/s", FIGURE(requests_per_s), RATE, false},
	{"goodput, per s", FIGURE(goodput_requests_per_s), RATE, false},
	{"whole run", FIGURE(time_s), TIME, true},
	{"queue mean", FIGURE(queue_s.mean), TIME, false},
	{"E2E/output mean", FIGURE(normalized_latency_s.mean), TIME, false},
	{"sequences", FIGURE(sequences_mean), RATE, true},
	{"tokens of a step", FIGURE(tokens_mean), RATE, false},
};
static const struct row memory_rows[] = {
	{"token states", FIGURE(token_states), RATE, false},
	{"reserved", FIGURE(reserved), RATE, false},
	{"internal", FIGURE(internal), RATE, false},
	{"external", FIGURE(external), RATE, false},
};
enum {
	LATENCY_ROWS = sizeof(latency_rows) / sizeof(*latency_rows),
	OTHER_ROWS = sizeof(other_rows) / sizeof(*other_rows),
	MEMORY_ROWS = sizeof(memory_rows) / sizeof(*memory_rows),
};

static double value_of(const struct quire_pair *p, uint32_t i, const struct row *row)
{
	return *(const double *)((const char *)&p->report[i] + row->offset);
}

static void show(char *to, size_t size, const struct row *row, double value)
{
	char text[QUIRE_SHOW_MAX] = "-";

	if (isfinite(value) && row->unit == TIME)
		quire_show_time(text, sizeof(text), value);
	else if (isfinite(value))
		quire_show_number(text, value);
	snprintf(to, size, "%.*s", (int)size - 1, text);
}

/* Round limits, so that a small difference looks small. */
static double limit_for(double most, const double *limits, size_t count)
{
	size_t i = 0;

	while (i + 1 < count && most > limits[i])
		i++;
	return limits[i];
}

void quire_pair_percent(char *to, size_t size, double a, double b)
{
	const double share = (b - a) / a;

	if (a <= b && a >= b)
		snprintf(to, size, "same");
	else if (!(a > 0) || !isfinite(share))
		snprintf(to, size, "-");
	else if (fabs(share) < 0.0005)
		snprintf(to, size, "0.0%%");
	else if (share < 10)
		snprintf(to, size, "%+.*f%%", fabs(share) < 0.9995 ? 1 : 0, share * 100);
	else
		snprintf(to, size, "x %.3g", b / a);
}

static int difference_chart(struct quire_figure *f, const struct quire_pair *p,
			    const struct row *rows, uint32_t count, struct quire_chart *chart)
{
	static const double limits[] = {0.25, 0.5, 1, 2};
	double most = 0;

	chart->bars = quire_figure_alloc(f, count, sizeof(*chart->bars));
	if (!chart->bars)
		return no_memory();
	for (uint32_t i = 0; i < count; i++) {
		double a = value_of(p, 0, &rows[i]), b = value_of(p, 1, &rows[i]);
		double share = a > 0 ? (b - a) / a : NAN;
		struct quire_bar *bar = &chart->bars[chart->bars_count];

		if (!isfinite(a) && !isfinite(b))
			continue;
		chart->bars_count++;
		snprintf(bar->label, sizeof(bar->label), "%s", rows[i].label);
		bar->gap = rows[i].gap;
		bar->pieces = isfinite(share) ? 1 : 0;
		bar->value[0] = share;
		bar->colour[0] = fabs(share) <= QUIRE_PAIR_CLOSE ? QUIRE_MINT : QUIRE_VERMILION;
		show(bar->cell[0], sizeof(bar->cell[0]), &rows[i], a);
		show(bar->cell[1], sizeof(bar->cell[1]), &rows[i], b);
		quire_pair_percent(bar->cell[2], sizeof(bar->cell[2]), a, b);
		if (isfinite(share))
			most = fmax(most, fabs(share));
	}
	most = limit_for(most, limits, sizeof(limits) / sizeof(*limits));
	chart->x = (struct quire_axis){
		.percent = true, .exact = true, .known = true, .low = -fmin(most, 1), .high = most};
	chart->shade[0] = -QUIRE_PAIR_CLOSE;
	chart->shade[1] = QUIRE_PAIR_CLOSE;
	return 0;
}

/* Shares of the pool: their difference is in points of it. */
static int memory_chart(struct quire_figure *f, const struct quire_pair *p,
			struct quire_chart *chart)
{
	static const double limits[] = {5, 10, 25, 50, 100};
	double most = 0;

	chart->bars = quire_figure_alloc(f, MEMORY_ROWS, sizeof(*chart->bars));
	if (!chart->bars)
		return no_memory();
	chart->bars_count = MEMORY_ROWS;
	for (uint32_t i = 0; i < MEMORY_ROWS; i++) {
		double a = value_of(p, 0, &memory_rows[i]) * 100;
		double b = value_of(p, 1, &memory_rows[i]) * 100;
		struct quire_bar *bar = &chart->bars[i];

		snprintf(bar->label, sizeof(bar->label), "%s", memory_rows[i].label);
		bar->pieces = isfinite(b - a) ? 1 : 0;
		bar->value[0] = b - a;
		bar->colour[0] = i < 3 ? quire_memory_colours[i] : QUIRE_GREY;
		snprintf(bar->cell[0], sizeof(bar->cell[0]), isfinite(a) ? "%.1f%%" : "-", a);
		snprintf(bar->cell[1], sizeof(bar->cell[1]), isfinite(b) ? "%.1f%%" : "-", b);
		snprintf(bar->cell[2], sizeof(bar->cell[2]), isfinite(b - a) ? "%+.1f" : "-",
			 b - a);
		if (isfinite(b - a))
			most = fmax(most, fabs(b - a));
	}
	most = limit_for(most, limits, sizeof(limits) / sizeof(*limits));
	chart->x = (struct quire_axis){.exact = true, .known = true, .low = -most, .high = most};
	return 0;
}

static int pool_chart(struct quire_figure *f, const struct quire_pair *p, struct quire_chart *chart)
{
	chart->bars = quire_figure_alloc(f, 2, sizeof(*chart->bars));
	if (!chart->bars)
		return no_memory();
	chart->bars_count = 2;
	for (uint32_t i = 0; i < 2; i++) {
		struct quire_bar *bar = &chart->bars[i];

		snprintf(bar->label, sizeof(bar->label), "%c", "AB"[i]);
		bar->pieces = MEMORY_ROWS;
		for (uint32_t k = 0; k < MEMORY_ROWS; k++) {
			bar->value[k] = value_of(p, i, &memory_rows[k]);
			bar->colour[k] = quire_memory_colours[k];
		}
	}
	chart->x = (struct quire_axis){
		.percent = true, .exact = true, .known = true, .low = 0, .high = 1};
	return 0;
}

/* Room for the title, the cells' heads, ticks, and each bar. */
static double height_of(const struct quire_chart *chart)
{
	double height = 57;

	for (uint32_t i = 0; i < chart->bars_count; i++)
		height += 14.8 + (i && chart->bars[i].gap ? 6 : 0);
	return height;
}

/* Charts without bars are left out; rows are as high as they must be. */
static int pack(struct quire_figure *f)
{
	double *heights = quire_figure_alloc(f, f->charts_count, sizeof(*heights));
	uint32_t n = 0;

	if (!heights)
		return no_memory();
	for (uint32_t i = 0; i < f->charts_count; i++)
		if (f->charts[i].bars_count)
			f->charts[n++] = f->charts[i];
	f->charts_count = n;
	for (uint32_t i = 0; i < n; i++)
		heights[i / f->columns] = fmax(heights[i / f->columns], height_of(&f->charts[i]));
	f->row_heights = heights;
	return 0;
}

int quire_pair_differences(struct quire_figure *f, struct quire_pair_view *v)
{
	static const char *const heads[] = {"A", "B", "B - A"};
	const struct quire_pair *p = v->pair;
	const bool memory = isfinite(p->report[0].external) || isfinite(p->report[1].external);
	int rc = quire_pair_charts(f, v, 4);

	if (rc)
		return rc;
	quire_chart_init(&f->charts[0], "Latency", "B against A");
	rc = difference_chart(f, p, latency_rows, LATENCY_ROWS, &f->charts[0]);
	quire_chart_init(&f->charts[1], "Throughput, steps", "B against A");
	if (rc == 0)
		rc = difference_chart(f, p, other_rows, OTHER_ROWS, &f->charts[1]);
	if (f->charts[0].x.high < f->charts[1].x.high) /* one scale for both */
		f->charts[0].x = f->charts[1].x;
	f->charts[1].x = f->charts[0].x;
	quire_chart_init(&f->charts[2], "KV memory", "points of the pool, mean over steps");
	if (rc == 0 && memory)
		rc = memory_chart(f, p, &f->charts[2]);
	quire_chart_init(&f->charts[3], "KV memory", "share of the pool, mean over steps");
	if (rc == 0 && memory)
		rc = pool_chart(f, p, &f->charts[3]);
	for (uint32_t i = 0; i < 3; i++) {
		f->charts[i].cells = 3;
		for (uint32_t k = 0; k < 3; k++)
			snprintf(f->charts[i].cell_head[k], sizeof(f->charts[i].cell_head[k]), "%s",
				 heads[k]);
	}
	snprintf(f->title, sizeof(f->title), "Key figures");
	snprintf(f->subtitle, sizeof(f->subtitle),
		 "how much more or less B has than A; light green, on grey ground: within 10%%");
	snprintf(f->caption, sizeof(f->caption),
		 "To the right B has more, to the left less, in percent of A; of memory in points "
		 "of the pool. A bar with a tip goes on beyond the axis.");
	if (rc == 0)
		rc = pack(f);
	if (rc == 0)
		rc = quire_pair_legend_runs(f, v, true, false);
	for (uint32_t i = 0; rc == 0 && memory && i < MEMORY_ROWS; i++) {
		struct quire_look look = {.colour = quire_memory_colours[i], .area = true};

		rc = quire_pair_legend(f, &look, quire_memory_names[i]);
	}
	return rc;
}
