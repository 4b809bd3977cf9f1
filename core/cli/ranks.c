/*
 * ranks.c - see ranks.h.
 *
 * Rank 0 sends the index of a run, or NO_MORE; a worker answers with a struct answer
 * and is then free.  To begin with all are.
 */
#include "ranks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool under_mpirun(void)
{
	const char *size = getenv("OMPI_COMM_WORLD_SIZE");

	if (size)
		return strcmp(size, "1") != 0;
	return getenv("PMIX_RANK") || getenv("PMI_RANK");
}

#ifdef QUIRE_HAVE_MPI

#include <mpi.h>
#include <time.h>
#include <unistd.h>

enum { RUN, ANSWER }; /* tags */

#define NO_MORE UINT32_MAX

#define POLL_US 200 /* rank 0 looks so often, and leaves its core to others between */
#define TELL_S	30  /* and tells so often how far it is where there is no terminal */

struct answer {
	uint32_t index;
	int32_t rc; /* of prepare(); below 0 the sweep ends, with this sentence */
	char sentence[QUIRE_REPORT_SENTENCE_MAX];
	struct quire_report report;
};

static int rank, ranks = 1;

int quire_ranks_start(int *argc, char ***argv)
{
	if (!under_mpirun())
		return 1;
	MPI_Init(argc, argv);
	MPI_Comm_size(MPI_COMM_WORLD, &ranks);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	if (ranks == 1)
		MPI_Finalize();
	return ranks;
}

void quire_ranks_stop(void)
{
	if (ranks > 1)
		MPI_Finalize();
	ranks = 1;
}

int quire_ranks_mine(void)
{
	return rank;
}

int quire_ranks_agree(int rc)
{
	char sentence[QUIRE_REPORT_SENTENCE_MAX];
	int mine = rc ? rank : ranks, first;

	MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
	if (first == ranks)
		return 0;
	snprintf(sentence, sizeof(sentence), "%s", quire_failure());
	MPI_Bcast(&rc, 1, MPI_INT, first, MPI_COMM_WORLD);
	MPI_Bcast(sentence, sizeof(sentence), MPI_CHAR, first, MPI_COMM_WORLD);
	if (first == 0)
		return quire_fail(rc, "%s", sentence);
	return quire_fail(rc, "rank %d: %s", first, sentence);
}

static int serve(const struct quire_sweep *sweep)
{
	struct answer *answer = malloc(sizeof(*answer));
	uint32_t index;

	if (!answer)
		MPI_Abort(MPI_COMM_WORLD, 1);
	dup2(STDERR_FILENO, STDOUT_FILENO); /* what modules print; rank 0 alone reports */
	for (;;) {
		MPI_Recv(&index, 1, MPI_UINT32_T, 0, RUN, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
		if (index == NO_MORE)
			break;
		answer->index = index;
		answer->rc = sweep->prepare(sweep->arg, index);
		snprintf(answer->sentence, sizeof(answer->sentence), "%s",
			 answer->rc < 0 ? quire_failure() : "");
		if (answer->rc == 0)
			sweep->run(sweep->arg, index, NULL);
		answer->report = sweep->reports[index];
		MPI_Send(answer, sizeof(*answer), MPI_BYTE, 0, ANSWER, MPI_COMM_WORLD);
	}
	free(answer);
	return 0;
}

struct leader {
	const struct quire_sweep *sweep;
	uint32_t started, ended;
	int busy; /* ranks */
	double begin_s, told_s;
	struct answer answer;
};

static void hand_out(struct leader *l, int to)
{
	uint32_t index = l->started++;

	MPI_Send(&index, 1, MPI_UINT32_T, to, RUN, MPI_COMM_WORLD);
	l->busy++;
}

/* On a terminal one line that is written over, elsewhere one now and then. */
static void tell(struct leader *l, bool ended)
{
	const struct quire_sweep *sweep = l->sweep;
	double now_s = quire_sweep_clock_s();
	struct quire_small_text left;

	if (ended) {
		if (sweep->progress)
			fputs("\r\033[K", sweep->progress);
		return;
	}
	if (now_s - l->told_s < (sweep->progress ? 0.1 : TELL_S))
		return;
	l->told_s = now_s;
	left = quire_sweep_left(l->begin_s, l->ended, sweep->count);
	fprintf(sweep->progress ? sweep->progress : stderr,
		sweep->progress ? "\r\033[K%u/%u runs%s, on %d ranks"
				: "quire sweep: %u/%u runs%s, on %d ranks\n",
		sweep->before + l->ended, sweep->before + sweep->count, left.s, l->busy);
	fflush(sweep->progress ? sweep->progress : stderr);
}

/* Wait for an answer.  Return: whose. */
static int next_answer(struct leader *l)
{
	const struct timespec pause = {.tv_nsec = POLL_US * 1000};
	MPI_Status status;
	int there = 0;

	for (;;) {
		MPI_Iprobe(MPI_ANY_SOURCE, ANSWER, MPI_COMM_WORLD, &there, &status);
		if (there)
			break;
		tell(l, false);
		nanosleep(&pause, NULL);
	}
	MPI_Recv(&l->answer, sizeof(l->answer), MPI_BYTE, status.MPI_SOURCE, ANSWER, MPI_COMM_WORLD,
		 MPI_STATUS_IGNORE);
	l->busy--;
	return status.MPI_SOURCE;
}

static int lead(const struct quire_sweep *sweep)
{
	struct leader *l = calloc(1, sizeof(*l));
	uint32_t none = NO_MORE;
	int rc = 0;

	if (!l)
		MPI_Abort(MPI_COMM_WORLD, 1);
	*l = (struct leader){.sweep = sweep, .begin_s = quire_sweep_clock_s()};
	l->told_s = l->begin_s;
	for (int to = 1; to < ranks && l->started < sweep->count; to++)
		hand_out(l, to);
	while (l->busy) {
		int from = next_answer(l);

		if (rc)
			continue; /* the others may end what they began */
		l->ended++;
		if (l->answer.rc < 0) {
			rc = quire_fail(l->answer.rc, "rank %d: %s", from, l->answer.sentence);
			continue;
		}
		sweep->reports[l->answer.index] = l->answer.report;
		rc = sweep->done ? sweep->done(sweep->arg, l->answer.index) : 0;
		if (rc == 0 && l->started < sweep->count)
			hand_out(l, from);
	}
	tell(l, true);
	for (int to = 1; to < ranks; to++)
		MPI_Send(&none, 1, MPI_UINT32_T, to, RUN, MPI_COMM_WORLD);
	free(l);
	return rc;
}

int quire_ranks_run(struct quire_sweep *sweep, uint32_t *list)
{
	MPI_Bcast(&sweep->count, 1, MPI_UINT32_T, 0, MPI_COMM_WORLD);
	MPI_Bcast(list, (int)sweep->count, MPI_UINT32_T, 0, MPI_COMM_WORLD);
	return rank ? serve(sweep) : lead(sweep);
}

#else

int quire_ranks_start(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (under_mpirun())
		return quire_fail(-ENOTSUP, "this quire was built without MPI, and several of them "
					    "would write the same files: configure it with "
					    "-DQUIRE_MPI=ON, or start it without mpirun");
	return 1;
}

void quire_ranks_stop(void)
{
}

int quire_ranks_mine(void)
{
	return 0;
}

int quire_ranks_agree(int rc)
{
	return rc;
}

int quire_ranks_run(struct quire_sweep *sweep, uint32_t *list)
{
	(void)list;
	return quire_sweep_run(sweep);
}

#endif
