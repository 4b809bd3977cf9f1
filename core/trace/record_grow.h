/*
 * record_grow.h - arrays that grow while a recording is read; private to record_*.c.
 */
#ifndef QUIRE_RECORD_GROW_H
#define QUIRE_RECORD_GROW_H

#include <quire/quire.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Make room for @count entries of @size bytes in the array whose address lies at
 * @where; new ones are zeroed.  Return: 0; -ENOMEM with a sentence. */
static inline int grow(void *where, uint32_t *limit, uint64_t count, size_t size)
{
	uint64_t wanted = *limit ? *limit : 16;
	char *array;

	memcpy(&array, where, sizeof(array));
	while (wanted < count)
		wanted *= 2;
	array = wanted <= UINT32_MAX ? realloc(array, wanted * size) : NULL;
	if (!array)
		return quire_fail(-ENOMEM, "no memory for the state of a recording");
	memset(array + *limit * size, 0, (wanted - *limit) * size);
	memcpy(where, &array, sizeof(array));
	*limit = (uint32_t)wanted;
	return 0;
}

#define GROW(array, limit, count)                                                                  \
	((count) <= (limit) ? 0 : grow(&(array), &(limit), count, sizeof(*(array))))

#endif /* QUIRE_RECORD_GROW_H */
