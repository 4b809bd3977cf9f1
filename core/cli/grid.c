/*
 * grid.c - see grid.h.
 */
#include "grid.h"

#include "core/modules.h"
#include "core/util.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void quire_grid_init(struct quire_grid *g, const struct option *flags, const char *const *others)
{
	*g = (struct quire_grid){.flags = flags};
	for (; flags->name && g->axes_count < QUIRE_GRID_AXES_MAX; flags++) {
		bool other = !strcmp(flags->name, "seeds"); /* is "seed", with several */

		for (size_t i = 0; others[i]; i++)
			other |= !strcmp(flags->name, others[i]);
		if (other)
			continue;
		if (!strcmp(flags->name, "seed"))
			g->seed = g->axes_count;
		g->axes[g->axes_count++] = (struct quire_grid_axis){
			.flag = flags->name, .bare = flags->has_arg == no_argument};
	}
}

void quire_grid_free(struct quire_grid *g)
{
	for (uint32_t a = 0; a < g->axes_count; a++) {
		for (uint32_t i = 0; i < g->axes[a].count; i++)
			free(g->axes[a].values[i].text);
		free(g->axes[a].values);
	}
	g->axes_count = 0;
}

/* "grid.txt:3: ", or "" for the command line */
static const char *origin(const struct quire_grid *g, uint32_t line, char *text, size_t size)
{
	if (line)
		snprintf(text, size, "%s:%u: ", g->path, line);
	return line ? text : "";
}

static int refuse(const struct quire_grid *g, uint32_t line, const char *flag, const char *why,
		  const char *value)
{
	char from[4096];

	return quire_fail(-EINVAL, "%s--%s: %s '%s'", origin(g, line, from, sizeof(from)), flag,
			  why, value);
}

static int add_value(struct quire_grid *g, struct quire_grid_axis *axis, const char *text,
		     size_t length, uint32_t line)
{
	struct quire_grid_value *grown, value = {.text = strndup(text, length), .line = line};
	const uint32_t n = axis->count;
	int rc = 0;

	if (!value.text)
		return quire_fail(-ENOMEM, "no memory for a value");
	if (axis->bare && strcmp(value.text, "on") && strcmp(value.text, "off"))
		rc = refuse(g, line, axis->flag, "expected on or off, found", value.text);
	for (uint32_t i = 0; i < n && rc == 0 && axis != &g->axes[g->seed]; i++)
		if (!strcmp(axis->values[i].text, value.text))
			rc = refuse(g, line, axis->flag, "twice", value.text);
	if (rc == 0 && n == QUIRE_GRID_MAX)
		rc = refuse(g, line, axis->flag, "too many values, from", value.text);
	if (rc == 0 && (n & (n - 1)) == 0) { /* room is the next power of two */
		grown = realloc(axis->values, (n ? 2 * n : 1) * sizeof(*grown));
		if (grown)
			axis->values = grown;
		else
			rc = quire_fail(-ENOMEM, "no memory for a value");
	}
	if (rc == 0)
		axis->values[axis->count++] = value;
	else
		free(value.text);
	return rc;
}

/* "3" or "0:9" */
static int add_seeds(struct quire_grid *g, struct quire_grid_axis *axis, const char *text,
		     size_t length, uint32_t line)
{
	char piece[64], number[24], *colon;
	uint64_t first, last;
	int rc;

	snprintf(piece, sizeof(piece), "%.*s", (int)length, text);
	colon = strchr(piece, ':');
	if (colon)
		*colon = '\0';
	rc = quire_parse_u64("seed", piece, 0, UINT64_MAX - 1, &first);
	last = first;
	if (rc == 0 && colon)
		rc = quire_parse_u64("seed", colon + 1, first, UINT64_MAX - 1, &last);
	if (rc) {
		snprintf(piece, sizeof(piece), "%.*s", (int)length, text);
		return refuse(g, line, "seeds", "expected N or A:B, found", piece);
	}
	for (uint32_t i = 0; rc == 0 && i < axis->count; i++) {
		uint64_t seed = strtoull(axis->values[i].text, NULL, 10);

		if (seed >= first && seed <= last)
			rc = refuse(g, line, "seeds", "twice", axis->values[i].text);
	}
	for (uint64_t seed = first; rc == 0 && seed <= last; seed++) {
		int n = snprintf(number, sizeof(number), "%llu", (unsigned long long)seed);

		rc = add_value(g, axis, number, (size_t)n, line);
	}
	return rc;
}

static int add_all_modules(struct quire_grid *g, struct quire_grid_axis *axis,
			   enum quire_module_kind kind, uint32_t line)
{
	const struct quire_module *m;
	struct quire_sched_ops sched;
	struct quire_kv_ops kv;
	const char *name;
	int rc = 0;

