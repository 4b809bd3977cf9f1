/*
 * test_cost.c - the cost model: never faster than the datasheet, never less for
 * more work, the same by plan, by batch and by part; GPU profiles; memory; and the
 * sim executor.
 */
#include "core/sim/sim.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ITEMS_MAX 64
#define BUDGET	  4096

/* A plan made by hand: what the loop would hand to an executor. */
struct hand {
	struct quire_plan plan;
	struct quire_item items[ITEMS_MAX];
	struct quire_seq seqs[ITEMS_MAX];
	struct quire_request requests[ITEMS_MAX];
	struct quire_copy copies[4];
};

static void hand_init(struct hand *h)
{
	memset(h, 0, sizeof(*h));
	h->plan.items = h->items;
	h->plan.items_limit = ITEMS_MAX;
	h->plan.tokens_limit = BUDGET;
	h->plan.copies.at = h->copies;
	h->plan.copies.limit = 4;
}

static void hand_add(struct hand *h, uint32_t tokens, uint32_t cached, uint32_t candidates)
{
	const uint32_t i = h->plan.items_count++;

	if (i >= ITEMS_MAX)
		ck_abort_msg("too many items");
	h->requests[i].id = i;
	h->requests[i].prompt_tokens = 1;
	h->requests[i].samples = 1;
	h->seqs[i].request = &h->requests[i];
	h->seqs[i].id = i + 1;
	h->seqs[i].state = QUIRE_RUNNING;
	h->seqs[i].cached_tokens = cached;
	h->seqs[i].known_tokens = cached + tokens;
	h->items[i] = (struct quire_item){
		.seq = &h->seqs[i],
		.tokens = tokens,
		.candidates = candidates,
		.result = h->plan.results_count,
	};
	h->plan.results_count += candidates;
	h->plan.tokens_count += tokens;
}

/* Equal but for rounding. */
static void near(double a, double b)
{
	if (!(fabs(a - b) <= 1e-9 * fabs(b)))
		ck_abort_msg("%.17g is not %.17g", a, b);
}

static const char *const models[] = {"Qwen2.5-0.5B",  "Llama-3-8B",  "OPT-13B",
				     "Qwen3-32B",     "Llama-2-70B", "Mixtral-8x7B",
				     "Qwen3-30B-A3B", "DeepSeek-R1"};
#define MODELS_COUNT (sizeof(models) / sizeof(models[0]))
static const uint32_t tps[] = {1, 2, 4, 8};
static const struct quire_cost_config types[] = {
	{.weight_bits = 16, .kv_bits = 16},
	{.weight_bits = 32, .kv_bits = 32},
	{.weight_bits = 4, .kv_bits = 8},
	{.weight_bits = 8, .kv_bits = 8, .weight_units = QUIRE_UNITS_FP8},
	{.weight_bits = 8, .kv_bits = 16, .weight_units = QUIRE_UNITS_INT8},
};
#define TYPES_COUNT (sizeof(types) / sizeof(types[0]))

/* Call @fn with every GPU x model x tp x type that can be. */
static void over_grid(void (*fn)(struct quire_cost *cost))
{
	const struct quire_gpu *gpu;
	unsigned int count = 0;

	for (size_t g = 0; (gpu = quire_gpu_builtin(g)); g++) {
		for (size_t i = 0; i < MODELS_COUNT * 4 * TYPES_COUNT; i++) {
			struct quire_cost_config config = types[i % TYPES_COUNT];
			struct quire_model model;
			struct quire_cost cost;

			config.tp = tps[i / TYPES_COUNT % 4];
			config.step_tokens_max = BUDGET;
			config.seqs_max = ITEMS_MAX;
			if (quire_model_find(&model, models[i / (4 * TYPES_COUNT)]))
				ck_abort_msg("%s", quire_failure());
			if (quire_cost_init(&cost, &model, gpu, &config))
				continue; /* 14 heads on 4 GPUs */
			fn(&cost);
			quire_cost_free(&cost);
			count++;
		}
	}
	ck_assert_uint_ge(count, 500);
}

/* Shapes of steps: items x (tokens, cached), one prompt chunk, sampled or not. */
static const struct {
	uint32_t singles, context, chunk, cached;
} shapes[] = {
	{1, 0, 0, 0},	 {1, 1000, 0, 0},     {60, 17, 0, 0},	   {60, 30000, 0, 0},
	{0, 0, 2, 0},	 {0, 0, 2048, 0},     {0, 0, 4096, 0},	   {0, 0, 512, 100000},
	{30, 500, 7, 9}, {30, 5000, 1024, 0}, {3, 100000, 64, 64},
};
#define SHAPES_COUNT (sizeof(shapes) / sizeof(shapes[0]))

