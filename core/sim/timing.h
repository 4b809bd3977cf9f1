/*
 * timing.h - time models that were measured, instead of the formulas of cost.h.
 *
 * A timing says how long a plan takes.  There are three:
 *
 *	distserve  fitted lines of DistServe (Zhong et al., OSDI 2024), in ms:
 *		prefill a + b tokens + c sum(len^2), decode a + b context + c sequences,
 *		one for each model and tensor parallelism, and two for small and large
 *		decode batches; a JSON file, {"facebook/opt-13b": {"1": {"prefill": [a, b, c],
 *		"decoding_smallbs": .., "decoding_largebs": ..,
 *		"decoding_large_small_bs_threshold": N}, ..}, ..}
 *	sarathi	a folder that holds figure-2_prefill.csv and figure-2_decode.csv of
 *		Sarathi-Serve (Agrawal et al., OSDI 2024): batch_num_tokens and
 *		batch_execution_time in s, between which times are interpolated; of one model
 *		on one machine, whatever the command line names
 *	replay	each plan is made when that of the same number was made in a run that was
 *		recorded, and its step takes as long: the same workload and modules decide
 *		alike, whatever clock the run had
 *
 * Sequences with one token decode, the others prefill; len^2 of a chunk is that of the
 * prompt up to its end, less that up to its begin.  A mixed step takes its prefill time,
 * and its decode time beyond that of an empty decode.  A padded step is its
 * rectangle.
 */
#ifndef QUIRE_TIMING_H
#define QUIRE_TIMING_H

#include "core/plan.h"

struct quire_timing;

struct quire_timing_ops {
	const char *name;
	/* Return: 0; -ERANGE it cannot know, see quire_failure(). */
	int (*step_ns)(struct quire_timing *timing, const struct quire_plan *plan, uint64_t *ns);
	/*
	 * Optional.  A run that was recorded also tells when each plan was made, empty ones
	 * too: *@step becomes the number of the next one after *@step.
	 * Return: when it was made; 0: there is none.
	 */
	uint64_t (*next_ns)(const struct quire_timing *timing, uint64_t *step);
	void (*free)(struct quire_timing *timing);
};

struct quire_timing {
	const struct quire_timing_ops *ops; /* private state lies behind it */
};

/*
 * Read the file or folder at @path, for @model cut into @tp parts; what it is is told
 * by what is in it.  Return: 0, and *@timing is to be freed with quire_timing_free();
 * -EINVAL it is none of these, is broken, or does not have that model; -errno; see
 * quire_failure().
 */
int quire_timing_read(struct quire_timing **timing, const char *path, const char *model,
		      uint32_t tp);
/* Replay: a run that needs a step which is not among them fails.  @plans [@count], by
 * step, was allocated with malloc() and is the timing's from now on.  Return: NULL if
 * there is no memory. */
struct quire_replay_plan {
	uint64_t step;	   /* its number, from 1 */
	uint64_t begin_ns; /* when it was made ... */
	uint64_t end_ns;   /* ... and run; 0: it was empty */
};
struct quire_timing *quire_timing_replay(struct quire_replay_plan *plans, size_t count);
void quire_timing_free(struct quire_timing *timing); /* NULL is fine */

/* The work of a plan, as these models count it. */
struct quire_timing_work {
	uint64_t prefill_tokens;
	double prefill_squares;		      /* sum of len^2 */
	uint64_t decode_seqs, decode_context; /* the token itself included */
};
void quire_timing_work(const struct quire_plan *plan, struct quire_timing_work *work);
/* A step of both kinds; @empty is the time of a decode of nothing.  In ns. */
uint64_t quire_timing_mixed_ns(const struct quire_timing_work *work, double prefill, double decode,
			       double empty);

int quire_timing_read_distserve(struct quire_timing **timing, const char *path, const char *model,
				uint32_t tp);
int quire_timing_read_sarathi(struct quire_timing **timing, const char *folder);

#endif /* QUIRE_TIMING_H */
