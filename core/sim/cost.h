/*
 * cost.h - how long a step takes, and how much memory is left for K and V.
 *
 * A step's time is the sum of its parts; each is rounded up to a whole
 * nanosecond once, so that sums do not depend on the compiler:
 *
 *	matrix	((flops / (a peak))^q + (bytes / (b bandwidth))^q)^(1/q) + c
 *		for each of: qkv, output, mlp in, mlp out, in every layer; and the
 *		head over the rows that are sampled.  Tabulated by tokens.
 *	experts	as one matrix product: tokens * experts_used rows, and the bytes of the
 *		experts that are met (quire_model_experts_met())
 *	attention  see below
 *	small	norms, rotations, activations: bytes over b bandwidth, and c a layer
 *	link	2 all-reduces a layer with tensor parallelism: 2 (tp-1)/tp bytes
 *		over the link, and the link's latency
 *	copies	each slot read and written once
 *	host	step_ns + seq_ns a sequence, and chunk_ns if any has more tokens than one
 *
 * Attention of one layer spreads pieces of work over the GPU's P multiprocessors (SM).
 * It takes the longer of all work at the whole GPU's rate, and of the longest piece
 * at the rate of one SM, which alone does 1.75 times its share (an SM is not busy for
 * 1/1.75 of the time when all are); and c', and e for each sequence and head of K and V:
 *
 *	work	a sequence with one token: the larger of its flops at a' peak and its
 *		bytes at b' bandwidth (K and V of its context, read once)
 *		a chunk: the same, its pairs those of the mask and 256 more a token, for
 *		tiles that the mask cuts, are empty, or begin
 *	piece	of single tokens: the longest context, or 1/16 of all contexts if that
 *		is less, of one head of K and V; at b' bandwidth / P
 *		of a chunk: a tile of 128 queries of one head over its whole context; at
 *		a' peak / P
 *	heads	a pair or a key of d elements costs as much as one of (d + 128) / 2, but
 *		not less than d: the softmax does not shrink with the head
 *
 * The five numbers 1.75, 256, 16, 128 and 128 are of the formula, for all GPUs, and were
 * found on one table (H200); what a GPU has of its own are its eight constants.
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
	uint32_t tp;		       /* GPUs that share every layer, >= 1 */
	uint32_t weight_bits;	       /* of an element, see quire_dtype_find() */
	uint32_t kv_bits;	       /* of an element of K or V */
	uint32_t step_tokens_max;      /* length of the tables; larger steps are right, but slow */
	uint32_t seqs_max;	       /* the same, of the rows sampled in a step */
	enum quire_units weight_units; /* see quire_dtype; 8-bit ones where the GPU has them */
	/*
	 * 0: the prediction.  s: the prediction and s standard deviations of its error,
	 * where the errors of matrices, of attention, and of the rest are each the same in
	 * all steps (they are of kernels, not of runs) but independent of each other;
	 * never below the roofline.  Slow.
	 */
	double sigmas;
};

/*
 * The work of one step, summed over its sequences: all that the model looks at.
 * Start from zeros and use quire_cost_batch_add().
 */
struct quire_cost_batch {
	uint64_t tokens;	    /* through the layers */
	uint64_t seqs;		    /* sequences, padding rows included */
	uint64_t rows;		    /* through the head */
	uint64_t single_context;    /* of sequences with one token: keys read, = pairs */
	uint64_t context_max;	    /* the longest of all sequences ... */
	uint64_t chunk_context_max; /* ... of those with more tokens than one */
	uint64_t chunk_units;	    /* attention of the others, in 2^-24 ns */
	uint64_t chunk_pairs;	    /* their (query, key) pairs and ... */
	uint64_t chunk_context;	    /* ... their contexts */
	uint64_t copied_slots;
};

/* Where the time of one step goes.  The step takes the sum. */
struct quire_cost_parts {
	uint64_t qkv_ns, attention_ns, output_ns, mlp_ns, small_ns; /* all layers */
	uint64_t head_ns;					    /* and sampling */
	uint64_t link_ns;					    /* all-reduces of the layers */
	uint64_t copies_ns, host_ns;
};

/* A matrix that steps multiply with; what one of tp GPUs holds of it. */
enum quire_part { QUIRE_PART_QKV, QUIRE_PART_OUTPUT, QUIRE_PART_MLP };
struct quire_cost_matrix {
	enum quire_part part;
	uint64_t in, out;
	uint64_t layers; /* that have one like it */
	bool experts;	 /* each has model.experts of them */
};

#define QUIRE_COST_MATRICES_MAX 12

struct quire_cost {
	struct quire_model model;
	struct quire_gpu gpu;
	struct quire_cost_config config;
	struct quire_cost_matrix matrices[QUIRE_COST_MATRICES_MAX]; /* [matrices_count] */
	uint32_t matrices_count;
	uint64_t *layers_ns;   /* [step_tokens_max + 1] matrices, small, link; 0: not yet */
	uint64_t *head_ns;     /* [seqs_max + 1] by rows; 0: not yet */
	uint64_t pair_units;   /* flops of one (query, key) pair on one GPU, in 2^-24 ns */
	uint64_t key_units;    /* bytes of one token's K and V, likewise */
	uint64_t cached_units; /* latent: making K and V of a token that a chunk looks back at */
	uint64_t single_units; /* the larger of the two, for a single token */
	uint64_t single_piece_units;  /* a key in the longest piece of single tokens */
	uint64_t chunk_piece_units;   /* ... of a chunk */
	uint64_t seq_units;	      /* tiles of a sequence in all layers */
	uint64_t attention_launch_ns; /* of all layers */
	uint64_t step_ns, seq_ns, chunk_ns;
	double copy_ns; /* of one slot */
};

/*
 * Return: 0; -EINVAL the model cannot be cut into tp parts; -ENOMEM; see
 * quire_failure().  @model and @gpu are copied.
 */
int quire_cost_init(struct quire_cost *cost, const struct quire_model *model,
		    const struct quire_gpu *gpu, const struct quire_cost_config *config);
void quire_cost_free(struct quire_cost *cost);

/*
 * One product of (@tokens x @in) with (@in x @out), in ns: the formula above.  The
 * weights have @weight_bits each and are multiplied by @units.
 */
double quire_gemm_ns(const struct quire_gpu *gpu, enum quire_units units, uint32_t weight_bits,
		     double tokens, double in, double out);

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
 *	bytes: every matrix once (of experts those that are met), every context's K and
 *	       V once
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
