/*
 * sched_hostile.c - a scheduler that turns on its host in its 100th step, in the
 * way that "how" says.  Until then it is a plain first-come-first-served one.
 * For tests of --isolate only.
 */
#include <quire/plugin.h>
#include <quire/queue.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum how { CRASH, LOOP, SLEEP, HOG, FORK, SIGNAL, LEAVE, SCRIBBLE, NEVER };

struct hostile {
	struct quire_queue waiting, running;
	uint32_t how, calls;
};

static const struct quire_option options[] = {
	{"how", QUIRE_CHOICE, offsetof(struct hostile, how), "never", "what it does",
	 .choices = "crash|loop|sleep|hog|fork|signal|leave|scribble|never"},
	{.name = NULL},
};

static void *volatile nowhere;

static void turn(enum how how, struct quire_plan *plan)
{
	sigset_t all;

	switch (how) {
	case CRASH:
		memset(nowhere, 1, 1);
		break;
	case LOOP:
		for (volatile unsigned int i = 0;; i++)
			;
	case SLEEP: /* and let no signal wake it */
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		for (;;)
			sleep(1000);
	case HOG:
		for (void *volatile taken;;) {
			taken = malloc(1 << 20);
			if (taken)
				memset(taken, 1, 1 << 20);
		}
	case FORK:
		for (;;)
			fork();
	case SIGNAL:
		kill(getppid(), SIGKILL);
		break;
	case LEAVE:
		exit(0);
	case SCRIBBLE:
		memset((void *)plan, 0x5a, 64);
		break;
	case NEVER:
		break;
	}
}

static void hostile_enqueue(struct quire_sched *s, struct quire_seq *seq)
{
	struct hostile *h = s->priv;

	quire_queue_push(seq->state == QUIRE_RUNNING ? &h->running : &h->waiting, seq);
}

static void hostile_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct hostile *h = s->priv;
	struct quire_seq *seq;

	if (++h->calls == 100)
		turn(h->how, plan);
	for (seq = h->running.first; seq; seq = seq->next)
		quire_plan_add(plan, seq, quire_plan_todo(seq));
	while ((seq = h->waiting.first) && !quire_plan_add(plan, seq, quire_plan_todo(seq)))
		quire_queue_push(&h->running, seq);
}

static bool hostile_finish(struct quire_sched *s, struct quire_seq *seq)
{
	(void)s;
	quire_queue_remove(seq);
	return false;
}

static const struct quire_sched_ops hostile = {
	.name = "hostile",
	.summary = "turns on its host; for tests",
	.options = options,
	.priv_size = sizeof(struct hostile),
	.enqueue = hostile_enqueue,
	.schedule = hostile_schedule,
	.finish = hostile_finish,
};
QUIRE_SCHED_MODULE(hostile);
