/*
 * rope.cu - see kernels.h.  head_dim / 8 lanes share a head of a row; each has four
 * neighbours, from 4 l on, and the four half a head further: four pairs to rotate.
 */
#include "launch.cuh"

#define THREADS 128u
#define PAIRS	4u

struct pairs {
	float low[PAIRS], high[PAIRS];
};

DEVICE void load4(float out[4], const uint16_t *in)
{
	const uint2 bits = *(const uint2 *)in;

	out[0] = bf16_low(bits.x), out[1] = bf16_high(bits.x);
	out[2] = bf16_low(bits.y), out[3] = bf16_high(bits.y);
}

DEVICE void store4(uint16_t *out, const float in[4])
{
	*(uint2 *)out = make_uint2(bf16_pack(in[0], in[1]), bf16_pack(in[2], in[3]));
}

static __global__ void __launch_bounds__(THREADS) rope(const struct quire_op_rope op)
{
	const uint32_t half = op.head_dim / 2, width = op.head_dim / (2 * PAIRS);
	const uint32_t heads = op.heads + 2 * op.kv_heads; /* of a row: Q, K, V */
	const uint32_t at = (blockIdx.x * THREADS + threadIdx.x) / width;
	const bool inside = at < op.rows_count * heads;
	const uint32_t r = inside ? at / heads : 0;
	const uint32_t head = inside ? at % heads : 0;
	const uint32_t i = threadIdx.x % width * PAIRS;
	const bool is_q = head < op.heads, is_v = head >= op.heads + op.kv_heads;
	const uint16_t *norm = is_v ? NULL : is_q ? op.q_norm : op.k_norm;
	const struct quire_dev_row row = op.rows[r];
	const bool known = row.position < op.positions;
	const float *table = op.table + (uint64_t)(known ? row.position : 0) * op.head_dim;
	const float4 c = *(const float4 *)(table + i), s = *(const float4 *)(table + half + i);
	const float cosine[PAIRS] = {c.x, c.y, c.z, c.w}, sine[PAIRS] = {s.x, s.y, s.z, s.w};
	struct pairs x, bias = {}, weight = {};
	uint16_t *in, *out;

	/* All but qkv is there before this kernel begins. */
	if (op.bias) {
		load4(bias.low, op.bias + head * op.head_dim + i);
		load4(bias.high, op.bias + head * op.head_dim + half + i);
	}
	if (norm) {
		load4(weight.low, norm + i);
		load4(weight.high, norm + half + i);
	}
	grid_launch_next();
	grid_wait();
	in = op.qkv + (uint64_t)r * op.qkv_stride + head * op.head_dim;
	load4(x.low, in + i);
	load4(x.high, in + half + i);
#pragma unroll
	for (uint32_t p = 0; p < PAIRS; p++) {
		x.low[p] += bias.low[p];
		x.high[p] += bias.high[p];
	}
	if (op.q_norm) { /* and k_norm; V of a warp goes along, for the sum's sake */
		float sum = 0, scale;

#pragma unroll
		for (uint32_t p = 0; p < PAIRS; p++)
			sum += x.low[p] * x.low[p] + x.high[p] * x.high[p];
		sum = lanes_sum(sum, width);
		scale = rsqrtf(sum / (float)op.head_dim + op.eps);
#pragma unroll
		for (uint32_t p = 0; p < PAIRS; p++) {
			x.low[p] *= norm ? scale * weight.low[p] : 1;
			x.high[p] *= norm ? scale * weight.high[p] : 1;
		}
	}
	if (!is_v) {
#pragma unroll
		for (uint32_t p = 0; p < PAIRS; p++) {
			const float a = x.low[p], b = x.high[p];

			x.low[p] = known ? a * cosine[p] - b * sine[p] : not_a_number();
			x.high[p] = known ? b * cosine[p] + a * sine[p] : not_a_number();
		}
	}
	if (!inside || (!is_q && row.slot == QUIRE_SLOT_NONE))
		return;
	if (is_q)
		out = in;
	else if (is_v)
		out = op.v + ((uint64_t)row.slot * op.kv_heads + head - op.heads - op.kv_heads) *
				     op.head_dim;
	else
		out = op.k + ((uint64_t)row.slot * op.kv_heads + head - op.heads) * op.head_dim;
	store4(out + i, x.low);
	store4(out + half + i, x.high);
}

int quire_cuda_rope(const struct quire_op_rope *op, struct CUstream_st *stream)
{
	const uint64_t heads = (uint64_t)op->rows_count * (op->heads + 2 * op->kv_heads);
	const uint64_t threads = heads * (op->head_dim / (2 * PAIRS));

	if ((op->head_dim != 64 && op->head_dim != 128) || !op->q_norm != !op->k_norm ||
	    threads >= UINT32_MAX - THREADS)
		return cudaErrorInvalidValue;
	return launch(rope, op, dim3((uint32_t)((threads + THREADS - 1) / THREADS)), THREADS, 0,
		      stream);
}
