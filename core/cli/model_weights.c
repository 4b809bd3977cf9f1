/*
 * model_weights.c - what "quire model" says of files and tensors; see model_parts.h.
 */
#include "core/trace/json_build.h"
#include "model_parts.h"
#include "units.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool quire_model_has_weights(const char *directory)
{
	static const char *const names[] = {"model.safetensors", "model.safetensors.index.json"};
	char path[PATH_MAX];
	struct stat st;

	for (int i = 0; i < 2; i++) {
		if (snprintf(path, sizeof(path), "%s/%s", directory, names[i]) <
			    (int)sizeof(path) &&
		    (stat(path, &st) == 0 || errno != ENOENT))
			return true;
	}
	return false;
}

int quire_model_weights_open(struct quire_model_weights *w, const char *path, bool file)
{
	int rc;

	*w = (struct quire_model_weights){.tensors = NULL};
	if (!file) {
		rc = quire_checkpoint_open(&w->checkpoint, path);
		w->tensors = w->checkpoint.tensors;
		if (rc != -ENOTSUP)
			return rc;
		/* It may be sound all the same. */
		snprintf(w->reason, sizeof(w->reason), "%s", quire_failure());
	}
	if ((rc = quire_tensors_open(&w->own, path)))
		return rc;
	w->tensors = w->own;
	return 0;
}

void quire_model_weights_close(struct quire_model_weights *w)
{
	quire_checkpoint_close(&w->checkpoint);
	quire_tensors_close(w->own);
	*w = (struct quire_model_weights){.tensors = NULL};
}

/* ---- files and tensors --------------------------------------------------------- */

/* Of each type: tensors, elements, bytes. */
struct tally {
	uint64_t tensors, elements, bytes;
};

static void count_types(const struct quire_tensors *t, struct tally tally[QUIRE_TENSOR_TYPES_COUNT])
{
	memset(tally, 0, QUIRE_TENSOR_TYPES_COUNT * sizeof(*tally));
	for (uint32_t i = 0; i < t->count; i++) {
		struct tally *of = &tally[t->list[i].type];

		of->tensors++;
		of->elements += quire_tensor_elements(&t->list[i]);
		of->bytes += t->list[i].bytes;
	}
}

static const char *file_name(const struct quire_tensor_file *file)
{
	const char *slash = strrchr(file->path, '/');

	return slash ? slash + 1 : file->path;
}

/* "143.2 kB"; small ones to the byte. */
static struct quire_small_text bytes_text(uint64_t bytes)
{
	return quire_text_si((double)bytes,
			     bytes < 10	    ? 1
			     : bytes < 100  ? 2
			     : bytes < 1000 ? 3
					    : 4,
			     "B");
}

static void print_files(const struct quire_tensors *t)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < t->files_count; i++)
		bytes += t->files[i].map_bytes;
	printf("  files        ");
	if (t->files_count == 1)
		printf("%s, %s\n", file_name(&t->files[0]), bytes_text(bytes).s);
	else
		printf("%" PRIu32 " shards, %s\n", t->files_count, bytes_text(bytes).s);
}

void quire_model_weights_print(const struct quire_model_weights *w)
{
	const struct quire_tensors *t = w->tensors;
	struct tally tally[QUIRE_TENSOR_TYPES_COUNT];

	printf("Weights\n");
	print_files(t);
	count_types(t, tally);
	printf("  type           tensors           elements      bytes\n");
	for (int i = 0; i < QUIRE_TENSOR_TYPES_COUNT; i++) {
		if (!tally[i].tensors)
			continue;
		printf("  %-12s %9s %18s %10s\n", quire_tensor_type_name((enum quire_tensor_type)i),
		       quire_text_count(tally[i].tensors).s, quire_text_count(tally[i].elements).s,
		       bytes_text(tally[i].bytes).s);
	}
	printf("\n");
}

/* "layers.2" before "layers.10": digits count as the number they are. */
static int by_reading(const void *a, const void *b)
{
	const struct quire_tensor *const *first = a, *const *second = b;
	const char *x = (*first)->name, *y = (*second)->name;

	while (*x && *y) {
		const size_t digits = strspn(x, "0123456789"), others = strspn(y, "0123456789");

		if (digits && others) {
			if (digits != others)
				return digits < others ? -1 : 1;
			if (strncmp(x, y, digits) != 0)
				return strncmp(x, y, digits);
			x += digits;
			y += others;
		} else if (*x != *y) {
			break;
		} else {
			x++;
			y++;
		}
	}
	return (unsigned char)*x - (unsigned char)*y;
}

