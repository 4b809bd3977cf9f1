/*
 * p1_sizes.c - what follows from a model's shape by counting: bytes of K and V, and
 * the course notes' estimate of Qwen2.5-32B on an H20.
 *
 * The tolerance of a figure is half of its last printed digit.
 */
#include "science.h"

#include "core/model/model.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *model;
	double bytes; /* of one token's K and V, 16 bits an element */
} kv[] = {
	{"OPT-13B", 819200},	  {"LLaMA-13B", 819200},   {"OPT-66B", 2359296},
	{"OPT-175B", 4718592},	  {"Llama-2-70B", 327680}, {"Llama-3-70B", 327680},
	{"Qwen2.5-7B", 57344}, {"Qwen2.5-0.5B", 12288},
};

/* Figures of "quire plan --json". */
static const struct {
	const char *figure, *path;
	double published, unit, tolerance;
	int decimals;
} plan[] = {
	{"parameters, one embedding, no head: B", "parameters.notes", 31.98, 1e9, 0.005, 3},
	{"notes: prefill, TFLOP", "batches.0.notes.prefill_flops", 65.28, 1e12, 0.005, 3},
	{"notes: prefill at the peak, ms", "batches.0.notes.prefill_s", 441, 1e-3, 0.5, 1},
	{"notes: decode, GFLOP a token", "batches.0.notes.decode_flops_per_token", 64.4, 1e9, 0.05,
	 2},
	{"notes: decode at the peak, token/s", "batches.0.notes.decode_tokens_per_s", 2297, 1, 0.5,
	 1},
	{"quick: prefill 2 B S P, TFLOP", "batches.0.quick.prefill_flops", 65.5, 1e12, 0.05, 2},
	{"quick: decode 2 P, GFLOP a token", "batches.0.quick.decode_flops_per_token", 64.0, 1e9,
	 0.05, 2},
	{"quick: decode at the peak, token/s", "batches.0.quick.decode_tokens_per_s", 2314, 1, 0.5,
	 1},
};

/* The notes round before they multiply; the page of "quire plan" tells so.  The
 * number is the one that stands before @unit, behind @mark. */
static const struct {
	const char *figure, *mark, *unit;
	double published;
} rounded[] = {
	{"P = 32 B, prompt 1,000: prefill, TFLOP", "(by hand, P = 32 B, prompt 1,000:", " TFLOP",
	 64},
	{"P = 32 B, prompt 1,000: prefill, ms", "(by hand, P = 32 B, prompt 1,000:", " ms", 432},
	{"P = 32 B: decode, token/s", "(by hand, P = 32 B, prompt 1,000:", " token/s", 2312},
	{"decode rounded to 0.06 TFLOP, token/s", "cut to 60 GFLOP:", " token/s", 2466},
};

/* "... 2,312 token/s": 2312 */
static double number_before(const char *text, const char *mark, const char *unit)
{
	const char *from, *at = strstr(text, mark);
	double number = 0, digit = 1;

	at = at ? strstr(at + strlen(mark), unit) : NULL;
	if (!at)
		return (double)NAN;
	for (from = at; from > text && (isdigit((unsigned char)from[-1]) || from[-1] == ',' ||
					from[-1] == '.');)
		from--;
	for (; from < at; from++) {
		if (*from == '.')
			digit /= 10;
		else if (isdigit((unsigned char)*from) && digit < 1) {
			number += (*from - '0') * digit;
			digit /= 10;
		} else if (isdigit((unsigned char)*from)) {
			number = 10 * number + (*from - '0');
		}
	}
	return number;
}
