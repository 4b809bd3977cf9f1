/*
 * allocator_twin.c - drives an allocator and compares; see allocator_twin.h.
 */
#include "allocator_twin.h"

#include "core/modules.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool __attribute__((format(printf, 2, 3))) wrong(struct twin *tw, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(tw->wrong, sizeof(tw->wrong), format, args);
	va_end(args);
	if (tw->trace)
		fprintf(tw->trace, "      WRONG: %s\n", tw->wrong);
	return false;
}

static void __attribute__((format(printf, 2, 3))) tell_of(struct twin *tw, const char *format, ...)
{
	va_list args;

	if (!tw->trace)
		return;
	va_start(args, format);
	vfprintf(tw->trace, format, args);
	va_end(args);
}

struct twin *twin_open(const struct model_setup *setup)
{
	const char *options;
	const struct quire_module *module =
		quire_module_find(QUIRE_KV, model_text(setup), &options);
	struct twin *tw = calloc(1, sizeof(*tw));

	if (!module || !tw)
		abort();
	quire_module_kv_ops(module, &tw->pool.ops);
	tw->pool.kv = (struct quire_kv){.ops = &tw->pool.ops,
					.priv = calloc(1, tw->pool.ops.priv_size),
					.slots_total = setup->slots_total,
					.seqs_max = setup->seqs_max,
					.seq_tokens_max = setup->seq_tokens_max,
					.ends_known = true};
	tw->memory = calloc(setup->slots_total, sizeof(*tw->memory));
	tw->refs = calloc(setup->slots_total, sizeof(*tw->refs));
	tw->copies.at = calloc(setup->copies_max, sizeof(*tw->copies.at));
	tw->copies.limit = setup->copies_max;
	if (!tw->pool.kv.priv || !tw->memory || !tw->refs || (setup->copies_max && !tw->copies.at))
		abort();
	model_init(&tw->model, setup);
	for (uint32_t i = 0; i < MODEL_SEQS; i++) {
		tw->seq[i].seq.id = i + 1;
		tw->seq[i].seq.request = &tw->request[i];
		tw->seq[i].seq.kv = calloc(1, tw->pool.ops.seq_size);
		if (!tw->seq[i].seq.kv)
			abort();
	}
	if (quire_options_read(tw->pool.ops.name, tw->pool.ops.options, tw->pool.kv.priv,
			       options) == 0 &&
	    tw->pool.ops.init(&tw->pool.kv) == 0)
		return tw;
	twin_close(tw);
	return NULL;
}

void twin_close(struct twin *tw)
{
	tw->pool.ops.exit(&tw->pool.kv);
	for (uint32_t i = 0; i < MODEL_SEQS; i++)
		free(tw->seq[i].seq.kv);
	model_exit(&tw->model);
	free(tw->pool.kv.priv);
	free(tw->memory);
	free(tw->refs);
	free(tw->copies.at);
	free(tw);
}

static uint32_t slot_of(const struct model_seq *s, uint32_t token)
{
	return s->first[token / s->block_slots] + token % s->block_slots;
}

static uint32_t room_of(const struct model_seq *s)
{
	return s->blocks * s->block_slots;
}

/* ---- what can be seen of the allocator must be as in the model ---- */

static bool compare_maps(struct twin *tw)
{
	struct quire_map map;

	for (uint32_t i = 0; i < MODEL_SEQS; i++) {
		const struct model_seq *s = &tw->model.seq[i];

		if (!s->born)
			continue;
		map = (struct quire_map){NULL, UINT32_MAX, 0};
		tw->pool.ops.map(&tw->pool.kv, &tw->seq[i].seq, &map);
		if (map.blocks != s->blocks || (s->blocks && map.block_slots != s->block_slots) ||
		    (s->blocks && memcmp(map.first, s->first, s->blocks * sizeof(*s->first))))
			return wrong(tw, "the map of sequence %u changed", i);
		for (uint32_t t = 0; t < s->cached; t++)
			if (tw->memory[slot_of(s, t)] != s->tag[t])
				return wrong(tw,
					     "token %u of sequence %u is lost: slot %u has %u, "
					     "expected %u",
					     t, i, slot_of(s, t), tw->memory[slot_of(s, t)],
					     s->tag[t]);
	}
	return true;
}

