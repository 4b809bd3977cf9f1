/*
 * report_rows.c - see report_rows.h.
 */
#include "report_rows.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const struct quire_column quire_columns[COLUMNS] = {
#define FIGURE(field) offsetof(struct quire_report, field)
	{CLIENTS, "requests", "per s", RATE, HIGH, ALWAYS, FIGURE(requests_per_s),
	 "requests that finished, per second"},
	{CLIENTS, "goodput", "per s", RATE, HIGH, WITH_SLO, FIGURE(goodput_requests_per_s),
	 "requests that met the --slo, per second"},
	{CLIENTS, "output", "tokens/s", RATE, HIGH, ALWAYS, FIGURE(output_tokens_per_s),
	 "tokens generated, per second"},
	{CLIENTS, "TTFT", "mean", QUEUED_TIME, LOW, ALWAYS, FIGURE(ttft_s.mean),
	 "time to first token: from a request's arrival to its first token"},
	{CLIENTS, "TTFT", "p99", QUEUED_TIME, LOW, ALWAYS, FIGURE(ttft_s.p99), NULL},
	{CLIENTS, "TPOT", "mean", TIME, LOW, ALWAYS, FIGURE(tpot_s.mean),
	 "time per output token after the first, by request"},
	{CLIENTS, "ITL", "p99", TIME, LOW, ALWAYS, FIGURE(itl_s.p99),
	 "inter-token latency: each single gap between two tokens of an answer"},
	{CLIENTS, "E2E", "mean", QUEUED_TIME, LOW, ALWAYS, FIGURE(e2e_s.mean),
	 "end-to-end latency: from arrival to the last token, or until its batch returns"},
	{MEMORY, "batch", "size", RATE, NEITHER, ALWAYS, FIGURE(sequences_mean),
	 "sequences that hold memory, mean over steps"},
	{MEMORY, "preemp-", "tions", COUNT, NEITHER, WITH_PREEMPTION, 0,
	 "times a sequence lost its memory and had to compute it again"},
	{MEMORY, "pool", "slots", COUNT, NEITHER, WITH_POOLS, 0,
	 "tokens whose K and V fit in the GPU's memory beside the weights"},
	{MEMORY, "saved by", "sharing", SHARE, HIGH, WITH_SHARING, FIGURE(shared_saved),
	 "blocks that sequences use together, as a share of what they would need alone"},
	{MEMORY, NULL, "tokens", SHARE, NEITHER, ALWAYS, FIGURE(token_states),
	 "slots that hold a live token (token states), as a share of the pool"},
	{MEMORY, NULL, "reserved", SHARE, NEITHER, ALWAYS, FIGURE(reserved),
	 "slots held that their sequence will still fill"},
	{MEMORY, NULL, "internal", SHARE, LOW, ALWAYS, FIGURE(internal),
	 "slots held that will never be used: over-estimates, finished rows, block tails"},
	{MEMORY, NULL, "external", SHARE, NEITHER, ALWAYS, FIGURE(external),
	 "the rest of the pool: free, or lost to rounding"},
#undef FIGURE
};

const struct quire_row_setting quire_row_settings[SETTINGS] = {
#define SETTING(field) offsetof(struct quire_settings, field)
	[MODEL] = {"model", SETTING(model), TEXT, ""},
	[GPU] = {"GPU", SETTING(gpu), TEXT, ""},
	[TP] = {"tp", SETTING(tp), NUMBER, "tp "},
	[RATE_SETTING] = {"rate", SETTING(rate), REAL, "rate "},
	[SCHEDULER] = {"scheduler", SETTING(scheduler_label), TEXT, ""},
	[ALLOCATOR] = {"allocator", SETTING(allocator_label), TEXT, ""},
#undef SETTING
};

bool quire_rows_is_time(size_t i)
{
	return quire_columns[i].unit == TIME || quire_columns[i].unit == QUEUED_TIME;
}

