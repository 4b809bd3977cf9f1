/*
 * run_sampling.c - how tokens are chosen: what flags say, then what the model's makers
 * say in generation_config.json, then what makes sense.
 */
#include "run_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void add(char *text, size_t size, const char *what, double value, bool theirs, bool *any)
{
	const size_t n = strlen(text);

	snprintf(text + n, size - n, "%s%s %.6g%s", n ? ", " : "", what, value, theirs ? " *" : "");
	*any |= theirs;
}

/* "temperature 0.7 *, top-p 0.8, seed 0 (*: generation_config.json)" */
static void describe(struct quire_run *run)
{
	const struct quire_sampling *s = &run->args.sampling;
	char *text = run->sampling;
	const size_t size = sizeof(run->sampling);
	const bool draws = s->temperature > 0;
	bool theirs = false;
	size_t n;

	*text = '\0';
	if (run->args.beams > 1)
		add(text, size, "beams", run->args.beams, false, &theirs);
	else if (draws)
		add(text, size, "temperature", s->temperature,
		    !run->args.temperature_given && run->loaded.checkpoint.temperature > 0,
		    &theirs);
	else
		snprintf(text, size, "greedy");
	if (draws && s->top_k)
		add(text, size, "top-k", s->top_k, !run->args.top_k_given, &theirs);
	if (draws && s->top_p < 1)
		add(text, size, "top-p", s->top_p, !run->args.top_p_given, &theirs);
	if (draws && s->min_p > 0)
		add(text, size, "min-p", s->min_p, false, &theirs);
	if (s->repetition_penalty < 1 || s->repetition_penalty > 1)
		add(text, size, "repetition-penalty", s->repetition_penalty,
		    !run->args.repetition_given, &theirs);
	if (s->presence_penalty < 0 || s->presence_penalty > 0)
		add(text, size, "presence-penalty", s->presence_penalty, false, &theirs);
	if (s->frequency_penalty < 0 || s->frequency_penalty > 0)
		add(text, size, "frequency-penalty", s->frequency_penalty, false, &theirs);
	n = strlen(text);
	if (draws)
		n += (size_t)snprintf(text + n, size - n, ", seed %llu",
				      (unsigned long long)s->seed);
	if (theirs && n < size)
		snprintf(text + n, size - n, " (*: generation_config.json)");
}

int quire_run_complete_sampling(struct quire_run *run)
{
	const struct quire_checkpoint *model = &run->loaded.checkpoint;
	struct quire_run_args *a = &run->args;
	struct quire_sampling *s = &a->sampling;
	const bool wants_to_draw = a->top_k_given || a->top_p_given || s->min_p > 0;

	if (a->beams == 1) {
		if (!a->temperature_given)
			s->temperature = model->temperature;
		if (!a->temperature_given && !(s->temperature > 0) &&
		    (a->samples > 1 || wants_to_draw))
			s->temperature = 1;
		if (!a->top_k_given)
			s->top_k = model->top_k;
		if (!a->top_p_given)
			s->top_p = model->top_p;
		if (!a->repetition_given)
			s->repetition_penalty = model->repetition_penalty;
	}
	describe(run);
	if (2 * (uint64_t)a->beams > model->model.vocab && a->beams > 1)
		return quire_fail(-EINVAL,
				  "--beams %u: twice as many tokens are looked at, and "
				  "the model has %u",
				  a->beams, model->model.vocab);
	for (uint32_t i = 0; i < s->stop_tokens_count; i++)
		if (s->stop_tokens[i] >= model->model.vocab)
			return quire_fail(-EINVAL,
					  "--stop-token-id: the model has %u tokens, and "
					  "no %u",
					  model->model.vocab, s->stop_tokens[i]);
	if (s->logprobs > model->model.vocab)
		s->logprobs = model->model.vocab;
	if (quire_sampling_check(s))
		return quire_fail(-EINVAL, "generation_config.json: %s", quire_failure());
	return 0;
}
