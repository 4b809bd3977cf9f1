/*
 * check_choose.c - the largest logit, and draws.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Logits of rows: normal, with equals, -infinity, NaN and +infinity in some if @wild. */
static struct both logits_new(uint32_t rows_count, uint32_t vocab, uint32_t stride, bool wild)
{
	struct both b = both_new((size_t)rows_count * stride * sizeof(float));

	for (uint32_t r = 0; r < rows_count; r++) {
		float *x = (float *)b.host + (size_t)r * stride;
		const uint32_t one = draw_below(vocab), other = draw_below(vocab);

		for (uint32_t i = 0; i < vocab; i++)
			x[i] = wild && r % 8 == 5 ? -INFINITY : (float)(4 * draw_normal() - 30);
		if (r % 2 == 0)
			x[one] = x[other] = 7;
		if (wild && r % 8 == 1)
			x[one] = NAN, x[other] = INFINITY;
		if (r % 8 == 3)
			x[one] = -INFINITY, x[vocab - 1] = 9;
	}
	both_to_device(&b);
	return b;
}

static bool same_choice(const struct quire_dev_choice *c, const struct quire_dev_choice *ref)
{
	if (c->bad || ref->bad)
		return c->bad == ref->bad;
	if (c->token != ref->token || memcmp(&c->logit, &ref->logit, sizeof(c->logit)) != 0)
		return false;
	return isinf(ref->logit) ? isinf(c->log_sum)
				 : fabs((double)c->log_sum - (double)ref->log_sum) < 1e-5;
}

static void choose(uint32_t rows_count, uint32_t vocab)
{
	const uint32_t stride = (vocab + 3) / 4 * 4 + 4;
	struct quire_dev_choice *ref = calloc(rows_count, sizeof(*ref));
	struct both logits, choices, scratch;
	uint32_t unlike = 0;

	if (!ref)
		exit(1);
	checking("choose, %u rows of %u", rows_count, vocab);
	logits = logits_new(rows_count, vocab, stride, true);
	choices = both_new(rows_count * sizeof(*ref));
	scratch = both_new(quire_choose_scratch_bytes(rows_count, vocab));
	memset(scratch.host, 0, scratch.bytes);
	both_to_device(&scratch);

	struct quire_op_choose op = {logits.device, rows_count,	    vocab,
				     stride,	    choices.device, scratch.device};
	launched("choose", quire_cuda_choose(&op, NULL));
	both_poison(&choices);
	launched("choose, again", quire_cuda_choose(&op, NULL));
	op.logits = logits.host, op.choices = ref;
	quire_ref_choose(&op);
	both_from_device(&choices);
	for (uint32_t r = 0; r < rows_count; r++)
		unlike += !same_choice((struct quire_dev_choice *)choices.host + r, &ref[r]);
	verdict(!unlike, "%u of %u rows unlike", unlike, rows_count);
	both_free(&logits), both_free(&choices), both_free(&scratch);
	free(ref);
}

void check_choose(void)
{
	choose(1, 1);
	choose(8, 3);
	choose(9, 4096);
	choose(17, 4097);
	choose(2, 50001);
	choose(340, 8200); /* more chunks than blocks */
}

/* Weights are rounded: a draw may be the reference's for a share just beside its own. */
static bool same_draw(const struct quire_op_draw *ref, uint32_t row, uint32_t token)
{
	for (int i = 0; i < 9; i++) {
		struct quire_dev_draw how = ref->draws[row];
		uint32_t found;
		struct quire_op_draw one = *ref;

		how.uniform += (i % 3 - 1) * 1e-6;
		how.top_p = how.top_p < 1 ? how.top_p + (float)(i / 3 - 1) * 1e-6f : 1;
		one.rows_count = 1;
		one.logits += (size_t)row * ref->stride;
		one.draws = &how;
		one.tokens = &found;
		quire_ref_draw(&one);
		if (found == token)
			return true;
	}
	return false;
}

static void draws(uint32_t rows_count, uint32_t vocab)
{
	struct both logits, choices, how, tokens;
	uint32_t unlike = 0, apart = 0;

	checking("draw, %u rows of %u", rows_count, vocab);
	logits = logits_new(rows_count, vocab, vocab, false);
	for (size_t i = 0; i < (size_t)rows_count / 2 * vocab;
	     i++) /* many equals in half of them */
		((float *)logits.host)[i] = rintf(((float *)logits.host)[i]);
	choices = both_new(rows_count * sizeof(struct quire_dev_choice));
	how = both_new(rows_count * sizeof(struct quire_dev_draw));
	tokens = both_new(rows_count * sizeof(uint32_t));
	for (uint32_t r = 0; r < rows_count; r++) {
		struct quire_dev_draw *d = (struct quire_dev_draw *)how.host + r;

		d->temperature = (float)(0.2 + 3 * draw());
		d->min_p = draw_below(3) ? 0 : (float)(0.2 * draw());
		d->top_k = draw_below(2) ? 0 : 1 + draw_below(vocab + 10);
		d->top_p = draw_below(2) ? 1 : (float)draw();
		d->uniform = r == 0 ? 0 : r == 1 ? 1 - 0x1p-53 : draw();
		if (r % 5 == 4 && vocab > 3) { /* the cut goes through equals: the last of 3 */
			float *x = (float *)logits.host + (size_t)r * vocab;

			for (uint32_t i = 0; i < vocab; i++)
				x[i] = i == 0 ? 5 : 1;
			*d = (struct quire_dev_draw){
				.temperature = 90, .top_p = 1, .uniform = 0.99};
			if (r % 2)
				d->top_k = 3;
			else
				d->top_p = 2.5f / (float)vocab;
		}
	}
	both_to_device(&logits);
	both_to_device(&how);

	struct quire_op_choose largest = {logits.host, rows_count,   vocab,
					  vocab,       choices.host, NULL};
	quire_ref_choose(&largest);
	both_to_device(&choices);

	struct quire_op_draw op = {logits.device,  rows_count, vocab,	     vocab,
				   choices.device, how.device, tokens.device};
	launched("draw", quire_cuda_draw(&op, NULL));
	both_from_device(&tokens);
	op.logits = logits.host, op.choices = choices.host, op.draws = how.host;
	for (uint32_t r = 0; r < rows_count; r++) {
		const uint32_t token = ((uint32_t *)tokens.host)[r];

		unlike += !same_draw(&op, r, token);
		apart += token != ((struct quire_dev_choice *)choices.host)[r].token;
	}
	verdict(!unlike, "%u of %u rows unlike, %u not the largest", unlike, rows_count, apart);
	expect(vocab < 100 || apart, "some that are not the largest");
	both_free(&logits), both_free(&choices), both_free(&how), both_free(&tokens);
}

void check_draw(void)
{
	draws(3, 1);
	draws(10, 7);
	draws(6, 1000);
	draws(5, 5003);
}
