/*
 * p6_notes.c - the course notes' own experiment: 32 equal prompts at once, 8 seats.
 * Every eighth request, the first of each eight, wants 100 tokens, the others 10.
 * How many steps does it take?  The model does not matter, only the scheduling.
 *
 * Both ways the answer can be found by hand.  A prompt's own step gives the first
 * token, so a request of n tokens takes part in n steps: 1 with its prompt and n - 1
 * that decode.  The tokens are 4 x 100 + 28 x 10 = 680 in any case.
 *
 * Static.  A batch is 8 requests, one of them long, and lasts as long as that one:
 * 1 + 99 steps.  There are four batches:
 *
 *	4 x (1 + 99) = 4 prompt + 396 decode = 400 steps
 *
 * Continuous, prefill=mixed.  A seat is filled in the step after it became free.  The
 * short requests that start together in step s end together with step s + 9, so new
 * ones start in steps 1, 11, 21, ...  How many start, is how many seats no long
 * request holds; each wave up to the fourth brings one more of those (they are
 * requests 0, 8, 16 and 24):
 *
 *	step	seats free	start there	of them long	long ones seated
 *	   1	    8		 0 to  7	    0			1
 *	  11	    7		 8 to 14	    8			2
 *	  21	    6		15 to 20	   16			3
 *	  31	    5		21 to 25	   24			4
 *	  41	    4		26 to 29	    -			4
 *	  51	    4		30, 31		    -			4
 *
 * The short ones are through with step 60.  The long ones run on: the last has begun
 * in step 31 and takes part in every step from there to its 100th:
 *
 *	30 + 100 = 130 steps, of which 6 have prompts in them
 *
 * Continuous, prefill=first.  A step with prompts has nothing else in it, so whoever
 * decodes must wait.  The waves are the same: 1 prompt step and 9 decode steps, in
 * which all short ones of the wave end.  But the long request that began in step 31
 * waits in steps 41 and 51, and ends 2 steps later:
 *
 *	30 + 100 + 2 = 132 = 6 prompt + 126 decode steps
 *
 * What is gained is 400 / 130 = 3.1 times fewer steps, and the seats tell why.  A
 * static batch holds all 8 in every step, 8 x 400 = 3200, for 680 tokens: four of
 * five seats hold rows that are done.  Mixed holds a seat for each token, 680.  With
 * prefill=first the long requests also sit through the prompt steps after their own,
 * 5 + 4 + 3 + 2 = 14 times: 694.
 */
#include "science.h"

#include "core/loop.h"
#include "core/sim/sim.h"
#include "core/trace/workload.h"

#include <stdio.h>

#define MODEL "opt-13b"
#define GPU   "a100-40g"

enum { SEATS = 8, LAST_LONG = 24, MODEL_LEN = 2048 };

static const char command[] = "sim --workload notes_p6 --model " MODEL " --gpu " GPU
			      " --scheduler static,batch=8 --scheduler continuous,prefill=mixed"
			      " --scheduler continuous,prefill=first --max-num-seqs 8 --json -";

/* By hand, as derived above. */
static const struct expected {
	const char *name, *scheduler;
	uint32_t steps;
	uint32_t seats;			/* held, summed over the steps */
	uint32_t prompt_steps;		/* that have prompts in them */
	uint32_t long_first, long_last; /* steps of the last long request */
} expected[] = {
	{"static", "static,batch=8", 400, 3200, 4, 301, 400},
	{"mixed", "continuous,prefill=mixed", 130, 680, 6, 31, 130},
	{"first", "continuous,prefill=first", 132, 694, 6, 31, 132},
};
enum { SCHEDULERS = sizeof(expected) / sizeof(*expected), TOKENS = 680 };

/* What the events of a run tell. */
struct story {
	struct quire_sink sink;
	uint32_t prompt_steps, decode_steps;
	uint32_t long_first, long_last;
};

