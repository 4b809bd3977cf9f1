/*
 * test_tokenizer_files.c - files of tokenizers that are refused, with a sentence that says
 * why, and those that are not.
 */
#include "tokenizers.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/quire-test-tokenizer-XXXXXX";

static const char *write_file(const char *name, const char *text, size_t bytes)
{
	static char path[256];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(text, 1, bytes, out), bytes);
	fclose(out);
	return path;
}

/* One key of a sound file is changed; keys of objects within are separated by '/'. */
struct change {
	const char *family;
	const char *key;
	const char *value; /* JSON; NULL: the key goes */
	const char *says;  /* what the sentence holds; NULL: it is accepted */
};

static void change(json_t *root, const struct change *c)
{
	const char *key = c->key, *slash;
	char part[64];

	for (; (slash = strchr(key, '/')); key = slash + 1) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - key), key);
		root = json_is_array(root) ? json_array_get(root, strtoul(part, NULL, 10))
					   : json_object_get(root, part);
		ck_assert_ptr_nonnull(root);
	}
	if (!c->value)
		ck_assert(json_object_del(root, key) == 0);
	else if (json_is_array(root))
		ck_assert(json_array_append_new(root,
						json_loads(c->value, JSON_DECODE_ANY, NULL)) == 0);
	else
		ck_assert(json_object_set_new(root, key,
					      json_loads(c->value, JSON_DECODE_ANY, NULL)) == 0);
}

#define SPLIT(pattern)                                                                             \
	"{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":"    \
	"\"" pattern "\"},\"behavior\":\"Isolated\",\"invert\":false},"                            \
	"{\"type\":\"ByteLevel\",\"use_regex\":false}]}"

#define SIXTY	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SIXTY_IDS "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"

