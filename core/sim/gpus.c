/*
 * gpus.c - the built-in GPUs, and reading and writing profiles.
 *
 * peak: dense tensor-core rate, 16-bit inputs, 32-bit sums, without sparsity.
 * memory: what the driver shows (nvidia-smi), which is a little less than the
 * round number of the datasheet where ECC or the driver keep some of it.
 * link: NVLink where the card has it, else PCIe; one direction.
 *
 * The shares of the A100, H100 and H200 are fitted to public kernel times, by the
 * command that docs/fidelity.md names; those of the others are sober defaults, not
 * measurements of your machine.  docs/performance-model.md tells where they come from.
 */
#include "core/util.h"
#include "gpu.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#define MIB 1048576.0

/* a, b, q, c of matrix products. */
#define GEMM(flops_, bytes_, sharpness_, launch_us_)                                               \
	.gemm_flops_share = flops_, .gemm_bytes_share = bytes_, .gemm_sharpness = sharpness_,      \
	.gemm_launch_ns = (launch_us_)*1e3
/* a', b', c', e of attention. */
#define ATTENTION(flops_, bytes_, launch_us_, tile_us_)                                            \
	.attention_flops_share = flops_, .attention_bytes_share = bytes_,                          \
	.attention_launch_ns = (launch_us_)*1e3, .attention_tile_ns = (tile_us_)*1e3
/* Errors: of what was fitted, those of the rows that were held back; else a guess. */
#define ERRORS(gemm_, attention_)                                                                  \
	.gemm_error = gemm_, .attention_error = attention_, .host_error = 0.5

#define HOST .link_share = 0.8, .step_ns = 500e3, .seq_ns = 5e3

/* A GPU without a table of its own. */
#define REACHES(flops_, bytes_, sharpness_, attention_flops_, attention_bytes_)                    \
	GEMM(flops_, bytes_, sharpness_, 4),                                                       \
		ATTENTION(attention_flops_, attention_bytes_, 11, 0.02), ERRORS(0.15, 0.3), HOST

#define NVLINK .link_latency_ns = 10e3
#define PCIE   .link_latency_ns = 25e3