/* As people read them; NULL: no memory. */
static const struct quire_tensor **in_order(const struct quire_tensors *t)
{
	const struct quire_tensor **list = calloc(t->count ? t->count : 1, sizeof(*list));

	for (uint32_t i = 0; list && i < t->count; i++)
		list[i] = &t->list[i];
	if (list)
		qsort(list, t->count, sizeof(*list), by_reading);
	return list;
}

static int shape_text(const struct quire_tensor *tensor, char *text, size_t size)
{
	int used = snprintf(text, size, "%s", tensor->rank ? "" : "one number");

	for (uint32_t i = 0; i < tensor->rank; i++)
		used += snprintf(text + used, size - (size_t)used, "%s%" PRIu64, i ? " x " : "",
				 tensor->shape[i]);
	return used;
}

/* Columns that @text takes on a terminal, near enough: its characters. */
static int columns_of(const char *text)
{
	int columns = 0;

	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}

int quire_model_tensors_print(const struct quire_tensors *t)
{
	const struct quire_tensor **list = in_order(t);
	int name_columns = 4, type_columns = 4, shape_columns = 5;
	char shape[QUIRE_TENSOR_RANK_MAX * 24];

	if (!list)
		return quire_fail(-ENOMEM, "the list of tensors: out of memory");
	printf("Tensors\n");
	for (uint32_t i = 0; i < t->count; i++) {
		const int columns = columns_of(list[i]->name);
		const int letters = (int)strlen(quire_tensor_type_name(list[i]->type));
		const int used = shape_text(list[i], shape, sizeof(shape));

		type_columns = letters > type_columns ? letters : type_columns;
		name_columns = columns > name_columns ? columns : name_columns;
		shape_columns = used > shape_columns ? used : shape_columns;
	}
	name_columns = name_columns < 60 ? name_columns : 60;
	for (uint32_t i = 0; i < t->count; i++) {
		const int columns = columns_of(list[i]->name);

		shape_text(list[i], shape, sizeof(shape));
		printf("  %s%*s  %-*s  %*s %15s B%s%s\n", list[i]->name,
		       columns < name_columns ? name_columns - columns : 0, "", type_columns,
		       quire_tensor_type_name(list[i]->type), shape_columns, shape,
		       quire_text_count(list[i]->bytes).s, t->files_count > 1 ? "  " : "",
		       t->files_count > 1 ? file_name(&t->files[list[i]->file]) : "");
	}
	printf("\n");
	free(list);
	return 0;
}

static json_t *json_list(const struct quire_tensors *t)
{
	const struct quire_tensor **order = in_order(t);
	json_t *list = order ? json_array() : NULL;

	for (uint32_t i = 0; list && i < t->count; i++) {
		json_t *shape = json_array();

		for (uint32_t k = 0; k < order[i]->rank; k++)
			shape = quire_json_append(shape,
						  json_integer((json_int_t)order[i]->shape[k]));
		list = quire_json_append(
			list, json_pack("{s:s, s:s, s:o, s:I, s:s}", "name", order[i]->name, "type",
					quire_tensor_type_name(order[i]->type), "shape", shape,
					"bytes", (json_int_t)order[i]->bytes, "file",
					file_name(&t->files[order[i]->file])));
	}
	free(order);
	return list;
}

json_t *quire_model_weights_json(const struct quire_model_weights *w, bool list)
{
	const struct quire_tensors *t = w->tensors;
	struct tally tally[QUIRE_TENSOR_TYPES_COUNT];
	json_t *files = json_array(), *types = json_object(), *json;

	count_types(t, tally);
	for (uint32_t i = 0; i < t->files_count; i++)
		files = quire_json_append(
			files, json_pack("{s:s, s:I, s:I}", "name", file_name(&t->files[i]),
					 "bytes", (json_int_t)t->files[i].map_bytes, "header_bytes",
					 (json_int_t)t->files[i].header_bytes));
	for (int i = 0; i < QUIRE_TENSOR_TYPES_COUNT; i++) {
		if (tally[i].tensors)
			types = quire_json_with(types,
						quire_tensor_type_name((enum quire_tensor_type)i),
						json_pack("{s:I, s:I, s:I}", "tensors",
							  (json_int_t)tally[i].tensors, "elements",
							  (json_int_t)tally[i].elements, "bytes",
							  (json_int_t)tally[i].bytes));
	}
	json = json_pack("{s:o, s:I, s:I, s:o}", "files", files, "tensors", (json_int_t)t->count,
			 "bytes", (json_int_t)t->bytes, "types", types);
	return list ? quire_json_with(json, "list", json_list(t)) : json;
}
