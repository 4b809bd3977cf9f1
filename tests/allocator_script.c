/*
 * allocator_script.c - random operations, run and shrunk; see allocator_script.h.
 */
#include "allocator_script.h"

#include "core/trace/rng.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Mostly small; now and then a few blocks; rarely anything at all. */
static uint32_t tokens_random(struct quire_rng *r, const struct model_setup *u)
{
	uint32_t kind = quire_rng_below(r, 8);

	if (kind < 3)
		return quire_rng_below(r, 3);
	if (kind < 7)
		return quire_rng_below(r, u->block * 3);
	return quire_rng_below(r, u->seq_tokens_max + 1);
}

static void pool_random(struct quire_rng *r, struct model_setup *u)
{
	uint32_t blocks = 9 + quire_rng_below(r, 6);

	/* The unused end of a pool that is no multiple of the block is part of it. */
	u->slots_total = blocks * u->block + quire_rng_below(r, u->block);
	if (u->place == PLACE_FIRST || u->place == PLACE_BEST)
		u->slots_total = 12 + quire_rng_below(r, 37);
	u->seqs_max = quire_rng_below(r, 4) ? MODEL_SEQS : 1 + quire_rng_below(r, MODEL_SEQS);
	/* A sequence may at most have a third, a half, all, or more than there is. */
	switch (quire_rng_below(r, 4)) {
	case 0:
		u->seq_tokens_max = 1 + quire_rng_below(r, u->slots_total * 5 / 4);
		break;
	case 1:
		u->seq_tokens_max = 1 + u->slots_total / 2;
		break;
	default:
		u->seq_tokens_max = 1 + quire_rng_below(r, u->slots_total / 3);
	}
	u->copies_max = quire_rng_below(r, 3) ? 2 * u->slots_total : quire_rng_below(r, 4);
}

void script_random(struct script *s, const struct model_setup *policy, uint64_t seed)
{
	/* At most; each script has its own mixture, so that some pools stay full. */
	static const uint32_t shares[OP_KINDS] = {
		[OP_ARRIVE] = 2, [OP_GROW] = 4,	   [OP_RUN] = 4,
		[OP_FORK] = 6,	 [OP_PREEMPT] = 1, [OP_RELEASE] = 2};
	uint32_t share[OP_KINDS], sum = 0, drawn;
	struct quire_rng r;

	quire_rng_seed(&r, seed, "allocators");
	memset(s, 0, sizeof(*s));
	s->seed = seed;
	s->setup = *policy;
	pool_random(&r, &s->setup);
	for (uint32_t k = 0; k < OP_KINDS; k++)
		sum += share[k] = 1 + quire_rng_below(&r, 8 * shares[k]);
	for (s->count = 0; s->count < SCRIPT_OPS; s->count++) {
		struct twin_op *op = &s->op[s->count];

		drawn = quire_rng_below(&r, sum);
		while (drawn >= share[op->kind])
			drawn -= share[op->kind++];
		op->seq = (uint8_t)quire_rng_below(&r, MODEL_SEQS);
		op->other = (uint8_t)quire_rng_below(&r, MODEL_SEQS);
		op->all = quire_rng_below(&r, 2);
		op->tokens = tokens_random(&r, &s->setup);
		op->prompt = 1 + tokens_random(&r, &s->setup);
		op->output_max = 1 + tokens_random(&r, &s->setup);
		op->output = 1 + tokens_random(&r, &s->setup);
	}
}

static void add_counts(struct twin_counts *to, const struct twin_counts *from)
{
	uint64_t *t = (uint64_t *)to;
	const uint64_t *f = (const uint64_t *)from;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*t); i++)
		t[i] += f[i];
}

bool script_run(const struct script *s, struct twin_counts *counts, FILE *trace)
{
	struct twin *tw = twin_open(&s->setup);
	bool fine = tw != NULL;

	if (!tw)
		return false;
	tw->trace = trace;
	for (uint32_t i = 0; i < s->count && fine; i++)
		fine = twin_do(tw, &s->op[i]);
	if (fine && trace)
		fprintf(trace, "    then all are released, and the pool is filled again\n");
	fine = fine && twin_drain(tw);
	if (counts)
		add_counts(counts, &tw->counts);
	twin_close(tw);
	return fine;
}

bool script_try(const struct script *s, FILE *trace)
{
	int status = 1, null;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		abort();
	if (pid == 0) {
		alarm(10);
		null = open("/dev/null", O_WRONLY);
		if (!trace && null >= 0)
			dup2(null, STDERR_FILENO);
		if (trace)
			setvbuf(trace, NULL, _IOLBF, 0);
		_exit(!script_run(s, NULL, trace));
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

/* If @less fails too, it is the script. */
static bool keep(struct script *s, const struct script *less)
{
	if (script_try(less, NULL))
		return false;
	*s = *less;
	return true;
}

static void cut(struct script *s, uint32_t at, uint32_t size)
{
	s->count -= size;
	memmove(&s->op[at], &s->op[at + size], (s->count - at) * sizeof(*s->op));
}

/* Halves, quarters, ... single operations. */
static void drop_runs(struct script *s)
{
	for (uint32_t size = s->count; size > 0; size /= 2)
		for (uint32_t at = 0; at + size <= s->count;) {
			struct script less = *s;

			cut(&less, at, size);
			at += keep(s, &less) ? 0 : size;
		}
}

/* Two that are only needed for each other, as an arrival and its release. */
static void drop_pairs(struct script *s)
{
	for (uint32_t a = 0; a < s->count && s->count <= 32; a++)
		for (uint32_t b = a + 1; b < s->count; b++) {
			struct script less = *s;

			cut(&less, b, 1);
			cut(&less, a, 1);
			if (keep(s, &less))
				b = a;
		}
}

/* Let one sequence play the part of another as well. */
static void merge(struct script *s)
{
	for (uint8_t from = 0; from < MODEL_SEQS; from++)
		for (uint8_t to = 0; to < MODEL_SEQS; to++) {
			struct script less = *s;
			bool used = false;

			for (uint32_t i = 0; i < less.count; i++) {
				used |= less.op[i].seq == from || less.op[i].other == from;
				if (less.op[i].seq == from)
					less.op[i].seq = to;
				if (less.op[i].other == from)
					less.op[i].other = to;
			}
			if (used && from != to)
				keep(s, &less);
		}
}

/* Does it fail with a smaller number in the place of *@number, which is in @s? */
static void lower(struct script *s, uint32_t *number, uint32_t min)
{
	uint32_t is = *number;

	while (is > min) {
		*number = min;
		while (*number < is && script_try(s, NULL))
			*number += (is - *number + 1) / 2;
		if (*number == is)
			return;
		is = *number;
	}
}

void script_shrink(struct script *s)
{
	uint32_t before;

	do {
		before = s->count;
		merge(s);
		drop_runs(s);
		for (uint32_t i = 0; i < s->count; i++) {
			lower(s, &s->op[i].tokens, 0);
			lower(s, &s->op[i].prompt, 1);
			lower(s, &s->op[i].output_max, 1);
			lower(s, &s->op[i].output, 1);
		}
		drop_pairs(s);
	} while (s->count < before);
}
