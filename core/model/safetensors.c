/*
 * safetensors.c - opening, sorting and finding; see safetensors.h.
 */
#include "safetensors.h"
#include "safetensors_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TYPE_ROW(name_, bits_) {#name_, bits_},
static const struct {
	const char *name;
	uint32_t bits;
} types[] = {QUIRE_TENSOR_TYPES(TYPE_ROW)};

const char *quire_tensor_type_name(enum quire_tensor_type type)
{
	return types[type].name;
}

uint32_t quire_tensor_type_bits(enum quire_tensor_type type)
{
	return types[type].bits;
}

int quire_tensors_map(const char *path, size_t bytes_max, const void **map, size_t *bytes)
{
	/* A pipe without a writer must not keep us waiting. */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *at;
	int rc = 0;

	if (fd < 0)
		return quire_fail(-errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) != 0)
		rc = quire_fail(-errno, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		rc = quire_fail(-EINVAL, "%s: expected a regular file", path);
	else if (st.st_size == 0)
		rc = quire_fail(-EINVAL, "%s: the file is empty", path);
	else if ((uintmax_t)st.st_size > bytes_max)
		rc = quire_fail(-EINVAL, "%s: %ju bytes, expected at most %zu", path,
				(uintmax_t)st.st_size, bytes_max);
	if (!rc) {
		at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (at == MAP_FAILED) {
			rc = quire_fail(-errno, "%s: cannot be mapped: %s", path, strerror(errno));
		} else {
			*map = at;
			*bytes = (size_t)st.st_size;
		}
	}
	close(fd);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct quire_tensor *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int quire_tensors_sort(struct quire_tensors *t)
{
	if (t->count)
		qsort(t->list, t->count, sizeof(*t->list), by_name);
	for (uint32_t i = 1; i < t->count; i++) {
		const struct quire_tensor *a = &t->list[i - 1], *b = &t->list[i];

		if (strcmp(a->name, b->name) != 0)
			continue;
		if (a->file == b->file)
			return quire_fail(-EINVAL, "%s: tensor '%s' is there twice",
					  t->files[a->file].path, a->name);
		return quire_fail(-EINVAL, "%s: tensor '%s' is in %s, too", t->files[a->file].path,
				  a->name, t->files[b->file].path);
	}
	return 0;
}

static int add_directory(struct quire_tensors *t, const char *directory)
{
	char path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/model.safetensors", directory) >= (int)sizeof(path))
		return quire_fail(-ENAMETOOLONG, "%.60s...: the path is too long", directory);
	if (stat(path, &st) == 0 || errno != ENOENT)
		return quire_tensors_add_file(t, path);
	return quire_tensors_add_shards(t, directory);
}

int quire_tensors_open(struct quire_tensors **tensors, const char *path)
{
	struct quire_tensors *t;
	struct stat st;
	int rc;

	*tensors = NULL;
	if (stat(path, &st) != 0)
		return quire_fail(-errno, "%s: %s", path, strerror(errno));
	t = calloc(1, sizeof(*t));
	if (!t)
		return quire_fail(-ENOMEM, "%s: out of memory", path);
	rc = S_ISDIR(st.st_mode) ? add_directory(t, path) : quire_tensors_add_file(t, path);
	if (!rc)
		rc = quire_tensors_sort(t);
	if (rc) {
		quire_tensors_close(t);
		return rc;
	}
	*tensors = t;
	return 0;
}

void quire_tensors_close(struct quire_tensors *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->files_count; i++) {
		munmap((void *)(uintptr_t)t->files[i].map, t->files[i].map_bytes);
		free(t->files[i].names);
		free(t->files[i].path);
	}
	free(t->files);
	free(t->list);
	free(t);
}

const struct quire_tensor *quire_tensors_find(const struct quire_tensors *t, const char *name)
{
	const struct quire_tensor key = {.name = name};

	return t->count ? bsearch(&key, t->list, t->count, sizeof(key), by_name) : NULL;
}

uint64_t quire_tensor_elements(const struct quire_tensor *tensor)
{
	uint64_t elements = 1;

	for (uint32_t i = 0; i < tensor->rank; i++)
		elements *= tensor->shape[i];
	return elements;
}
