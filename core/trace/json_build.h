/*
 * json_build.h - building JSON of which nothing gets lost.
 *
 * jansson's json_object_set_new() and json_array_append_new() say that they failed;
 * these hand NULL on instead, as json_pack() does, so that what is built is either
 * whole or NULL, and looked at once:
 *
 *	json = quire_json_with(json, "key", json_integer(1));
 */
#ifndef QUIRE_JSON_BUILD_H
#define QUIRE_JSON_BUILD_H

#include <jansson.h>

/* @object with one key more.  @value goes with it; either may be NULL.  Return: @object;
 * NULL: no memory, and both are gone. */
static inline json_t *quire_json_with(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) == 0)
		return object;
	json_decref(object);
	return NULL;
}

/* As quire_json_with(), of an array. */
static inline json_t *quire_json_append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) == 0)
		return array;
	json_decref(array);
	return NULL;
}

#endif /* QUIRE_JSON_BUILD_H */
