/*
 * report_json.c - a report as JSON.
 *
 * The keys are a promise: others read them.  Add, never rename; QUIRE_REPORT_SCHEMA
 * is raised if one must go.
 */
#include "report.h"

#include "json_build.h"
#include "report_tree.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#ifndef QUIRE_VERSION
#define QUIRE_VERSION "0"
#endif

/* JSON knows no NAN and no infinity: what does not exist is null. */
static json_t *real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

/* null instead of a setting that is not in force */
static json_t *real_if(bool there, double value)
{
	return there ? real(value) : json_null();
}

static json_t *count(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* A file's name may be no UTF-8, or be cut inside a letter. */
static json_t *text(const char *string)
{
	json_t *json = json_string(string);
	char plain[QUIRE_REPORT_SENTENCE_MAX];

	if (json)
		return json;
	snprintf(plain, sizeof(plain), "%s", string);
	for (char *c = plain; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return json_string(plain);
}

static json_t *spread(const struct quire_spread *s)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "mean", real(s->mean), "p50",
			 real(s->p50), "p90", real(s->p90), "p95", real(s->p95), "p99",
			 real(s->p99), "max", real(s->max));
}

static json_t *requests(const struct quire_report *r)
{
#define X(kind, why) #kind,
	static const char *const reason[] = {QUIRE_REFUSALS(X)};
#undef X
	json_t *refusals = json_object();
	char key[32];

	for (uint32_t i = 1; i < QUIRE_REFUSED_COUNT; i++) {
		size_t n = 0;

		if (!r->refusals[i])
			continue;
		for (; reason[i][n] && n < sizeof(key) - 1; n++)
			key[n] = (char)tolower((unsigned char)reason[i][n]);
		key[n] = '\0';
		refusals = quire_json_with(refusals, key, count(r->refusals[i]));
	}
	return json_pack("{s:o, s:o, s:o, s:o}", "arrived", count(r->arrived), "finished",
			 count(r->finished), "refused", count(r->refused), "refusals", refusals);
}

static json_t *goodput(const struct quire_report *r)
{
	const struct quire_settings *c = &r->config;

	if (c->slo_ttft_s <= 0 && c->slo_tpot_s <= 0)
		return json_null();
	return json_pack("{s:o, s:o, s:{s:o, s:o}}", "requests_per_s",
			 real(r->goodput_requests_per_s), "share", real(r->goodput_share), "slo",
			 "ttft_s", real_if(c->slo_ttft_s > 0, c->slo_ttft_s), "tpot_s",
			 real_if(c->slo_tpot_s > 0, c->slo_tpot_s));
}

static json_t *memory(const struct quire_report *r)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "slots",
			 count(r->config.kv_slots), "kv_bytes_per_token",
			 count(r->config.kv_bytes_per_token), "token_states", real(r->token_states),
			 "reserved", real(r->reserved), "internal", real(r->internal), "external",
			 real(r->external), "rounding", real(r->rounding), "free", real(r->free),
			 "largest_free_run", real(r->largest_free_run), "shared_saved",
			 real(r->shared_saved));
}

static json_t *faults(const struct quire_report *r)
{
#define X(kind, what) what,
	static const char *const rule[] = {QUIRE_FAULTS(X)};
#undef X
	json_t *list = json_array();

	for (uint32_t i = 0; i < QUIRE_FAULT_COUNT; i++) {
		const struct quire_fault_count *f = &r->faults[i];

		if (f->count)
			list = quire_json_append(
				list, json_pack("{s:s, s:o, s:o, s:o}", "rule", rule[i], "count",
						count(f->count), "first_step", count(f->first_step),
						"first_sequence", count(f->first_seq)));
	}
	return list;
}

/* Only where there are several: {id, name, requests, ttft_s, e2e_s, output_tokens_per_s}. */
static json_t *clients(const struct quire_report *r)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < r->clients_count && i < QUIRE_REPORT_CLIENTS_MAX; i++) {
		const struct quire_client_figures *c = &r->clients[i];

		list = quire_json_append(
			list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "id", count(c->id),
					"name", *c->name ? text(c->name) : json_null(), "requests",
					count(c->requests), "ttft_s", spread(&c->ttft_s), "e2e_s",
					spread(&c->e2e_s), "output_tokens_per_s",
					real(c->output_tokens_per_s)));
	}
	return list;
}

static json_t *interval(const struct quire_interval *i)
{
	return json_pack("[o, o]", real(i->low), real(i->high));
}