static void make_shape(struct hand *h, size_t i, uint32_t candidates)
{
	hand_init(h);
	for (uint32_t k = 0; k < shapes[i].singles; k++)
		hand_add(h, 1, shapes[i].context, candidates);
	if (shapes[i].chunk)
		hand_add(h, shapes[i].chunk, shapes[i].cached, candidates);
}

static void check_roofline(struct quire_cost *cost)
{
	static struct hand h;

	for (size_t i = 0; i < 2 * SHAPES_COUNT; i++) {
		struct quire_cost_batch batch;
		struct quire_cost_parts parts;
		struct quire_roofline r;
		uint64_t ns;

		make_shape(&h, i / 2, i % 2);
		ns = quire_cost_step_ns(cost, &h.plan);
		quire_cost_batch_plan(cost, &h.plan, &batch);
		quire_cost_roofline(cost, &batch, &r);
		if ((double)ns < r.flops_ns || (double)ns < r.bytes_ns)
			ck_abort_msg("%s on %u %s, shape %zu: %llu ns, roofline %.0f and %.0f",
				     cost->model.name, cost->config.tp, cost->gpu.name, i / 2,
				     (unsigned long long)ns, r.flops_ns, r.bytes_ns);
		quire_cost_batch_parts(cost, &batch, &parts);
		if (ns != quire_cost_parts_ns(&parts) || ns != quire_cost_batch_ns(cost, &batch))
			ck_abort_msg("the parts do not sum to the step");
		if (ns != quire_cost_step_ns(cost, &h.plan))
			ck_abort_msg("the table gives another time than the formula");
	}
}

START_TEST(never_faster_than_the_roofline)
{
	over_grid(check_roofline);
}
END_TEST

/* A GPU that reaches all that its datasheet says, for nothing, is not faster either;
 * nor is the fast end of a band. */
static void check_perfect(struct quire_cost *cost)
{
	struct quire_cost_config config = cost->config;
	struct quire_gpu gpu = cost->gpu;
	struct quire_cost perfect;
	static struct hand h;

	gpu.gemm_flops_share = gpu.gemm_bytes_share = 1;
	gpu.attention_flops_share = gpu.attention_bytes_share = gpu.link_share = 1;
	gpu.gemm_launch_ns = gpu.attention_launch_ns = gpu.attention_tile_ns = 0;
	gpu.step_ns = gpu.seq_ns = gpu.multiprocessors = 0;
	gpu.gemm_sharpness = 16;
	if (quire_cost_init(&perfect, &cost->model, &gpu, &config))
		ck_abort_msg("%s", quire_failure());
	check_roofline(&perfect);
	quire_cost_free(&perfect);
	config.sigmas = -9;
	if (quire_cost_init(&perfect, &cost->model, &cost->gpu, &config))
		ck_abort_msg("%s", quire_failure());
	for (size_t i = 0; i < SHAPES_COUNT; i++) {
		struct quire_cost_batch batch;
		struct quire_roofline r;
		double ns;

		make_shape(&h, i, 1);
		quire_cost_batch_plan(&perfect, &h.plan, &batch);
		quire_cost_roofline(&perfect, &batch, &r);
		ns = (double)quire_cost_step_ns(&perfect, &h.plan);
		if (ns < r.flops_ns || ns < r.bytes_ns ||
		    ns > (double)quire_cost_step_ns(cost, &h.plan))
			ck_abort_msg("%s on %s: the fast end of the band, shape %zu",
				     cost->model.name, cost->gpu.name, i);
	}
	quire_cost_free(&perfect);
}

START_TEST(never_faster_at_its_best)
{
	over_grid(check_perfect);
}
END_TEST

