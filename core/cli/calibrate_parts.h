/*
 * calibrate_parts.h - what the files of "quire calibrate" share: one calibration, from
 * the ceilings of the machine to the steps that its constants are fitted to.
 */
#ifndef QUIRE_CALIBRATE_PARTS_H
#define QUIRE_CALIBRATE_PARTS_H

#include "bench_run.h"
#include "core/sim/fit.h"

/* A step that was measured.  Its items are items[first] .. items[first + count]. */
struct quire_calibration_step {
	size_t first;
	uint32_t count, copied_slots;
	uint32_t round;
	uint64_t begin_ns, end_ns;
	uint64_t captured; /* graphs that the engine had made before it */
};

struct quire_calibration {
	struct quire_bench bench;
	const char *gpu_name, *output;
	uint32_t model_len, seqs_max; /* 0: not given */
	double seconds;
	struct quire_gpu gpu;

	/* what was measured */
	struct quire_sink sink;
	struct quire_fit_item *items; /* [items_count], of all steps; owned */
	size_t items_count, items_limit;
	struct quire_calibration_step *steps; /* [steps_count] owned */
	uint32_t steps_count, steps_limit;
	uint32_t refused;		   /* requests: they did not fit the pool */
	struct quire_calibration_step now; /* that is planned, or runs */
	uint32_t round;
	bool running;
	bool short_of_memory;
	uint64_t until_ns; /* of the round */
	volatile sig_atomic_t stop;
};

/*
 * calibrate_cpu.c: measure how fast memory is read, in pieces of @bytes at one time, and
 * how fast OpenBLAS multiplies; the other constants are where a fit may begin.
 * Return: 0; -ENOMEM.
 */
int quire_calibrate_cpu(struct quire_gpu *gpu, uint32_t threads, uint64_t bytes);

/* calibrate_steps.c: serve requests in rounds, and note the steps.  Return: 0; -errno. */
int quire_calibrate_measure(struct quire_calibration *c);

/* Steps that are ready to be fitted: @s as @items and time. */
struct quire_fit_step quire_calibrate_fit_step(const struct quire_calibration *c,
					       const struct quire_calibration_step *s);

/*
 * By how much does the time of a step differ that does the same as the one before it, for
 * the same sequences one token on?  As a share of the shorter, at most 1, the mean over
 * @pairs of them; NAN of none.
 */
double quire_calibrate_spread(const struct quire_calibration *c, uint32_t *pairs);

#endif /* QUIRE_CALIBRATE_PARTS_H */
