/*
 * p2_waste.c - how much of the KV cache holds tokens: Figure 2 of the vLLM paper
 * (Kwon et al., SOSP 2023).
 *
 * OPT-13B on an A100-40GB with 12 GiB for K and V, 983 blocks of 16 tokens; ShareGPT
 * at 4 requests/s, far more than it can serve, so that the queue grows without end.
 * The steps of seconds 300 to 900 are measured.
 *
 * Each sequence reserves, in one region, its prompt and an estimate of its output:
 * the longest possible (Max), its true output rounded up to a power of two (Pow2),
 * or its true output (Oracle).  Of the pool
 *
 *	token states	hold a token
 *	reserved	prompt + true output - current length
 *	internal	min(prompt + estimate, 2048) - (prompt + true output)
 *	external	the rest
 *
 * By hand, of Max: the pool has 983 = 7 x 128 + 87 blocks, and a sequence takes 128.
 * So 7 run at all times, and 87 / 983 = 8.85 % is lost whatever they do.
 *
 * That a queue is never empty makes the answer independent of how long a step takes:
 * whoever leaves is replaced at once.  Slower steps merely show another stretch of
 * the same queue.  This is checked with a GPU that has 0.39 times the bandwidth.
 */
#include "science.h"

#include <math.h>
#include <stdio.h>

enum { MAX, POW2, ORACLE, PAGED, ALLOCATORS };
enum { GPUS = 2, SHARES = 4 };

#define TRACE "traces/vllm-sosp23/sharegpt_rate4.0_dur900_seed0.csv"

/* Runs stand in this order in the report: the allocator turns fastest. */
static const char command[] =
	"sim --trace @" TRACE " --model opt-13b --gpu a100-40g --gpu a10g --kv-slots 15728"
	" --max-model-len 2048 --max-num-batched-tokens 2560 --scheduler continuous,prefill=mixed"
	" --allocator contiguous,reserve=max --allocator contiguous,reserve=pow2"
	" --allocator contiguous,reserve=oracle --allocator paged,block=16,watermark=0.01"
	" --window 300:900 --json -";

static const char *const names[ALLOCATORS] = {"Max", "Pow2", "Oracle", "paged"};
static const char *const shares[SHARES] = {"token_states", "reserved", "internal", "external"};

/* In percent of the pool; NAN: not printed in the paper. */
static const double published[ALLOCATORS][SHARES] = {
	[MAX] = {20.4, 13.3, 57.3, 8.9},
	[POW2] = {26.8, 17.9, 13.6, 41.6},
	[ORACLE] = {38.2, 25.2, 0.0, 36.6},
	[PAGED] = {96.3, NAN, NAN, NAN},
};

static double tolerance(int allocator, int share)
{
	if (allocator == PAGED)
		return 0.5;
	return allocator == MAX && share == 3 ? 0.1 : 2;
}

static const json_t *run_of(const json_t *root, int gpu, int allocator)
{
	return json_array_get(root, (size_t)(gpu * ALLOCATORS + allocator));
}

static double percent(const json_t *root, int gpu, int allocator, int share)
{
	const json_t *report = run_of(root, gpu, allocator);

	return 100 * science_number(science_value(report, "memory"), shares[share]);
}

static void check_figure_2(const json_t *root)
{
	char figure[64];

	for (int a = 0; a < ALLOCATORS; a++) {
		for (int s = 0; s < SHARES; s++) {
			if (isnan(published[a][s]))
				continue;
			snprintf(figure, sizeof(figure), "%s: %s, %%", names[a], shares[s]);
			science_check(figure, published[a][s], percent(root, 0, a, s),
				      tolerance(a, s), 2);
		}
	}
	science_check("Max: mean batch", 7,
		      science_number(run_of(root, 0, MAX), "steps.sequences_mean"), 0, 2);
}

/* The other GPU against the first. */
static void check_time_model(const json_t *root)
{
	char figure[64];
	int saturated = 0;

	for (size_t i = 0; i < json_array_size(root); i++)
		saturated += json_is_true(science_value(json_array_get(root, i), "saturated"));
	science_check("runs whose queue grows without end", GPUS * ALLOCATORS, saturated, 0, 0);
	for (int a = 0; a < ALLOCATORS; a++) {
		double steps = science_number(run_of(root, 0, a), "steps.count");
		double longer = steps / science_number(run_of(root, 1, a), "steps.count");
		double change = 0;

		for (int s = 0; s < SHARES; s++) {
			double d = percent(root, 1, a, s) - percent(root, 0, a, s);

			if (!(fabs(d) <= fabs(change))) /* NAN too */
				change = d;
		}
		snprintf(figure, sizeof(figure), "%s: largest change, steps %.1fx longer, %%",
			 names[a], longer);
		science_check(figure, 0, change, a == PAGED ? 0.5 : 2, 2);
	}
	science_check("Max: mean batch, longer steps", 7,
		      science_number(run_of(root, 1, MAX), "steps.sequences_mean"), 0, 2);
}

static void run(void)
{
	json_t *root = science_run_json(command);

	if (!root)
		return;
	science_table();
	check_figure_2(root);
	check_time_model(root);
	json_decref(root);
}

const struct science_experiment science_p2 = {
	.name = "p2",
	.title = "memory waste before and with paging",
	.source = "Kwon et al., PagedAttention (vLLM), SOSP 2023, Figure 2",
	.file = TRACE,
	.run = run,
};
