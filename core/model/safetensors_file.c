/*
 * safetensors_file.c - one file: its header, read twice: to count, then to keep.
 */
#include "safetensors_file.h"
#include "scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PREFIX_BYTES 8 /* the header's length */

/* What is read from a header: counts, and the tensors if there is room for them. */
struct header {
	struct quire_scan scan;
	const uint8_t *data; /* behind the header */
	uint64_t data_bytes;
	uint32_t file, count;
	size_t names_bytes;
	struct quire_tensor *tensors; /* [count] or NULL */
	char *names;		      /* [names_bytes] or NULL */
};

static int read_type(struct quire_scan *s, const char *tensor, enum quire_tensor_type *type)
{
	char name[16];
	int rc = quire_scan_name(s, name, sizeof(name));

	if (rc)
		return rc;
	for (int i = 0; i < QUIRE_TENSOR_TYPES_COUNT; i++) {
		*type = (enum quire_tensor_type)i;
		if (strcmp(name, quire_tensor_type_name(*type)) == 0)
			return 0;
	}
	return quire_fail(-EINVAL, "%s: tensor '%s': type '%s' is unknown", s->path, tensor, name);
}

static int read_shape(struct quire_scan *s, struct quire_tensor *tensor)
{
	int rc = quire_scan_open(s, '[');

	while (!rc && (rc = quire_scan_more(s, ']')) > 0) {
		if (tensor->rank == QUIRE_TENSOR_RANK_MAX)
			return quire_fail(-EINVAL, "%s: tensor '%s': a rank above %d", s->path,
					  tensor->name, QUIRE_TENSOR_RANK_MAX);
		rc = quire_scan_u64(s, &tensor->shape[tensor->rank++]);
	}
	return rc;
}

static int read_offsets(struct quire_scan *s, uint64_t offsets[2])
{
	int rc = quire_scan_open(s, '[');

	for (int i = 0; i < 2 && !rc; i++) {
		rc = quire_scan_more(s, ']');
		if (!rc)
			rc = quire_scan_fail(s, "expected two offsets");
		else if (rc > 0)
			rc = quire_scan_u64(s, &offsets[i]);
	}
	if (!rc && (rc = quire_scan_more(s, ']')) > 0)
		rc = quire_scan_fail(s, "expected two offsets");
	return rc;
}

/* Bytes of @tensor's shape and type, -EINVAL if that is no number of them. */
static int size_of(const char *path, const struct quire_tensor *tensor, uint64_t *bytes)
{
	const uint32_t bits = quire_tensor_type_bits(tensor->type);
	uint64_t elements = 1;

	for (uint32_t i = 0; i < tensor->rank; i++) {
		const uint64_t dim = tensor->shape[i];

		if (dim && elements > UINT64_MAX / dim)
			goto out_large;
		elements *= dim;
	}
	if (elements > UINT64_MAX / bits)
		goto out_large;
	if (elements * bits % 8)
		return quire_fail(
			-EINVAL, "%s: tensor '%s': %" PRIu64 " elements of %s are no whole bytes",
			path, tensor->name, elements, quire_tensor_type_name(tensor->type));
	*bytes = elements * bits / 8;
	return 0;

out_large:
	return quire_fail(-EINVAL, "%s: tensor '%s': the size of its shape is beyond 64 bits", path,
			  tensor->name);
}

static int check(const struct header *h, struct quire_tensor *tensor, const uint64_t offsets[2])
{
	const char *path = h->scan.path;
	uint64_t bytes = 0;
	int rc = size_of(path, tensor, &bytes);

	if (rc)
		return rc;
	if (offsets[0] > offsets[1])
		return quire_fail(-EINVAL,
				  "%s: tensor '%s': it ends at byte %" PRIu64
				  ", before it begins at %" PRIu64,
				  path, tensor->name, offsets[1], offsets[0]);
	if (offsets[1] > h->data_bytes)
		return quire_fail(-EINVAL,
				  "%s: tensor '%s': it ends at byte %" PRIu64
				  ", but there are only %" PRIu64 " behind the header (truncated?)",
				  path, tensor->name, offsets[1], h->data_bytes);
	if (offsets[1] - offsets[0] != bytes)
		return quire_fail(-EINVAL,
				  "%s: tensor '%s': its shape takes %" PRIu64
				  " bytes, but it has %" PRIu64,
				  path, tensor->name, bytes, offsets[1] - offsets[0]);
	tensor->data = h->data + offsets[0];
	tensor->bytes = bytes;
	return 0;
}

