/*
 * test_allocators.c - contiguous and paged by example: what each promises, in the
 * fewest calls that show it.  Every call is also compared with the model, and each
 * example ends by releasing all and filling the pool again.
 */
#include "allocator_twin.h"

#include <check.h>
#include <errno.h>
#include <string.h>

static struct twin *open_twin(struct model_setup setup)
{
	struct twin *tw;

	if (!setup.seqs_max)
		setup.seqs_max = MODEL_SEQS;
	if (!setup.copies_max)
		setup.copies_max = 64;
	tw = twin_open(&setup);
	ck_assert_msg(tw != NULL, "%s", quire_failure());
	return tw;
}

static int doing(struct twin *tw, struct twin_op op)
{
	tw->rc = 0;
	ck_assert_msg(twin_do(tw, &op), "%s", tw->wrong);
	ck_assert_msg(!tw->counts.skipped, "the example does what makes no sense");
	return tw->rc;
}

static void close_twin(struct twin *tw)
{
	ck_assert_msg(twin_drain(tw), "%s", tw->wrong);
	twin_close(tw);
}

/* Sequence @seq arrives with these tokens, and asks for room for its prompt. */
static int arrive(struct twin *tw, uint8_t seq, uint32_t prompt, uint32_t output_max,
		  uint32_t output)
{
	return doing(tw, (struct twin_op){OP_ARRIVE, seq, .all = true, .prompt = prompt,
					  .output_max = output_max, .output = output});
}

/* Room for @tokens more than its map has, or than is cached in a fork. */
static int grow(struct twin *tw, uint8_t seq, uint32_t tokens)
{
	return doing(tw, (struct twin_op){OP_GROW, seq, .tokens = tokens - 1});
}

static void run(struct twin *tw, uint8_t seq, uint32_t tokens)
{
	doing(tw, (struct twin_op){OP_RUN, seq, .tokens = tokens - 1});
}

static int fork_to(struct twin *tw, uint8_t seq, uint8_t child)
{
	return doing(tw, (struct twin_op){OP_FORK, seq, child, .output = 1});
}

static void release(struct twin *tw, uint8_t seq)
{
	doing(tw, (struct twin_op){.kind = OP_RELEASE, .seq = seq});
}

static uint32_t held(const struct twin *tw)
{
	return tw->pool.kv.slots_held;
}

static uint32_t block_at(const struct twin *tw, uint32_t seq, uint32_t index)
{
	return tw->model.seq[seq].first[index];
}

START_TEST(four_blocks_then_no)
{
	struct twin *tw = open_twin((struct model_setup){
		.block = 16, .cow = true, .slots_total = 64, .seq_tokens_max = 64});

	for (uint8_t i = 0; i < 4; i++)
		ck_assert_int_eq(arrive(tw, i, 16, 8, 8), 0);
	ck_assert_uint_eq(held(tw), 64);
	ck_assert_int_eq(arrive(tw, 4, 1, 8, 8), -ENOSPC);
	ck_assert_int_eq(grow(tw, 2, 1), -ENOSPC);
	ck_assert_uint_eq(held(tw), 64);
	ck_assert_uint_eq(tw->model.seq[2].blocks, 1);
	release(tw, 1);
	ck_assert_int_eq(grow(tw, 2, 1), 0);
	ck_assert_uint_eq(tw->model.seq[2].blocks, 2);
	close_twin(tw);
}
END_TEST

START_TEST(one_more_block_takes_one)
{
	struct twin *tw = open_twin((struct model_setup){
		.block = 16, .cow = true, .slots_total = 192, .seq_tokens_max = 192});

	ck_assert_int_eq(arrive(tw, 0, 16, 64, 64), 0);
	run(tw, 0, 16);
	ck_assert_uint_eq(held(tw), 16);
	ck_assert_int_eq(grow(tw, 0, 1), 0); /* for the 17th token */
	ck_assert_uint_eq(held(tw), 32);
	ck_assert_int_eq(grow(tw, 0, 16), 0); /* exactly one block */
	ck_assert_uint_eq(held(tw), 48);
	ck_assert_int_eq(grow(tw, 0, 17), 0);
	ck_assert_uint_eq(held(tw), 80);
	close_twin(tw);
}
END_TEST

