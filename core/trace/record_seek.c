/*
 * record_seek.c - keyframes: writing and reading a state, and going anywhere with them;
 * see record_state.h.
 */
#include "record_grow.h"
#include "record_state.h"

uint64_t quire_record_state_bytes(const struct quire_record_state *s)
{
	return sizeof(s->counts) + (uint64_t)s->counts.seqs_count * QUIRE_RECORD_SEQ_BYTES +
	       s->blocks_sum * sizeof(uint32_t);
}

void quire_record_state_write(const struct quire_record_state *s, void *to)
{
	unsigned char *at = to;

	memcpy(at, &s->counts, sizeof(s->counts));
	at += sizeof(s->counts);
	for (uint32_t i = 0; i < s->counts.seqs_count; i++, at += QUIRE_RECORD_SEQ_BYTES)
		memcpy(at, &s->seqs[i], QUIRE_RECORD_SEQ_BYTES);
	for (uint32_t i = 0; i < s->counts.seqs_count; i++) {
		size_t bytes = s->seqs[i].blocks_count * sizeof(uint32_t);

		if (bytes)
			memcpy(at, s->seqs[i].blocks, bytes);
		at += bytes;
	}
}

static void clear(struct quire_record_state *s)
{
	memset(&s->counts, 0, sizeof(s->counts));
	if (s->place)
		memset(s->place, 0, s->place_limit * sizeof(*s->place));
	memset(s->living, 0, s->requests_count * sizeof(*s->living));
	s->planned_count = 0;
	s->blocks_sum = 0;
}

/* One sequence of a keyframe, its blocks at *@blocks. */
static int read_seq(struct quire_record_state *s, uint32_t index, const unsigned char *record,
		    const unsigned char **blocks, const unsigned char *end)
{
	struct quire_record_seq *seq = &s->seqs[index];
	size_t bytes;

	memcpy(seq, record, QUIRE_RECORD_SEQ_BYTES);
	bytes = seq->blocks_count * sizeof(uint32_t);
	if (!seq->id || seq->id > s->counts.seqs_born || s->place[seq->id] ||
	    bytes > (size_t)(end - *blocks))
		return -EINVAL;
	s->place[seq->id] = index + 1;
	if (seq->request < s->requests_count) {
		s->living[seq->request]++;
		if (seq->flags & QUIRE_RECORD_SEQ_REFUSED)
			s->living[seq->request] |= QUIRE_RECORD_REFUSED;
	}
	if (seq->run_tokens) {
		if (GROW(s->planned, s->planned_limit, (uint64_t)s->planned_count + 1))
			return -ENOMEM;
		s->planned[s->planned_count++] = seq->id;
	}
	if (!bytes)
		return 0;
	if (GROW(seq->blocks, seq->blocks_limit, seq->blocks_count))
		return -ENOMEM;
	memcpy(seq->blocks, *blocks, bytes);
	*blocks += bytes;
	s->blocks_sum += seq->blocks_count;
	return 0;
}

int quire_record_state_read(struct quire_record_state *s, const void *data, uint64_t bytes)
{
	const unsigned char *at = data, *end = at + bytes, *blocks;
	struct quire_record_counts *c = &s->counts;
	uint32_t count;
	int rc = 0;

	clear(s);
	if (bytes < sizeof(*c))
		return -EINVAL;
	memcpy(c, at, sizeof(*c));
	at += sizeof(*c);
	count = c->seqs_count;
	c->seqs_count = 0;
	if (count > (uint64_t)(end - at) / QUIRE_RECORD_SEQ_BYTES || c->seqs_born > c->index)
		return -EINVAL;
	if (GROW(s->seqs, s->seqs_limit, count) ||
	    GROW(s->place, s->place_limit, (uint64_t)c->seqs_born + 1))
		return -ENOMEM;
	blocks = at + (size_t)count * QUIRE_RECORD_SEQ_BYTES;
	for (; rc == 0 && c->seqs_count < count; at += QUIRE_RECORD_SEQ_BYTES)
		rc = read_seq(s, c->seqs_count++, at, &blocks, end);
	return rc;
}

int quire_record_seek(const struct quire_record *r, uint64_t index, struct quire_record_state *s)
{
	struct quire_record_cursor at = {.record = r};
	const struct quire_record_keyframe *nearest = NULL;
	const struct quire_event *e;
	bool forward = s->counts.index <= index;
	int rc = 0;

	for (size_t i = 0; i < r->keyframes_count && r->keyframes[i].first <= index; i++)
		nearest = &r->keyframes[i];
	if (nearest && (!forward || nearest->first > s->counts.index)) {
		rc = quire_record_state_read(s, nearest->data, nearest->bytes);
		if (rc == -ENOMEM)
			return rc;
		/* One that says nonsense is not used. */
		if (rc || s->counts.index != nearest->first)
			clear(s);
	} else if (!forward) {
		clear(s);
	}
	at.index = s->counts.index;
	while (s->counts.index < index && (e = quire_record_next(&at))) {
		rc = quire_record_state_apply(s, e);
		if (rc)
			return rc;
	}
	return 0;
}
