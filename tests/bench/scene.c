/*
 * scene.c - what it costs to open a long recording, to go anywhere in it, and to tell a
 * run that goes on to a viewer.
 *
 *	quire_bench_scene [RUNS]
 *
 * Two recordings of a pool of 1,000,000 blocks are made by quire itself, of about ten
 * million events each: one of a few hundred long-lived sequences at a time, and one of
 * so many that the whole pool is in use.  Each is opened RUNS (5) times, with its index,
 * and 200 moments drawn at random are sought; cells that were sought are compared with
 * cells that were played.  Then events are emitted as the loop does it.
 *
 * "s" is the time of the clock, "cpu s" the thread's on a core: on a machine that does
 * other work the second tells more.
 */
#include "visualize/scene.h"
#include "core/state.h"
#include "visualize/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX    101
#define SEEKS	    200
#define EMITS	    (EMITS_FRAME * 80)
#define EMITS_FRAME 250000u /* 15 million a second */

static uint32_t runs = 5;
static char path[64];

struct span {
	double s, cpu_s;
};

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct span now(void)
{
	return (struct span){seconds(CLOCK_MONOTONIC), seconds(CLOCK_THREAD_CPUTIME_ID)};
}

static struct span since(struct span begin)
{
	struct span end = now();

	return (struct span){end.s - begin.s, end.cpu_s - begin.cpu_s};
}

static int by_cpu(const void *a, const void *b)
{
	double x = ((const struct span *)a)->cpu_s, y = ((const struct span *)b)->cpu_s;

	return (x > y) - (x < y);
}

static int by_clock(const void *a, const void *b)
{
	double x = ((const struct span *)a)->s, y = ((const struct span *)b)->s;

	return (x > y) - (x < y);
}

/* Of each clock for itself; @share 0.5: the median, 1: the largest. */
static struct span pick(struct span *spans, uint32_t count, double share)
{
	uint32_t at = (uint32_t)(share * (count - 1));
	struct span span;

	qsort(spans, count, sizeof(*spans), by_cpu);
	span.cpu_s = spans[at].cpu_s;
	qsort(spans, count, sizeof(*spans), by_clock);
	span.s = spans[at].s;
	return span;
}

static void must(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "quire_bench_scene: %s\n", quire_failure());
	unlink(path);
	exit(1);
}

static void record(const char *options)
{
	char line[1024];

	snprintf(line, sizeof(line),
		 "'%s' sim --model llama-3-8b --gpu a100-80g --scheduler splitfuse --kv-slots "
		 "16000000 %s --record '%s' >/dev/null",
		 QUIRE_BINARY, options, path);
	if (system(line) == 0)
		return;
	fprintf(stderr, "quire_bench_scene: this failed: %s\n", line);
	exit(1);
}

/* Cells that were sought against cells that were played to. */
static void compare(struct quire_scene *sought, struct quire_scene *played)
{
	const struct quire_story *story = sought->story;

	for (uint64_t i = 1; i <= 5; i++) {
		uint64_t index = i * story->events / 6;

		while (played->index < index)
			must(quire_scene_seek(played, played->index + 50000 < index
							      ? played->index + 50000
							      : index));
		must(quire_scene_seek(sought, story->events));
		must(quire_scene_seek(sought, index));
		if (memcmp(sought->cells, played->cells,
			   story->cells_count * sizeof(*sought->cells)) == 0)
			continue;
		fprintf(stderr, "quire_bench_scene: other cells at event %llu\n",
			(unsigned long long)index);
		exit(1);
	}
}

