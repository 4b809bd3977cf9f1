/*
 * model.h - the shape of a language model, and what follows from it by counting.
 *
 * A model is known by a built-in name ("Qwen2.5-7B"), or by the config.json that
 * Hugging Face keeps beside its weights.  From the shape follow, exactly: its
 * parameters, the bytes of K and V that one token costs, and the flops and bytes
 * of a step.  Nothing here knows a GPU; times are the business of core/sim.
 *
 * The decoder families are here: Llama (1, 2, 3; Yi), Mistral, Qwen2, Qwen2.5,
 * Qwen3 and OPT; with experts Mixtral and Qwen3-MoE; with experts and latent
 * attention DeepSeek-V3 and R1.  Another architecture is refused with a sentence.
 *
 * One layer is, with h = hidden, d = head_dim, f = intermediate:
 *
 *	qkv	h x (heads + 2 kv_heads) d	output	heads d x h
 *	mlp	3 (gated) or 2 matrices h x f	norms	2 of h, and 2 of d with qk_norm
 *
 * With experts (experts > 0; Shazeer et al., 2017) the layers behind the first
 * dense_layers have instead of the mlp: a router h x experts; experts mlps of
 * expert_intermediate, experts_used of which a token passes through; and
 * experts_shared more that all tokens pass through.
 *
 * With latent attention (kv_lora_rank > 0: MLA; DeepSeek-V2, arXiv 2405.04434) K and
 * V of a token are one vector of r = kv_lora_rank + rope_head_dim, whatever the heads:
 *
 *	qkv	h x q_lora_rank, q_lora_rank x heads (head_dim + rope_head_dim),
 *		h x r, kv_lora_rank x heads (head_dim + v_head_dim)
 *	output	heads v_head_dim x h		norms	of q_lora_rank, kv_lora_rank
 */
#ifndef QUIRE_MODEL_H
#define QUIRE_MODEL_H

#include <quire/quire.h>

#define QUIRE_MODEL_NAME_MAX 96 /* bytes, with the ending 0 */

struct quire_model {
	char name[QUIRE_MODEL_NAME_MAX];
	const char *family; /* "llama", "mixtral", "deepseek", ...; static */
	uint32_t layers;
	uint32_t hidden;	   /* width of the residual stream */
	uint32_t heads;		   /* of queries */
	uint32_t kv_heads;	   /* of keys and values; heads: no grouping */
	uint32_t head_dim;	   /* often hidden / heads, but not always (Qwen3) */
	uint32_t intermediate;	   /* width of the MLP */
	uint32_t vocab;		   /* rows of the embedding, as stored */
	uint32_t positions_max;	   /* the longest context it was made for, in tokens */
	uint32_t positions_stored; /* rows of learned positions (OPT); 0: rotary */
	bool mlp_gated;		   /* gate, up, down; false: up, down */
	bool embeddings_tied;	   /* the head reuses the embedding */
	bool qkv_bias;		   /* of the three projections */
	bool output_bias;	   /* of the attention's output projection */
	bool mlp_bias;
	bool norm_bias; /* LayerNorm; false: RMSNorm */
	bool qk_norm;	/* a norm of head_dim on Q and on K */

	/* Mixture of experts; experts 0: none. */
	uint32_t experts;	      /* of a layer, of which a token is routed to ... */
	uint32_t experts_used;	      /* ... this many */
	uint32_t experts_shared;      /* passed through by every token */
	uint32_t expert_intermediate; /* width of one */
	uint32_t dense_layers;	      /* the first layers, which have an MLP instead */
	bool router_bias;	      /* one number an expert, for balance (DeepSeek-V3) */

	/* Latent attention; kv_lora_rank 0: none.  Then head_dim is the part of a query
	 * head without position, and kv_heads = heads. */
	uint32_t kv_lora_rank;	/* of the vector that is cached for K and V */
	uint32_t rope_head_dim; /* of the rotated key, cached beside it */
	uint32_t v_head_dim;
	uint32_t q_lora_rank; /* 0: queries are projected directly */
};

/*
 * Fill in @model from @name: a built-in name in any case, perhaps behind its
 * owner's ("Qwen/Qwen2.5-7B"); or the path of a config.json, or of a directory
 * that holds one.
 * Return: 0; -ENOENT unknown (the nearest name is suggested); -EINVAL a bad file;
 * -ENOTSUP an architecture that is not built; see quire_failure().
 */