/* {"dtype": .., "shape": .., "data_offsets": ..} in any order, each once. */
static int read_tensor(struct header *h, const char *name)
{
	static const char *const fields[] = {"dtype", "shape", "data_offsets"};
	struct quire_tensor tensor = {.name = name, .file = h->file};
	struct quire_scan *s = &h->scan;
	uint64_t offsets[2] = {0, 0};
	bool seen[3] = {false, false, false};
	int rc = quire_scan_open(s, '{');

	while (!rc && (rc = quire_scan_more(s, '}')) > 0) {
		char key[32];
		size_t i = 0;

		rc = quire_scan_key(s, key, sizeof(key));
		if (rc)
			return rc;
		while (i < 3 && strcmp(key, fields[i]) != 0)
			i++;
		if (i == 3 || seen[i])
			return quire_fail(-EINVAL, "%s: tensor '%s': field '%s' is %s", s->path,
					  name, key, i == 3 ? "unknown" : "there twice");
		seen[i] = true;
		rc = i == 0   ? read_type(s, name, &tensor.type)
		     : i == 1 ? read_shape(s, &tensor)
			      : read_offsets(s, offsets);
	}
	for (size_t i = 0; i < 3 && !rc; i++) {
		if (!seen[i])
			rc = quire_fail(-EINVAL, "%s: tensor '%s': field '%s' is missing", s->path,
					name, fields[i]);
	}
	if (rc || (rc = check(h, &tensor, offsets)))
		return rc;
	if (h->tensors) {
		tensor.name = strcpy(h->names + h->names_bytes, name);
		h->tensors[h->count] = tensor;
	}
	h->names_bytes += strlen(name) + 1;
	h->count++;
	return 0;
}

/* Strings, which nobody here needs; but they must be sound, and no key there twice. */
static int read_metadata(struct quire_scan *s)
{
	struct quire_scan keys[QUIRE_TENSOR_METADATA_MAX]; /* where they stand */
	char key[QUIRE_TENSOR_NAME_MAX + 1], other[sizeof(key)];
	size_t count = 0;
	int rc = quire_scan_open(s, '{');

	while (!rc && (rc = quire_scan_more(s, '}')) > 0) {
		if (count == QUIRE_TENSOR_METADATA_MAX)
			return quire_scan_fail(s, "more than %d entries of __metadata__",
					       QUIRE_TENSOR_METADATA_MAX);
		keys[count++] = *s;
		rc = quire_scan_key(s, key, sizeof(key));
		for (size_t i = 0; i + 1 < count && !rc; i++) {
			struct quire_scan before = keys[i];

			quire_scan_name(&before, other, sizeof(other));
			if (strcmp(key, other) == 0)
				rc = quire_fail(-EINVAL, "%s: __metadata__: '%s' is there twice",
						s->path, key);
		}
		if (!rc)
			rc = quire_scan_string(s);
	}
	return rc;
}

static int read_header(struct header *h)
{
	struct quire_scan *s = &h->scan;
	bool metadata = false;
	int rc = quire_scan_open(s, '{');

	h->count = 0;
	h->names_bytes = 0;
	while (!rc && (rc = quire_scan_more(s, '}')) > 0) {
		char name[QUIRE_TENSOR_NAME_MAX + 1];

		rc = quire_scan_key(s, name, sizeof(name));
		if (rc)
			return rc;
		if (strcmp(name, "__metadata__") == 0) {
			if (metadata)
				return quire_scan_fail(s, "__metadata__ is there twice");
			metadata = true;
			rc = read_metadata(s);
		} else if (h->count == QUIRE_TENSORS_MAX) {
			return quire_scan_fail(s, "more than %u tensors", QUIRE_TENSORS_MAX);
		} else {
			rc = read_tensor(h, name);
		}
	}
	return rc ? rc : quire_scan_end(s);
}

