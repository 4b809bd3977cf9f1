/*
 * compare_decisions.c - see compare_decisions.h.
 */
#include "compare_decisions.h"

#include "core/trace/metrics.h"
#include "core/trace/record_state.h"
#include "units.h"

#include <stdio.h>
#include <string.h>

uint32_t quire_deciding_kinds(void)
{
	uint32_t kinds = 0;

#define X(kind, decides, a, b, c) kinds |= (decides) ? QUIRE_EV_BIT(kind) : 0;
	QUIRE_EVENTS(X)
#undef X
	return kinds;
}

struct quire_parting_side quire_parting_end(const struct quire_record *r)
{
	struct quire_record_cursor at = {.record = r};
	struct quire_parting_side side = {.index = r->events_count};
	const struct quire_event *e;

	at.index = r->events_count ? r->events_count - 1 : 0;
	e = quire_record_next(&at);
	if (e) {
		side.at_ns = e->at_ns;
		side.step = e->step;
	}
	return side;
}

struct quire_parting_side quire_parting_next(struct quire_record_cursor *at, uint32_t kinds)
{
	const struct quire_event *e;

	while ((e = quire_record_next(at)))
		if (e->kind < QUIRE_EV_COUNT && kinds & 1u << e->kind)
			return (struct quire_parting_side){e, at->index - 1, e->at_ns, e->step};
	return quire_parting_end(at->record);
}

bool quire_parting_same(const struct quire_event *a, const struct quire_event *b)
{
	return a->kind == b->kind && a->seq == b->seq && a->a == b->a && a->b == b->b &&
	       a->c == b->c;
}

struct quire_parting quire_parting_find(const struct quire_record *a, const struct quire_record *b,
					uint32_t kinds)
{
	struct quire_record_cursor at_a = {.record = a}, at_b = {.record = b};
	struct quire_parting p = {.differ = false};

	for (;; p.equal++) {
		p.a = quire_parting_next(&at_a, kinds);
		p.b = quire_parting_next(&at_b, kinds);
		if (!p.a.event && !p.b.event)
			return p;
		p.differ = !p.a.event || !p.b.event || !quire_parting_same(p.a.event, p.b.event);
		if (p.differ)
			return p;
	}
}

/* How long the next step takes. */
static struct quire_parting_side next_step(struct quire_record_cursor *at)
{
	struct quire_parting_side begin = quire_parting_next(at, QUIRE_EV_BIT(STEP));
	struct quire_parting_side end = quire_parting_next(at, QUIRE_EV_BIT(DONE));

	if (end.event)
		end.at_ns -= begin.at_ns;
	return end;
}

struct quire_parting quire_parting_find_time(const struct quire_record *a,
					     const struct quire_record *b)
{
	struct quire_record_cursor at_a = {.record = a}, at_b = {.record = b};
	struct quire_parting p = {.differ = false};

	for (;; p.equal++) {
		p.a = next_step(&at_a);
		p.b = next_step(&at_b);
		if (!p.a.event || !p.b.event)
			return p;
		p.differ = p.a.at_ns != p.b.at_ns;
		if (p.differ)
			return p;
	}
}

/* "sequence 7 (request 6)", as far as the recording knows. */
static void name_of(const struct quire_record *r, uint64_t index, uint32_t seq, char text[64])
{
	struct quire_record_state s;
	const struct quire_record_seq *known = NULL;

	snprintf(text, 64, "sequence %u", seq);
	if (quire_record_state_init(&s, r->requests ? r->run->requests_count : 0))
		return;
	if (quire_record_seek(r, index, &s) == 0)
		known = quire_record_state_seq(&s, seq);
	if (known && known->request != QUIRE_RECORD_NOBODY && known->sample)
		snprintf(text, 64, "sequence %u (request %u, sample %u)", seq, known->request,
			 known->sample);
	else if (known && known->request != QUIRE_RECORD_NOBODY)
		snprintf(text, 64, "sequence %u (request %u)", seq, known->request);
	quire_record_state_free(&s);
}

/* "1 token", "1,054 tokens" */
static struct quire_small_text count_of(uint32_t count, const char *noun)
{
	struct quire_small_text text;

	snprintf(text.s, sizeof(text.s), "%.15s %.10s%s", quire_text_count(count).s, noun,
		 count == 1 ? "" : "s");
	return text;
}

void quire_parting_text(const struct quire_record *r, const struct quire_parting_side *side,
			char *text, size_t size)
{
#define X(kind, why) why,
	static const char *const why[] = {QUIRE_REFUSALS(X)};
#undef X
	const struct quire_event *e = side->event;
	char who[64];

	if (!e) {
		snprintf(text, size, r->complete ? "has ended" : "is not recorded: %s", r->trouble);
		return;
	}
	name_of(r, side->index, e->seq, who);
	switch (e->kind) {
	case QUIRE_EV_REFUSE:
		snprintf(text, size, "gives up %s, of %s: %s", who, count_of(e->b, "token").s,
			 e->a < QUIRE_REFUSED_COUNT ? why[e->a] : "for an unknown reason");
		break;
	case QUIRE_EV_PREEMPT:
		snprintf(text, size, "preempts %s, which had %s cached", who,
			 count_of(e->a, "token").s);
		break;
	case QUIRE_EV_DROP:
		snprintf(text, size, "drops the row of %s, which is finished", who);
		break;
	case QUIRE_EV_COPY:
		snprintf(text, size, "copies %s from %u to %u for %s", count_of(e->c, "slot").s,
			 e->a, e->b, who);
		break;
	case QUIRE_EV_MAP:
		snprintf(text, size, "maps block %u of %s to slots %u to %lu", e->a, who, e->b,
			 (unsigned long)e->b + e->c - 1);
		break;
	case QUIRE_EV_RUN:
		snprintf(text, size, "plans %s of %s, which has %s of %s cached",
			 count_of(e->a, "token").s, who, quire_text_count(e->b).s,
			 quire_text_count(e->c).s);
		break;
	case QUIRE_EV_STEP:
		if (e->c)
			snprintf(text, size, "closes the plan: %s, padded to %s each",
				 count_of(e->a, "sequence").s, count_of(e->c, "token").s);
		else
			snprintf(text, size, "closes the plan: %s, %s",
				 count_of(e->a, "sequence").s, count_of(e->b, "token").s);
		break;
	case QUIRE_EV_FORK:
		snprintf(text, size, "forks sequence %u off sequence %u, %u of %u tokens cached",
			 e->seq, e->a, e->b, e->c);
		break;
	case QUIRE_EV_FINISH:
		snprintf(text, size, "finishes %s at %s%s", who, count_of(e->a, "token").s,
			 e->b ? " and keeps its row" : "");
		break;
	default:
		snprintf(text, size, "decides (kind %u: %u, %u, %u) for %s", e->kind, e->a, e->b,
			 e->c, who);
	}
}

bool quire_requests_part(const struct quire_record *a, const struct quire_record *b,
			 uint32_t *request)
{
	uint32_t count = a->run->requests_count;
	bool closed = a->run->closed_users || b->run->closed_users;

	if (!a->requests || !b->requests)
		return false;
	if (b->run->requests_count < count)
		count = b->run->requests_count;
	for (*request = 0; *request < count; ++*request) {
		struct quire_record_request x = a->requests[*request], y = b->requests[*request];

		if (closed) /* then it says nothing */
			x.arrival_ns = y.arrival_ns = 0;
		if (memcmp(&x, &y, sizeof(x)) != 0)
			return true;
	}
	return a->run->requests_count != b->run->requests_count;
}