/* The roofline itself, by hand: nothing in it is forgotten. */
START_TEST(roofline_by_hand)
{
	const struct quire_cost_config config = {
		.tp = 1, .weight_bits = 16, .kv_bits = 16, .step_tokens_max = 16, .seqs_max = 16};
	struct quire_cost_batch batch = {.tokens = 0};
	struct quire_cost cost;
	struct quire_model model;
	struct quire_gpu gpu;
	struct quire_matrices x;
	struct quire_roofline r;

	ck_assert_int_eq(quire_model_find(&model, "llama-3-8b"), 0);
	ck_assert_int_eq(quire_gpu_find(&gpu, "a100-80g"), 0);
	ck_assert_int_eq(quire_cost_init(&cost, &model, &gpu, &config), 0);
	quire_cost_batch_add(&cost, &batch, 3, 1, 99, true);
	quire_cost_batch_add(&cost, &batch, 2, 10, 5, false);
	quire_cost_roofline(&cost, &batch, &r);
	quire_model_matrices(&model, &x);
	ck_assert_double_eq(r.bytes, 2.0 * (double)(x.qkv + x.output + x.mlp + x.head) +
					     131072.0 * (3 * 100 + 2 * 15));
	ck_assert_double_eq(r.flops, 2.0 * 23 * (double)(x.qkv + x.output + x.mlp) +
					     2.0 * 3 * (double)x.head +
					     (double)quire_model_pair_flops(&model) *
						     (3 * 100 + 2 * (50 + 55)));
	near(r.bytes_ns, r.bytes / 2039);
	quire_cost_free(&cost);
}
END_TEST

static uint64_t time_of(struct quire_cost *cost, uint32_t others, uint32_t tokens, uint32_t cached,
			uint32_t candidates)
{
	static struct hand h;

	hand_init(&h);
	for (uint32_t i = 0; i < others; i++)
		hand_add(&h, i % 3 ? 1 : 33, 400, 1);
	hand_add(&h, tokens, cached, candidates);
	return quire_cost_step_ns(cost, &h.plan);
}

static void check_monotone(struct quire_cost *cost)
{
	static const uint32_t sizes[] = {1,  2,	 3,  7,	  8,   9,   31,	 32,   33,
					 63, 64, 65, 127, 128, 500, 999, 1000, 2900};

	for (uint32_t others = 0; others < 40; others += 13) {
		uint64_t last = 0, ns;

		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			ns = time_of(cost, others, sizes[i], 1000, 1);
			if (ns < last)
				ck_abort_msg("%s on %s: %u tokens cost less than fewer",
					     cost->model.name, cost->gpu.name, sizes[i]);
			last = ns;
		}
		last = 0;
		for (uint32_t cached = 0; cached < 200000; cached = cached * 5 / 4 + 1) {
			ns = time_of(cost, others, 1, cached, 1);
			if (ns < last || ns > time_of(cost, others, 2, cached, 1))
				ck_abort_msg("%s on %s: context %u costs less than a shorter one",
					     cost->model.name, cost->gpu.name, cached);
			last = ns;
		}
		if (time_of(cost, others, 1, 50, 0) > time_of(cost, others, 1, 50, 1) ||
		    time_of(cost, others, 1, 50, 1) >= time_of(cost, others + 1, 1, 50, 1))
			ck_abort_msg("%s on %s: a row or a sequence is free", cost->model.name,
				     cost->gpu.name);
	}
}

START_TEST(more_work_takes_longer)
{
	over_grid(check_monotone);
}
END_TEST

/* A rectangle costs as much as its rows would if all were as long as it is. */
static void check_padded(struct quire_cost *cost)
{
	static struct hand h, full;
	uint64_t plain, padded;

	hand_init(&h);
	hand_init(&full);
	for (uint32_t i = 0; i < 8; i++) {
		hand_add(&h, 10 + 20 * i, 3 * i, 1);
		hand_add(&full, 150, 50, 1);
	}
	plain = quire_cost_step_ns(cost, &h.plan);
	h.plan.pad_tokens = 150;
	h.plan.pad_slots = 171;
	padded = quire_cost_step_ns(cost, &h.plan);
	if (padded < plain)
		ck_abort_msg("padding made a step cheaper");
	h.plan.pad_slots = 200;
	if (quire_cost_step_ns(cost, &h.plan) < padded)
		ck_abort_msg("a longer rectangle is cheaper");
	if (quire_cost_step_ns(cost, &h.plan) != quire_cost_step_ns(cost, &full.plan))
		ck_abort_msg("a rectangle does not cost what its rows do");

	/* decoding: one token of each over the longest context */
	hand_init(&h);
	hand_init(&full);
	for (uint32_t i = 0; i < 8; i++) {
		hand_add(&h, 1, 100 * i, 1);
		hand_add(&full, 1, 1023, 1);
	}
	plain = quire_cost_step_ns(cost, &h.plan);
	h.plan.pad_tokens = 1;
	h.plan.pad_slots = 1024;
	padded = quire_cost_step_ns(cost, &h.plan);
	if (padded < plain || padded != quire_cost_step_ns(cost, &full.plan))
		ck_abort_msg("a padded decode step does not cost what its rows do");
}

