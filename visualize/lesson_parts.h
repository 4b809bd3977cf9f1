/*
 * lesson_parts.h - what the files of lesson.h share; private to lesson*.c.
 */
#ifndef QUIRE_LESSON_PARTS_H
#define QUIRE_LESSON_PARTS_H

#include "lesson.h"

/* lesson.c: @text [bytes] is the file's. */
int lesson_parse(struct quire_lesson *lesson, const char *path, const char *text, size_t bytes);

/* lesson_shipped.c: the text of a shipped one, by name or number; NULL: there is none. */
const char *lesson_shipped(const char *name, size_t *bytes);
/* All their names in one line. */
const char *lesson_names(void);

#endif /* QUIRE_LESSON_PARTS_H */
