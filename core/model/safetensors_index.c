/*
 * safetensors_index.c - a model in several files: model.safetensors.index.json.
 *
 * The index is read twice and never kept: once for the files that it names, and, when
 * they are open, once to compare what it says of each tensor with what they hold.
 */
#include "safetensors_file.h"
#include "scan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define INDEX	      "model.safetensors.index.json"
#define FILE_NAME_MAX 255

/* Called with each entry of the weight_map.  Return: 0; -errno ends it. */
typedef int entry_fn(void *arg, const char *tensor, const char *file);

static int read_map(struct quire_scan *s, entry_fn *entry, void *arg)
{
	char tensor[QUIRE_TENSOR_NAME_MAX + 1], file[FILE_NAME_MAX + 1];
	int rc = quire_scan_open(s, '{');

	while (!rc && (rc = quire_scan_more(s, '}')) > 0) {
		if (!(rc = quire_scan_key(s, tensor, sizeof(tensor))) &&
		    !(rc = quire_scan_name(s, file, sizeof(file))))
			rc = entry(arg, tensor, file);
	}
	return rc;
}

static int read_index(struct quire_scan s, entry_fn *entry, void *arg)
{
	bool map = false, metadata = false;
	int rc = quire_scan_open(&s, '{');

	while (!rc && (rc = quire_scan_more(&s, '}')) > 0) {
		char key[32];
		bool *seen;

		rc = quire_scan_key(&s, key, sizeof(key));
		if (rc)
			return rc;
		seen = strcmp(key, "weight_map") == 0 ? &map
		       : strcmp(key, "metadata") == 0 ? &metadata
						      : NULL;
		if (!seen || *seen)
			return quire_fail(-EINVAL, "%s: key '%s' is %s", s.path, key,
					  seen ? "there twice" : "unknown");
		*seen = true;
		rc = seen == &map ? read_map(&s, entry, arg) : quire_scan_skip(&s);
	}
	if (rc || (rc = quire_scan_end(&s)))
		return rc;
	return map ? 0 : quire_fail(-EINVAL, "%s: key 'weight_map' is missing", s.path);
}

/* ---- the files it names -------------------------------------------------------- */

struct shards {
	const char *path;		     /* of the index */
	char *names[QUIRE_TENSOR_FILES_MAX]; /* [count] in order; owned */
	uint32_t count;
};

/* Where @name stands, or would: *found says which. */
static uint32_t place_of(const struct shards *shards, const char *name, bool *found)
{
	uint32_t low = 0, high = shards->count;

	while (low < high) {
		const uint32_t middle = (low + high) / 2;
		const int order = strcmp(shards->names[middle], name);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = false;
	return low;
}

static int add_name(void *arg, const char *tensor, const char *file)
{
	struct shards *shards = arg;
	bool found;
	const uint32_t place = place_of(shards, file, &found);
	char *name;

	if (found)
		return 0;
	if (!file[0] || file[0] == '.' || strchr(file, '/'))
		return quire_fail(-EINVAL,
				  "%s: tensor '%s': expected the name of a file in the same "
				  "directory, found '%s'",
				  shards->path, tensor, file);
	if (shards->count == QUIRE_TENSOR_FILES_MAX)
		return quire_fail(-EINVAL, "%s: more than %d files", shards->path,
				  QUIRE_TENSOR_FILES_MAX);
	name = strdup(file);
	if (!name)
		return quire_fail(-ENOMEM, "%s: out of memory", shards->path);
	memmove(&shards->names[place + 1], &shards->names[place],
		(shards->count - place) * sizeof(name));
	shards->names[place] = name;
	shards->count++;
	return 0;
}

static int add_files(struct quire_tensors *t, const char *directory, const struct shards *shards)
{
	char path[PATH_MAX];
	struct stat st;
	int rc = 0;

	for (uint32_t i = 0; i < shards->count && !rc; i++) {
		if (snprintf(path, sizeof(path), "%s/%s", directory, shards->names[i]) >=
		    (int)sizeof(path))
			rc = quire_fail(-ENAMETOOLONG, "%.60s...: the path is too long", directory);
		else if (stat(path, &st) != 0)
			rc = quire_fail(-errno, "%s: names %s: %s", shards->path, shards->names[i],
					strerror(errno));
		else
			rc = quire_tensors_add_file(t, path);
	}
	return rc;
}

/* ---- what it says of them ------------------------------------------------------ */

struct claims {
	const struct quire_tensors *tensors;
	const struct shards *shards; /* file i of tensors is the i-th of these */
	bool *seen;		     /* [tensors->count] */
};

static int check_claim(void *arg, const char *name, const char *file)
{
	const struct claims *claims = arg;
	const struct quire_tensors *t = claims->tensors;
	const struct quire_tensor *tensor = quire_tensors_find(t, name);
	const char *path = claims->shards->path;

	if (!tensor || strcmp(file, claims->shards->names[tensor->file]) != 0)
		return quire_fail(-EINVAL, "%s: tensor '%s' is not in %s", path, name, file);
	if (claims->seen[tensor - t->list])
		return quire_fail(-EINVAL, "%s: tensor '%s' is there twice", path, name);
	claims->seen[tensor - t->list] = true;
	return 0;
}

static int check_index(const struct quire_tensors *t, const struct quire_scan *index,
		       const struct shards *shards)
{
	struct claims claims = {.tensors = t, .shards = shards};
	int rc;

	claims.seen = calloc(t->count ? t->count : 1, sizeof(*claims.seen));
	if (!claims.seen)
		return quire_fail(-ENOMEM, "%s: out of memory", shards->path);
	rc = read_index(*index, check_claim, &claims);
	for (uint32_t i = 0; i < t->count && !rc; i++) {
		if (!claims.seen[i])
			rc = quire_fail(-EINVAL, "%s: tensor '%s' of %s is missing", shards->path,
					t->list[i].name, shards->names[t->list[i].file]);
	}
	free(claims.seen);
	return rc;
}

int quire_tensors_add_shards(struct quire_tensors *t, const char *directory)
{
	struct shards shards = {.count = 0};
	struct quire_scan index;
	const void *map;
	char path[PATH_MAX];
	struct stat st;
	size_t bytes;
	int rc;

	if (snprintf(path, sizeof(path), "%s/" INDEX, directory) >= (int)sizeof(path))
		return quire_fail(-ENAMETOOLONG, "%.60s...: the path is too long", directory);
	if (stat(path, &st) != 0 && errno == ENOENT)
		return quire_fail(-ENOENT,
				  "%s: no weights: expected model.safetensors or " INDEX
				  " in this directory",
				  directory);
	if ((rc = quire_tensors_map(path, QUIRE_TENSOR_HEADER_MAX, &map, &bytes)))
		return rc;
	shards.path = path;
	quire_scan_begin(&index, path, "index", map, bytes);
	if (!(rc = read_index(index, add_name, &shards)) &&
	    !(rc = add_files(t, directory, &shards)) && !(rc = quire_tensors_sort(t)))
		rc = check_index(t, &index, &shards);
	for (uint32_t i = 0; i < shards.count; i++)
		free(shards.names[i]);
	munmap((void *)(uintptr_t)map, bytes);
	return rc;
}
