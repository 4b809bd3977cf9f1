/*
 * refold.h - what a run's figures must be, worked out again from its events.
 *
 * Nothing is shared with the loop but the records: the events of a world are read from
 * the first to the last, sequences and maps are kept the simple way, and digest,
 * outcomes, sums and histogram are made anew.  They must agree exactly.
 */
#ifndef QUIRE_TESTS_REFOLD_H
#define QUIRE_TESTS_REFOLD_H

#include "world.h"

/* NULL if everything agrees; otherwise what does not, in a static buffer. */
const char *refold(const struct world *w);

#endif /* QUIRE_TESTS_REFOLD_H */