START_TEST(first_write_copies_the_shared_block)
{
	struct twin *tw = open_twin((struct model_setup){
		.block = 16, .cow = true, .slots_total = 192, .seq_tokens_max = 192});
	uint32_t shared;

	ck_assert_int_eq(arrive(tw, 0, 20, 64, 64), 0);
	run(tw, 0, 20);
	ck_assert_int_eq(fork_to(tw, 0, 1), 0);
	ck_assert_int_eq(fork_to(tw, 0, 2), 0);
	ck_assert_uint_eq(held(tw), 32); /* three sequences, two blocks, no copies */
	ck_assert_uint_eq(tw->copies.count, 0);
	shared = block_at(tw, 0, 1);

	ck_assert_int_eq(grow(tw, 1, 1), 0);
	ck_assert_uint_eq(tw->copies.count, 1);
	ck_assert_uint_eq(tw->copies.at[0].from, shared);
	ck_assert_uint_eq(tw->copies.at[0].to, block_at(tw, 1, 1));
	ck_assert_uint_eq(tw->copies.at[0].slots, 4); /* no more than is cached in it */
	ck_assert_uint_eq(block_at(tw, 1, 0), block_at(tw, 0, 0));
	ck_assert_uint_eq(held(tw), 48);

	ck_assert_int_eq(grow(tw, 0, 1), 0);
	ck_assert_uint_eq(tw->copies.count, 2);
	ck_assert_int_eq(grow(tw, 2, 1), 0); /* the last sharer writes in place */
	ck_assert_uint_eq(tw->copies.count, 2);
	ck_assert_uint_eq(block_at(tw, 2, 1), shared);
	ck_assert_uint_eq(held(tw), 64); /* a common block, and three of their own */
	close_twin(tw);
}
END_TEST

START_TEST(full_block_is_shared_for_good)
{
	struct twin *tw = open_twin((struct model_setup){
		.block = 16, .cow = true, .slots_total = 192, .seq_tokens_max = 192});

	ck_assert_int_eq(arrive(tw, 0, 32, 64, 64), 0);
	run(tw, 0, 32);
	ck_assert_int_eq(fork_to(tw, 0, 1), 0);
	ck_assert_int_eq(grow(tw, 0, 1), 0);
	ck_assert_int_eq(grow(tw, 1, 1), 0);
	ck_assert_uint_eq(tw->copies.count, 0);
	ck_assert_uint_eq(held(tw), 64);
	release(tw, 0);
	ck_assert_uint_eq(held(tw), 48); /* the child still reads the first two */
	close_twin(tw);
}
END_TEST

START_TEST(no_room_to_copy_on_write)
{
	struct twin *tw = open_twin((struct model_setup){
		.block = 16, .cow = true, .slots_total = 32, .seq_tokens_max = 32});

	ck_assert_int_eq(arrive(tw, 0, 20, 8, 8), 0);
	run(tw, 0, 20);
	ck_assert_int_eq(fork_to(tw, 0, 1), 0);
	ck_assert_int_eq(grow(tw, 1, 1), -ENOSPC);
	ck_assert_uint_eq(held(tw), 32);
	ck_assert_uint_eq(block_at(tw, 1, 1), block_at(tw, 0, 1));
	release(tw, 0);
	ck_assert_int_eq(grow(tw, 1, 1), 0);
	ck_assert_uint_eq(tw->copies.count, 0);
	close_twin(tw);
}
END_TEST

START_TEST(without_cow_a_fork_copies)
{
	struct twin *tw = open_twin(
		(struct model_setup){.block = 16, .slots_total = 96, .seq_tokens_max = 96});

	ck_assert_int_eq(arrive(tw, 0, 20, 8, 8), 0);
	run(tw, 0, 20);
	ck_assert_int_eq(fork_to(tw, 0, 1), 0);
	ck_assert_uint_eq(tw->copies.count, 2);
	ck_assert_uint_eq(tw->copies.at[0].slots, 16); /* a whole block */
	ck_assert_uint_eq(tw->copies.at[1].slots, 4);  /* and part of one */
	ck_assert_uint_eq(held(tw), 64);
	ck_assert_int_eq(fork_to(tw, 0, 2), 0);
	ck_assert_int_eq(fork_to(tw, 0, 3), -ENOSPC);
	ck_assert_uint_eq(held(tw), 96);
	close_twin(tw);
}
END_TEST

START_TEST(watermark_is_kept_at_admission)
{
	struct twin *tw = open_twin((struct model_setup){.block = 16,
							 .cow = true,
							 .watermark = 0.25,
							 .slots_total = 128,
							 .seq_tokens_max = 128});

	ck_assert_int_eq(arrive(tw, 0, 64, 32, 32), 0);
	ck_assert_int_eq(arrive(tw, 1, 48, 32, 32), -ENOSPC); /* it would leave 1 of 8 */
	ck_assert_int_eq(arrive(tw, 2, 32, 32, 32), 0);	      /* it leaves 2 */
	ck_assert_int_eq(arrive(tw, 3, 1, 32, 32), -ENOSPC);
	ck_assert_int_eq(grow(tw, 0, 16), 0); /* who runs may have them */
	ck_assert_int_eq(grow(tw, 2, 16), 0);
	ck_assert_uint_eq(held(tw), 128);
	release(tw, 0);
	release(tw, 2);
	ck_assert_int_eq(grow(tw, 1, 128), 0); /* an empty pool keeps nothing back */
	close_twin(tw);
}
END_TEST

