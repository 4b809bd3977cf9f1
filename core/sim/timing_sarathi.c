/*
 * timing_sarathi.c - measured batch times of Sarathi-Serve, interpolated; see timing.h.
 *
 * Below the first point of a prefill its time holds, as a batch is then bound by its
 * weights; a decode goes on along its first two points, down to the empty decode that
 * mixed steps need.  Beyond the last point both go on along their last two.
 */
#include "timing.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTS_MAX  256
#define COLUMNS_MAX 64

struct curve {
	double tokens[POINTS_MAX]; /* [count] rising */
	double ns[POINTS_MAX];
	size_t count; /* at least 2 */
};

struct sarathi {
	struct quire_timing timing;
	struct curve prefill, decode;
};

static double between(const struct curve *c, double tokens)
{
	size_t i = 1;

	while (i + 1 < c->count && tokens > c->tokens[i])
		i++;
	return c->ns[i - 1] + (tokens - c->tokens[i - 1]) / (c->tokens[i] - c->tokens[i - 1]) *
				      (c->ns[i] - c->ns[i - 1]);
}

static int sarathi_step_ns(struct quire_timing *timing, const struct quire_plan *plan, uint64_t *ns)
{
	const struct sarathi *s = (const struct sarathi *)timing;
	struct quire_timing_work w;
	double tokens;

	quire_timing_work(plan, &w);
	tokens = (double)w.prefill_tokens;
	if (tokens < s->prefill.tokens[0])
		tokens = s->prefill.tokens[0];
	*ns = quire_timing_mixed_ns(&w, between(&s->prefill, tokens),
				    between(&s->decode, (double)w.decode_seqs),
				    between(&s->decode, 0));
	return 0;
}

static void sarathi_free(struct quire_timing *timing)
{
	free(timing);
}

static const struct quire_timing_ops sarathi_ops = {
	.name = "sarathi",
	.step_ns = sarathi_step_ns,
	.free = sarathi_free,
};

static size_t split(char *line, char **cells)
{
	size_t count = 0;

	line[strcspn(line, "\r\n")] = 0;
	for (char *next = line; next && count < COLUMNS_MAX; count++) {
		cells[count] = next;
		next = strchr(next, ',');
		if (next)
			*next++ = 0;
	}
	return count;
}

static int column(char **names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(names[i], name))
			return (int)i;
	}
	return -1;
}

static int number(const char *path, size_t line, const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	if (end == text || *end || !isfinite(*value) || *value <= 0)
		return quire_fail(-EINVAL,
				  "time model %s:%zu: expected a number above 0, found "
				  "'%.40s'",
				  path, line, text);
	return 0;
}

static int read_rows(const char *path, FILE *in, struct curve *c)
{
	char line[4096], *cells[COLUMNS_MAX];
	size_t at = 1, columns;
	int tokens, time, rc;
	double value;

	if (!fgets(line, sizeof(line), in))
		return quire_fail(-EINVAL, "time model %s: the file is empty", path);
	columns = split(line, cells);
	tokens = column(cells, columns, "batch_num_tokens");
	time = column(cells, columns, "batch_execution_time");
	if (tokens < 0 || time < 0)
		return quire_fail(-EINVAL, "time model %s:1: there is no column '%s'", path,
				  tokens < 0 ? "batch_num_tokens" : "batch_execution_time");
	for (c->count = 0; fgets(line, sizeof(line), in); c->count++) {
		at++;
		if (split(line, cells) != columns)
			return quire_fail(-EINVAL, "time model %s:%zu: expected %zu columns", path,
					  at, columns);
		if (c->count == POINTS_MAX)
			return quire_fail(-EINVAL, "time model %s: more than %d rows", path,
					  POINTS_MAX);
		if ((rc = number(path, at, cells[tokens], &c->tokens[c->count])) ||
		    (rc = number(path, at, cells[time], &value)))
			return rc;
		c->ns[c->count] = value * 1e9;
		if (c->count && c->tokens[c->count] <= c->tokens[c->count - 1])
			return quire_fail(-EINVAL,
					  "time model %s:%zu: batch_num_tokens must rise from row "
					  "to row",
					  path, at);
	}
	return c->count < 2 ? quire_fail(-EINVAL, "time model %s: expected at least two rows", path)
			    : 0;
}

static int read_curve(const char *folder, const char *name, struct curve *c)
{
	char path[4096];
	FILE *in;
	int rc;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	in = fopen(path, "r");
	if (!in)
		return quire_fail(-errno,
				  "time model %s: %s; such a folder holds figure-2_prefill.csv and "
				  "figure-2_decode.csv",
				  path, strerror(errno));
	rc = read_rows(path, in, c);
	fclose(in);
	return rc;
}

int quire_timing_read_sarathi(struct quire_timing **timing, const char *folder)
{
	struct sarathi *s = malloc(sizeof(*s));
	int rc;

	if (!s)
		return quire_fail(-ENOMEM, "time model %s: no memory", folder);
	s->timing.ops = &sarathi_ops;
	rc = read_curve(folder, "figure-2_prefill.csv", &s->prefill);
	if (rc == 0)
		rc = read_curve(folder, "figure-2_decode.csv", &s->decode);
	if (rc) {
		free(s);
		return rc;
	}
	*timing = &s->timing;
	return 0;
}
