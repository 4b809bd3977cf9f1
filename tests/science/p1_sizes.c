/*
 * p1_sizes.c - what follows from a model's shape by counting: bytes of K and V, and
 * the course notes' estimate of Qwen2.5-32B on an H20.
 *
 * The tolerance of a figure is half of its last printed digit.
 */
#include "science.h"

#include "core/model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAN "plan --model Qwen2.5-32B --gpu H20 --prompt 1024 --output 1024 --batch 1"

static const struct {
	const char *model;
	double bytes; /* of one token's K and V, 16 bits an element */
} kv[] = {
	{"OPT-13B", 819200},	{"LLaMA-13B", 819200},	 {"OPT-66B", 2359296},
	{"OPT-175B", 4718592},	{"Llama-2-70B", 327680}, {"Llama-3-70B", 327680},
	{"Qwen2.5-7B", 57344},	{"Qwen2.5-0.5B", 12288}, {"DeepSeek-V3", 70272},
	{"DeepSeek-R1", 70272},
};

/* Figures of "quire plan --json -". */
static const struct {
	const char *figure, *path;
	double published, tolerance, unit;
	int decimals;
} plan[] = {
	{"parameters, one embedding and no head, B", "parameters.notes", 31.98, 0.005, 1e9, 3},
	{"notes: prefill, TFLOP", "notes.prefill_flops", 65.28, 0.005, 1e12, 3},
	{"notes: prefill at the peak, ms", "notes.prefill_s", 441, 0.5, 1e-3, 1},
	{"notes: decode, GFLOP/token", "notes.decode_flops_per_token", 64.4, 0.05, 1e9, 2},
	{"notes: decode at the peak, token/s", "notes.decode_tokens_per_s", 2297, 0.5, 1, 1},
	{"quick: prefill 2 B S P, TFLOP", "quick.prefill_flops", 65.5, 0.05, 1e12, 2},
	{"quick: decode 2 P, GFLOP/token", "quick.decode_flops_per_token", 64.0, 0.05, 1e9, 2},
	{"quick: decode at the peak, token/s", "quick.decode_tokens_per_s", 2314, 0.5, 1, 1},
};

/* The notes round before they multiply.  The page of "quire plan" shows how: our
 * figure is the number that stands there before @unit, behind @mark. */
#define BY_HAND "(by hand, P = 32 B, prompt 1,000:"
static const struct {
	const char *figure, *mark, *unit;
	double published;
} rounded[] = {
	{"printed (P 32 B, S 1,000): prefill, TFLOP", BY_HAND, " TFLOP", 64},
	{"printed (P 32 B, S 1,000): prefill, ms", BY_HAND, " ms", 432},
	{"printed (P 32 B): decode, token/s", BY_HAND, " token/s", 2312},
	{"printed (cut to 0.06 TFLOP): decode, token/s", "cut to 60 GFLOP:", " token/s", 2466},
};

/* "... 2,312 token/s": 2312 */
static double number_before(const char *text, const char *mark, const char *unit)
{
	const char *at = strstr(text, mark), *from;
	char digits[32];
	size_t n = 0;

	at = at ? strstr(at + strlen(mark), unit) : NULL;
	if (!at)
		return (double)NAN;
	for (from = at; from > text && strchr("0123456789.,", from[-1]);)
		from--;
	for (; from < at && n < sizeof(digits) - 1; from++)
		if (*from != ',')
			digits[n++] = *from;
	digits[n] = '\0';
	return n ? strtod(digits, NULL) : (double)NAN;
}

static void check_kv(void)
{
	struct quire_model model;
	char figure[64];

	for (size_t i = 0; i < sizeof(kv) / sizeof(*kv); i++) {
		snprintf(figure, sizeof(figure), "KV bytes/token, %s", kv[i].model);
		if (quire_model_find(&model, kv[i].model))
			science_fail("%s", quire_failure());
		else
			science_check(figure, kv[i].bytes, (double)quire_model_kv_bytes(&model, 16),
				      0, 0);
	}
}

static void check_plan(const json_t *root, const char *page)
{
	const json_t *point = science_value(root, "batches.0");
	double reading_s, computing_s;

	for (size_t i = 0; i < sizeof(plan) / sizeof(*plan); i++)
		science_check(plan[i].figure, plan[i].published,
			      science_number(i ? point : root, plan[i].path) / plan[i].unit,
			      plan[i].tolerance, plan[i].decimals);
	for (size_t i = 0; i < sizeof(rounded) / sizeof(*rounded); i++)
		science_check(rounded[i].figure, rounded[i].published,
			      number_before(page, rounded[i].mark, rounded[i].unit), 0, 0);

	science_check_text("decode at batch 1 is bound by", "memory",
			   json_string_value(science_value(point, "roofline.decode.bound")));
	reading_s = science_number(point, "roofline.decode.bytes_s");
	computing_s = science_number(point, "roofline.decode.flops_s");
	printf("\n  A decode step at batch 1 reads for %.1f times as long as it computes: %.1f "
	       "token/s\n  by the roofline.\n",
	       reading_s / computing_s,
	       science_number(point, "roofline.decode.steps") /
		       science_number(point, "roofline.decode.time_s"));
}

static void run(void)
{
	char *page;
	json_t *root;

	printf("  $ quire model OPT-13B    (and so on)\n");
	page = science_run(PLAN);
	root = science_run_json(PLAN " --json -");
	science_table();
	check_kv();
	if (page && root)
		check_plan(root, page);
	json_decref(root);
	free(page);
}

const struct science_experiment science_p1 = {
	.name = "p1",
	.title = "sizes, and the course notes' arithmetic",
	.source = "models' config.json; the course notes' estimate of Qwen2.5-32B on an H20",
	.run = run,
};
