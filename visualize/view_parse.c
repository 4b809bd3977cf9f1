/*
 * view_parse.c - commands in words.
 */
#include "view_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

static const char *const clocks[] = {
	[QUIRE_CLOCK_TIME] = "time", [QUIRE_CLOCK_STEP] = "step", [QUIRE_CLOCKS] = NULL};
static const char *const locks[] = {[QUIRE_LOCK_TIME] = "time",
				    [QUIRE_LOCK_STEP] = "step",
				    [QUIRE_LOCK_REQUEST] = "request",
				    [QUIRE_LOCK_COUNT] = NULL};
static const char *const colours[] = {[QUIRE_BY_OWNER] = "owner",
				      [QUIRE_BY_REFS] = "refs",
				      [QUIRE_BY_FILL] = "fill",
				      [QUIRE_BY_AGE] = "age",
				      [QUIRE_COLOURINGS] = NULL};
static const char *const themes[] = {[QUIRE_DARK] = "dark",
				     [QUIRE_LIGHT] = "light",
				     [QUIRE_COLOUR_BLIND] = "colour-blind",
				     [QUIRE_THEMES] = NULL};
static const char *const axes[] = {"time", "steps", NULL};
static const char *const panels[] = {
	[QUIRE_PANEL_HEADER] = "",	     [QUIRE_PANEL_POOL] = "pool",
	[QUIRE_PANEL_SEQUENCE] = "sequence", [QUIRE_PANEL_TIMELINE] = "timeline",
	[QUIRE_PANEL_STEPS] = "steps",	     [QUIRE_PANEL_GAUGES] = "figures",
	[QUIRE_PANEL_QUEUES] = "queues",     [QUIRE_PANEL_LEGEND] = NULL};
static const char *const kinds[] = {
	[QUIRE_EV_ARRIVE] = "arrive", [QUIRE_EV_REFUSE] = "refuse", [QUIRE_EV_PREEMPT] = "preempt",
	[QUIRE_EV_DROP] = "drop",     [QUIRE_EV_COPY] = "copy",	    [QUIRE_EV_MAP] = "map",
	[QUIRE_EV_RUN] = "run",	      [QUIRE_EV_MEMORY] = "memory", [QUIRE_EV_STEP] = "step",
	[QUIRE_EV_DONE] = "done",     [QUIRE_EV_SAMPLE] = "sample", [QUIRE_EV_FORK] = "fork",
	[QUIRE_EV_FINISH] = "finish", [QUIRE_EV_EJECT] = "eject",   [QUIRE_EV_POOL] = "pool",
	[QUIRE_EV_SHARE] = "share",   [QUIRE_EV_UNMAP] = "unmap",   [QUIRE_EV_FAULT] = "fault",
	[QUIRE_EV_END] = "end",	      [QUIRE_EV_IDLE] = "idle",	    [QUIRE_EV_COUNT] = NULL};

static const char *const *words_of(enum quire_command_kind kind)
{
	switch (kind) {
	case QUIRE_DO_CLOCK:
		return clocks;
	case QUIRE_DO_LOCK:
		return locks;
	case QUIRE_DO_COLOUR:
		return colours;
	case QUIRE_DO_THEME:
		return themes;
	case QUIRE_DO_AXIS:
		return axes;
	case QUIRE_DO_PANEL:
		return panels;
	default:
		return kinds;
	}
}

const char *view_word(enum quire_command_kind kind, uint32_t i)
{
	return words_of(kind)[i];
}

/* A word of a command of shape w as its value; -1: there is none like it. */
static int value_of(enum quire_command_kind kind, const char *word)
{
	const char *const *words = words_of(kind);

	for (int i = 0; words[i]; i++)
		if (words[i][0] && quire_same_name(words[i], word))
			return i;
	return -1;
}

/* ---- arguments ---- */

static int parse_word(struct quire_command *command, const char *rest)
{
	const char *name = quire_command_texts[command->kind].word;
	const char *const *words = words_of(command->kind);
	char all[256] = "";
	size_t used = 0;
	int value;

	command->number = -1;
	if (!*rest || (command->kind == QUIRE_DO_PANEL && quire_same_name(rest, "all")))
		return 0;
	value = value_of(command->kind, rest);
	if (value >= 0) {
		command->number = value;
		return 0;
	}
	for (uint32_t i = 0; words[i] && used < sizeof(all); i++)
		if (words[i][0])
			used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
						 used ? ", " : "", words[i]);
	return quire_fail(-EINVAL, "%s: '%.40s' is none of: %s", name, rest, all);
}

