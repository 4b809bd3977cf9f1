/*
 * draw.c - a frame: the ground, the panels of each side, what lies over them; see draw.h.
 */
#include "draw_parts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int quire_draw_new(struct quire_draw **out)
{
	struct quire_draw *d = calloc(1, sizeof(*d));
	int rc;

	*out = NULL;
	if (!d)
		return quire_fail(-ENOMEM, "no memory for drawing");
	rc = font_init(&d->font);
	if (rc) {
		quire_draw_free(d);
		return rc;
	}
	*out = d;
	return 0;
}

static void free_side(struct draw_side *side)
{
	draw_image_free(&side->pool.image);
	draw_image_free(&side->timeline.image);
	draw_image_free(&side->steps.image);
	draw_image_free(&side->memory.image);
	free(side->pool.looks);
	free(side->pool.covers);
	free(side->pool.due);
	free(side->pool.undo);
}

void quire_draw_free(struct quire_draw *d)
{
	if (!d)
		return;
	free_side(&d->sides[0]);
	free_side(&d->sides[1]);
	font_free(&d->font);
	free(d->cover);
	free(d);
}

struct quire_draw_times quire_draw_times(const struct quire_draw *d)
{
	return d->times;
}

double quire_draw_text_width(struct quire_draw *d, const char *text, double points, bool bold)
{
	return draw_width(d, text, points, bold);
}

/* ---- panels ---- */

double draw_badge(struct quire_draw *d, uint32_t side, double x, double y)
{
	double em = d->em, width = 1.25 * em;

	draw_set(d, side ? d->theme->accent : d->theme->faint, 1);
	draw_round(d, x, y - 0.98 * em, width, 1.25 * em, 0.25 * em);
	cairo_fill(d->cr);
	draw_text(d, x + width / 2, y, side ? "B" : "A",
		  (struct draw_style){.points = 0.95 * em,
				      .colour = d->theme->panel,
				      .bold = true,
				      .align = DRAW_CENTRE});
	return width;
}

bool draw_panel(struct quire_draw *d, uint32_t side, enum quire_panel_kind panel)
{
	static const char *const titles[QUIRE_PANEL_COUNT] = {
#define X(name, title) title,
		QUIRE_PANELS(X)
#undef X
	};
	const struct quire_rect *rect = &d->view->sides[side].panels[panel];
	double em = d->em, x = rect->x + 0.75 * em, y = rect->y + 1.3 * em;

	if (rect->width <= 0)
		return false;
	draw_set(d, d->theme->panel, 1);
	draw_round(d, rect->x, rect->y, rect->width, rect->height, 0.45 * em);
	cairo_fill(d->cr);
	if (!titles[panel][0])
		return true;
	if (d->view->sides_count > 1)
		x += draw_badge(d, side, x, y) + 0.5 * em;
	draw_text(d, x, y, titles[panel],
		  (struct draw_style){.points = em, .colour = d->theme->ink, .bold = true});
	return true;
}

static void draw_side(struct quire_draw *d, uint32_t side)
{
	draw_sequence(d, side);
	draw_gauges(d, side);
	draw_queues(d, side);
}

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Is @cr made of pixels, and only scaled? */
static bool is_pixels(cairo_t *cr)
{
	cairo_matrix_t m;

	cairo_get_matrix(cr, &m);
	return cairo_surface_get_type(cairo_get_target(cr)) == CAIRO_SURFACE_TYPE_IMAGE &&
	       m.xy == 0 && m.yx == 0 && m.xx > 0 && fabs(m.xx - m.yy) < 1e-9 && m.x0 == 0 &&
	       m.y0 == 0;
}

int quire_draw_frame(struct quire_draw *d, cairo_t *cr, const struct quire_view *view)
{
	double begin = cpu_s(), pool, timeline;
	cairo_matrix_t m;

	cairo_get_matrix(cr, &m);
	d->cr = cr;
	d->view = view;
	d->theme = &quire_themes[view->theme < QUIRE_THEMES ? view->theme : QUIRE_DARK];
	d->em = view->font_points;
	d->pixels = is_pixels(cr);
	d->scale = d->pixels ? m.xx : 2;
	d->error = 0;

	cairo_save(cr);
	draw_set(d, d->theme->ground, 1);
	draw_box(d, 0, 0, view->width, view->height);
	cairo_fill(cr);
	pool = cpu_s();
	for (uint32_t s = 0; s < view->sides_count; s++)
		draw_pool(d, s);
	timeline = cpu_s();
	d->times.pool_s = timeline - pool;
	for (uint32_t s = 0; s < view->sides_count; s++) {
		draw_timeline(d, s);
		draw_steps(d, s);
	}
	d->times.timeline_s = cpu_s() - timeline;
	for (uint32_t s = 0; s < view->sides_count; s++)
		draw_side(d, s);
	draw_header(d);
	draw_legend(d);
	draw_scrub(d);
	draw_lesson(d);
	draw_dialog(d);
	draw_tooltip(d);
	cairo_restore(cr);
	d->times.rest_s = cpu_s() - begin - d->times.pool_s - d->times.timeline_s;
	d->cr = NULL;
	if (d->error)
		return quire_fail(d->error, "no memory for the picture");
	if (cairo_status(cr))
		return quire_fail(-EIO, "cairo: %s", cairo_status_to_string(cairo_status(cr)));
	return 0;
}
