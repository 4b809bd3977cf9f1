/*
 * run_json.c - the JSON of "quire run": the report of the run with the keys of every
 * report, and beside them "results", one for each prompt, with the names of vLLM's
 * outputs.
 */
#include "cli.h"
#include "core/loop.h"
#include "core/trace/json_build.h"
#include "core/trace/report_tree.h"
#include "json.h"
#include "run_parts.h"

#include <math.h>
#include <string.h>
#include <utf8proc.h>

static json_t *real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *text(const char *bytes, size_t count)
{
	return json_stringn(bytes ? bytes : "", bytes ? count : 0);
}

/* A prompt may be anything: null where it is no UTF-8. */
static json_t *prompt_text(const struct quire_run_prompt *prompt)
{
	const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)prompt->text;
	const utf8proc_uint8_t *end = at + prompt->bytes;
	utf8proc_int32_t c;

	while (at < end) {
		const utf8proc_ssize_t n = utf8proc_iterate(at, end - at, &c);

		if (n <= 0)
			return json_null();
		at += n;
	}
	return text(prompt->text, prompt->bytes);
}

static json_t *numbers(const uint32_t *ids, uint32_t count)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++)
		list = quire_json_append(list, json_integer(ids[i]));
	return list;
}

static json_t *seconds(uint64_t from_ns, uint64_t until_ns)
{
	return until_ns ? json_real((double)(until_ns - from_ns) / 1e9) : json_null();
}

/* {logprob, top: [{token, piece, logprob}]} of each token. */
static json_t *logprobs(const struct quire_run *run, const struct quire_stream *stream)
{
	const uint32_t k = run->args.sampling.logprobs;
	json_t *list = json_array();

	for (uint32_t i = 0; i < stream->count; i++) {
		json_t *top = json_array();

		for (uint32_t j = 0; j < k; j++) {
			const struct quire_alternative *a =
				&stream->alternatives[(size_t)i * k + j];
			const char *piece = quire_run_piece(run, a->token);

			top = quire_json_append(
				top, json_pack("{s:I, s:o, s:o}", "token_id", (json_int_t)a->token,
					       "piece", text(piece, strlen(piece)), "logprob",
					       real((double)a->logprob)));
		}
		list = quire_json_append(list,
					 json_pack("{s:o, s:o}", "logprob",
						   real((double)stream->logprobs[i]), "top", top));
	}
	return list;
}

static json_t *output(const struct quire_run *run, const struct quire_shown *shown, uint32_t index)
{
	const struct quire_stream *s = quire_stream(run->streams, shown->request, shown->sample);
	const char *reason;
	double sum = 0;
	json_t *json;

	if (!s)
		return json_null();
	for (uint32_t i = 0; i < s->count; i++)
		sum += (double)s->logprobs[i];
	reason = quire_run_finish_reason(run, shown->request, s);
	json = json_pack("{s:I, s:o, s:o, s:o, s:o}", "index", (json_int_t)index, "text",
			 run->loaded.tokenizer ? text(s->text, s->text_bytes) : json_null(),
			 "token_ids", numbers(s->tokens, s->count), "cumulative_logprob", real(sum),
			 "finish_reason", reason ? json_string(reason) : json_null());
	if (run->args.beams > 1)
		json = quire_json_with(json, "score", real(s->score));
	if (run->args.sampling.logprobs)
		json = quire_json_with(json, "logprobs", logprobs(run, s));
	return json;
}

static json_t *result(const struct quire_run *run, uint32_t request)
{
	const struct quire_outcome *o = &quire_loop_metrics(run->loop)->outcomes[request];
	const struct quire_run_prompt *prompt = &run->prompts[request];
	const uint32_t beams = run->args.beams;
	const double tokens = (double)o->output_tokens / (beams > 1 ? beams : run->args.samples);
	json_t *outputs = json_array();
	uint32_t index = 0;

	for (uint32_t i = 0; i < run->show.count; i++)
		if (run->show.at[i].request == request)
			outputs =
				quire_json_append(outputs, output(run, &run->show.at[i], index++));
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:b}", "prompt", prompt_text(prompt),
		"prompt_token_ids", numbers(prompt->tokens, prompt->count), "outputs", outputs,
		"arrival_s", json_real((double)o->arrival_ns / 1e9), "queue_s",
		seconds(o->arrival_ns, o->first_scheduled_ns), "ttft_s",
		seconds(o->arrival_ns, o->first_token_ns), "tpot_s",
		o->finish_ns && tokens > 1
			? json_real((double)(o->finish_ns - o->first_token_ns) / 1e9 / (tokens - 1))
			: json_null(),
		"e2e_s", seconds(o->arrival_ns, o->finish_ns), "preemptions",
		(json_int_t)o->preemptions, "refused", o->refused != QUIRE_REFUSED_NONE);
}

static json_t *sampling(const struct quire_run *run)
{
	const struct quire_sampling *s = &run->args.sampling;
	json_t *stops = json_array();

	for (uint32_t i = 0; i < s->stops_count; i++)
		stops = quire_json_append(stops, json_string(s->stops[i]));
	return json_pack(
		"{s:f, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:o, s:o, s:b}",
		"temperature", s->temperature, "top_k", (json_int_t)s->top_k, "top_p", s->top_p,
		"min_p", s->min_p, "repetition_penalty", s->repetition_penalty, "presence_penalty",
		s->presence_penalty, "frequency_penalty", s->frequency_penalty, "length_penalty",
		s->length_penalty, "seed", (json_int_t)s->seed, "logprobs", (json_int_t)s->logprobs,
		"beams", (json_int_t)run->args.beams, "stop", stops, "stop_token_ids",
		numbers(s->stop_tokens, s->stop_tokens_count), "ignore_eos", run->args.ignore_eos);
}

int quire_run_write_json(const struct quire_run *run)
{
	json_t *all = quire_report_tree(&run->report), *results = json_array();
	json_t *config = json_object_get(all, "config");

	for (uint32_t i = 0; i < run->args.prompts_count; i++)
		results = quire_json_append(results, result(run, i));
	if (json_object_set_new(config, "sampling", sampling(run))) {
		json_decref(all);
		all = NULL;
	}
	all = quire_json_with(all, "results", results);
	return quire_json_write("run", all, run->args.json);
}
