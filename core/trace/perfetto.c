/*
 * perfetto.c - see perfetto.h; the format is the "Trace Event Format" of Chromium.
 */
#include "perfetto.h"

#include "record_state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FULL_BYTES ((uint64_t)256 << 20)
#define LEVELS	   16u /* times that the picture gets coarser before it is full */

enum work { NOTHING, PROMPT, DECODE, RECOMPUTE, PADDING };

struct seat {
	uint32_t seq; /* 0: free */
	bool named;
	/* its open slice */
	enum work work;
	uint64_t begin_ns, end_ns;
	uint32_t steps, tokens;
};

struct quire_perfetto {
	struct quire_sink sink; /* first: a sink and its writer are one pointer */
	FILE *out;
	char *path;
	uint64_t bytes;	      /* written */
	uint64_t level_bytes; /* where the picture gets coarser next */
	uint64_t full_bytes;
	uint64_t coarse_ns;	   /* counters keep this distance, slices bridge it */
	uint64_t counters_next_ns; /* not before */
	uint64_t cut_ns;	   /* it was full; 0: not yet */
	uint32_t slots_total;
	int error; /* errno */
	struct quire_record_state state;
	struct seat *seats; /* [seats_count] */
	uint32_t seats_count;
	uint32_t *seat_of; /* [seat_of_limit] by sequence: 1 + its seat; 0: none */
	size_t seat_of_limit;
};

static void put(struct quire_perfetto *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct quire_perfetto *p, const char *format, ...)
{
	va_list args;
	int n;

	if (p->error)
		return;
	errno = 0;
	va_start(args, format);
	n = vfprintf(p->out, format, args);
	va_end(args);
	if (n < 0)
		p->error = errno ? errno : EIO;
	else
		p->bytes += (uint64_t)n;
}

/* Microseconds, the format's unit, to the nanosecond. */
#define US	 "%llu.%03u"
#define US_OF(t) (unsigned long long)((t) / 1000), (unsigned int)((t) % 1000)

/* "r12", or "r12.3" of another sample than the first. */
static const char *name_of(const struct quire_record_seq *seq, char text[32])
{
	if (seq->sample)
		snprintf(text, 32, "r%u.%u", seq->request, seq->sample);
	else
		snprintf(text, 32, "r%u", seq->request);
	return text;
}

static void end_slice(struct quire_perfetto *p, struct seat *seat)
{
	static const char *const what[] = {"", "prompt", "decode", "recompute", "padding"};
	const struct quire_record_seq *seq = quire_record_state_seq(&p->state, seat->seq);
	char name[32], count[16] = "";

	if (seat->work == NOTHING || !seq)
		return;
	if (seat->work == PROMPT || seat->work == RECOMPUTE)
		snprintf(count, sizeof(count), " %u", seat->tokens);
	put(p,
	    ",\n{\"name\":\"%s %s%s\",\"ph\":\"X\",\"pid\":1,\"tid\":%u,\"ts\":" US ",\"dur\":" US
	    ",\"args\":{\"request\":%u,\"sequence\":%u,\"steps\":%u,\"tokens\":%u,\"known\":%u}}",
	    name_of(seq, name), what[seat->work], count, (unsigned int)(seat - p->seats) + 1,
	    US_OF(seat->begin_ns), US_OF(seat->end_ns - seat->begin_ns), seq->request, seq->id,
	    seat->steps, seat->tokens, seq->known_tokens);
	seat->work = NOTHING;
}

static void counters(struct quire_perfetto *p, uint64_t at_ns, bool empty)
{
	const struct quire_record_counts *c = &p->state.counts;
	uint32_t waiting = c->seqs_count > c->seqs_held ? c->seqs_count - c->seqs_held : 0;

	put(p,
	    ",\n{\"name\":\"memory\",\"ph\":\"C\",\"pid\":1,\"ts\":" US
	    ",\"args\":{\"token_states\":%u,\"reserved\":%u,\"internal\":%u,\"rounding\":%u,"
	    "\"free\":%u}}",
	    US_OF(at_ns), empty ? 0 : c->token_states, empty ? 0 : c->reserved,
	    empty ? 0 : c->internal, empty ? 0 : c->rounding, empty ? p->slots_total : c->free);
	put(p,
	    ",\n{\"name\":\"batch\",\"ph\":\"C\",\"pid\":1,\"ts\":" US
	    ",\"args\":{\"sequences\":%u,\"tokens\":%u}}",
	    US_OF(at_ns), empty ? 0 : c->items, empty ? 0 : c->tokens);
	put(p,
	    ",\n{\"name\":\"queue\",\"ph\":\"C\",\"pid\":1,\"ts\":" US
	    ",\"args\":{\"sequences\":%u}}",
	    US_OF(at_ns), empty ? 0 : waiting);
	p->counters_next_ns = at_ns + p->coarse_ns;
}