static void visit_region(void *arg, const struct quire_region *region)
{
	struct twin *tw = arg;
	uint32_t total = tw->pool.kv.slots_total;

	if (tw->wrong[0])
		return;
	if (!region->refs || !region->slots || region->first >= total ||
	    region->slots > total - region->first) {
		wrong(tw, "visit() shows a region of %u slots at %u with %u references",
		      region->slots, region->first, region->refs);
		return;
	}
	for (uint32_t i = 0; i < region->slots; i++) {
		if (tw->refs[region->first + i])
			wrong(tw, "visit() shows slot %u twice", region->first + i);
		tw->refs[region->first + i] = region->refs;
	}
}

static bool compare(struct twin *tw)
{
	const struct quire_kv *kv = &tw->pool.kv;
	struct model *m = &tw->model;
	uint32_t largest;

	model_count(m);
	if (!compare_maps(tw))
		return false;
	if (kv->slots_held != m->slots_held)
		return wrong(tw, "slots_held is %u, expected %u", kv->slots_held, m->slots_held);
	memset(tw->refs, 0, kv->slots_total * sizeof(*tw->refs));
	tw->pool.ops.visit(kv, visit_region, tw);
	if (tw->wrong[0])
		return false;
	for (uint32_t i = 0; i < kv->slots_total; i++) {
		if (tw->refs[i] != m->taken[i])
			return wrong(tw, "visit() shows slot %u with %u references, expected %u", i,
				     tw->refs[i], m->taken[i]);
		if (!m->taken[i])
			tw->memory[i] = 0; /* whoever reads it without writing is found */
	}
	largest =
		tw->pool.ops.largest ? tw->pool.ops.largest(kv) : kv->slots_total - kv->slots_held;
	if (largest != model_largest(m))
		return wrong(tw, "the largest reservation is %u slots, expected %u", largest,
			     model_largest(m));
	if (tw->pool.ops.check && tw->pool.ops.check(kv))
		return wrong(tw, "check(): %s", quire_failure());
	return true;
}

/* ---- the operations ---- */

static const char *answer_text(int rc)
{
	return rc == 0 ? "yes" : rc == -ENOSPC ? "-ENOSPC" : rc == -E2BIG ? "-E2BIG" : "nonsense";
}

/* Put in what the allocator reads of a sequence. */
static void show(struct twin *tw, uint32_t i)
{
	const struct model_seq *s = &tw->model.seq[i];
	struct quire_seq *seq = &tw->seq[i].seq;

	tw->request[i].prompt_tokens = s->prompt;
	tw->request[i].output_tokens_max = s->output_max;
	tw->seq[i].end_tokens = s->end;
	seq->known_tokens = s->known;
	seq->cached_tokens = s->cached;
	seq->state = s->blocks ? QUIRE_RUNNING : QUIRE_WAITING;
}

static void birth(struct twin *tw, uint32_t i, const struct twin_op *op)
{
	struct model_seq *s = &tw->model.seq[i];
	uint32_t most = tw->model.setup.seq_tokens_max;

	s->born = true;
	s->prompt = op->prompt < most ? op->prompt : most;
	s->output_max = op->output_max;
	s->end = s->prompt + (op->output < op->output_max ? op->output : op->output_max);
	s->end = s->end < most ? s->end : most;
	s->known = s->prompt;
	s->cached = 0;
	s->forked = false;
	memset(tw->seq[i].seq.kv, 0, tw->pool.ops.seq_size);
	tell_of(tw, "    sequence %u arrives: prompt %u, cap %u, true length %u\n", i, s->prompt,
		s->output_max, s->end);
}