static json_t *settings(const struct quire_settings *c)
{
	json_t *json = json_object(), *window = json_null();
	const struct {
		const char *key;
		json_t *value;
	} entry[] = {
		{"scheduler", text(c->scheduler)},
		{"allocator", text(c->allocator)},
		{"model", text(c->model)},
		{"gpu", text(c->gpu)},
		{"exec", text(c->exec)},
		{"time_model", text(*c->time_model		  ? c->time_model
				    : strcmp(c->exec, "sim") != 0 ? "clock"
								  : "formula")},
		{"tp", count(c->tp)},
		{"weight_dtype", text(c->weight_dtype)},
		{"kv_dtype", text(c->kv_dtype)},
		{"max_num_seqs", count(c->max_num_seqs)},
		{"max_num_batched_tokens", count(c->max_num_batched_tokens)},
		{"max_model_len", count(c->max_model_len)},
		{"kv_slots", count(c->kv_slots)},
		{"gpu_memory_utilization",
		 real_if(c->gpu_memory_utilization > 0, c->gpu_memory_utilization)},
		{"workload", text(c->workload)},
		{"workload_format", text(c->workload_format)},
		{"requests", count(c->requests)},
		{"duration_s", real_if(c->duration_s > 0, c->duration_s)},
		{"rate", real_if(c->rate > 0, c->rate)},
		{"arrivals", text(c->arrivals)},
		{"closed_users", c->closed_users ? count(c->closed_users) : json_null()},
		{"shuffle", json_boolean(c->shuffle)},
		{"samples", c->samples ? count(c->samples) : json_null()},
		{"beams", c->beams ? count(c->beams) : json_null()},
		{"seed", count(c->seed)},
		{"audit", json_boolean(c->audit)},
	};

	for (size_t i = 0; i < sizeof(entry) / sizeof(*entry); i++)
		json = quire_json_with(json, entry[i].key, entry[i].value);
	if (c->windowed)
		window = json_pack("[o, o]", real(c->window_from_s), real(c->window_until_s));
	return quire_json_with(json, "window_s", window);
}

json_t *quire_report_tree(const struct quire_report *r)
{
	static const char *const end_key[] = {NULL, "ejected", "failed", "crashed", "stopped"};
	bool figures = r->end == QUIRE_RUN_FINISHED || r->end == QUIRE_RUN_EJECTED ||
		       r->end == QUIRE_RUN_STOPPED;
	json_t *json = json_object();
	char digest[20];

	snprintf(digest, sizeof(digest), "0x%016" PRIx64, r->digest);

	const struct {
		const char *key;
		json_t *value;
	} entry[] = {
		{"schema", count(QUIRE_REPORT_SCHEMA)},
		{"version", text(QUIRE_VERSION)},
		{"requests", requests(r)},
		{"time_s", real(r->time_s)},
		{"saturated", figures ? json_boolean(r->saturated) : json_null()},
		{"steps", json_pack("{s:o, s:o, s:o}", "count", count(r->steps), "sequences_mean",
				    real(r->sequences_mean), "tokens_mean", real(r->tokens_mean))},
		{"throughput",
		 json_pack("{s:o, s:o, s:o}", "requests_per_s", real(r->requests_per_s),
			   "prompt_tokens_per_s", real(r->prompt_tokens_per_s),
			   "output_tokens_per_s", real(r->output_tokens_per_s))},
		{"goodput", goodput(r)},
		{"ttft_s", spread(&r->ttft_s)},
		{"tpot_s", spread(&r->tpot_s)},
		{"itl_s", spread(&r->itl_s)},
		{"e2e_s", spread(&r->e2e_s)},
		{"queue_s", spread(&r->queue_s)},
		{"normalized_latency_s", spread(&r->normalized_latency_s)},
		{"memory", memory(r)},
		{"preemptions", count(r->preemptions)},
		{"recomputed_tokens", count(r->recomputed_tokens)},
		{"copies", count(r->copies)},
		{"copied_slots", count(r->copied_slots)},
		{"forks", count(r->forks)},
		{"oracle", r->oracle ? text(r->config.allocator) : json_null()},
		{"faults", faults(r)},
		{"digest", figures ? json_string(digest) : json_null()},
		{"config", settings(&r->config)},
	};

	for (size_t i = 0; i < sizeof(entry) / sizeof(*entry); i++)
		json = quire_json_with(json, entry[i].key, entry[i].value);
	if (r->clients_count) {
		json = quire_json_with(json, "clients_count", count(r->clients_count));
		json = quire_json_with(json, "clients", clients(r));
	}
	if (r->interval_level > 0)
		json = quire_json_with(
			json, "intervals",
			json_pack("{s:o, s:o, s:o, s:o}", "level", real(r->interval_level),
				  "ttft_s", interval(&r->ttft_interval_s), "tpot_s",
				  interval(&r->tpot_interval_s), "output_tokens_per_s",
				  interval(&r->output_tokens_interval_per_s)));
	if (r->end > QUIRE_RUN_FINISHED && r->end <= QUIRE_RUN_STOPPED)
		json = quire_json_with(json, end_key[r->end], text(r->sentence));
	return json;
}

/* @json goes with it.  Into a file: jansson may lose text that it has no memory for. */
static int write_json(FILE *out, json_t *json, const char *end)
{
	int failed;

	if (!json)
		return quire_fail(-ENOMEM, "no memory for the JSON");
	errno = 0;
	failed = json_dumpf(json, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	json_decref(json);
	fputs(end, out);
	if (failed || fflush(out) || ferror(out))
		return quire_fail(-EIO, "cannot write the JSON: %s",
				  errno ? strerror(errno) : "no memory");
	return 0;
}

int quire_report_config_json(FILE *out, const struct quire_report *r)
{
	return write_json(out, settings(&r->config), "");
}

int quire_report_json(FILE *out, const struct quire_report *reports, size_t reports_count,
		      bool array)
{
	json_t *json = array ? json_array() : quire_report_tree(&reports[0]);

	for (size_t i = 0; array && i < reports_count; i++)
		json = quire_json_append(json, quire_report_tree(&reports[i]));
	return write_json(out, json, "\n");
}
