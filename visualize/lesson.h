/*
 * lesson.h - a lesson: a small text file that leads through one or two runs.
 *
 *	# comment
 *	lesson  Copy-on-write in parallel sampling
 *	run     --workload prompts --samples 3 --allocator paged,block=4 ...
 *	run     ...				a second one stands beside it
 *	text    r0  The quick brown fox ...	the words of a prompt, one a token
 *	answer  r0.1  jumps over it .		... of a sample
 *	view    colour refs			commands of view.h for the beginning
 *
 *	moment  step 3				where time goes to; nothing: it stays
 *	view    select r0
 *	say     Three samples share the prompt: its blocks are there once.
 *	ask     Who will pay for the first token that differs?
 *	reveal  The one that writes first: it copies the block.
 *	play    2				on for so many steps as it is revealed
 *
 * A lesson begins with the view's own choices: by time, owners' colours, nobody selected.
 * A line that begins with a blank goes on with the line above.  `run` is a command line of
 * "quire sim" without its name; whoever reads the lesson runs it (core/cli/view.c), so this
 * room needs no simulator.  Space goes on: it first reveals what was asked, then moves.
 */
#ifndef QUIRE_LESSON_H
#define QUIRE_LESSON_H

#include "view.h"

#define QUIRE_LESSON_RUNS_MAX 2u

struct quire_lesson_words {
	uint32_t run; /* which */
	uint32_t request, sample;
	bool answer; /* output of that sample; else the prompt */
	char *words; /* one a token, by blanks; owned */
};

struct quire_moment {
	char *at;     /* a moment of view.h: "step 3"; owned, like the following; NULL: stay */
	char **views; /* [views_count] commands, in order */
	uint32_t views_count;
	char *say, *ask, *reveal; /* NULL: there is none */
	double play_steps;	  /* 0: stand still */
	uint32_t line;		  /* in the file, for complaints */
};

struct quire_lesson {
	char *path, *title; /* owned */
	char *runs[QUIRE_LESSON_RUNS_MAX];
	uint32_t runs_count;
	struct quire_lesson_words *words; /* [words_count] */
	uint32_t words_count;
	char **views; /* [views_count] for the beginning */
	uint32_t views_count;
	struct quire_moment *moments; /* [moments_count], at least one */
	uint32_t moments_count;
};

/* @name: a path, or the name or number of one that is shipped ("4", "block-table").
 * Return: 0; -ENOENT, -EINVAL with a sentence that names file and line. */
int quire_lesson_read(struct quire_lesson *lesson, const char *name);
void quire_lesson_free(struct quire_lesson *lesson);
/* Shipped ones in order, for "quire view --lesson list": name, title.  NULL behind the last. */
const char *quire_lesson_name(uint32_t i, const char **title);

/* Give the stories their words.  Return: 0; -ENOMEM. */
int quire_lesson_tell(const struct quire_lesson *lesson, struct quire_story *const *stories);

/* Going through it. */
struct quire_walk {
	struct quire_guide guide; /* first: a guide and its walk are one pointer */
	const struct quire_lesson *lesson;
	uint32_t moment;
	bool revealed;
	uint64_t rest; /* the position that playing goes to */
};

/* Check every command and moment of the lesson against the view's stories, and begin.
 * Return: 0; -EINVAL with a sentence that names the line. */
int quire_walk_begin(struct quire_walk *walk, const struct quire_lesson *lesson,
		     struct quire_view *view);
/* On (1) or back (-1).  Return: false behind the last moment, and nothing changes. */
bool quire_walk_go(struct quire_walk *walk, struct quire_view *view, int direction);

#endif /* QUIRE_LESSON_H */
