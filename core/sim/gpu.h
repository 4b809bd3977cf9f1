/*
 * gpu.h - what a GPU can do at best, and how near to it one gets.
 *
 * The first group of fields is the datasheet: a ceiling that no prediction may
 * break.  The second says what share of it real kernels reach, and what each
 * launch costs: eight constants that are fitted to measured kernels (tests/fit), or
 * stand at sober defaults.  The third is the host and the link.  The fourth says how
 * far predictions are off, for --intervals.
 *
 * A profile is a text file, "key = value" a line, "#" begins a comment:
 *
 *	# A100-80G, calibrated on my machine
 *	like = A100-80G			start from this built-in GPU; first line
 *	gemm_flops_share = 0.78
 *	gemm_launch_us = 2.4
 *
 * The keys are those of the table QUIRE_GPU_KEYS below.  Without "like" the four
 * keys of the datasheet must be there.  Unknown keys are refused.
 */
#ifndef QUIRE_GPU_H
#define QUIRE_GPU_H

#include <quire/quire.h>
#include <stdio.h>

#define QUIRE_GPU_NAME_MAX 64 /* bytes, with the ending 0 */

struct quire_gpu {
	char name[QUIRE_GPU_NAME_MAX];
	const char *source; /* of the datasheet's numbers; static */

	/* the datasheet */
	double peak_flops;	/* flop/s, dense, 16 bits in, 32 bits summed */
	double peak_fp8;	/* flop/s, dense, 8-bit floats; 0: it has no units for them */
	double peak_int8;	/* op/s, dense, 8-bit integers; 0: likewise */
	double bandwidth;	/* bytes/s, of its memory */
	double memory_bytes;	/* what the driver shows of it */
	double multiprocessors; /* SMs; 0: unknown, then small grids cost nothing more */
	double link_bandwidth;	/* bytes/s to its peers in one direction */
	double link_latency_ns; /* of one all-reduce, before the first byte arrives */

	/* kernels: shares of the datasheet, in (0, 1], and constants */
	double gemm_flops_share;      /* a */
	double gemm_bytes_share;      /* b */
	uint32_t gemm_sharpness;      /* q: 1, 2, 4, 8 or 16; how hard the corner of the roof is */
	double gemm_launch_ns;	      /* c: of one matrix product, and of a layer's small kernels */
	double attention_flops_share; /* a': with heads of 128, over long chunks */
	double attention_bytes_share; /* b' */
	double attention_launch_ns;   /* c': of one layer's attention */
	double attention_tile_ns;     /* e: of a sequence's tile of one head of K and V */

	/* host and link */
	double link_share;
	double step_ns;	 /* host: scheduling, inputs, detokenizing; once a step */
	double seq_ns;	 /* host: for each sequence of the step */
	double chunk_ns; /* host: once more for a step with a chunk, if its kernels are others */

	/* standard deviations of (predicted / measured - 1); see quire_cost_config.sigmas */
	double gemm_error, attention_error, host_error;
};

/*	 key			field			one unit is, in the field's */
#define QUIRE_GPU_KEYS(X)                                                                          \
	X("peak_tflops", peak_flops, 1e12)                                                         \
	X("bandwidth_gb_s", bandwidth, 1e9)                                                        \
	X("memory_gib", memory_bytes, 1073741824.0)                                                \
	X("link_gb_s", link_bandwidth, 1e9)                                                        \
	X("link_latency_us", link_latency_ns, 1e3)                                                 \
	X("fp8_tflops", peak_fp8, 1e12)                                                            \
	X("int8_tops", peak_int8, 1e12)                                                            \
	X("multiprocessors", multiprocessors, 1)                                                   \
	X("gemm_flops_share", gemm_flops_share, 1)                                                 \
	X("gemm_bytes_share", gemm_bytes_share, 1)                                                 \
	X("gemm_sharpness", gemm_sharpness, 1)                                                     \
	X("gemm_launch_us", gemm_launch_ns, 1e3)                                                   \
	X("attention_flops_share", attention_flops_share, 1)                                       \
	X("attention_bytes_share", attention_bytes_share, 1)                                       \
	X("attention_launch_us", attention_launch_ns, 1e3)                                         \
	X("attention_tile_us", attention_tile_ns, 1e3)                                             \
	X("link_share", link_share, 1)                                                             \
	X("step_us", step_ns, 1e3)                                                                 \
	X("seq_us", seq_ns, 1e3)                                                                   \
	X("chunk_us", chunk_ns, 1e3)                                                               \
	X("gemm_error", gemm_error, 1)                                                             \
	X("attention_error", attention_error, 1)                                                   \
	X("host_error", host_error, 1)

/*
 * Fill in @gpu from @name: a built-in name in any case, or the path of a profile.
 * Return: 0; -ENOENT unknown (the nearest is suggested); -EINVAL a bad file, with
 * its line; -errno of the system; see quire_failure().
 */
int quire_gpu_find(struct quire_gpu *gpu, const char *name);
/* Read one profile.  Errors as above. */
int quire_gpu_read(struct quire_gpu *gpu, const char *path);
/* Write @gpu as a profile that quire_gpu_read() reads back.  Return: 0; -EIO. */
int quire_gpu_write(const struct quire_gpu *gpu, FILE *out);
/* The built-in GPUs, for lists.  NULL behind the last. */
const struct quire_gpu *quire_gpu_builtin(size_t index);

#endif /* QUIRE_GPU_H */