void quire_rows_setting(const struct quire_row_setting *s, const struct quire_settings *c,
			char out[QUIRE_REPORT_NAME_MAX])
{
	const void *field = (const char *)c + s->offset;

	if (s->type == TEXT)
		snprintf(out, QUIRE_REPORT_NAME_MAX, "%s", (const char *)field);
	else if (s->type == NUMBER)
		snprintf(out, QUIRE_REPORT_NAME_MAX, "%" PRIu32, *(const uint32_t *)field);
	else if (*(const double *)field > 0)
		snprintf(out, QUIRE_REPORT_NAME_MAX, "%.10g", *(const double *)field);
	else
		snprintf(out, QUIRE_REPORT_NAME_MAX, "source");
}

bool quire_rows_same_setting(const struct quire_row_setting *s, const struct quire_report *a,
			     const struct quire_report *b)
{
	char x[QUIRE_REPORT_NAME_MAX], y[QUIRE_REPORT_NAME_MAX];

	quire_rows_setting(s, &a->config, x);
	quire_rows_setting(s, &b->config, y);
	return strcmp(x, y) == 0;
}

void quire_report_label(const struct quire_report *r, char *label, size_t size)
{
	snprintf(label, size, "%s x %s", r->config.scheduler_label, r->config.allocator_label);
}

static double figure(const struct quire_column *c, const struct quire_report *r)
{
	if (c->show == WITH_PREEMPTION)
		return (double)r->preemptions;
	if (c->show == WITH_POOLS)
		return r->config.kv_slots;
	return *(const double *)((const char *)r + c->offset) * (c->unit == SHARE ? 100 : 1);
}

static void row_add(struct quire_row *row, const struct quire_report *r)
{
	if (!row->runs++)
		row->first = r;
	row->saturated += r->saturated;
	if (r->end != QUIRE_RUN_FINISHED && r->end != QUIRE_RUN_STOPPED && !row->broken)
		row->broken = r;
	for (size_t i = 0; i < COLUMNS; i++)
		row->figure[i] += (figure(&quire_columns[i], r) - row->figure[i]) / row->runs;
}

static struct quire_row *row_of(struct quire_rows *t, const struct quire_report *r)
{
	for (size_t i = 0; i < t->count; i++) {
		bool same = t->rows[i].first->config.seed != r->config.seed;

		for (size_t s = 0; s < SETTINGS && same; s++)
			same = quire_rows_same_setting(&quire_row_settings[s], t->rows[i].first, r);
		if (same)
			return &t->rows[i];
	}
	return &t->rows[t->count++];
}

void quire_rows_cell(const struct quire_rows *t, const struct quire_row *row, size_t i,
		     char out[QUIRE_SHOW_MAX])
{
	const struct quire_column *c = &quire_columns[i];
	double value = row->figure[i] * (t->in_ms[i] ? 1e3 : 1);

	if (!isfinite(value))
		snprintf(out, QUIRE_SHOW_MAX, "-");
	else if (c->unit == SHARE)
		snprintf(out, QUIRE_SHOW_MAX, "%.1f%%", value);
	else if (c->unit == COUNT)
		quire_show_count(out, (uint64_t)llround(value));
	else
		quire_show_number(out, value);
	if (c->unit == QUEUED_TIME && row->saturated && isfinite(value)) {
		memmove(out + 1, out, strlen(out) + 1);
		*out = '~';
	}
}

bool quire_rows_comparable(const struct quire_row *a, const struct quire_row *b)
{
	return a->first->config.rate == b->first->config.rate;
}

bool quire_rows_best(const struct quire_rows *t, const struct quire_row *row, size_t i)
{
	char best_text[QUIRE_SHOW_MAX], text[QUIRE_SHOW_MAX];
	double sign = quire_columns[i].better == LOW ? -1 : 1;
	const struct quire_row *winner = NULL;
	bool differ = false;

	if (quire_columns[i].better == NEITHER)
		return false;
	for (const struct quire_row *other = t->rows; other < t->rows + t->count; other++)
		if (quire_rows_comparable(row, other) && !other->broken &&
		    isfinite(other->figure[i]) &&
		    (!winner || sign * other->figure[i] > sign * winner->figure[i]))
			winner = other;
	if (!winner)
		return false;
	quire_rows_cell(t, winner, i, best_text);
	for (const struct quire_row *other = t->rows; other < t->rows + t->count; other++) {
		quire_rows_cell(t, other, i, text);
		differ |= quire_rows_comparable(row, other) && !other->broken &&
			  strcmp(text, best_text) != 0;
	}
	quire_rows_cell(t, row, i, text);
	return differ && strcmp(text, best_text) == 0;
}

