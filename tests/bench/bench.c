/*
 * bench.c - run quire as a user does, and tell how long it takes.
 *
 *	bench QUIRE TRACE [RUNS]
 *
 * Every figure is of whole processes: they are started, read their input, simulate,
 * write the report and end.  "s" is the time of the clock, "cpu s" what the process
 * and its children spent on a core; on an idle machine they agree, on a busy one the
 * second tells more.  Rates are per cpu second.  Each is the median of RUNS runs.
 *
 * The cost of a step is told by two runs that differ in their length alone: the
 * difference in time over the difference in steps, so that start-up, reading and
 * reporting are not in it.  There, N users ask again as soon as they are answered, so
 * that a step has N sequences, and all lengths are the same.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 101
#define ARGS_MAX 32

#define MODEL "--model", "llama-3-8b", "--gpu", "a100-80g", "--allocator", "paged"

struct run {
	double wall_s, cpu_s; /* medians */
	double memory_mb;     /* most that it held, 10^6 bytes */
	double steps;	      /* of its report; 0: it has none */
	double tokens_mean;   /* of a step */
	double seqs_mean;
};

static const char *quire;
static unsigned int runs = 5;
static char json_path[64], trace_path[64];

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *value, unsigned int count)
{
	qsort(value, count, sizeof(*value), compare);
	return count % 2 ? value[count / 2] : (value[count / 2 - 1] + value[count / 2]) / 2;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Run it once; what it prints goes nowhere. */
static void run_once(char *const argv[], double *wall_s, double *cpu_s, double *memory_mb)
{
	double begin_s = now_s();
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		execv(quire, argv);
		perror(quire);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
		perror("bench");
		exit(1);
	}
	*wall_s = now_s() - begin_s;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "bench: this failed:");
		for (char *const *a = argv; *a; a++)
			fprintf(stderr, " %s", *a);
		fputc('\n', stderr);
		exit(1);
	}
	*cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
	*memory_mb = (double)usage.ru_maxrss * 1024 / 1e6;
}

static double figure(json_t *json, const char *name)
{
	return json_number_value(json_object_get(json_object_get(json, "steps"), name));
}

/* The medians of a command line that ends with NULL. */
static struct run measure(char *const argv[])
{
	double wall_s[RUNS_MAX], cpu_s[RUNS_MAX], memory_mb[RUNS_MAX];
	struct run run = {0};
	json_t *json;

	unlink(json_path);
	for (unsigned int i = 0; i < runs; i++)
		run_once(argv, &wall_s[i], &cpu_s[i], &memory_mb[i]);
	run.wall_s = median(wall_s, runs);
	run.cpu_s = median(cpu_s, runs);
	run.memory_mb = median(memory_mb, runs);
	json = json_load_file(json_path, 0, NULL);
	run.steps = figure(json, "count");
	run.tokens_mean = figure(json, "tokens_mean");
	run.seqs_mean = figure(json, "sequences_mean");
	json_decref(json);
	return run;
}

#define MEASURE(...) measure((char *[]){(char *)quire, __VA_ARGS__, NULL})

static void print_run(const char *what, const struct run *r)
{
	printf("%-44s %8.3f s  %8.3f cpu s  %6.1f MB\n", what, r->wall_s, r->cpu_s, r->memory_mb);
	fflush(stdout);
}

/* A trace of @count equal requests. */
static void write_trace(unsigned int count, unsigned int prompt, unsigned int output)
{
	FILE *out = fopen(trace_path, "w");

	if (!out) {
		perror(trace_path);
		exit(1);
	}
	fputs("arrival_s,prompt_tokens,output_tokens\n", out);
	for (unsigned int i = 0; i < count; i++)
		fprintf(out, "0,%u,%u\n", prompt, output);
	fclose(out);
}

/* Seconds and steps of @seqs users in a pool of @blocks of 16, each asking @rounds times. */
static struct run run_users(unsigned int seqs, unsigned int blocks, unsigned int rounds)
{
	char users[48], slots[32], max[32];

