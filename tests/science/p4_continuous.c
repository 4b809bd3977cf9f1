/*
 * p4_continuous.c - what batching by the step is worth: the experiment of "How continuous
 * batching enables 23x throughput in LLM inference" (Anyscale, 2023).
 *
 * OPT-13B on an A100-40GB; 1,000 prompts of 512 tokens at once; outputs are exponential
 * with mean 128, drawn again above a cap.  The larger the cap, the more lengths differ.
 *
 *	naive	static batches of 16, 12, 8 or 4 rows.  Each runs to the longest output
 *		of the whole run, because that is what its client sets as the number
 *		of tokens to generate.
 *	middle	continuous batching; each row reserves prompt + cap, in a pool of 8,700,
 *		7,500, 8,100 or 8,100 slots.
 *	best	continuous batching and paging, in the memory of the card, with the
 *		middle's slots as its budget of a step.
 *
 * Throughput counts prompt and output tokens of the requests, no padding.  The longest
 * output is of some 900 tokens at the largest cap and depends on the seed, and so does
 * the factor; hence several seeds.
 *
 * By hand, cap 1,536, seed 1.  Naive takes 250 batches x 919 steps for 127,890 outputs:
 * 0.56 rows of 4 still want their token.  Best has 18.6 rows in a step, 33 times as many.
 * Its steps take 41 ms, naive's 26.5: the same weights are read, but with more context and
 * beside prompts.  33 x 26.5 / 41 = 22 (21.65 in the run).
 */
#include "science.h"

#include "core/trace/workload.h"

#include <math.h>
#include <stdio.h>

enum { SEEDS = 5 };

#define BASE "sim --workload %s --seed %u --model opt-13b --gpu a100-40g "

static const char naive_and_best[] =
	BASE "--scheduler static,batch=%u,until=%u --scheduler continuous --allocator paged"
	     " --max-num-batched-tokens %u --json -";
static const char middle[] =
	BASE "--scheduler continuous --allocator contiguous,reserve=cap,place=first --kv-slots %u"
	     " --max-model-len 2048 --json -";

static const struct setting {
	const char *workload;
	unsigned int cap;   /* of an output, in tokens */
	unsigned int batch; /* rows of naive */
	unsigned int slots; /* of middle, and tokens of a step of best */
} settings[] = {
	{"anyscale_cb_32", 32, 16, 8700},
	{"anyscale_cb_128", 128, 12, 7500},
	{"anyscale_cb_512", 512, 8, 8100},
	{"anyscale_cb_1536", 1536, 4, 8100},
};
enum { SETTINGS = sizeof(settings) / sizeof(*settings) };

/* Means over the seeds. */
struct result {
	double naive, middle, best; /* token/s */
	double factor;		    /* best / naive */
};

/* What naive must generate.  0: it failed, and was said. */
static unsigned int longest_output(const char *workload, unsigned int seed)
{
	const struct quire_workload_options options = {.seed = seed};
	struct quire_workload w = {0};
	unsigned int longest = 0;

	if (quire_workload_preset(&w, workload, &options) || quire_workload_apply(&w, &options))
		science_fail("%s: %s", workload, quire_failure());
	for (size_t i = 0; i < w.count; i++)
		if (w.output_tokens[i] > longest)
			longest = w.output_tokens[i];
	quire_workload_free(&w);
	return longest;
}

static double tokens_per_s(const json_t *report)
{
	return science_number(report, "throughput.prompt_tokens_per_s") +
	       science_number(report, "throughput.output_tokens_per_s");
}

/* Only the first seed's commands are printed. */
static void measure(const struct setting *s, unsigned int seed, struct result *sum)
{
	json_t *(*const run)(const char *) = seed ? science_run_json_again : science_run_json;
	unsigned int until = longest_output(s->workload, seed);
	char command[512];
	json_t *report;
	double naive, best;

	if (seed)
		printf(" %u", until);
	snprintf(command, sizeof(command), naive_and_best, s->workload, seed, s->batch, until,
		 s->slots);
	report = run(command);
	naive = tokens_per_s(json_array_get(report, 0));
	best = tokens_per_s(json_array_get(report, 1));
	json_decref(report);
	snprintf(command, sizeof(command), middle, s->workload, seed, s->slots);
	report = run(command);
	sum->middle += tokens_per_s(report);
	json_decref(report);
	sum->naive += naive;
	sum->best += best;
	sum->factor += best / naive;
	if (!seed)
		printf("    (and so with seeds 1 to %d, until =", SEEDS - 1);
}

static struct result mean(const struct setting *s)
{
	struct result r = {0};

	for (unsigned int seed = 0; seed < SEEDS; seed++)
		measure(s, seed, &r);
	printf(")\n");
	r.naive /= SEEDS;
	r.middle /= SEEDS;
	r.best /= SEEDS;
	r.factor /= SEEDS;
	return r;
}

static void check(const struct setting *s, const struct result *r, double factor_before)
{
	char figure[64];

	snprintf(figure, sizeof(figure), "cap %u: naive, token/s", s->cap);
	science_note(figure, (double)NAN, r->naive, 0);
	snprintf(figure, sizeof(figure), "cap %u: best, token/s", s->cap);
	science_note(figure, (double)NAN, r->best, 0);
	snprintf(figure, sizeof(figure), "cap %u: middle, between them", s->cap);
	science_check_between(figure, r->naive, r->middle, r->best, 0);
	snprintf(figure, sizeof(figure), "cap %u: best / naive, rising", s->cap);
	science_check_between(figure, factor_before, r->factor, INFINITY, 2);
}

static void run(void)
{
	struct result results[SETTINGS];

	for (size_t i = 0; i < SETTINGS; i++)
		results[i] = mean(&settings[i]);
	science_table();
	for (size_t i = 0; i < SETTINGS; i++)
		check(&settings[i], &results[i], i ? results[i - 1].factor : 1);
	science_check_between("cap 32: best / naive, at most 2", -INFINITY, results[0].factor, 2,
			      2);
	science_check("cap 1536: best / naive", 23, results[SETTINGS - 1].factor, 0.35 * 23, 2);
}

const struct science_experiment science_p4 = {
	.name = "p4",
	.title = "static batches, continuous batching, and with paging",
	.source = "Anyscale, How continuous batching enables 23x throughput, 2023",
	.run = run,
};
