/*
 * trace_info.c - a workload as a page for people, and as JSON.
 */
#include "trace_info.h"

#include "core/trace/json_build.h"

#include "cli.h"
#include "units.h"
#include <errno.h>
#include <math.h>
#include <string.h>

#define BAR_CELLS 18u

/* 58 min 22 s; 4 h 03 min */
static void print_duration(double seconds)
{
	uint64_t whole = (uint64_t)llround(seconds);

	if (seconds < 100.0)
		printf("%s", quire_text_seconds(seconds).s);
	else if (whole < 3600)
		printf("%u min %02u s", (unsigned int)(whole / 60), (unsigned int)(whole % 60));
	else
		printf("%s h %02u min", quire_text_count(whole / 3600).s,
		       (unsigned int)(whole / 60 % 60));
}

/* "1.09", or "-" where there is none. */
static struct quire_small_text ratio(double value)
{
	struct quire_small_text text = {"-"};

	return isfinite(value) ? quire_text_rate(value) : text;
}

static void print_arrivals(const struct quire_workload *w, const struct quire_workload_stats *s)
{
	printf("Arrivals\n");
	if (w->closed_users) {
		printf("  a closed loop of %s users: each waits for the answer before asking "
		       "again\n",
		       quire_text_count(w->closed_users).s);
		return;
	}
	if (!w->arrivals_known) {
		printf("  none: a file of lengths, to be used with --rate or --arrivals\n");
		return;
	}
	if (s->arrival_times == 1) {
		printf("  all at once%s%s\n", s->last_s > 0.0 ? ", at " : "",
		       s->last_s > 0.0 ? quire_text_seconds(s->last_s).s : "");
		return;
	}
	printf("  duration     ");
	print_duration(s->last_s);
	printf("\n  rate         %s requests/s\n", quire_text_rate(s->rate).s);
	printf("  burstiness   gaps: cv %s; counts: dispersion %s in 1 s, %s in 10 s\n",
	       ratio(s->gap_cv).s, ratio(s->dispersion_1s).s, ratio(s->dispersion_10s).s);
	printf("               (all 1 for Poisson arrivals, 0 for evenly spaced ones)\n");
	if (s->arrival_times <= s->requests / 2)
		printf("  batches      %s different times, %s requests at each\n",
		       quire_text_count(s->arrival_times).s,
		       quire_text_rate((double)s->requests / s->arrival_times).s);
}

static void print_lengths(const char *name, const struct quire_lengths *l)
{
	const struct quire_spread *p = &l->spread;
	const double columns[] = {p->mean, p->p50, p->p90, p->p99, p->max};

	printf("  %-8s %9s", name, quire_text_count(l->min_tokens).s);
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		printf(" %9s", i ? quire_text_count((uint64_t)llround(columns[i])).s
				 : quire_text_rate(columns[i]).s);
	printf(" %13s\n", quire_text_count(l->sum_tokens).s);
}

/* @share of BAR_CELLS cells, in eighths where the terminal can; and @blanks behind. */
static void print_bar(double share, bool utf8, bool blanks)
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	unsigned int parts = (unsigned int)ceil(share * 8 * BAR_CELLS), cells = parts / 8;

	if (!utf8) {
		cells = (parts + 7) / 8;
		parts = 0;
	}
	for (unsigned int i = 0; i < cells; i++)
		fputs(utf8 ? "█" : "#", stdout);
	fputs(eighths[parts % 8], stdout);
	for (unsigned int i = cells + (parts % 8 != 0); i < BAR_CELLS && blanks; i++)
		putchar(' ');
}

static void print_cell(uint32_t count, uint32_t most, uint32_t requests, bool utf8, bool blanks)
{
	double percent = 100.0 * count / requests;

	if (count && percent < 0.05)
		printf("  %7s ", "< 0.1 %");
	else if (count)
		printf("  %5.1f %% ", percent);
	else if (blanks)
		printf("%10s", "");
	print_bar((double)count / most, utf8, blanks);
}

