/*
 * view_args.h - the command line of "quire view".
 */
#ifndef QUIRE_VIEW_ARGS_H
#define QUIRE_VIEW_ARGS_H

#include "visualize/view.h"

#define QUIRE_VIEW_FILES_MAX	2u
#define QUIRE_VIEW_STILLS_MAX	16u
#define QUIRE_VIEW_COMMANDS_MAX 64u

struct quire_view_args {
	const char *files[QUIRE_VIEW_FILES_MAX]; /* [files_count] recordings; borrowed, as all */
	uint32_t files_count;
	int live_argc; /* words behind --live; 0: it was not given */
	char **live_argv;
	const char *lesson; /* NULL: none */
	bool lessons;	    /* list them */

	double width, height; /* points; 0: not said */
	double scale;
	bool full_screen;
	const char *script; /* a file */
	bool frame_times;

	const char *stills[QUIRE_VIEW_STILLS_MAX]; /* [stills_count] --png, --svg, --pdf */
	uint32_t stills_count;
	const char *film;      /* --export; NULL: none */
	const char *from, *to; /* moments; NULL: the beginning, the end */
	double fps;

	/* What the view is told before it is shown, in order: commands in words. */
	struct {
		enum quire_command_kind kind;
		const char *value; /* NULL: it takes none */
	} commands[QUIRE_VIEW_COMMANDS_MAX];
	uint32_t commands_count;
};

/* Return: 0; 1 help was printed; -EINVAL bad usage, said on stderr. */
int quire_view_args_read(struct quire_view_args *args, int argc, char **argv);

/* A word as a shell takes it: 'two words', plain.  Cut to @size. */
void quire_view_quote(const char *word, char *text, size_t size);

#endif /* QUIRE_VIEW_ARGS_H */
