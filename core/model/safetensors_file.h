/*
 * safetensors_file.h - the parts of reading safetensors, for each other only.
 */
#ifndef QUIRE_SAFETENSORS_FILE_H
#define QUIRE_SAFETENSORS_FILE_H

#include "safetensors.h"

/* Map the regular file at @path, of at most @bytes_max.  Return: 0; -EINVAL; -errno. */
int quire_tensors_map(const char *path, size_t bytes_max, const void **map, size_t *bytes);

/*
 * Map the file at @path, and add it and its tensors, checked, to @t, behind the others.
 * Return: 0; -errno, and what was added is closed with @t.
 */
int quire_tensors_add_file(struct quire_tensors *t, const char *path);

/* Sort by name.  Return: 0; -EINVAL: a name is there twice. */
int quire_tensors_sort(struct quire_tensors *t);

/* Open the shards that the index in @directory names.  Return: 0; -errno, as above. */
int quire_tensors_add_shards(struct quire_tensors *t, const char *directory);

#endif /* QUIRE_SAFETENSORS_FILE_H */
