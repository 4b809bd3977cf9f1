/*
 * report_notes.c - what stands around the table: the headline, what went wrong,
 * and the meaning of each column.
 */
#include "report_rows.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

const char *const quire_run_end_text[] = {
	[QUIRE_RUN_FINISHED] = "finished", [QUIRE_RUN_EJECTED] = "ejected",
	[QUIRE_RUN_FAILED] = "failed",	   [QUIRE_RUN_CRASHED] = "crashed",
	[QUIRE_RUN_STOPPED] = "stopped",
};

void quire_rows_headline(const struct quire_rows *t)
{
	const struct quire_settings *c = &t->rows[0].first->config;
	char text[QUIRE_SHOW_MAX], bytes[QUIRE_SHOW_MAX], line[1024];
	size_t n;

	quire_show_count(text, c->requests);
	n = (size_t)snprintf(line, sizeof(line), "%s: %s requests", c->workload, text);
	if (c->closed_users)
		n += (size_t)snprintf(line + n, sizeof(line) - n, " of %" PRIu32 " users",
				      c->closed_users);
	else if (!(c->arrivals_per_s > 0))
		n += (size_t)snprintf(line + n, sizeof(line) - n, ", all at once");
	else if (!t->varies[RATE_SETTING])
		n += (size_t)snprintf(line + n, sizeof(line) - n, ", %.3g/s", c->arrivals_per_s);
	if (c->beams > 1)
		n += (size_t)snprintf(line + n, sizeof(line) - n, ", %" PRIu32 " beams each",
				      c->beams);
	if (c->samples > 1)
		n += (size_t)snprintf(line + n, sizeof(line) - n, ", %" PRIu32 " samples each",
				      c->samples);
	if (t->rows[0].runs > 1)
		n += (size_t)snprintf(line + n, sizeof(line) - n, ", mean of %" PRIu32 " seeds",
				      t->rows[0].runs);
	fprintf(t->out, "%s%s%s\n", quire_show_bold(t->style), line, quire_show_plain(t->style));

	n = (size_t)snprintf(line, sizeof(line), "%s in %s", t->varies[MODEL] ? "models" : c->model,
			     c->weight_dtype);
	if (strcmp(c->weight_dtype, c->kv_dtype))
		n += (size_t)snprintf(line + n, sizeof(line) - n, " (K and V in %s)", c->kv_dtype);
	if (!t->varies[GPU])
		n += (size_t)snprintf(line + n, sizeof(line) - n, " on %s", c->gpu);
	if (c->tp > 1 && !t->varies[TP])
		n += (size_t)snprintf(line + n, sizeof(line) - n, " x %" PRIu32, c->tp);
	if (!t->varies[MODEL] && !t->varies[GPU] && !t->varies[TP]) {
		quire_show_count(text, c->kv_slots);
		quire_show_bytes(bytes, (double)c->kv_slots * (double)c->kv_bytes_per_token);
		n += (size_t)snprintf(line + n, sizeof(line) - n, "; KV pool of %s tokens, %s",
				      text, bytes);
	}
	quire_show_count(text, c->max_num_seqs);
	n += (size_t)snprintf(line + n, sizeof(line) - n, "; up to %s sequences", text);
	if (!t->varies[MODEL]) {
		quire_show_count(text, c->max_model_len);
		snprintf(line + n, sizeof(line) - n, " of %s", text);
	}
	quire_show_wrap(t->out, t->style, line, 2);
	if (*c->time_model)
		fprintf(t->out,
			"! steps take the times of %s, whatever model and GPU it was made of\n",
			c->time_model);
	if (!c->windowed)
		return;
	if (isfinite(c->window_until_s))
		fprintf(t->out, "window: %g s to %g s\n", c->window_from_s, c->window_until_s);
	else
		fprintf(t->out, "window: from %g s on\n", c->window_from_s);
}