static void instant(struct quire_perfetto *p, const struct quire_event *e, const char *what)
{
	const struct quire_record_seq *seq = quire_record_state_seq(&p->state, e->seq);
	uint32_t lane = e->seq < p->seat_of_limit ? p->seat_of[e->seq] : 0;
	char name[32];

	if (seq)
		put(p,
		    ",\n{\"name\":\"%s "
		    "%s\",\"ph\":\"i\",\"s\":\"%c\",\"pid\":1,\"tid\":%u,\"ts\":" US "}",
		    name_of(seq, name), what, lane ? 't' : 'p', lane, US_OF(e->at_ns));
}

static struct seat *seat_of(struct quire_perfetto *p, uint32_t seq)
{
	uint32_t seat = seq < p->seat_of_limit ? p->seat_of[seq] : 0;

	return seat ? &p->seats[seat - 1] : NULL;
}

/* The lowest free seat for @seq.  NULL: no memory. */
static struct seat *sit_down(struct quire_perfetto *p, uint32_t seq)
{
	uint32_t i = 0;

	if (seq >= p->seat_of_limit) {
		size_t limit = 2 * ((size_t)seq + 512);
		uint32_t *bigger = realloc(p->seat_of, limit * sizeof(*bigger));

		if (!bigger)
			return NULL;
		memset(bigger + p->seat_of_limit, 0, (limit - p->seat_of_limit) * sizeof(*bigger));
		p->seat_of = bigger;
		p->seat_of_limit = limit;
	}
	while (i < p->seats_count && p->seats[i].seq)
		i++;
	if (i == p->seats_count) {
		struct seat *bigger = realloc(p->seats, (i + 1) * sizeof(*bigger));

		if (!bigger)
			return NULL;
		p->seats = bigger;
		p->seats_count++;
		memset(&p->seats[i], 0, sizeof(p->seats[i]));
		put(p,
		    ",\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"args\":"
		    "{\"name\":\"seat %u\"}},\n{\"name\":\"thread_sort_index\",\"ph\":\"M\","
		    "\"pid\":1,\"tid\":%u,\"args\":{\"sort_index\":%u}}",
		    i + 1, i, i + 1, i + 1);
	}
	p->seats[i].seq = seq;
	p->seat_of[seq] = i + 1;
	return &p->seats[i];
}

static void stand_up(struct quire_perfetto *p, uint32_t seq)
{
	struct seat *seat = seat_of(p, seq);

	if (!seat)
		return;
	end_slice(p, seat);
	seat->seq = 0;
	p->seat_of[seq] = 0;
}

static enum work work_of(const struct quire_record_seq *seq)
{
	if (seq->flags & QUIRE_RECORD_SEQ_KEPT)
		return PADDING;
	if (seq->known_tokens == seq->prompt_tokens)
		return PROMPT;
	return seq->cached_tokens + 1 == seq->known_tokens ? DECODE : RECOMPUTE;
}

/* The step that ends at @end_ns, for one of its items. */
static void item(struct quire_perfetto *p, uint32_t id, uint64_t begin_ns, uint64_t end_ns)
{
	const struct quire_record_seq *seq = quire_record_state_seq(&p->state, id);
	struct seat *seat = seat_of(p, id);
	enum work work;

	if (!seq)
		return;
	if (!seat)
		seat = sit_down(p, id);
	if (!seat) {
		p->error = ENOMEM;
		return;
	}
	work = work_of(seq);
	if (seat->work != work || begin_ns > seat->end_ns + p->coarse_ns) {
		end_slice(p, seat);
		seat->work = work;
		seat->begin_ns = begin_ns;
		seat->steps = seat->tokens = 0;
	}
	seat->end_ns = end_ns;
	seat->steps++;
	seat->tokens += seq->run_tokens;
}

static void step_done(struct quire_perfetto *p, const struct quire_event *e)
{
	uint64_t begin_ns = p->state.counts.step_begin_ns;

	for (uint32_t i = 0; i < p->state.planned_count; i++)
		item(p, p->state.planned[i], begin_ns, e->at_ns);
}

