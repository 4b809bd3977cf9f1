/*
 * device.cuh - what the kernels share: numbers, sums over a warp and over a block.
 */
#ifndef QUIRE_KERNELS_DEVICE_CUH
#define QUIRE_KERNELS_DEVICE_CUH

#include "kernels.h"
#include "ptx.cuh"

#define WARP		32u
#define ALL_LANES	0xffffffffu
#define BLOCK_WARPS_MAX 32u

DEVICE uint32_t ceil_div(uint32_t a, uint32_t b)
{
	return (a + b - 1) / b;
}

/* ---- bf16 ---- */

DEVICE float bf16_low(uint32_t pair)
{
	return __uint_as_float(pair << 16);
}

DEVICE float bf16_high(uint32_t pair)
{
	return __uint_as_float(pair & 0xffff0000u);
}

/* Eight neighbours, as the widest load brings them. */
DEVICE void bf16_unpack8(float out[8], uint4 in)
{
	out[0] = bf16_low(in.x), out[1] = bf16_high(in.x);
	out[2] = bf16_low(in.y), out[3] = bf16_high(in.y);
	out[4] = bf16_low(in.z), out[5] = bf16_high(in.z);
	out[6] = bf16_low(in.w), out[7] = bf16_high(in.w);
}

DEVICE uint4 bf16_pack8(const float in[8])
{
	return make_uint4(bf16_pack(in[0], in[1]), bf16_pack(in[2], in[3]), bf16_pack(in[4], in[5]),
			  bf16_pack(in[6], in[7]));
}

/* ---- fp32 ---- */

DEVICE void load8(float out[8], const float *in)
{
	const float4 a = ((const float4 *)in)[0], b = ((const float4 *)in)[1];

	out[0] = a.x, out[1] = a.y, out[2] = a.z, out[3] = a.w;
	out[4] = b.x, out[5] = b.y, out[6] = b.z, out[7] = b.w;
}

DEVICE void store8(float *out, const float in[8])
{
	((float4 *)out)[0] = make_float4(in[0], in[1], in[2], in[3]);
	((float4 *)out)[1] = make_float4(in[4], in[5], in[6], in[7]);
}

DEVICE float not_a_number()
{
	return __uint_as_float(0x7fffffffu);
}

DEVICE float minus_infinity()
{
	return __uint_as_float(0xff800000u);
}

DEVICE float silu(float x)
{
	return __fdividef(x, 1.0f + __expf(-x));
}

/* As quire_dev_plane(). */
DEVICE uint16_t *plane_of(const struct quire_dev_pool &pool, uint32_t plane)
{
	return pool.data + (uint64_t)plane * pool.slots * pool.slot_elements;
}

/* ---- sums ---- */

/* Over groups of @width neighbouring lanes, a power of two; each gets the sum. */
template <typename T> DEVICE T lanes_sum(T value, uint32_t width)
{
	for (uint32_t d = width / 2; d; d /= 2)
		value += __shfl_xor_sync(ALL_LANES, value, d);
	return value;
}

DEVICE float lanes_max(float value, uint32_t width)
{
	for (uint32_t d = width / 2; d; d /= 2)
		value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, d));
	return value;
}

/* Over the block, of whole warps; each thread gets the sum.  @scratch is shared memory
 * that nobody else uses before the next barrier. */
template <typename T> DEVICE T block_sum(T value, T scratch[BLOCK_WARPS_MAX])
{
	const uint32_t warps = blockDim.x / WARP;
	T sum = 0;

	value = lanes_sum(value, WARP);
	if (threadIdx.x % WARP == 0)
		scratch[threadIdx.x / WARP] = value;
	__syncthreads();
	for (uint32_t i = 0; i < warps; i++)
		sum += scratch[i];
	return sum;
}

#endif /* QUIRE_KERNELS_DEVICE_CUH */
