/*
 * cli.c - see cli.h.
 */
#include "cli.h"

#include "core/util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void complain(const char *command, const char *format, va_list args)
{
	fprintf(stderr, "quire%s%s: ", *command ? " " : "", command);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int quire_usage_error(const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(command, format, args);
	va_end(args);
	return QUIRE_EXIT_USAGE;
}

int quire_command_failed(const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(command, format, args);
	va_end(args);
	return QUIRE_EXIT_FAILURE;
}

static int find_option(const struct option *options, const char *name)
{
	for (int i = 0; options[i].name; i++)
		if (!strcmp(options[i].name, name))
			return i;
	return -1;
}

/* getopt_long() has said '?' to @arg: say why. */
static int option_refused(const char *command, const struct option *options, const char *arg)
{
	const char *names[129] = {NULL}, *nearest;
	char name[64];
	int begin_alike = 0;
	size_t n;

	if (strncmp(arg, "--", 2) != 0)
		return quire_usage_error(command, "unknown option '-%c'; see quire %s --help",
					 optopt ? optopt : '?', command);
	n = strcspn(arg + 2, "=");
	snprintf(name, sizeof(name), "%.*s", (int)n, arg + 2);
	for (size_t i = 0; options[i].name && i < 128; i++) {
		names[i] = options[i].name;
		begin_alike += !strncmp(options[i].name, name, strlen(name));
	}
	if (arg[2 + n] && find_option(options, name) >= 0)
		return quire_usage_error(command, "--%s takes no value, found '%s'", name,
					 arg + 2 + n + 1);
	if (begin_alike > 1)
		return quire_usage_error(command, "--%s could be several options; write it in full",
					 name);
	nearest = quire_nearest(name, names);
	if (nearest)
		return quire_usage_error(command, "unknown option --%s; did you mean --%s?", name,
					 nearest);
	return quire_usage_error(command, "unknown option --%s; see quire %s --help", name,
				 command);
}

int quire_next_option(int argc, char **argv, const struct option *options)
{
	int index = -1;

	opterr = 0; /* we say it better */
	switch (getopt_long(argc, argv, ":h", options, &index)) {
	case -1:
		return QUIRE_OPTION_END;
	case 0:
		return index;
	case 'h':
		index = find_option(options, "help");
		if (index >= 0)
			return index;
		break;
	case ':':
		quire_usage_error(argv[0], "%s needs a value; see quire %s --help",
				  argv[optind - 1], argv[0]);
		return QUIRE_OPTION_BAD;
	}
	option_refused(argv[0], options, argv[optind - 1]);
	return QUIRE_OPTION_BAD;
}

/* The name in its folder, whose stat goes to @folder.  NULL: there is no such folder. */
static const char *last_name(const char *path, struct stat *folder)
{
	const char *slash = strrchr(path, '/');
	char text[4096];

	if (slash)
		snprintf(text, sizeof(text), "%.*s", (int)(slash - path + 1), path);
	if (stat(slash ? text : ".", folder) != 0)
		return NULL;
	return slash ? slash + 1 : path;
}

/* By whatever names.  A device may be written twice. */
static bool same_file(const char *a, const char *b)
{
	struct stat x, y;
	const char *name, *other;

	if (stat(a, &x) == 0)
		return S_ISREG(x.st_mode) && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
		       x.st_ino == y.st_ino;
	name = last_name(a, &x);
	other = last_name(b, &y);
	return name && other && !strcmp(name, other) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

int quire_check_files(const struct quire_named_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct quire_named_file *f = &files[i];

		if (f->path && !*f->path)
			return quire_fail(-EINVAL, "%s: expected the name of a file, found ''",
					  f->flag);
		for (size_t k = 0; f->path && k < i; k++)
			if (files[k].path && same_file(files[k].path, f->path))
				return quire_fail(-EINVAL, "%s and %s would both write %s",
						  files[k].flag, f->flag, f->path);
	}
	return 0;
}

int quire_check_page(const char *flag, const char *path)
{
	const char *dot = strrchr(path, '.');

	if (dot && (quire_same_name(dot, ".html") || quire_same_name(dot, ".htm")))
		return 0;
	return quire_fail(-EINVAL, "%s: expected a name ending with .html, found '%s'", flag, path);
}

void quire_progress(const char *format, ...)
{
	char line[512];
	unsigned int columns;
	va_list args;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	columns = quire_terminal_columns(stderr, 80);
	if (columns < sizeof(line))
		line[columns - 1] = '\0'; /* a line that wraps is not erased */
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
}

unsigned int quire_terminal_columns(FILE *file, unsigned int otherwise)
{
	struct winsize size;

	if (isatty(fileno(file)) && ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	return otherwise;
}

bool quire_terminal_colours(FILE *file)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	return isatty(fileno(file)) && term && strcmp(term, "dumb") && !(no_color && *no_color);
}

bool quire_terminal_utf8(void)
{
	static const char *const name[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
		const char *value = getenv(name[i]);

		if (!value || !*value)
			continue;
		for (; *value; value++)
			if (!strncasecmp(value, "utf-8", 5) || !strncasecmp(value, "utf8", 4))
				return true;
		return false;
	}
	return false;
}
