/*
 * checkpoint.c - a directory's configuration and its tensors put together.
 */
#include "checkpoint.h"
#include "checkpoint_parts.h"
#include "safetensors.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

uint32_t quire_weight_type_bytes(enum quire_weight_type type)
{
	return type == QUIRE_FP32 ? 4 : 2;
}

const char *quire_weight_type_name(enum quire_weight_type type)
{
	return type == QUIRE_BF16 ? "bf16" : type == QUIRE_FP16 ? "fp16" : "fp32";
}

/* ---- the weights of a layer, in the order of checkpoint.h ---------------------- */

enum side { ONE, HIDDEN, HEAD, HEADS, KV_HEADS, INTERMEDIATE };

#define LAYER_WEIGHTS(X)                                                                           \
	X(attention_norm, "input_layernorm.weight", NORM, ONE, HIDDEN)                             \
	X(q, "self_attn.q_proj.weight", MATRIX, HEADS, HIDDEN)                                     \
	X(k, "self_attn.k_proj.weight", MATRIX, KV_HEADS, HIDDEN)                                  \
	X(v, "self_attn.v_proj.weight", MATRIX, KV_HEADS, HIDDEN)                                  \
	X(q_bias, "self_attn.q_proj.bias", BIAS, ONE, HEADS)                                       \
	X(k_bias, "self_attn.k_proj.bias", BIAS, ONE, KV_HEADS)                                    \
	X(v_bias, "self_attn.v_proj.bias", BIAS, ONE, KV_HEADS)                                    \
	X(q_norm, "self_attn.q_norm.weight", NORM, ONE, HEAD)                                      \
	X(k_norm, "self_attn.k_norm.weight", NORM, ONE, HEAD)                                      \
	X(output, "self_attn.o_proj.weight", MATRIX, HIDDEN, HEADS)                                \
	X(mlp_norm, "post_attention_layernorm.weight", NORM, ONE, HIDDEN)                          \
	X(gate, "mlp.gate_proj.weight", MATRIX, INTERMEDIATE, HIDDEN)                              \
	X(up, "mlp.up_proj.weight", MATRIX, INTERMEDIATE, HIDDEN)                                  \
	X(down, "mlp.down_proj.weight", MATRIX, HIDDEN, INTERMEDIATE)

#define ROW(field_, name_, kind_, rows_, columns_)                                                 \
	{name_, offsetof(struct quire_layer_weights, field_), QUIRE_WEIGHT_##kind_, rows_,         \
	 columns_},
static const struct {
	const char *name;
	size_t offset;
	enum quire_weight_kind kind;
	enum side rows, columns;
} parts[] = {LAYER_WEIGHTS(ROW)};

#define PARTS_COUNT (sizeof(parts) / sizeof(parts[0]))

static uint32_t side_of(const struct quire_model *m, enum side side)
{
	switch (side) {
	case ONE:
		return 1;
	case HIDDEN:
		return m->hidden;
	case HEAD:
		return m->head_dim;
	case HEADS:
		return m->heads * m->head_dim;
	case KV_HEADS:
		return m->kv_heads * m->head_dim;
	default:
		return m->intermediate;
	}
}

static bool has_part(const struct quire_model *m, size_t part)
{
	if (parts[part].kind == QUIRE_WEIGHT_BIAS)
		return m->qkv_bias;
	return parts[part].columns != HEAD || m->qk_norm;
}

typedef int weight_fn(void *arg, const char *name, enum quire_weight_kind kind,
		      struct quire_weight *weight);

static int one(weight_fn *fn, void *arg, const char *name, enum quire_weight_kind kind,
	       uint32_t rows, uint32_t columns, struct quire_weight *weight)
{
	weight->rows = rows;
	weight->columns = columns;
	return fn(arg, name, kind, weight);
}

