/*
 * science.c - runs the experiments: "science" all of them, "science p2 p6" two.
 *
 * Exit status: 0 every check is within its tolerance, 1 not, 2 bad usage, 77
 * nothing could be run, because the data is not there.
 *
 * Shared data (traces that are not ours to ship) is looked for in ../shared beside
 * the source tree, or in $QUIRE_SHARED.
 */
#include "science.h"

#include "core/cli/cli.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ALL_WITHIN = 0, SOME_OUT = 1, BAD_USAGE = 2, SKIPPED = 77 };

#define WORDS_MAX 64 /* of a command */

static const struct science_experiment *const experiments[] = {
	&science_p1, &science_p2, &science_p3, &science_p4, &science_p5, &science_p6,
};
enum { EXPERIMENTS = sizeof(experiments) / sizeof(*experiments) };

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"sim", quire_cmd_sim},
	{"plan", quire_cmd_plan},
	{"model", quire_cmd_model},
};

static unsigned int checks, checks_within;

/* ---- running a command ------------------------------------------------------- */

/* The folder of shared data: where it is, or as one would type it in the tree. */
static const char *shared_folder(bool typed)
{
	const char *given = getenv("QUIRE_SHARED");

	if (given && *given)
		return given;
	return typed ? "../shared" : QUIRE_SOURCE_DIR "/../shared";
}

/* Cut @line into words, '@' expanded.  All are for free().  Return: how many. */
static int split(char *line, char **words)
{
	char *word, *rest;
	int count = 0;

	for (word = strtok_r(line, " ", &rest); word && count < WORDS_MAX;
	     word = strtok_r(NULL, " ", &rest)) {
		const char *folder = *word == '@' ? shared_folder(false) : "";
		size_t size = strlen(folder) + strlen(word) + 1;

		words[count] = malloc(size);
		if (!words[count])
			break;
		snprintf(words[count++], size, "%s%s%s", folder, *word == '@' ? "/" : "",
			 word + (*word == '@'));
	}
	return count;
}

/* In the child: be that command.  Return: its exit status. */
static int be_command(const char *command)
{
	char *line = strdup(command), *words[WORDS_MAX + 1] = {NULL};
	int count = line ? split(line, words) : 0, status = QUIRE_EXIT_USAGE;

	for (size_t i = 0; count && i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(words[0], commands[i].name))
			status = commands[i].run(count, words);
	for (int i = 0; i < count; i++)
		free(words[i]);
	free(line);
	return status;
}

