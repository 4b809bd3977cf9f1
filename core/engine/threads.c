/*
 * threads.c - a few threads that wait for loops to share; see threads.h.
 *
 * A loop is published by storing the number of its iterations in `left`.  Who takes
 * one off and finds that it was there does that iteration, and may read the loop,
 * which cannot end before it says so in `done`.  Who finds none touches nothing; so
 * nobody waits for threads that are asleep.
 */
#include "threads.h"

#include <quire/quire.h>

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE	   64	/* bytes of a cache line */
#define SPINS_MAX  4000 /* looks at `left` before a thread sleeps: 100 us or so */
#define SPINS_DONE 2000 /* looks at `done` before the caller lets others run */

struct worker {
	struct threads *threads;
	pthread_t id;
	uint32_t index;
};

struct threads {
	_Alignas(LINE) atomic_llong left; /* iterations that nobody has taken; <= 0: none */
	_Alignas(LINE) atomic_uint done;  /* iterations that are over */
	_Alignas(LINE) threads_fn *fn;	  /* the loop; changes only while none is open */
	void *arg;
	uint32_t count;
	atomic_uint asleep; /* workers that wait for `wake` */
	atomic_bool quit;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct worker *workers; /* [workers_count] all but the caller */
	uint32_t workers_count;
};

/* Let the other thread of this core run, or at least save energy. */
static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Do iterations until there are none. */
static void work(struct threads *t, uint32_t thread)
{
	long long left;

	while (atomic_load(&t->left) > 0 && (left = atomic_fetch_sub(&t->left, 1)) > 0) {
		t->fn(t->arg, t->count - (uint32_t)left, thread);
		atomic_fetch_add(&t->done, 1);
	}
}

static void sleep_until_woken(struct threads *t)
{
	pthread_mutex_lock(&t->lock);
	atomic_fetch_add(&t->asleep, 1);
	while (atomic_load(&t->left) <= 0 && !atomic_load(&t->quit))
		pthread_cond_wait(&t->wake, &t->lock);
	atomic_fetch_sub(&t->asleep, 1);
	pthread_mutex_unlock(&t->lock);
}

static void *run_worker(void *arg)
{
	struct worker *worker = arg;
	struct threads *t = worker->threads;
	uint32_t spins = 0;

	while (!atomic_load(&t->quit)) {
		if (atomic_load_explicit(&t->left, memory_order_relaxed) > 0) {
			work(t, worker->index);
			spins = 0;
		} else if (spins++ < SPINS_MAX) {
			relax();
		} else {
			sleep_until_woken(t);
			spins = 0;
		}
	}
	return NULL;
}

/* Behind a change of `left` or `quit`: either a sleeper sees it, or we see the sleeper. */
static void wake_all(struct threads *t)
{
	if (!atomic_load(&t->asleep))
		return;
	pthread_mutex_lock(&t->lock);
	pthread_cond_broadcast(&t->wake);
	pthread_mutex_unlock(&t->lock);
}

void threads_for(struct threads *t, uint32_t count, threads_fn *fn, void *arg)
{
	uint32_t spins = 0;

	if (count == 1 || !t->workers_count) {
		for (uint32_t i = 0; i < count; i++)
			fn(arg, i, 0);
		return;
	}
	if (!count)
		return;
	t->fn = fn;
	t->arg = arg;
	t->count = count;
	atomic_store(&t->done, 0);
	atomic_store(&t->left, count);
	wake_all(t);
	work(t, 0);
	while (atomic_load(&t->done) < count)
		if (spins++ < SPINS_DONE)
			relax();
		else
			sched_yield();
}

uint32_t threads_cores(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : (uint32_t)cores;
}

uint32_t threads_count(const struct threads *t)
{
	return t->workers_count + 1;
}

int threads_new(struct threads **threads, uint32_t count)
{
	struct threads *t = aligned_alloc(LINE, sizeof(*t));
	int rc = 0;

	assert(count);
	if (!t)
		return quire_fail(-ENOMEM, "no memory for threads");
	memset(t, 0, sizeof(*t));
	atomic_init(&t->left, 0);
	atomic_init(&t->done, 0);
	atomic_init(&t->asleep, 0);
	atomic_init(&t->quit, false);
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->wake, NULL);
	t->workers = calloc(count, sizeof(*t->workers));
	if (!t->workers)
		rc = ENOMEM;
	while (rc == 0 && t->workers_count + 1 < count) {
		struct worker *worker = &t->workers[t->workers_count];

		worker->threads = t;
		worker->index = t->workers_count + 1;
		rc = pthread_create(&worker->id, NULL, run_worker, worker);
		t->workers_count += rc == 0;
	}
	if (rc) {
		threads_free(t);
		return quire_fail(-rc,
				  "cannot start %u threads: %s; memory, or the number of threads "
				  "there may be, is at its end",
				  count, strerror(rc));
	}
	*threads = t;
	return 0;
}

void threads_free(struct threads *t)
{
	if (!t)
		return;
	atomic_store(&t->quit, true);
	wake_all(t);
	for (uint32_t i = 0; i < t->workers_count; i++)
		pthread_join(t->workers[i].id, NULL);
	pthread_cond_destroy(&t->wake);
	pthread_mutex_destroy(&t->lock);
	free(t->workers);
	free(t);
}
