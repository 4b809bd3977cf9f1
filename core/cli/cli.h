/*
 * cli.h - what the subcommands of quire share.
 *
 * A subcommand is a function of the shape of main(); argv[0] is its own name.
 * It returns the exit status, and if that is not 0 it has said what is wrong, and
 * where, in one line on stderr.  A new one is one declaration here and one line of
 * the table in main.c.
 *
 *	0  success
 *	2  bad usage: the command line asks for what cannot be.  A flag or a value that
 *	   is none, flags that do not go together, that do not suit the model or the
 *	   workload, a model, GPU, module or preset that there is not.
 *	1  failure, with a command line that may be as it should: a file is broken, or
 *	   cannot be read or written, memory is short, there is no GPU, a module was
 *	   ejected, requests were refused, somebody stopped it.
 */
#ifndef QUIRE_CLI_H
#define QUIRE_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { QUIRE_EXIT_OK = 0, QUIRE_EXIT_FAILURE = 1, QUIRE_EXIT_USAGE = 2 };

int quire_cmd_plan(int argc, char **argv);
int quire_cmd_model(int argc, char **argv);
int quire_cmd_trace(int argc, char **argv);
int quire_cmd_sim(int argc, char **argv);
int quire_cmd_run(int argc, char **argv);
int quire_cmd_bench(int argc, char **argv);
int quire_cmd_calibrate(int argc, char **argv);
int quire_cmd_list(int argc, char **argv);
int quire_cmd_compare(int argc, char **argv);
int quire_cmd_sweep(int argc, char **argv);
int quire_cmd_view(int argc, char **argv);

/*
 * Say "quire COMMAND: sentence" on stderr, on one line.  Return: the exit
 * status, so that a command can write "return quire_usage_error(...)".
 */
int quire_usage_error(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int quire_command_failed(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * The next long option of the command line.  There are no short ones but -h,
 * which is --help; as in getopt_long(), "--flag value" and "--flag=value" are
 * the same and what is no option is moved behind, to argv[optind].
 *
 *	while ((i = quire_next_option(argc, argv, options)) >= 0)
 *		... options[i].name, optarg ...
 *	if (i == QUIRE_OPTION_BAD)
 *		return QUIRE_EXIT_USAGE;
 *
 * @options ends with an empty entry and has val 0 and flag NULL throughout.
 * Return: the index of the option, its value in optarg; QUIRE_OPTION_END behind
 * the last; QUIRE_OPTION_BAD if it is none of them (the nearest is suggested) or
 * its value is missing, or one is given that it does not take: the line is on
 * stderr.
 */
enum { QUIRE_OPTION_END = -1, QUIRE_OPTION_BAD = -2 };
int quire_next_option(int argc, char **argv, const struct option *options);

/* A file that a command is to write, by the flag that asks for it. */
struct quire_named_file {
	const char *flag; /* "--json" */
	const char *path; /* NULL: it was not given */
};

/* Has each a name, and no two the same file?  Return: 0; -EINVAL with a sentence. */
int quire_check_files(const struct quire_named_file *files, size_t count);
/* Does it end as a page does?  Likewise. */
int quire_check_page(const char *flag, const char *path);

/*
 * A line on stderr while something takes long, on a terminal only.  The next one takes
 * its place, and an empty one erases it: before anything else is written there.
 */
void quire_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Columns of the terminal behind @file; @otherwise where it is none. */
unsigned int quire_terminal_columns(FILE *file, unsigned int otherwise);
/* May @file show colours?  It is a terminal, not a dumb one, and NO_COLOR is unset. */
bool quire_terminal_colours(FILE *file);
/* Does the locale say that UTF-8 is understood? */
bool quire_terminal_utf8(void);

#endif /* QUIRE_CLI_H */
