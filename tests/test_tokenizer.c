/*
 * test_tokenizer.c - text to tokens and back, and chats, against the tokenizers library.
 *
 * tests/fixtures/tokenizers/ holds small tokenizers of each family, texts in which
 * something may go wrong, and what the library makes of them; it is written by
 * tests/reference/tokenizer_fixtures.py.
 */
#include "core/model/chat.h"
#include "tokenizers.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- against the library ---- */

START_TEST(ids_are_those_of_the_library)
{
	const char *family = families[_i];
	struct quire_tokenizer *t = open_family(family);
	json_t *texts = load("texts.json"), *expected = load_of(family, "expected.json");
	const json_t *plain = json_object_get(expected, "plain");
	const json_t *special = json_object_get(expected, "special");
	struct quire_tokens ids = {.ids = NULL};
	json_t *latin;
	size_t i;

	json_array_foreach(texts, i, latin)
	{
		struct quire_text text = bytes_of(latin);
		const json_t *marked = json_array_get(special, i);

		ids.count = 0;
		ck_assert(quire_tokenizer_encode(t, text.text, text.bytes, 0, &ids) == 0);
		same_ids(family, i, &ids, json_array_get(plain, i));
		ids.count = 0;
		ck_assert(quire_tokenizer_encode(t, text.text, text.bytes, QUIRE_ENCODE_SPECIAL,
						 &ids) == 0);
		same_ids(family, i, &ids, json_is_null(marked) ? json_array_get(plain, i) : marked);
		quire_text_free(&text);
	}
	if (json_array_size(plain) != json_array_size(texts) || i < 200)
		ck_abort_msg("%zu texts, but %zu are expected", i, json_array_size(plain));
	ids.count = 0;
	ck_assert(quire_tokenizer_encode(t, "Hello, world!", 13, QUIRE_ENCODE_FRAME, &ids) == 0);
	same_ids("frame", 0, &ids, json_object_get(expected, "frame"));
	quire_tokens_free(&ids);
	json_decref(texts);
	json_decref(expected);
	quire_tokenizer_close(t);
}
END_TEST

/* Token by token: all that comes out is whole, and a copy goes on as the first does. */
static void stream(const struct quire_tokenizer *t, const char *family, size_t index,
		   const struct quire_tokens *ids, bool skip, const json_t *want)
{
	struct quire_text text = {.text = NULL}, forked = {.text = NULL};
	const size_t fork_at = ids->count / 2;
	struct quire_detokenizer d, copy;

	quire_detokenizer_begin(&d, t, skip);
	copy = d;
	for (size_t i = 0; i < ids->count; i++) {
		const size_t before = text.bytes;

		if (i == fork_at) {
			copy = d;
			ck_assert(quire_text_add(&forked, text.text, text.bytes) == 0);
		}
		ck_assert(quire_detokenizer_next(&d, ids->ids[i], &text) == 0);
		if (text.bytes > before &&
		    !quire_utf8_valid(text.text + before, text.bytes - before))
			ck_abort_msg("%s %zu: half a character after token %zu", family, index, i);
		if (i >= fork_at)
			ck_assert(quire_detokenizer_next(&copy, ids->ids[i], &forked) == 0);
	}
	ck_assert(quire_detokenizer_end(&d, &text) == 0);
	ck_assert(quire_detokenizer_end(&copy, &forked) == 0);
	same_text(family, index, &text, want);
	same_text("a fork", index, &forked, want);
	quire_text_free(&text);
	quire_text_free(&forked);
}