/* Once a step, whoever has more tokens than one, and however many have. */
START_TEST(a_step_with_chunks_has_its_own_cost)
{
	static struct hand h;
	struct quire_gpu gpu;
	struct quire_model model;
	const struct quire_cost_config config = {
		.tp = 1, .weight_bits = 16, .kv_bits = 16, .step_tokens_max = 512, .seqs_max = 8};
	uint64_t without[4], with[4];

	ck_assert_int_eq(quire_gpu_find(&gpu, "a100-80g"), 0);
	ck_assert_int_eq(quire_model_find(&model, "llama-3-8b"), 0);
	ck_assert_double_eq(gpu.chunk_ns, 0);
	for (int once = 0; once < 2; once++) {
		uint64_t *ns = once ? with : without;
		struct quire_cost cost;

		gpu.chunk_ns = once ? 70000 : 0;
		ck_assert_int_eq(quire_cost_init(&cost, &model, &gpu, &config), 0);
		hand_init(&h);
		for (int i = 0; i < 4; i++) { /* single, single, a chunk, another */
			hand_add(&h, i < 2 ? 1 : 100, 50, 1);
			ns[i] = quire_cost_step_ns(&cost, &h.plan);
		}
		quire_cost_free(&cost);
	}
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(with[i], without[i] + (i < 2 ? 0 : 70000));
}
END_TEST

START_TEST(padded_costs_its_rectangle)
{
	over_grid(check_padded);
}
END_TEST

static struct quire_cost a_cost(uint32_t tp)
{
	const struct quire_cost_config config = {.tp = tp,
						 .weight_bits = 16,
						 .kv_bits = 16,
						 .step_tokens_max = BUDGET,
						 .seqs_max = ITEMS_MAX};
	struct quire_model model;
	struct quire_gpu gpu;
	struct quire_cost cost;

	ck_assert_int_eq(quire_model_find(&model, "llama-3-8b"), 0);
	ck_assert_int_eq(quire_gpu_find(&gpu, "a100-80g"), 0);
	ck_assert_int_eq(quire_cost_init(&cost, &model, &gpu, &config), 0);
	return cost;
}

/* ((flops / (a peak))^q + (bytes / (b bandwidth))^q)^(1/q) + c, with pow(). */
START_TEST(matrix_formula)
{
	const double flops = 2.0 * 4096 * 6144;
	struct quire_cost cost = a_cost(1);

	for (uint32_t q = 1; q <= 16; q *= 2) {
		for (uint32_t tokens = 1; tokens <= 4096; tokens *= 4) {
			const double bytes = 2.0 * (4096 * 6144 + tokens * (4096 + 6144));
			const double x =
				tokens * flops / (cost.gpu.gemm_flops_share * 312e12) * 1e9;
			const double y = bytes / (cost.gpu.gemm_bytes_share * 2039e9) * 1e9;
			struct quire_cost_batch batch = {.tokens = tokens};
			struct quire_cost_parts parts;

			cost.gpu.gemm_sharpness = q;
			quire_cost_batch_parts(&cost, &batch, &parts);
			if (fabs((double)parts.qkv_ns - 32 * (pow(pow(x, q) + pow(y, q), 1.0 / q) +
							      cost.gpu.gemm_launch_ns)) > 1)
				ck_abort_msg("q %u, %u tokens", q, tokens);
		}
	}
	quire_cost_free(&cost);
}
END_TEST

START_TEST(kept_rows_cost_like_live_ones)
{
	struct quire_cost cost = a_cost(1);
	static struct hand live, kept;

	hand_init(&live);
	hand_init(&kept);
	for (uint32_t i = 0; i < 8; i++) {
		hand_add(&live, 1, 300, 1);
		hand_add(&kept, 1, 300, i < 3);
		kept.seqs[i].state = i < 3 ? QUIRE_RUNNING : QUIRE_FINISHED;
	}
	ck_assert_uint_eq(quire_cost_step_ns(&cost, &kept.plan),
			  quire_cost_step_ns(&cost, &live.plan));
	quire_cost_free(&cost);
}
END_TEST

