/*
 * checkpoint.h - a model with its weights: a Hugging Face directory, as it is.
 *
 *	config.json				the shape, and what only running it needs
 *	generation_config.json			optional: how its makers would sample
 *	model.safetensors, or shards with model.safetensors.index.json
 *	tokenizer.json, tokenizer_config.json	see tokenizer.h
 *
 * Weights are mapped, not copied: a weight points into the file, and the system
 * reads what is touched.  Every tensor that the architecture has must be there with
 * its shape and one of the types below, and nothing else may be (but buffers that
 * others derive, like rotary tables); a head that is tied may be missing or be there.
 *
 * Llama (2, 3, 3.1), Mistral, Qwen2, Qwen2.5 and Qwen3 can be run.  A layer is, for
 * a row x of the residual stream at position p:
 *
 *	a = attention_norm(x)
 *	q, k, v = a q^T + q_bias, a k^T + k_bias, a v^T + v_bias
 *	q, k = q_norm(q), k_norm(k) of each head			(Qwen3)
 *	q, k = rotated by p (rope)
 *	x = x + output(attention(q, keys, values))
 *	m = mlp_norm(x)
 *	x = x + (silu(m gate^T) * (m up^T)) down^T
 *
 * and the logits are norm(x) head^T.
 */
#ifndef QUIRE_CHECKPOINT_H
#define QUIRE_CHECKPOINT_H

#include "model.h"

enum quire_weight_type { QUIRE_BF16, QUIRE_FP16, QUIRE_FP32 };

/* A matrix [rows][columns], row by row; a vector has one row.  y = x W^T. */
struct quire_weight {
	const void *data; /* NULL: the architecture has none; little-endian, unaligned */
	enum quire_weight_type type;
	uint32_t rows, columns; /* outputs, inputs */
};

struct quire_layer_weights {
	struct quire_weight attention_norm;	    /* [1][hidden] */
	struct quire_weight q;			    /* [heads head_dim][hidden] */
	struct quire_weight k, v;		    /* [kv_heads head_dim][hidden] */
	struct quire_weight q_bias, k_bias, v_bias; /* [1][rows of theirs], or none */
	struct quire_weight q_norm, k_norm;	    /* [1][head_dim], or none */
	struct quire_weight output;		    /* [hidden][heads head_dim] */
	struct quire_weight mlp_norm;		    /* [1][hidden] */
	struct quire_weight gate, up;		    /* [intermediate][hidden] */
	struct quire_weight down;		    /* [hidden][intermediate] */
};

/*
 * Rotary positions (Su et al., arXiv 2104.09864), in the halves of Hugging Face:
 * element i < head_dim / 2 of a head is rotated with element i + head_dim / 2, by
 * position * frequency[i], where frequency[i] = theta^(-2 i / head_dim), scaled:
 *
 *	linear	frequency / factor
 *	llama3	with wavelength w = 2 pi / frequency (Llama 3.1's own rule):
 *		w < original / high_factor: as it is; w > original / low_factor: / factor;
 *		between, s = (original / w - low_factor) / (high_factor - low_factor):
 *		(1 - s) frequency / factor + s frequency
 */
enum quire_rope_scaling { QUIRE_ROPE_PLAIN, QUIRE_ROPE_LINEAR, QUIRE_ROPE_LLAMA3 };
struct quire_rope {
	double theta;
	enum quire_rope_scaling scaling;
	double factor, low_factor, high_factor; /* low_freq_factor, high_freq_factor */
	double original;			/* original_max_position_embeddings, in tokens */
};
/* Fill frequency [head_dim / 2], radians a position; the same for every executor. */
void quire_rope_frequencies(const struct quire_rope *rope, uint32_t head_dim, float *frequency);

#define QUIRE_ENDS_MAX 16

struct quire_checkpoint {
	char *path; /* owned; the directory, or NULL of random weights */
	struct quire_model model;
	double norm_eps; /* y = x / sqrt(mean(x^2) + norm_eps) * weight */
	struct quire_rope rope;
	uint32_t window;	       /* tokens that attention looks back on, itself
					* included; 0: all (sliding_window) */
	uint32_t ends[QUIRE_ENDS_MAX]; /* [ends_count] tokens that end a text */
	uint32_t ends_count;
	uint32_t begin;			    /* the token that begins one; UINT32_MAX: none */
	double temperature;		    /* of generation_config.json; 0: greedy; */
	double top_p, repetition_penalty;   /* 1: without */
	uint32_t top_k;			    /* 0: without */
	enum quire_weight_type type;	    /* of most of the weights */
	uint64_t weight_bytes;		    /* of all tensors that are used */
	struct quire_weight embedding;	    /* [vocab][hidden] */
	struct quire_weight norm;	    /* [1][hidden] */
	struct quire_weight head;	    /* [vocab][hidden]; tied: the embedding again */
	struct quire_layer_weights *layers; /* [model.layers]; owned */
	struct quire_tensors *tensors;	    /* the mapped files; owned; NULL if random */
	void *random;			    /* weights that were drawn; owned */
};

/*
 * Open the directory at @path.  Nothing is allocated before its size is checked
 * against the files, and a bad one is told in one sentence that names the file.
 * Return: 0; -ENOTSUP an architecture that cannot be run (experts, MLA, OPT); -EINVAL
 * a bad file; -errno; see quire_failure().
 */
int quire_checkpoint_open(struct quire_checkpoint *checkpoint, const char *path);

/*
 * The same without files, as "--load-format dummy" of vLLM: a built-in model's or a
 * config.json's shape with random weights, normal with deviation 0.02 (norms are 1,
 * biases 0), a pure function of @seed.  @draw false: no memory is taken and all
 * data are NULL, for executors that draw their own, and for quire_checkpoint_draw().
 */
int quire_checkpoint_random(struct quire_checkpoint *checkpoint, const char *name,
			    enum quire_weight_type type, uint64_t seed, bool draw);

/*
 * Draw the weights of one that was made with @draw false.  Many take a while: @progress
 * is called now and then, in this thread, with the share that is done; it may be NULL.
 * Return: 0; -ENOMEM, and @checkpoint is as it was; see quire_failure().
 */
int quire_checkpoint_draw(struct quire_checkpoint *checkpoint, uint64_t seed,
			  void (*progress)(void *arg, double share), void *arg);

void quire_checkpoint_close(struct quire_checkpoint *checkpoint);

/* Bytes of an element, and its name: "bf16". */
uint32_t quire_weight_type_bytes(enum quire_weight_type type);
const char *quire_weight_type_name(enum quire_weight_type type);

#endif /* QUIRE_CHECKPOINT_H */
