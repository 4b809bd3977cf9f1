/*
 * ranks.h - a sweep over the processes that mpirun started, on as many machines.
 *
 *	mpirun -n 65 quire sweep grid.txt --csv out.csv
 *
 * Every process, a rank, reads the same command line and the same files.  Rank 0
 * hands out runs one by one to whoever is free, collects the reports and writes; the
 * others run, each in its own process: to start processes of one's own under MPI is
 * asking for trouble, so there is no wall around a run here.
 *
 * MPI is not touched before quire_ranks_start() has found that mpirun is there.
 */
#ifndef QUIRE_RANKS_H
#define QUIRE_RANKS_H

#include "sweep.h"

/*
 * Join the others.  Return: the number of ranks; 1 if there are no others, and MPI
 * is not in use then; -ENOTSUP with a sentence: there are, but this program was
 * built without MPI.
 */
int quire_ranks_start(int *argc, char ***argv);
/* Part from the others. */
void quire_ranks_stop(void);

/* Who we are; 0 without MPI. */
int quire_ranks_mine(void);

/*
 * Has everybody come so far with rc 0?  All ranks call it.  Return: 0; else the same
 * on all ranks: the rc of the first who has not, whose sentence becomes that of all.
 */
int quire_ranks_agree(int rc);

/*
 * What quire_sweep_run() does, on all ranks together.  All have the same @sweep but
 * for progress, before and done(), which are rank 0's; its count and the @list
 * [count], or whatever run() and prepare() take from it, become rank 0's on all.
 * Return: as there; on ranks other than 0 always 0.
 */
int quire_ranks_run(struct quire_sweep *sweep, uint32_t *list);

#endif /* QUIRE_RANKS_H */
