/*
 * memory.c - where the memory of a GPU goes, and how many slots are left; see cost.h.
 */
#include "layers.h"

#include <errno.h>

#define CONTEXT_BYTES 1073741824.0

void quire_memory_split(const struct quire_model *m, const struct quire_gpu *gpu,
			const struct quire_cost_config *config, double utilization,
			struct quire_memory *memory)
{
	const struct quire_shard s = quire_shard_of(m, config->tp);
	const double token_elements = (double)(4 * s.hidden + s.qkv_width + s.mlp_width);

	memory->memory_bytes = gpu->memory_bytes;
	memory->usable_bytes = gpu->memory_bytes * utilization;
	memory->weight_bytes =
		(double)quire_model_weight_bytes(m, config->weight_bits) / config->tp;
	memory->workspace_bytes =
		CONTEXT_BYTES +
		(double)config->step_tokens_max * token_elements * QUIRE_ACTIVATION_BYTES +
		(double)config->seqs_max * (double)m->vocab * QUIRE_LOGIT_BYTES;
	memory->kv_bytes = memory->usable_bytes - memory->weight_bytes - memory->workspace_bytes;
	memory->slot_bytes = (double)(s.layers * s.kv_width) * config->kv_bits / 8;
	memory->slots =
		memory->kv_bytes > 0 ? (uint64_t)(memory->kv_bytes / memory->slot_bytes) : 0;
}

int quire_kv_slots(const struct quire_model *m, const struct quire_gpu *gpu,
		   const struct quire_cost_config *config, double utilization, uint32_t *slots)
{
	struct quire_memory memory;
	const int rc = quire_shard_check(m, config->tp);

	*slots = 0;
	if (rc)
		return rc;
	quire_memory_split(m, gpu, config, utilization, &memory);
	if (memory.slots == 0)
		return quire_fail(
			-E2BIG,
			"%s does not fit %s: weights of %.1f GB and a workspace of %.1f GB "
			"leave nothing of %.1f GB (%.0f %% of its memory) for keys and "
			"values; try a larger --tp or a smaller --weight-dtype",
			m->name, gpu->name, memory.weight_bytes / 1e9, memory.workspace_bytes / 1e9,
			memory.usable_bytes / 1e9, utilization * 100);
	*slots = memory.slots > UINT32_MAX ? UINT32_MAX : (uint32_t)memory.slots;
	return 0;
}
