/*
 * cost.h - how long a step takes, and how much memory is left for K and V.
 *
 * A step's time is the sum of its parts; each is rounded up to a whole
 * nanosecond once, so that sums do not depend on the compiler:
 *
 *	matrix	((flops / (a peak))^q + (bytes / (b bandwidth))^q)^(1/q) + c
 *		for each of: qkv, output, mlp in, mlp out, in every layer; and the
 *		head over the rows that are sampled.  Tabulated by tokens.
 *	attention  for each sequence the larger of its flops (causal pairs) and its
 *		bytes (K and V of its context, read once) over their own shares; and a
 *		launch a layer
 *	small	norms, rotations, activations: bytes over b bandwidth
 *	link	2 all-reduces a layer with tensor parallelism: 2 (tp-1)/tp bytes
 *		over the link, and the link's latency
 *	copies	each slot read and written once
 *	host	step_ns + seq_ns a sequence
 *
 * With a, b <= 1 no step is faster than the datasheet's roofline.  The text is
 * docs/performance-model.md; the roofline is Williams et al., CACM 52(4), 2009.
 *
 * A cost is not shared by threads: its tables fill as they are used.
 */
#ifndef QUIRE_COST_H
#define QUIRE_COST_H

#include "core/model/model.h"
#include "core/plan.h"
#include "core/sim/gpu.h"

struct quire_cost_config {
	uint32_t tp;		  /* GPUs that share every layer, >= 1 */
	uint32_t weight_bits;	  /* of an element, see quire_dtype_find() */
	uint32_t kv_bits;	  /* of an element of K or V */
	uint32_t step_tokens_max; /* length of the tables; larger steps are right, but slow */
	uint32_t seqs_max;	  /* the same, of the rows sampled in a step */
};

/*
 * The work of one step, summed over its sequences: all that the model looks at.
 * Start from zeros and use quire_cost_batch_add().
 */
struct quire_cost_batch {
	uint64_t tokens;	 /* through the layers */
	uint64_t seqs;		 /* sequences, padding rows included */
	uint64_t rows;		 /* through the head */
	uint64_t single_context; /* of sequences with one token: keys read, = pairs */
	uint64_t chunk_units;	 /* attention of the others, in 2^-24 ns */
	uint64_t chunk_pairs;	 /* their (query, key) pairs and ... */
	uint64_t chunk_context;	 /* ... their contexts, for figures only */
	uint64_t copied_slots;
};

/* Where the time of one step goes.  The step takes the sum. */
struct quire_cost_parts {
	uint64_t qkv_ns, attention_ns, output_ns, mlp_ns, small_ns; /* all layers */
	uint64_t head_ns;					    /* and sampling */
	uint64_t link_ns;					    /* all-reduces of the layers */
	uint64_t copies_ns, host_ns;
};

struct quire_cost {
	struct quire_model model;
	struct quire_gpu gpu;
	struct quire_cost_config config;
	uint64_t *layers_ns;   /* [step_tokens_max + 1] qkv, output, mlp, small, link; 0: not yet */
	uint64_t *head_ns;     /* [seqs_max + 1] by rows; 0: not yet */
	uint64_t pair_units;   /* flops of one (query, key) pair on one GPU, in 2^-24 ns */
	uint64_t key_units;    /* bytes of one token's K and V, likewise */
	uint64_t single_units; /* the larger of the two */
	uint64_t attention_launch_ns; /* of all layers */
	uint64_t step_ns, seq_ns;
	double copy_ns; /* of one slot */
};

/*
 * Return: 0; -EINVAL the model cannot be cut into tp parts; -ENOMEM; see
 * quire_failure().  @model and @gpu are copied.
 */
int quire_cost_init(struct quire_cost *cost, const struct quire_model *model,
		    const struct quire_gpu *gpu, const struct quire_cost_config *config);
void quire_cost_free(struct quire_cost *cost);

/* The time of one step.  A plan is not empty. */
uint64_t quire_cost_step_ns(struct quire_cost *cost, const struct quire_plan *plan);

/* The batch that a plan is. */
void quire_cost_batch_plan(const struct quire_cost *cost, const struct quire_plan *plan,
			   struct quire_cost_batch *batch);
/* Add @seqs alike sequences with @tokens tokens each, behind @cached ones, all
 * sampled or none. */
void quire_cost_batch_add(const struct quire_cost *cost, struct quire_cost_batch *batch,
			  uint64_t seqs, uint64_t tokens, uint64_t cached, bool sampled);
/* The time of a batch; the same, by part (the sum is equal). */
uint64_t quire_cost_batch_ns(struct quire_cost *cost, const struct quire_cost_batch *batch);
void quire_cost_batch_parts(const struct quire_cost *cost, const struct quire_cost_batch *batch,
			    struct quire_cost_parts *parts);
uint64_t quire_cost_parts_ns(const struct quire_cost_parts *parts);

/*
 * The datasheet's answer to the same batch: the time that no machine can beat.
 *
 *	flops: 2 a matrix element and token, and those of the pairs
 *	bytes: every matrix once, every context's K and V once
 */
struct quire_roofline {
	double flops, bytes;	   /* of one GPU of tp */
	double flops_ns, bytes_ns; /* at the peak; the larger is the bound */
};
void quire_cost_roofline(const struct quire_cost *cost, const struct quire_cost_batch *batch,
			 struct quire_roofline *roofline);

/* Where the memory of one GPU goes.
 *
 *	memory * utilization = weights + workspace + kv
 */
struct quire_memory {
	double memory_bytes;	/* of one GPU */
	double usable_bytes;	/* times utilization */
	double weight_bytes;	/* total / tp */
	double workspace_bytes; /* see quire_memory_split() */
	double kv_bytes;	/* what is left; negative: it does not fit */
	double slot_bytes;	/* of one token's K and V on one GPU */
	uint64_t slots;		/* floor(kv_bytes / slot_bytes), 0 if negative */
};

/*
 * workspace = 1 GiB (driver, context, libraries, graphs)
 *	     + step_tokens_max * 2 bytes * (4 hidden + (qkv + 2 or 3 intermediate) / tp)
 *	     + seqs_max * vocab * 10 bytes (logits in 16 and 32 bits, sampling)
 */
void quire_memory_split(const struct quire_model *model, const struct quire_gpu *gpu,
			const struct quire_cost_config *config, double utilization,
			struct quire_memory *memory);

/*
 * Slots of the pool that fits beside weights and workspace.
 * Return: 0; -E2BIG the weights do not fit, -EINVAL as quire_cost_init(); see
 * quire_failure().
 */
int quire_kv_slots(const struct quire_model *model, const struct quire_gpu *gpu,
		   const struct quire_cost_config *config, double utilization, uint32_t *slots);

#endif /* QUIRE_COST_H */