static const struct quire_gpu gpus[] = {
	{
		.name = "T4",
		.source = "NVIDIA T4 datasheet (2019); bandwidth: Turing architecture whitepaper",
		.peak_flops = 65e12, /* fp16; it has no bf16 */
		.peak_int8 = 130e12,
		.multiprocessors = 40,
		.bandwidth = 320e9,
		.memory_bytes = 15360 * MIB,
		.link_bandwidth = 15.75e9, /* PCIe 3.0 x16 */
		PCIE,
		REACHES(0.5, 0.75, 2, 0.35, 0.7),
	},
	{
		.name = "V100",
		.source = "NVIDIA V100 datasheet (2020), SXM2 32 GB",
		.peak_flops = 125e12, /* fp16; it has no bf16 */
		.multiprocessors = 80,
		.bandwidth = 900e9,
		.memory_bytes = 32768 * MIB,
		.link_bandwidth = 150e9, /* NVLink 2: 300 GB/s both ways */
		NVLINK,
		REACHES(0.65, 0.75, 2, 0.4, 0.7),
	},
	{
		.name = "RTX-3090",
		.source = "NVIDIA Ampere GA102 whitepaper v2 (2021)",
		.peak_flops = 71e12, /* with 32-bit sums; 142 with 16-bit ones */
		.peak_int8 = 284e12,
		.multiprocessors = 82,
		.bandwidth = 936e9,
		.memory_bytes = 24576 * MIB,
		.link_bandwidth = 31.5e9, /* PCIe 4.0 x16 */
		PCIE,
		REACHES(0.85, 0.85, 2, 0.55, 0.75),
	},
	{
		.name = "A10G",
		.source = "NVIDIA A10G datasheet for AWS G5 (2021)",
		.peak_flops = 70e12,
		.peak_int8 = 140e12,
		.multiprocessors = 80,
		.bandwidth = 600e9,
		.memory_bytes = 23028 * MIB, /* 24 GB with ECC */
		.link_bandwidth = 31.5e9,    /* PCIe 4.0 x16 */
		PCIE,
		REACHES(0.7, 0.75, 2, 0.55, 0.75),
	},
	{
		.name = "A40",
		.source = "NVIDIA A40 datasheet (2022)",
		.peak_flops = 149.7e12,
		.peak_int8 = 299.3e12,
		.multiprocessors = 84,
		.bandwidth = 696e9,
		.memory_bytes = 46068 * MIB, /* 48 GB with ECC */
		.link_bandwidth = 31.5e9,    /* PCIe 4.0 x16; an NVLink bridge joins only pairs */
		PCIE,
		REACHES(0.7, 0.75, 2, 0.55, 0.75),
	},
	{
		.name = "A100-40G",
		.source = "NVIDIA A100 datasheet (2020), SXM4 40 GB",
		.peak_flops = 312e12,
		.peak_int8 = 624e12,
		.multiprocessors = 108,
		.bandwidth = 1555e9,
		.memory_bytes = 40960 * MIB,
		.link_bandwidth = 300e9, /* NVLink 3: 600 GB/s both ways */
		NVLINK,
		GEMM(0.71, 0.77, 2, 4.8),
		ATTENTION(0.55, 0.75, 10, 0.02), /* not measured */
		ERRORS(0.1, 0.3),
		HOST,
	},
	{
		.name = "A100-80G",
		.source = "NVIDIA A100 80GB datasheet (2021), SXM4 80 GB",
		.peak_flops = 312e12,
		.peak_int8 = 624e12,
		.multiprocessors = 108,
		.bandwidth = 2039e9,
		.memory_bytes = 81920 * MIB,
		.link_bandwidth = 300e9, /* NVLink 3: 600 GB/s both ways */
		NVLINK,
		GEMM(0.71, 0.77, 2, 4.8),
		ATTENTION(0.55, 0.75, 10, 0.02), /* not measured */
		ERRORS(0.1, 0.3),
		HOST,
	},
	{
		.name = "RTX-4090",
		.source = "NVIDIA Ada GPU architecture whitepaper v2 (2023)",
		.peak_flops = 165.2e12, /* with 32-bit sums; 330.3 with 16-bit ones */
		.peak_fp8 = 330.3e12,
		.peak_int8 = 660.6e12,
		.multiprocessors = 128,
		.bandwidth = 1008e9,
		.memory_bytes = 24564 * MIB,
		.link_bandwidth = 31.5e9, /* PCIe 4.0 x16 */
		PCIE,
		/* a: cuBLAS in public benchmarks, 151 to 165 TFLOP/s from 4,096 on; the
		 * rest, but a', is the H200's */
		GEMM(0.95, 0.832, 4, 3.8),
		ATTENTION(0.6, 0.918, 9.4, 0.0205),
		ERRORS(0.15, 0.3),
		HOST,
	},
	{
		.name = "L40S",
		.source = "NVIDIA L40S datasheet (2023)",
		.peak_flops = 362.05e12, /* 733 with sparsity */
		.peak_fp8 = 733e12,
		.peak_int8 = 733e12,
		.multiprocessors = 142,
		.bandwidth = 864e9,
		.memory_bytes = 46068 * MIB, /* 48 GB with ECC */
		.link_bandwidth = 31.5e9,    /* PCIe 4.0 x16 */
		PCIE,
		REACHES(0.7, 0.85, 4, 0.55, 0.8),
	},
	{
		.name = "RTX-PRO-6000",
		.source = "NVIDIA RTX PRO 6000 Blackwell whitepaper (2025), workstation edition",
		.peak_flops = 503.8e12, /* with 32-bit sums */
		.peak_fp8 = 1007.6e12,
		.peak_int8 = 1007.6e12,
		.multiprocessors = 188,
		.bandwidth = 1792e9,
		.memory_bytes = 97887 * MIB, /* 96 GB with ECC */
		.link_bandwidth = 63e9,	     /* PCIe 5.0 x16 */
		PCIE,
		REACHES(0.7, 0.85, 4, 0.55, 0.8),
	},
	{
		.name = "H20",
		.source = "NVIDIA H20 as specified in the press (2023), SXM5 96 GB; it has no "
			  "public datasheet",
		.peak_flops = 148e12,
		.peak_fp8 = 296e12,
		.peak_int8 = 296e12,
		.multiprocessors = 78,
		.bandwidth = 4000e9,
		.memory_bytes = 97871 * MIB,
		.link_bandwidth = 450e9, /* NVLink 4: 900 GB/s both ways */
		NVLINK,
		REACHES(0.9, 0.85, 4, 0.7, 0.8),
	},
	{
		.name = "H100",
		.source = "NVIDIA H100 datasheet (2023), SXM5 80 GB",
		.peak_flops = 989.4e12, /* 1,979 with sparsity */
		.peak_fp8 = 1978.9e12,
		.peak_int8 = 1978.9e12,
		.multiprocessors = 132,
		.bandwidth = 3350e9,
		.memory_bytes = 81559 * MIB,
		.link_bandwidth = 450e9, /* NVLink 4: 900 GB/s both ways */
		NVLINK,
		GEMM(0.73, 0.86, 2, 6.4),
		ATTENTION(0.243, 0.918, 9.4, 0.0205), /* of the H200, which has the same SMs */
		ERRORS(0.13, 0.3),
		HOST,
	},
	{
		.name = "H200",
		.source = "NVIDIA H200 datasheet (2024), SXM5 141 GB",
		.peak_flops = 989.4e12, /* 1,979 with sparsity */
		.peak_fp8 = 1978.9e12,
		.peak_int8 = 1978.9e12,
		.multiprocessors = 132,
		.bandwidth = 4800e9,
		.memory_bytes = 143771 * MIB,
		.link_bandwidth = 450e9, /* NVLink 4: 900 GB/s both ways */
		NVLINK,
		GEMM(0.772, 0.832, 4, 3.8),
		ATTENTION(0.243, 0.918, 9.4, 0.0205),
		ERRORS(0.11, 0.17),
		HOST,
	},
};