/* The allocator answered; then the copies are executed, and all is compared. */
static bool answered(struct twin *tw, uint32_t i, const struct model_seq *was,
		     const struct model_answer *expected, uint32_t copies_before)
{
	struct model_seq *s = &tw->model.seq[i];
	const struct quire_copy *copies = tw->copies.at + copies_before;
	uint32_t count = tw->copies.count - copies_before;
	struct quire_map map;
	const char *why;

	tell_of(tw, ": %s", answer_text(tw->rc));
	if (tw->rc != expected->rc) {
		tell_of(tw, "\n");
		return wrong(tw, "it answers %s, expected %s: %s", answer_text(tw->rc),
			     answer_text(expected->rc), expected->why);
	}
	if (tw->rc) {
		tw->copies.count = copies_before; /* a failed call's copies are not executed */
		tw->counts.copies_full += strstr(expected->why, "the step has no room") != NULL;
		tw->counts.watermark_kept += strstr(expected->why, "watermark") != NULL;
		tell_of(tw, "\n");
		return compare(tw);
	}
	tw->pool.ops.map(&tw->pool.kv, &tw->seq[i].seq, &map);
	for (uint32_t b = 0; b < map.blocks; b++)
		tell_of(tw, "%s%u", b ? " " : ", blocks at ", map.first[b]);
	for (uint32_t k = 0; k < count; k++)
		tell_of(tw, ", copy %u slots %u -> %u", copies[k].slots, copies[k].from,
			copies[k].to);
	tell_of(tw, "\n");
	why = model_accept(&tw->model, s, was, expected, &map, copies, count);
	if (why)
		return wrong(tw, "%s", why);
	for (uint32_t k = 0; k < count && !tw->model.setup.lose_copies; k++)
		memmove(tw->memory + copies[k].to, tw->memory + copies[k].from,
			copies[k].slots * sizeof(*tw->memory));
	return compare(tw);
}

static bool may_hold(const struct twin *tw, const struct model_seq *s)
{
	return s->blocks || tw->model.holding < tw->model.setup.seqs_max;
}

static bool do_grow(struct twin *tw, const struct twin_op *op)
{
	struct model_seq *s = &tw->model.seq[op->seq];
	uint32_t most = tw->model.setup.seq_tokens_max, before = tw->copies.count, tokens = 0, room;
	struct twin_counts *c = &tw->counts;
	struct model_answer expected;
	bool fits;

	if (s->born == (op->kind == OP_ARRIVE)) {
		c->skipped++;
		return true;
	}
	if (!s->born)
		birth(tw, op->seq, op);
	room = room_of(s);
	if (!s->blocks)
		tokens = op->all && op->tokens < s->known ? s->known : op->tokens + 1;
	else
		tokens = (s->forked ? s->cached : room) + op->tokens + 1;
	tokens = tokens < most ? tokens : most;
	if (!may_hold(tw, s) || (tokens <= room && !s->forked)) {
		c->skipped++;
		return true;
	}
	tell_of(tw, "    grow(%u, %u tokens), %u of %u cached", op->seq, tokens, s->cached,
		s->known);
	expected = model_grow(&tw->model, s, tokens, tw->copies.limit - tw->copies.count);
	show(tw, op->seq);
	fits = tw->pool.ops.fits ? tw->pool.ops.fits(&tw->pool.kv, &tw->seq[op->seq].seq, tokens)
				 : tokens <= tw->pool.kv.slots_total;
	if (fits != model_fits(&tw->model, s, tokens)) {
		tell_of(tw, "\n");
		return wrong(tw, "fits() says %s", fits ? "yes" : "no");
	}
	c->last_sharer += s->forked && tw->model.setup.cow && expected.rc == 0 &&
			  expected.fresh_also == UINT32_MAX && s->cached % s->block_slots;
	tw->rc = tw->pool.ops.grow(&tw->pool.kv, &tw->seq[op->seq].seq, tokens, &tw->copies);
	c->grown += tw->rc == 0;
	c->grow_full += tw->rc == -ENOSPC;
	c->grow_never += tw->rc == -E2BIG;
	if (!answered(tw, op->seq, s, &expected, before))
		return false;
	c->grown_in_place += tw->rc == 0 && room && expected.fresh_from == 1;
	c->moved += tw->rc == 0 && room && expected.fresh_from == 0;
	c->cow_copies += tw->rc == 0 && expected.fresh_also != UINT32_MAX;
	if (tw->rc == 0)
		s->forked = false;
	return true;
}

