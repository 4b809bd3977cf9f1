/*
 * window_script.h - a script that works a window as a hand would: lines such as
 *
 *	0.5 key Shift+Right	0.6 type r12		1.0 say select r3
 *	2 click 300 200		2.1 press 300 200	2.2 move 340 200	2.3 release 340 200
 *	3 wheel 0 -2		4 resize 800 600	5 png out.png		6 line
 *	7 quit
 *
 * each with the second at which it is done, none before the one above it.  A # begins a
 * comment.  No SDL here: window.c does what they say.  Private to window*.c.
 */
#ifndef QUIRE_WINDOW_SCRIPT_H
#define QUIRE_WINDOW_SCRIPT_H

#include "view.h"

/*	name	 word	    numbers that follow */
#define SCRIPT_VERBS(X)                                                                            \
	X(KEY, "key", 0)	 /* one is pressed, and let go */                                  \
	X(TYPE, "type", 0)	 /* letters, one after the other */                                \
	X(SAY, "say", 0)	 /* a command in words */                                          \
	X(MOVE, "move", 2)	 /* the pointer, to x, y in points */                              \
	X(CLICK, "click", 2)	 /* a press and a release there */                                 \
	X(PRESS, "press", 2)	 /* the left button goes down */                                   \
	X(RELEASE, "release", 2) /* ... up */                                                      \
	X(WHEEL, "wheel", 2)	 /* notches to the right, and up */                                \
	X(RESIZE, "resize", 2)	 /* the window, in points */                                       \
	X(PNG, "png", 0)	 /* what the window shows now, to a file */                        \
	X(LINE, "line", 0)	 /* print the command line that shows it again */                  \
	X(QUIT, "quit", 0)

enum script_verb {
#define X(name, word, numbers) SCRIPT_##name,
	SCRIPT_VERBS(X) SCRIPT_VERB_COUNT
#undef X
};

struct script_line {
	double at_s;
	enum script_verb verb;
	uint32_t key, mods; /* of KEY: as in struct quire_input */
	double x, y;	    /* the numbers */
	char text[128];	    /* the rest of the line */
};

struct script {
	struct script_line *lines; /* [count] owned */
	uint32_t count;
	uint32_t next; /* the first that is not done yet */
};

/* @text NULL: an empty one.  Return: 0; -EINVAL, -ENOMEM with a sentence. */
int script_read(struct script *script, const char *text);
void script_free(struct script *script);

#endif /* QUIRE_WINDOW_SCRIPT_H */