static void print_histogram(const struct quire_workload_stats *s)
{
	bool utf8 = quire_terminal_utf8();
	unsigned int first = QUIRE_BANDS, last = 0;
	uint32_t most = 1;

	for (unsigned int b = 0; b < QUIRE_BANDS; b++) {
		uint32_t prompt = s->prompt.bands[b], output = s->output.bands[b];

		if (!prompt && !output)
			continue;
		first = b < first ? b : first;
		last = b;
		most = prompt > most ? prompt : most;
		most = output > most ? output : most;
	}
	printf("Lengths            prompts                      outputs\n");
	for (unsigned int b = first; b <= last; b++) {
		uint64_t low = (uint64_t)1 << b;

		printf("  %9s %c ", quire_text_count(low).s, b ? '-' : ' ');
		if (!s->prompt.bands[b] && !s->output.bands[b]) {
			printf("%s\n", b ? quire_text_count(2 * low - 1).s : "");
			continue;
		}
		printf("%-9s", b ? quire_text_count(2 * low - 1).s : "");
		print_cell(s->prompt.bands[b], most, s->requests, utf8, s->output.bands[b] > 0);
		print_cell(s->output.bands[b], most, s->requests, utf8, false);
		putchar('\n');
	}
}

void quire_trace_info_print(const struct quire_workload *w, const struct quire_workload_stats *s)
{
	printf("%s (%s): %s requests", w->name, w->format, quire_text_count(s->requests).s);
	if (s->clients > 1)
		printf(" of %s clients", quire_text_count(s->clients).s);
	printf("%s\n\n", w->caps_known ? ", with caps on their output" : "");
	print_arrivals(w, s);
	printf("\nTokens          min      mean       p50       p90       p99       max           "
	       "all\n");
	print_lengths("prompt", &s->prompt);
	print_lengths("output", &s->output);
	print_lengths("total", &s->total);
	printf("\n");
	print_histogram(s);
	if (w->hash_first) {
		printf("\nPrefixes\n  blocks       %s of %u tokens, ",
		       quire_text_count(s->hashes).s, w->hash_tokens);
		printf("%s different\n", quire_text_count(s->hashes_distinct).s);
		printf("  reuse        %.1f %% of the prompt tokens were in the prefix of an "
		       "earlier "
		       "request\n",
		       100.0 * s->hit_share);
	}
}

static json_t *real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *lengths(const struct quire_lengths *l)
{
	const struct quire_spread *p = &l->spread;

	return json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "sum",
			 (json_int_t)l->sum_tokens, "min", (json_int_t)l->min_tokens, "mean",
			 p->mean, "p50", p->p50, "p90", p->p90, "p95", p->p95, "p99", p->p99, "max",
			 p->max);
}

/* [{from, prompts, outputs}]: requests with lengths of [from, 2 * from). */
static json_t *histogram(const struct quire_workload_stats *s)
{
	json_t *all = json_array();

	for (unsigned int b = 0; b < QUIRE_BANDS; b++) {
		if (!s->prompt.bands[b] && !s->output.bands[b])
			continue;
		all = quire_json_append(all,
					json_pack("{s:I, s:I, s:I}", "from", (json_int_t)1 << b,
						  "prompts", (json_int_t)s->prompt.bands[b],
						  "outputs", (json_int_t)s->output.bands[b]));
	}
	return all;
}

static json_t *prefixes(const struct quire_workload *w, const struct quire_workload_stats *s)
{
	if (!w->hash_first)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:o}", "block_tokens", (json_int_t)w->hash_tokens,
			 "blocks", (json_int_t)s->hashes, "blocks_distinct",
			 (json_int_t)s->hashes_distinct, "ideal_token_hit", real(s->hit_share));
}

json_t *quire_trace_info_json(const struct quire_workload *w, const struct quire_workload_stats *s)
{
	json_t *name;

	errno = 0;
	name = json_string(w->name);
	if (!name && errno != ENOMEM) /* a file's name may be no UTF-8 */
		name = json_null();
	return json_pack("{s:i, s:o, s:s, s:I, s:I, s:I, s:b, s:b, s:I, s:{s:o, s:o, s:o, s:o, "
			 "s:o, s:I}, s:o, "
			 "s:o, s:o, s:o, s:o}",
			 "schema", 1, "name", name, "format", w->format, "requests",
			 (json_int_t)s->requests, "left_out", (json_int_t)w->left_out, "clients",
			 (json_int_t)s->clients, "arrivals_known", (int)w->arrivals_known,
			 "caps_known", (int)w->caps_known, "closed_users",
			 (json_int_t)w->closed_users, "arrivals", "last_s", real(s->last_s), "rate",
			 real(s->rate), "gap_cv", real(s->gap_cv), "dispersion_1s",
			 real(s->dispersion_1s), "dispersion_10s", real(s->dispersion_10s),
			 "times_distinct", (json_int_t)s->arrival_times, "prompt_tokens",
			 lengths(&s->prompt), "output_tokens", lengths(&s->output), "total_tokens",
			 lengths(&s->total), "histogram", histogram(s), "prefixes", prefixes(w, s));
}
