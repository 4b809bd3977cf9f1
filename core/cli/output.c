/*
 * output.c - see output.h.
 */
#define _XOPEN_SOURCE 700 /* realpath() */

#include "output.h"

#include <quire/quire.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *path, int error)
{
	return quire_fail(-error, "cannot write %s: %s", path, strerror(error));
}

int quire_output_open(struct quire_output *o, const char *path)
{
	struct stat st;
	bool there = stat(path, &st) == 0;
	size_t size;
	int rc;

	memset(o, 0, sizeof(*o));
	if (there && S_ISDIR(st.st_mode))
		return failed(path, EISDIR);
	if (there && access(path, W_OK) != 0)
		return failed(path, errno);
	o->path = there ? realpath(path, NULL) : strdup(path);
	if (!o->path)
		return failed(path, errno);
	if (there && !S_ISREG(st.st_mode)) {
		o->file = fopen(path, "w");
	} else {
		size = strlen(o->path) + 32;
		o->temporary = malloc(size);
		if (o->temporary) {
			snprintf(o->temporary, size, "%s.%ld.tmp", o->path, (long)getpid());
			o->file = fopen(o->temporary, "w");
		}
	}
	if (o->file)
		return 0;
	rc = failed(path, errno);
	free(o->temporary);
	free(o->path);
	memset(o, 0, sizeof(*o));
	return rc;
}

int quire_output_try(const char *path)
{
	struct quire_output out;
	int rc;

	if (!path || !strcmp(path, "-"))
		return 0;
	rc = quire_output_open(&out, path);
	if (rc == 0)
		quire_output_discard(&out);
	return rc;
}

int quire_output_commit(struct quire_output *o)
{
	bool bad = ferror(o->file);
	int rc = 0;

	errno = 0;
	bad |= fclose(o->file) != 0;
	o->file = NULL;
	if (bad || (o->temporary && rename(o->temporary, o->path) != 0))
		rc = failed(o->path, errno ? errno : EIO);
	if (rc == 0) {
		free(o->temporary);
		o->temporary = NULL;
	}
	quire_output_discard(o);
	return rc;
}

void quire_output_discard(struct quire_output *o)
{
	if (o->file)
		fclose(o->file);
	if (o->temporary)
		unlink(o->temporary);
	free(o->temporary);
	free(o->path);
	memset(o, 0, sizeof(*o));
}