int quire_checkpoint_each(struct quire_checkpoint *c, weight_fn *fn, void *arg)
{
	const struct quire_model *m = &c->model;
	char name[96];
	int rc;

	rc = one(fn, arg, "embed_tokens.weight", QUIRE_WEIGHT_MATRIX, m->vocab, m->hidden,
		 &c->embedding);
	for (uint32_t i = 0; i < m->layers && !rc; i++) {
		for (size_t p = 0; p < PARTS_COUNT && !rc; p++) {
			if (!has_part(m, p))
				continue;
			snprintf(name, sizeof(name), "layers.%" PRIu32 ".%s", i, parts[p].name);
			rc = one(fn, arg, name, parts[p].kind, side_of(m, parts[p].rows),
				 side_of(m, parts[p].columns),
				 (void *)((char *)&c->layers[i] + parts[p].offset));
		}
	}
	if (!rc)
		rc = one(fn, arg, "norm.weight", QUIRE_WEIGHT_NORM, 1, m->hidden, &c->norm);
	if (!rc && !m->embeddings_tied)
		rc = one(fn, arg, "lm_head.weight", QUIRE_WEIGHT_MATRIX, m->vocab, m->hidden,
			 &c->head);
	if (!rc && m->embeddings_tied)
		c->head = c->embedding;
	return rc;
}

/* ---- the tensors that they are ------------------------------------------------- */

struct binding {
	const char *path; /* of the directory */
	const struct quire_tensors *tensors;
	const char *prefix;	/* "model." or none, of all but the head */
	bool *used;		/* [tensors->count] */
	uint64_t type_bytes[3]; /* by enum quire_weight_type */
};

static int check_type(const char *path, const struct quire_tensor *tensor,
		      enum quire_weight_type *type)
{
	switch (tensor->type) {
	case QUIRE_TENSOR_BF16:
		*type = QUIRE_BF16;
		return 0;
	case QUIRE_TENSOR_F16:
		*type = QUIRE_FP16;
		return 0;
	case QUIRE_TENSOR_F32:
		*type = QUIRE_FP32;
		return 0;
	default:
		return quire_fail(-ENOTSUP,
				  "%s: tensor '%s' is of type %s, which cannot be run; BF16, F16 "
				  "and F32 can",
				  path, tensor->name, quire_tensor_type_name(tensor->type));
	}
}

static int check_matrix(const char *path, const struct quire_tensor *tensor,
			const struct quire_weight *weight)
{
	const bool vector = weight->rows == 1;
	const uint64_t expected[2] = {vector ? weight->columns : weight->rows, weight->columns};
	char shape[QUIRE_TENSOR_RANK_MAX * 22 + 1] = "", wanted[48];
	size_t used = 0;

	if (tensor->rank == (vector ? 1 : 2) && tensor->shape[0] == expected[0] &&
	    (vector || tensor->shape[1] == expected[1]))
		return 0;
	for (uint32_t i = 0; i < tensor->rank; i++)
		used += (size_t)snprintf(shape + used, sizeof(shape) - used, "%s%" PRIu64,
					 i ? " x " : "", tensor->shape[i]);
	if (vector)
		snprintf(wanted, sizeof(wanted), "%" PRIu64, expected[0]);
	else
		snprintf(wanted, sizeof(wanted), "%" PRIu64 " x %" PRIu64, expected[0],
			 expected[1]);
	return quire_fail(-EINVAL, "%s: tensor '%s' has the shape %s; by config.json it is %s",
			  path, tensor->name, tensor->rank ? shape : "of one number", wanted);
}

static int bind_weight(void *arg, const char *name, enum quire_weight_kind kind,
		       struct quire_weight *weight)
{
	struct binding *b = arg;
	const bool head = strcmp(name, "lm_head.weight") == 0;
	const struct quire_tensor *tensor;
	char full[128];
	int rc;

	(void)kind;
	snprintf(full, sizeof(full), "%s%s", head ? "" : b->prefix, name);
	tensor = quire_tensors_find(b->tensors, full);
	if (!tensor)
		return quire_fail(-EINVAL, "%s: tensor '%s' is missing", b->path, full);
	if ((rc = check_matrix(b->path, tensor, weight)) ||
	    (rc = check_type(b->path, tensor, &weight->type)))
		return rc;
	weight->data = tensor->data;
	b->used[tensor - b->tensors->list] = true;
	b->type_bytes[weight->type] += tensor->bytes;
	return 0;
}