/* A number at *@text, "1/16" too, which moves behind it and blanks. */
static int number_at(const char *name, const char **text, double *number)
{
	char *end;

	*number = strtod(*text, &end);
	if (end != *text && *end == '/') {
		const char *below = end + 1;
		double by = strtod(below, &end);

		*number = end == below || by == 0 ? NAN : *number / by;
	}
	if (end == *text || (*end && *end != ' ') || !isfinite(*number))
		return quire_fail(-EINVAL, "%s: '%.40s' is not a number", name, *text);
	while (*end == ' ')
		end++;
	*text = end;
	return 0;
}

/* The panel that may stand behind the numbers of zoom and pan. */
static int panel_at(const char *name, const char *text, int *panel)
{
	if (!*text)
		return 0;
	if (quire_same_name(text, "rows"))
		*panel = VIEW_ROWS;
	else
		*panel = value_of(QUIRE_DO_PANEL, text);
	if (*panel == QUIRE_PANEL_POOL || *panel == QUIRE_PANEL_TIMELINE ||
	    *panel == QUIRE_PANEL_STEPS || *panel == VIEW_ROWS)
		return 0;
	return quire_fail(-EINVAL, "%s: '%.40s' is none of: pool, timeline, steps, rows", name,
			  text);
}

static int parse_number(struct quire_command *command, const char *rest)
{
	const char *name = quire_command_texts[command->kind].word;
	int rc = number_at(name, &rest, &command->number);

	if (rc == 0 && command->number < 0)
		rc = quire_fail(-EINVAL, "%s: %g is less than 0", name, command->number);
	if (rc == 0 && command->kind == QUIRE_DO_SPEED && command->number == 0)
		rc = quire_fail(-EINVAL, "speed: 0 is none; 'pause' stands still");
	if (rc == 0 && command->kind == QUIRE_DO_ZOOM)
		return panel_at(name, rest, &command->panel);
	if (rc == 0 && *rest)
		rc = quire_fail(-EINVAL, "%s: '%.40s' behind the number is too much", name, rest);
	return rc;
}

static int parse_pan(struct quire_command *command)
{
	const char *rest = command->text;
	int rc = number_at("pan", &rest, &command->x);

	if (rc == 0)
		rc = number_at("pan", &rest, &command->y);
	return rc ? rc : panel_at("pan", rest, &command->panel);
}

static int parse_seq(const struct quire_view *view, struct quire_command *command, const char *rest)
{
	const struct quire_story *story = view->sides[0].story;

	if (!*rest || quire_same_name(rest, "none"))
		return 0;
	command->seq = quire_story_find(story, rest);
	if (!command->seq)
		return quire_fail(-ENOENT,
				  "%s: there is no '%.40s' among %u requests; names are "
				  "r12 (a request), r12.3 (its sample 3) and s40 (a sequence)",
				  quire_command_texts[command->kind].word, rest,
				  story->run->requests_count);
	return 0;
}

/* ---- moments ---- */

/* "step 40": the number behind a word; -1: it is another word. */
static int64_t counted(const char *text, const char *word)
{
	size_t length = strlen(word);
	char *end;
	double number;

	if (strncmp(text, word, length) != 0 || text[length] != ' ')
		return -1;
	number = strtod(text + length, &end);
	if (end == text + length || *end || number < 0 || number > 0x1p62 ||
	    number != floor(number))
		return -1;
	return (int64_t)number;
}

static int parse_time(const struct quire_view *view, struct quire_command *command,
		      const char *rest)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
	char *end;
	double number = strtod(rest, &end), last = 0;

	command->number = -1;
	for (uint32_t i = 0; end != rest && i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].unit) == 0)
			command->number = number * units[i].ns;
	if (!(command->number >= 0))
		return quire_fail(-EINVAL,
				  "'%.40s' is no moment; moments are 1.25s, 300ms, "
				  "step 40, event 1200, end",
				  rest);
	for (uint32_t s = 0; s < view->sides_count; s++)
		last = fmax(last, (double)quire_story_end_ns(view->sides[s].story));
	/* As it is printed, an end may be rounded up. */
	if (command->number > last + 1e6)
		return quire_fail(-ENOENT, "'%.40s' is behind the end, %.9gs", rest, last / 1e9);
	command->index =
		quire_story_index_ns(view->sides[0].story, (uint64_t)llround(command->number));
	return 0;
}