START_TEST(copies_cost)
{
	struct quire_cost cost = a_cost(1);
	static struct hand h;
	uint64_t without, with;

	hand_init(&h);
	hand_add(&h, 1, 300, 1);
	without = quire_cost_step_ns(&cost, &h.plan);
	h.plan.copies.count = 2;
	h.copies[0] = (struct quire_copy){0, 16, 16};
	h.copies[1] = (struct quire_copy){32, 48, 5000};
	with = quire_cost_step_ns(&cost, &h.plan);
	/* 5,016 slots of 128 KiB, there and back */
	ck_assert_double_ge((double)(with - without), 2 * 5016 * 131072 / 2039.0);
	quire_cost_free(&cost);
}
END_TEST

START_TEST(tensor_parallel_divides)
{
	struct quire_cost one = a_cost(1), four = a_cost(4);
	struct quire_cost_batch a = {.tokens = 0}, b = {.tokens = 0};
	struct quire_cost_parts p1, p4;
	struct quire_roofline r1, r4;

	quire_cost_batch_add(&one, &a, 1, 4096, 0, true);
	quire_cost_batch_add(&four, &b, 1, 4096, 0, true);
	quire_cost_roofline(&one, &a, &r1);
	quire_cost_roofline(&four, &b, &r4);
	near(r1.flops, 4 * r4.flops);
	near(r1.bytes, 4 * r4.bytes);
	quire_cost_batch_parts(&one, &a, &p1);
	quire_cost_batch_parts(&four, &b, &p4);
	ck_assert_uint_eq(p1.link_ns, 0);
	ck_assert_uint_gt(p1.mlp_ns, 3 * p4.mlp_ns);
	/* 2 all-reduces a layer, each at least 2 * 3/4 of the stream over the link */
	ck_assert_double_ge((double)p4.link_ns, 32 * 2 * 1.5 * 4096 * 4096 * 2 / 300.0);
	quire_cost_free(&one);
	quire_cost_free(&four);
}
END_TEST

START_TEST(a_model_that_cannot_be_cut)
{
	const struct quire_cost_config config = {
		.tp = 3, .weight_bits = 16, .kv_bits = 16, .step_tokens_max = 16, .seqs_max = 16};
	struct quire_model model;
	struct quire_cost cost;
	uint32_t slots;

	ck_assert_int_eq(quire_model_find(&model, "llama-3-8b"), 0);
	ck_assert_int_eq(quire_cost_init(&cost, &model, quire_gpu_builtin(0), &config), -EINVAL);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "3 parts"));
	ck_assert_int_eq(quire_kv_slots(&model, quire_gpu_builtin(0), &config, 0.9, &slots),
			 -EINVAL);
}
END_TEST

START_TEST(memory)
{
	struct quire_cost_config config = {.tp = 1,
					   .weight_bits = 16,
					   .kv_bits = 16,
					   .step_tokens_max = 2048,
					   .seqs_max = 256};
	struct quire_memory split;
	struct quire_model model;
	struct quire_gpu gpu;
	uint32_t slots, more;

	ck_assert_int_eq(quire_model_find(&model, "llama-3.1-8b"), 0);
	ck_assert_int_eq(quire_gpu_find(&gpu, "rtx-4090"), 0);
	ck_assert_int_eq(quire_kv_slots(&model, &gpu, &config, 0.9, &slots), 0);
	/* vLLM 0.19 found room for 41,408 tokens with these settings; the fixed part of
	 * the workspace was chosen to agree, so this guards it and proves nothing more */
	ck_assert_uint_gt(slots, 41408 * 97 / 100);
	ck_assert_uint_lt(slots, 41408 * 103 / 100);
	quire_memory_split(&model, &gpu, &config, 0.9, &split);
	ck_assert_uint_eq(split.slots, slots);
	near(split.usable_bytes, split.weight_bytes + split.workspace_bytes + split.kv_bytes);
	config.kv_bits = 8;
	ck_assert_int_eq(quire_kv_slots(&model, &gpu, &config, 0.9, &more), 0);
	ck_assert_uint_ge(more, 2 * slots);
	ck_assert_uint_le(more, 2 * slots + 1);
	ck_assert_int_eq(quire_model_find(&model, "llama-3-70b"), 0);
	ck_assert_int_eq(quire_kv_slots(&model, &gpu, &config, 0.9, &slots), -E2BIG);
	ck_assert_uint_eq(slots, 0);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "does not fit"));
}
END_TEST