	for (size_t i = 0; rc == 0 && (m = quire_module_builtin(i)); i++) {
		if (m->kind != kind)
			continue;
		if (kind == QUIRE_SCHED)
			quire_module_sched_ops(m, &sched);
		else
			quire_module_kv_ops(m, &kv);
		name = kind == QUIRE_SCHED ? sched.name : kv.name;
		rc = add_value(g, axis, name, strlen(name), line);
	}
	return rc;
}

/* "name=", which continues the value before it */
static bool continues(const char *piece)
{
	if (!isalpha((unsigned char)*piece))
		return false;
	while (isalnum((unsigned char)*piece) || *piece == '_' || *piece == '-')
		piece++;
	return *piece == '=';
}

static const char *skip_space(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* Where the value that begins at @text ends: at a comma, or at the text's end. */
static const char *value_end(const char *text)
{
	for (;; text++) {
		text += strcspn(text, ",");
		if (!*text || !continues(skip_space(text + 1)))
			return text;
	}
}

/* One value, trimmed.  Spaces behind its commas go, as in "static, batch=8". */
static int add_piece(struct quire_grid *g, struct quire_grid_axis *axis, const char *text,
		     size_t length, uint32_t line)
{
	char value[4096];
	size_t n = 0;

	for (size_t i = 0; i < length && n < sizeof(value); i++)
		if (!isspace((unsigned char)text[i]) || (n && value[n - 1] != ','))
			value[n++] = text[i];
	while (n && isspace((unsigned char)value[n - 1]))
		n--;
	if (!n || n == sizeof(value))
		return refuse(g, line, axis->flag, n ? "too long" : "expected a value, found", "");
	if (axis == &g->axes[g->seed])
		return add_seeds(g, axis, value, n, line);
	if (n == 3 && !strncmp(value, "all", 3) && !strcmp(axis->flag, "scheduler"))
		return add_all_modules(g, axis, QUIRE_SCHED, line);
	if (n == 3 && !strncmp(value, "all", 3) && !strcmp(axis->flag, "allocator"))
		return add_all_modules(g, axis, QUIRE_KV, line);
	return add_value(g, axis, value, n, line);
}

static int add_list(struct quire_grid *g, struct quire_grid_axis *axis, const char *values,
		    uint32_t line)
{
	const char *end;
	int rc;

	for (;;) {
		values = skip_space(values);
		if (*values == '"') {
			end = strchr(++values, '"');
			if (!end)
				return refuse(g, line, axis->flag,
					      "a quote that does not end:", values - 1);
			rc = add_value(g, axis, values, (size_t)(end - values), line);
			end = skip_space(end + 1);
			if (rc == 0 && *end && *end != ',')
				rc = refuse(g, line, axis->flag, "expected a comma, found", end);
		} else {
			end = value_end(values);
			rc = add_piece(g, axis, values, (size_t)(end - values), line);
		}
		if (rc || !*end)
			return rc;
		values = end + 1;
	}
}

static struct quire_grid_axis *find_axis(struct quire_grid *g, const char *flag)
{
	if (!strcmp(flag, "seeds"))
		flag = "seed";
	for (uint32_t a = 0; a < g->axes_count; a++)
		if (!strcmp(g->axes[a].flag, flag))
			return &g->axes[a];
	return NULL;
}

static int unknown_flag(const struct quire_grid *g, const char *flag, uint32_t line)
{
	const char *names[QUIRE_GRID_AXES_MAX + 1] = {NULL}, *nearest;
	char from[4096];

	origin(g, line, from, sizeof(from));
	for (const struct option *o = g->flags; o->name; o++)
		if (!strcmp(o->name, flag))
			return quire_fail(-EINVAL,
					  "%s--%s says nothing about a run: give it to quire sweep "
					  "on the command line, or to quire sim",
					  from, flag);
	for (uint32_t a = 0; a < g->axes_count; a++)
		names[a] = g->axes[a].flag;
	nearest = quire_nearest(flag, names);
	if (nearest)
		return quire_fail(-EINVAL, "%sunknown flag '%s'; did you mean '%s'?", from, flag,
				  nearest);
	return quire_fail(-EINVAL, "%sunknown flag '%s'; quire sim --help names them", from, flag);
}

int quire_grid_add(struct quire_grid *g, const char *flag, const char *values)
{
	struct quire_grid_axis *axis = find_axis(g, flag);

	if (!axis)
		return unknown_flag(g, flag, 0);
	return add_list(g, axis, values ? values : "on", 0);
}

/* Cut a comment: a '#' at the begin or behind a space, and not in quotes. */
static void cut_comment(char *line)
{
	bool quoted = false;

	for (char *c = line; *c; c++) {
		quoted ^= *c == '"';
		if (*c == '#' && !quoted && (c == line || isspace((unsigned char)c[-1]))) {
			*c = '\0';
			return;
		}
	}
}

static int read_line(struct quire_grid *g, char *line, uint32_t number)
{
	struct quire_grid_axis *axis;
	char from[4096], flag[64], *equals;
	const char *begin;
	size_t n;

	cut_comment(line);
	begin = skip_space(line);
	if (!*begin)
		return 0;
	if (!strncmp(begin, "--", 2)) /* as on the command line */
		begin += 2;
	equals = strchr(line, '=');
	n = strcspn(begin, "= \t\r\n");
	if (!n || n >= sizeof(flag) || (skip_space(begin + n) != equals && *skip_space(begin + n)))
		return quire_fail(-EINVAL, "%sexpected 'flag = value, value, ...', found '%.*s'",
				  origin(g, number, from, sizeof(from)),
				  (int)strcspn(begin, "\r\n"), begin);
	snprintf(flag, sizeof(flag), "%.*s", (int)n, begin);
	axis = find_axis(g, flag);
	if (!axis)
		return unknown_flag(g, flag, number);
	if (!equals && !axis->bare)
		return quire_fail(-EINVAL, "%s'%s' needs a value: expected '%s = value, ...'",
				  origin(g, number, from, sizeof(from)), flag, flag);
	if (axis->count && !axis->values[0].line)
		return 0; /* the command line has said it */
	return add_list(g, axis, equals ? equals + 1 : "on", number);
}

int quire_grid_read(struct quire_grid *g, const char *path)
{
	FILE *in = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	int rc = 0;

	if (!in)
		return quire_fail(-errno, "cannot read %s: %s", path, strerror(errno));
	g->path = path;
	errno = 0;
	for (uint32_t number = 1; rc == 0 && (length = getline(&line, &room, in)) >= 0; number++) {
		if (strlen(line) != (size_t)length)
			rc = quire_fail(-EINVAL, "%s:%u: this is no text", path, number);
		else
			rc = read_line(g, line, number);
	}
	if (rc == 0 && ferror(in))
		rc = quire_fail(-EIO, "cannot read %s: %s", path, strerror(errno ? errno : EIO));
	free(line);
	fclose(in);
	return rc;
}

uint64_t quire_grid_count(const struct quire_grid *g, uint32_t axis)
{
	uint64_t count = 1;

	for (; axis < g->axes_count; axis++) {
		uint32_t n = g->axes[axis].count ? g->axes[axis].count : 1;

		if (count > UINT64_MAX / n)
			return UINT64_MAX;
		count *= n;
	}
	return count;
}

uint32_t quire_grid_pick(const struct quire_grid *g, uint32_t axis, uint32_t index)
{
	return (uint32_t)(index / quire_grid_count(g, axis + 1) % g->axes[axis].count);
}

uint32_t quire_grid_group(const struct quire_grid *g, uint32_t index)
{
	const uint64_t inner = quire_grid_count(g, g->seed + 1);
	const uint32_t seeds = g->axes[g->seed].count ? g->axes[g->seed].count : 1;

	return (uint32_t)(index / (inner * seeds) * inner + index % inner);
}

/* A value that a shell reads as it is. */
static void write_quoted(FILE *out, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "_-./:,=+@%";

	if (*text && !text[strspn(text, plain)]) {
		fputs(text, out);
		return;
	}
	fputc('\'', out);
	for (; *text; text++)
		fputs(*text == '\'' ? "'\\''" : (char[]){*text, '\0'}, out);
	fputc('\'', out);
}

static void write_flag(FILE *out, const struct quire_grid_axis *axis, const char *value)
{
	const char *gap = ftell(out) > 0 ? " " : "";

	if (axis->bare && strcmp(value, "on") != 0)
		return;
	fprintf(out, "%s--%s", gap, axis->flag);
	if (axis->bare)
		return;
	fputc(' ', out);
	write_quoted(out, value);
}

static char *flags_text(const struct quire_grid *g, uint32_t index, bool seed, bool common)
{
	size_t size;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (uint32_t a = 0; a < g->axes_count; a++) {
		const struct quire_grid_axis *axis = &g->axes[a];

		if (!axis->count || (a == g->seed && !seed) || (common && axis->count > 1))
			continue;
		write_flag(out, axis, axis->values[quire_grid_pick(g, a, index)].text);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

char *quire_grid_key(const struct quire_grid *g, uint32_t index, bool seed)
{
	return flags_text(g, index, seed, false);
}

char *quire_grid_common(const struct quire_grid *g)
{
	return flags_text(g, 0, true, true);
}