static const struct change changes[] = {
	{"gpt2", "version", "\"2.0\"", "version '2.0' is not built"},
	{"gpt2", "padding", "{}", NULL},
	{"gpt2", "surprise", "1", "key 'surprise' is not known"},
	{"gpt2", "", "1", "key '' is not known"},
	{"gpt2", "version|truncation", "1", "is not known"},
	{"gpt2", "model", NULL, "model: expected an object"},
	{"gpt2", "model", "[]", "model: expected an object"},
	{"gpt2", "model/type", "\"Unigram\"", "type 'Unigram' is not built"},
	{"gpt2", "model/type", NULL, NULL},
	{"gpt2", "model/type", "7", "key 'type' must be a text"},
	{"gpt2", "model/dropout", "0.1", "'dropout' is not built"},
	{"gpt2", "model/dropout", "0.0", NULL},
	{"gpt2", "model/end_of_word_suffix", "\"</w>\"", "'end_of_word_suffix' is not built"},
	{"gpt2", "model/continuing_subword_prefix", "\"##\"", "is not built"},
	{"gpt2", "model/byte_fallback", "true", "byte_fallback with ByteLevel is not built"},
	{"gpt2", "model/fuse_unk", "1", "'fuse_unk' must be true or false"},
	{"gpt2", "model/more", "1", "key 'more' is not known"},
	{"gpt2", "model/unk_token", "\"nowhere\"", "unk_token 'nowhere' is not in"},
	{"gpt2", "model/vocab", NULL, "vocab: expected an object"},
	{"gpt2", "model/vocab/!", NULL, "which is not in the vocabulary"},
	{"gpt2", "model/vocab/\u0100", NULL, "byte <0x00> has no token"},
	{"gpt2", "model/vocab/\u00c0", NULL, NULL}, /* no UTF-8 has the byte 0xc0 */
	{"gpt2", "model/vocab/x", "-1", "id -1 of 'x'"},
	{"gpt2", "model/vocab/x", "1.5", "the id of 'x' must be a whole number"},
	{"gpt2", "model/vocab/new", "16777216", "id 16777216 of 'new', expected 0 to 16777215"},
	{"gpt2", "model/vocab/new", "4000000000000000000", "expected 0 to 16777215"},
	{"gpt2", "model/vocab/new", "16777215", "but there are only 702 tokens"},
	{"gpt2", "model/vocab/new", "30000", NULL},
	{"gpt2", "model/vocab/new", "5", "id 5 is that of '&' and of 'new'"},
	{"gpt2", "model/merges", NULL, "merges: expected a list"},
	{"gpt2", "model/merges/-", "\"a\"", "is not a pair of pieces"},
	{"gpt2", "model/merges/-", "\"a b c\"", "is not a pair of pieces"},
	{"gpt2", "model/merges/-", "[\"a\"]", "is not a pair of pieces"},
	{"gpt2", "model/merges/-", "[\"a\",\"b\",\"c\"]", "is not a pair of pieces"},
	{"gpt2", "model/merges/-", "[\"a\",7]", "is not a pair of pieces"},
	{"gpt2", "model/merges/-", "7", "is not a pair of pieces"},
	{"gpt2", "model/merges/-", "\"q q\"", "names 'qq', which is not in the vocabulary"},
	{"gpt2", "model/merges/-", "\"nowhere a\"", "names 'nowhere'"},
	{"gpt2", "model/merges/-", "\"<|endoftext|> a\"", "names '<|endoftext|>'"},
	{"gpt2", "added_tokens", "{}", "added_tokens: expected a list"},
	{"gpt2", "added_tokens", NULL, NULL},
	{"gpt2", "added_tokens/-", "7", "expected an object"},
	{"gpt2", "added_tokens/-", "{\"content\":\"x\",\"id\":87}", NULL},
	{"gpt2", "added_tokens/-", "{\"content\":\"x\",\"id\":88}", "has id 88 here, and 87"},
	{"gpt2", "added_tokens/-", "{\"content\":\"xyzzy\",\"id\":88}", "id 88 is that of"},
	{"gpt2", "added_tokens/-", "{\"content\":\"\",\"id\":701}", "content of 0 bytes"},
	{"gpt2", "added_tokens/-", "{\"content\":\"xyzzy\"}", "id of 'xyzzy' must be"},
	{"gpt2", "added_tokens/-", "{\"id\":701}", "'content' is missing"},
	{"gpt2", "added_tokens/-", "{\"content\":\"xyzzy\",\"id\":701,\"q\":1}",
	 "'q' is not known"},
	{"gpt2", "added_tokens/-", "{\"content\":\"xyzzy\",\"id\":701,\"lstrip\":1}", "'lstrip'"},
	{"gpt2", "added_tokens/-", "{\"content\":\"<|endoftext|>\",\"id\":701}", "there twice"},
	{"gpt2", "normalizer", "{\"type\":\"Lowercase\"}", "'Lowercase' is not built"},
	{"gpt2", "normalizer", "{}", "key 'type' is missing"},
	{"gpt2", "normalizer", "7", "normalizer: expected an object"},
	{"gpt2", "normalizer", "{\"type\":\"NFC\",\"x\":1}", "key 'x' is not known"},
	{"gpt2", "normalizer",
	 "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a\"},\"content\":\"b\"}",
	 "key 'Regex' is not known"},
	{"gpt2", "normalizer",
	 "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"b\"}",
	 "nothing to replace"},
	{"gpt2", "normalizer",
	 "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"bbbb\"}",
	 "more than three times as long"},
	{"gpt2", "normalizer", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Sequence\"}]}",
	 "a Sequence in one is not built"},
	{"gpt2", "pre_tokenizer", "null", "characters without a token would be lost"},
	{"gpt2", "pre_tokenizer", "{\"type\":\"Whitespace\"}", "'Whitespace' is not built"},
	{"gpt2", "pre_tokenizer/use_regex", "0", "'use_regex' must be true or false"},
	{"gpt2", "pre_tokenizer",
	 "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"ByteLevel\"},{\"type\":\"Digits\"}]"
	 "}",
	 "Digits behind ByteLevel is not built"},
	{"llama3", "pre_tokenizer/pretokenizers/0/behavior", "\"MergedWithNext\"",
	 "behavior 'MergedWithNext' is not built"},
	{"llama3", "pre_tokenizer/pretokenizers/0/pattern", "{}", "expected a Regex or a String"},
	{"llama3", "pre_tokenizer", SPLIT("\\\\p{L}+|\\\\s|."), NULL},
	{"llama3", "pre_tokenizer", SPLIT("[\\\\p{Han}\\\\u4e00]|\\\\x{1F600}|\\\\v"), NULL},
	{"llama3", "pre_tokenizer", SPLIT("a("), "pattern: missing closing parenthesis"},
	{"llama3", "pre_tokenizer", SPLIT("a)xyz"), "closing parenthesis, at ')xyz'"},
	{"llama3", "pre_tokenizer", SPLIT("(a)\\\\1"), "this escape is not built, at '\\1'"},
	{"llama3", "pre_tokenizer", SPLIT("\\\\bx"), "this escape is not built"},
	{"llama3", "pre_tokenizer", SPLIT("\\\\w+"), "this escape is not built"},
	{"llama3", "pre_tokenizer", SPLIT("^x"), "an anchor is not built"},
	{"llama3", "pre_tokenizer", SPLIT("x{2}+"), "this repetition is not built"},
	{"llama3", "pre_tokenizer", SPLIT("x{,2}"), "this repetition is not built"},
	{"llama3", "pre_tokenizer", SPLIT("(?i)x"), "this group is not built"},
	{"llama3", "pre_tokenizer", SPLIT("(*ACCEPT)x"), "this group is not built"},
	{"llama3", "pre_tokenizer", SPLIT("(?R)x"), "this group is not built"},
	{"llama3", "pre_tokenizer", SPLIT("[a[b]]"), "a class within a class"},
	{"llama3", "pre_tokenizer", SPLIT("[a&&b]"), "a class within a class"},
	{"llama3", "pre_tokenizer", SPLIT("[]a]"), "a class that begins with ']'"},
	{"llama3", "pre_tokenizer", SPLIT("[^\\\\S]"), "this escape is not built"},
	{"llama3", "pre_tokenizer", SPLIT("[a"), "a class without an end"},
	{"llama3", "pre_tokenizer", SPLIT("\\\\p{Letter}"), "pattern: "},
	{"llama3", "pre_tokenizer", SPLIT("\\\\pL"), "this property is not built"},
	{"llama3", "pre_tokenizer", SPLIT("\\\\p{Xx}"), "this property is not built"},
	{"llama3", "pre_tokenizer", SPLIT("(?i:\\\\p{Lu})"), "the case of a letter"},
	{"llama3", "pre_tokenizer", SPLIT("(?i:ss)"), "a ligature's letters"},
	{"llama3", "pre_tokenizer", SPLIT("(?i:\u00e9)"), "this character where case is ignored"},
	{"llama3", "pre_tokenizer", SPLIT("\\\\xe4"), "this number of a character"},
	{"llama3", "pre_tokenizer", SPLIT("\\\\"), "this escape is not built"},
	{"llama3", "pre_tokenizer", SPLIT("a*"), "a pattern that matches nothing at all"},
	{"llama3", "pre_tokenizer", SPLIT(""), "an empty pattern"},
	{"metaspace", "pre_tokenizer/prepend_scheme", "\"maybe\"", "prepend_scheme 'maybe'"},
	{"metaspace", "pre_tokenizer/add_prefix_space", "false", "contradict each other"},
	{"metaspace", "pre_tokenizer/replacement", "\"ab\"", "must be one character"},
	{"metaspace", "model/unk_token", NULL, "characters without a token would be lost"},
	{"llama2", "model/byte_fallback", "false", NULL},
	{"llama2", "model/vocab/<0xFF>", NULL, "byte <0xFF> has no token"},
	{"llama2", "post_processor", "{\"type\":\"BertProcessing\"}",
	 "'BertProcessing' is not built"},
	{"llama2", "post_processor", "null", NULL},
	{"llama2", "post_processor/special_tokens", "{}", "'<s>' has no ids"},
	{"llama2", "post_processor/special_tokens/<s>/ids", "[99999]", "is that of no token"},
	{"llama2", "post_processor/special_tokens/<s>/ids", "[\"x\"]", "is that of no token"},
	{"llama2", "normalizer/normalizers/-",
	 "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"bb\"}",
	 "more than three times as long"},
	{"llama2", "normalizer/normalizers/-",
	 "{\"type\":\"Prepend\",\"prepend\":\"" SIXTY "123456\"}",
	 "a prefix of more than 64 bytes"},
	{"llama2", "post_processor/special_tokens/<s>/ids", "[" SIXTY_IDS SIXTY_IDS "1]",
	 "more than 64 tokens are not built"},
	{"llama2", "post_processor/single", "[]", "the template has no Sequence A"},
	{"llama2", "post_processor/single", "[{\"Sequence\":{\"id\":\"B\"}}]", "is not built"},
	{"llama2", "post_processor/single", "7", "'single' must be a list"},
	{"llama2", "decoder", "null", "without a decoder"},
	{"llama2", "decoder", "{\"type\":\"WordPiece\"}", "'WordPiece' is not built"},
	{"llama2", "decoder", "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}",
	 "'Strip' at this place is not built"},
	{"llama2", "decoder/decoders/3/stop", "1", "Strip of anything but leading spaces"},
	{"llama2", "decoder/decoders/3/start", "-1", "'start' must be a whole number"},
	{"llama2", "decoder/decoders/-", "{\"type\":\"Fuse\"}",
	 "'Fuse' at this place is not built"},
	{"llama2", "decoder/decoders/-", "{\"type\":\"ByteLevel\"}", "at this place"},
};

