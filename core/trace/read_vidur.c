/*
 * read_vidur.c - the length files of Vidur, Sarathi-Serve and vAttention:
 * num_prefill_tokens,num_decode_tokens and columns that follow from these.
 * Some of them write 7564 as 7564.0.
 */
#include "reader.h"

static const struct quire_column columns[] = {
	{"num_prefill_tokens", quire_column_prompt, true},
	{"num_decode_tokens", quire_column_output, true},
	{NULL, NULL, false},
};

const struct quire_format quire_format_vidur = {
	.name = "vidur csv",
	.looks = "num_prefill_tokens,num_decode_tokens",
	.columns = columns,
};
