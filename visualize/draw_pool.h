/*
 * draw_pool.h - what draw_pool.c and draw_pool_marks.c share; nobody else includes it.
 */
#ifndef QUIRE_DRAW_POOL_H
#define QUIRE_DRAW_POOL_H

#include "draw_parts.h"

/* Cells of the one who is followed, and flashes of large cells. */
#define DRAW_POOL_MARKS_MAX 4096

/* What is drawn now. */
struct draw_pool_job {
	const struct quire_scene *scene;
	struct draw_pool *pool;
	struct quire_pool_grid grid;
	struct quire_rect body;
	uint32_t side;
	uint32_t first, until; /* cells in rows that are in sight */
	bool small, filtered;
	struct draw_field field;	 /* where filtered */
	const struct quire_flash *flash; /* the last that was looked at, */
	double bright;			 /* and how bright it is */
};

/* An array of @count elements, if it is not that large already; -ENOMEM is kept in d. */
int draw_pool_more(struct quire_draw *d, void *where, size_t *limit, size_t count, size_t size);
/* How bright the @i-th flash is, 0 to 1; the oldest that is still seen, of @most. */
double draw_pool_bright(struct quire_draw *d, struct draw_pool_job *job, uint64_t i);
uint64_t draw_pool_first_flash(struct quire_draw *d, struct draw_pool_job *job, uint64_t most);

bool draw_pool_in_sight(const struct draw_pool_job *job, const struct quire_rect *at);
void draw_pool_marks(struct quire_draw *d, struct draw_pool_job *job);
void draw_pool_hover(struct quire_draw *d, const struct draw_pool_job *job);

#endif /* QUIRE_DRAW_POOL_H */
