/*
 * lesson_shipped.c - the lessons that come with the program, and are a part of it: the files
 * of lessons/ are put in as they are, by the assembler.
 */
#include "lesson_parts.h"

#include "core/util.h"

#include <stdio.h>
#include <string.h>

#define EMBED(symbol, file)                                                                        \
	__asm__(".section .rodata\n"                                                               \
		".globl " #symbol ", " #symbol "_end\n"                                            \
		".hidden " #symbol ", " #symbol "_end\n" #symbol ":\n"                             \
		".incbin \"" QUIRE_LESSONS_DIR "/" file ".lesson\"\n" #symbol "_end:\n"            \
		".byte 0\n"                                                                        \
		".previous\n");                                                                    \
	extern const char symbol[], symbol##_end[]

/*	symbol		      name */
#define LESSONS(X)                                                                                 \
	X(quire_lesson_kv_cache, "kv-cache")                                                       \
	X(quire_lesson_throughput, "throughput")                                                   \
	X(quire_lesson_contiguous, "contiguous")                                                   \
	X(quire_lesson_block_table, "block-table")                                                 \
	X(quire_lesson_copy_on_write, "copy-on-write")                                             \
	X(quire_lesson_batching, "batching")                                                       \
	X(quire_lesson_splitfuse, "splitfuse")

#define X(symbol, name) EMBED(symbol, name);
LESSONS(X)
#undef X

static const struct {
	const char *name, *text, *end;
} shipped[] = {
#define X(symbol, name) {name, symbol, symbol##_end},
	LESSONS(X)
#undef X
};

#define COUNT (sizeof(shipped) / sizeof(shipped[0]))

const char *lesson_shipped(const char *name, size_t *bytes)
{
	for (uint32_t i = 0; i < COUNT; i++) {
		char number[16];

		snprintf(number, sizeof(number), "%u", i + 1);
		if (!quire_same_name(name, shipped[i].name) && strcmp(name, number) != 0)
			continue;
		*bytes = (size_t)(shipped[i].end - shipped[i].text);
		return shipped[i].text;
	}
	return NULL;
}

const char *lesson_names(void)
{
#define X(symbol, name) ", " name
	static const char names[] = "" LESSONS(X);
#undef X

	return names + 2;
}

/* The title stands in the file. */
const char *quire_lesson_name(uint32_t i, const char **title)
{
	static char titles[COUNT][80];
	const char *line;

	if (i >= COUNT)
		return NULL;
	line = strstr(shipped[i].text, "\nlesson");
	line = strncmp(shipped[i].text, "lesson", 6) == 0 ? shipped[i].text : line ? line + 1 : "";
	line += strcspn(line, " \t\n");
	line += strspn(line, " \t");
	snprintf(titles[i], sizeof(titles[i]), "%.*s", (int)strcspn(line, "\n"), line);
	if (title)
		*title = titles[i];
	return shipped[i].name;
}
