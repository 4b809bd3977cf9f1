/*
 * views.h - worlds to look at, and hands on the keys, for tests of views.
 */
#ifndef QUIRE_TESTS_VIEWS_H
#define QUIRE_TESTS_VIEWS_H

#include "tale.h"

#include "visualize/place.h"

/* Files in a folder of their own; views_end() removes them. */
void views_begin(void);
void views_end(void);

/* ---- worlds ---- */

/* The tale of @seed as recording 0 or 1, indexed; or recording @i once more. */
struct quire_story *views_tell(uint32_t i, uint64_t seed);
struct quire_story *views_open(uint32_t i, uint64_t indexed);
/* One request with three samples: 11 tokens, of 6 more each, in 12 blocks of 4.  Step 1 is
 * the prompt in blocks 0, 1, 2, which then all share; in step 2 two of them copy block 2. */
struct quire_story *views_samples(void);
/* A pool of @cells blocks of @slots in which nothing happens, of a live run. */
struct quire_story *views_pool(uint32_t cells, uint32_t slots, struct quire_live **live);

/* ---- hands ---- */

/* It must be done without complaint. */
void views_say(struct quire_view *v, const char *line);
/* A key as the table of commands names it: what it means, or that done. */
struct quire_command views_key(struct quire_view *v, const char *name);
void views_do_key(struct quire_view *v, const char *name);

/* ---- eyes ---- */

/* Where a side is. */
uint64_t views_at(const struct quire_view *v, uint32_t side);
bool views_inside(const struct quire_rect *a, const struct quire_rect *b);
/* All panels lie in the window, and do not overlap. */
void views_layout(const struct quire_view *v, const char *what);

#endif /* QUIRE_TESTS_VIEWS_H */
