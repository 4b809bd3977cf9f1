/*
 * view_args.c - see view_args.h.
 *
 * Every command of the view's table is an option of the same name, so "--select r3
 * --colour refs" shows what the keys would; they are done in the order they are given.
 */
#include "view_args.h"

#include "cli.h"
#include "core/util.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help_head[] =
	"usage: quire view FILE [FILE2] [OPTIONS]        a recording (quire sim --record FILE), "
	"or\n"
	"                                                two side by side\n"
	"       quire view [OPTIONS] --live sim ...      a run while it goes: options of quire "
	"sim\n"
	"       quire view --lesson NAME|FILE [OPTIONS]  a guided walk\n"
	"       quire view --lessons                     which there are\n"
	"\n"
	"Shows how blocks, sequences and steps move, in a window; ? in it tells the keys.\n"
	"\n"
	"The window\n"
	"  --size WxH            in points [1280x800; of pictures and films 1280x720]\n"
	"  --scale F             pixels a point; of a window: beyond what the display does [1]\n"
	"  --full-screen         no frame; F11 in the window\n"
	"  --frame-times         print what frames cost, when it is closed\n"
	"  --script FILE         keys and clicks at given seconds (docs/view.md)\n"
	"\n"
	"Without a window\n"
	"  --png FILE, --svg FILE, --pdf FILE   one picture, of the moment that --at names\n"
	"  --export FILE         a film: .mp4 or .gif by ffmpeg, or pictures: frame-%04d.png\n"
	"  --from T, --to T      from when to when [all of it]\n"
	"  --fps N               frames a second [30]; --speed is seconds of the run a second\n"
	"\n"
	"What is shown: commands, in this order of options; keys do the same in the window\n"
	"  --at T                go to a moment: 1.25s, 300ms, 'step 40', 'event 1200', end\n";

static const char help_tail[] =
	"  --help                this text\n"
	"\n"
	"Without a display: SDL_VIDEODRIVER=dummy quire view FILE --script TOUR\n"
	"\n"
	"  quire view run.qrec\n"
	"  quire view static.qrec continuous.qrec --lock time\n"
	"  quire view run.qrec --at 'step 40' --select r12 --png step40.png\n"
	"  quire view run.qrec --from 2s --to 8s --speed 0.5 --export film.mp4\n";

/* Our own, behind which come the view's. */
enum own {
	OWN_AT,
	OWN_EXPORT,
	OWN_FPS,
	OWN_FRAME_TIMES,
	OWN_FROM,
	OWN_FULL_SCREEN,
	OWN_HELP,
	OWN_LESSON,
	OWN_LESSONS,
	OWN_LIVE,
	OWN_PDF,
	OWN_PNG,
	OWN_SCALE,
	OWN_SCRIPT,
	OWN_SIZE,
	OWN_SVG,
	OWN_TO,
	OWN_COUNT
};

static struct option options[OWN_COUNT + QUIRE_COMMAND_COUNT + 1] = {
	[OWN_AT] = {"at", required_argument, NULL, 0},
	[OWN_EXPORT] = {"export", required_argument, NULL, 0},
	[OWN_FPS] = {"fps", required_argument, NULL, 0},
	[OWN_FRAME_TIMES] = {"frame-times", no_argument, NULL, 0},
	[OWN_FROM] = {"from", required_argument, NULL, 0},
	[OWN_FULL_SCREEN] = {"full-screen", no_argument, NULL, 0},
	[OWN_HELP] = {"help", no_argument, NULL, 0},
	[OWN_LESSON] = {"lesson", required_argument, NULL, 0},
	[OWN_LESSONS] = {"lessons", no_argument, NULL, 0},
	[OWN_LIVE] = {"live", no_argument, NULL, 0},
	[OWN_PDF] = {"pdf", required_argument, NULL, 0},
	[OWN_PNG] = {"png", required_argument, NULL, 0},
	[OWN_SCALE] = {"scale", required_argument, NULL, 0},
	[OWN_SCRIPT] = {"script", required_argument, NULL, 0},
	[OWN_SIZE] = {"size", required_argument, NULL, 0},
	[OWN_SVG] = {"svg", required_argument, NULL, 0},
	[OWN_TO] = {"to", required_argument, NULL, 0},
};

/* Is it an option of its own?  Help is another one here, and pictures are. */
static bool is_option(uint32_t kind)
{
	return kind > QUIRE_DO_NONE && kind < QUIRE_DO_HOST && kind != QUIRE_DO_HELP;
}

static void add_commands(enum quire_command_kind kinds[QUIRE_COMMAND_COUNT])
{
	uint32_t count = 0;

	for (uint32_t kind = 0; kind < QUIRE_COMMAND_COUNT; kind++) {
		const struct quire_command_text *text = &quire_command_texts[kind];

		if (!is_option(kind))
			continue;
		kinds[count] = kind;
		options[OWN_COUNT + count++] = (struct option){
			text->word, text->shape == '-' ? no_argument : required_argument, NULL, 0};
	}
}

static void print_help(void)
{
	static const char *const shapes[] = {['n'] = " N",   ['w'] = " WORD", ['m'] = " T",
					     ['s'] = " SEQ", ['t'] = " TEXT", ['-'] = ""};
	char option[40];

	fputs(help_head, stdout);
	for (uint32_t kind = 0; kind < QUIRE_COMMAND_COUNT; kind++) {
		const struct quire_command_text *text = &quire_command_texts[kind];

		if (!is_option(kind))
			continue;
		snprintf(option, sizeof(option), "--%s%s", text->word,
			 shapes[(unsigned char)text->shape]);
		printf("  %-21s %s\n", option, text->help);
	}
	fputs(help_tail, stdout);
}

