/*
 * plan_chart.c - a batch sweep as a picture: four small charts over the batch, the
 * cost model as a line, the datasheet's roofline as a dashed one, and in grey the
 * batches that the memory cannot hold.
 */
#include "plan_chart.h"

#include "core/util.h"
#include "output.h"
#include "units.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <cairo.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#define WIDTH  960
#define HEIGHT 680
#define SCALE  2 /* pixels of a PNG for each unit */

struct colour {
	double r, g, b;
};

static const struct colour ink = {0.13, 0.15, 0.18}, faint = {0.45, 0.48, 0.52},
			   grid = {0.88, 0.89, 0.91}, shade = {0.94, 0.94, 0.95},
			   line_model = {0.10, 0.42, 0.70}, line_roof = {0.85, 0.45, 0.13};

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

struct sweep {
	const struct quire_estimate_config *config;
	const struct quire_estimate *points; /* [count] */
	size_t count;
	uint32_t batch_max;
};

/* Are there batches that the memory cannot hold? */
static bool beyond(const struct sweep *s)
{
	return s->batch_max < s->points[s->count - 1].batch;
}

/* Where a panel's axes are, and what they span. */
struct frame {
	double x, y, width, height;
	double batch_low, batch_high; /* log2 */
	double top;		      /* value at the upper edge; 0 is at the lower */
};

static void set_colour(cairo_t *cr, struct colour c)
{
	cairo_set_source_rgb(cr, c.r, c.g, c.b);
}

static void text(cairo_t *cr, double x, double y, double align, double size, bool bold,
		 const char *string)
{
	cairo_text_extents_t e;

	cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
			       bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cr, size);
	cairo_text_extents(cr, string, &e);
	cairo_move_to(cr, x - align * e.x_advance, y);
	cairo_show_text(cr, string);
}

static double frame_x(const struct frame *f, double batch)
{
	return f->x + f->width * (log2(batch) - f->batch_low) / (f->batch_high - f->batch_low);
}

static double frame_y(const struct frame *f, double value)
{
	return f->y + f->height * (1 - value / f->top);
}

/* The smallest of 1, 2, 2.5, 5 times a power of ten that cuts @top in at most 5. */
static double tick_step(double top)
{
	const double power = pow(10, floor(log10(top / 5)));
	static const double steps[] = {1, 2, 2.5, 5, 10};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i] * power * 5 >= top * 0.999)
			return steps[i] * power;
	}
	return 10 * power;
}

static void tick_label(char *to, size_t size, double value, double step)
{
	if (step >= 1 && fmod(step, 1) == 0)
		snprintf(to, size, "%s", quire_text_count((uint64_t)llround(value)).s);
	else
		snprintf(to, size, "%.*f", (int)ceil(-log10(step) - 1e-9) + (step < 1 ? 0 : 1),
			 value);
}

static void draw_axes(cairo_t *cr, const struct sweep *s, const struct frame *f)
{
	const double step = tick_step(f->top), right = f->x + f->width;
	double last = -1e9;
	char label[40];

	if (beyond(s)) {
		const double from = fmax(f->x, frame_x(f, s->batch_max ? s->batch_max : 1));

		set_colour(cr, shade);
		cairo_rectangle(cr, from, f->y, right - from, f->height);
		cairo_fill(cr);
	}
	cairo_set_line_width(cr, 1);
	for (double v = 0; v <= f->top * 1.0001; v += step) {
		set_colour(cr, grid);
		cairo_move_to(cr, f->x, frame_y(f, v));
		cairo_line_to(cr, right, frame_y(f, v));
		cairo_stroke(cr);
		tick_label(label, sizeof(label), v, step);
		set_colour(cr, faint);
		text(cr, f->x - 8, frame_y(f, v) + 4, 1, 11, false, label);
	}
	for (double b = exp2(ceil(f->batch_low)); log2(b) <= f->batch_high + 1e-9; b *= 2) {
		set_colour(cr, faint);
		cairo_move_to(cr, frame_x(f, b), f->y + f->height);
		cairo_line_to(cr, frame_x(f, b), f->y + f->height + 4);
		cairo_stroke(cr);
		if (frame_x(f, b) - last < 30)
			continue;
		last = frame_x(f, b);
		text(cr, last, f->y + f->height + 17, 0.5, 11, false,
		     quire_text_count((uint64_t)b).s);
	}
}

static void draw_line(cairo_t *cr, const struct sweep *s, const struct frame *f,
		      const struct panel *p, bool roofline)
{
	static const double dash[] = {5, 4};

	cairo_new_path(cr);
	for (size_t i = 0; i < s->count; i++) {
		const struct quire_estimate *e = &s->points[i];
		const double v = roofline ? p->roofline(e, s->config) : p->model(e, s->config);

		cairo_line_to(cr, frame_x(f, e->batch), frame_y(f, v));
	}
	set_colour(cr, roofline ? line_roof : line_model);
	cairo_set_line_width(cr, roofline ? 1.5 : 2.2);
	cairo_set_dash(cr, dash, roofline ? 2 : 0, 0);
	cairo_stroke(cr);
	cairo_set_dash(cr, NULL, 0, 0);
	if (roofline)
		return;
	for (size_t i = 0; i < s->count; i++) {
		const struct quire_estimate *e = &s->points[i];

		if (e->batch & (e->batch - 1) && i + 1 < s->count)
			continue;
		cairo_arc(cr, frame_x(f, e->batch), frame_y(f, p->model(e, s->config)), 3, 0,
			  2 * 3.14159265358979);
		cairo_fill(cr);
	}
}

