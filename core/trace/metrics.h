/*
 * metrics.h - what is measured while the loop runs, at a few nanoseconds an item.
 *
 * The loop calls the fold functions below with what happened; nothing is
 * computed here that a recording could not tell as well.  report.h turns the
 * sums into figures.
 *
 * Memory is sampled once a step, after the plan's slots are taken and before
 * its results are committed.  Of the slots_total slots of the pool
 *
 *	token_states + reserved + internal + external = slots_total
 *
 * (the taxonomy of the vLLM paper, Kwon et al., SOSP 2023, Figure 2):
 *	token_states	hold a live token
 *	reserved	this sequence will still use them, up to its true end
 *	internal	held beyond its true end: over-estimates, finished rows that
 *			are kept, a last block's tail that will never be used
 *	external	the rest: rounding of reservations, and what is free
 *
 * Steps that begin inside the window count for memory, steps and throughput;
 * requests that arrive inside it count for latency.
 */
#ifndef QUIRE_METRICS_H
#define QUIRE_METRICS_H

#include <quire/quire.h>

/* What became of one request.  Times since the start of the run; 0: not yet. */
struct quire_outcome {
	uint64_t arrival_ns;
	uint64_t first_scheduled_ns;
	uint64_t first_token_ns; /* of its first sample */
	uint64_t finish_ns;	 /* of its last sample, or of its refusal */
	uint32_t output_tokens;	 /* sampled, over all samples */
	uint32_t preemptions;	 /* over all samples */
	uint32_t samples_left;	 /* that have not finished; core's */
	uint32_t refused;	 /* enum quire_refusal; 0: it was not */
};

/* Why a request was given up. */
#define QUIRE_REFUSALS(X)                                                                          \
	X(NONE, "")                                                                                \
	X(MODEL_LEN, "the prompt leaves no room below --max-model-len")                            \
	X(POOL, "it would not fit even an empty pool (--kv-slots)")                                \
	X(BUDGET, "it needs more tokens in one step than --max-num-batched-tokens")

enum quire_refusal {
#define X(kind, why) QUIRE_REFUSED_##kind,
	QUIRE_REFUSALS(X) QUIRE_REFUSED_COUNT
#undef X
};

/* Rules that a scheduler broke; each call was refused and changed nothing. */
#define QUIRE_FAULTS(X)                                                                            \
	X(TWICE, "planned a sequence twice in one step")                                           \
	X(TOKENS, "planned tokens that are not there")                                             \
	X(OVERSPENT, "asked for more than the rest of the budget after being refused")             \
	X(PLANNED, "preempted a sequence that was in the plan")                                    \
	X(STATE, "planned, preempted or dropped a sequence that was not in a state for it")

enum quire_fault {
#define X(kind, what) QUIRE_FAULT_##kind,
	QUIRE_FAULTS(X) QUIRE_FAULT_COUNT
#undef X
};

struct quire_fault_count {
	uint64_t count;
	uint64_t first_step;
	uint32_t first_seq;
};

/*
 * Inter-token latencies, log-linear like HdrHistogram: 2^7 buckets an octave,
 * so that a value differs from its bucket's middle by at most 0.4 %.
 */
#define QUIRE_HISTOGRAM_BITS 7
struct quire_histogram {
	uint64_t count;
	uint64_t sum_ns, max_ns;
	uint64_t bucket[(64 - QUIRE_HISTOGRAM_BITS + 1) << QUIRE_HISTOGRAM_BITS];
};

struct quire_metrics {
	/* of the whole run */
	struct quire_outcome *outcomes; /* [requests_count] */
	uint32_t requests_count, arrived, finished, refused;
	uint64_t end_ns; /* when the run ended */
	uint64_t steps;	 /* all of them */
	uint64_t digest; /* over the decisions, see event.h */
	uint64_t preemptions, copies, copied_slots, forks;
	uint64_t recomputed_tokens; /* run again after preemptions */
	struct quire_fault_count faults[QUIRE_FAULT_COUNT];
	bool end_asked; /* the allocator called quire_kv_end() */
	uint32_t slots_total;

	/* of the window */
	uint64_t window_from_ns, window_until_ns;
	uint64_t window_steps;
	uint64_t window_first_ns, window_last_ns; /* begin of its first step, end of its last */
	uint64_t seqs_sum, tokens_sum;		  /* over steps: holding slots; tokens run */
	uint64_t token_states_sum, reserved_sum, internal_sum, rounding_sum, free_sum;
	uint64_t largest_sum;	/* largest free run */
	double shared_sum;	/* over steps, of logical / physical map slots; 1 if none */
	uint64_t prompt_tokens; /* of prompts whose first token was sampled in it */
	uint64_t output_tokens; /* sampled in it */
	uint64_t requests_done; /* finished in it */
	struct quire_histogram itl;

	/* The queue at each arrival, for "saturated": sums over quarters of the
	 * arrivals.  See quire_report_saturated(). */
	uint64_t queue_sum[4], queue_count[4];
};

static inline uint32_t quire_histogram_bucket(uint64_t ns)
{
	const uint32_t bits = QUIRE_HISTOGRAM_BITS;
	uint32_t octave;

	if (ns < (1u << bits))
		return (uint32_t)ns;
	octave = 63u - (uint32_t)__builtin_clzll(ns) - bits;
	return (uint32_t)(((uint64_t)octave << bits) + (ns >> octave));
}

/* The middle of a bucket's values. */
static inline double quire_histogram_value(uint32_t bucket)
{
	const uint32_t bits = QUIRE_HISTOGRAM_BITS;
	uint32_t octave = bucket >> bits;

	if (octave < 2)
		return (double)bucket;
	octave -= 1;
	return ((double)((uint64_t)((bucket & ((1u << bits) - 1)) | 1u << bits) << octave)) +
	       (double)((uint64_t)1 << octave) / 2.0;
}

static inline void quire_histogram_add(struct quire_histogram *h, uint64_t ns)
{
	h->count++;
	h->sum_ns += ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
	h->bucket[quire_histogram_bucket(ns)]++;
}

static inline bool quire_in_window(const struct quire_metrics *m, uint64_t at_ns)
{
	return at_ns >= m->window_from_ns && at_ns < m->window_until_ns;
}

#endif /* QUIRE_METRICS_H */
