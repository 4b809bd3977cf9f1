/*
 * calibrate_cpu.c - the ceilings of a cpu: how fast memory is read, and how fast OpenBLAS
 * multiplies; see calibrate_parts.h.
 *
 * No prediction may be faster than they are.  A model that fits into a cache is read
 * faster than memory is, so what is read is as large as the model.
 */
#include "calibrate_parts.h"
#include "units.h"

#include <cblas.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES  (256u << 20) /* by each thread: beyond all caches, unless it is less again */
#define PIECE_BYTES (64u << 10)	 /* at least, of memory */
#define THREADS_MAX 64
#define TURNS	    7

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What one thread reads, again and again. */
struct piece {
	pthread_t thread;
	const uint64_t *words; /* [bytes / 8] */
	size_t bytes;
	uint64_t sum; /* so that it is really read */
};

static void *read_all(void *arg)
{
	struct piece *piece = arg;
	uint64_t sum[8] = {0};

	for (size_t done = 0; done < READ_BYTES; done += piece->bytes)
		for (size_t i = 0; i < piece->bytes / sizeof(*piece->words); i += 8)
			for (size_t k = 0; k < 8; k++)
				sum[k] += piece->words[i + k];
	for (size_t k = 0; k < 8; k++)
		piece->sum ^= sum[k];
	return NULL;
}

/* Bytes a second that @threads threads read together, of @bytes: the best turn. */
static double read_bandwidth(uint32_t threads, uint64_t bytes)
{
	struct piece pieces[THREADS_MAX] = {{.words = NULL}};
	size_t each;
	double best = 0;
	char *memory;

	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	each = bytes / threads < PIECE_BYTES  ? PIECE_BYTES
	       : bytes / threads < READ_BYTES ? (size_t)(bytes / threads) / 64 * 64
					      : READ_BYTES;
	memory = malloc(threads * each);
	if (!memory)
		return 0;
	memset(memory, 1, threads * each);
	for (int turn = 0; turn < TURNS; turn++) {
		const double begin_s = now_s();
		uint32_t started = 0;
		double read = 0, rate;

		for (; started < threads; started++) {
			struct piece *piece = &pieces[started];

			piece->words = (const uint64_t *)(void *)(memory + started * each);
			piece->bytes = each;
			if (pthread_create(&piece->thread, NULL, read_all, piece))
				break;
		}
		for (uint32_t i = 0; i < started; i++) {
			pthread_join(pieces[i].thread, NULL);
			read += (double)((READ_BYTES + each - 1) / each * each);
		}
		rate = read / (now_s() - begin_s);
		best = rate > best ? rate : best;
	}
	free(memory);
	return best;
}

/* Flops a second of OpenBLAS, fp32, on all cores: the best turn; 0: it is not there.
 * It is opened here and not linked, since it starts threads in every process. */
static double blas_rate(void)
{
	enum { N = 1536 };
	void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
	__typeof__(cblas_sgemm) *sgemm;
	void *symbol = library ? dlsym(library, "cblas_sgemm") : NULL;
	float *a = malloc(sizeof(float) * 3 * N * N), *b, *c;
	double best = 0;

	memcpy(&sgemm, &symbol, sizeof(sgemm));
	for (size_t i = 0; a && i < 3u * N * N; i++)
		a[i] = (float)(i % 7);
	for (int turn = 0; a && sgemm && turn < TURNS; turn++) {
		const double begin_s = now_s();
		double rate;

		b = a + (size_t)N * N;
		c = b + (size_t)N * N;
		sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, N, N, N, 1, a, N, b, N, 0, c, N);
		rate = 2.0 * N * N * N / (now_s() - begin_s);
		best = rate > best ? rate : best;
	}
	free(a);
	return best; /* the library stays: its threads would not survive being unloaded */
}

int quire_calibrate_cpu(struct quire_gpu *g, uint32_t threads, uint64_t bytes)
{
	*g = (struct quire_gpu){
		.name = "cpu",
		.source = "measured",
		.peak_flops = blas_rate(),
		.bandwidth = read_bandwidth(threads, bytes),
		.memory_bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE),
		.link_bandwidth = 1e9,
		.gemm_flops_share = 0.5,
		.gemm_bytes_share = 0.7,
		.gemm_sharpness = 4,
		.gemm_launch_ns = 2000,
		.attention_flops_share = 0.3,
		.attention_bytes_share = 0.5,
		.attention_launch_ns = 2000,
		.attention_tile_ns = 50,
		.link_share = 0.8,
		.step_ns = 20e3,
		.seq_ns = 2e3,
	};
	if (!(g->peak_flops > 0))
		return quire_fail(-ENOENT, "OpenBLAS (libopenblas.so.0) is not here, or memory is "
					   "short: how fast can this machine multiply?");
	if (!(g->bandwidth > 0))
		return quire_fail(-ENOMEM, "no memory to measure the machine with");
	fprintf(stderr, "quire calibrate: %u threads read at %s/s, OpenBLAS multiplies at %s/s\n",
		threads, quire_text_si(g->bandwidth, 3, "B").s,
		quire_text_si(g->peak_flops, 3, "FLOP").s);
	return 0;
}
