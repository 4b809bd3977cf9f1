/*
 * check_attention.c - attention over maps of all kinds, and the plan of its work.
 *
 * Slots that hold no key of the step's sequences are NaN, so that a read of one of them
 * shows even where its weight is 0.
 */
#include "check.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 12u

/* @context tokens lie in slots before the step, @rows run in it. */
struct piece {
	uint32_t context, rows;
};

struct shape {
	uint32_t heads, kv_heads, head_dim, window;
	uint32_t block_slots;	  /* 0: one block each, as long as the sequence and a bit */
	uint32_t multiprocessors; /* that the plan is made for */
	double q_deviation;	  /* large: few keys count */
};

struct world {
	struct both items, maps, q, k, v, out;
	uint32_t items_count, rows_count;
};

static void fill(uint16_t *to, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		to[i] = bf16_of(draw_normal());
}

/* Blocks in any order, with holes of one slot between them. */
static void world_new(struct world *w, const struct shape *s, const struct piece *pieces,
		      uint32_t count)
{
	const uint32_t slot_elements = s->kv_heads * s->head_dim;
	struct quire_dev_item items[ITEMS_MAX];
	uint32_t blocks = 0, slots, *maps, *order;

	memset(w, 0, sizeof(*w));
	w->items_count = count;
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t tokens = pieces[i].context + pieces[i].rows;

		items[i] = (struct quire_dev_item){
			.row_first = w->rows_count,
			.rows = pieces[i].rows,
			.position_first = pieces[i].context,
			.map_first = blocks,
			.block_slots = s->block_slots ? s->block_slots : tokens + 5,
		};
		w->rows_count += pieces[i].rows;
		blocks += (tokens - 1) / items[i].block_slots + 1;
	}
	maps = calloc(blocks, sizeof(*maps));
	order = calloc(blocks, sizeof(*order));
	if (!maps || !order)
		exit(1);
	for (uint32_t i = 0; i < blocks; i++)
		order[i] = i;
	shuffle(order, blocks);
	slots = 1;
	for (uint32_t i = 0; i < blocks; i++) {
		uint32_t item = count - 1;

		while (items[item].map_first > order[i])
			item--;
		maps[order[i]] = slots;
		slots += items[item].block_slots + 1;
	}
	w->items = both_copy(items, count * sizeof(*items));
	w->maps = both_copy(maps, blocks * sizeof(*maps));
	w->q = both_random((size_t)w->rows_count * (s->heads * s->head_dim + 8), s->q_deviation);
	w->k = both_new((size_t)slots * slot_elements * sizeof(uint16_t));
	w->v = both_new((size_t)slots * slot_elements * sizeof(uint16_t));
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t t = 0; t < pieces[i].context + pieces[i].rows; t++) {
			const size_t slot = maps[items[i].map_first + t / items[i].block_slots] +
					    t % items[i].block_slots;

			fill((uint16_t *)w->k.host + slot * slot_elements, slot_elements);
			fill((uint16_t *)w->v.host + slot * slot_elements, slot_elements);
		}
	both_to_device(&w->k);
	both_to_device(&w->v);
	w->out = both_new((size_t)w->rows_count * s->heads * s->head_dim * sizeof(uint16_t));
	free(maps);
	free(order);
}

static void world_free(struct world *w)
{
	both_free(&w->items), both_free(&w->maps), both_free(&w->q);
	both_free(&w->k), both_free(&w->v), both_free(&w->out);
}

static struct quire_attention_limits limits_of(const struct shape *s, const struct world *w)
{
	struct quire_attention_limits limits = {
		.heads = s->heads,
		.kv_heads = s->kv_heads,
		.head_dim = s->head_dim,
		.window = s->window,
		.multiprocessors = s->multiprocessors,
		.parts_max = 96,
	};

	limits.few_max = quire_attention_work_max(&limits, w->items_count, w->rows_count);
	limits.many_max = limits.few_max;
	return limits;
}

static void run_tiles(struct quire_op_attention *op, const struct quire_attention_limits *limits,
		      enum quire_tile tile, const struct quire_dev_work *work, uint32_t count)
{
	const uint32_t idle = 3; /* blocks that find no work */
	struct both works = both_new((count + idle) * sizeof(*work));
	struct both counts = both_copy(&count, sizeof(count));
	struct both partial = both_new(quire_attention_partial_bytes(limits, tile));
	struct both tickets = both_new((size_t)limits->parts_max * limits->kv_heads * 4);