/* A head that is tied may be stored; but then it is the embedding. */
static int check_tied_head(const struct quire_checkpoint *c, struct binding *b)
{
	const struct quire_tensor *head = quire_tensors_find(b->tensors, "lm_head.weight");
	enum quire_weight_type type = c->embedding.type;
	int rc;

	if (!c->model.embeddings_tied || !head)
		return 0;
	if ((rc = check_matrix(b->path, head, &c->embedding)) ||
	    (rc = check_type(b->path, head, &type)))
		return rc;
	if (type != c->embedding.type || memcmp(head->data, c->embedding.data, head->bytes) != 0)
		return quire_fail(-EINVAL,
				  "%s: tensor 'lm_head.weight' is not the embedding, but by "
				  "config.json it is tied to it",
				  b->path);
	b->used[head - b->tensors->list] = true;
	return 0;
}

/* What others store and everybody can compute: rotary tables. */
static bool derived(const char *name)
{
	static const char *const ends[] = {"rotary_emb.inv_freq", "rotary_emb.cos_cached",
					   "rotary_emb.sin_cached"};
	const size_t length = strlen(name);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const size_t end = strlen(ends[i]);

		if (length >= end && strcmp(name + length - end, ends[i]) == 0 &&
		    (length == end || name[length - end - 1] == '.'))
			return true;
	}
	return false;
}

static int bind_weights(struct quire_checkpoint *c)
{
	const struct quire_tensors *t = c->tensors;
	struct binding b = {.path = c->path, .tensors = t, .prefix = "model."};
	int rc;

	if (quire_tensors_find(t, "embed_tokens.weight"))
		b.prefix = "";
	b.used = calloc(t->count ? t->count : 1, sizeof(*b.used));
	if (!b.used)
		return quire_fail(-ENOMEM, "%s: out of memory", c->path);
	rc = quire_checkpoint_each(c, bind_weight, &b);
	if (!rc)
		rc = check_tied_head(c, &b);
	for (uint32_t i = 0; i < t->count && !rc; i++) {
		if (!b.used[i] && !derived(t->list[i].name))
			rc = quire_fail(-EINVAL,
					"%s: tensor '%s' is none that a model of the family '%s' "
					"and this config.json has",
					c->path, t->list[i].name, c->model.family);
	}
	free(b.used);
	c->weight_bytes = 0;
	for (int i = QUIRE_BF16; i <= QUIRE_FP32; i++) {
		c->weight_bytes += b.type_bytes[i];
		if (b.type_bytes[i] > b.type_bytes[c->type])
			c->type = (enum quire_weight_type)i;
	}
	return rc;
}

/* ---- the directory ------------------------------------------------------------- */

static int path_in(const char *directory, const char *name, char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%s/%s", directory, name) < PATH_MAX)
		return 0;
	return quire_fail(-ENAMETOOLONG, "%.60s...: the path is too long", directory);
}

static int open_directory(struct quire_checkpoint *c, const char *directory)
{
	struct quire_config config;
	char path[PATH_MAX];
	struct stat st;
	int rc;

	if (stat(directory, &st) != 0)
		return quire_fail(-errno, "%s: %s", directory, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return quire_fail(-ENOTDIR,
				  "%s: expected a directory with config.json and safetensors",
				  directory);
	c->path = strdup(directory);
	if (!c->path)
		return quire_fail(-ENOMEM, "%s: out of memory", directory);
	if ((rc = path_in(directory, "config.json", path)) ||
	    (rc = quire_config_load(&config, path)))
		return rc;
	rc = quire_checkpoint_configure(c, &config);
	quire_config_free(&config);
	if (rc || (rc = path_in(directory, "generation_config.json", path)))
		return rc;
	if (stat(path, &st) == 0 && (rc = quire_checkpoint_generation(c, path)))
		return rc;
	if ((rc = quire_tensors_open(&c->tensors, directory)))
		return rc;
	return bind_weights(c);
}

int quire_checkpoint_open(struct quire_checkpoint *checkpoint, const char *path)
{
	int rc;

	*checkpoint = (struct quire_checkpoint){.path = NULL};
	rc = open_directory(checkpoint, path);
	if (rc)
		quire_checkpoint_close(checkpoint);
	return rc;
}

void quire_checkpoint_close(struct quire_checkpoint *c)
{
	quire_tensors_close(c->tensors);
	free(c->random);
	free(c->layers);
	free(c->path);
	*c = (struct quire_checkpoint){.path = NULL};
}
