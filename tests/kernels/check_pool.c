/*
 * check_pool.c - copies of slots: in any order of a GPU, as if one after the other.
 */
#include "check.h"

#include <stdlib.h>

static void copies(uint32_t layers, uint32_t slots, uint32_t slot_elements, uint32_t count,
		   uint32_t longest)
{
	struct quire_dev_copy list[64];
	struct both data, at;
	uint32_t waves = 0;

	checking("copy_slots, %u of up to %u slots in %u layers", count, longest, layers);
	data = both_random((size_t)2 * layers * slots * slot_elements, 1);
	for (uint32_t i = 0; i < count; i++) {
		struct quire_dev_copy *c = &list[i];

		do {
			c->slots = 1 + draw_below(longest);
			c->from = draw_below(slots - c->slots + 1);
			c->to = draw_below(slots - c->slots + 1);
		} while (c->from < c->to + c->slots && c->to < c->from + c->slots);
	}
	at = both_copy(list, count * sizeof(*list));
	for (uint32_t first = 0, wave; first < count; first += wave, waves++) {
		struct quire_op_copy_slots op = {
			.pool = {data.device, layers, slots, slot_elements},
			.copies = (struct quire_dev_copy *)at.device + first,
			.slots_max = longest,
		};

		wave = quire_copy_wave(list + first, count - first);
		expect(wave >= 1 && wave <= count - first, "a wave of some copies");
		op.copies_count = wave;
		launched("copy_slots", quire_cuda_copy_slots(&op, NULL));
	}
	expect(longest < 4 || waves > 1, "copies that are in each other's way");

	struct quire_op_copy_slots op = {
		.pool = {data.host, layers, slots, slot_elements},
		.copies = list,
		.copies_count = count,
		.slots_max = longest,
	};
	quire_ref_copy_slots(&op);
	compare_bytes(&data);

	struct quire_op_poison_slots poison = {
		.pool = {data.device, layers, slots, slot_elements},
		.first = slots / 3,
		.slots = slots / 2,
	};
	launched("poison_slots", quire_cuda_poison_slots(&poison, NULL));
	poison.pool.data = data.host;
	quire_ref_poison_slots(&poison);
	compare_bytes(&data);
	both_free(&data), both_free(&at);
}

/* One wave may have nothing that depends on the order in which it runs. */
static void waves(void)
{
	static const struct quire_dev_copy list[] = {
		{0, 10, 4},  {0, 20, 4},  /* two readers of one block */
		{10, 30, 1},		  /* reads what the first wrote */
		{40, 50, 8}, {57, 60, 1}, /* reads its last slot */
		{70, 80, 4}, {90, 83, 4}, /* writes what was written */
		{0, 87, 4},
	};

	checking("copy_slots, waves");
	expect(quire_copy_wave(list, 8) == 2, "a wave of 2");
	expect(quire_copy_wave(list + 2, 6) == 2, "another of 2");
	expect(quire_copy_wave(list + 4, 4) == 2, "a third of 2");
	expect(quire_copy_wave(list + 6, 1) == 1, "a last of 1");
	expect(quire_copy_wave(list + 7, 1) == 1, "one copy is a wave");
}

void check_copy(void)
{
	waves();
	copies(1, 7, 64, 5, 1);
	copies(3, 100, 128, 40, 17);
	copies(2, 600, 512, 20, 200);
}
