/*
 * check_rows.c - ops that see each row alone: embed, norm, rope, swiglu.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDING     2e-3 /* of bf16 results: a few that are rounded to the other side */
#define ROUNDING_ONE 8e-3 /* of one of them */

static struct both rows_new(uint32_t count, uint32_t vocab, uint32_t positions, uint32_t slots)
{
	struct both b = both_new(count * sizeof(struct quire_dev_row));
	uint32_t *free_slots = calloc(slots, sizeof(*free_slots));

	if (!free_slots)
		exit(1);
	for (uint32_t i = 0; i < slots; i++)
		free_slots[i] = i;
	shuffle(free_slots, slots);
	for (uint32_t i = 0; i < count; i++)
		((struct quire_dev_row *)b.host)[i] = (struct quire_dev_row){
			.token = draw_below(vocab),
			.position = draw_below(positions),
			.slot = i % 5 == 3 || i >= slots ? QUIRE_SLOT_NONE : free_slots[i],
		};
	free(free_slots);
	both_to_device(&b);
	return b;
}

static void embed(uint32_t rows_count, uint32_t columns)
{
	const uint32_t vocab = 37;
	struct both rows, table, residual;

	checking("embed, %u rows of %u", rows_count, columns);
	rows = rows_new(rows_count, vocab, 1, 1);
	if (rows_count > 2) { /* the first token that there is not: NaN */
		((struct quire_dev_row *)rows.host)[1].token = vocab;
		((struct quire_dev_row *)rows.host)[2].token = UINT32_MAX;
		both_to_device(&rows);
	}
	table = both_random((size_t)vocab * columns, 1);
	residual = both_new((size_t)rows_count * columns * sizeof(float));

	struct quire_op_embed op = {rows.device, rows_count, table.device,
				    vocab,	 columns,    residual.device};
	launched("embed", quire_cuda_embed(&op, NULL));
	op.rows = rows.host, op.table = table.host, op.residual = residual.host;
	quire_ref_embed(&op);
	compare_fp32(&residual, 0, 0);
	both_free(&rows), both_free(&table), both_free(&residual);
}

void check_embed(void)
{
	embed(1, 8);
	embed(7, 896);
	embed(3, 3584);
}

static void norm(uint32_t rows_count, uint32_t columns, bool add, bool index)
{
	struct both residual, sum, at, weight, out;

	checking("norm, %u rows of %u%s%s", rows_count, columns, add ? ", add" : "",
		 index ? ", index" : "");
	residual = both_random_fp32((size_t)9 * columns, 3);
	sum = both_random((size_t)9 * columns, 1);
	weight = both_random(columns, 1);
	out = both_new((size_t)rows_count * columns * sizeof(uint16_t));
	at = both_new(rows_count * sizeof(uint32_t));
	for (uint32_t i = 0; i < rows_count; i++)
		((uint32_t *)at.host)[i] = draw_below(9);
	both_to_device(&at);

	struct quire_op_norm op = {
		.residual = residual.device,
		.add = add ? sum.device : NULL,
		.index = index ? at.device : NULL,
		.weight = weight.device,
		.out = out.device,
		.rows_count = rows_count,
		.columns = columns,
		.eps = 1e-5f,
	};
	launched("norm", quire_cuda_norm(&op, NULL));
	op.residual = residual.host, op.weight = weight.host, op.out = out.host;
	op.add = add ? sum.host : NULL;
	op.index = index ? at.host : NULL;
	quire_ref_norm(&op);
	compare_bf16(&out, ROUNDING, ROUNDING_ONE);
	compare_fp32(&residual, 1e-7, 1e-6);
	both_free(&residual), both_free(&sum), both_free(&at), both_free(&weight), both_free(&out);
}

void check_norm(void)
{
	norm(1, 8, false, false);
	norm(3, 896, true, false);
	norm(5, 3584, true, false);
	norm(2, 3584, false, true);
	norm(9, 1000, false, false);
	norm(2, 16384, true, false);
	norm(20, 264, false, true);
}