	if (count)
		memcpy(works.host, work, count * sizeof(*work));
	both_to_device(&works);
	memset(tickets.host, 0, tickets.bytes);
	both_to_device(&tickets);
	op->tile = tile;
	op->work = works.device;
	op->work_count = counts.device;
	op->work_max = count + idle;
	op->partial = partial.device;
	op->tickets = tickets.device;
	launched("attention", quire_cuda_attention(op, NULL));
	launched("attention, again", quire_cuda_attention(op, NULL));
	both_from_device(&tickets);
	for (size_t i = 0; i < tickets.bytes / 4; i++)
		expect(((uint32_t *)tickets.host)[i] == 0, "all tickets given back");
	both_free(&works), both_free(&counts), both_free(&partial), both_free(&tickets);
}

static void attention(const char *name, struct shape s, const struct piece *pieces, uint32_t count)
{
	struct world w;
	struct quire_attention_limits limits;
	struct quire_attention_plan plan = {0};

	checking("attention, %s, heads %u/%u of %u", name, s.heads, s.kv_heads, s.head_dim);
	world_new(&w, &s, pieces, count);
	limits = limits_of(&s, &w);
	plan.few = calloc(limits.few_max, sizeof(*plan.few));
	plan.many = calloc(limits.many_max, sizeof(*plan.many));
	if (!plan.few || !plan.many)
		exit(1);
	expect(!quire_attention_plan(&plan, &limits, w.items.host, count), "a plan");
	checking("attention, %s, %u/%u of %u, block %u, window %u, parts %u + %u", name, s.heads,
		 s.kv_heads, s.head_dim, s.block_slots, s.window, plan.few_parts, plan.many_parts);

	struct quire_op_attention op = {
		.items = w.items.device,
		.maps = w.maps.device,
		.q = w.q.device,
		.q_stride = s.heads * s.head_dim + 8,
		.k = w.k.device,
		.v = w.v.device,
		.out = w.out.device,
		.heads = s.heads,
		.kv_heads = s.kv_heads,
		.head_dim = s.head_dim,
		.window = s.window,
		.scale = 1 / sqrtf((float)s.head_dim),
	};
	run_tiles(&op, &limits, QUIRE_TILE_FEW, plan.few, plan.few_count);
	run_tiles(&op, &limits, QUIRE_TILE_MANY, plan.many, plan.many_count);
	op.items = w.items.host, op.maps = w.maps.host, op.q = w.q.host;
	op.k = w.k.host, op.v = w.v.host, op.out = w.out.host;
	quire_ref_attention(&op, count);
	compare_bf16(&w.out, 5e-3, 3e-2);
	free(plan.few);
	free(plan.many);
	world_free(&w);
}

#define ATTENTION(name, pieces, ...)                                                               \
	attention(name, (struct shape){__VA_ARGS__}, pieces, sizeof(pieces) / sizeof(*pieces))

void check_attention(void)
{
	static const struct piece one[] = {{0, 1}};
	static const struct piece singles[] = {{0, 1},	{1, 1},	 {14, 1}, {15, 1}, {16, 1},
					       {62, 1}, {63, 1}, {64, 1}, {130, 1}};
	static const struct piece longer[] = {{16, 1}, {128, 1}, {700, 1}, {389, 1}};
	static const struct piece prompts[] = {{0, 33}, {0, 129}};
	static const struct piece mixed[] = {{0, 70}, {90, 1}, {100, 40}, {3, 4}, {200, 1}};
	static const struct piece behind[] = {{600, 40}, {530, 1}};
	static const struct piece edge[] = {{62, 40}}; /* the first query misses key 63 alone */
	static const struct piece inside[] = {{100, 40}};
	static const uint32_t blocks[] = {1, 8, 16, 128, 0};

	ATTENTION("one token", one, 2, 2, 64, 0, 16, 4, 1);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++)
		ATTENTION("single tokens", singles, 4, 4, 64, 0, blocks[i], 4, 1);
	ATTENTION("single tokens in parts", longer, 14, 2, 64, 0, 16, 66, 1);
	ATTENTION("single tokens in parts", longer, 28, 4, 128, 0, 16, 66, 1);
	ATTENTION("single tokens in parts", longer, 3, 3, 128, 0, 1, 66, 1);
	ATTENTION("many heads a KV head", longer, 32, 1, 64, 0, 16, 66, 1);
	ATTENTION("single tokens", longer, 8, 2, 128, 200, 16, 66, 1);
	ATTENTION("single tokens, sharp", longer, 8, 2, 128, 0, 16, 8, 12);
	ATTENTION("prompts", prompts, 2, 2, 64, 0, 16, 1, 1);
	ATTENTION("prompts", prompts, 7, 1, 128, 0, 0, 1, 1);
	ATTENTION("prompts", prompts, 4, 2, 64, 20, 8, 1, 1);
	ATTENTION("prompts, sharp", prompts, 2, 2, 128, 0, 16, 1, 12);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++)
		ATTENTION("a mix", mixed, 4, 2, 64, 0, blocks[i], 2, 1);
	ATTENTION("a mix", mixed, 12, 2, 128, 75, 16, 2, 1);
	ATTENTION("chunk at an edge", edge, 2, 2, 64, 0, 16, 1, 1);
	ATTENTION("window misses one key", inside, 2, 2, 64, 131, 16, 1, 1);
	ATTENTION("chunks in parts", behind, 4, 1, 128, 0, 16, 8, 1);
	ATTENTION("chunks in parts", behind, 4, 1, 64, 580, 16, 8, 1);
}

