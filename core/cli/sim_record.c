/*
 * sim_record.c - see sim_record.h.
 */
#include "sim_record.h"

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

	*rec = (struct quire_sim_record){.recorder = NULL};
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
	return rc;
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
	if (!rec->recorder)
		return;
	text = report_text(r, true);
	rec->incomplete = !text;
	rc.config = text ? text : "{}";
	quire_recorder_begin(rec->recorder, &rc);
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
