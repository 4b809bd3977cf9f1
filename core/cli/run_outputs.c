/*
 * run_outputs.c - the texts that came out of "quire run": which they are, what they are
 * called, and why they ended.
 */
#include "run_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *quire_run_finish_reason(const struct quire_run *run, uint32_t request,
				    const struct quire_stream *stream)
{
	if (stream->ended)
		return "stop";
	return stream->count >= run->requests[request].output_tokens_max ? "length" : NULL;
}

/* Tokens as text, "15 7 300"; NULL: no memory. */
static char *spell_out(const struct quire_stream *stream)
{
	char *text = malloc(stream->count * 11u + 1), *to = text;

	if (!text)
		return NULL;
	*to = '\0';
	for (uint32_t i = 0; i < stream->count; i++)
		to += sprintf(to, "%s%u", i ? " " : "", stream->tokens[i]);
	return text;
}

static int by_score(const void *a, const void *b)
{
	const struct quire_stream *x = *(const struct quire_stream *const *)a;
	const struct quire_stream *y = *(const struct quire_stream *const *)b;

	return x->score > y->score ? -1 : x->score < y->score;
}

/* "prompt 2, sample 3": as much of it as tells them apart. */
static void name(const struct quire_run *run, struct quire_shown *shown, const char *what,
		 uint32_t number)
{
	const bool prompts = run->args.prompts_count > 1;
	const bool several = run->args.samples > 1 || run->args.beams > 1;
	char *text = shown->heading;
	size_t n = 0;

	if (prompts || !several)
		n = (size_t)snprintf(text, sizeof(shown->heading), "prompt %u", shown->request + 1);
	if (several)
		snprintf(text + n, sizeof(shown->heading) - n, "%s%s %u", n ? ", " : "", what,
			 number);
}

void quire_run_name_samples(struct quire_run *run)
{
	for (uint32_t i = 0; i < run->show.count; i++) {
		struct quire_shown *shown = &run->show.at[i];

		shown->request = i / run->args.samples;
		shown->sample = i % run->args.samples;
		name(run, shown, "sample", shown->sample + 1);
	}
}

/* The best texts that the beams of a request completed; if there are none, its beams. */
static int find_beams(struct quire_run *run, uint32_t request)
{
	const uint32_t width = run->args.beams;
	const uint32_t samples = quire_streams_samples(run->streams, request);
	const struct quire_stream **best = calloc(samples + 1u, sizeof(*best));
	uint32_t count = 0;

	if (!best)
		return quire_fail(-ENOMEM, "out of memory for the beams");
	for (uint32_t k = samples > width ? width : 0; k < samples; k++) {
		best[count] = quire_stream(run->streams, request, k);
		count += best[count] && best[count]->count;
	}
	qsort(best, count, sizeof(*best), by_score);
	for (uint32_t k = 0; k < count && k < width; k++) {
		struct quire_shown *shown = &run->show.at[run->show.count++];
		size_t n;

		shown->request = request;
		shown->sample = best[k]->sample;
		name(run, shown, "beam", k + 1);
		n = strlen(shown->heading);
		snprintf(shown->heading + n, sizeof(shown->heading) - n, ", score %.4f",
			 best[k]->score);
		if (run->recorder && best[k]->text_bytes && best[k]->text_bytes <= UINT32_MAX)
			quire_recorder_text(run->recorder, request, best[k]->seq,
					    run->requests[request].prompt_tokens, best[k]->count,
					    best[k]->text, (uint32_t)best[k]->text_bytes);
	}
	free(best);
	return 0;
}

int quire_run_find_outputs(struct quire_run *run)
{
	int rc = 0;

	if (run->args.beams > 1) {
		run->show.count = 0;
		for (uint32_t i = 0; rc == 0 && i < run->args.prompts_count; i++)
			rc = find_beams(run, i);
	}
	for (uint32_t i = 0; rc == 0 && !run->loaded.tokenizer && i < run->show.count; i++) {
		struct quire_shown *shown = &run->show.at[i];
		const struct quire_stream *stream =
			quire_stream(run->streams, shown->request, shown->sample);

		shown->numbers = stream ? spell_out(stream) : NULL;
		if (stream && !shown->numbers)
			rc = quire_fail(-ENOMEM, "out of memory for the text");
	}
	return rc;
}
