/*
 * read_burstgpt.c - the traces of BurstGPT (Wang et al., "BurstGPT: a real-world
 * workload dataset to optimize LLM serving systems", KDD 2025).
 *
 *	Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
 *	5,ChatGPT,472,18,490,Conversation log
 *
 * Time is in seconds since midnight of the first of many days, so the earliest
 * row arrives at 0.  A response of no tokens is a request that failed; it is left
 * out, and counted.  The other columns are not for us.
 */
#include "reader.h"

static int response(struct quire_reader *r, const char *name, const char *text,
		    struct quire_row *row)
{
	uint64_t tokens = 0;
	int rc = quire_reader_count(r, name, text, 0, QUIRE_TOKENS_MAX, &tokens);

	row->output_tokens = (uint32_t)tokens;
	row->left_out = tokens == 0;
	return rc;
}

static const struct quire_column columns[] = {
	{"Timestamp", quire_column_arrival_s, true},
	{"Request tokens", quire_column_prompt, true},
	{"Response tokens", response, true},
	{NULL, NULL, false},
};

const struct quire_format quire_format_burstgpt = {
	.name = "burstgpt csv",
	.looks = "Timestamp,Request tokens,Response tokens",
	.from_earliest = true,
	.columns = columns,
};