/*
 * A window opens before all is indexed, and a moment may lie in what is not.  Should memory
 * be short, story->trouble says so, and what is indexed can be gone to.
 */
static void index_all(const struct quire_view *view)
{
	for (uint32_t s = 0; s < view->sides_count; s++) {
		struct quire_story *story = view->sides[s].story;

		if (!story->over || story->indexed < story->events)
			quire_story_extend(story, UINT64_MAX);
	}
}

static int parse_moment(const struct quire_view *view, struct quire_command *command,
			const char *rest)
{
	const struct quire_story *story = view->sides[0].story;
	int64_t count = counted(rest, "step");

	index_all(view);
	snprintf(command->text, sizeof(command->text), "%s", rest);
	command->number = -1;
	if (quire_same_name(rest, "end")) {
		command->index = story->indexed;
		for (uint32_t s = 0; s < view->sides_count; s++)
			command->number = fmax(command->number,
					       (double)quire_story_end_ns(view->sides[s].story));
		return 0;
	}
	if (count > story->steps_count)
		return quire_fail(-ENOENT, "there is no step %lld: the recording has %u",
				  (long long)count, story->steps_count);
	if (count >= 0) {
		command->index = quire_story_index_step(story, (uint32_t)count);
		return 0;
	}
	count = counted(rest, "event");
	if (count > (int64_t)story->indexed)
		return quire_fail(-ENOENT, "there is no event %lld: the recording has %llu",
				  (long long)count, (unsigned long long)story->indexed);
	if (count < 0)
		return parse_time(view, command, rest);
	command->index = (uint64_t)count;
	return 0;
}

/* ---- a line ---- */

static int unknown(const char *word)
{
	const char *names[QUIRE_COMMAND_COUNT + 1], *nearest;
	uint32_t count = 0;

	for (uint32_t i = 0; i < QUIRE_COMMAND_COUNT; i++)
		if (quire_command_texts[i].word[0])
			names[count++] = quire_command_texts[i].word;
	names[count] = NULL;
	nearest = quire_nearest(word, names);
	if (nearest)
		return quire_fail(-EINVAL, "there is no command '%s'; did you mean '%s'?", word,
				  nearest);
	return quire_fail(-EINVAL, "there is no command '%s'", word);
}

int quire_view_parse(const struct quire_view *view, const char *line, struct quire_command *command)
{
	char word[32], text[sizeof(command->text)];
	size_t length;
	const char *rest;

	*command = (struct quire_command){.panel = -1};
	line += strspn(line, " \t");
	length = strcspn(line, " \t");
	snprintf(word, sizeof(word), "%.*s", (int)(length < 31 ? length : 31), line);
	rest = line + length + strspn(line + length, " \t");
	if (strlen(rest) >= sizeof(text))
		return quire_fail(-EINVAL, "%s: '%.40s...' is too long", word, rest);
	snprintf(text, sizeof(text), "%s", rest);
	for (length = strlen(text); length && strchr(" \t\r\n", text[length - 1]); length--)
		text[length - 1] = 0;

	while (command->kind < QUIRE_COMMAND_COUNT &&
	       (!quire_command_texts[command->kind].word[0] ||
		!quire_same_name(quire_command_texts[command->kind].word, word)))
		command->kind++;
	if (command->kind == QUIRE_COMMAND_COUNT)
		return unknown(word);
	switch (quire_command_texts[command->kind].shape) {
	case 'n':
		command->x = view->pointer_x;
		command->y = view->pointer_y;
		return parse_number(command, text);
	case 'w':
		return parse_word(command, text);
	case 'm':
		return parse_moment(view, command, text);
	case 's':
		return parse_seq(view, command, text);
	case 't':
		snprintf(command->text, sizeof(command->text), "%s", text);
		return command->kind == QUIRE_DO_PAN ? parse_pan(command) : 0;
	default:
		if (*text)
			return quire_fail(-EINVAL, "%s: '%.40s' is too much", word, text);
		return 0;
	}
}

int quire_view_say(struct quire_view *view, const char *line)
{
	struct quire_command command;
	int rc = quire_view_parse(view, line, &command);

	if (rc) {
		view_message(view, "%s", quire_failure());
		return rc;
	}
	return quire_view_do(view, &command);
}
