/*
 * draw.c - what a frame costs: CPU time of drawing, by part, while a recording plays.
 *
 *	quire_bench_draw [FRAMES]
 *
 * A run is recorded by quire itself in a pool of 1,000,000 blocks of which nearly all are
 * in use, by about 2,000 sequences.  It is shown at 1920 x 1080 for FRAMES (300) frames of
 * a sixtieth of a second, as a window would show it: as a whole, with the pool alone, with
 * its cells coloured by age, with a sequence followed, and fast.  Told are the mean and the
 * largest of all frames but the first, which draws what is kept, and the first itself.
 */
#include "visualize/draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint32_t frames = 300;
static char path[64];

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "quire_bench_draw: %s\n", quire_failure());
	exit(1);
}

static void record(void)
{
	char line[1024];

	snprintf(line, sizeof(line),
		 "'%s' sim --model llama-3-8b --gpu h200 --tp 8 --workload "
		 "synthetic,prompt=uniform:1000:14000,output=uniform:400:1500 --requests 2600 "
		 "--arrivals burst --max-num-seqs 3000 --max-num-batched-tokens 65536 "
		 "--kv-slots 16000000 --max-model-len 16384 --record '%s' >/dev/null",
		 QUIRE_BINARY, path);
	if (system(line) == 0)
		return;
	fprintf(stderr, "quire_bench_draw: this failed: %s\n", line);
	exit(1);
}

/* Play from the middle on after the commands of @how, a NULL-terminated list. */
static void measure(struct quire_story *story, cairo_surface_t *surface, const char *what,
		    const char *const *how)
{
	struct quire_draw_times sum = {0}, t;
	double first = 0, most = 0, all = 0;
	cairo_t *cr = cairo_create(surface);
	struct quire_draw *draw;
	struct quire_view view;

	must(quire_view_init(&view, story, NULL));
	must(quire_draw_new(&draw));
	quire_view_resize(&view, 1920, 1080, 1);
	must(quire_view_say(&view, "seek 160s"));
	for (; *how; how++)
		must(quire_view_say(&view, *how));
	must(quire_view_say(&view, "play"));
	for (uint32_t i = 0; i < frames; i++) {
		double begin, took;

		quire_view_tick(&view, i / 60.0, INFINITY);
		begin = cpu_s();
		must(quire_draw_frame(draw, cr, &view));
		took = cpu_s() - begin;
		t = quire_draw_times(draw);
		if (i == 0) {
			first = took;
			continue;
		}
		all += took;
		most = took > most ? took : most;
		sum.pool_s += t.pool_s;
		sum.timeline_s += t.timeline_s;
		sum.rest_s += t.rest_s;
	}
	printf("%-28s %6.2f ms a frame (pool %.2f, timeline %.2f, rest %.2f), at most %6.2f, "
	       "the first %6.2f\n",
	       what, all / (frames - 1) * 1e3, sum.pool_s / (frames - 1) * 1e3,
	       sum.timeline_s / (frames - 1) * 1e3, sum.rest_s / (frames - 1) * 1e3, most * 1e3,
	       first * 1e3);
	quire_draw_free(draw);
	quire_view_free(&view);
	cairo_destroy(cr);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *what;
		const char *how[4];
	} cases[] = {
		{"all panels", {NULL}},
		{"pool alone", {"panel pool", NULL}},
		{"by age", {"panel pool", "colour age", NULL}},
		{"a sequence followed", {"select-next", NULL}},
		{"64 times as fast", {"speed 64", NULL}},
	};
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1920, 1080);
	struct quire_story *story;

	if (argc > 1)
		frames = (uint32_t)strtoul(argv[1], NULL, 10);
	if (frames < 2) {
		fprintf(stderr, "usage: quire_bench_draw [FRAMES], at least 2\n");
		return 2;
	}
	snprintf(path, sizeof(path), "/tmp/quire-bench-draw.%ld", (long)getpid());
	record();
	must(quire_story_open(&story, path));
	unlink(path);
	must(quire_story_extend(story, UINT64_MAX));
	printf("%u blocks, %u sequences, %u steps, 1920 x 1080, %u frames\n", story->cells_count,
	       story->tracks_count - 1, story->steps_count, frames);
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		measure(story, surface, cases[i].what, cases[i].how);
	quire_story_close(story);
	cairo_surface_destroy(surface);
	return 0;
}