/* ---- the plan: every query meets every key it may see, once ---- */

static void mark(uint8_t *seen, uint32_t tokens_max, const struct shape *s,
		 const struct quire_dev_item *items, const struct quire_dev_work *work,
		 uint32_t count, uint32_t size)
{
	const uint32_t group = s->heads / s->kv_heads;

	for (uint32_t i = 0; i < count; i++) {
		const struct quire_dev_work *x = &work[i];
		const struct quire_dev_item *item = &items[x->item];

		expect(x->key_first < x->key_end && x->query_first % size == 0 && x->parts <= 64,
		       "work that is some");
		expect(!i || x->key_end - x->key_first <=
				       work[i - 1].key_end - work[i - 1].key_first,
		       "the longest first");
		for (uint32_t q = x->query_first;
		     q < x->query_first + size && q < item->rows * group; q++)
			for (uint32_t key = x->key_first; key < x->key_end; key++) {
				const uint32_t row = q / group, at = item->position_first + row;

				if (key <= at && (!s->window || key + s->window > at))
					seen[((item->row_first + row) * group + q % group) *
						     (size_t)tokens_max +
					     key]++;
			}
	}
}

void check_attention_plan(void)
{
	enum { TRIES = 300, TOKENS_MAX = 1500, ROWS_MAX = 300 };
	static const uint32_t groups[] = {1, 4, 7, 8, 32};
	struct quire_attention_plan plan;
	unsigned wrong = 0, cut = 0;

	checking("attention's plan, %u of them", TRIES);
	for (uint32_t try = 0; try < TRIES; try++) {
		struct shape s = {.kv_heads = 1 + draw_below(4),
				  .multiprocessors = 1 + draw_below(40)};
		const uint32_t group = groups[draw_below(5)], count = 1 + draw_below(ITEMS_MAX);
		struct quire_dev_item items[ITEMS_MAX];
		struct world w = {.items_count = count};
		struct quire_attention_limits limits;
		uint8_t *seen;

		s.heads = s.kv_heads * group;
		s.window = draw_below(3) ? 0 : 1 + draw_below(TOKENS_MAX);
		for (uint32_t i = 0; i < count; i++) {
			const uint32_t rows =
				draw_below(2) ? 1 : 1 + draw_below(ROWS_MAX / ITEMS_MAX);

			items[i] = (struct quire_dev_item){
				.row_first = w.rows_count,
				.rows = rows,
				.position_first = draw_below(TOKENS_MAX - rows),
			};
			w.rows_count += rows;
		}
		limits = limits_of(&s, &w);
		limits.parts_max = draw_below(100);
		limits.few_max = limits.many_max =
			quire_attention_work_max(&limits, count, w.rows_count);
		plan.few = calloc(limits.few_max, sizeof(*plan.few));
		plan.many = calloc(limits.many_max, sizeof(*plan.many));
		seen = calloc((size_t)w.rows_count * group, TOKENS_MAX);
		if (!plan.few || !plan.many || !seen)
			exit(1);
		expect(!quire_attention_plan(&plan, &limits, items, count), "a plan");
		expect(plan.few_parts <= limits.parts_max && plan.many_parts <= limits.parts_max,
		       "no more parts than there may be");
		mark(seen, TOKENS_MAX, &s, items, plan.few, plan.few_count, QUIRE_TILE_FEW);
		mark(seen, TOKENS_MAX, &s, items, plan.many, plan.many_count, QUIRE_TILE_MANY);
		for (uint32_t i = 0; i < count; i++)
			for (uint32_t row = 0; row < items[i].rows; row++) {
				const uint32_t at = items[i].position_first + row;

				for (uint32_t key = 0; key < TOKENS_MAX; key++) {
					const bool sees =
						key <= at && (!s.window || key + s.window > at);

					for (uint32_t h = 0; h < group; h++)
						wrong += seen[((items[i].row_first + row) * group +
							       h) * (size_t)TOKENS_MAX +
							      key] != sees;
				}
			}
		cut += plan.few_parts + plan.many_parts;
		limits.few_max = limits.many_max = 0;
		expect(quire_attention_plan(&plan, &limits, items, count) == -ENOSPC, "no room");
		free(plan.few), free(plan.many), free(seen);
	}
	verdict(!wrong && cut > TRIES, "%u pairs of query and key wrong, %u parts", wrong, cut);
}