static void draw_panel(cairo_t *cr, const struct sweep *s, const struct panel *p, double x,
		       double y, double width, double height)
{
	struct frame f = {.x = x + 58, .y = y + 34, .width = width - 66, .height = height - 72};
	cairo_text_extents_t e;
	double high = 0, step;

	f.batch_low = log2(s->points[0].batch);
	f.batch_high = log2(s->points[s->count - 1].batch);
	for (size_t i = 0; i < s->count; i++) {
		high = fmax(high, p->model(&s->points[i], s->config));
		high = fmax(high, p->roofline(&s->points[i], s->config));
	}
	step = tick_step(high > 0 ? high : 1);
	f.top = step * ceil((high > 0 ? high : 1) / step * 0.9999);

	set_colour(cr, ink);
	text(cr, x + 8, y + 16, 0, 14, true, p->title);
	cairo_text_extents(cr, p->title, &e);
	set_colour(cr, faint);
	text(cr, x + 16 + e.x_advance, y + 16, 0, 12, false, p->unit);
	draw_axes(cr, s, &f);
	draw_line(cr, s, &f, p, true);
	draw_line(cr, s, &f, p, false);
	set_colour(cr, faint);
	text(cr, f.x + f.width, f.y + f.height + 32, 1, 11, false, "batch");
}

/* From right to left: the grey, if there is any, then the two lines. */
static void draw_legend(cairo_t *cr, const struct sweep *s, double right, double y)
{
	static const double dash[] = {5, 4};
	double x = right - 325;

	if (beyond(s)) {
		x -= 130;
		set_colour(cr, shade);
		cairo_rectangle(cr, right - 122, y - 11, 26, 14);
		cairo_fill(cr);
		set_colour(cr, ink);
		text(cr, right - 90, y, 0, 12, false, "does not fit");
	}
	cairo_set_line_width(cr, 2.2);
	set_colour(cr, line_model);
	cairo_move_to(cr, x, y - 4);
	cairo_line_to(cr, x + 26, y - 4);
	cairo_stroke(cr);
	set_colour(cr, ink);
	text(cr, x + 32, y, 0, 12, false, "cost model");
	cairo_set_line_width(cr, 1.5);
	set_colour(cr, line_roof);
	cairo_set_dash(cr, dash, 2, 0);
	cairo_move_to(cr, x + 116, y - 4);
	cairo_line_to(cr, x + 142, y - 4);
	cairo_stroke(cr);
	cairo_set_dash(cr, NULL, 0, 0);
	set_colour(cr, ink);
	text(cr, x + 148, y, 0, 12, false, "roofline of the datasheet");
}

static void draw(cairo_t *cr, const struct sweep *s)
{
	const struct quire_estimate_config *c = s->config;
	char title[200], line[300];

	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_paint(cr);
	snprintf(title, sizeof(title), "%s on %u x %s", c->model.name, c->cost.tp, c->gpu.name);
	snprintf(line, sizeof(line),
		 "%s prompt and %s output tokens; weights of %u bits, keys and values of %u; at "
		 "most %s %s",
		 quire_text_count(c->prompt_tokens).s, quire_text_count(c->output_tokens).s,
		 c->cost.weight_bits, c->cost.kv_bits, quire_text_count(s->batch_max).s,
		 s->batch_max == 1 ? "sequence fits" : "sequences fit");
	set_colour(cr, ink);
	text(cr, 28, 40, 0, 20, true, title);
	set_colour(cr, faint);
	text(cr, 28, 62, 0, 12.5, false, line);
	draw_legend(cr, s, WIDTH - 10, 40);
	for (size_t i = 0; i < sizeof(panels) / sizeof(panels[0]); i++)
		draw_panel(cr, s, &panels[i], 20 + 465 * (double)(i % 2),
			   88 + 295 * (double)(i / 2), 455, 285);
}

static cairo_status_t to_file(void *file, const unsigned char *data, unsigned int length)
{
	return fwrite(data, 1, length, file) == length ? CAIRO_STATUS_SUCCESS
						       : CAIRO_STATUS_WRITE_ERROR;
}

static const char *ending(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? dot + 1 : "";
}

int quire_plan_chart_check(const char *path)
{
	if (quire_same_name(ending(path), "svg") || quire_same_name(ending(path), "png") ||
	    quire_same_name(ending(path), "pdf"))
		return 0;
	return quire_fail(-EINVAL, "--chart %s: expected a name ending with .svg, .png or .pdf",
			  path);
}

int quire_plan_chart(const struct quire_estimate_config *config,
		     const struct quire_estimate *points, size_t count, uint32_t batch_max,
		     const char *path)
{
	const struct sweep s = {config, points, count, batch_max};
	const bool png = quire_same_name(ending(path), "png");
	struct quire_output out;
	cairo_surface_t *surface;
	cairo_status_t status;
	cairo_t *cr;
	int rc = quire_plan_chart_check(path);

	if (rc == 0)
		rc = quire_output_open(&out, path);
	if (rc)
		return rc;
	if (png)
		surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH * SCALE,
						     HEIGHT * SCALE);
	else if (quire_same_name(ending(path), "pdf"))
		surface = cairo_pdf_surface_create_for_stream(to_file, out.file, WIDTH, HEIGHT);
	else
		surface = cairo_svg_surface_create_for_stream(to_file, out.file, WIDTH, HEIGHT);
	cr = cairo_create(surface);
	if (png)
		cairo_scale(cr, SCALE, SCALE);
	draw(cr, &s);
	status = cairo_status(cr);
	cairo_destroy(cr);
	if (png && status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_write_to_png_stream(surface, to_file, out.file);
	cairo_surface_finish(surface);
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status(surface);
	cairo_surface_destroy(surface);
	if (status == CAIRO_STATUS_SUCCESS)
		return quire_output_commit(&out);
	quire_output_discard(&out);
	return quire_fail(-EIO, "cannot write %s: %s", path, cairo_status_to_string(status));
}