START_TEST(text_is_that_of_the_library)
{
	const char *family = families[_i];
	struct quire_tokenizer *t = open_family(family);
	json_t *texts = load("texts.json"), *expected = load_of(family, "expected.json");
	const json_t *shown = json_object_get(expected, "text");
	struct quire_tokens ids = {.ids = NULL};
	struct quire_text whole = {.text = NULL};
	json_t *latin, *item, *id;
	size_t i, j;

	json_array_foreach(texts, i, latin)
	{
		struct quire_text text = bytes_of(latin);

		ids.count = 0;
		whole.bytes = 0;
		ck_assert(quire_tokenizer_encode(t, text.text, text.bytes,
						 QUIRE_ENCODE_SPECIAL | QUIRE_ENCODE_FRAME,
						 &ids) == 0);
		stream(t, family, i, &ids, false, json_array_get(shown, i));
		ck_assert(quire_tokenizer_decode(t, ids.ids, ids.count, false, &whole) == 0);
		same_text(family, i, &whole, json_array_get(shown, i));
		quire_text_free(&text);
	}
	json_array_foreach(json_object_get(expected, "streams"), i, item)
	{
		const json_t *skipped = json_array_get(item, 2);

		ids.count = 0;
		json_array_foreach(json_array_get(item, 0), j, id)
			ck_assert(quire_tokens_add(&ids, (uint32_t)json_integer_value(id)) == 0);
		stream(t, family, i, &ids, false, json_array_get(item, 1));
		stream(t, family, i, &ids, true,
		       json_is_null(skipped) ? json_array_get(item, 1) : skipped);
	}
	ck_assert(i >= 50);
	quire_tokens_free(&ids);
	quire_text_free(&whole);
	json_decref(texts);
	json_decref(expected);
	quire_tokenizer_close(t);
}
END_TEST

/* ---- pieces, and special tokens in them ---- */

START_TEST(plain_text_in_pieces_is_one_text)
{
	const char *family = families[_i];
	struct quire_tokenizer *t = open_family(family);
	json_t *texts = load("texts.json"), *expected = load_of(family, "expected.json");
	struct quire_tokens ids = {.ids = NULL};
	uint64_t state = seed();
	json_t *latin;
	size_t i;

	json_array_foreach(texts, i, latin)
	{
		struct quire_text text = bytes_of(latin);
		struct quire_piece pieces[5] = {{.text = text.text}};
		size_t count = 1;

		/* Cuts within a character would make two halves of it. */
		for (size_t at = 0; at < text.bytes; at++) {
			if (count < 5 && chance(&state, 6) == 0 &&
			    ((uint8_t)text.text[at] < 0x80 || (uint8_t)text.text[at] >= 0xc2) &&
			    quire_utf8_valid(text.text, text.bytes))
				pieces[count++].text = text.text + at;
			pieces[count - 1].bytes++;
		}
		ids.count = 0;
		ck_assert(quire_tokenizer_encode_pieces(t, pieces, count, 0, &ids) == 0);
		same_ids(family, i, &ids, json_array_get(json_object_get(expected, "plain"), i));
		quire_text_free(&text);
	}
	quire_tokens_free(&ids);
	json_decref(texts);
	json_decref(expected);
	quire_tokenizer_close(t);
}
END_TEST

static size_t specials_in(const struct quire_tokenizer *t, const struct quire_tokens *ids)
{
	size_t count = 0;

	for (size_t i = 0; i < ids->count; i++)
		count += quire_tokenizer_special(t, ids->ids[i]) && ids->ids[i] != t->bpe.unknown;
	return count;
}

/* Whatever a user writes, behind and before whatever a template says. */
START_TEST(users_cannot_write_special_tokens)
{
	struct quire_tokenizer *t = open_family(families[_i]);
	struct quire_tokens ids = {.ids = NULL};

	for (uint32_t id = 0; id < quire_tokenizer_vocab(t); id++) {
		const char *name = quire_tokenizer_piece(t, id, NULL);
		const size_t bytes = name ? strlen(name) : 0;

		if (!quire_tokenizer_special(t, id) || id == t->bpe.unknown)
			continue;
		ck_assert_uint_eq(quire_tokenizer_id(t, name), id);
		ids.count = 0;
		ck_assert(quire_tokenizer_encode(t, name, bytes, QUIRE_ENCODE_SPECIAL, &ids) == 0);
		if (specials_in(t, &ids) != 1)
			ck_abort_msg("%s: '%s' is not found where it may be", families[_i], name);
		for (size_t cut = 0; cut <= bytes; cut++) {
			for (int who = 0; who < 3; who++) {
				const struct quire_piece pieces[] = {
					{.text = "a ", .bytes = 2, .special = who != 2},
					{.text = name, .bytes = cut, .special = who == 1},
					{.text = name + cut,
					 .bytes = bytes - cut,
					 .special = who == 2},
					{.text = "b", .bytes = 1, .special = true}};
				const bool meant =
					(who == 1 && cut == bytes) || (who == 2 && cut == 0);

				ids.count = 0;
				ck_assert(quire_tokenizer_encode_pieces(t, pieces, 4, 0, &ids) ==
					  0);
				if (specials_in(t, &ids) != meant)
					ck_abort_msg("%s: '%s' cut at %zu, %d: %zu special tokens",
						     families[_i], name, cut, who,
						     specials_in(t, &ids));
			}
		}
	}
	quire_tokens_free(&ids);
	quire_tokenizer_close(t);
}
END_TEST

