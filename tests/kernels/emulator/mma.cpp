/*
 * mma.cpp - the tensor cores of the emulator, and the matrices they are given; see
 * emulator.h, and ptx.cuh for which lane has what.
 */
#include "emulator.h"

static float half_of(uint64_t pair, unsigned high)
{
	return __uint_as_float(high ? (uint32_t)pair & 0xffff0000u : (uint32_t)pair << 16);
}

static void load(uint32_t out[4], const void *row, bool transposed)
{
	const unsigned g = emulator_lane_id() / 4, t = emulator_lane_id() % 4;
	struct emulator_lane mine = {{(uint64_t)(uintptr_t)row}};
	const struct emulator_lane *all;

	emulator_own("ldmatrix", row);
	all = emulator_meet("ldmatrix", &mine);
	for (unsigned m = 0; m < 4; m++) {
		uint16_t low, high;

		if (transposed) {
			low = ((const uint16_t *)all[m * 8 + 2 * t].data[0])[g];
			high = ((const uint16_t *)all[m * 8 + 2 * t + 1].data[0])[g];
		} else {
			low = ((const uint16_t *)all[m * 8 + g].data[0])[2 * t];
			high = ((const uint16_t *)all[m * 8 + g].data[0])[2 * t + 1];
		}
		out[m] = (uint32_t)high << 16 | low;
	}
	/* A row may be written again only when all lanes have read it. */
	emulator_from("ldmatrix, done", 0, 0);
}

void load_matrices(uint32_t out[4], const void *row)
{
	load(out, row, false);
}

void load_matrices_transposed(uint32_t out[4], const void *row)
{
	load(out, row, true);
}

void mma(float c[4], const uint32_t a[4], uint32_t b0, uint32_t b1)
{
	const unsigned g = emulator_lane_id() / 4, t = emulator_lane_id() % 4;
	struct emulator_lane mine = {{a[0] | (uint64_t)a[1] << 32, a[2] | (uint64_t)a[3] << 32,
				      b0 | (uint64_t)b1 << 32}};
	const struct emulator_lane *all = emulator_meet("mma", &mine);

	for (unsigned i = 0; i < 4; i++) {
		const unsigned below = i / 2, n = 2 * t + i % 2;
		float sum = c[i];

		for (unsigned k = 0; k < 16; k++) {
			const unsigned at = k % 8 / 2, far = k / 8;
			const uint64_t as = all[4 * g + at].data[far] >> 32 * below;
			const uint64_t bs = all[4 * n + at].data[2] >> 32 * far;

			sum += half_of(as, k % 2) * half_of(bs, k % 2);
		}
		c[i] = sum;
	}
}

uint32_t bf16_pack(float low, float high)
{
	uint32_t half[2];
	const float value[2] = {low, high};

	for (int i = 0; i < 2; i++) {
		const uint32_t bits = __float_as_uint(value[i]);

		half[i] = std::isnan(value[i]) ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
	}
	return half[1] << 16 | half[0];
}