/* "1280x720" */
static int read_size(struct quire_view_args *a, const char *value)
{
	char *end;

	a->width = strtod(value, &end);
	if (end != value && *end == 'x') {
		const char *height = end + 1;

		a->height = strtod(height, &end);
		if (end != height && !*end && a->width >= 64 && a->width <= 16384 &&
		    a->height >= 64 && a->height <= 16384)
			return 0;
	}
	return quire_fail(-EINVAL,
			  "--size: expected WxH, as 1280x720, each from 64 to 16384 points, found "
			  "'%s'",
			  value);
}

/* A picture of the kind that the option names. */
static int add_still(struct quire_view_args *a, const char *flag, const char *path)
{
	const char *dot = strrchr(path, '.');

	if (!dot || !quire_same_name(dot + 1, flag))
		return quire_fail(-EINVAL, "--%s: expected a name ending with .%s, found '%s'",
				  flag, flag, path);
	if (a->stills_count == QUIRE_VIEW_STILLS_MAX)
		return quire_fail(-EINVAL, "--%s: at most %u pictures", flag,
				  QUIRE_VIEW_STILLS_MAX);
	a->stills[a->stills_count++] = path;
	return 0;
}

static int add_command(struct quire_view_args *a, enum quire_command_kind kind, const char *value)
{
	if (a->commands_count == QUIRE_VIEW_COMMANDS_MAX)
		return quire_fail(-EINVAL, "at most %u options for what is shown",
				  QUIRE_VIEW_COMMANDS_MAX);
	a->commands[a->commands_count].kind = kind;
	a->commands[a->commands_count++].value = value;
	return 0;
}

static int take(struct quire_view_args *a, int option, const char *value)
{
	switch (option) {
	case OWN_AT:
		return add_command(a, QUIRE_DO_SEEK, value);
	case OWN_EXPORT:
		a->film = value;
		return 0;
	case OWN_FPS:
		return quire_parse_real("--fps", value, 0.01, 1000, &a->fps);
	case OWN_FRAME_TIMES:
		a->frame_times = true;
		return 0;
	case OWN_FROM:
		a->from = value;
		return 0;
	case OWN_FULL_SCREEN:
		a->full_screen = true;
		return 0;
	case OWN_LESSON:
		a->lesson = value;
		return 0;
	case OWN_LESSONS:
		a->lessons = true;
		return 0;
	case OWN_SCALE:
		return quire_parse_real("--scale", value, 0.25, 8, &a->scale);
	case OWN_SCRIPT:
		a->script = value;
		return 0;
	case OWN_SIZE:
		return read_size(a, value);
	case OWN_TO:
		a->to = value;
		return 0;
	default: /* PNG, SVG, PDF */
		return add_still(a, options[option].name, value);
	}
}

static int check(const struct quire_view_args *a)
{
	int sources = (a->files_count > 0) + (a->live_argc > 0) + (a->lesson != NULL);

	if (a->lessons)
		return 0;
	if (!sources)
		return quire_fail(-EINVAL, "what is to be shown? add the name of a recording "
					   "(quire sim --record FILE), --live sim ..., or --lesson "
					   "NAME; 'quire view --lessons' names them");
	if (sources > 1)
		return quire_fail(-EINVAL, "recordings, --live and --lesson are three things to "
					   "look at: give one of them");
	if (a->script && (a->stills_count || a->film))
		return quire_fail(-EINVAL, "--script works a window, and pictures have none");
	if ((a->from || a->to) && !a->film)
		return quire_fail(-EINVAL, "--from and --to are of a film: add --export FILE");
	return 0;
}

int quire_view_args_read(struct quire_view_args *a, int argc, char **argv)
{
	enum quire_command_kind kinds[QUIRE_COMMAND_COUNT] = {0};
	int own_argc = 1, i, rc = 0;

	*a = (struct quire_view_args){.scale = 1, .fps = 30};
	add_commands(kinds);
	/* What follows --live is another command line. */
	while (own_argc < argc && strcmp(argv[own_argc], "--live") != 0)
		own_argc++;
	if (own_argc < argc) {
		a->live_argc = argc - own_argc - 1;
		a->live_argv = argv + own_argc + 1;
		if (!a->live_argc || !quire_same_name(a->live_argv[0], "sim"))
			rc = quire_fail(-EINVAL,
					"--live: expected 'sim' and its options behind it");
	}
	while (rc == 0 && (i = quire_next_option(own_argc, argv, options)) >= 0) {
		if (i == OWN_HELP) {
			print_help();
			return 1;
		}
		rc = i < OWN_COUNT ? take(a, i, optarg)
				   : add_command(a, kinds[i - OWN_COUNT], optarg);
	}
	if (rc == 0 && i == QUIRE_OPTION_BAD)
		return -EINVAL;
	for (; rc == 0 && optind < own_argc; optind++) {
		if (a->files_count == QUIRE_VIEW_FILES_MAX)
			rc = quire_fail(-EINVAL, "at most two recordings, '%s' is the third",
					argv[optind]);
		else
			a->files[a->files_count++] = argv[optind];
	}
	if (rc == 0)
		rc = check(a);
	if (rc)
		quire_usage_error(argv[0], "%s", quire_failure());
	return rc;
}

void quire_view_quote(const char *word, char *text, size_t size)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=,./:@%";
	size_t n = 0;

	if (*word && !word[strspn(word, plain)]) {
		snprintf(text, size, "%s", word);
		return;
	}
	for (const char *at = word; n + 8 < size; at++) {
		if (at == word)
			text[n++] = '\'';
		if (!*at) {
			text[n++] = '\'';
			break;
		}
		if (*at == '\'')
			n += (size_t)snprintf(text + n, size - n, "'\\''");
		else
			text[n++] = *at;
	}
	text[n] = 0;
}