/* Reasons are told once if they are the same for all runs. */
static void print_refusals(const struct quire_rows *t)
{
#define X(kind, why) why,
	static const char *const why[] = {QUIRE_REFUSALS(X)};
#undef X
	char n[QUIRE_SHOW_MAX], of[QUIRE_SHOW_MAX], line[2 * QUIRE_REPORT_SENTENCE_MAX];
	char label[2 * QUIRE_REPORT_NAME_MAX + 8];

	for (size_t i = 1; i < QUIRE_REFUSED_COUNT; i++) {
		bool same = t->count > 1;

		for (size_t r = 0; r < t->count; r++)
			same &= t->rows[r].first->refusals[i] == t->rows[0].first->refusals[i];
		for (size_t r = 0; r < (same ? 1 : t->count); r++) {
			const struct quire_report *report = t->rows[r].first;

			if (!report->refusals[i])
				continue;
			quire_rows_label(t, &t->rows[r], label, sizeof(label));
			quire_show_count(n, report->refusals[i]);
			quire_show_count(of, report->config.requests);
			snprintf(line, sizeof(line), "! %s refused %s of %s requests: %s%s",
				 t->count == 1 ? "it"
				 : same	       ? "every run"
					       : label,
				 n, of, why[i],
				 quire_report_pool_limits(report, i)
					 ? ", which is the whole pool (--kv-slots)"
					 : "");
			quire_show_wrap(t->out, t->style, line, 2);
		}
	}
}

/* Has an earlier row said it of the same allocator? */
static bool oracle_told(const struct quire_rows *t, const struct quire_row *row)
{
	for (const struct quire_row *r = t->rows; r < row; r++)
		if (r->first->oracle &&
		    quire_rows_same_setting(&quire_row_settings[ALLOCATOR], r->first, row->first))
			return true;
	return false;
}

void quire_rows_notes(const struct quire_rows *t)
{
	char line[3 * QUIRE_REPORT_SENTENCE_MAX], label[2 * QUIRE_REPORT_NAME_MAX + 8];
	bool saturated = false;

	for (size_t r = 0; r < t->count; r++) {
		const struct quire_row *row = &t->rows[r];

		saturated |= row->saturated && !row->broken;
		if (row->first->end == QUIRE_RUN_STOPPED) {
			quire_rows_label(t, row, label, sizeof(label));
			snprintf(line, sizeof(line), "! %s: %s; its figures hold up to then", label,
				 row->first->sentence);
			quire_show_wrap(t->out, t->style, line, 2);
		}
		if (row->broken && row->broken->end != QUIRE_RUN_CRASHED) {
			quire_rows_label(t, row, label, sizeof(label));
			snprintf(line, sizeof(line), "! %s %s: %s", label,
				 quire_run_end_text[row->broken->end], row->broken->sentence);
			quire_show_wrap(t->out, t->style, line, 2);
		}
		if (row->first->oracle && !oracle_told(t, row)) {
			snprintf(line, sizeof(line),
				 "! %s was told the true lengths of the answers: it is a bound, "
				 "not a policy",
				 row->first->config.allocator_label);
			quire_show_wrap(t->out, t->style, line, 2);
		}
	}
	print_refusals(t);
	if (saturated)
		quire_show_wrap(t->out, t->style,
				"~ saturated: more arrives than gets done, and the queue grows "
				"without end; these times would be longer if one looked longer",
				2);
}

void quire_rows_meanings(const struct quire_rows *t)
{
	char name[QUIRE_SHOW_MAX];

	for (size_t i = 0; i < COLUMNS; i++) {
		const struct quire_column *c = &quire_columns[i];
		size_t n = c->top ? strlen(c->top) : 0;

		if (!t->shown[i] || !c->meaning)
			continue;
		if (!c->top)
			snprintf(name, sizeof(name), "%s", c->name);
		else if (quire_rows_is_time(i))
			snprintf(name, sizeof(name), "%s", c->top);
		else if (c->top[n - 1] == '-')
			snprintf(name, sizeof(name), "%.*s%s", (int)n - 1, c->top, c->name);
		else
			snprintf(name, sizeof(name), "%s %s", c->top, c->name);
		fprintf(t->out, "%s%-16s%s", quire_show_dim(t->style), name,
			quire_show_plain(t->style));
		if (!c->top)
			quire_show_piece(t->out, t->style, (unsigned int)(i - PIECES), 1);
		fprintf(t->out, "%s%s%s\n", c->top ? "  " : " ", quire_show_dim(t->style),
			c->meaning);
		fputs(quire_show_plain(t->style), t->out);
	}
	if (t->count > 1)
		fprintf(t->out, "%s%-16s  the best of its column%s%s\n", quire_show_dim(t->style),
			t->style->colours ? "bold" : "*",
			t->varies[RATE_SETTING] ? ", at one rate" : "", quire_show_plain(t->style));
}
