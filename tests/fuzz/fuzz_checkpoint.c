/*
 * fuzz_checkpoint.c - a folder of a model, of which one file comes from the fuzzer: by
 * its first byte config.json, generation_config.json or the index of the shards.  The
 * others are sound: one layer of Llama's in two shards.
 */
#define _GNU_SOURCE /* memfd_create() */

#include "fuzz.h"

#include "core/model/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CONFIG, GENERATION, INDEX, ONE, TWO, FILES_COUNT };

static const char *const names[FILES_COUNT] = {
	"config.json",	   "generation_config.json", "model.safetensors.index.json",
	"one.safetensors", "two.safetensors",
};

#define TENSOR(name_, shape_, begin_, end_)                                                        \
	"\"" name_ "\":{\"dtype\":\"BF16\",\"shape\":[" shape_ "],\"data_offsets\":[" #begin_      \
	"," #end_ "]}"
#define LAYER "model.layers.0."

/* What they are when they are not the fuzzer's; of weights, the header. */
static const char *const sound[FILES_COUNT] = {
	"{\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":4,\"vocab_size\":3,"
	"\"num_hidden_layers\":1,\"num_attention_heads\":2,\"intermediate_size\":2,"
	"\"max_position_embeddings\":8,\"tie_word_embeddings\":true}",
	"{}",
	"{\"weight_map\":{\"model.embed_tokens.weight\":\"one.safetensors\","
	"\"model.norm.weight\":\"one.safetensors\","
	"\"" LAYER "input_layernorm.weight\":\"two.safetensors\","
	"\"" LAYER "self_attn.q_proj.weight\":\"two.safetensors\","
	"\"" LAYER "self_attn.k_proj.weight\":\"two.safetensors\","
	"\"" LAYER "self_attn.v_proj.weight\":\"two.safetensors\","
	"\"" LAYER "self_attn.o_proj.weight\":\"two.safetensors\","
	"\"" LAYER "post_attention_layernorm.weight\":\"two.safetensors\","
	"\"" LAYER "mlp.gate_proj.weight\":\"two.safetensors\","
	"\"" LAYER "mlp.up_proj.weight\":\"two.safetensors\","
	"\"" LAYER "mlp.down_proj.weight\":\"two.safetensors\"}}",
	"{" TENSOR("model.embed_tokens.weight", "3,4", 0, 24) "," TENSOR("model.norm.weight", "4",
									 24, 32) "}",
	"{" TENSOR(LAYER "input_layernorm.weight", "4", 0, 8) "," TENSOR(
		LAYER "self_attn.q_proj.weight", "4,4", 8,
		40) "," TENSOR(LAYER "self_attn.k_proj.weight", "4,4", 40,
			       72) "," TENSOR(LAYER "self_attn.v_proj.weight", "4,4", 72,
					      104) "," TENSOR(LAYER "self_attn.o_proj.weight",
							      "4,4", 104,
							      136) "," TENSOR(LAYER
									      "post_attention_"
									      "layernorm.weight",
									      "4", 136,
									      144) "," TENSOR(LAYER
											      "mlp."
											      "gate"
											      "_pro"
											      "j."
											      "weig"
											      "ht",
											      "2,4",
											      144,
											      160) "," TENSOR(LAYER
													      "mlp.up_proj.weight",
													      "2,4",
													      160,
													      176) "," TENSOR(LAYER
															      "mlp.down_proj.weight",
															      "4,2",
															      176,
															      192) "}",
};

static char folder[] = "/tmp/quire-fuzz-checkpoint-XXXXXX";
static int files[FILES_COUNT];

static void put(int file, const void *data, size_t size)
{
	if (ftruncate(files[file], 0) || pwrite(files[file], data, size, 0) != (ssize_t)size)
		fuzz_fail("no file in memory: %s", strerror(errno));
}

static void clean_up(void)
{
	char path[128];

	for (int i = 0; i < FILES_COUNT; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* Files in memory, and links to them. */
static void make_folder(void)
{
	uint8_t weights[2048] = {0};
	char path[128], target[64];

	if (!mkdtemp(folder))
		fuzz_fail("no folder: %s", strerror(errno));
	atexit(clean_up);
	for (int i = 0; i < FILES_COUNT; i++) {
		const size_t length = strlen(sound[i]);

		files[i] = memfd_create(names[i], MFD_CLOEXEC);
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		snprintf(target, sizeof(target), "/proc/self/fd/%d", files[i]);
		if (files[i] < 0 || symlink(target, path))
			fuzz_fail("no file in memory: %s", strerror(errno));
		weights[0] = (uint8_t)length;
		weights[1] = (uint8_t)(length >> 8);
		memcpy(weights + 8, sound[i], length);
		if (i >= ONE)
			put(i, weights, 8 + length + (i == ONE ? 32 : 192));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quire_checkpoint c;
	int which, rc;

	if (!files[0])
		make_folder();
	if (!size)
		return 0;
	which = data[0] % 3;
	for (int i = CONFIG; i <= INDEX; i++)
		put(i, i == which ? (const void *)(data + 1) : sound[i],
		    i == which ? size - 1 : strlen(sound[i]));
	rc = quire_checkpoint_open(&c, folder);
	if (rc < 0)
		fuzz_check_failure(rc);
	else if (!c.model.layers || !c.embedding.data || !c.head.data || !c.layers[0].down.data ||
		 c.ends_count > QUIRE_ENDS_MAX || !(c.rope.theta >= 1) || !(c.rope.factor >= 1) ||
		 !(c.temperature >= 0))
		fuzz_fail("a model without a part");
	quire_checkpoint_close(&c);
	return 0;
}