/* Everything that can be read from @fd, with an ending 0; NULL: no memory. */
static char *read_all(int fd)
{
	size_t size = 1 << 16, used = 0;
	char *text = malloc(size), *larger;
	ssize_t got;

	while (text) {
		got = read(fd, text + used, size - used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
		if (size - used > 1)
			continue;
		larger = realloc(text, size *= 2);
		if (!larger)
			free(text);
		text = larger;
	}
	if (text)
		text[used] = '\0';
	return text;
}

/* "$ quire sim ...", a flag with its value a word, over as many lines as it takes. */
static void print_command(const char *command)
{
	size_t column = (size_t)printf("  $ quire");
	const char *word, *end;

	for (word = command; *word; word = *end ? end + 1 : end) {
		size_t n = strcspn(word, " "), before;
		const char *file = memchr(word, '@', n);

		if (!strncmp(word, "--", 2) && word[n] && word[n + 1] != '-')
			n += 1 + strcspn(word + n + 1, " ");
		if (!strncmp(word, "--json -", 8)) /* its value begins with '-' */
			n = 8;
		end = word + n;
		file = memchr(word, '@', n);
		before = file ? (size_t)(file - word) : n;
		if (column + 1 + n + (file ? strlen(shared_folder(true)) : 0) > 96)
			column = (size_t)printf(" \\\n     ") - 3;
		column += (size_t)printf(" %.*s", (int)before, word);
		if (file)
			column += (size_t)printf("%s/%.*s", shared_folder(true),
						 (int)(end - file - 1), file + 1);
	}
	putchar('\n');
}

static char *run_command(const char *command)
{
	int ends[2], status = -1;
	char *text = NULL;
	pid_t pid;

	fflush(NULL); /* or the child would print it again */
	if (pipe(ends)) {
		science_fail("cannot make a pipe: %s", strerror(errno));
		return NULL;
	}
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		exit(be_command(command));
	}
	close(ends[1]);
	if (pid > 0)
		text = read_all(ends[0]);
	close(ends[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (text && status == 0)
		return text;
	free(text);
	science_fail("the command failed");
	return NULL;
}

char *science_run(const char *command)
{
	print_command(command);
	return run_command(command);
}

json_t *science_run_json(const char *command)
{
	print_command(command);
	return science_run_json_again(command);
}

json_t *science_run_json_again(const char *command)
{
	char *text = run_command(command);
	json_error_t error;
	json_t *root = text ? json_loads(text, JSON_REJECT_DUPLICATES, &error) : NULL;

	if (text && !root)
		science_fail("no JSON, line %d: %s", error.line, error.text);
	free(text);
	return root;
}

json_t *science_value(const json_t *root, const char *path)
{
	json_t *at = NULL;
	char key[64];

	for (size_t n; *path; path += n + (path[n] == '.')) {
		n = strcspn(path, ".");
		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		if (json_is_array(root))
			at = json_array_get(root, (size_t)strtoul(key, NULL, 10));
		else
			at = json_object_get(root, key);
		root = at;
	}
	return at;
}

double science_number(const json_t *root, const char *path)
{
	const json_t *value = science_value(root, path);

	return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

double science_mean(const json_t *runs, const char *scheduler, const char *path)
{
	double sum = 0;
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(runs); i++) {
		const json_t *report = json_array_get(runs, i);
		const char *its = json_string_value(science_value(report, "config.scheduler"));

		if (scheduler && (!its || strcmp(its, scheduler)))
			continue;
		sum += science_number(report, path);
		count++;
	}
	return count ? sum / (double)count : (double)NAN;
}

/* ---- checks ------------------------------------------------------------------ */

#define COLUMNS "  %-44s %10s %10s %10s %9s"

void science_table(void)
{
	printf("\n" COLUMNS "\n", "figure", "published", "ours", "difference", "tolerance");
}

static void count_check(bool within)
{
	checks++;
	checks_within += within;
}

void science_check(const char *figure, double published, double ours, double tolerance,
		   int decimals)
{
	/* the last bit of a decimal fraction shall not decide */
	bool within = fabs(ours - published) <= tolerance + 1e-9 * fmax(1, fabs(published));
	double difference = ours - published;
	char column[4][32];

	if (fabs(difference) < 0.5 * pow(10, -decimals)) /* no "-0" */
		difference = 0;
	snprintf(column[0], sizeof(column[0]), "%.*f", decimals, published);
	snprintf(column[1], sizeof(column[1]), "%.*f", decimals, ours);
	snprintf(column[2], sizeof(column[2]), "%+.*f", decimals, difference);
	snprintf(column[3], sizeof(column[3]), "%g", tolerance);
	if (tolerance == 0)
		snprintf(column[3], sizeof(column[3]), "exact");
	printf(COLUMNS "  %s\n", figure, column[0], column[1], column[2], column[3],
	       within ? "ok" : "FAIL");
	count_check(within);
}

void science_check_between(const char *figure, double low, double ours, double high, int decimals)
{
	bool within = low < ours && ours < high;
	char column[2][32];

	if (isinf(high))
		snprintf(column[0], sizeof(column[0]), "> %.*f", decimals, low);
	else if (isinf(low))
		snprintf(column[0], sizeof(column[0]), "< %.*f", decimals, high);
	else
		snprintf(column[0], sizeof(column[0]), "%.*f..%.*f", decimals, low, decimals, high);
	snprintf(column[1], sizeof(column[1]), "%.*f", decimals, ours);
	printf(COLUMNS "  %s\n", figure, column[0], column[1], "", "inside",
	       within ? "ok" : "FAIL");
	count_check(within);
}

void science_note(const char *figure, double published, double ours, int decimals)
{
	char column[3][32] = {"-", "", ""};

	if (!isnan(published)) {
		snprintf(column[0], sizeof(column[0]), "%.*f", decimals, published);
		snprintf(column[2], sizeof(column[2]), "%+.*f", decimals, ours - published);
	}
	snprintf(column[1], sizeof(column[1]), "%.*f", decimals, ours);
	printf(COLUMNS "\n", figure, column[0], column[1], column[2], "none");
}

void science_check_text(const char *figure, const char *published, const char *ours)
{
	bool within = ours && !strcmp(published, ours);

	printf(COLUMNS "  %s\n", figure, published, ours ? ours : "-", "", "equal",
	       within ? "ok" : "FAIL");
	count_check(within);
}

void science_fail(const char *format, ...)
{
	va_list args;

	printf("  FAIL: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	count_check(false);
}

/* ---- experiments ------------------------------------------------------------- */

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Return: was it run? */
static bool run(const struct science_experiment *e)
{
	char path[4096];
	double start_s = now_s();

	snprintf(path, sizeof(path), "%s/%s", shared_folder(false), e->file ? e->file : "");
	if (e->file && access(path, R_OK)) {
		printf("%s skipped: no %s/%s ($QUIRE_SHARED may name the folder)\n\n", e->name,
		       shared_folder(true), e->file);
		return false;
	}
	printf("%s: %s\n  source: %s\n", e->name, e->title, e->source);
	if (e->file)
		printf("  input: %s/%s\n", shared_folder(true), e->file);
	e->run();
	printf("  took %.2f s\n\n", now_s() - start_s);
	return true;
}

static const struct science_experiment *find(const char *name)
{
	for (size_t i = 0; i < EXPERIMENTS; i++)
		if (!strcmp(name, experiments[i]->name))
			return experiments[i];
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int ran = 0;

	for (int i = 1; i < argc; i++) {
		if (find(argv[i]))
			continue;
		fprintf(stderr, "science: no experiment '%s'; there are:", argv[i]);
		for (size_t k = 0; k < EXPERIMENTS; k++)
			fprintf(stderr, " %s", experiments[k]->name);
		fputc('\n', stderr);
		return BAD_USAGE;
	}
	for (int i = 1; i < argc; i++)
		ran += run(find(argv[i]));
	for (size_t i = 0; argc < 2 && i < EXPERIMENTS; i++)
		ran += run(experiments[i]);
	printf("%u checks: %u within tolerance\n", checks, checks_within);
	if (!ran)
		return SKIPPED;
	return checks_within == checks ? ALL_WITHIN : SOME_OUT;
}
