/*
 * sim_replay.h - a run that was recorded, run again: --time-model RECORDING.
 *
 * Each plan is made when the recorded one was, and takes as long (quire_timing_replay()).
 * Such times say nothing about another run, so requests are compared with those that were
 * recorded, and every decision with the one that was taken; the first that differs ends
 * the replay.
 *
 *	quire_sim_replay_open(&timing, path);
 *	quire_sim_replay_begin(timing, requests, output_tokens, count, closed_users);
 *	quire_tee_add(&tee, quire_sim_replay_sink(timing));
 *	... quire_loop_run(), with this timing ...
 *	quire_sim_replay_end(timing);
 *
 * Of a timing that is no replay, and of NULL, begin and end are content and the sink is
 * NULL.
 */
#ifndef QUIRE_SIM_REPLAY_H
#define QUIRE_SIM_REPLAY_H

#include "core/event.h"
#include "core/sim/timing.h"

/*
 * Return: 0, and *@timing is to be freed with quire_timing_free(); -EINVAL the recording
 * at @path is none, or has no steps; -errno; see quire_failure().
 */
int quire_sim_replay_open(struct quire_timing **timing, const char *path);

/* Are these the requests that were recorded?  @output_tokens are their true lengths.
 * Return: 0; -EINVAL with the first that is not. */
int quire_sim_replay_begin(struct quire_timing *timing, const struct quire_request *requests,
			   const uint32_t *output_tokens, uint32_t count, uint32_t closed_users);

/* Who compares decisions: to be told all events.  A step behind one that differs is not
 * given a time, which ends the run. */
struct quire_sink *quire_sim_replay_sink(struct quire_timing *timing);

/* The run has ended by itself: did the recorded one too?  Return: 0; -ERANGE with where
 * they part. */
int quire_sim_replay_end(struct quire_timing *timing);

#endif /* QUIRE_SIM_REPLAY_H */