static void measure(const char *what, const char *options)
{
	struct span check[RUNS_MAX], index[RUNS_MAX], all[RUNS_MAX], seek[SEEKS], begin, s;
	struct quire_scene scene, played;
	struct quire_story *story = NULL;
	uint64_t random = 88172645463325252u;
	double mean_s = 0;
	struct stat st;

	record(options);
	must(stat(path, &st));
	for (uint32_t i = 0; i < runs; i++) {
		quire_story_close(story);
		begin = now();
		must(quire_story_open(&story, path));
		check[i] = since(begin);
		begin = now();
		must(quire_story_extend(story, UINT64_MAX));
		index[i] = since(begin);
		all[i] = (struct span){check[i].s + index[i].s, check[i].cpu_s + index[i].cpu_s};
	}
	printf("\n%s: %.1f M events, %.0f MB, %u steps, %u sequences\n", what,
	       (double)story->events / 1e6, (double)st.st_size / 1e6, story->steps_count,
	       story->tracks_count - 1);
	s = pick(check, runs, 0.5);
	printf("  map and check            %8.3f s  %8.3f cpu s\n", s.s, s.cpu_s);
	s = pick(index, runs, 0.5);
	printf("  index                    %8.3f s  %8.3f cpu s  %.1f ns an event\n", s.s, s.cpu_s,
	       s.cpu_s * 1e9 / (double)story->events);
	s = pick(all, runs, 0.5);
	printf("  open, 10 M events        %8.3f s  %8.3f cpu s  at most 1 s\n",
	       s.s * 1e7 / (double)story->events, s.cpu_s * 1e7 / (double)story->events);

	must(quire_scene_init(&scene, story));
	must(quire_scene_init(&played, story));
	for (uint32_t i = 0; i < SEEKS; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		begin = now();
		must(quire_scene_seek(&scene, random % (story->events + 1)));
		seek[i] = since(begin);
		mean_s += seek[i].cpu_s / SEEKS;
	}
	s = pick(seek, SEEKS, 1);
	printf("  seek, the slowest of %u %8.1f ms %8.1f cpu ms  mean %.1f; at most 50 ms\n", SEEKS,
	       s.s * 1e3, s.cpu_s * 1e3, mean_s * 1e3);
	must(quire_scene_seek(&scene, story->events / 2));
	begin = now();
	must(quire_scene_seek(&scene, story->events / 2 + 100000));
	printf("  play                     %8.1f ns an event\n", since(begin).cpu_s * 1e4);
	begin = now();
	must(quire_scene_seek(&scene, scene.index - 1));
	printf("  one event back           %8.1f cpu ms\n", since(begin).cpu_s * 1e3);
	compare(&scene, &played);
	quire_scene_free(&scene);
	quire_scene_free(&played);
	quire_story_close(story);
	fflush(stdout);
}

/* ---- emitting ---- */

/* As in the loop. */
__attribute__((noinline)) static void one_event(struct quire_loop *loop, uint32_t i)
{
	tell(loop, QUIRE_EV_RUN, i, 1, i, i + 1);
}

/* In rounds of a frame's events; between two, in its own time, @live's viewer looks in. */
static void emit(const char *what, struct quire_sink *sink, struct quire_live *live)
{
	static struct quire_loop loop; /* large */
	struct span begin, sum = {0, 0}, s;

	loop.config.sink = sink;
	for (uint32_t i = 0; i < EMITS; i += EMITS_FRAME) {
		if (live)
			quire_live_prepare(live);
		begin = now();
		for (uint32_t k = 0; k < EMITS_FRAME; k++)
			one_event(&loop, i + k);
		s = since(begin);
		sum.s += s.s / EMITS;
		sum.cpu_s += s.cpu_s / EMITS;
	}
	printf("  %-24s %8.2f ns of the clock %8.2f ns of the run's thread\n", what, sum.s * 1e9,
	       sum.cpu_s * 1e9);
}

static void measure_emitting(void)
{
	struct quire_record_run run = {.requests_count = 0, .slots_total = 16, .seqs_max = 1};
	struct quire_live *live;

	printf("\nan event, of %u; at most 15 ns, and nothing where nobody listens\n", EMITS);
	emit("nobody listens", NULL, NULL);
	for (int viewer = 0; viewer < 2; viewer++) {
		must(quire_live_new(&live, 0));
		must(quire_live_begin(live, &run, NULL, NULL));
		emit(viewer ? "live, with a viewer" : "live, nobody looks in",
		     quire_live_sink(live), viewer ? live : NULL);
		quire_live_free(live);
	}
}

int main(int argc, char **argv)
{
	if (argc > 2 || (argc > 1 && ((runs = (uint32_t)atoi(argv[1])) < 1 || runs > RUNS_MAX))) {
		fprintf(stderr, "usage: quire_bench_scene [RUNS, at most %d]\n", RUNS_MAX);
		return 2;
	}
	snprintf(path, sizeof(path), "/tmp/quire-bench-%ld.rec", (long)getpid());
	printf("medians of %u runs; a pool of 1,000,000 blocks of 16\n", runs);
	measure("hundreds of sequences at a time",
		"--workload demo --requests 20200 --rate 60 --max-num-seqs 1024");
	measure("the whole pool in use",
		"--workload synthetic,prompt=fixed:700,output=fixed:250 --requests 17000 "
		"--arrivals "
		"burst --max-num-seqs 17000 --max-model-len 1024 --max-num-batched-tokens 65536");
	unlink(path);
	measure_emitting();
	return 0;
}
