/*
 * estimate.h - one batch from start to end, counted in five ways.
 *
 * A batch of equal requests: all prompts first, in steps of at most
 * step_tokens_max tokens; then output - 1 steps with one token of each.  No
 * arrivals, no queue: this is the arithmetic one does before running anything.
 * With P parameters by the notes' count (quire_params.notes), B requests, S prompt
 * tokens, O output tokens, and C = S + O/2, the context of an average output token:
 *
 *	quick	prefill 2 B S P flops; a decode step 2 B P; time at the peak
 *	notes	prefill B (2 S L + pair S S); a decode step B (2 L + pair C), where
 *		L are the matrix elements of the layers, without embedding and head, and
 *		pair the flops of one (query, key) pair: attention is a full square
 *	exact	as notes, but attention is causal, S (S + 1) / 2 pairs, and the head is
 *		counted for the rows that are sampled
 *	roofline  each step takes the longer of its flops at the peak and its bytes (all
 *		weights, all K and V) at the datasheet's bandwidth
 *	model	the cost model, cost.h
 */
#ifndef QUIRE_ESTIMATE_H
#define QUIRE_ESTIMATE_H

#include "core/sim/cost.h"

struct quire_estimate_config {
	struct quire_model model;
	struct quire_gpu gpu;
	struct quire_cost_config cost; /* step_tokens_max cuts the prompts */
	double utilization;	       /* of the memory, as --gpu-memory-utilization */
	uint32_t prompt_tokens;	       /* of each request */
	uint32_t output_tokens;	       /* of each request, >= 1 */
};

/* One way of counting: flops of all GPUs, time at their peak. */
struct quire_count {
	double prefill_flops; /* of all prompts */
	double prefill_s;
	double decode_flops; /* of one step, on average */
	double decode_s;
};

/* One phase on one GPU of tp, summed over its steps. */
struct quire_phase {
	uint64_t steps;
	double flops, bytes;	   /* roofline's */
	double flops_ns, bytes_ns; /* each at the datasheet's rate */
	double roofline_ns;	   /* sum over steps of the larger */
	uint64_t model_ns;	   /* the cost model's */
};

struct quire_estimate {
	uint32_t batch;
	struct quire_count quick, notes, exact;
	struct quire_phase prefill, decode;
	struct quire_cost_parts prefill_parts; /* sums to prefill.model_ns */
	struct quire_cost_parts decode_parts;  /* of a step at the mean context */
	struct quire_memory memory;	       /* split with seqs_max = batch */
	uint64_t slots;			       /* that the batch needs at its end */
	bool fits;			       /* slots <= memory.slots */
};

/*
 * Return: 0; -EINVAL as quire_cost_init(); -ENOMEM; see quire_failure().
 */
int quire_estimate(struct quire_estimate *e, const struct quire_estimate_config *config,
		   uint32_t batch);

/* The largest batch that fits the memory; 0: none does. */
uint32_t quire_estimate_batch_max(const struct quire_estimate_config *config);

#endif /* QUIRE_ESTIMATE_H */
