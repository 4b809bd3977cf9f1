/*
 * queue.h - a doubly linked queue threaded through struct quire_seq.
 *
 * A sequence stands in at most one queue and knows which, so it can be removed
 * in any state without asking where it is.
 */
#ifndef QUIRE_QUEUE_H
#define QUIRE_QUEUE_H

#include <quire/quire.h>

struct quire_queue {
	struct quire_seq *first, *last;
	uint32_t count;
};

/* Take @seq out of the queue it stands in; in none, nothing happens. */
static inline void quire_queue_remove(struct quire_seq *seq)
{
	struct quire_queue *q = seq->queue;

	if (!q)
		return;
	*(seq->prev ? &seq->prev->next : &q->first) = seq->next;
	*(seq->next ? &seq->next->prev : &q->last) = seq->prev;
	seq->prev = seq->next = NULL;
	seq->queue = NULL;
	q->count--;
}

/* Move @seq to the end of @q, out of the queue it stood in. */
static inline void quire_queue_push(struct quire_queue *q, struct quire_seq *seq)
{
	quire_queue_remove(seq);
	seq->queue = q;
	seq->prev = q->last;
	*(q->last ? &q->last->next : &q->first) = seq;
	q->last = seq;
	q->count++;
}

/* Move @seq to the head of @q, out of the queue it stood in. */
static inline void quire_queue_push_front(struct quire_queue *q, struct quire_seq *seq)
{
	quire_queue_remove(seq);
	seq->queue = q;
	seq->next = q->first;
	*(q->first ? &q->first->prev : &q->last) = seq;
	q->first = seq;
	q->count++;
}

#endif /* QUIRE_QUEUE_H */
