/*
 * fit.h - the constants of a machine, from steps that were measured on it.
 *
 * A coordinate search, with factors that shrink from 30 % to 0.1 %, for the least mean of
 * |predicted / measured - 1|, where kinds of steps (single tokens, chunks, both) count alike,
 * and within a kind the rounds in which they were measured, however many steps there are: a
 * round of few long steps is worth one of many short ones.  Steps that are held back take no
 * part and are scored afterwards.
 */
#ifndef QUIRE_FIT_H
#define QUIRE_FIT_H

#include "core/sim/cost.h"

struct quire_fit_item {
	uint32_t tokens, cached;
	bool sampled;
};

#define QUIRE_FIT_ROUNDS_MAX 32

enum quire_fit_kind { QUIRE_FIT_SINGLE, QUIRE_FIT_CHUNKS, QUIRE_FIT_MIXED, QUIRE_FIT_KINDS };

struct quire_fit_step {
	const struct quire_fit_item *items; /* [items_count] borrowed */
	uint32_t items_count;
	uint32_t copied_slots;
	uint64_t ns;	/* measured, host included */
	uint32_t round; /* in which it was measured, below QUIRE_FIT_ROUNDS_MAX */
	bool held;	/* back from the fit */
};

/* Mean and worst |predicted / measured - 1|; NAN of no steps. */
struct quire_fit_score {
	uint32_t steps;
	double error, worst;
	double bias; /* the sum of what was predicted / what was measured - 1 */
};

enum quire_fit_kind quire_fit_kind(const struct quire_fit_step *step);

/* How well @gpu predicts the steps of a kind that are held back, or those that are not. */
int quire_fit_score(const struct quire_gpu *gpu, const struct quire_model *model,
		    const struct quire_cost_config *config, const struct quire_fit_step *steps,
		    uint32_t count, enum quire_fit_kind kind, bool held,
		    struct quire_fit_score *score);

/*
 * Change the constants of @gpu, whose datasheet stays, and its errors (of --intervals).
 * These are one figure: steps are measured as wholes, and do not tell which of their
 * parts is off; it is such that whole steps deviate as those did that were fitted to.
 * Return: 0; -EINVAL there is nothing to fit to; -ENOMEM; see quire_failure().
 */
int quire_fit(struct quire_gpu *gpu, const struct quire_model *model,
	      const struct quire_cost_config *config, const struct quire_fit_step *steps,
	      uint32_t count);

#endif /* QUIRE_FIT_H */
