/*
 * test_safetensors.c - files of weights: every rule of safetensors.h kept, and broken;
 * shards and their index; and thousands of damaged headers against a slow reader that
 * trusts jansson.
 */
#include "core/model/safetensors.h"

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/quire-test-safetensors-XXXXXX";

static const char *in_folder(const char *name)
{
	static char paths[4][320];
	static unsigned int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static const char *write_bytes(const char *name, const void *bytes, size_t size)
{
	const char *path = in_folder(name);
	FILE *out;

	unlink(path); /* some file systems wait for a disk when an old file is cut */
	out = fopen(path, "w");
	if (!out || fwrite(bytes, 1, size, out) != size || fclose(out))
		ck_abort_msg("%s cannot be written", path);
	return path;
}

/* A file of @header and @data bytes that count up from 0. */
static const char *write_tensors(const char *name, const char *header, size_t data)
{
	const size_t length = strlen(header);
	uint8_t *all = malloc(8 + length + data);
	const char *path;

	for (int i = 0; i < 8; i++)
		all[i] = (uint8_t)((uint64_t)length >> 8 * i);
	memcpy(all + 8, header, length);
	for (size_t i = 0; i < data; i++)
		all[8 + length + i] = (uint8_t)i;
	path = write_bytes(name, all, 8 + length + data);
	free(all);
	return path;
}

static struct quire_tensors *opened(const char *path)
{
	struct quire_tensors *t;

	if (quire_tensors_open(&t, path))
		ck_abort_msg("%s", quire_failure());
	return t;
}

/* Opening fails with @rc, and one line says @path and @says. */
static void refused(const char *path, int rc, const char *says)
{
	struct quire_tensors *t;
	const int got = quire_tensors_open(&t, path);

	ck_assert_msg(got == rc, "%d, expected %d: %s", got, rc, quire_failure());
	ck_assert_ptr_null(t);
	ck_assert_msg(strstr(quire_failure(), says) != NULL, "says: %s\nexpected: %s",
		      quire_failure(), says);
	ck_assert_msg(strstr(quire_failure(), folder) != NULL, "no path: %s", quire_failure());
	ck_assert_ptr_null(strchr(quire_failure(), '\n'));
}

static const struct quire_tensor *found(const struct quire_tensors *t, const char *name)
{
	const struct quire_tensor *tensor = quire_tensors_find(t, name);

	ck_assert_msg(tensor != NULL, "no tensor %s", name);
	return tensor;
}

/* ---- what is right ------------------------------------------------------------- */

START_TEST(a_file_by_hand)
{
	const char *path = write_tensors(
		"a.safetensors",
		" {\"__metadata__\":{\"format\":\"pt\",\"\":\"\\u0000 \\ud83d\\ude00\"},\n"
		"\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
		"\"none\":{\"data_offsets\":[24,24],\"shape\":[7,0],\"dtype\":\"I64\"},"
		"\"one\":{\"shape\":[],\"dtype\":\"U8\",\"data_offsets\":[24,25]},"
		"\"4\\u00b5\\/\\ud83d\\ude00\":{\"dtype\":\"F4\",\"shape\":[4],"
		"\"data_offsets\":[25,27]}}  \t\n ",
		27);
	struct quire_tensors *t = opened(path);
	const struct quire_tensor *w = found(t, "w"), *one = found(t, "one");
	const struct quire_tensor *none = found(t, "none");
	const struct quire_tensor *name = found(t, "4\302\265/\360\237\230\200");

	ck_assert_uint_eq(t->count, 4);
	ck_assert_uint_eq(t->bytes, 27);
	ck_assert_uint_eq(t->files_count, 1);
	ck_assert_str_eq(t->files[0].path, path);
	ck_assert(w->type == QUIRE_TENSOR_F32 && w->rank == 2 && w->shape[0] == 2 &&
		  w->shape[1] == 3 && w->bytes == 24);
	ck_assert_uint_eq(quire_tensor_elements(w), 6);
	for (int i = 0; i < 24; i++)
		ck_assert_int_eq(((const uint8_t *)w->data)[i], i);
	ck_assert(one->rank == 0 && one->bytes == 1 && *(const uint8_t *)one->data == 24);
	ck_assert_uint_eq(quire_tensor_elements(one), 1);
	ck_assert(none->bytes == 0 && quire_tensor_elements(none) == 0);
	ck_assert(name->bytes == 2 && *(const uint8_t *)name->data == 25);
	ck_assert_ptr_null(quire_tensors_find(t, "x"));
	ck_assert_ptr_null(quire_tensors_find(t, "__metadata__"));
	for (uint32_t i = 1; i < t->count; i++)
		ck_assert_int_lt(strcmp(t->list[i - 1].name, t->list[i].name), 0);
	quire_tensors_close(t);
}
END_TEST

/* A tensor of 8 elements of each type, one behind the other. */
START_TEST(every_type)
{
	static const struct {
		const char *name;
		uint32_t bytes; /* of 8 elements */
	} types[] = {
		{"BOOL", 8},	    {"U8", 8},		{"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8},
		{"I16", 16},	    {"U16", 16},	{"F16", 16}, {"BF16", 16},   {"I32", 32},
		{"U32", 32},	    {"F32", 32},	{"F64", 64}, {"I64", 64},    {"U64", 64},
		{"C64", 64},	    {"F8_E8M0", 8},	{"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6},
		{"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
	};
	const size_t count = sizeof(types) / sizeof(types[0]);
	char header[4096] = "{", *to = header + 1;
	struct quire_tensors *t;
	uint32_t at = 0;

	ck_assert_uint_eq(count, QUIRE_TENSOR_TYPES_COUNT);
	for (size_t i = 0; i < count; i++) {
		to += sprintf(to, "%s\"t%zu\":{\"dtype\":\"%s\",\"shape\":[2,4],\"data_offsets\":",
			      i ? "," : "", i, types[i].name);
		to += sprintf(to, "[%u,%u]}", at, at + types[i].bytes);
		at += types[i].bytes;
	}
	strcpy(to, "}");
	t = opened(write_tensors("types.safetensors", header, at));
	for (size_t i = 0; i < count; i++) {
		char name[24];

		snprintf(name, sizeof(name), "t%zu", i);
		ck_assert_str_eq(quire_tensor_type_name(found(t, name)->type), types[i].name);
		ck_assert_uint_eq(found(t, name)->bytes, types[i].bytes);
		ck_assert_uint_eq(quire_tensor_type_bits(found(t, name)->type), types[i].bytes);
	}
	quire_tensors_close(t);
}
END_TEST

START_TEST(limits_are_reached)
{
	static char header[2048];
	char name[513];
	struct quire_tensors *t;
	const char *path;

	memset(name, 'n', 512);
	name[512] = 0;
	snprintf(header, sizeof(header),
		 "{\"%s\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,2],\"data_offsets\":[0,2]}}",
		 name);
	t = opened(write_tensors("limits.safetensors", header, 2));
	ck_assert_uint_eq(found(t, name)->rank, QUIRE_TENSOR_RANK_MAX);
	quire_tensors_close(t);
	t = opened(write_tensors("empty.safetensors", "{}", 0));
	ck_assert_uint_eq(t->count, 0);
	ck_assert_ptr_null(quire_tensors_find(t, ""));
	quire_tensors_close(t);
	path = in_folder("link.safetensors"); /* as in Hugging Face's cache */
	ck_assert_int_eq(symlink(in_folder("limits.safetensors"), path), 0);
	quire_tensors_close(opened(path));
}
END_TEST

/* ---- what is wrong ------------------------------------------------------------- */

#define T(name_, type_, shape_, begin_, end_)                                                      \
	"\"" name_ "\":{\"dtype\":\"" type_ "\",\"shape\":[" shape_ "],\"data_offsets\":[" #begin_ \
	"," #end_ "]}"
#define A    T("a", "F32", "2", 0, 8)
#define N64  "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define N512 N64 N64 N64 N64 N64 N64 N64 N64
#define D64  "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["

static const struct {
	const char *header;
	size_t data;
	const char *says;
} broken[] = {
	/* JSON */
	{"", 0, "header, byte 0: expected '{'"},
	{"[]", 0, "header, byte 0: expected '{'"},
	{"{", 0, "header, byte 1: expected a string"},
	{"{" A, 8, "header, byte 53: expected ',' or '}'"},
	{"{" A ",}", 8, "header, byte 54: expected a string"},
	{"{" A "}x", 8, "expected nothing more"},
	{"{" A "}{}", 8, "expected nothing more"},
	{"{'a':1}", 0, "expected a string"},
	{"{a:1}", 0, "expected a string"},
	{"{\"a\" 1}", 0, "expected ':'"},
	{"{\"a\":1}", 0, "expected '{'"},
	{"{\"a\":null}", 0, "expected '{'"},
	{"{\"a\":[]}", 0, "expected '{'"},
	{"{\"a\":{\"dtype\":1}}", 0, "expected a string"},
	{"{\"a\":{\"dtype\":\"F32\" \"shape\":[]}}", 0, "expected ',' or '}'"},
	{"{\"a\":{\"shape\":1}}", 0, "expected '['"},
	{"{\"a\":{\"shape\":[1 2]}}", 0, "expected ',' or ']'"},
	{"{\"a\":{\"shape\":[1,]}}", 0, "expected a whole number"},
	{"{\"a\":{\"shape\":[-1]}}", 0, "expected a whole number"},
	{"{\"a\":{\"shape\":[1.0]}}", 0, "expected a whole number"},
	{"{\"a\":{\"shape\":[1e1]}}", 0, "expected a whole number"},
	{"{\"a\":{\"shape\":[01]}}", 0, "expected a whole number"},
	{"{\"a\":{\"shape\":[\"1\"]}}", 0, "expected a whole number"},
	{"{\"a\":{\"shape\":[true]}}", 0, "expected a whole number"},
	{"{\"a\":{\"shape\":[[1]]}}", 0, "expected a whole number"},
	{"{\"a\":{\"shape\":[18446744073709551616]}}", 0, "a number that is too large"},
	{"{\"a\":{\"shape\":[99999999999999999999999]}}", 0, "a number that is too large"},
	{"{\"a", 0, "a string that does not end"},
	{"{\"a\n\":1}", 0, "a string with a control character"},
	{"{\"\\x\":1}", 0, "a string with a wrong escape"},
	{"{\"\\u12g4\":1}", 0, "a string with a wrong escape"},
	{"{\"\\ud800\":1}", 0, "a string with a wrong escape"},
	{"{\"\\ud800\\u0041\":1}", 0, "a string with a wrong escape"},
	{"{\"\\udc00\":1}", 0, "a string with a wrong escape"},
	{"{\"\377\":1}", 0, "a string that is not UTF-8"},
	{"{\"\300\200\":1}", 0, "a string that is not UTF-8"},
	{"{\"\355\240\200\":1}", 0, "a string that is not UTF-8"},
	{"{\"\364\220\200\200\":1}", 0, "a string that is not UTF-8"},
	{"{\"\342\202\":1}", 0, "a string that is not UTF-8"},
	/* names */
	{"{\"a\\nb\":1}", 0, "a name with a control character"},
	{"{\"a\\u0000b\":1}", 0, "a name with a control character"},
	{"{\"\177\":1}", 0, "a name with a control character"},
	{"{\"\302\205\":1}", 0, "a name with a control character"},
	{"{" T(N512 "n", "F32", "2", 0, 8) "}", 8, "a name of more than 512 bytes"},
	{"{" A "," A "}", 8, "tensors 'a' and 'a' overlap"},
	{"{" A "," T("\\u0061", "F32", "2", 8, 16) "}", 16, "tensor 'a' is there twice"},
	{"{" T("a", "F32", "0", 0, 0) "," T("a", "F32", "0", 0, 0) "}", 0,
	 "tensor 'a' is there twice"},
	/* fields */
	{"{\"a\":{}}", 0, "tensor 'a': field 'dtype' is missing"},
	{"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4,
	 "tensor 'a': field 'shape' is missing"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4,
	 "tensor 'a': field 'data_offsets' is missing"},
	{"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
	 "tensor 'a': field 'dtype' is missing"},
	{"{\"a\":{\"strides\":[1]}}", 0, "tensor 'a': field 'strides' is unknown"},
	{"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0,
	 "tensor 'a': field 'dtype' is there twice"},
	{"{\"a\":{\"shape\":[1],\"sh\\u0061pe\":[1]}}", 0,
	 "tensor 'a': field 'shape' is there twice"},
	{"{" T("a", "F128", "1", 0, 16) "}", 16, "tensor 'a': type 'F128' is unknown"},
	{"{" T("a", "f32", "1", 0, 4) "}", 4, "tensor 'a': type 'f32' is unknown"},
	{"{" T("a", "F32", "1,1,1,1,1,1,1,1,1", 0, 4) "}", 4, "tensor 'a': a rank above 8"},
	{"{\"a\":{\"data_offsets\":[0]}}", 0, "expected two offsets"},
	{"{\"a\":{\"data_offsets\":[]}}", 0, "expected two offsets"},
	{"{\"a\":{\"data_offsets\":[0,4,8]}}", 0, "expected two offsets"},
	/* sizes */
	{"{" T("a", "F32", "3", 0, 8) "}", 8, "its shape takes 12 bytes, but it has 8"},
	{"{" T("a", "F4", "3", 0, 2) "}", 2, "3 elements of F4 are no whole bytes"},
	{"{" T("a", "F32", "4611686018427387904", 0, 0) "}", 0, "is beyond 64 bits"},
	{"{" T("a", "F32", "4294967296,4294967296", 0, 0) "}", 0, "is beyond 64 bits"},
	{"{" T("a", "U8", "4294967296,4294967296", 0, 0) "}", 0, "is beyond 64 bits"},
	{"{" T("a", "F32", "2", 8, 0) "}", 8, "it ends at byte 0, before it begins at 8"},
	{"{" T("a", "F32", "2", 0, 8) "}", 7, "it ends at byte 8, but there are only 7"},
	{"{" T("a", "U8", "1152921504606846976", 0, 1152921504606846976) "}", 8,
	 "it ends at byte 1152921504606846976, but there are only 8"},
	{"{" T("a", "F32", "2", 18446744073709551608, 18446744073709551615) "}", 8,
	 "but there are only 8"},
	/* places */
	{"{" T("a", "F32", "2", 1, 9) "}", 9, "no tensor has the 1 bytes before that of 'a'"},
	{"{" A "," T("b", "F32", "2", 12, 20) "}", 20,
	 "no tensor has the 4 bytes before that of 'b'"},
	{"{" A "," T("b", "F32", "2", 4, 12) "}", 12, "tensors 'a' and 'b' overlap"},
	{"{" A "," T("b", "F32", "2", 0, 8) "}", 8, "overlap"},
	{"{" A "," T("b", "F32", "0", 4, 4) "}", 8, "tensors 'a' and 'b' overlap"},
	{"{" A "}", 9, "no tensor has the last 1 bytes of the file"},
	{"{}", 4, "no tensor has the last 4 bytes of the file"},
	/* metadata */
	{"{\"__metadata__\":1}", 0, "expected '{'"},
	{"{\"__metadata__\":{\"a\":1}}", 0, "expected a string"},
	{"{\"__metadata__\":{\"a\":{}}}", 0, "expected a string"},
	{"{\"__metadata__\":{\"a\":\"\",\"b\":\"\",\"\\u0061\":\"\"}}", 0,
	 "__metadata__: 'a' is there twice"},
	{"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ is there twice"},
	{"{\"__metadata__\":{\"a\":\"\\ud800\"}}", 0, "a string with a wrong escape"},
};

START_TEST(broken_headers)
{
	refused(write_tensors("broken.safetensors", broken[_i].header, broken[_i].data), -EINVAL,
		broken[_i].says);
}
END_TEST

START_TEST(broken_files)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *says;
	} files[] = {
		{"", 0, "the file is empty"},
		{"\2\0\0", 3, "3 bytes, expected at least the 8 of a header's length"},
		{"\0\0\0\0\0\0\0\0", 8, "header, byte 0: expected '{'"},
		{"\3\0\0\0\0\0\0\0{}", 10, "a header of 3 bytes in a file of 10 (truncated"},
		{"\377\377\377\377\377\377\377\377{}", 10,
		 "a header of 18446744073709551615 bytes, expected at most 100000000"},
		{"\370\377\377\377\377\377\377\377{}", 10, "expected at most 100000000"},
		{"\1\341\365\5\0\0\0\0{}", 10, "a header of 100000001 bytes, expected at most"},
		{"\0\341\365\5\0\0\0\0{}", 10, "a header of 100000000 bytes in a file of 10"},
		{"GGUF\3\0\0\0{}", 10, "no safetensors file?"},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		refused(write_bytes("file.safetensors", files[i].bytes, files[i].size), -EINVAL,
			files[i].says);
	ck_assert_int_eq(mkfifo(in_folder("pipe.safetensors"), 0600), 0);
	refused(in_folder("pipe.safetensors"), -EINVAL, "expected a regular file");
	refused(in_folder("nowhere.safetensors"), -ENOENT, "No such file");
	refused(in_folder("file.safetensors/x"), -ENOTDIR, "Not a directory");
}
END_TEST

START_TEST(too_many)
{
	const char *entry = T("%x", "U8", "0", 0, 0);
	const size_t room = (QUIRE_TENSORS_MAX + 1) * (strlen(entry) + 8);
	char *header = malloc(room), *to = header;
	struct quire_tensors *t;

	ck_assert_ptr_nonnull(header);
	*to++ = '{';
	for (uint32_t i = 0; i < QUIRE_TENSORS_MAX; i++)
		to += sprintf(to, "\"%x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},",
			      i);
	strcpy(to - 1, "}");
	t = opened(write_tensors("many.safetensors", header, 0));
	ck_assert_uint_eq(t->count, QUIRE_TENSORS_MAX);
	ck_assert_uint_eq(t->list[QUIRE_TENSORS_MAX - 1].bytes, 0);
	quire_tensors_close(t);
	strcpy(to - 1, "," T("x", "U8", "0", 0, 0) "}");
	refused(write_tensors("many.safetensors", header, 0), -EINVAL, "more than 1048576 tensors");
	to = header + sprintf(header, "{\"__metadata__\":{");
	for (int i = 0; i < QUIRE_TENSOR_METADATA_MAX + 1; i++)
		to += sprintf(to, "%s\"%d\":\"\"", i ? "," : "", i);
	strcpy(to, "}}");
	refused(write_tensors("many.safetensors", header, 0), -EINVAL,
		"more than 256 entries of __metadata__");
	free(header);
	unlink(in_folder("many.safetensors"));
}
END_TEST

/* ---- shards -------------------------------------------------------------------- */

#define INDEX "model.safetensors.index.json"

static void write_index(const char *text)
{
	write_bytes(INDEX, text, strlen(text));
}

static void write_shards(void)
{
	write_tensors("one.safetensors", "{" A "," T("b", "I16", "1", 8, 10) "}", 10);
	write_tensors("two.safetensors", "{" T("c", "U8", "3", 0, 3) "}", 3);
	unlink(in_folder("model.safetensors"));
}

#define ONE "\"a\":\"one.safetensors\",\"b\":\"one.safetensors\""
#define TWO "\"c\":\"two.safetensors\""

START_TEST(shards)
{
	struct quire_tensors *t;

	write_shards();
	write_index("{\"metadata\":{\"total_size\":1.3e1,\"x\":[{\"y\":[]},-0.5,null,true]},"
		    "\"weight_map\":{" TWO "," ONE "}}");
	t = opened(folder);
	ck_assert_uint_eq(t->count, 3);
	ck_assert_uint_eq(t->files_count, 2);
	ck_assert_uint_eq(t->bytes, 13);
	ck_assert_str_eq(t->files[found(t, "c")->file].path, in_folder("two.safetensors"));
	ck_assert_int_eq(*(const uint8_t *)found(t, "b")->data, 8);
	ck_assert_int_eq(*(const uint8_t *)found(t, "c")->data, 0);
	quire_tensors_close(t);
	/* One file has precedence, as in transformers. */
	write_tensors("model.safetensors", "{" A "}", 8);
	t = opened(folder);
	ck_assert_uint_eq(t->count, 1);
	quire_tensors_close(t);
	unlink(in_folder("model.safetensors"));
}
END_TEST

static const struct {
	const char *index, *says;
} indices[] = {
	{"", INDEX ": the file is empty"},
	{"[]", INDEX ": index, byte 0: expected '{'"},
	{"{}", "key 'weight_map' is missing"},
	{"{\"metadata\":{}}", "key 'weight_map' is missing"},
	{"{\"weight_map\":[]}", "expected '{'"},
	{"{\"weight_map\":{\"a\":1}}", "expected a string"},
	{"{\"weight_map\":{" ONE "," TWO "},\"weight_map\":{}}", "key 'weight_map' is there twice"},
	{"{\"metadata\":{},\"metadata\":{}}", "key 'metadata' is there twice"},
	{"{\"weights\":{}}", "key 'weights' is unknown"},
	{"{\"weight_map\":{" ONE "," TWO "}} x", "expected nothing more"},
	{"{\"metadata\":" D64 "[", "nested more than 64 deep"},
	{"{\"metadata\":{\"a\":01}}", "expected a value"},
	{"{\"metadata\":{\"a\":1.}}", "a number without digits behind its point"},
	{"{\"metadata\":{\"a\":1e+}}", "a number without digits in its exponent"},
	{"{\"metadata\":{\"a\":nul}}", "expected a value"},
	{"{\"metadata\":[1,]}", "expected a value"},
	{"{\"metadata\":[1}}", "expected ',' or ']'"},
	{"{\"metadata\":{\"a\"}}", "expected ':'"},
	{"{\"weight_map\":{" ONE "}}", ""}, /* c is not looked for: its file is not named */
	{"{\"weight_map\":{\"a\":\"one.safetensors\"," TWO "}}",
	 "tensor 'b' of one.safetensors is missing"},
	{"{\"weight_map\":{" ONE ",\"c\":\"one.safetensors\"}}",
	 "tensor 'c' is not in one.safetensors"},
	{"{\"weight_map\":{" ONE "," TWO ",\"a\":\"two.safetensors\"}}",
	 "tensor 'a' is not in two.safetensors"},
	{"{\"weight_map\":{" ONE "," TWO ",\"d\":\"two.safetensors\"}}",
	 "tensor 'd' is not in two.safetensors"},
	{"{\"weight_map\":{" ONE "," TWO "," TWO "}}", "tensor 'c' is there twice"},
	{"{\"weight_map\":{" ONE ",\"c\":\"three.safetensors\"}}",
	 "names three.safetensors: No such file"},
	{"{\"weight_map\":{\"a\":\"../one.safetensors\"}}",
	 "expected the name of a file in the same directory, found '../one.safetensors'"},
	{"{\"weight_map\":{\"a\":\"/etc/passwd\"}}", "found '/etc/passwd'"},
	{"{\"weight_map\":{\"a\":\"x/one.safetensors\"}}", "found 'x/one.safetensors'"},
	{"{\"weight_map\":{\"a\":\"..\"}}", "found '..'"},
	{"{\"weight_map\":{\"a\":\"\"}}", "found ''"},
	{"{\"weight_map\":{\"a\":\"" N64 N64 N64 N64 "\"}}", "a name of more than 255 bytes"},
	{"{\"weight_map\":{\"a\":\"folder\"}}", "folder: expected a regular file"},
	{"{\"weight_map\":{" ONE "," TWO ",\"a\":\"again.safetensors\"}}", "tensor 'a' is in"},
};

START_TEST(broken_indices)
{
	struct quire_tensors *t;

	write_shards();
	write_tensors("again.safetensors", "{" A "}", 8);
	mkdir(in_folder("folder"), 0700);
	write_index(indices[_i].index);
	if (indices[_i].says[0]) {
		refused(folder, strstr(indices[_i].says, "No such") ? -ENOENT : -EINVAL,
			indices[_i].says);
		return;
	}
	t = opened(folder);
	ck_assert_uint_eq(t->count, 2);
	quire_tensors_close(t);
}
END_TEST

START_TEST(broken_directories)
{
	write_shards();
	write_index("{\"weight_map\":{" ONE "," TWO "}}");
	write_tensors("two.safetensors", "{" T("c", "U8", "3", 0, 3) "}", 2);
	refused(folder, -EINVAL, "two.safetensors: tensor 'c': it ends at byte 3, but");
	unlink(in_folder(INDEX));
	refused(folder, -ENOENT, "no weights: expected model.safetensors or " INDEX);
	mkdir(in_folder("model.safetensors"), 0700);
	refused(folder, -EINVAL, "model.safetensors: expected a regular file");
	rmdir(in_folder("model.safetensors"));
}
END_TEST

START_TEST(too_many_files)
{
	char *text = malloc(1 << 17), *to = text;

	to += sprintf(to, "{\"weight_map\":{");
	for (int i = 0; i <= QUIRE_TENSOR_FILES_MAX; i++)
		to += sprintf(to, "%s\"t%d\":\"%d.safetensors\"", i ? "," : "", i, i);
	strcpy(to, "}}");
	write_index(text);
	refused(folder, -EINVAL, INDEX ": more than 1024 files");
	free(text);
}
END_TEST

/* ---- damaged, by the thousand -------------------------------------------------- */

static uint64_t state;

static uint32_t draw(uint32_t below)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)((state >> 33) % below);
}

struct interval {
	json_int_t begin, end;
};

static int by_begin(const void *a, const void *b)
{
	const struct interval *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return (x->end > y->end) - (x->end < y->end);
}

static bool clean(const char *name)
{
	for (const char *at = name; *at; at++) {
		if ((uint8_t)*at < 0x20 || *at == 0x7f ||
		    ((uint8_t)*at == 0xc2 && (uint8_t)at[1] < 0xa0))
			return false;
	}
	return strlen(name) <= 512;
}

static bool sound_tensor(const json_t *tensor, struct interval *place)
{
	const json_t *shape = json_object_get(tensor, "shape");
	const json_t *offsets = json_object_get(tensor, "data_offsets");
	const char *type = json_string_value(json_object_get(tensor, "dtype"));
	json_int_t bits = 0, bytes;
	size_t i;
	json_t *dim;

	if (json_object_size(tensor) != 3 || !type || !json_is_array(shape) ||
	    json_array_size(shape) > 8 || json_array_size(offsets) != 2)
		return false;
	for (int t = 0; t < QUIRE_TENSOR_TYPES_COUNT; t++) {
		if (strcmp(type, quire_tensor_type_name((enum quire_tensor_type)t)) == 0)
			bits = quire_tensor_type_bits((enum quire_tensor_type)t);
	}
	bytes = bits;
	json_array_foreach((json_t *)(uintptr_t)shape, i, dim)
	{
		if (!json_is_integer(dim) || json_integer_value(dim) < 0 ||
		    json_integer_value(dim) > 1000000)
			return false;
		bytes *= json_integer_value(dim);
	}
	for (i = 0; i < 2; i++) {
		if (!json_is_integer(json_array_get(offsets, i)))
			return false;
	}
	place->begin = json_integer_value(json_array_get(offsets, 0));
	place->end = json_integer_value(json_array_get(offsets, 1));
	return bits && bytes % 8 == 0 && place->end - place->begin == bytes / 8;
}

/* What safetensors.h says, slowly, of small files. */
static bool sound(const char *header, size_t length, size_t data)
{
	json_t *root = json_loadb(header, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	struct interval places[64];
	json_int_t at = 0;
	size_t count = 0;
	const char *key, *inner;
	json_t *value, *text;
	bool ok = json_is_object(root);

	json_object_foreach(root, key, value)
	{
		ok = ok && clean(key);
		if (strcmp(key, "__metadata__") != 0) {
			ok = ok && sound_tensor(value, &places[count++]);
			continue;
		}
		ok = ok && json_is_object(value);
		json_object_foreach(value, inner, text) ok =
			ok && clean(inner) && json_is_string(text);
	}
	if (ok && count)
		qsort(places, count, sizeof(places[0]), by_begin);
	for (size_t i = 0; i < count && ok; at = places[i++].end)
		ok = places[i].begin == at;
	json_decref(root);
	return ok && at == (json_int_t)data;
}

START_TEST(damaged_headers)
{
	static const char *const seeds[] = {
		"{" A "," T("b", "I16", "1,2", 8, 12) "," T("c", "F4", "0,4", 12, 12) "}",
		"{\"__metadata__\":{\"f\":\"pt\",\"g\":\"\\u00e9\"}," T(
			"b", "U8", "8", 4, 12) "," T("\303\251", "F32", "", 0, 4) "}",
		"{" T("a", "U8", "12", 0, 12) "}   ",
	};
	static const char letters[] = "0123456789\"{}[],:. \\abcuU8F\200\303\n\177";
	uint32_t read = 0, unread = 0;

	state = 1;
	for (int round = 0; round < 30000; round++) {
		char header[512];
		struct quire_tensors *t;
		const char *path;
		size_t length;
		bool ok;

		strcpy(header, seeds[draw(3)]);
		for (uint32_t n = draw(3); n > 0; n--) {
			const size_t at = draw((uint32_t)strlen(header));

			switch (draw(3)) {
			case 0:
				header[at] = letters[draw(sizeof(letters) - 1)];
				break;
			case 1:
				memmove(header + at, header + at + 1, strlen(header + at));
				break;
			default:
				memmove(header + at + 1, header + at, strlen(header + at) + 1);
			}
		}
		length = strlen(header);
		path = write_tensors("damaged.safetensors", header, 12);
		ok = quire_tensors_open(&t, path) == 0;
		if (ok != sound(header, length, 12))
			ck_abort_msg("round %d: %s%s: %s", round,
				     ok ? "read" : "refused: ", ok ? "" : quire_failure(), header);
		if (ok)
			quire_tensors_close(t);
		read += ok;
		unread += !ok;
	}
	ck_assert_uint_gt(read, 10000);
	ck_assert_uint_gt(unread, 10000);
}
END_TEST

/* A file that ends anywhere is refused; nothing is read beyond it. */
START_TEST(truncated)
{
	const char *header = "{" A "," T("b", "I16", "1,2", 8, 12) "}";
	const size_t whole = 8 + strlen(header) + 12;
	struct quire_tensors *t;

	for (size_t size = 0; size < whole; size++) {
		const char *path = write_tensors("cut.safetensors", header, 12);

		ck_assert_int_eq(truncate(path, (off_t)size), 0);
		if (quire_tensors_open(&t, path) != -EINVAL)
			ck_abort_msg("%zu bytes of %zu are read", size, whole);
	}
}
END_TEST

static void make_folder(void)
{
	if (!mkdtemp(folder))
		exit(EXIT_FAILURE);
}

static void remove_folder(void)
{
	char command[sizeof(folder) + 16];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command) != 0)
		perror(command);
}

int main(void)
{
	Suite *suite = suite_create("safetensors");
	TCase *c = tcase_create("safetensors");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(c, 120);
	tcase_add_test(c, a_file_by_hand);
	tcase_add_test(c, every_type);
	tcase_add_test(c, limits_are_reached);
	tcase_add_loop_test(c, broken_headers, 0, sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(c, broken_files);
	tcase_add_test(c, too_many);
	tcase_add_test(c, shards);
	tcase_add_loop_test(c, broken_indices, 0, sizeof(indices) / sizeof(indices[0]));
	tcase_add_test(c, broken_directories);
	tcase_add_test(c, too_many_files);
	tcase_add_test(c, damaged_headers);
	tcase_add_test(c, truncated);
	suite_add_tcase(suite, c);
	make_folder();
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	remove_folder();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
