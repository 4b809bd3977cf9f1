/*
 * run.c - "quire run": prompts in, text out, through the same loop, scheduler and
 * allocator as everything else.
 */
#include "cli.h"
#include "module_text.h"
#include "output.h"
#include "run_parts.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOKENS_DEFAULT 256 /* of --max-tokens */

static volatile sig_atomic_t stopped; /* 0, or the signal */
static struct quire_exec *stopped_exec;

/* The first one ends the run after its step, a second one ends the program. */
static void stop(int signal_number)
{
	stopped = signal_number;
	quire_engine_wake(stopped_exec);
}

static void catch_signals(struct quire_exec *exec)
{
	struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};

	stopped_exec = exec;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void release_signals(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

/* ---- what is asked ---- */

/* How long may each answer be?  Return: 0; -EINVAL with both numbers. */
static int make_requests(struct quire_run *run)
{
	const struct quire_run_args *a = &run->args;
	const struct quire_model *model = &run->loaded.checkpoint.model;

	if (quire_loaded_model_len(&run->loaded, a->max_model_len))
		return -EINVAL;
	run->context = a->max_model_len ? a->max_model_len : model->positions_max;
	run->requests = calloc(a->prompts_count, sizeof(*run->requests));
	run->said = calloc(a->prompts_count, sizeof(*run->said));
	if (!run->requests || !run->said)
		return quire_fail(-ENOMEM, "out of memory for %u prompts", a->prompts_count);
	for (uint32_t i = 0; i < a->prompts_count; i++) {
		const uint32_t tokens = run->prompts[i].count;
		uint32_t most = a->max_tokens ? a->max_tokens : TOKENS_DEFAULT;

		if (tokens >= run->context)
			return quire_fail(-EINVAL,
					  "prompt %u has %u tokens, and the context %u: no room "
					  "for an answer",
					  i + 1, tokens, run->context);
		if (a->max_tokens && a->max_tokens > run->context - tokens)
			return quire_fail(-EINVAL,
					  "prompt %u and its answer may have %u + %u = %llu "
					  "tokens, and the context has %u",
					  i + 1, tokens, a->max_tokens,
					  (unsigned long long)tokens + a->max_tokens, run->context);
		if (most > run->context - tokens)
			most = run->context - tokens;
		run->requests[i] = (struct quire_request){
			.id = i,
			.prompt_tokens = tokens,
			.output_tokens_max = most,
			.samples = a->samples,
			.beams = a->beams,
		};
		run->said[i] = (struct quire_stream_request){
			.prompt = run->prompts[i].tokens,
			.sampling = a->sampling,
		};
	}
	return 0;
}

/* The rest of the loop's configuration.  Return: 0; -ENOMEM. */
static int make_config(struct quire_run *run)
{
	const struct quire_run_args *a = &run->args;
	struct quire_loop_config *c = &run->config;
	uint64_t seqs = 0, useful;
	uint32_t longest = 2;

	for (uint32_t i = 0; i < a->prompts_count; i++) {
		const struct quire_request *r = &run->requests[i];

		seqs += a->beams > 1 ? a->beams + 1 : a->samples;
		if (r->prompt_tokens + r->output_tokens_max > longest)
			longest = r->prompt_tokens + r->output_tokens_max;
	}
	if (seqs > a->max_num_seqs)
		seqs = a->max_num_seqs;
	/* Twice: allocators round. */
	useful = 2 * (seqs + 1) * ((longest + 255u) & ~255u);
	*c = (struct quire_loop_config){
		.scheduler = a->scheduler,
		.allocator = a->allocator,
		.seqs_max = a->max_num_seqs,
		.seq_tokens_max = longest,
		.step_tokens_max = a->max_num_batched_tokens,
		.audit = a->audit,
		.requests = run->requests,
		.requests_count = a->prompts_count,
		.length_penalty = a->sampling.length_penalty,
		.stop = &stopped,
	};
	return quire_loaded_slots(&run->loaded, &a->engine, useful, &c->slots_total);
}

/* Return: 0; -ENOMEM. */
static int make_settings(struct quire_run *run)
{
	const struct quire_run_args *a = &run->args;
	const struct quire_loaded *l = &run->loaded;
	struct quire_settings s = {
		.tp = 1,
		.max_num_seqs = a->max_num_seqs,
		.max_num_batched_tokens = l->step_tokens_max,
		.max_model_len = run->config.seq_tokens_max,
		.kv_slots = run->config.slots_total,
		.kv_bytes_per_token = l->slot_bytes,
		.requests = a->prompts_count,
		.samples = a->samples,
		.beams = a->beams > 1 ? a->beams : 0,
		.audit = a->audit,
		.seed = a->sampling.seed,
	};
	int rc = quire_module_settings(QUIRE_SCHED, a->scheduler, s.scheduler, s.scheduler_label,
				       sizeof(s.scheduler));

	if (rc == 0)
		rc = quire_module_settings(QUIRE_KV, a->allocator, s.allocator, s.allocator_label,
					   sizeof(s.allocator));
	if (rc)
		return rc;
	snprintf(s.model, sizeof(s.model), "%s", l->checkpoint.model.name);
	snprintf(s.exec, sizeof(s.exec), "%s", quire_exec_kind_name(l->kind));
	snprintf(s.weight_dtype, sizeof(s.weight_dtype), "%s",
		 quire_weight_type_name(l->checkpoint.type));
	snprintf(s.kv_dtype, sizeof(s.kv_dtype), "%s", quire_weight_type_name(l->kv_type));
	snprintf(s.workload, sizeof(s.workload), "prompts");
	snprintf(s.workload_format, sizeof(s.workload_format), "prompts");
	snprintf(s.arrivals, sizeof(s.arrivals), "burst");
	quire_report_init(&run->report, &s);
	return 0;
}

/* ---- the run ---- */

static bool is_stdout(const char *name)
{
	return name && !strcmp(name, "-");
}

static int prepare(struct quire_run *run)
{
	const struct quire_run_args *a = &run->args;
	const uint32_t outputs = a->prompts_count * (a->beams > 1 ? a->beams : a->samples);
	const struct quire_checkpoint *model = &run->loaded.checkpoint;
	struct quire_streams_config config = {
		.requests = run->said,
		.requests_count = a->prompts_count,
		.vocab = model->model.vocab,
		.ends = model->ends,
		.ends_count = model->ends_count,
		.tokenizer = run->loaded.tokenizer,
		.ignore_ends = a->ignore_eos,
		.said = quire_run_said,
		.said_arg = run,
	};
	int rc = quire_streams_new(&run->streams, &config);

	run->recorded = calloc(outputs, sizeof(*run->recorded));
	if (rc == 0 && !run->recorded)
		rc = quire_fail(-ENOMEM, "out of memory for %u texts", outputs);
	if (rc == 0)
		rc = quire_show_open(&run->show, stdout, outputs,
				     !a->no_stream && a->beams == 1 && !is_stdout(a->json));
	if (rc)
		return rc;
	run->show.streams = run->streams;
	if (a->beams == 1)
		quire_run_name_samples(run);
	rc = quire_loaded_start(&run->loaded, &a->engine, &run->config, run->streams);
	if (rc)
		return rc;
	rc = make_settings(run);
	if (rc == 0)
		rc = quire_run_listen(run);
	if (rc)
		return rc;
	run->loop = quire_loop_new(&run->config);
	return run->loop ? 0 : -errno;
}

/* Run, and show.  Return: 0; -EINTR stopped; -errno with a sentence. */
static int go(struct quire_run *run)
{
	char sentence[QUIRE_REPORT_SENTENCE_MAX]; /* of the loop */
	int rc, ended;

	quire_run_tell_begin(run);
	quire_run_record_begin(run);
	catch_signals(&run->loaded.exec);
	quire_engine_start(&run->loaded.exec);
	rc = quire_loop_run(run->loop);
	release_signals();
	snprintf(sentence, sizeof(sentence), "%s", rc ? quire_failure() : "");
	if (rc == -ECANCELED)
		quire_loop_dump(run->loop, stderr);
	ended = quire_streams_end(run->streams);
	if (ended == 0)
		ended = quire_run_find_outputs(run);
	if (ended == 0 && !is_stdout(run->args.json))
		quire_show_end(&run->show);
	if (ended == 0)
		ended = quire_report_make(&run->report, quire_loop_metrics(run->loop),
					  run->requests);
	if (rc) {
		run->report.end = rc == -EINTR	     ? QUIRE_RUN_STOPPED
				  : rc == -ECANCELED ? QUIRE_RUN_EJECTED
						     : QUIRE_RUN_FAILED;
		memcpy(run->report.sentence, sentence, sizeof(sentence));
	}
	return rc && ended == 0 ? quire_fail(rc, "%s", sentence) : ended;
}

/* Requests that were given up: the first, on stderr.  Return: were there any? */
static bool refused(const struct quire_run *run)
{
#define X(kind, why) why,
	static const char *const reason[] = {QUIRE_REFUSALS(X)};
#undef X
	const struct quire_metrics *m = quire_loop_metrics(run->loop);

	for (uint32_t i = 0; i < run->args.prompts_count; i++) {
		const struct quire_outcome *o = &m->outcomes[i];

		if (!o->refused)
			continue;
		quire_command_failed(
			"run", "%u of %u prompts were refused; the first, prompt %u: %s",
			m->refused, run->args.prompts_count, i + 1, reason[o->refused]);
		return true;
	}
	return false;
}

static int conclude(struct quire_run *run, int rc)
{
	char sentence[QUIRE_REPORT_SENTENCE_MAX];
	int status = QUIRE_EXIT_OK;

	snprintf(sentence, sizeof(sentence), "%s", quire_failure());
	quire_run_tell_end(run);
	if (run->args.sampling.logprobs && !run->args.json)
		quire_run_tell_logprobs(run);
	if (run->args.json)
		status = quire_run_write_json(run);
	if (quire_run_record_close(run) && status == QUIRE_EXIT_OK)
		status = quire_command_failed("run", "%s", quire_failure());
	if (rc)
		return quire_command_failed("run", "%s", sentence);
	return refused(run) ? QUIRE_EXIT_FAILURE : status;
}

static void release(struct quire_run *run)
{
	quire_loop_free(run->loop);
	quire_run_record_close(run);
	quire_loaded_close(&run->loaded);
	quire_show_free(&run->show);
	quire_streams_free(run->streams);
	for (uint32_t i = 0; i < run->args.prompts_count; i++) {
		free(run->prompts[i].text);
		free(run->prompts[i].tokens);
	}
	free(run->recorded);
	free(run->said);
	free(run->requests);
}

/* A flag or a prompt that cannot be served is the user's; the rest is a failure. */
static int complain(int rc)
{
	if (rc == -EINVAL)
		return quire_usage_error("run", "%s", quire_failure());
	return quire_command_failed("run", "%s", quire_failure());
}

static int open_all(struct quire_run *run)
{
	struct quire_settings s; /* are there such modules? */
	int rc = quire_module_settings(QUIRE_SCHED, run->args.scheduler, s.scheduler,
				       s.scheduler_label, sizeof(s.scheduler));

	if (rc == 0)
		rc = quire_module_settings(QUIRE_KV, run->args.allocator, s.allocator,
					   s.allocator_label, sizeof(s.allocator));
	if (rc)
		return complain(rc);
	rc = quire_output_try(run->args.json); /* before what may take long */
	if (rc == 0)
		rc = quire_output_try(run->args.record);
	if (rc)
		return quire_command_failed("run", "%s", quire_failure());
	rc = quire_loaded_open(&run->loaded, &run->args.engine);
	if (rc)
		return quire_loaded_failed("run", rc);
	rc = quire_run_read_prompts(run);
	if (rc == 0)
		rc = quire_run_complete_sampling(run);
	if (rc == 0)
		rc = make_requests(run);
	if (rc == 0)
		rc = make_config(run);
	if (rc == 0)
		rc = prepare(run);
	return rc ? complain(rc) : QUIRE_EXIT_OK;
}

int quire_cmd_run(int argc, char **argv)
{
	static struct quire_run run; /* big */
	int status = quire_run_args_read(&run.args, argc, argv);

	if (status)
		return status > 0 ? QUIRE_EXIT_OK : QUIRE_EXIT_USAGE;
	status = open_all(&run);
	if (status == QUIRE_EXIT_OK)
		status = conclude(&run, go(&run));
	release(&run);
	return status;
}