/* ---- profiles ---- */

static char profile[] = "/tmp/quire-test-cost-XXXXXX";

static void write_profile(const char *text)
{
	FILE *out = fopen(profile, "w");

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
}

START_TEST(gpus_are_sane)
{
	static const char *const wanted[] = {"A10G", "A100-40G", "A100-80G", "H20",
					     "H100", "H200",	 "RTX-4090"};
	const struct quire_gpu *g;
	struct quire_gpu found;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		ck_assert_int_eq(quire_gpu_find(&found, wanted[i]), 0);
	for (size_t i = 0; (g = quire_gpu_builtin(i)); i++) {
		ck_assert_ptr_nonnull(g->source);
		ck_assert(g->peak_flops > 1e13 && g->bandwidth > 1e11 && g->memory_bytes > 1e10);
		ck_assert(g->link_bandwidth > 1e10 && g->link_bandwidth < g->bandwidth);
		ck_assert(g->gemm_flops_share > 0 && g->gemm_flops_share <= 1);
		ck_assert(g->gemm_bytes_share > 0 && g->gemm_bytes_share <= 1);
		ck_assert(g->attention_flops_share > 0 && g->attention_flops_share <= 1);
		ck_assert(g->attention_bytes_share > 0 && g->attention_bytes_share <= 1);
		ck_assert(g->link_share > 0 && g->link_share <= 1);
		ck_assert(g->gemm_sharpness > 0 &&
			  (g->gemm_sharpness & (g->gemm_sharpness - 1)) == 0);
	}
	ck_assert_int_eq(quire_gpu_find(&found, "h20"), 0);
	ck_assert_double_eq(found.peak_flops, 148e12);
	ck_assert_double_eq(found.bandwidth, 4e12);
	ck_assert_int_eq(quire_gpu_find(&found, "a100-80"), -ENOENT);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "A100-80G"));
}
END_TEST

START_TEST(profile_comes_back)
{
	const struct quire_gpu *g;

	for (size_t i = 0; (g = quire_gpu_builtin(i)); i++) {
		struct quire_gpu read;
		FILE *out = fopen(profile, "w");

		ck_assert_ptr_nonnull(out);
		ck_assert_int_eq(quire_gpu_write(g, out), 0);
		fclose(out);
		ck_assert_msg(quire_gpu_find(&read, profile) == 0, "%s", quire_failure());
		near(read.peak_flops, g->peak_flops);
		near(read.memory_bytes, g->memory_bytes);
		near(read.seq_ns, g->seq_ns);
		near(read.gemm_flops_share, g->gemm_flops_share);
		ck_assert_uint_eq(read.gemm_sharpness, g->gemm_sharpness);
	}
}
END_TEST

START_TEST(profile_like_another)
{
	struct quire_gpu read, h100;

	write_profile("# mine\nlike = h100   # the base\n\n gemm_flops_share=0.5\nstep_us = 7\n");
	ck_assert_msg(quire_gpu_find(&read, profile) == 0, "%s", quire_failure());
	ck_assert_int_eq(quire_gpu_find(&h100, "h100"), 0);
	ck_assert_double_eq(read.peak_flops, h100.peak_flops);
	ck_assert_double_eq(read.gemm_flops_share, 0.5);
	ck_assert_double_eq(read.step_ns, 7000);
	ck_assert_str_eq(read.name, strrchr(profile, '/') + 1);
}
END_TEST

static const char *const bad_profiles[][2] = {
	{"peak_tflops = 100\n", "'bandwidth_gb_s' is missing"},
	{"like = h101\n", ":1: "},
	{"like = h100\nlike = h200\n", ":2: 'like'"},
	{"step_us = 1\nlike = h100\n", ":2: 'like'"},
	{"like = h100\ngemm_flops_share = 1.1\n", ":2: key 'gemm_flops_share'"},
	{"like = h100\ngemm_flops_share = 0\n", ":2: key 'gemm_flops_share'"},
	{"like = h100\ngemm_flops_share = nan\n", ":2: key 'gemm_flops_share'"},
	{"like = h100\ngemm_sharpness = 3\n", ":2: key 'gemm_sharpness'"},
	{"like = h100\nstep_us = -1\n", ":2: key 'step_us'"},
	{"like = h100\nstep_us = 1 2\n", ":2: key 'step_us'"},
	{"like = h100\nstep_us = \n", ":2: key 'step_us'"},
	{"like = h100\nstep_us = 1\nstep_us = 1\n", ":3: key 'step_us' is given twice"},
	{"like = h100\nspeed = 1\n", ":2: key 'speed' is unknown"},
	{"hello\n", ":1: expected 'key = value'"},
	{"", "is missing"},
};

