/*
 * model_running.c - what "quire model" says of running a model: rotary positions, the
 * window, the tokens that end a text, sampling, the tokenizer; see model_parts.h.
 */
#include "core/trace/json_build.h"
#include "model_parts.h"
#include "units.h"

#include <inttypes.h>
#include <stdio.h>

static void print_rope(const struct quire_rope *rope)
{
	printf("  rotation     base %s", quire_text_count((uint64_t)rope->theta).s);
	if (rope->scaling == QUIRE_ROPE_LINEAR)
		printf("; positions divided by %g", rope->factor);
	if (rope->scaling == QUIRE_ROPE_LLAMA3)
		printf("; stretched %g times as in Llama 3.1, from %s tokens", rope->factor,
		       quire_text_count((uint64_t)rope->original).s);
	printf("\n");
}

static void print_token(const struct quire_model_tokenizer *t, uint32_t id)
{
	const char *text = quire_model_token(t, id);

	printf("%" PRIu32 "%s%s", id, *text ? " " : "", text);
}

void quire_model_running_print(const struct quire_checkpoint *c,
			       const struct quire_model_tokenizer *t)
{
	const uint32_t bits = 8 * quire_weight_type_bytes(c->type);

	printf("Running it\n");
	printf("  memory       %s of weights%s %s; %s B of keys and values a token\n",
	       quire_text_si((double)c->weight_bytes, 4, "B").s,
	       c->weight_bytes == quire_model_weight_bytes(&c->model, bits) ? " in" : ", mostly",
	       quire_weight_type_name(c->type),
	       quire_text_count(quire_model_kv_bytes(&c->model, bits)).s);
	print_rope(&c->rope);
	if (c->window)
		printf("  attention    looks back on %s tokens\n", quire_text_count(c->window).s);
	printf("  norms        epsilon %g\n", c->norm_eps);
	if (c->begin != UINT32_MAX) {
		printf("  begins with  ");
		print_token(t, c->begin);
		printf("\n");
	}
	printf("  ends at      ");
	for (uint32_t i = 0; i < c->ends_count; i++) {
		printf("%s", i ? ", " : "");
		print_token(t, c->ends[i]);
	}
	printf("%s\n  sampling     ", c->ends_count ? "" : "no token");
	if (c->temperature > 0)
		printf("temperature %g", c->temperature);
	else
		printf("greedy");
	if (c->temperature > 0 && c->top_p < 1)
		printf(", top-p %g", c->top_p);
	if (c->temperature > 0 && c->top_k)
		printf(", top-k %" PRIu32, c->top_k);
	if (c->repetition_penalty != 1)
		printf(", repetition penalty %g", c->repetition_penalty);
	printf(" unless asked otherwise\n\n");
}

json_t *quire_model_running_json(const struct quire_checkpoint *c)
{
	static const char *const scalings[] = {"default", "linear", "llama3"};
	json_t *ends = json_array(), *begin;

	for (uint32_t i = 0; i < c->ends_count; i++)
		ends = quire_json_append(ends, json_integer(c->ends[i]));
	begin = c->begin == UINT32_MAX ? json_null() : json_integer(c->begin);
	return json_pack("{s:s, s:{s:f, s:s, s:f, s:f, s:f, s:f}, s:I, s:f, s:o, s:o, "
			 "s:{s:f, s:f, s:I, s:f}}",
			 "type", quire_weight_type_name(c->type), "rope", "theta", c->rope.theta,
			 "scaling", scalings[c->rope.scaling], "factor", c->rope.factor,
			 "low_freq_factor", c->rope.low_factor, "high_freq_factor",
			 c->rope.high_factor, "original_max_position_embeddings", c->rope.original,
			 "window", (json_int_t)c->window, "norm_eps", c->norm_eps, "begin", begin,
			 "ends", ends, "sampling", "temperature", c->temperature, "top_p", c->top_p,
			 "top_k", (json_int_t)c->top_k, "repetition_penalty",
			 c->repetition_penalty);
}

void quire_model_tokenizer_print(const struct quire_model_tokenizer *t, uint32_t vocab)
{
	printf("Tokenizer\n");
	printf("  kind         %s\n", t->kind);
	printf("  entries      %s, for %s rows of the embedding\n", quire_text_count(t->entries).s,
	       quire_text_count(vocab).s);
	printf("  special      %s of them\n", quire_text_count(t->specials).s);
	printf("  chat         %s\n\n", t->chat	      ? t->chat
					: t->template ? "a template that is not known here"
						      : "no template");
}

json_t *quire_model_tokenizer_json(const struct quire_model_tokenizer *t)
{
	return json_pack("{s:s, s:I, s:I, s:s?}", "kind", t->kind, "entries",
			 (json_int_t)t->entries, "specials", (json_int_t)t->specials, "chat",
			 t->chat);
}