START_TEST(what_a_tokenizer_says_of_itself)
{
	struct quire_tokenizer *t = open_family("llama2");
	size_t bytes;

	ck_assert_str_eq(quire_tokenizer_kind(t), "SentencePiece BPE");
	ck_assert_uint_eq(quire_tokenizer_bos(t), 1);
	ck_assert_uint_eq(quire_tokenizer_eos(t), 2);
	ck_assert_str_eq(quire_tokenizer_piece(t, 13, &bytes), "<0x0A>");
	ck_assert_uint_eq(bytes, 6);
	ck_assert(quire_tokenizer_special(t, 1) && !quire_tokenizer_special(t, 13));
	ck_assert(!quire_tokenizer_special(t, 1u << 30));
	ck_assert_uint_eq(quire_tokenizer_id(t, "no such piece"), QUIRE_TOKEN_NONE);
	ck_assert_ptr_null(quire_tokenizer_piece(t, quire_tokenizer_vocab(t), &bytes));
	ck_assert_uint_eq(bytes, 0);
	ck_assert_str_eq(quire_chat_family(t), "llama2");
	quire_tokenizer_close(t);
	t = open_family("gpt2");
	ck_assert_str_eq(quire_tokenizer_kind(t), "byte-level BPE");
	ck_assert_uint_eq(quire_tokenizer_bos(t), quire_tokenizer_id(t, "<|endoftext|>"));
	ck_assert_uint_eq(quire_tokenizer_vocab(t), 701);
	ck_assert_ptr_null(quire_tokenizer_chat_template(t));
	ck_assert_ptr_null(quire_chat_family(t));
	quire_tokenizer_close(t);
	t = open_family("qwen2");
	ck_assert_uint_eq(quire_tokenizer_bos(t), QUIRE_TOKEN_NONE);
	quire_tokenizer_close(t);
}
END_TEST

/* What follows a prompt keeps the space before its first word. */
START_TEST(a_prompt_primes_the_detokenizer)
{
	struct quire_tokenizer *t = open_family("llama2");
	struct quire_tokens ids = {.ids = NULL};
	struct quire_text text = {.text = NULL};
	struct quire_detokenizer d;

	ck_assert(quire_tokenizer_encode(t, "the dog", 7, QUIRE_ENCODE_FRAME, &ids) == 0);
	quire_detokenizer_begin(&d, t, true);
	for (size_t i = 0; i < ids.count; i++)
		ck_assert(quire_detokenizer_next(&d, ids.ids[i], &text) == 0);
	ck_assert(text.bytes == 7 && memcmp(text.text, "the dog", 7) == 0);
	text.bytes = 0;
	for (size_t i = 1; i < ids.count; i++)
		ck_assert(quire_detokenizer_next(&d, ids.ids[i], &text) == 0);
	ck_assert(text.bytes == 8 && memcmp(text.text, " the dog", 8) == 0);
	/* An id of a padded embedding has no text. */
	ck_assert(quire_detokenizer_next(&d, quire_tokenizer_vocab(t) + 100, &text) == 0);
	ck_assert_uint_eq(text.bytes, 8);
	quire_text_free(&text);
	quire_tokens_free(&ids);
	quire_tokenizer_close(t);
}
END_TEST

/* ---- chats ---- */

static enum quire_role role_of(const json_t *message)
{
	const char *role = json_string_value(json_object_get(message, "role"));

	return *role == 's' ? QUIRE_SYSTEM : *role == 'u' ? QUIRE_USER : QUIRE_ASSISTANT;
}