START_TEST(bad_profile_is_refused)
{
	struct quire_gpu gpu = {.name = "untouched"};
	int rc;

	write_profile(bad_profiles[_i][0]);
	rc = quire_gpu_find(&gpu, profile);
	ck_assert_int_lt(rc, 0);
	ck_assert_msg(strstr(quire_failure(), bad_profiles[_i][1]) != NULL, "says: %s",
		      quire_failure());
	ck_assert_ptr_nonnull(strstr(quire_failure(), profile));
	ck_assert_str_eq(gpu.name, "untouched");
}
END_TEST

/* ---- the executor ---- */

START_TEST(sim_ends_sequences_and_keeps_time)
{
	struct quire_cost cost = a_cost(1);
	const uint32_t output_tokens[] = {1, 2, 5};
	struct quire_sim sim = {.cost = &cost, .output_tokens = output_tokens};
	struct quire_exec ex = {.ops = &quire_exec_sim, .priv = &sim};
	struct quire_result results[8];
	static struct hand h;
	uint64_t before;

	hand_init(&h);
	hand_add(&h, 10, 0, 1);
	hand_add(&h, 10, 0, 3); /* three samples of one request */
	hand_add(&h, 1, 13, 1);
	hand_add(&h, 5, 0, 0);
	h.requests[0].prompt_tokens = 10; /* its only token comes now */
	h.requests[1].prompt_tokens = 10; /* its first of two */
	h.requests[2].prompt_tokens = 10; /* its fifth of five */
	memset(results, 0xff, sizeof(results));
	ck_assert_uint_eq(ex.ops->now_ns(&ex), 0);
	ck_assert_int_eq(ex.ops->step(&ex, &h.plan, results), 0);
	ck_assert_uint_eq(ex.ops->now_ns(&ex), quire_cost_step_ns(&cost, &h.plan));
	ck_assert(results[0].end);
	ck_assert(!results[1].end && !results[2].end && !results[3].end);
	ck_assert(results[4].end);
	ck_assert_float_eq(results[0].logprob, 0);
	before = ex.ops->now_ns(&ex);
	ex.ops->idle(&ex, before + 5);
	ck_assert_uint_eq(ex.ops->now_ns(&ex), before + 5);
	ex.ops->idle(&ex, before);
	ck_assert_uint_eq(ex.ops->now_ns(&ex), before + 5);
	quire_cost_free(&cost);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cost");
	TCase *cost = tcase_create("cost"), *gpu = tcase_create("gpu");
	SRunner *runner;
	int failed, fd = mkstemp(profile);

	if (fd < 0) {
		perror(profile);
		return EXIT_FAILURE;
	}
	close(fd);
	tcase_set_timeout(cost, 120);
	tcase_add_test(cost, never_faster_than_the_roofline);
	tcase_add_test(cost, never_faster_at_its_best);
	tcase_add_test(cost, roofline_by_hand);
	tcase_add_test(cost, more_work_takes_longer);
	tcase_add_test(cost, padded_costs_its_rectangle);
	tcase_add_test(cost, a_step_with_chunks_has_its_own_cost);
	tcase_add_test(cost, matrix_formula);
	tcase_add_test(cost, kept_rows_cost_like_live_ones);
	tcase_add_test(cost, copies_cost);
	tcase_add_test(cost, tensor_parallel_divides);
	tcase_add_test(cost, a_model_that_cannot_be_cut);
	tcase_add_test(cost, memory);
	tcase_add_test(cost, sim_ends_sequences_and_keeps_time);
	tcase_add_test(gpu, gpus_are_sane);
	tcase_add_test(gpu, profile_comes_back);
	tcase_add_test(gpu, profile_like_another);
	tcase_add_loop_test(gpu, bad_profile_is_refused, 0,
			    (int)(sizeof(bad_profiles) / sizeof(bad_profiles[0])));
	suite_add_tcase(suite, cost);
	suite_add_tcase(suite, gpu);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	unlink(profile);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
