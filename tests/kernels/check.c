/*
 * check.c - see check.h; and the program: every op in shapes that are small and odd.
 *
 *	check [OP...]	exits 0; 1 something is wrong; 77 there is no GPU
 *
 * The last line is a digest of all that the kernels made: the same in each run, however
 * blocks and threads took turns.
 */
#include "check.h"

#include <cuda_runtime_api.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state; /* of the random numbers */
static char label[128];
static unsigned failures, comparisons;
static uint64_t digest = 0xcbf29ce484222325u;

/* ---- arrays ---- */

static void cuda(const char *what, int rc)
{
	if (rc == cudaSuccess)
		return;
	fprintf(stderr, "kernels: %s: %s: %s\n", label, what, cudaGetErrorString((cudaError_t)rc));
	exit(1);
}

void launched(const char *what, int rc)
{
	cuda(what, rc);
	cuda(what, (int)cudaDeviceSynchronize());
	cuda(what, (int)cudaGetLastError());
}

void both_to_device(const struct both *b)
{
	cuda("to the device",
	     (int)cudaMemcpy(b->device, b->host, b->bytes, cudaMemcpyHostToDevice));
}

void both_poison(const struct both *b)
{
	memset(b->host, 0xff, b->bytes);
	cuda("poison", (int)cudaMemset(b->device, 0xff, b->bytes));
}

struct both both_new(size_t bytes)
{
	struct both b = {.host = malloc(bytes ? bytes : 1), .bytes = bytes};

	if (!b.host) {
		fprintf(stderr, "kernels: out of memory\n");
		exit(1);
	}
	cuda("memory", (int)cudaMalloc(&b.device, bytes));
	both_poison(&b);
	cuda("poison", (int)cudaDeviceSynchronize());
	return b;
}

struct both both_copy(const void *data, size_t bytes)
{
	struct both b = both_new(bytes);

	memcpy(b.host, data, bytes);
	both_to_device(&b);
	return b;
}

struct both both_random(size_t count, double deviation)
{
	struct both b = both_new(count * sizeof(uint16_t));

	for (size_t i = 0; i < count; i++)
		((uint16_t *)b.host)[i] = bf16_of(deviation * draw_normal());
	both_to_device(&b);
	return b;
}

struct both both_random_fp32(size_t count, double deviation)
{
	struct both b = both_new(count * sizeof(float));

	for (size_t i = 0; i < count; i++)
		((float *)b.host)[i] = (float)(deviation * draw_normal());
	both_to_device(&b);
	return b;
}

void both_free(struct both *b)
{
	free(b->host);
	cuda("free", (int)cudaFree(b->device));
}

/* ---- numbers ---- */

double draw(void)
{
	uint64_t x = state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (double)((x ^ x >> 31) >> 11) * 0x1p-53;
}

uint32_t draw_below(uint32_t n)
{
	return (uint32_t)(draw() * n);
}

double draw_normal(void)
{
	const double radius = sqrt(-2 * log(1 - draw()));

	return radius * cos(6.283185307179586 * draw());
}

void shuffle(uint32_t *numbers, uint32_t count)
{
	for (uint32_t i = count; i > 1; i--) {
		const uint32_t other = draw_below(i), kept = numbers[i - 1];

		numbers[i - 1] = numbers[other];
		numbers[other] = kept;
	}
}

