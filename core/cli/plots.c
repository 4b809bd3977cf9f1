/*
 * plots.c - see plots.h.
 */
#include "plots.h"

#include "output.h"

#include <quire/quire.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *quire_plots_command(int argc, char *const *argv)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-_=,./:+@%";
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("quire", out);
	for (int i = 0; i < argc; i++) {
		const char *quote = argv[i][0] && !argv[i][strspn(argv[i], plain)] ? "" : "'";

		fprintf(out, " %s%s%s", quote, argv[i], quote);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

int quire_plots_folder(const char *path)
{
	struct stat st;

	if (mkdir(path, 0777) != 0 && errno != EEXIST)
		return quire_fail(-errno, "--plot: cannot make the folder %s: %s", path,
				  strerror(errno));
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return quire_fail(-ENOTDIR, "--plot: %s is no folder", path);
	if (access(path, W_OK | X_OK) != 0)
		return quire_fail(-errno, "--plot: cannot write into %s: %s", path,
				  strerror(errno));
	return 0;
}

int quire_plots_write(const struct quire_figure *f, const char *folder)
{
	struct quire_output out;
	char path[4096];
	int rc = 0;

	for (enum quire_format format = 0; rc == 0 && format < QUIRE_FORMATS; format++) {
		snprintf(path, sizeof(path), "%s/%s.%s", folder, f->name,
			 quire_format_ending[format]);
		rc = quire_output_open(&out, path);
		if (rc)
			return rc;
		rc = quire_figure_write(f, out.file, format, true);
		if (rc)
			quire_output_discard(&out);
		else
			rc = quire_output_commit(&out);
	}
	return rc;
}