/* What must be seen before the state forgets it. */
static void before(struct quire_perfetto *p, const struct quire_event *e)
{
	switch (e->kind) {
	case QUIRE_EV_DONE:
		step_done(p, e);
		break;
	case QUIRE_EV_PREEMPT:
		instant(p, e, "preempted");
		stand_up(p, e->seq);
		break;
	case QUIRE_EV_REFUSE:
		instant(p, e, "refused");
		break;
	case QUIRE_EV_FINISH:
		if (!e->b)
			stand_up(p, e->seq);
		else if (seat_of(p, e->seq))
			end_slice(p, seat_of(p, e->seq));
		break;
	case QUIRE_EV_DROP:
		stand_up(p, e->seq);
		break;
	default:
		break;
	}
}

static void after(struct quire_perfetto *p, const struct quire_event *e)
{
	const struct quire_record_counts *c = &p->state.counts;
	bool gone = e->kind == QUIRE_EV_FINISH || e->kind == QUIRE_EV_DROP;

	if (e->kind == QUIRE_EV_DONE && c->step_begin_ns >= p->counters_next_ns)
		counters(p, c->step_begin_ns, false);
	if (gone && !c->seqs_count) {
		counters(p, e->at_ns, true);
		p->counters_next_ns = 0;
	}
}

static void end_all(struct quire_perfetto *p)
{
	for (uint32_t i = 0; i < p->seats_count; i++)
		end_slice(p, &p->seats[i]);
}

static void check_size(struct quire_perfetto *p, uint64_t now_ns)
{
	if (p->bytes < p->level_bytes)
		return;
	p->level_bytes += p->full_bytes / LEVELS;
	p->coarse_ns = p->coarse_ns ? 4 * p->coarse_ns : now_ns / 65536 + 1;
	if (p->bytes < p->full_bytes)
		return;
	end_all(p);
	p->cut_ns = now_ns;
	p->sink.kinds = 0;
}

static void emit(struct quire_sink *sink, const struct quire_event *e)
{
	struct quire_perfetto *p = (struct quire_perfetto *)sink;

	if (p->error || p->cut_ns) /* a tee asks for kinds once only */
		return;
	before(p, e);
	if (quire_record_state_apply(&p->state, e))
		p->error = ENOMEM;
	after(p, e);
	check_size(p, e->at_ns);
}

struct quire_sink *quire_perfetto_sink(struct quire_perfetto *p)
{
	return &p->sink;
}

int quire_perfetto_open(struct quire_perfetto **out, const char *path)
{
	struct quire_perfetto *p = calloc(1, sizeof(*p));
	int rc = -ENOMEM;

	*out = NULL;
	if (!p)
		return quire_fail(rc, "no memory to write %s", path);
	p->sink = (struct quire_sink){.kinds = QUIRE_EV_ALL, .emit = emit};
	p->path = strdup(path);
	p->out = p->path ? fopen(path, "w") : NULL;
	if (!p->out) {
		rc = quire_fail(-errno, "cannot write %s: %s", path, strerror(errno));
		free(p->path);
		free(p);
		return rc;
	}
	setvbuf(p->out, NULL, _IOFBF, 1 << 16);
	*out = p;
	return 0;
}

void quire_perfetto_begin(struct quire_perfetto *p, const char *title, uint32_t slots_total,
			  uint32_t requests_count, uint64_t full_bytes)
{
	char plain[256];

	/* A name that may stand between quotes. */
	snprintf(plain, sizeof(plain), "%s", title);
	for (char *c = plain; *c; c++)
		if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ' || (unsigned char)*c >= 127)
			*c = '?';
	p->slots_total = slots_total;
	p->full_bytes = full_bytes ? full_bytes : FULL_BYTES;
	p->level_bytes = p->full_bytes / LEVELS;
	if (quire_record_state_init(&p->state, requests_count)) {
		p->error = ENOMEM;
		return;
	}
	put(p, "[\n{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":\"%s\"}}",
	    plain);
}

static void remove_file(const struct quire_perfetto *p)
{
	struct stat st;

	if (lstat(p->path, &st) == 0 && S_ISREG(st.st_mode))
		unlink(p->path);
}

int quire_perfetto_close(struct quire_perfetto *p, uint64_t *cut_ns)
{
	int rc = 0;

	*cut_ns = 0;
	if (!p)
		return 0;
	end_all(p);
	put(p, "\n]\n");
	errno = 0;
	if (fclose(p->out) != 0 && !p->error)
		p->error = errno ? errno : EIO;
	*cut_ns = p->cut_ns;
	if (p->error || !p->state.living) /* half of it, or never begun */
		remove_file(p);
	if (p->error)
		rc = quire_fail(-p->error, "cannot write %s: %s", p->path, strerror(p->error));
	if (p->state.living)
		quire_record_state_free(&p->state);
	free(p->seats);
	free(p->seat_of);
	free(p->path);
	free(p);
	return rc;
}