uint16_t bf16_of(double value)
{
	const float narrow = (float)value;
	uint32_t bits;

	memcpy(&bits, &narrow, sizeof(bits));
	return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static double of_bf16(const void *array, size_t i)
{
	const uint32_t bits = (uint32_t)((const uint16_t *)array)[i] << 16;
	float value;

	memcpy(&value, &bits, sizeof(value));
	return (double)value;
}

static double of_fp32(const void *array, size_t i)
{
	return (double)((const float *)array)[i];
}

/* ---- comparing ---- */

void checking(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(label, sizeof(label), format, args);
	va_end(args);
	state = 0;
	for (const char *c = label; *c; c++)
		state = state * 131 + (unsigned char)*c;
}

/* The device's bytes, to be freed. */
static void *fetch(const struct both *b)
{
	unsigned char *bytes = malloc(b->bytes ? b->bytes : 1);

	if (!bytes)
		exit(1);
	cuda("from the device",
	     (int)cudaMemcpy(bytes, b->device, b->bytes, cudaMemcpyDeviceToHost));
	for (size_t i = 0; i < b->bytes; i++)
		digest = (digest ^ bytes[i]) * 0x100000001b3u;
	return bytes;
}

void verdict(bool good, const char *format, ...)
{
	va_list args;

	comparisons++;
	failures += !good;
	printf("%-4s %-72s ", good ? "ok" : "BAD", label);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void both_from_device(struct both *b)
{
	void *bytes = fetch(b);

	memcpy(b->host, bytes, b->bytes);
	free(bytes);
}

static void compare(const struct both *b, size_t count, double (*at)(const void *, size_t),
		    double error_max, double worst_max)
{
	double off = 0, sum = 0, worst = 0;
	size_t nans = 0, unlike = 0, numbers = 0;
	void *device = fetch(b);

	for (size_t i = 0; i < count; i++) {
		const double x = at(device, i), ref = at(b->host, i);

		nans += isnan(x) != 0;
		if (isnan(x) || isnan(ref) || isinf(x) || isinf(ref)) {
			unlike += !(isnan(x) && isnan(ref)) && !(x >= ref && x <= ref);
			continue;
		}
		numbers++;
		off += (x - ref) * (x - ref);
		sum += ref * ref;
	}
	sum = sum > 0 ? sum : 1;
	for (size_t i = 0; i < count; i++) {
		const double x = at(device, i), ref = at(b->host, i);
		const double far = fabs(x - ref) / (fabs(ref) + sqrt(sum / (double)numbers));

		if (isfinite(x) && isfinite(ref))
			worst = fmax(worst, far);
	}
	off = sqrt(off / sum);
	verdict(!unlike && off <= error_max && worst <= worst_max,
		"error %.1e worst %.1e, %zu numbers, %zu NaN, %zu unlike", off, worst, numbers,
		nans, unlike);
	free(device);
}

void compare_bf16(const struct both *b, double error_max, double worst_max)
{
	compare(b, b->bytes / 2, of_bf16, error_max, worst_max);
}

void compare_fp32(const struct both *b, double error_max, double worst_max)
{
	compare(b, b->bytes / 4, of_fp32, error_max, worst_max);
}

void compare_bytes(const struct both *b)
{
	unsigned char *device = fetch(b);
	size_t unlike = 0;

	for (size_t i = 0; i < b->bytes; i++)
		unlike += device[i] != ((unsigned char *)b->host)[i];
	verdict(!unlike, "%zu of %zu bytes unlike", unlike, b->bytes);
	free(device);
}

void expect(bool holds, const char *what)
{
	if (!holds)
		verdict(false, "expected: %s", what);
}

static const struct {
	const char *op;
	void (*check)(void);
} checks[] = {
	{"attention_plan", check_attention_plan},
	{"embed", check_embed},
	{"norm", check_norm},
	{"rope", check_rope},
	{"swiglu", check_swiglu},
	{"gemv", check_gemv},
	{"gemm", check_gemm},
	{"random", check_random},
	{"copy_slots", check_copy},
	{"choose", check_choose},
	{"draw", check_draw},
	{"attention", check_attention},
};

static bool wanted(const char *op, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], op))
			return true;
	return argc == 1;
}

int main(int argc, char **argv)
{
	int devices = 0;

	if (cudaGetDeviceCount(&devices) != cudaSuccess || !devices) {
		printf("skipped: no GPU that CUDA can use\n");
		return 77;
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		if (wanted(checks[i].op, argc, argv))
			checks[i].check();
	printf("%u comparisons, %u bad; digest %016llx\n", comparisons, failures,
	       (unsigned long long)digest);
	return failures || !comparisons ? 1 : 0;
}
