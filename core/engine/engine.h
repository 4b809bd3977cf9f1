/*
 * engine.h - executors that run the model: cpu and cuda.
 *
 * Both keep the KV cache: for every slot of the pool and every layer, the keys and
 * values of one token.  Allocators own slot numbers, the engine owns the bytes:
 *
 *	K of (layer, slot, kv head) is head_dim elements, and so is V
 *
 * A step: the copies of the plan, in order; then all items' tokens through the model
 * (the map of a sequence says which slot its token i has); then logits and sampling for
 * items that ask for candidates.  A padded plan runs items_count * pad_tokens rows: what
 * is beyond an item's own tokens is computed and thrown away, and writes no slot.
 * Tokens and sampling are those of streams.h.
 *
 * The clock is the real one, from quire_engine_start() on.
 */
#ifndef QUIRE_ENGINE_H
#define QUIRE_ENGINE_H

#include "core/exec.h"
#include "core/model/checkpoint.h"
#include "streams.h"

struct quire_engine_config {
	const struct quire_checkpoint *checkpoint; /* borrowed */
	struct quire_streams *streams;		   /* borrowed */
	uint32_t slots_total;			   /* the pool */
	uint32_t seqs_max;			   /* sequences that hold slots at one time */
	uint32_t step_tokens_max;		   /* rows of a step, padding included */
	uint32_t seq_tokens_max;		   /* the longest sequence */
	enum quire_weight_type kv_type;		   /* of the cache */
	uint32_t threads;			   /* of the cpu; 0: one for each core */
	bool fast_products;			   /* cpu: OpenBLAS for long prompts; tokens may
						    * then depend on the batch; cuda: the ways
						    * to multiply that are fastest by timing */
	bool poison;				   /* fill freed and fresh slots with NaN; slow */
	bool quiet_clock;			   /* time stands still while idle: idle() jumps */
	uint64_t seed;				   /* of random weights */
};

/* What the engine did, for reports. */
struct quire_engine_stats {
	uint64_t steps, tokens, rows; /* rows: with padding */
	uint64_t weight_bytes_read;   /* by the steps: each weight once a step */
	uint64_t kv_bytes_read;	      /* keys and values that were looked at */
	uint64_t kv_bytes;	      /* of the pool */
	double busy_s;		      /* in step() ... */
	double waited_s;	      /* ... and of that, waiting for a device */
	uint64_t replayed, launched;  /* cuda: batches run as a graph, kernel by kernel ... */
	uint64_t captured;	      /* ... and of these, made a graph for the next alike */
};

/*
 * Make an executor: memory for the pool and for the largest step is taken here.
 * Return: 0, @exec is ready and is to be given to quire_engine_free(); -ENOMEM, the
 * sentence says how much was wanted and what there is; -ENOTSUP; -errno.
 */
int quire_engine_cpu(struct quire_exec *exec, const struct quire_engine_config *config);
int quire_engine_cuda(struct quire_exec *exec, const struct quire_engine_config *config);
/* Memory of the GPU.  Return: 0; -ENODEV there is none, or its driver is too old;
 * -ENOTSUP quire was built without CUDA; see quire_failure(). */
int quire_cuda_memory(uint64_t *free_bytes, uint64_t *total_bytes);
/* Its name, as in "NVIDIA H200"; "" if there is none. */
const char *quire_cuda_name(void);
/* Time starts now. */
void quire_engine_start(struct quire_exec *exec);
void quire_engine_stats(const struct quire_exec *exec, struct quire_engine_stats *stats);
/* Wake a sleeping idle(); may be called by a signal's handler. */
void quire_engine_wake(struct quire_exec *exec);
void quire_engine_free(struct quire_exec *exec);

/*
 * Logits for a test or a tool: run @tokens [@count] as one new sequence in slots
 * 0 .. count - 1, and give the logits of each position, @logits [count][vocab].
 * Not while a loop uses the executor.  Return: 0; -E2BIG; -EIO.
 */
int quire_engine_logits(struct quire_exec *exec, const uint32_t *tokens, uint32_t count,
			float *logits);

/* Bytes of K and V of one token, all layers. */
uint64_t quire_engine_slot_bytes(const struct quire_checkpoint *checkpoint,
				 enum quire_weight_type kv_type);

#endif /* QUIRE_ENGINE_H */
