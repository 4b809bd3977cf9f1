/*
 * client_names.c - clients that a source knows by name; they are numbered in the
 * order in which they appear.
 */
#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Fit to be a field of a CSV as it is, and no number. */
static bool is_name(const char *name)
{
	size_t length = strlen(name);
	unsigned char first = (unsigned char)*name;

	if (!(first >= 'A' && first <= 'Z') && !(first >= 'a' && first <= 'z') && first != '_' &&
	    first < 0x80)
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < ' ' || strchr("\",\x7f", name[i]))
			return false;
	return length < 64 && name[length - 1] != ' ';
}

static uint32_t hash(const char *name)
{
	uint32_t h = 0x811c9dc5u; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x01000193u;
	return h;
}

/* Where @name is in the index, or would be. */
static uint32_t *place(const struct quire_reader *r, const char *name)
{
	uint32_t i = hash(name) & (r->names_size - 1);

	while (r->names_index[i] && strcmp(r->w->client_names[r->names_index[i] - 1], name))
		i = (i + 1) & (r->names_size - 1);
	return &r->names_index[i];
}

/* Keep the index at most half full. */
static int make_room(struct quire_reader *r)
{
	struct quire_workload *w = r->w;
	uint32_t size = r->names_size ? 2 * r->names_size : 64;
	uint32_t *index;
	char **names;

	if (2 * w->clients_count < r->names_size)
		return 0;
	names = realloc(w->client_names, size / 2 * sizeof(*names));
	index = calloc(size, sizeof(*index));
	if (names)
		w->client_names = names;
	if (!names || !index) {
		free(index);
		return quire_fail(-ENOMEM, "no memory for %u clients", size);
	}
	free(r->names_index);
	r->names_index = index;
	r->names_size = size;
	for (uint32_t i = 0; i < w->clients_count; i++)
		*place(r, names[i]) = i + 1;
	return 0;
}

int quire_reader_client(struct quire_reader *r, const char *name, uint32_t *client)
{
	struct quire_workload *w = r->w;
	uint32_t *at;
	int rc;

	if (!is_name(name))
		return quire_reader_wrong(r, name,
					  "a client's name that begins with a letter and has "
					  "neither commas nor quotes in it");
	rc = make_room(r);
	if (rc < 0)
		return rc;
	at = place(r, name);
	if (*at == 0) {
		w->client_names[w->clients_count] = strdup(name);
		if (!w->client_names[w->clients_count])
			return quire_fail(-ENOMEM, "no memory for client '%s'", name);
		*at = ++w->clients_count;
	}
	*client = *at - 1;
	return 0;
}