START_TEST(what_is_not_understood_is_named)
{
	const struct change *c = &changes[_i];
	json_t *root = load_of(c->family, "tokenizer.json");
	struct quire_tokenizer *t;
	const char *path;
	char *text;
	int rc;

	change(root, c);
	text = json_dumps(root, JSON_COMPACT);
	ck_assert_ptr_nonnull(text);
	path = write_file("tokenizer.json", text, strlen(text));
	rc = quire_tokenizer_open(&t, path);
	if (!c->says) {
		if (rc)
			ck_abort_msg("%s %s: %s", c->key, c->value, quire_failure());
		quire_tokenizer_close(t);
	} else if ((rc != -EINVAL && rc != -ENOTSUP) || t || !strstr(quire_failure(), c->says) ||
		   !strstr(quire_failure(), "tokenizer.json")) {
		ck_abort_msg("%s %s: %d, '%s', expected '%s'", c->key, c->value ? c->value : "", rc,
			     rc ? quire_failure() : "", c->says);
	}
	free(text);
	json_decref(root);
}
END_TEST

START_TEST(bad_files_are_refused)
{
	struct quire_tokenizer *t;
	char deep[10000];

	ck_assert_int_eq(quire_tokenizer_open(&t, "/nowhere"), -ENOENT);
	ck_assert_int_eq(quire_tokenizer_open(&t, folder), -ENOENT);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "tokenizer.json"));
	ck_assert_int_eq(quire_tokenizer_open(&t, write_file("tokenizer.json", "", 0)), -EINVAL);
	ck_assert_int_eq(quire_tokenizer_open(&t, write_file("tokenizer.json", "[]", 2)), -EINVAL);
	ck_assert_int_eq(quire_tokenizer_open(&t, write_file("tokenizer.json", "{\"a\"", 4)),
			 -EINVAL);
	memset(deep, '[', sizeof(deep));
	ck_assert_int_eq(quire_tokenizer_open(&t, write_file("tokenizer.json", deep, sizeof(deep))),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "tokenizer.json:1: "));
	/* A hole of 65 MiB. */
	ck_assert_int_eq(truncate(write_file("tokenizer.json", "{}", 2), 65 << 20), 0);
	ck_assert_int_eq(quire_tokenizer_open(&t, folder), -EINVAL);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "bytes, expected 67108864 at most"));
}
END_TEST

