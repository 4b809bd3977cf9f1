/*
 * plan_chart.c - a batch sweep as a picture: four small charts over the batch, the
 * cost model as a line, the datasheet's roofline as a dashed one, and in grey the
 * batches that the memory cannot hold.
 */
#include "plan_chart.h"

#include "core/trace/chart.h"
#include "core/util.h"
#include "output.h"
#include "units.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* One chart: a figure of an estimate, by the model and by the roofline. */
struct panel {
	const char *title, *unit;
	double (*model)(const struct quire_estimate *e, const struct quire_estimate_config *c);
	double (*roofline)(const struct quire_estimate *e, const struct quire_estimate_config *c);
};

static double model_s(const struct quire_estimate *e)
{
	return (double)(e->prefill.model_ns + e->decode.model_ns) * 1e-9;
}

static double roofline_s(const struct quire_estimate *e)
{
	return (e->prefill.roofline_ns + e->decode.roofline_ns) * 1e-9;
}

static double throughput_model(const struct quire_estimate *e,
			       const struct quire_estimate_config *c)
{
	return (double)e->batch * c->output_tokens / model_s(e);
}

static double throughput_roofline(const struct quire_estimate *e,
				  const struct quire_estimate_config *c)
{
	return (double)e->batch * c->output_tokens / roofline_s(e);
}

static double tpot_model(const struct quire_estimate *e, const struct quire_estimate_config *c)
{
	(void)c;
	return e->decode.steps ? (double)e->decode.model_ns * 1e-6 / (double)e->decode.steps : 0;
}

static double tpot_roofline(const struct quire_estimate *e, const struct quire_estimate_config *c)
{
	(void)c;
	return e->decode.steps ? e->decode.roofline_ns * 1e-6 / (double)e->decode.steps : 0;
}

static double ttft_model(const struct quire_estimate *e, const struct quire_estimate_config *c)
{
	(void)c;
	return (double)e->prefill.model_ns * 1e-9;
}

static double ttft_roofline(const struct quire_estimate *e, const struct quire_estimate_config *c)
{
	(void)c;
	return e->prefill.roofline_ns * 1e-9;
}

static double e2e_model(const struct quire_estimate *e, const struct quire_estimate_config *c)
{
	(void)c;
	return model_s(e);
}

static double e2e_roofline(const struct quire_estimate *e, const struct quire_estimate_config *c)
{
	(void)c;
	return roofline_s(e);
}

static const struct panel panels[] = {
	{"Throughput", "output tokens/s", throughput_model, throughput_roofline},
	{"TPOT", "ms an output token, each sequence", tpot_model, tpot_roofline},
	{"TTFT", "s until all prompts are done", ttft_model, ttft_roofline},
	{"E2E duration", "s from start to end", e2e_model, e2e_roofline},
};

enum { PANELS = sizeof(panels) / sizeof(panels[0]) };

static const struct quire_look model_look = {
	.colour = QUIRE_BLUE, .width = 2, .marker = QUIRE_CIRCLE};
static const struct quire_look roofline_look = {.colour = QUIRE_VERMILION, .width = 1.5, .dash = 1};
static const struct quire_look beyond_look = {.colour = QUIRE_SHADE, .area = true};

struct sweep {
	const struct quire_estimate_config *config;
	const struct quire_estimate *points; /* [count] */
	uint32_t count;
	uint32_t batch_max;
};

/* Are there batches that the memory cannot hold? */
static bool beyond(const struct sweep *s)
{
	return s->batch_max < s->points[s->count - 1].batch;
}

/* A marker where the batch is a power of two, and at the end. */
static bool marked(const struct sweep *s, uint32_t i)
{
	return !(s->points[i].batch & (s->points[i].batch - 1)) || i + 1 == s->count;
}

static int make_panel(struct quire_figure *f, const struct sweep *s, const struct panel *p,
		      struct quire_chart *chart)
{
	double *x = quire_figure_alloc(f, s->count, sizeof(*x));
	double *model = quire_figure_alloc(f, s->count, sizeof(*model));
	double *roofline = quire_figure_alloc(f, s->count, sizeof(*roofline));

