/*
 * grid.h - the combinations that "quire sweep" runs.
 *
 * A grid has an axis for each flag of "quire sim" that says something about a run,
 * and on each axis the values that the flag shall have; an axis without values is a
 * flag that is not given.  Combinations are numbered as a mileage counter counts, the
 * last axis turning fastest.  Axes stand in the order of the flags' table, in which
 * those of the workload come first, so that runs of one workload are neighbours.
 *
 * Values come from the command line and from a file of lines
 *
 *	# comment
 *	flag = value, value, ...
 *	flag
 *
 * A flag may have several lines.  A piece of the form "name=.." belongs to the value
 * before it, so that "static,batch=8, continuous" are two values; what stands in
 * double quotes is one value as it is.  Flags that take no value are "on" or "off".
 * Of seeds A:B are all from A to B, both included.  For scheduler and allocator, "all"
 * are all built-in ones.
 *
 * A combination's key is the command line of "quire sim" that runs it alone.
 */
#ifndef QUIRE_GRID_H
#define QUIRE_GRID_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#define QUIRE_GRID_AXES_MAX 64
#define QUIRE_GRID_MAX	    65536 /* combinations, and values of one axis */

struct quire_grid_value {
	char *text;    /* owned */
	uint32_t line; /* of the file; 0: of the command line */
};

struct quire_grid_axis {
	const char *flag;		 /* borrowed from the table */
	bool bare;			 /* the flag takes no value: its values are "on", "off" */
	struct quire_grid_value *values; /* [count], owned */
	uint32_t count;			 /* 0: not given */
};

struct quire_grid {
	const struct option *flags; /* the table of all flags, borrowed */
	const char *path;	    /* of the file; borrowed; NULL: none */
	struct quire_grid_axis axes[QUIRE_GRID_AXES_MAX];
	uint32_t axes_count;
	uint32_t seed; /* which axis is the seed */
};

/*
 * A grid without values.  An axis for each of @flags (which ends with an empty one),
 * but not for those named in @others (which ends with NULL): they are not of a run.
 */
void quire_grid_init(struct quire_grid *g, const struct option *flags, const char *const *others);
void quire_grid_free(struct quire_grid *g);

/*
 * Add to an axis what the command line says, @values as in a line of a file; NULL for
 * a flag without.  Return: 0; -EINVAL, -ENOMEM with a sentence in quire_failure().
 */
int quire_grid_add(struct quire_grid *g, const char *flag, const char *values);

/*
 * Read a file, after the command line: a flag given there takes the place of the
 * file's lines of it.  @path is borrowed.  Errors as above, or as of opening the
 * file, and they name file and line.
 */
int quire_grid_read(struct quire_grid *g, const char *path);

/* Combinations of the axes from number @axis on; UINT64_MAX: too many to count. */
uint64_t quire_grid_count(const struct quire_grid *g, uint32_t axis);

/* The number of the value that @axis, which has some, has in a combination. */
uint32_t quire_grid_pick(const struct quire_grid *g, uint32_t axis, uint32_t index);

/* The number of a combination among those that differ not in their seed alone. */
uint32_t quire_grid_group(const struct quire_grid *g, uint32_t index);

/*
 * "--rate 4 --scheduler static,batch=8 --seed 1", quoted for a shell; @seed: with its
 * seed.  To be freed.  Return: NULL, no memory.
 */
char *quire_grid_key(const struct quire_grid *g, uint32_t index, bool seed);

/* The same of the flags that have one value throughout. */
char *quire_grid_common(const struct quire_grid *g);

#endif /* QUIRE_GRID_H */