static bool do_fork(struct twin *tw, const struct twin_op *op)
{
	struct model_seq *parent = &tw->model.seq[op->seq], *child = &tw->model.seq[op->other];
	uint32_t before = tw->copies.count, other = op->other;
	struct twin_op born = *op;
	struct model_answer expected;

	if (!parent->blocks || !parent->cached || child->born || !may_hold(tw, child)) {
		tw->counts.skipped++;
		return true;
	}
	born.prompt = parent->prompt;
	born.output_max = parent->output_max;
	birth(tw, other, &born);
	child->known = parent->known;
	tell_of(tw, "    fork(%u -> %u) of %u tokens", op->seq, other, parent->cached);
	expected = model_fork(&tw->model, parent, child, tw->copies.limit - tw->copies.count);
	show(tw, op->seq);
	show(tw, other);
	tw->rc = tw->pool.ops.fork(&tw->pool.kv, &tw->seq[op->seq].seq, &tw->seq[other].seq,
				   &tw->copies);
	tw->counts.forked += tw->rc == 0;
	tw->counts.fork_full += tw->rc == -ENOSPC;
	if (tw->rc == 0) {
		child->cached = parent->cached;
		memcpy(child->tag, parent->tag, parent->cached * sizeof(*child->tag));
		child->forked = parent->forked = true;
	}
	if (!answered(tw, other, parent, &expected, before))
		return false;
	if (tw->rc)
		child->born = false;
	return true;
}

/* A step: the copies asked for so far are done, and a sequence writes. */
static bool do_run(struct twin *tw, const struct twin_op *op)
{
	struct model_seq *s = &tw->model.seq[op->seq];
	uint32_t left = room_of(s) - s->cached, tokens;

	if (left > tw->model.setup.seq_tokens_max - s->cached)
		left = tw->model.setup.seq_tokens_max - s->cached;
	if (!left || s->forked) {
		tw->counts.skipped++;
		return true;
	}
	tw->copies.count = 0;
	tokens = op->tokens < left ? op->tokens + 1 : left;
	tell_of(tw, "    run(%u, %u tokens)\n", op->seq, tokens);
	for (; tokens > 0; tokens--) {
		if (tw->model.taken[slot_of(s, s->cached)] != 1)
			return wrong(tw, "sequence %u must write slot %u, which another one reads",
				     op->seq, slot_of(s, s->cached));
		s->tag[s->cached] = ++tw->tag;
		tw->memory[slot_of(s, s->cached)] = tw->tag;
		s->cached++;
	}
	if (s->known <= s->cached) /* and samples its next token */
		s->known = s->cached + (s->cached < tw->model.setup.seq_tokens_max);
	tw->counts.run++;
	return compare(tw);
}

static bool do_release(struct twin *tw, const struct twin_op *op)
{
	struct model_seq *s = &tw->model.seq[op->seq];

	if (!s->born || (op->kind == OP_PREEMPT && !s->blocks)) {
		tw->counts.skipped++;
		return true;
	}
	tell_of(tw, "    %s(%u)\n", op->kind == OP_PREEMPT ? "preempt" : "release", op->seq);
	show(tw, op->seq);
	tw->pool.ops.release(&tw->pool.kv, &tw->seq[op->seq].seq);
	s->cached = s->blocks = s->block_slots = s->held = 0;
	s->forked = false;
	tw->counts.released++;
	if (!compare(tw)) /* while it is born: its map must be empty */
		return false;
	s->born = op->kind == OP_PREEMPT;
	return true;
}

bool twin_do(struct twin *tw, const struct twin_op *op)
{
	static bool (*const doing[OP_KINDS])(struct twin *, const struct twin_op *) = {
		[OP_ARRIVE] = do_grow, [OP_GROW] = do_grow,	  [OP_RUN] = do_run,
		[OP_FORK] = do_fork,   [OP_PREEMPT] = do_release, [OP_RELEASE] = do_release,
	};
	uint64_t skipped = tw->counts.skipped;
	bool fine = doing[op->kind](tw, op);

	tw->counts.calls += tw->counts.skipped == skipped;
	return fine;
}

bool twin_drain(struct twin *tw)
{
	struct twin_op op = {.all = true, .output_max = 1, .output = 1};

	for (uint32_t round = 0; round < 2; round++) {
		for (op.seq = 0; op.seq < MODEL_SEQS; op.seq++) {
			op.kind = OP_RELEASE;
			if (!twin_do(tw, &op))
				return false;
		}
		if (tw->pool.kv.slots_held)
			return wrong(tw, "%u slots are held by nobody", tw->pool.kv.slots_held);
		op.prompt = model_largest(&tw->model);
		for (op.seq = 0; op.seq < MODEL_SEQS && round == 0; op.seq++) {
			op.kind = OP_ARRIVE;
			if (!twin_do(tw, &op))
				return false;
			op.kind = OP_RUN;
			op.tokens = op.prompt;
			if (!twin_do(tw, &op))
				return false;
			op.tokens = 0;
		}
	}
	return true;
}