static void check_conversation(const struct quire_tokenizer *t, size_t index, const json_t *item)
{
	const json_t *list = json_object_get(item, "messages"),
		     *want = json_object_get(item, "text");
	const json_t *want_ids = json_object_get(item, "ids");
	struct quire_text text = {.text = NULL}, said = {.text = NULL};
	struct quire_tokens ids = {.ids = NULL};
	struct quire_message messages[8];
	struct quire_chat chat;
	json_t *message;
	size_t i;
	int rc;

	json_array_foreach((json_t *)list, i, message)
	{
		const json_t *content = json_object_get(message, "content");

		messages[i] = (struct quire_message){.role = role_of(message),
						     .text = json_string_value(content),
						     .bytes = json_string_length(content)};
	}
	rc = quire_chat_format(t, messages, i, &chat);
	if (json_is_null(want)) {
		if (rc != -EINVAL || chat.pieces)
			ck_abort_msg("template %zu: a conversation that it refuses: %d", index, rc);
		return;
	}
	if (rc)
		ck_abort_msg("template %zu: %s", index, quire_failure());
	for (i = 0; i < chat.count; i++) {
		ck_assert(quire_text_add(&text, chat.pieces[i].text, chat.pieces[i].bytes) == 0);
		if (!chat.pieces[i].special)
			ck_assert(quire_text_add(&said, chat.pieces[i].text,
						 chat.pieces[i].bytes) == 0);
	}
	same_text("template", index, &text, want);
	ck_assert(quire_text_add(&said, "", 1) == 0);
	if (strstr(json_string_value(want), "evil") && !strstr(said.text, "<|im_start|>system"))
		ck_abort_msg("template %zu: what a user wrote is the template's", index);
	ck_assert(quire_chat_encode(t, messages, json_array_size(list), &ids) == 0);
	if (!json_is_null(want_ids))
		same_ids("template", index, &ids, want_ids);
	quire_chat_free(&chat);
	quire_text_free(&text);
	quire_text_free(&said);
	quire_tokens_free(&ids);
}

START_TEST(chats_are_those_of_their_templates)
{
	json_t *templates = load("templates.json"), *item, *conversation;
	const struct quire_message hello = {.role = QUIRE_USER, .text = "Hello", .bytes = 5};
	size_t i, j, known = 0;

	json_array_foreach(templates, i, item)
	{
		const char *family = json_string_value(json_object_get(item, "tokenizer"));
		const json_t *conversations = json_object_get(item, "conversations");
		struct quire_tokenizer *t = open_family(family);
		struct quire_chat chat;

		free(t->chat_template);
		t->chat_template = strdup(json_string_value(json_object_get(item, "template")));
		if (json_is_null(conversations)) {
			if (quire_chat_family(t) ||
			    quire_chat_format(t, &hello, 1, &chat) != -ENOTSUP)
				ck_abort_msg("template %zu is thought to be known", i);
			ck_assert_ptr_nonnull(strstr(quire_failure(), "of no family"));
		} else {
			known++;
			if (!quire_chat_family(t))
				ck_abort_msg("template %zu: %s", i, quire_failure());
			json_array_foreach((json_t *)conversations, j, conversation)
				check_conversation(t, i, conversation);
		}
		quire_tokenizer_close(t);
	}
	ck_assert_uint_ge(known, 12);
	json_decref(templates);
}
END_TEST

START_TEST(a_chat_ends_with_a_user)
{
	const struct quire_message messages[] = {{.role = QUIRE_USER, .text = "a", .bytes = 1},
						 {.role = QUIRE_ASSISTANT, .text = "b", .bytes = 1},
						 {.role = QUIRE_USER, .text = "c", .bytes = 1},
						 {.role = QUIRE_USER, .text = "d", .bytes = 1}};
	struct quire_tokenizer *qwen2 = open_family("qwen2"), *llama2 = open_family("llama2");
	struct quire_tokenizer *gpt2 = open_family("gpt2");
	struct quire_chat chat;

	ck_assert_int_eq(quire_chat_format(qwen2, messages, 0, &chat), -EINVAL);
	ck_assert_int_eq(quire_chat_format(qwen2, messages, 2, &chat), -EINVAL);
	ck_assert_int_eq(quire_chat_format(qwen2, messages, 4, &chat), 0);
	quire_chat_free(&chat);
	ck_assert_int_eq(quire_chat_format(llama2, messages, 3, &chat), 0);
	quire_chat_free(&chat);
	ck_assert_int_eq(quire_chat_format(llama2, messages, 4, &chat), -EINVAL);
	ck_assert_int_eq(quire_chat_format(gpt2, messages, 1, &chat), -ENOTSUP);
	llama2->bos = QUIRE_TOKEN_NONE;
	ck_assert_int_eq(quire_chat_format(llama2, messages, 1, &chat), -EINVAL);
	quire_tokenizer_close(qwen2);
	quire_tokenizer_close(llama2);
	quire_tokenizer_close(gpt2);
}
END_TEST

