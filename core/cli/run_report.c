/*
 * run_report.c - what "quire run" tells on stderr.
 */
#include "core/cli/units.h"
#include "core/loop.h"
#include "core/model/tokenizer.h"
#include "run_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void tell(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("quire run: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

void quire_run_tell_begin(const struct quire_run *run)
{
	const struct quire_checkpoint *c = &run->loaded.checkpoint;
	const uint64_t pool_bytes = run->config.slots_total * run->loaded.slot_bytes;
	struct quire_params params;

	quire_model_params(&c->model, &params);
	tell("%s, %s parameters in %s, on %s; %s x %s; a pool of %s slots, %s", c->model.name,
	     quire_text_si((double)params.total, 3, "").s, quire_weight_type_name(c->type),
	     quire_exec_kind_name(run->loaded.kind), run->report.config.scheduler_label,
	     run->report.config.allocator_label, quire_text_count(run->config.slots_total).s,
	     quire_text_si((double)pool_bytes, 3, "B").s);
	tell("%s", run->sampling);
}

/* "TTFT 12 ms", of several "TTFT 12 ms (at most 15 ms)"; nothing where there is none. */
static void tell_spread(const char *name, const struct quire_spread *s, bool several)
{
	if (!isfinite(s->mean))
		return;
	fprintf(stderr, ", %s %s", name, quire_text_seconds(s->mean).s);
	if (several)
		fprintf(stderr, " (at most %s)", quire_text_seconds(s->max).s);
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

void quire_run_tell_end(const struct quire_run *run)
{
	const struct quire_metrics *m = quire_loop_metrics(run->loop);
	const struct quire_report *r = &run->report;
	const struct quire_run_sharing *sharing = &run->sharing;
	const double time_s = (double)m->end_ns / 1e9;
	const uint32_t count = run->args.prompts_count;
	uint64_t prompt_tokens = 0;

	for (uint32_t i = 0; i < count; i++)
		prompt_tokens += run->requests[i].prompt_tokens;
	fprintf(stderr, "quire run: %s prompt token%s, %s token%s in %s",
		quire_text_count(prompt_tokens).s, plural(prompt_tokens),
		quire_text_count(m->output_tokens).s, plural(m->output_tokens),
		quire_text_seconds(time_s).s);
	tell_spread("TTFT", &r->ttft_s, count > 1);
	tell_spread("TPOT", &r->tpot_s, count > 1);
	if (m->output_tokens && time_s > 0)
		fprintf(stderr, ", %s tokens/s",
			quire_text_rate((double)m->output_tokens / time_s).s);
	fputc('\n', stderr);
	if (sharing->alone > sharing->mapped)
		tell("sharing: %s slots held instead of %s, %.1f %% saved; %s block%s copied on "
		     "write",
		     quire_text_count(sharing->mapped).s, quire_text_count(sharing->alone).s,
		     100 * (1 - (double)sharing->mapped / (double)sharing->alone),
		     quire_text_count(m->copies).s, plural(m->copies));
	if (m->preemptions)
		tell("%s preemption%s: %s tokens were computed again",
		     quire_text_count(m->preemptions).s, plural(m->preemptions),
		     quire_text_count(m->recomputed_tokens).s);
}

/* As in C: what would steer a terminal, or end the quotes, is escaped. */
static void print_quoted(const char *text, size_t bytes)
{
	static const char named[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";

	fputc('"', stderr);
	for (size_t i = 0; i < bytes; i++) {
		const unsigned char c = (unsigned char)text[i];
		const char *name = c ? strchr(named, c) : NULL;
		const bool control =
			c == 0xc2 && i + 1 < bytes && (unsigned char)text[i + 1] < 0xa0;

		if (name)
			fprintf(stderr, "\\%c", letters[name - named]);
		else if (c == '"' || c == '\\')
			fprintf(stderr, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			fprintf(stderr, "\\x%02x", c);
		else if (control)
			fprintf(stderr, "\\u%04x", (unsigned char)text[++i]);
		else
			fputc(c, stderr);
	}
	fputc('"', stderr);
}

/* A token as it would stand in the middle of a text; half a character is U+FFFD. */
static void print_token(const struct quire_run *run, uint32_t token, double logprob)
{
	struct quire_text text = {.text = NULL};
	struct quire_detokenizer d;

	fprintf(stderr, "%10.5f %u", logprob, token);
	if (!run->loaded.tokenizer)
		return;
	quire_detokenizer_begin(&d, run->loaded.tokenizer, false);
	d.begun = true;
	d.strip = 0;
	fputc(' ', stderr);
	if (quire_detokenizer_next(&d, token, &text) == 0 && quire_detokenizer_end(&d, &text) == 0)
		print_quoted(text.text, text.bytes);
	quire_text_free(&text);
}

void quire_run_tell_logprobs(const struct quire_run *run)
{
	for (uint32_t i = 0; i < run->show.count; i++) {
		const struct quire_shown *shown = &run->show.at[i];
		const struct quire_stream *stream =
			quire_stream(run->streams, shown->request, shown->sample);
		const uint32_t k = run->args.sampling.logprobs;

		if (!stream)
			continue;
		tell("logprobs of %s: the token, and the %u likeliest", shown->heading, k);
		for (uint32_t n = 0; n < stream->count; n++) {
			print_token(run, stream->tokens[n], (double)stream->logprobs[n]);
			for (uint32_t j = 0; j < k; j++) {
				fputs(j ? "\t" : "\t|", stderr);
				print_token(run, stream->alternatives[n * k + j].token,
					    (double)stream->alternatives[n * k + j].logprob);
			}
			fputc('\n', stderr);
		}
	}
}
