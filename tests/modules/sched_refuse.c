/*
 * sched_refuse.c - is not bad at all: its init() refuses what it cannot do, with a
 * sentence.
 */
#include "fcfs.h"

struct refuse {
	struct fcfs fcfs; /* first: the honest ones find it in priv */
	uint32_t rows;
};

static const struct quire_option options[] = {
	QUIRE_OPTION("rows", QUIRE_COUNT, struct refuse, rows, "3", "an even number, please"),
	{.name = NULL},
};

static int refuse_init(struct quire_sched *s)
{
	struct refuse *me = s->priv;

	if (me->rows % 2)
		return quire_fail(-EINVAL, "rows=%u is odd, expected an even number", me->rows);
	return 0;
}

static const struct quire_sched_ops refuse = {
	.name = "refuse",
	.summary = "likes even numbers",
	.options = options,
	.priv_size = sizeof(struct refuse),
	.init = refuse_init,
	.enqueue = fcfs_enqueue,
	.schedule = fcfs_schedule,
	.finish = fcfs_finish,
};
QUIRE_SCHED_MODULE(refuse);