static int by_place(const void *a, const void *b)
{
	const struct quire_tensor *x = a, *y = b;

	if (x->data != y->data)
		return (uintptr_t)x->data < (uintptr_t)y->data ? -1 : 1;
	return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* Each tensor begins where the one before it ends, the last one ends with the file. */
static int check_places(struct header *h)
{
	const char *path = h->scan.path;
	uint64_t end = 0;

	if (h->count)
		qsort(h->tensors, h->count, sizeof(*h->tensors), by_place);
	for (uint32_t i = 0; i < h->count; i++) {
		const struct quire_tensor *tensor = &h->tensors[i];
		const uint64_t begin = (uint64_t)((const uint8_t *)tensor->data - h->data);

		if (begin < end)
			return quire_fail(-EINVAL, "%s: tensors '%s' and '%s' overlap", path,
					  tensor[-1].name, tensor->name);
		if (begin > end)
			return quire_fail(-EINVAL,
					  "%s: no tensor has the %" PRIu64
					  " bytes before that of '%s'",
					  path, begin - end, tensor->name);
		end = begin + tensor->bytes;
	}
	if (end < h->data_bytes)
		return quire_fail(-EINVAL,
				  "%s: no tensor has the last %" PRIu64 " bytes of the file", path,
				  h->data_bytes - end);
	return 0;
}

/* The length of the header is sound; make ready to read it. */
static int begin_header(struct header *h, struct quire_tensor_file *file)
{
	const uint8_t *map = file->map;
	uint64_t bytes = 0;

	if (file->map_bytes < PREFIX_BYTES)
		return quire_fail(-EINVAL,
				  "%s: %zu bytes, expected at least the %d of a header's length",
				  file->path, file->map_bytes, PREFIX_BYTES);
	for (int i = PREFIX_BYTES - 1; i >= 0; i--)
		bytes = bytes << 8 | map[i];
	if (bytes > QUIRE_TENSOR_HEADER_MAX)
		return quire_fail(-EINVAL,
				  "%s: a header of %" PRIu64
				  " bytes, expected at most %d: no safetensors file?",
				  file->path, bytes, QUIRE_TENSOR_HEADER_MAX);
	if (bytes > file->map_bytes - PREFIX_BYTES)
		return quire_fail(-EINVAL,
				  "%s: a header of %" PRIu64
				  " bytes in a file of %zu (truncated, or no safetensors file?)",
				  file->path, bytes, file->map_bytes);
	file->header_bytes = bytes;
	h->data = map + PREFIX_BYTES + bytes;
	h->data_bytes = file->map_bytes - PREFIX_BYTES - bytes;
	quire_scan_begin(&h->scan, file->path, "header", map + PREFIX_BYTES, (size_t)bytes);
	return 0;
}

static int read_file(struct quire_tensors *t, struct quire_tensor_file *file)
{
	struct header h = {.file = t->files_count - 1};
	struct quire_scan start;
	struct quire_tensor *list;
	int rc;

	if ((rc = begin_header(&h, file)))
		return rc;
	start = h.scan;
	if ((rc = read_header(&h)))
		return rc;
	if (h.count > QUIRE_TENSORS_MAX - t->count)
		return quire_fail(-EINVAL, "%s: with the shards before it more than %u tensors",
				  file->path, QUIRE_TENSORS_MAX);
	if (h.count) {
		list = realloc(t->list, (t->count + h.count) * sizeof(*list));
		if (list)
			t->list = list;
		file->names = malloc(h.names_bytes);
		if (!list || !file->names)
			return quire_fail(-ENOMEM, "%s: out of memory", file->path);
		h.tensors = t->list + t->count;
		h.names = file->names;
		h.scan = start;
		if ((rc = read_header(&h)))
			return rc;
	}
	if ((rc = check_places(&h)))
		return rc;
	t->count += h.count;
	t->bytes += h.data_bytes;
	return 0;
}

int quire_tensors_add_file(struct quire_tensors *t, const char *path)
{
	struct quire_tensor_file *files, *file;
	int rc;

	files = realloc(t->files, (t->files_count + 1) * sizeof(*files));
	if (!files)
		return quire_fail(-ENOMEM, "%s: out of memory", path);
	t->files = files;
	file = &files[t->files_count];
	*file = (struct quire_tensor_file){.path = strdup(path)};
	if (!file->path)
		return quire_fail(-ENOMEM, "%s: out of memory", path);
	if ((rc = quire_tensors_map(path, SIZE_MAX, &file->map, &file->map_bytes))) {
		free(file->path);
		return rc;
	}
	t->files_count++;
	return read_file(t, file);
}