	write_trace(seqs * rounds, 16, 400);
	snprintf(users, sizeof(users), "closed,users=%u", seqs);
	snprintf(slots, sizeof(slots), "%u", blocks * 16);
	snprintf(max, sizeof(max), "%u", seqs);
	return MEASURE("sim", "--trace", trace_path, "--arrivals", users, "--max-num-seqs", max,
		       "--kv-slots", slots, "--max-model-len", "1024", MODEL, "--scheduler",
		       "splitfuse,budget=512", "--json", json_path, "--jobs", "0");
}

static void step_cost(const char *what, unsigned int value, unsigned int seqs, unsigned int blocks)
{
	/* About 2^21 items (a sequence in a step) more in the long run. */
	unsigned int rounds = (1u << 21) / 400 / seqs + 2;
	struct run brief = run_users(seqs, blocks, 2);
	struct run lengthy = run_users(seqs, blocks, 2 + rounds);
	double ns = (lengthy.cpu_s - brief.cpu_s) * 1e9 / (lengthy.steps - brief.steps);

	printf("  %8u %s  %8.0f ns a step  %7.1f ns an item\n", value, what, ns,
	       ns / lengthy.seqs_mean);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct run r;
	struct stat st;
	bool there = argc > 2 && stat(argv[2], &st) == 0;

	if (argc < 3 || argc > 4 || (argc > 3 && (runs = (unsigned int)atoi(argv[3])) < 1) ||
	    runs > RUNS_MAX) {
		fprintf(stderr, "usage: bench QUIRE TRACE [RUNS, at most %d]\n", RUNS_MAX);
		return 2;
	}
	quire = argv[1];
	snprintf(json_path, sizeof(json_path), "/tmp/quire-bench-%ld.json", (long)getpid());
	snprintf(trace_path, sizeof(trace_path), "/tmp/quire-bench-%ld.csv", (long)getpid());

	printf("medians of %u runs of whole processes\n\n", runs);
	r = MEASURE("--version");
	print_run("start-up (quire --version)", &r);
	r = MEASURE("sim", "--workload", "demo", "--requests", "1", MODEL);
	print_run("start-up and one request", &r);

	if (there)
		r = MEASURE("sim", "--trace", argv[2], MODEL, "--scheduler", "splitfuse,budget=512",
			    "--json", json_path);
	else
		r = MEASURE("sim", "--workload", "azure_conv_2023", "--requests", "19366", MODEL,
			    "--scheduler", "splitfuse,budget=512", "--json", json_path);
	print_run(there ? "Azure conversation trace, 19,366 requests"
			: "preset azure_conv_2023, 19,366 requests (no trace)",
		  &r);
	printf("  %.0f steps of %.1f sequences and %.1f tokens: %.0f steps/s, %.0f requests/s, "
	       "%.1f ns an item\n",
	       r.steps, r.seqs_mean, r.tokens_mean, r.steps / r.cpu_s, 19366 / r.cpu_s,
	       r.cpu_s * 1e9 / r.steps / r.seqs_mean);

	r = MEASURE("sim", "--workload", "demo", "--requests", "100000", MODEL, "--scheduler",
		    "splitfuse,budget=512", "--json", json_path);
	print_run("100,000 requests of preset demo", &r);
	r = MEASURE("sim", "--workload", "demo", "--requests", "1000000", MODEL, "--scheduler",
		    "splitfuse,budget=512", "--json", json_path);
	print_run("1,000,000 requests of preset demo", &r);
	printf("  %.0f steps: %.0f steps/s, %.0f requests/s\n", r.steps, r.steps / r.cpu_s,
	       1e6 / r.cpu_s);

	puts("\ncost of a step by its sequences, in a pool of 10,000 blocks");
	for (unsigned int seqs = 8; seqs <= 256; seqs *= 2)
		step_cost("sequences", seqs, seqs, 10000);
	puts("\ncost of a step of 32 sequences by the size of the pool");
	for (unsigned int blocks = 1000; blocks <= 1000000; blocks *= 10)
		step_cost("blocks   ", blocks, 32, blocks);
	unlink(json_path);
	unlink(trace_path);
	return 0;
}
