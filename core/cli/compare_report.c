/*
 * compare_report.c - see compare_report.h.
 */
#include "compare_report.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define FIGURE(field) offsetof(struct quire_report, field)

static const struct {
	const char *key;
	size_t offset; /* of a double */
} numbers[] = {
	{"time_s", FIGURE(time_s)},
	{"steps.sequences_mean", FIGURE(sequences_mean)},
	{"steps.tokens_mean", FIGURE(tokens_mean)},
	{"throughput.requests_per_s", FIGURE(requests_per_s)},
	{"throughput.prompt_tokens_per_s", FIGURE(prompt_tokens_per_s)},
	{"throughput.output_tokens_per_s", FIGURE(output_tokens_per_s)},
	{"goodput.requests_per_s", FIGURE(goodput_requests_per_s)},
	{"goodput.share", FIGURE(goodput_share)},
	{"memory.token_states", FIGURE(token_states)},
	{"memory.reserved", FIGURE(reserved)},
	{"memory.internal", FIGURE(internal)},
	{"memory.external", FIGURE(external)},
	{"memory.rounding", FIGURE(rounding)},
	{"memory.free", FIGURE(free)},
	{"memory.largest_free_run", FIGURE(largest_free_run)},
	{"memory.shared_saved", FIGURE(shared_saved)},
};

static const struct {
	const char *key;
	size_t offset; /* of a struct quire_spread */
} spreads[] = {
	{"ttft_s", FIGURE(ttft_s)},   {"tpot_s", FIGURE(tpot_s)},
	{"itl_s", FIGURE(itl_s)},     {"e2e_s", FIGURE(e2e_s)},
	{"queue_s", FIGURE(queue_s)}, {"normalized_latency_s", FIGURE(normalized_latency_s)},
};

static const struct {
	const char *key;
	size_t offset; /* of QUIRE_REPORT_NAME_MAX bytes */
} names[] = {
	{"scheduler", FIGURE(config.scheduler)}, {"allocator", FIGURE(config.allocator)},
	{"model", FIGURE(config.model)},	 {"gpu", FIGURE(config.gpu)},
	{"workload", FIGURE(config.workload)},	 {"time_model", FIGURE(config.time_model)},
};

const json_t *quire_report_value(const json_t *json, const char *key)
{
	char part[64];

	for (;;) {
		size_t n = strcspn(key, ".");

		snprintf(part, sizeof(part), "%.*s", (int)n, key);
		json = json_object_get(json, part);
		if (!json || !key[n])
			return json;
		key += n + 1;
	}
}

static double number(const json_t *json, const char *key)
{
	const json_t *value = quire_report_value(json, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static uint64_t count(const json_t *json, const char *key)
{
	json_int_t value = json_integer_value(quire_report_value(json, key));

	return value > 0 ? (uint64_t)value : 0;
}

static void spread(struct quire_spread *s, const json_t *json)
{
	*s = (struct quire_spread){number(json, "mean"), number(json, "p50"), number(json, "p90"),
				   number(json, "p95"),	 number(json, "p99"), number(json, "max")};
}

void quire_report_from_json(struct quire_report *r, const json_t *json)
{
	static const struct quire_settings nothing;
	const json_t *config = json_object_get(json, "config");
	uint64_t slots = count(json, "memory.slots");

	quire_report_init(r, &nothing);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		*(double *)((char *)r + numbers[i].offset) = number(json, numbers[i].key);
	for (size_t i = 0; i < sizeof(spreads) / sizeof(*spreads); i++)
		spread((struct quire_spread *)(void *)((char *)r + spreads[i].offset),
		       json_object_get(json, spreads[i].key));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *text = json_string_value(json_object_get(config, names[i].key));

		snprintf((char *)r + names[i].offset, QUIRE_REPORT_NAME_MAX, "%s",
			 text ? text : "");
	}
	snprintf(r->config.exec, sizeof(r->config.exec), "%.15s",
		 json_is_string(json_object_get(config, "exec"))
			 ? json_string_value(json_object_get(config, "exec"))
			 : "");
	r->config.kv_slots = slots < UINT32_MAX ? (uint32_t)slots : UINT32_MAX;
	r->config.requests = (uint32_t)count(config, "requests");
	r->saturated = json_is_true(json_object_get(json, "saturated"));
	r->steps = count(json, "steps.count");
	r->preemptions = count(json, "preemptions");
}