static void rope(uint32_t rows_count, uint32_t heads, uint32_t kv_heads, uint32_t head_dim,
		 bool bias, bool norms)
{
	const uint32_t slots = 41, positions = 50;
	const uint32_t columns = (heads + 2 * kv_heads) * head_dim, stride = columns + 8;
	struct both rows, qkv, biases, q_norm, k_norm, frequency, table, k, v;

	checking("rope, %u rows, heads %u/%u of %u%s%s", rows_count, heads, kv_heads, head_dim,
		 bias ? ", bias" : "", norms ? ", norms" : "");
	rows = rows_new(rows_count, 1, positions + 1, slots); /* one position too many: NaN */
	qkv = both_random((size_t)rows_count * stride, 2);
	biases = both_random(columns, 5);
	q_norm = both_random(head_dim, 1);
	k_norm = both_random(head_dim, 1);
	frequency = both_new(head_dim / 2 * sizeof(float));
	for (uint32_t i = 0; i < head_dim / 2; i++)
		((float *)frequency.host)[i] = (float)pow(10000, -2.0 * i / head_dim);
	both_to_device(&frequency);
	table = both_new((size_t)positions * head_dim * sizeof(float));
	k = both_new((size_t)slots * kv_heads * head_dim * sizeof(uint16_t));
	v = both_new((size_t)slots * kv_heads * head_dim * sizeof(uint16_t));

	struct quire_op_rope_table make = {frequency.device, head_dim, positions, table.device};
	struct quire_op_rope op = {
		.rows = rows.device,
		.rows_count = rows_count,
		.qkv = qkv.device,
		.qkv_stride = stride,
		.heads = heads,
		.kv_heads = kv_heads,
		.head_dim = head_dim,
		.bias = bias ? biases.device : NULL,
		.q_norm = norms ? q_norm.device : NULL,
		.k_norm = norms ? k_norm.device : NULL,
		.eps = 1e-6f,
		.table = table.device,
		.positions = positions,
		.k = k.device,
		.v = v.device,
	};
	launched("rope_table", quire_cuda_rope_table(&make, NULL));
	launched("rope", quire_cuda_rope(&op, NULL));
	make.frequency = frequency.host, make.table = table.host;
	quire_ref_rope_table(&make);
	op.rows = rows.host, op.qkv = qkv.host, op.table = table.host;
	op.bias = bias ? biases.host : NULL;
	op.q_norm = norms ? q_norm.host : NULL;
	op.k_norm = norms ? k_norm.host : NULL;
	op.k = k.host, op.v = v.host;
	quire_ref_rope(&op);
	compare_fp32(&table, 1e-7, 1e-6);
	compare_bf16(&qkv, ROUNDING, ROUNDING_ONE);
	compare_bf16(&k, ROUNDING, ROUNDING_ONE);
	compare_bf16(&v, ROUNDING, ROUNDING_ONE);
	both_free(&rows), both_free(&qkv), both_free(&biases), both_free(&q_norm);
	both_free(&k_norm), both_free(&frequency), both_free(&table), both_free(&k), both_free(&v);
}

void check_rope(void)
{
	rope(1, 4, 4, 64, false, false);
	rope(7, 14, 2, 64, true, false);
	rope(5, 28, 4, 128, true, false);
	rope(9, 16, 8, 128, false, true);
	rope(60, 3, 1, 64, false, true);
	rope(3, 1, 1, 128, true, true);
}

static void swiglu(uint32_t rows_count, uint32_t columns)
{
	struct both gate_up, out;

	checking("swiglu, %u rows of %u", rows_count, columns);
	gate_up = both_random((size_t)rows_count * 2 * columns, 3);
	out = both_new((size_t)rows_count * columns * sizeof(uint16_t));

	struct quire_op_swiglu op = {gate_up.device, out.device, rows_count, columns};
	launched("swiglu", quire_cuda_swiglu(&op, NULL));
	op.gate_up = gate_up.host, op.out = out.host;
	quire_ref_swiglu(&op);
	compare_bf16(&out, ROUNDING, ROUNDING_ONE);
	both_free(&gate_up), both_free(&out);
}

void check_swiglu(void)
{
	swiglu(1, 8);
	swiglu(3, 4864);
	swiglu(33, 200);
}
