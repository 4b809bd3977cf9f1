/*
 * oom.c - see oom.h.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "oom.h"

#include <check.h>
#include <errno.h>
#include <execinfo.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

enum { LIVE_MAX = 1 << 15 };

struct oom *oom;

/* Of this process, as all below.  Were it shared, a parent would count, and fail, from
 * the moment in which its child begins. */
static bool armed;

static void *live[LIVE_MAX]; /* [live_count] what is to be given back */
static uint32_t live_count;
static pthread_mutex_t live_lock = PTHREAD_MUTEX_INITIALIZER;

static _Thread_local bool spared; /* see above, of jansson */

static bool fails(void)
{
	if (!armed || spared || atomic_fetch_add(&oom->count, 1) + 1 != oom->fail_at)
		return false;
	oom->callers = backtrace(oom->caller, OOM_CALLERS);
	atomic_store(&oom->hit, true);
	errno = ENOMEM;
	return true;
}

static void *took(void *at)
{
	if (!armed || !at)
		return at;
	pthread_mutex_lock(&live_lock);
	if (live_count < LIVE_MAX)
		live[live_count++] = at;
	pthread_mutex_unlock(&live_lock);
	return at;
}

static void gave(const void *at)
{
	if (!armed || !at)
		return;
	pthread_mutex_lock(&live_lock);
	for (uint32_t i = live_count; i-- > 0;) {
		if (live[i] == at) {
			live[i] = live[--live_count];
			break;
		}
	}
	pthread_mutex_unlock(&live_lock);
}

/* ---- what fails ---- */

#define WRAP(type, name, ...)                                                                      \
	type __real_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__)

WRAP(void *, malloc, size_t bytes)
{
	return fails() ? NULL : took(__real_malloc(bytes));
}

WRAP(void *, calloc, size_t count, size_t bytes)
{
	return fails() ? NULL : took(__real_calloc(count, bytes));
}

WRAP(void *, realloc, void *at, size_t bytes)
{
	if (fails())
		return NULL;
	gave(at);
	return took(__real_realloc(at, bytes));
}

WRAP(void *, aligned_alloc, size_t alignment, size_t bytes)
{
	return fails() ? NULL : took(__real_aligned_alloc(alignment, bytes));
}

WRAP(void, free, void *at)
{
	gave(at);
	__real_free(at);
}

WRAP(char *, strdup, const char *text)
{
	return fails() ? NULL : took(__real_strdup(text));
}

WRAP(char *, strndup, const char *text, size_t length)
{
	return fails() ? NULL : took(__real_strndup(text, length));
}

WRAP(char *, realpath, const char *path, char *resolved)
{
	if (resolved)
		return __real_realpath(path, resolved);
	return fails() ? NULL : took(__real_realpath(path, NULL));
}

WRAP(FILE *, fopen, const char *path, const char *mode)
{
	if (!strncmp(path, "/proc/", 6))
		return __real_fopen(path, mode);
	return fails() ? NULL : took(__real_fopen(path, mode));
}

WRAP(FILE *, open_memstream, char **text, size_t *size)
{
	return fails() ? NULL : took(__real_open_memstream(text, size));
}

WRAP(int, fclose, FILE *file)
{
	gave(file);
	return __real_fclose(file);
}

WRAP(void *, mmap, void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	return fails() ? MAP_FAILED : took(__real_mmap(at, bytes, protection, flags, fd, offset));
}

WRAP(int, munmap, void *at, size_t bytes)
{
	gave(at);
	return __real_munmap(at, bytes);
}

WRAP(int, pthread_create, pthread_t *thread, const pthread_attr_t *attributes,
     void *(*start)(void *), void *arg)
{
	return fails() ? EAGAIN : __real_pthread_create(thread, attributes, start, arg);
}

WRAP(int, inflateInit2_, z_streamp stream, int bits, const char *version, int size)
{
	return fails() ? Z_MEM_ERROR : __real_inflateInit2_(stream, bits, version, size);
}

WRAP(ZSTD_DStream *, ZSTD_createDStream, void)
{
	return fails() ? NULL : __real_ZSTD_createDStream();
}

static json_t *not_parsed(json_error_t *error)
{
	if (error)
		*error = (json_error_t){.text = "out of memory"};
	return NULL;
}

#define WRAP_PARSER(name, call, ...)                                                               \
	WRAP(json_t *, name, __VA_ARGS__)                                                          \
	{                                                                                          \
		json_t *json;                                                                      \
                                                                                                   \
		if (fails())                                                                       \
			return not_parsed(error);                                                  \
		spared = true;                                                                     \
		json = __real_##name call;                                                         \
		spared = false;                                                                    \
		return json;                                                                       \
	}

WRAP_PARSER(json_loads, (text, flags, error), const char *text, size_t flags, json_error_t *error)
WRAP_PARSER(json_loadb, (text, size, flags, error), const char *text, size_t size, size_t flags,
	    json_error_t *error)
WRAP_PARSER(json_loadf, (in, flags, error), FILE *in, size_t flags, json_error_t *error)
WRAP_PARSER(json_load_file, (path, flags, error), const char *path, size_t flags,
	    json_error_t *error)
WRAP_PARSER(json_load_callback, (next, arg, flags, error), json_load_callback_t next, void *arg,
	    size_t flags, json_error_t *error)

/* ---- the switch ---- */

void oom_make(void)
{
	oom = __real_mmap(NULL, sizeof(*oom), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			  -1, 0);
	ck_assert(oom != MAP_FAILED);
}

void oom_begin(unsigned long n)
{
	oom->fail_at = n;
	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
	live_count = 0;
	armed = true;
}

void oom_end(void)
{
	armed = false;
	oom->left = live_count;
}