START_TEST(odd_end_of_the_pool)
{
	struct twin *tw = open_twin((struct model_setup){
		.block = 16, .cow = true, .slots_total = 63, .seq_tokens_max = 63});

	ck_assert_int_eq(arrive(tw, 0, 49, 8, 8), -E2BIG); /* there are three blocks */
	ck_assert_int_eq(arrive(tw, 1, 48, 8, 8), 0);
	close_twin(tw);
}
END_TEST

static struct model_setup contiguous(enum model_reserve reserve, enum model_place place,
				     uint32_t block, uint32_t slots_total, uint32_t seq_tokens_max)
{
	return (struct model_setup){.place = place,
				    .reserve = reserve,
				    .block = block,
				    .slots_total = slots_total,
				    .seq_tokens_max = seq_tokens_max};
}

/* Seven chunks of 128 blocks; the last 87 blocks are too short for an eighth. */
START_TEST(buddy_seven_of_2048)
{
	struct twin *tw = open_twin(contiguous(RESERVE_MAX, PLACE_BUDDY, 16, 983 * 16, 2048));

	for (uint8_t i = 0; i < 7; i++)
		ck_assert_int_eq(arrive(tw, i, 10, 10, 10), 0);
	ck_assert_int_eq(arrive(tw, 7, 10, 10, 10), -ENOSPC);
	ck_assert_uint_eq(held(tw), 7 * 2048);
	ck_assert_uint_eq(tw->pool.ops.largest(&tw->pool.kv), 64 * 16);
	close_twin(tw);
}
END_TEST

START_TEST(buddy_splits_and_merges)
{
	struct twin *tw = open_twin(contiguous(RESERVE_ORACLE, PLACE_BUDDY, 4, 48, 32));
	static const uint8_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	for (size_t k = 0; k < 6; k++) { /* 32 and 16 slots are free */
		ck_assert_uint_eq(tw->pool.ops.largest(&tw->pool.kv), 32);
		ck_assert_int_eq(arrive(tw, 0, 3, 1, 1), 0); /* 4: 16 is split twice */
		ck_assert_uint_eq(block_at(tw, 0, 0), 32);
		ck_assert_int_eq(arrive(tw, 1, 4, 1, 1), 0); /* 5: 8 */
		ck_assert_uint_eq(block_at(tw, 1, 0), 40);
		ck_assert_int_eq(arrive(tw, 2, 4, 13, 13), 0); /* 17: 32 */
		ck_assert_uint_eq(block_at(tw, 2, 0), 0);
		ck_assert_uint_eq(held(tw), 44);
		ck_assert_uint_eq(tw->pool.ops.largest(&tw->pool.kv), 4);
		ck_assert_int_eq(arrive(tw, 3, 4, 1, 1), -ENOSPC);
		for (size_t i = 0; i < 3; i++)
			release(tw, orders[k][i]);
		release(tw, 3);
		ck_assert_uint_eq(held(tw), 0);
	}
	close_twin(tw);
}
END_TEST

/* Holes of 8 at 0, of 4 at 10 and of 6 at 16: where do 4 slots go? */
static uint32_t where_four_go(enum model_place place)
{
	struct twin *tw = open_twin(contiguous(RESERVE_ORACLE, place, 16, 22, 22));
	uint32_t first;

	ck_assert_int_eq(arrive(tw, 0, 7, 1, 1), 0); /* 0 to 7 */
	ck_assert_int_eq(arrive(tw, 1, 1, 1, 1), 0); /* 8 and 9 */
	ck_assert_int_eq(arrive(tw, 2, 3, 1, 1), 0); /* 10 to 13 */
	ck_assert_int_eq(arrive(tw, 3, 1, 1, 1), 0); /* 14 and 15 */
	release(tw, 0);
	release(tw, 2);
	ck_assert_int_eq(arrive(tw, 4, 8, 1, 1), -ENOSPC); /* 18 are free, but not 9 in a row */
	ck_assert_uint_eq(held(tw), 4);
	ck_assert_int_eq(arrive(tw, 5, 3, 1, 1), 0);
	first = block_at(tw, 5, 0);
	close_twin(tw);
	return first;
}

START_TEST(first_and_best_fit)
{
	ck_assert_uint_eq(where_four_go(PLACE_FIRST), 0);
	ck_assert_uint_eq(where_four_go(PLACE_BEST), 10);
}
END_TEST

