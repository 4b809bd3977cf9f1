/*
 * json.h - where the JSON of a command goes.
 */
#ifndef QUIRE_CLI_JSON_H
#define QUIRE_CLI_JSON_H

#include "output.h"

#include <jansson.h>

/*
 * Write @all, which is freed, to the file @path; "-" is standard output.
 * Return: the exit status of @command, its line on stderr.
 */
int quire_json_write(const char *command, json_t *all, const char *path);
/* The same into a file that was opened before the work began; it is closed either way. */
int quire_json_commit(const char *command, json_t *all, struct quire_output *out);

#endif /* QUIRE_CLI_JSON_H */