	quire_chart_init(chart, p->title, p->unit);
	chart->curves = quire_figure_alloc(f, 2, sizeof(*chart->curves));
	chart->marks = quire_figure_alloc(f, s->count, sizeof(*chart->marks));
	if (!x || !model || !roofline || !chart->curves || !chart->marks)
		return quire_fail(-ENOMEM, "no memory for a chart");
	for (uint32_t i = 0; i < s->count; i++) {
		const struct quire_estimate *e = &s->points[i];

		x[i] = e->batch;
		model[i] = p->model(e, s->config);
		roofline[i] = p->roofline(e, s->config);
		if (marked(s, i))
			chart->marks[chart->marks_count++] =
				(struct quire_mark){.look = model_look, .x = x[i], .y = model[i]};
	}
	chart->curves_count = 2;
	chart->curves[0] = (struct quire_curve){.look = roofline_look,
						.name = "roofline of the datasheet",
						.x = x,
						.y = roofline,
						.count = s->count};
	chart->curves[1] = (struct quire_curve){
		.look = model_look, .name = "cost model", .x = x, .y = model, .count = s->count};
	chart->x = (struct quire_axis){.label = "batch",
				       .scale = QUIRE_LOG2,
				       .exact = true,
				       .low = x[0],
				       .high = x[s->count - 1]};
	if (beyond(s)) {
		chart->shade[0] = s->batch_max ? s->batch_max : 1;
		chart->shade[1] = x[s->count - 1];
	}
	quire_axis_cover(&chart->y, 0);
	quire_chart_fit(chart);
	return 0;
}

static int make_figure(struct quire_figure *f, const struct sweep *s)
{
	const struct quire_legend legend[] = {
		{model_look, "cost model"},
		{roofline_look, "roofline of the datasheet"},
		{beyond_look, "does not fit"},
	};
	const struct quire_estimate_config *c = s->config;
	int rc = 0;

	*f = (struct quire_figure){.name = "plan", .width = 720, .columns = 2, .chart_height = 190};
	snprintf(f->title, sizeof(f->title), "%.60s on %u x %.30s", c->model.name, c->cost.tp,
		 c->gpu.name);
	snprintf(f->subtitle, sizeof(f->subtitle),
		 "%s prompt and %s output tokens; weights of %u bits, keys and values of %u; at "
		 "most %s %s",
		 quire_text_count(c->prompt_tokens).s, quire_text_count(c->output_tokens).s,
		 c->cost.weight_bits, c->cost.kv_bits, quire_text_count(s->batch_max).s,
		 s->batch_max == 1 ? "sequence fits" : "sequences fit");
	f->charts = quire_figure_alloc(f, PANELS, sizeof(*f->charts));
	f->legend = quire_figure_alloc(f, 1, sizeof(legend));
	if (!f->charts || !f->legend)
		return quire_fail(-ENOMEM, "no memory for a chart");
	memcpy(f->legend, legend, sizeof(legend));
	f->legend_count = beyond(s) ? 3 : 2;
	for (; rc == 0 && f->charts_count < PANELS; f->charts_count++)
		rc = make_panel(f, s, &panels[f->charts_count], &f->charts[f->charts_count]);
	return rc;
}

/* Return: the format that the ending says; QUIRE_FORMATS if it is none. */
static enum quire_format format_of(const char *path)
{
	const char *dot = strrchr(path, '.');
	enum quire_format format = 0;

	while (format < QUIRE_FORMATS &&
	       !(dot && quire_same_name(dot + 1, quire_format_ending[format])))
		format++;
	return format;
}

int quire_plan_chart_check(const char *path)
{
	if (format_of(path) < QUIRE_FORMATS)
		return 0;
	return quire_fail(-EINVAL, "--chart %s: expected a name ending with .svg, .png or .pdf",
			  path);
}

int quire_plan_chart(const struct quire_estimate_config *config,
		     const struct quire_estimate *points, size_t count, uint32_t batch_max,
		     const char *path)
{
	const struct sweep s = {config, points, (uint32_t)count, batch_max};
	struct quire_output out;
	struct quire_figure f;
	int rc = quire_plan_chart_check(path);

	if (rc == 0)
		rc = quire_output_open(&out, path);
	if (rc)
		return rc;
	rc = make_figure(&f, &s);
	if (rc == 0)
		rc = quire_figure_write(&f, out.file, format_of(path), true);
	quire_figure_free(&f);
	if (rc == 0)
		return quire_output_commit(&out);
	quire_output_discard(&out);
	return rc;
}