static const struct {
	const char *config, *says; /* NULL: it is accepted */
} configs[] = {
	{"{}", NULL},
	{"[]", "expected an object"},
	{"{\"eos_token\":7}", "'eos_token' must name a token"},
	{"{\"bos_token\":\"nowhere\"}", "'bos_token' names 'nowhere', which is not in"},
	{"{\"bos_token\":{\"content\":\"<s>\"}}", NULL},
	{"{\"chat_template\":7}", "'chat_template' must be a text"},
	{"{\"chat_template\":[{\"name\":\"default\",\"template\":\"x\"}]}", NULL},
	{"{\"added_tokens_decoder\":{\"1\":{\"content\":\"<s>\"}}}", NULL},
	{"{\"added_tokens_decoder\":{\"5\":{\"content\":\"<s>\"}}}", "has '<s>' at 5"},
	{"{\"added_tokens_decoder\":{\"5\":7}}", "has '' at 5"},
};

START_TEST(tokenizer_config_is_read)
{
	json_t *root = load_of("llama2", "tokenizer.json");
	char *text = json_dumps(root, JSON_COMPACT);
	struct quire_tokenizer *t;
	int rc;

	write_file("tokenizer.json", text, strlen(text));
	write_file("tokenizer_config.json", configs[_i].config, strlen(configs[_i].config));
	rc = quire_tokenizer_open(&t, folder);
	if (!configs[_i].says)
		ck_assert_msg(rc == 0, "%s", quire_failure());
	else if (rc == 0 || !strstr(quire_failure(), configs[_i].says))
		ck_abort_msg("%s: %d, '%s'", configs[_i].config, rc, quire_failure());
	quire_tokenizer_close(t);
	free(text);
	json_decref(root);
}
END_TEST

