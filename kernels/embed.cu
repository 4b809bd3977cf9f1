/*
 * embed.cu - see kernels.h.  A block is a row, a thread eight columns at a time.
 */
#include "launch.cuh"

static __global__ void embed(const struct quire_op_embed op)
{
	uint32_t token;

	grid_launch_next();
	grid_wait();
	token = op.rows[blockIdx.x].token;
	for (uint32_t c = threadIdx.x * 8; c < op.columns; c += blockDim.x * 8) {
		float x[8];

		if (token < op.vocab)
			bf16_unpack8(x, load_once(op.table + (uint64_t)token * op.columns + c));
		else
			for (uint32_t i = 0; i < 8; i++)
				x[i] = not_a_number();
		store8(op.residual + (uint64_t)blockIdx.x * op.columns + c, x);
	}
}

int quire_cuda_embed(const struct quire_op_embed *op, struct CUstream_st *stream)
{
	if (op->columns % 8)
		return cudaErrorInvalidValue;
	return launch(embed, op, dim3(op->rows_count), 256, 0, stream);
}