START_TEST(reservations)
{
	static const uint32_t expected[] = {200, 10 + 100, 10 + 32, 10 + 25};

	for (uint32_t reserve = RESERVE_MAX; reserve <= RESERVE_ORACLE; reserve++) {
		struct twin *tw = open_twin(contiguous(reserve, PLACE_FIRST, 16, 1000, 200));

		ck_assert_int_eq(arrive(tw, 0, 10, 100, 25), 0);
		ck_assert_uint_eq(held(tw), expected[reserve]);
		ck_assert_uint_eq(tw->model.seq[0].block_slots, expected[reserve]);
		ck_assert_int_eq(tw->pool.end_asked, reserve >= RESERVE_POW2);
		close_twin(tw);
	}
}
END_TEST

/* Up to a power of two, and not beyond one. */
START_TEST(powers_of_two_are_kept)
{
	static const uint32_t output[][2] = {{1, 1}, {2, 2}, {3, 4}, {31, 32}, {32, 32}, {33, 64}};

	for (size_t i = 0; i < sizeof(output) / sizeof(*output); i++) {
		struct twin *tw = open_twin(contiguous(RESERVE_POW2, PLACE_FIRST, 16, 1000, 200));

		ck_assert_int_eq(arrive(tw, 0, 10, 100, output[i][0]), 0);
		ck_assert_uint_eq(held(tw), 10 + output[i][1]);
		close_twin(tw);
	}
}
END_TEST

START_TEST(outgrow_moves_and_copies)
{
	struct twin *tw = open_twin(contiguous(RESERVE_ORACLE, PLACE_FIRST, 16, 100, 100));

	ck_assert_int_eq(arrive(tw, 0, 30, 2, 2), 0);
	ck_assert_int_eq(arrive(tw, 1, 9, 1, 1), 0);
	run(tw, 0, 20);
	ck_assert_int_eq(grow(tw, 0, 1), 0); /* 33 tokens: 40 are reserved */
	ck_assert_uint_eq(block_at(tw, 0, 0), 42);
	ck_assert_uint_eq(held(tw), 40 + 10);
	ck_assert_uint_eq(tw->copies.count, 1);
	ck_assert_uint_eq(tw->copies.at[0].from, 0);
	ck_assert_uint_eq(tw->copies.at[0].to, 42);
	ck_assert_uint_eq(tw->copies.at[0].slots, 20);
	ck_assert_int_eq(grow(tw, 0, 1), -ENOSPC); /* 50 slots more are nowhere in a row */
	ck_assert_uint_eq(tw->copies.count, 1);
	close_twin(tw);

	tw = open_twin(contiguous(RESERVE_ORACLE, PLACE_BUDDY, 16, 192, 192));
	ck_assert_int_eq(arrive(tw, 0, 30, 10, 10), 0); /* 40 tokens in a chunk of 64 */
	ck_assert_int_eq(grow(tw, 0, 1), 0);		/* 50, where they are */
	ck_assert_uint_eq(tw->model.seq[0].block_slots, 50);
	ck_assert_uint_eq(tw->copies.count, 0);
	ck_assert_uint_eq(held(tw), 64);
	close_twin(tw);
}
END_TEST

START_TEST(ends_must_be_known)
{
	static const char *const needs[] = {"contiguous,reserve=pow2", "contiguous,reserve=oracle"};

	for (size_t i = 0; i < 2; i++) {
		struct quire_loop_config config = {.scheduler = "static",
						   .allocator = needs[i],
						   .slots_total = 64,
						   .seqs_max = 1,
						   .seq_tokens_max = 64};

		ck_assert_ptr_null(quire_loop_new(&config));
		ck_assert_msg(strstr(quire_failure(), "true output lengths") != NULL, "%s",
			      quire_failure());
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("allocators");
	TCase *examples = tcase_create("examples");
	SRunner *runner;
	int failed;

	tcase_add_test(examples, four_blocks_then_no);
	tcase_add_test(examples, one_more_block_takes_one);
	tcase_add_test(examples, first_write_copies_the_shared_block);
	tcase_add_test(examples, full_block_is_shared_for_good);
	tcase_add_test(examples, no_room_to_copy_on_write);
	tcase_add_test(examples, without_cow_a_fork_copies);
	tcase_add_test(examples, watermark_is_kept_at_admission);
	tcase_add_test(examples, odd_end_of_the_pool);
	tcase_add_test(examples, buddy_seven_of_2048);
	tcase_add_test(examples, buddy_splits_and_merges);
	tcase_add_test(examples, first_and_best_fit);
	tcase_add_test(examples, reservations);
	tcase_add_test(examples, powers_of_two_are_kept);
	tcase_add_test(examples, outgrow_moves_and_copies);
	tcase_add_test(examples, ends_must_be_known);
	suite_add_tcase(suite, examples);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
