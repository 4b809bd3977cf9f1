/*
 * lesson.c - reading a lesson; see lesson.h for its lines.
 */
#include "lesson_parts.h"

#include "core/util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (1u << 20)

/* Where the reading is. */
struct reader {
	struct quire_lesson *lesson;
	struct quire_moment *moment; /* the last; NULL: none yet */
	uint32_t line;		     /* where the present one began */
};

static int complain(const struct reader *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static int complain(const struct reader *r, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return quire_fail(-EINVAL, "%s:%u: %s", r->lesson->path, r->line, what);
}

static int no_memory(void)
{
	return quire_fail(-ENOMEM, "no memory for a lesson");
}

/* ---- lists ---- */

/* Room for one more in *@array, whose entries are @size bytes, zeroed.  NULL: no memory. */
static void *more(void *array, uint32_t count, size_t size)
{
	void **at = array;
	void *grown = realloc(*at, (count + (size_t)1) * size);

	if (!grown)
		return NULL;
	*at = grown;
	return memset((char *)grown + count * size, 0, size);
}

static int add_text(char ***texts, uint32_t *count, const char *text)
{
	char **slot = more(texts, *count, sizeof(**texts));

	if (!slot)
		return no_memory();
	*slot = strdup(text);
	if (!*slot)
		return no_memory();
	++*count;
	return 0;
}

/* A line that a moment, or the lesson, has once. */
static int set_text(const struct reader *r, const char *name, char **to, const char *text)
{
	if (*to)
		return complain(r, "'%s' stands here twice", name);
	if (!*text)
		return complain(r, "'%s' says nothing", name);
	*to = strdup(text);
	return *to ? 0 : no_memory();
}

/* ---- lines ---- */

/* "r0.1  The quick brown ..." */
static int add_words(struct reader *r, bool answer, const char *text)
{
	struct quire_lesson *lesson = r->lesson;
	struct quire_lesson_words words = {.answer = answer}, *slot;
	int used = 0, sample = 0;

	if (!lesson->runs_count)
		return complain(r, "words belong to the run above them, and there is none");
	words.run = lesson->runs_count - 1;
	if (sscanf(text, "r%u%n", &words.request, &used) != 1 || !used)
		return complain(r, "'%.20s': words are told of a request, as in 'r0'", text);
	if (answer && sscanf(text + used, ".%u%n", &words.sample, &sample) == 1)
		used += sample;
	text += used;
	if (*text != ' ')
		return complain(r, "behind the request, a blank and its words are missing");
	slot = more(&lesson->words, lesson->words_count, sizeof(*slot));
	words.words = strdup(text + 1);
	if (!slot || !words.words) {
		free(words.words);
		return no_memory();
	}
	*slot = words;
	lesson->words_count++;
	return 0;
}

static int add_moment(struct reader *r, const char *text)
{
	struct quire_lesson *lesson = r->lesson;

	r->moment = more(&lesson->moments, lesson->moments_count, sizeof(*r->moment));
	if (!r->moment)
		return no_memory();
	lesson->moments_count++;
	r->moment->line = r->line;
	if (!*text)
		return 0;
	r->moment->at = strdup(text);
	return r->moment->at ? 0 : no_memory();
}

static int add_run(struct reader *r, const char *text)
{
	struct quire_lesson *lesson = r->lesson;

	if (r->moment)
		return complain(r, "a run stands before the first moment");
	if (lesson->runs_count == QUIRE_LESSON_RUNS_MAX)
		return complain(r, "there are %u runs at most", QUIRE_LESSON_RUNS_MAX);
	lesson->runs[lesson->runs_count] = strdup(text);
	if (!lesson->runs[lesson->runs_count])
		return no_memory();
	lesson->runs_count++;
	return 0;
}

static int take_line(struct reader *r, const char *name, const char *text)
{
	struct quire_lesson *lesson = r->lesson;
	struct quire_moment *moment = r->moment;

	if (strcmp(name, "lesson") == 0)
		return set_text(r, name, &lesson->title, text);
	if (strcmp(name, "run") == 0)
		return add_run(r, text);
	if (strcmp(name, "text") == 0 || strcmp(name, "answer") == 0)
		return add_words(r, name[0] == 'a', text);
	if (strcmp(name, "view") == 0 && moment)
		return add_text(&moment->views, &moment->views_count, text);
	if (strcmp(name, "view") == 0)
		return add_text(&lesson->views, &lesson->views_count, text);
	if (strcmp(name, "moment") == 0)
		return add_moment(r, text);
	if (strcmp(name, "say") != 0 && strcmp(name, "ask") != 0 && strcmp(name, "reveal") != 0 &&
	    strcmp(name, "play") != 0)
		return complain(r,
				"'%s' is none of: lesson, run, text, answer, view, moment, say, "
				"ask, reveal, play",
				name);
	if (!moment)
		return complain(r, "'%s' belongs to a moment, and there is none above", name);
	if (strcmp(name, "say") == 0)
		return set_text(r, name, &moment->say, text);
	if (strcmp(name, "ask") == 0)
		return set_text(r, name, &moment->ask, text);
	if (strcmp(name, "reveal") == 0 && !moment->ask)
		return complain(r, "what is revealed must be asked first");
	if (strcmp(name, "reveal") == 0)
		return set_text(r, name, &moment->reveal, text);
	if (quire_parse_real("play", text, 1, 1e6, &moment->play_steps))
		return complain(r, "%s", quire_failure());
	return 0;
}

/* ---- the file ---- */

/* Is it complete?  r->line names the moment that is not. */
static int check(struct reader *r)
{
	const struct quire_lesson *lesson = r->lesson;

	if (!lesson->title || !lesson->runs_count || !lesson->moments_count)
		return complain(r,
				"a lesson has a title ('lesson'), a run and a moment; here is "
				"no %s",
				!lesson->title	      ? "title"
				: !lesson->runs_count ? "run"
						      : "moment");
	for (uint32_t i = 0; i < lesson->moments_count; i++) {
		const struct quire_moment *moment = &lesson->moments[i];

		r->line = moment->line;
		if (moment->ask && !moment->reveal)
			return complain(r, "what is asked at this moment is never revealed");
		if (!moment->say && !moment->ask)
			return complain(r, "nothing is said at this moment");
	}
	return 0;
}

/* Split off the name of a line that is whole, and take it. */
static int take(struct reader *r, char *line)
{
	size_t name = strcspn(line, " ");
	char *text = line + name;

	if (!*line)
		return 0;
	if (*text)
		*text++ = 0;
	text += strspn(text, " ");
	return take_line(r, line, text);
}

int lesson_parse(struct quire_lesson *lesson, const char *path, const char *text, size_t bytes)
{
	struct reader r = {.lesson = lesson};
	char *line = malloc(bytes + 1);
	uint32_t number = 0;
	size_t used = 0;
	int rc = 0;

	*lesson = (struct quire_lesson){.path = strdup(path)};
	if (!line || !lesson->path)
		rc = no_memory();
	while (rc == 0 && bytes) {
		const char *end = memchr(text, '\n', bytes);
		size_t length = end ? (size_t)(end - text) : bytes;
		size_t begin = 0, until = length;

		number++;
		while (until && strchr(" \t\r", text[until - 1]))
			until--;
		while (begin < until && (text[begin] == ' ' || text[begin] == '\t'))
			begin++;
		if (memchr(text, 0, length)) {
			r.line = number;
			rc = complain(&r, "this is no text");
		} else if (begin && begin < until && used) { /* it goes on */
			line[used++] = ' ';
		} else if (text[0] != '#') {
			line[used] = 0;
			rc = take(&r, line);
			used = 0;
			r.line = number;
		}
		if (rc == 0 && begin && begin < until && !used)
			rc = complain(&r, "there is no line that this one could go on with");
		if (text[0] != '#') {
			/* Columns are made with tabs or blanks. */
			for (size_t i = begin; i < until; i++)
				line[used++] = text[i] == '\t' ? ' ' : text[i];
		}
		text += length + (end != NULL);
		bytes -= length + (end != NULL);
	}
	if (rc == 0) {
		line[used] = 0;
		rc = take(&r, line);
	}
	free(line);
	if (rc == 0)
		rc = check(&r);
	if (rc)
		quire_lesson_free(lesson);
	return rc;
}

/* All of a file, ended by 0.  Return: NULL, with a sentence. */
static char *read_file(const char *path, size_t *bytes)
{
	FILE *in = fopen(path, "rb");
	char *text = in ? malloc(BYTES_MAX + 1) : NULL;

	if (!in)
		quire_fail(-errno, "%s: %s", path, strerror(errno));
	else if (!text)
		no_memory();
	if (text) {
		*bytes = fread(text, 1, BYTES_MAX + 1, in);
		if (ferror(in) || *bytes > BYTES_MAX) {
			quire_fail(-EIO, "%s: %s", path,
				   ferror(in) ? strerror(errno) : "too large for a lesson");
			free(text);
			text = NULL;
		}
	}
	if (in)
		fclose(in);
	return text;
}

int quire_lesson_read(struct quire_lesson *lesson, const char *name)
{
	size_t bytes = 0;
	const char *shipped = lesson_shipped(name, &bytes);
	char *text;
	int rc;

	*lesson = (struct quire_lesson){0};
	if (shipped)
		return lesson_parse(lesson, name, shipped, bytes);
	if (!strchr(name, '/') && !strchr(name, '.'))
		return quire_fail(-ENOENT, "there is no lesson '%s'; there are %s", name,
				  lesson_names());
	text = read_file(name, &bytes);
	if (!text)
		return -ENOENT;
	rc = lesson_parse(lesson, name, text, bytes);
	free(text);
	return rc;
}

void quire_lesson_free(struct quire_lesson *lesson)
{
	for (uint32_t i = 0; i < lesson->moments_count; i++) {
		struct quire_moment *moment = &lesson->moments[i];

		for (uint32_t k = 0; k < moment->views_count; k++)
			free(moment->views[k]);
		free(moment->views);
		free(moment->at);
		free(moment->say);
		free(moment->ask);
		free(moment->reveal);
	}
	free(lesson->moments);
	for (uint32_t i = 0; i < lesson->words_count; i++)
		free(lesson->words[i].words);
	free(lesson->words);
	for (uint32_t i = 0; i < lesson->views_count; i++)
		free(lesson->views[i]);
	free(lesson->views);
	for (uint32_t i = 0; i < lesson->runs_count; i++)
		free(lesson->runs[i]);
	free(lesson->path);
	free(lesson->title);
	memset(lesson, 0, sizeof(*lesson));
}