int quire_model_find(struct quire_model *model, const char *name);
/* Is @name one of the built-in names?  A path of that name is not looked for then. */
bool quire_model_is_builtin(const char *name);
/* Read one config.json.  Errors as above. */
int quire_model_read(struct quire_model *model, const char *path);
/* The built-in models, for lists.  NULL behind the last. */
const struct quire_model *quire_model_builtin(size_t index);

/*
 * How an element is stored: bf16, fp16: 16 bits; fp32: 32; fp8, int8: 8; int4: 4.
 * And which units multiply it where a GPU has them: 8-bit weights meet activations
 * that were rounded to the same type; int4 is unpacked to 16 bits first.
 */
enum quire_units { QUIRE_UNITS_16, QUIRE_UNITS_32, QUIRE_UNITS_FP8, QUIRE_UNITS_INT8 };
struct quire_dtype {
	const char *name;
	uint32_t bits;
	enum quire_units units;
};
/* By name, in any case.  Return: 0; -EINVAL: quire_failure() names @what. */
int quire_dtype_find(const struct quire_dtype **dtype, const char *what, const char *name);
/* The types, for lists.  NULL behind the last. */
const struct quire_dtype *quire_dtype_builtin(size_t index);

/* Parameters, by part.  They sum to total, which is what the publisher counts. */
struct quire_params {
	uint64_t embedding; /* of tokens, and learned positions */
	uint64_t attention; /* all layers: qkv, output projection, their biases */
	uint64_t mlp;	    /* all layers, with biases; all experts and routers */
	uint64_t norms;	    /* all layers and the last one */
	uint64_t head;	    /* 0 if tied */
	uint64_t total;
	uint64_t active; /* of those, without the experts that a token does not meet */
	/*
	 * The count of the course notes: the matrices that a token passes through in
	 * all layers, and one token embedding; no head, no norms, no biases.
	 */
	uint64_t notes;
};
void quire_model_params(const struct quire_model *model, struct quire_params *params);

/* Bytes of all parameters, @bits each, rounded up. */
uint64_t quire_model_weight_bytes(const struct quire_model *model, uint32_t bits);
/*
 * Bytes of K and V of one token in all layers: 2 layers kv_heads head_dim bits / 8;
 * with latent attention layers (kv_lora_rank + rope_head_dim) bits / 8.
 */
uint64_t quire_model_kv_bytes(const struct quire_model *model, uint32_t bits);

/*
 * Matrix elements that one token passes through, by part, over all layers
 * (head: once).  Each costs two flops a token.  A step reads each once; of experts,
 * those that its tokens are routed to, see quire_model_experts_met().
 */
struct quire_matrices {
	uint64_t qkv, output; /* all layers */
	uint64_t mlp;	      /* all layers; with experts: routers, those used, those shared */
	uint64_t head;	      /* hidden x vocab, tied or not */
};
void quire_model_matrices(const struct quire_model *model, struct quire_matrices *matrices);

/*
 * The experts of one layer that @tokens tokens meet, if each picks experts_used of
 * them at random and alone: E (1 - (1 - k/E)^tokens), the expectation.  Real routers
 * are not that even, and meet fewer.
 */
double quire_model_experts_met(const struct quire_model *model, uint64_t tokens);

/*
 * Flops of scores and values for one (query, key) pair in all layers and heads:
 * 4 layers heads head_dim; a multiplication and an addition each for q.k and p.v.
 * With latent attention 2 layers heads (head_dim + rope_head_dim + v_head_dim).
 */
uint64_t quire_model_pair_flops(const struct quire_model *model);

/*
 * Pairs of a causal chunk: @tokens queries behind @cached tokens, each looking at
 * all before it and at itself: tokens * cached + tokens (tokens + 1) / 2.
 */
static inline uint64_t quire_causal_pairs(uint64_t tokens, uint64_t cached)
{
	return tokens * cached + tokens * (tokens + 1) / 2;
}

/* What a piece of work costs, by part, whoever does it. */
struct quire_flops {
	double qkv, attention, output, mlp, head;
	double total;
};
/*
 * Flops of @tokens tokens that form @pairs pairs, of which @rows go through the
 * head.  Biases, norms, rotations and the softmax are not counted (below 1 %).
 */
void quire_model_flops(const struct quire_model *model, uint64_t tokens, uint64_t pairs,
		       uint64_t rows, struct quire_flops *flops);

#endif /* QUIRE_MODEL_H */