#define GPUS_COUNT (sizeof(gpus) / sizeof(gpus[0]))

/* The keys of a profile, from the table in gpu.h. */
static const struct key {
	const char *name;
	size_t offset;
	double unit;
	double max; /* in units; 0 is allowed for constants only */
	enum { KEY_DATASHEET, KEY_CONSTANT, KEY_SHARE, KEY_SHARPNESS } kind;
} keys[] = {
#define KEY_peak_flops		  KEY_DATASHEET
#define KEY_peak_fp8		  KEY_CONSTANT
#define KEY_peak_int8		  KEY_CONSTANT
#define KEY_multiprocessors	  KEY_CONSTANT
#define KEY_bandwidth		  KEY_DATASHEET
#define KEY_memory_bytes	  KEY_DATASHEET
#define KEY_link_bandwidth	  KEY_DATASHEET
#define KEY_link_latency_ns	  KEY_CONSTANT
#define KEY_gemm_flops_share	  KEY_SHARE
#define KEY_gemm_bytes_share	  KEY_SHARE
#define KEY_gemm_sharpness	  KEY_SHARPNESS
#define KEY_gemm_launch_ns	  KEY_CONSTANT
#define KEY_attention_flops_share KEY_SHARE
#define KEY_attention_bytes_share KEY_SHARE
#define KEY_attention_launch_ns	  KEY_CONSTANT
#define KEY_attention_tile_ns	  KEY_CONSTANT
#define KEY_gemm_error		  KEY_CONSTANT
#define KEY_attention_error	  KEY_CONSTANT
#define KEY_host_error		  KEY_CONSTANT
#define KEY_link_share		  KEY_SHARE
#define KEY_step_ns		  KEY_CONSTANT
#define KEY_seq_ns		  KEY_CONSTANT
#define KEY_chunk_ns		  KEY_CONSTANT
#define X(name_, field_, unit_)                                                                    \
	{name_, offsetof(struct quire_gpu, field_), unit_, 1e6, KEY_##field_},
	QUIRE_GPU_KEYS(X)
#undef X
};

#define KEYS_COUNT (sizeof(keys) / sizeof(keys[0]))

const struct quire_gpu *quire_gpu_builtin(size_t index)
{
	return index < GPUS_COUNT ? &gpus[index] : NULL;
}

static const struct quire_gpu *builtin_named(const char *name)
{
	for (size_t i = 0; i < GPUS_COUNT; i++) {
		if (quire_same_name(gpus[i].name, name))
			return &gpus[i];
	}
	return NULL;
}

static int fail_unknown(const char *before, const char *name)
{
	const char *names[GPUS_COUNT + 1], *near;

	for (size_t i = 0; i < GPUS_COUNT; i++)
		names[i] = gpus[i].name;
	names[GPUS_COUNT] = NULL;
	near = quire_nearest(name, names);
	if (near)
		return quire_fail(-ENOENT, "%sGPU '%s' is unknown; did you mean %s?", before, name,
				  near);
	return quire_fail(-ENOENT,
			  "%sGPU '%s' is unknown; give a built-in name (see 'quire list') or the "
			  "path of a profile",
			  before, name);
}

int quire_gpu_find(struct quire_gpu *gpu, const char *name)
{
	const struct quire_gpu *found = builtin_named(name);
	struct stat st;

	if (found) {
		*gpu = *found;
		return 0;
	}
	if (strchr(name, '/') || stat(name, &st) == 0)
		return quire_gpu_read(gpu, name);
	return fail_unknown("", name);
}

static char *trimmed(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = 0;
	return text;
}

static double key_value(const struct quire_gpu *gpu, const struct key *key)
{
	const char *field = (const char *)gpu + key->offset;
	uint32_t whole;
	double real;

	if (key->kind == KEY_SHARPNESS) {
		memcpy(&whole, field, sizeof(whole));
		return whole;
	}
	memcpy(&real, field, sizeof(real));
	return real / key->unit;
}

static void key_set(struct quire_gpu *gpu, const struct key *key, double value)
{
	char *field = (char *)gpu + key->offset;
	const uint32_t whole = (uint32_t)value;
	const double real = value * key->unit;

	if (key->kind == KEY_SHARPNESS)
		memcpy(field, &whole, sizeof(whole));
	else
		memcpy(field, &real, sizeof(real));
}

/* One value into @gpu; @what is "file:line: key". */
static int parse_key(struct quire_gpu *gpu, const struct key *key, const char *what,
		     const char *text)
{
	double value;
	uint32_t whole;
	int rc;

	switch (key->kind) {
	case KEY_SHARPNESS:
		rc = quire_parse_u32(what, text, 1, 16, &whole);
		if (rc)
			return rc;
		if (whole & (whole - 1))
			return quire_fail(-EINVAL, "%s: expected 1, 2, 4, 8 or 16, found '%s'",
					  what, text);
		value = whole;
		break;
	case KEY_SHARE:
		rc = quire_parse_real(what, text, 0.001, 1, &value);
		break;
	case KEY_DATASHEET:
		rc = quire_parse_real(what, text, 0.001, key->max, &value);
		break;
	default:
		rc = quire_parse_real(what, text, 0, key->max, &value);
		break;
	}
	if (rc == 0)
		key_set(gpu, key, value);
	return rc;
}

static const struct key *key_named(const char *name)
{
	for (size_t i = 0; i < KEYS_COUNT; i++) {
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	}
	return NULL;
}

struct reading {
	const char *path;
	uint32_t line;
	uint32_t seen; /* bit of each key */
	bool like;
};

static int read_line(struct reading *r, struct quire_gpu *gpu, char *text)
{
	char *equals, *name, *value, what[256], *comment = strchr(text, '#');
	const struct quire_gpu *base;
	const struct key *key;

	if (comment)
		*comment = 0;
	text = trimmed(text);
	if (!*text)
		return 0;
	equals = strchr(text, '=');
	if (!equals)
		return quire_fail(-EINVAL, "%s:%u: expected 'key = value', found '%.60s'", r->path,
				  r->line, text);
	*equals = 0;
	name = trimmed(text);
	value = trimmed(equals + 1);
	if (strcmp(name, "like") == 0) {
		base = builtin_named(value);
		snprintf(what, sizeof(what), "%.200s:%u: ", r->path, r->line);
		if (r->like || r->seen)
			return quire_fail(-EINVAL, "%s'like' must be the first key", what);
		if (!base)
			return fail_unknown(what, value);
		*gpu = *base;
		r->like = true;
		return 0;
	}
	key = key_named(name);
	if (!key)
		return quire_fail(-EINVAL, "%s:%u: key '%.60s' is unknown", r->path, r->line, name);
	if (r->seen & 1u << (key - keys))
		return quire_fail(-EINVAL, "%s:%u: key '%s' is given twice", r->path, r->line,
				  name);
	r->seen |= 1u << (key - keys);
	snprintf(what, sizeof(what), "%.180s:%u: key '%s'", r->path, r->line, name);
	return parse_key(gpu, key, what, value);
}

/* "dir/my-a100.gpu" is called my-a100. */
static void name_after(struct quire_gpu *gpu, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	const char *dot = strrchr(base, '.');
	size_t length = dot && dot > base ? (size_t)(dot - base) : strlen(base);

	if (length >= sizeof(gpu->name))
		length = sizeof(gpu->name) - 1;
	memset(gpu->name, 0, sizeof(gpu->name));
	memcpy(gpu->name, base, length);
}

int quire_gpu_read(struct quire_gpu *gpu, const char *path)
{
	struct quire_gpu found = {.source = "profile", PCIE, REACHES(0.7, 0.75, 2, 0.55, 0.75)};
	struct reading r = {.path = path};
	char text[512];
	FILE *in = fopen(path, "r");
	int rc = 0;

	if (!in)
		return quire_fail(-errno, "GPU %s: %s", path, strerror(errno));
	while (rc == 0 && fgets(text, sizeof(text), in)) {
		r.line++;
		if (!strchr(text, '\n') && !feof(in))
			rc = quire_fail(-EINVAL, "%s:%u: the line is longer than %zu bytes", path,
					r.line, sizeof(text) - 2);
		else
			rc = read_line(&r, &found, text);
	}
	if (rc == 0 && ferror(in))
		rc = quire_fail(-EIO, "GPU %s: cannot be read", path);
	fclose(in);
	for (size_t i = 0; rc == 0 && !r.like && i < KEYS_COUNT; i++) {
		if (keys[i].kind == KEY_DATASHEET && !(r.seen & 1u << i))
			rc = quire_fail(-EINVAL, "%s: key '%s' is missing, and so is 'like'", path,
					keys[i].name);
	}
	if (rc)
		return rc;
	name_after(&found, path);
	found.source = "profile";
	*gpu = found;
	return 0;
}

int quire_gpu_write(const struct quire_gpu *gpu, FILE *out)
{
	fprintf(out, "# %s\n", gpu->name);
	for (size_t i = 0; i < KEYS_COUNT; i++)
		fprintf(out, "%s = %.10g\n", keys[i].name, key_value(gpu, &keys[i]));
	return ferror(out) ? quire_fail(-EIO, "GPU %s: the profile cannot be written", gpu->name)
			   : 0;
}
