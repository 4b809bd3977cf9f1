/*
 * sim_record.c - see sim_record.h.
 */
#include "sim_record.h"

#include "visualize/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The report as it would be printed, or its config alone; to be freed.  NULL: no
 * memory. */
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

int quire_sim_record_open(struct quire_sim_record *rec, const struct quire_sim_runs *sim,
			  uint32_t index, struct quire_tee *tee)
{
	const struct quire_sim_args *a = &sim->args;
	char path[4096];
	int rc = 0;

	*rec = (struct quire_sim_record){.live = sim->lives ? sim->lives[index] : NULL};
	if (a->record) {
		quire_sim_path(sim, a->record, index, path, sizeof(path));
		rc = quire_recorder_open(&rec->recorder, path);
		if (rc)
			return rc;
		quire_tee_add(tee, quire_recorder_sink(rec->recorder));
	}
	if (a->perfetto) {
		quire_sim_path(sim, a->perfetto, index, path, sizeof(path));
		rc = quire_perfetto_open(&rec->perfetto, path);
		if (rc == 0)
			quire_tee_add(tee, quire_perfetto_sink(rec->perfetto));
		else
			quire_recorder_close(rec->recorder, NULL);
	}
	if (rc == 0 && rec->live)
		quire_tee_add(tee, quire_live_sink(rec->live));
	return rc;
}

static void begin_live(struct quire_live *live, const struct quire_recorder_config *rc)
{
	const uint32_t count = rc->run.requests_count;
	struct quire_record_request *table = calloc((size_t)count + 1, sizeof(*table));

	if (table)
		quire_record_requests(table, rc->requests, rc->output_tokens, count);
	if (!table || quire_live_begin(live, &rc->run, table, rc->config))
		quire_live_end(live, "memory is short: there is no live recording");
	free(table);
}

void quire_sim_record_begin(struct quire_sim_record *rec, const struct quire_sim_runs *sim,
			    uint32_t index, const struct quire_loop_config *config)
{
	const struct quire_report *r = &sim->reports[index];
	char label[2 * QUIRE_REPORT_NAME_MAX + 8], *text;
	struct quire_recorder_config rc = {
		.run =
			{
				.requests_count = config->requests_count,
				.slots_total = config->slots_total,
				.seqs_max = config->seqs_max,
				.seq_tokens_max = config->seq_tokens_max,
				.step_tokens_max = r->config.max_num_batched_tokens,
				.closed_users = config->closed_users,
				.window_from_ns = config->window_from_ns,
				.window_until_ns = config->window_until_ns,
				.kv_bytes_per_token = r->config.kv_bytes_per_token,
				.slo_ttft_s = r->config.slo_ttft_s,
				.slo_tpot_s = r->config.slo_tpot_s,
			},
		.requests = config->requests,
		.output_tokens = config->output_tokens,
		.alone = sim->args.isolate, /* where a new thread is taken for an escape */
	};

	quire_report_label(r, label, sizeof(label));
	if (rec->perfetto)
		quire_perfetto_begin(rec->perfetto, label, config->slots_total,
				     config->requests_count, 0);
	if (!rec->recorder && !rec->live)
		return;
	text = report_text(r, true);
	rec->incomplete = !text;
	rc.config = text ? text : "{}";
	if (rec->recorder)
		quire_recorder_begin(rec->recorder, &rc);
	if (rec->live)
		begin_live(rec->live, &rc);
	free(text);
}

/* A run that finished tells it in its report; one that has its own trouble, here. */
static void trouble(struct quire_report *r)
{
	if (r->sentence[0])
		fprintf(stderr, "quire sim: warning: %s\n", quire_failure());
	else
		snprintf(r->sentence, sizeof(r->sentence), "%s", quire_failure());
}

void quire_sim_record_close(struct quire_sim_record *rec, struct quire_report *r)
{
	char *text = rec->recorder ? report_text(r, false) : NULL;
	int rc = quire_recorder_close(rec->recorder, text);
	uint64_t cut_ns;

	if (rec->live)
		quire_live_end(rec->live, r->sentence[0] ? r->sentence : NULL);
	if (rc == 0 && rec->recorder && (!text || rec->incomplete))
		rc = quire_fail(-ENOMEM, "no memory for the whole recording: it lacks its config "
					 "or its report");
	if (rc)
		trouble(r);
	if (quire_perfetto_close(rec->perfetto, &cut_ns))
		trouble(r);
	if (cut_ns)
		fprintf(stderr,
			"quire sim: note: the --perfetto file ends at %.3f s, where it is as large "
			"as a browser can open\n",
			(double)cut_ns / 1e9);
	free(text);
}
