/*
 * run_record.c - who listens to a run of "quire run": what sharing saves, the terminal,
 * and the recording.
 */
#include "core/model/tokenizer.h"
#include "core/trace/record_write.h"
#include "run_parts.h"

#include <stdlib.h>

static void watch_sharing(struct quire_sink *sink, const struct quire_event *event)
{
	struct quire_run_sharing *sharing = (struct quire_run_sharing *)(void *)sink;
	const uint64_t alone = (uint64_t)event->c << 32 | event->b;

	if (alone - event->a > sharing->alone - sharing->mapped || !sharing->alone) {
		sharing->mapped = event->a;
		sharing->alone = alone;
	}
}

void quire_run_said(void *arg, uint32_t request, uint32_t sample, const char *text, size_t bytes)
{
	struct quire_run *run = arg;
	const struct quire_stream *stream = quire_stream(run->streams, request, sample);
	uint32_t *recorded = &run->recorded[request * run->args.samples + sample];

	if (run->recorder && bytes <= UINT32_MAX)
		quire_recorder_text(run->recorder, request, stream->seq,
				    run->requests[request].prompt_tokens + *recorded,
				    stream->count - *recorded, text, (uint32_t)bytes);
	*recorded = stream->count;
	quire_show_said(&run->show, request, sample, text, bytes);
}

int quire_run_listen(struct quire_run *run)
{
	run->sharing.sink = (struct quire_sink){QUIRE_EV_BIT(SHARE), watch_sharing};
	quire_tee_add(&run->tee, &run->sharing.sink);
	if (run->args.record) {
		int rc = quire_recorder_open(&run->recorder, run->args.record);

		if (rc)
			return rc;
		quire_tee_add(&run->tee, quire_recorder_sink(run->recorder));
	}
	run->config.sink = quire_tee_sink(&run->tee);
	return 0;
}

/* The report, or its config alone, as text; to be freed.  NULL: no memory. */
static char *report_text(const struct quire_report *r, bool config)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int rc;

	if (!out)
		return NULL;
	rc = config ? quire_report_config_json(out, r) : quire_report_json(out, r, 1, false);
	if (fclose(out) == 0 && rc == 0)
		return text;
	free(text);
	return NULL;
}

/* The text of a prompt's tokens, each on its own, so that a viewer can show which lies where. */
static void record_words(struct quire_run *run, uint32_t request,
			 const struct quire_run_prompt *prompt)
{
	struct quire_detokenizer d;
	struct quire_text text = {0};
	uint32_t first = 0;
	int rc = 0;

	quire_detokenizer_begin(&d, run->loaded.tokenizer, false);
	for (uint32_t i = 0; rc == 0 && i < prompt->count; i++) {
		rc = quire_detokenizer_next(&d, prompt->tokens[i], &text);
		if (rc == 0 && i + 1 == prompt->count)
			rc = quire_detokenizer_end(&d, &text);
		if (rc || !text.bytes)
			continue; /* a character that is not whole yet */
		quire_recorder_text(run->recorder, request, 0, first, i + 1 - first, text.text,
				    (uint32_t)text.bytes);
		text.bytes = 0;
		first = i + 1;
	}
	quire_text_free(&text);
}

void quire_run_record_begin(struct quire_run *run)
{
	const struct quire_loop_config *c = &run->config;
	char *text = run->recorder ? report_text(&run->report, true) : NULL;
	const struct quire_recorder_config rc = {
		.run =
			{
				.requests_count = c->requests_count,
				.slots_total = c->slots_total,
				.seqs_max = c->seqs_max,
				.seq_tokens_max = c->seq_tokens_max,
				.step_tokens_max = run->loaded.step_tokens_max,
				.window_until_ns = UINT64_MAX,
				.kv_bytes_per_token = run->loaded.slot_bytes,
			},
		.config = text ? text : "{}",
		.requests = run->requests,
	};

	if (!run->recorder)
		return;
	quire_recorder_begin(run->recorder, &rc);
	free(text);
	for (uint32_t i = 0; i < run->args.prompts_count; i++) {
		const struct quire_run_prompt *prompt = &run->prompts[i];

		quire_recorder_tokens(run->recorder, i, 0, 0, prompt->tokens, prompt->count);
		if (run->loaded.tokenizer)
			record_words(run, i, prompt);
	}
}

int quire_run_record_close(struct quire_run *run)
{
	char *text = run->recorder ? report_text(&run->report, false) : NULL;
	int rc = quire_recorder_close(run->recorder, text);

	run->recorder = NULL;
	free(text);
	return rc;
}