static void listen(struct quire_sink *sink, const struct quire_event *e)
{
	struct story *s = (struct story *)sink; /* its first field */

	/* Every sequence of a step adds 1 token, or a whole prompt of 16. */
	if (e->kind == QUIRE_EV_STEP && e->b > e->a)
		s->prompt_steps++;
	else if (e->kind == QUIRE_EV_STEP)
		s->decode_steps++;
	if (e->seq != LAST_LONG + 1) /* sequences are numbered from 1 */
		return;
	if (e->kind == QUIRE_EV_RUN && !s->long_first)
		s->long_first = e->step;
	else if (e->kind == QUIRE_EV_FINISH)
		s->long_last = e->step;
}

/* The same runs once more, in the library, with somebody who listens. */
static int tell(struct story *s, const char *scheduler, struct quire_workload *w)
{
	static const struct quire_workload_options as_it_is;
	struct quire_cost_config cost_config = {
		.tp = 1,
		.weight_bits = 16,
		.kv_bits = 16,
		.step_tokens_max = MODEL_LEN,
		.seqs_max = SEATS,
	};
	struct quire_sim sim = {0};
	struct quire_loop_config config = {
		.scheduler = scheduler,
		.allocator = "paged",
		.slots_total = SEATS * MODEL_LEN,
		.seqs_max = SEATS,
		.seq_tokens_max = MODEL_LEN,
		.exec = {.ops = &quire_exec_sim, .priv = &sim},
		.sink = &s->sink,
	};
	struct quire_loop *loop;
	struct quire_model model;
	struct quire_gpu gpu;
	struct quire_cost cost;
	int rc;

	*s = (struct story){
		.sink = {.kinds = QUIRE_EV_BIT(STEP) | QUIRE_EV_BIT(RUN) | QUIRE_EV_BIT(FINISH),
			 .emit = listen}};
	if ((rc = quire_workload_preset(w, "notes_p6", &as_it_is)) ||
	    (rc = quire_workload_apply(w, &as_it_is)) || (rc = quire_model_find(&model, MODEL)) ||
	    (rc = quire_gpu_find(&gpu, GPU)) ||
	    (rc = quire_cost_init(&cost, &model, &gpu, &cost_config)))
		return rc;
	sim.cost = &cost;
	sim.output_tokens = config.output_tokens = w->output_tokens;
	config.requests = w->requests;
	config.requests_count = w->count;
	loop = quire_loop_new(&config);
	rc = loop ? quire_loop_run(loop) : -1;
	quire_loop_free(loop);
	quire_cost_free(&cost);
	return rc;
}

static void check(const char *name, const char *what, uint32_t published, double ours)
{
	char figure[64];

	snprintf(figure, sizeof(figure), "%s: %s", name, what);
	science_check(figure, published, ours, 0, 0);
}

static void check_report(const struct expected *e, const json_t *report)
{
	double steps = science_number(report, "steps.count");
	double seats = science_number(report, "steps.sequences_mean") * steps;
	double tokens = science_number(report, "throughput.output_tokens_per_s") *
			science_number(report, "time_s"); /* no window: of the whole run */

	check(e->name, "steps", e->steps, steps);
	check(e->name, "seats held, over all steps", e->seats, seats);
	check(e->name, "output tokens", TOKENS, tokens);
}

static void check_story(const struct expected *e)
{
	struct quire_workload w = {0};
	struct story s;

	if (tell(&s, e->scheduler, &w)) {
		science_fail("%s: %s", e->scheduler, quire_failure());
	} else {
		check(e->name, "steps with prompts", e->prompt_steps, s.prompt_steps);
		check(e->name, "steps that only decode", e->steps - e->prompt_steps,
		      s.decode_steps);
		check(e->name, "the last long request begins in step", e->long_first, s.long_first);
		check(e->name, "the last long request ends in step", e->long_last, s.long_last);
	}
	quire_workload_free(&w);
}

static void run(void)
{
	json_t *root = science_run_json(command);

	science_table();
	for (size_t i = 0; root && i < SCHEDULERS; i++) {
		check_report(&expected[i], json_array_get(root, i));
		check_story(&expected[i]);
	}
	json_decref(root);
}

const struct science_experiment science_p6 = {
	.name = "p6",
	.title = "static against continuous batching, counted in steps",
	.source = "the course notes' experiment; counts derived by hand in p6_notes.c",
	.run = run,
};