/* A chat template in a file of its own counts before that of tokenizer_config.json. */
START_TEST(a_chat_template_may_be_a_file)
{
	json_t *root = load_of("llama2", "tokenizer.json");
	char *text = json_dumps(root, JSON_COMPACT), *nul = calloc(1, 2 << 20);
	const char config[] = "{\"chat_template\":\"one\"}";
	struct quire_tokenizer *t;
	char path[256];

	write_file("tokenizer.json", text, strlen(text));
	write_file("tokenizer_config.json", config, strlen(config));
	snprintf(path, sizeof(path), "%s", write_file("chat_template.jinja", "two", 3));
	ck_assert_msg(quire_tokenizer_open(&t, folder) == 0, "%s", quire_failure());
	ck_assert_str_eq(quire_tokenizer_chat_template(t), "two");
	quire_tokenizer_close(t);
	write_file("chat_template.jinja", "a\0b", 3);
	ck_assert_int_eq(quire_tokenizer_open(&t, folder), -EINVAL);
	memset(nul, 'a', 2 << 20);
	write_file("chat_template.jinja", nul, 2 << 20);
	ck_assert_int_eq(quire_tokenizer_open(&t, folder), -EINVAL);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "expected a text of 1048576 bytes at most"));
	unlink(path);
	free(nul);
	free(text);
	json_decref(root);
}
END_TEST

/* Llama's add_bos_token and add_eos_token. */
START_TEST(llama_says_what_its_frame_is)
{
	static const char config[] =
		"{\"tokenizer_class\":\"LlamaTokenizer\",\"bos_token\":\"<s>\","
		"\"eos_token\":\"</s>\",\"add_bos_token\":false,"
		"\"add_eos_token\":true}";
	json_t *root = load_of("llama2", "tokenizer.json");
	char *text = json_dumps(root, JSON_COMPACT);
	struct quire_tokens ids = {.ids = NULL};
	struct quire_tokenizer *t;

	write_file("tokenizer.json", text, strlen(text));
	write_file("tokenizer_config.json", config, strlen(config));
	ck_assert_msg(quire_tokenizer_open(&t, folder) == 0, "%s", quire_failure());
	ck_assert(quire_tokenizer_encode(t, "", 0, QUIRE_ENCODE_FRAME, &ids) == 0);
	ck_assert(ids.count == 1 && ids.ids[0] == 2);
	quire_tokens_free(&ids);
	quire_tokenizer_close(t);
	free(text);
	json_decref(root);
}
END_TEST

static void make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/tokenizer.json", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/tokenizer_config.json", folder);
	unlink(path);
	rmdir(folder);
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
}

int main(void)
{
	Suite *suite = suite_create("tokenizer_files");
	TCase *files = tcase_create("files");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(files, make_folder, remove_folder);
	tcase_add_loop_test(files, what_is_not_understood_is_named, 0,
			    (int)(sizeof(changes) / sizeof(changes[0])));
	tcase_add_test(files, bad_files_are_refused);
	tcase_add_loop_test(files, tokenizer_config_is_read, 0,
			    (int)(sizeof(configs) / sizeof(configs[0])));
	tcase_add_test(files, llama_says_what_its_frame_is);
	tcase_add_test(files, a_chat_template_may_be_a_file);
	suite_add_tcase(suite, files);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}