static void measure_column(struct quire_rows *t, size_t i)
{
	const struct quire_column *c = &quire_columns[i];
	char text[QUIRE_SHOW_MAX];
	double max = 0;
	size_t width = c->top ? strlen(c->top) : 1;

	t->shown[i] = c->show == ALWAYS;
	for (size_t r = 0; r < t->count; r++) {
		double value = t->rows[r].figure[i];

		max = isfinite(value) && !t->rows[r].broken && value > max ? value : max;
		t->shown[i] |= c->show == WITH_POOLS ? value != t->rows[0].figure[i]
			       : c->show == WITH_SLO ? value >= 0
						     : value > 0;
	}
	t->in_ms[i] = quire_rows_is_time(i) && max < 9.9995;
	if (strlen(c->name) + (quire_rows_is_time(i) ? 3 : 0) > width)
		width = strlen(c->name) + (quire_rows_is_time(i) ? 3 : 0);
	for (size_t r = 0; r < t->count; r++) {
		quire_rows_cell(t, &t->rows[r], i, text);
		width = strlen(text) > width ? strlen(text) : width;
	}
	t->width[i] = (unsigned int)width;
}

unsigned int quire_rows_width(const struct quire_rows *t, enum block block)
{
	unsigned int width = 0;

	for (size_t i = 0; i < COLUMNS; i++)
		if (quire_columns[i].block == block && t->shown[i])
			width += t->width[i] + 2;
	return width;
}

static void measure(struct quire_rows *t)
{
	char text[QUIRE_REPORT_NAME_MAX];

	for (size_t s = 0; s < SETTINGS; s++) {
		t->varies[s] = s >= SCHEDULER;
		t->label_width[s] = (unsigned int)strlen(quire_row_settings[s].name);
		for (size_t r = 0; r < t->count; r++) {
			unsigned int width;

			t->varies[s] |= !quire_rows_same_setting(
				&quire_row_settings[s], t->rows[0].first, t->rows[r].first);
			quire_rows_setting(&quire_row_settings[s], &t->rows[r].first->config, text);
			width = (unsigned int)quire_show_width(text);
			t->label_width[s] = width > t->label_width[s] ? width : t->label_width[s];
		}
		t->labels_width += t->varies[s] ? t->label_width[s] + 2 : 0;
	}
	for (size_t i = 0; i < COLUMNS; i++)
		measure_column(t, i);
	t->numbered = t->labels_width + quire_rows_width(t, CLIENTS) > t->style->columns ||
		      t->labels_width + quire_rows_width(t, MEMORY) + 14 > t->style->columns;
	if (t->numbered)
		t->labels_width = 5;
}

void quire_rows_label(const struct quire_rows *t, const struct quire_row *row, char *out,
		      size_t size)
{
	char text[QUIRE_REPORT_NAME_MAX];

	quire_report_label(row->first, out, size);
	for (size_t s = 0; s < SCHEDULER; s++) {
		size_t n = strlen(out);

		if (!t->varies[s])
			continue;
		quire_rows_setting(&quire_row_settings[s], &row->first->config, text);
		snprintf(out + n, size - n, ", %s%s", quire_row_settings[s].prefix, text);
	}
}

int quire_rows_make(struct quire_rows *t, const struct quire_report *reports, size_t count)
{
	t->rows = calloc(count ? count : 1, sizeof(*t->rows));
	if (!t->rows)
		return quire_fail(-ENOMEM, "no memory for a table of %zu runs", count);
	for (size_t i = 0; i < count; i++)
		row_add(row_of(t, &reports[i]), &reports[i]);
	measure(t);
	return 0;
}
