/*
 * test_bpe.c - merging and normal forms against something too simple to be wrong, on
 * random input.
 */
#include "tokenizers.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Of all neighbours the ones with the least rank, the leftmost first, again and again. */
static size_t merge_simply(const struct quire_merge *merges, size_t merges_count, uint32_t *ids,
			   size_t count)
{
	for (;;) {
		const struct quire_merge *best = NULL;
		size_t where = 0;

		for (size_t i = 0; i + 1 < count; i++)
			for (size_t m = 0; m < merges_count; m++)
				if (merges[m].left == ids[i] && merges[m].right == ids[i + 1] &&
				    (!best || merges[m].rank < best->rank)) {
					best = &merges[m];
					where = i;
				}
		if (!best)
			return count;
		ids[where] = best->id;
		memmove(&ids[where + 1], &ids[where + 2], (count - where - 2) * sizeof(*ids));
		count--;
	}
}

enum { PIECES_MAX = 300, MERGES_MAX = 60, WORD_MAX = 80 };

/* Random merges of the 256 bytes by number, "a", "b", "c" and U+2581. */
START_TEST(merging_is_what_it_says)
{
	static char texts[PIECES_MAX][256];
	struct quire_vocab_piece pieces[PIECES_MAX];
	struct quire_merge simple[MERGES_MAX], *merges = malloc(sizeof(simple));
	struct quire_bpe bpe = {.byte_fallback = true, .unknown = QUIRE_TOKEN_NONE};
	struct quire_bpe_work work = {.symbols = NULL};
	struct quire_tokens out = {.ids = NULL};
	struct quire_vocab vocab;
	uint64_t state = seed() + (uint64_t)_i;
	uint32_t count = 0, merges_count = 0;

	for (int i = 0; i < 256; i++)
		snprintf(texts[count++], sizeof(texts[0]), "<0x%02X>", i);
	strcpy(texts[count++], "a");
	strcpy(texts[count++], "b");
	strcpy(texts[count++], "c");
	strcpy(texts[count++], "\xe2\x96\x81");
	while (merges_count < MERGES_MAX && count < PIECES_MAX) {
		const uint32_t left = 256 + chance(&state, count - 256);
		const uint32_t right = 256 + chance(&state, count - 256);
		bool known = strlen(texts[left]) + strlen(texts[right]) > 60;
		size_t left_bytes;

		/* Half of the vocabularies never join a space to what is before it. */
		if (_i % 2 && texts[right][0] == '\xe2' &&
		    texts[left][strlen(texts[left]) - 1] != '\x81')
			continue;
		for (uint32_t m = 0; m < merges_count; m++)
			known |= simple[m].left == left && simple[m].right == right;
		if (known)
			continue;
		left_bytes = strlen(texts[left]);
		memcpy(texts[count], texts[left], left_bytes);
		memcpy(texts[count] + left_bytes, texts[right], strlen(texts[right]) + 1);
		simple[merges_count] = (struct quire_merge){
			.left = left, .right = right, .rank = merges_count, .id = count};
		for (uint32_t p = 256; p < count; p++)
			if (strcmp(texts[p], texts[count]) == 0)
				simple[merges_count].id = p;
		count += simple[merges_count++].id == count;
	}
	for (uint32_t i = 0; i < count; i++)
		pieces[i] = (struct quire_vocab_piece){.text = texts[i],
						       .bytes = (uint32_t)strlen(texts[i]),
						       .id = i,
						       .model = true};
	ck_assert_msg(quire_vocab_make(&vocab, "test", pieces, count) == 0, "%s", quire_failure());
	bpe.vocab = &vocab;
	memcpy(merges, simple, sizeof(simple));
	ck_assert(quire_bpe_make(&bpe, "test", merges, merges_count) == 0);
	if (_i % 2)
		ck_assert(bpe.splits_at_spaces);
	for (int round = 0; round < 200; round++) {
		uint32_t ids[WORD_MAX];
		char word[3 * WORD_MAX + 1] = "";
		size_t symbols = 1 + chance(&state, WORD_MAX), left;

		for (size_t i = 0; i < symbols; i++) {
			ids[i] = 256 + chance(&state, chance(&state, 3) ? 2 : 4);
			strcat(word, texts[ids[i]]);
		}
		left = merge_simply(simple, merges_count, ids, symbols);
		out.count = 0;
		ck_assert(quire_bpe_word(&bpe, &work, word, strlen(word), &out) == 0);
		if (out.count != left || memcmp(out.ids, ids, left * sizeof(*ids)) != 0)
			ck_abort_msg("seed %llu, vocabulary %d: '%s' is not merged as it should be",
				     (unsigned long long)seed(), _i, word);
	}
	quire_bpe_work_free(&work);
	quire_tokens_free(&out);
	quire_bpe_free(&bpe);
	quire_vocab_free(&vocab);
}
END_TEST

START_TEST(normal_form_is_that_of_utf8proc)
{
	static const uint32_t ranges[][2] = {
		{0x20, 0x7f},	  {0xc0, 0x250},    {0x300, 0x370},   {0x5b0, 0x5d0},
		{0x900, 0xa00},	  {0x1100, 0x1200}, {0x1ab0, 0x1ace}, {0x1e00, 0x2000},
		{0x2126, 0x2130}, {0xac00, 0xad00}, {0xf900, 0xfb50}, {0x1d150, 0x1d1c0}};
	struct quire_text text = {.text = NULL}, made = {.text = NULL};
	uint64_t state = seed();

	for (int round = 0; round < 20000; round++) {
		const uint32_t count = chance(&state, 20);
		utf8proc_uint8_t *want = NULL;
		utf8proc_ssize_t bytes;

		text.bytes = made.bytes = 0;
		for (uint32_t i = 0; i < count; i++) {
			const uint32_t *range = ranges[chance(&state, 12)];

			if (chance(&state, 3) == 0)
				range = ranges[2];
			ck_assert(quire_text_add_code(
					  &text, range[0] + chance(&state, range[1] - range[0])) ==
				  0);
		}
		bytes = utf8proc_map((const utf8proc_uint8_t *)text.text,
				     (utf8proc_ssize_t)text.bytes, &want,
				     UTF8PROC_STABLE | UTF8PROC_COMPOSE);
		if (quire_nfc(&made, text.text, text.bytes) || bytes < 0 ||
		    made.bytes != (size_t)bytes ||
		    (bytes && memcmp(made.text, want, made.bytes) != 0))
			ck_abort_msg("seed %llu, round %d: '%.*s'", (unsigned long long)seed(),
				     round, (int)text.bytes, text.text);
		free(want);
	}
	quire_text_free(&text);
	quire_text_free(&made);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bpe");
	TCase *tcase = tcase_create("bpe");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, merging_is_what_it_says, 0, 40);
	tcase_add_test(tcase, normal_form_is_that_of_utf8proc);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}
