/*
 * window_script.c - see window_script.h.
 */
#include "window_script.h"

#include "core/util.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *word;
	uint32_t numbers;
} verbs[SCRIPT_VERB_COUNT] = {
#define X(name, word, numbers) {word, numbers},
	SCRIPT_VERBS(X)
#undef X
};

/* "Shift+Right", "Ctrl+C", "?" */
static int read_key(struct script_line *line)
{
	static const struct {
		const char *name;
		uint32_t mod;
	} mods[] = {
		{"Shift+", QUIRE_MOD_SHIFT}, {"Ctrl+", QUIRE_MOD_CTRL}, {"Alt+", QUIRE_MOD_ALT}};
	static const struct {
		const char *name;
		uint32_t key;
	} keys[] = {
		{"Escape", QUIRE_KEY_ESCAPE},  {"Enter", QUIRE_KEY_ENTER},
		{"Tab", QUIRE_KEY_TAB},	       {"Backspace", QUIRE_KEY_BACKSPACE},
		{"Left", QUIRE_KEY_LEFT},      {"Right", QUIRE_KEY_RIGHT},
		{"Up", QUIRE_KEY_UP},	       {"Down", QUIRE_KEY_DOWN},
		{"Home", QUIRE_KEY_HOME},      {"End", QUIRE_KEY_END},
		{"PageUp", QUIRE_KEY_PAGE_UP}, {"PageDown", QUIRE_KEY_PAGE_DOWN},
		{"F11", QUIRE_KEY_F11},	       {"Space", ' '},
	};
	const char *name = line->text;

	for (uint32_t i = 0; i < sizeof(mods) / sizeof(mods[0]); i++) {
		size_t length = strlen(mods[i].name);

		if (strncmp(name, mods[i].name, length) == 0) {
			line->mods |= mods[i].mod;
			name += length;
		}
	}
	for (uint32_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (quire_same_name(keys[i].name, name))
			line->key = keys[i].key;
	if (!line->key && name[0] > ' ' && name[0] < 127 && !name[1])
		line->key = (uint32_t)name[0];
	if (line->key >= 'A' && line->key <= 'Z')
		line->key += 'a' - 'A';
	return line->key ? 0 : quire_fail(-EINVAL, "'%s' is no key", line->text);
}

static int read_numbers(struct script_line *line, const char *text, uint32_t count)
{
	double *numbers[2] = {&line->x, &line->y};
	char *end;

	for (uint32_t i = 0; i < count; i++) {
		*numbers[i] = strtod(text, &end);
		if (end == text || !(fabs(*numbers[i]) < 1e6))
			return quire_fail(-EINVAL, "%s: expected two numbers, found '%s'",
					  verbs[line->verb].word, line->text);
		text = end;
	}
	if (count && *text)
		return quire_fail(-EINVAL, "%s: '%s' behind the numbers is too much",
				  verbs[line->verb].word, text);
	return 0;
}

static int read_verb(struct script_line *line, const char *word)
{
	const char *names[SCRIPT_VERB_COUNT + 1] = {NULL}, *nearest;

	for (uint32_t i = 0; i < SCRIPT_VERB_COUNT; i++) {
		names[i] = verbs[i].word;
		line->verb = i;
		if (quire_same_name(word, names[i]))
			return 0;
	}
	nearest = quire_nearest(word, names);
	if (nearest)
		return quire_fail(-EINVAL, "there is no '%s'; did you mean '%s'?", word, nearest);
	return quire_fail(-EINVAL, "there is no '%s'", word);
}

/* One line without its end.  Return: 1 it says nothing. */
static int read_line(struct script_line *line, const char *text, size_t length, double before_s)
{
	char copy[192], word[16], *end, *at;

	if (length >= sizeof(copy))
		return quire_fail(-EINVAL, "the line is too long");
	memcpy(copy, text, length);
	copy[length] = 0;
	while (length && strchr(" \t\r", copy[length - 1]))
		copy[--length] = 0;
	at = copy + strspn(copy, " \t");
	if (!*at || *at == '#')
		return 1;
	*line = (struct script_line){.at_s = strtod(at, &end)};
	if (end == at || !(line->at_s >= 0 && line->at_s < 1e6))
		return quire_fail(-EINVAL, "expected a second and what is done then, found '%s'",
				  at);
	if (line->at_s < before_s)
		return quire_fail(-EINVAL, "%g is before %g, the second above", line->at_s,
				  before_s);
	at = end + strspn(end, " \t");
	length = strcspn(at, " \t");
	snprintf(word, sizeof(word), "%.*s", (int)length, at);
	at += length;
	at += strspn(at, " \t");
	if (strlen(at) >= sizeof(line->text))
		return quire_fail(-EINVAL, "'%.40s...' is too long", at);
	memcpy(line->text, at, strlen(at) + 1);
	if (read_verb(line, word))
		return -EINVAL;
	if (line->verb == SCRIPT_KEY)
		return read_key(line);
	return read_numbers(line, at, verbs[line->verb].numbers);
}

int script_read(struct script *script, const char *text)
{
	uint32_t number = 0, limit = 1;
	double before_s = 0;
	char why[256];
	int rc;

	*script = (struct script){0};
	for (const char *at = text; at && *at; at++)
		limit += *at == '\n';
	script->lines = calloc(limit, sizeof(*script->lines));
	if (!script->lines)
		return quire_fail(-ENOMEM, "no memory for the script");
	while (text && *text) {
		struct script_line *line = &script->lines[script->count];
		size_t length = strcspn(text, "\n");

		number++;
		rc = read_line(line, text, length, before_s);
		if (rc < 0) {
			snprintf(why, sizeof(why), "%s", quire_failure());
			script_free(script);
			return quire_fail(rc, "the script, line %u: %s", number, why);
		}
		if (rc == 0) {
			before_s = line->at_s;
			script->count++;
		}
		text += length + (text[length] == '\n');
	}
	return 0;
}

void script_free(struct script *script)
{
	free(script->lines);
	*script = (struct script){0};
}
