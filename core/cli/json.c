/*
 * json.c - where the JSON of a command goes.
 */
#include "json.h"

#include "cli.h"
#include "output.h"

#include <quire/quire.h>

#include <errno.h>
#include <string.h>

static int dump(const json_t *all, FILE *out)
{
	int rc;

	errno = 0;
	rc = json_dumpf(all, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));

	if (rc == 0 && (fputc('\n', out) == EOF || fflush(out) != 0))
		rc = -1;
	return rc ? quire_fail(-EIO, "%s", errno ? strerror(errno) : "no memory") : 0;
}

int quire_json_commit(const char *command, json_t *all, struct quire_output *out)
{
	int rc = all ? dump(all, out->file) : quire_fail(-ENOMEM, "no memory");

	json_decref(all);
	if (rc) {
		quire_command_failed(command, "cannot write %s: %s", out->path, quire_failure());
		quire_output_discard(out);
		return QUIRE_EXIT_FAILURE;
	}
	return quire_output_commit(out) ? quire_command_failed(command, "%s", quire_failure())
					: QUIRE_EXIT_OK;
}

int quire_json_write(const char *command, json_t *all, const char *path)
{
	struct quire_output out;
	int rc;

	if (!all)
		return quire_command_failed(command, "no memory for the JSON report");
	if (strcmp(path, "-") == 0) {
		rc = dump(all, stdout);
		json_decref(all);
		return rc ? quire_command_failed(command, "cannot write standard output: %s",
						 quire_failure())
			  : QUIRE_EXIT_OK;
	}
	if (quire_output_open(&out, path)) {
		json_decref(all);
		return quire_command_failed(command, "%s", quire_failure());
	}
	return quire_json_commit(command, all, &out);
}