/* ---- long texts, several threads ---- */

START_TEST(long_texts_take_their_length)
{
	static const char *const patterns[] = {"a",
					       " ",
					       "\n",
					       "1",
					       "!",
					       "ab",
					       "\xcc\x81",
					       "\xe4\xb8\xad",
					       "\xff",
					       "<|im_end|>",
					       "'s",
					       "a ",
					       "\xcc\x81\xcc\x96"};
	const size_t bytes = 1 << 20;
	struct quire_tokenizer *t = open_family(families[_i]);
	struct quire_tokens ids = {.ids = NULL};
	struct quire_text back = {.text = NULL};
	char *text = malloc(bytes + 16);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		const size_t length = strlen(patterns[i]);

		for (size_t at = 0; at < bytes; at += length)
			memcpy(text + at, patterns[i], length);
		ids.count = 0;
		back.bytes = 0;
		ck_assert_msg(quire_tokenizer_encode(t, text, bytes / length * length, 0, &ids) ==
				      0,
			      "%s", quire_failure());
		ck_assert(quire_tokenizer_decode(t, ids.ids, ids.count, false, &back) == 0);
	}
	free(text);
	quire_tokens_free(&ids);
	quire_text_free(&back);
	quire_tokenizer_close(t);
}
END_TEST

START_TEST(a_text_may_be_too_long)
{
	struct quire_tokenizer *t = open_family("gpt2");
	struct quire_tokens ids = {.ids = NULL};
	const struct quire_piece pieces[] = {{.text = "a", .bytes = 1u << 29},
					     {.text = "a", .bytes = 1u << 29}};

	ck_assert_int_eq(quire_tokenizer_encode(t, "a", SIZE_MAX, 0, &ids), -EINVAL);
	ck_assert_int_eq(quire_tokenizer_encode_pieces(t, pieces, 2, 0, &ids), -EINVAL);
	ck_assert_ptr_null(ids.ids);
	quire_tokenizer_close(t);
}
END_TEST

struct crowd {
	const struct quire_tokenizer *t;
	json_t *texts;
	const json_t *plain;
};

static void *encode_all(void *arg)
{
	const struct crowd *c = arg;
	struct quire_tokens ids = {.ids = NULL};
	json_t *latin;
	size_t i;

	json_array_foreach(c->texts, i, latin)
	{
		struct quire_text text = bytes_of(latin);

		ids.count = 0;
		if (quire_tokenizer_encode(c->t, text.text, text.bytes, 0, &ids))
			ck_abort_msg("%s", quire_failure());
		same_ids("thread", i, &ids, json_array_get(c->plain, i));
		quire_text_free(&text);
	}
	quire_tokens_free(&ids);
	return NULL;
}

START_TEST(threads_share_a_tokenizer)
{
	struct quire_tokenizer *t = open_family("qwen2");
	json_t *expected = load_of("qwen2", "expected.json");
	struct crowd crowd = {
		.t = t, .texts = load("texts.json"), .plain = json_object_get(expected, "plain")};
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		ck_assert(pthread_create(&threads[i], NULL, encode_all, &crowd) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	json_decref(crowd.texts);
	json_decref(expected);
	quire_tokenizer_close(t);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tokenizer");
	TCase *library = tcase_create("library"), *chats = tcase_create("chats");
	TCase *lengths = tcase_create("lengths");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(library, ids_are_those_of_the_library, 0, FAMILIES);
	tcase_add_loop_test(library, text_is_that_of_the_library, 0, FAMILIES);
	tcase_add_loop_test(library, plain_text_in_pieces_is_one_text, 0, FAMILIES);
	tcase_add_loop_test(library, users_cannot_write_special_tokens, 0, FAMILIES);
	tcase_add_test(library, what_a_tokenizer_says_of_itself);
	tcase_add_test(library, a_prompt_primes_the_detokenizer);
	tcase_add_test(library, threads_share_a_tokenizer);
	suite_add_tcase(suite, library);
	tcase_add_test(chats, chats_are_those_of_their_templates);
	tcase_add_test(chats, a_chat_ends_with_a_user);
	suite_add_tcase(suite, chats);
	tcase_add_loop_test(lengths, long_texts_take_their_length, 0, FAMILIES);
	tcase_add_test(lengths, a_text_may_be_too_long);
	suite_add_tcase(suite, lengths);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}
