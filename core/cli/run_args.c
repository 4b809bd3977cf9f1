/*
 * run_args.c - see run_args.h.
 */
#include "run_args.h"

#include "cli.h"
#include "core/util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

static const struct option options[] = {
	QUIRE_ENGINE_LONG_OPTIONS,
	{"prompt", required_argument, NULL, 0},
	{"prompt-file", required_argument, NULL, 0},
	{"chat", no_argument, NULL, 0},
	{"system", required_argument, NULL, 0},
	{"special-tokens", no_argument, NULL, 0},
	{"max-tokens", required_argument, NULL, 0},
	{"temperature", required_argument, NULL, 0},
	{"top-k", required_argument, NULL, 0},
	{"top-p", required_argument, NULL, 0},
	{"min-p", required_argument, NULL, 0},
	{"repetition-penalty", required_argument, NULL, 0},
	{"presence-penalty", required_argument, NULL, 0},
	{"frequency-penalty", required_argument, NULL, 0},
	{"seed", required_argument, NULL, 0},
	{"stop", required_argument, NULL, 0},
	{"stop-token-id", required_argument, NULL, 0},
	{"ignore-eos", no_argument, NULL, 0},
	{"logprobs", required_argument, NULL, 0},
	{"samples", required_argument, NULL, 0},
	{"n", required_argument, NULL, 0},
	{"beams", required_argument, NULL, 0},
	{"length-penalty", required_argument, NULL, 0},
	{"scheduler", required_argument, NULL, 0},
	{"allocator", required_argument, NULL, 0},
	{"max-num-seqs", required_argument, NULL, 0},
	{"max-num-batched-tokens", required_argument, NULL, 0},
	{"max-model-len", required_argument, NULL, 0},
	{"audit", no_argument, NULL, 0},
	{"json", required_argument, NULL, 0},
	{"record", required_argument, NULL, 0},
	{"no-stream", no_argument, NULL, 0},
	{"help", no_argument, NULL, 0},
	{NULL, 0, NULL, 0},
};

static const char help_head[] =
	"usage: quire run --model DIR --prompt TEXT [OPTIONS]\n"
	"\n"
	"Generate text.  Standard output gets the text and nothing else; what was run, and how\n"
	"fast, is told on standard error.  Flags marked + may be repeated.\n"
	"\n"
	"What is asked\n"
	"  --prompt TEXT +              a prompt; each is a request of its own, and all are\n"
	"                               served together\n"
	"  --prompt-file FILE +         likewise, from a file, less the newline at its end;\n"
	"                               '-' is standard input, as is a '-' alone\n"
	"  --chat                       a prompt is what a user says: put it into the chat\n"
	"                               template of the model\n"
	"  --system TEXT                of a chat: what the model is told first\n"
	"  --special-tokens             special tokens that a prompt names, such as <|im_end|>,\n"
	"                               are meant as such, not as text\n"
	"\n"
	"Who answers\n";

static const char help_rest[] =
	"  --skip-tokenizer-init        no tokenizer, and none is needed: tokens are numbers\n"
	"  --scheduler S[,k=v..]        a name, or the path of a .so [continuous,prefill=mixed]\n"
	"  --allocator A[,k=v..]        likewise [paged,block=16,watermark=0.01,cow=1]\n"
	"\n"
	"How the next token is chosen [as generation_config.json says; without one, the "
	"likeliest]\n"
	"  --temperature T              above 1 is wilder, below 1 tamer; 0: the likeliest\n"
	"  --top-k N                    of the N likeliest only [0: all]\n"
	"  --top-p P                    of the likeliest that together have the share P [1: all]\n"
	"  --min-p P                    of those P times as likely as the likeliest [0: all]\n"
	"  --repetition-penalty F       makes less likely what was there, in prompt or text [1]\n"
	"  --presence-penalty F         likewise, in the text [0]\n"
	"  --frequency-penalty F        likewise, as often as it was there [0]\n"
	"  --seed N                     the same seed gives the same text [0]\n"
	"  --samples N, --n N           texts for each prompt, which share its memory [1]\n"
	"  --beams N                    search for the N likeliest texts instead [1]\n"
	"  --length-penalty F           of beams: score = logprob / length^F [1]\n"
	"\n"
	"Where it ends\n"
	"  --max-tokens N               after N tokens [256, or where the context ends]\n"
	"  --stop TEXT +                before this text\n"
	"  --stop-token-id N +          with this token\n"
	"  --ignore-eos                 not with the model's own end\n"
	"\n"
	"Limits\n"
	"  --max-num-seqs N             sequences that may hold memory at one time [256]\n"
	"  --max-num-batched-tokens N   tokens of one step [the scheduler's choice: 2048 for\n"
	"                               splitfuse, else the larger of 2048 and the longest "
	"request]\n"
	"  --max-model-len N            prompt and output of one sequence, in tokens [the\n"
	"                               model's longest context]\n"
	"\n"
	"Output\n"
	"  --no-stream                  print a text when it is done, not as it comes\n"
	"  --logprobs K                 how likely each token was, and the K likeliest: in the\n"
	"                               JSON, or without it on standard error\n"
	"  --json FILE                  texts, tokens, timing and settings as JSON; '-' is\n"
	"                               standard output, without the text\n"
	"  --record FILE                everything that happened, for 'quire compare' and viewers\n"
	"  --audit                      check allocator and core against each other after\n"
	"                               every step: slow\n"
	"  --help                       this text\n";

static int add_prompt(struct quire_run_args *a, const char *text, bool file)
{
	if (a->prompts_count == QUIRE_RUN_PROMPTS_MAX)
		return quire_fail(-EINVAL, "at most %d prompts", QUIRE_RUN_PROMPTS_MAX);
	a->prompts[a->prompts_count++] = (struct quire_run_source){text, file};
	return 0;
}

static bool is_utf8(const char *text)
{
	const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
	utf8proc_int32_t c;

	while (*at) {
		const utf8proc_ssize_t n = utf8proc_iterate(at, -1, &c);

		if (n <= 0)
			return false;
		at += n;
	}
	return true;
}

static int add_stop(struct quire_run_args *a, const char *text)
{
	struct quire_sampling *s = &a->sampling;

	if (!*text || !is_utf8(text))
		return quire_fail(-EINVAL, "--stop: expected some text in UTF-8, found '%s'", text);
	if (s->stops_count == QUIRE_RUN_STOPS_MAX)
		return quire_fail(-EINVAL, "--stop: at most %d of them", QUIRE_RUN_STOPS_MAX);
	a->stops[s->stops_count++] = text;
	return 0;
}

static int add_stop_token(struct quire_run_args *a, const char *text)
{
	struct quire_sampling *s = &a->sampling;

	if (s->stop_tokens_count == QUIRE_RUN_STOPS_MAX)
		return quire_fail(-EINVAL, "--stop-token-id: at most %d of them",
				  QUIRE_RUN_STOPS_MAX);
	return quire_parse_u32("--stop-token-id", text, 0, UINT32_MAX - 1,
			       &a->stop_tokens[s->stop_tokens_count++]);
}

/* Flags of sampling that are plain numbers. */
static const struct real_flag {
	const char *name;
	size_t offset; /* in struct quire_sampling */
} reals[] = {
	{"temperature", offsetof(struct quire_sampling, temperature)},
	{"top-p", offsetof(struct quire_sampling, top_p)},
	{"min-p", offsetof(struct quire_sampling, min_p)},
	{"repetition-penalty", offsetof(struct quire_sampling, repetition_penalty)},
	{"presence-penalty", offsetof(struct quire_sampling, presence_penalty)},
	{"frequency-penalty", offsetof(struct quire_sampling, frequency_penalty)},
	{"length-penalty", offsetof(struct quire_sampling, length_penalty)},
};

/* Return: 1 it was one of them; 0; -EINVAL. */
static int take_real(struct quire_run_args *a, const char *flag, const char *value)
{
	const struct real_flag *real = NULL;
	char what[40];
	int rc;

	for (size_t i = 0; i < sizeof(reals) / sizeof(*reals) && !real; i++)
		if (!strcmp(flag, reals[i].name))
			real = &reals[i];
	if (!real)
		return 0;
	a->temperature_given |= !strcmp(flag, "temperature");
	a->top_p_given |= !strcmp(flag, "top-p");
	a->repetition_given |= !strcmp(flag, "repetition-penalty");
	if (!a->sampled && strcmp(flag, "length-penalty"))
		a->sampled = real->name;
	snprintf(what, sizeof(what), "--%s", flag);
	rc = quire_parse_real(what, value, -1e6, 1e6,
			      (double *)(void *)((char *)&a->sampling + real->offset));
	if (rc == 0 && quire_sampling_check(&a->sampling))
		rc = quire_fail(-EINVAL, "--%s", quire_failure());
	return rc ? rc : 1;
}

static int take(struct quire_run_args *a, const char *flag, const char *value)
{
	int rc = quire_engine_arg(&a->engine, flag, value);

	if (rc == 0)
		rc = take_real(a, flag, value);
	if (rc)
		return rc < 0 ? rc : 0;
	if (!strcmp(flag, "prompt"))
		return add_prompt(a, value, false);
	if (!strcmp(flag, "prompt-file"))
		return add_prompt(a, value, true);
	if (!strcmp(flag, "stop"))
		return add_stop(a, value);
	if (!strcmp(flag, "stop-token-id"))
		return add_stop_token(a, value);
	if (!strcmp(flag, "max-tokens"))
		return quire_parse_u32("--max-tokens", value, 1, 1u << 24, &a->max_tokens);
	if (!strcmp(flag, "top-k")) {
		a->top_k_given = true;
		a->sampled = a->sampled ? a->sampled : "top-k";
		return quire_parse_u32("--top-k", value, 0, 1u << 24, &a->sampling.top_k);
	}
	if (!strcmp(flag, "seed"))
		return quire_parse_u64("--seed", value, 0, UINT64_MAX, &a->sampling.seed);
	if (!strcmp(flag, "logprobs"))
		return quire_parse_u32("--logprobs", value, 0, QUIRE_LOGPROBS_MAX,
				       &a->sampling.logprobs);
	if (!strcmp(flag, "samples") || !strcmp(flag, "n"))
		return quire_parse_u32("--samples", value, 1, QUIRE_RUN_SAMPLES_MAX, &a->samples);
	if (!strcmp(flag, "beams"))
		return quire_parse_u32("--beams", value, 1, QUIRE_RUN_SAMPLES_MAX, &a->beams);
	if (!strcmp(flag, "max-num-seqs"))
		return quire_parse_u32("--max-num-seqs", value, 1, QUIRE_SEQS_MAX,
				       &a->max_num_seqs);
	if (!strcmp(flag, "max-num-batched-tokens"))
		return quire_parse_u32("--max-num-batched-tokens", value, 1, 1u << 24,
				       &a->max_num_batched_tokens);
	if (!strcmp(flag, "max-model-len"))
		return quire_parse_u32("--max-model-len", value, 2, 1u << 24, &a->max_model_len);
	if (!strcmp(flag, "system"))
		a->system = value;
	else if (!strcmp(flag, "scheduler"))
		a->scheduler = value;
	else if (!strcmp(flag, "allocator"))
		a->allocator = value;
	else if (!strcmp(flag, "json"))
		a->json = value;
	else if (!strcmp(flag, "record"))
		a->record = value;
	else if (!strcmp(flag, "chat"))
		a->chat = true;
	else if (!strcmp(flag, "special-tokens"))
		a->special_tokens = true;
	else if (!strcmp(flag, "ignore-eos"))
		a->ignore_eos = true;
	else if (!strcmp(flag, "no-stream"))
		a->no_stream = true;
	else if (!strcmp(flag, "audit"))
		a->audit = true;
	return 0;
}

static int check(struct quire_run_args *a)
{
	uint32_t inputs = 0;
	int rc = quire_engine_args_check(&a->engine);

	if (rc)
		return rc;
	if (!a->prompts_count)
		return quire_fail(-EINVAL,
				  "which prompt? add --prompt TEXT, or --prompt-file FILE");
	for (uint32_t i = 0; i < a->prompts_count; i++)
		inputs += a->prompts[i].file && !strcmp(a->prompts[i].text, "-");
	if (inputs > 1)
		return quire_fail(-EINVAL, "standard input can be read only once");
	if (a->system && !a->chat)
		return quire_fail(-EINVAL, "--system is part of a chat: add --chat");
	if (a->chat && a->special_tokens)
		return quire_fail(-EINVAL, "--chat puts the special tokens in itself; those that a "
					   "prompt names stay text");
	if (a->beams > 1 && a->samples > 1)
		return quire_fail(-EINVAL,
				  "--samples draws and --beams searches: give one of them");
	if (a->beams > 1 && a->sampled)
		return quire_fail(-EINVAL,
				  "--beams searches for the likeliest texts, and --%s is "
				  "for drawing: give one of them",
				  a->sampled);
	if (a->beams > 1 && a->sampling.stops_count)
		return quire_fail(-EINVAL, "--beams compares whole texts, and does not stop at a "
					   "--stop");
	if (a->samples > 1 && a->temperature_given && !(a->sampling.temperature > 0))
		return quire_fail(-EINVAL,
				  "--samples %u with --temperature 0: they would all be "
				  "the same text",
				  a->samples);
	if (a->record && !strcmp(a->record, "-"))
		return quire_fail(-EINVAL, "--record: expected the name of a file, found '-'");
	return 0;
}

int quire_run_args_read(struct quire_run_args *a, int argc, char **argv)
{
	int i, rc = 0;

	*a = (struct quire_run_args){
		.engine = QUIRE_ENGINE_ARGS,
		.samples = 1,
		.beams = 1,
		.scheduler = "continuous",
		.allocator = "paged",
		.max_num_seqs = 256,
	};
	quire_sampling_init(&a->sampling);
	a->sampling.stops = a->stops;
	a->sampling.stop_tokens = a->stop_tokens;
	while (rc == 0 && (i = quire_next_option(argc, argv, options)) >= 0) {
		if (!strcmp(options[i].name, "help")) {
			fputs(help_head, stdout);
			fputs(quire_engine_args_help, stdout);
			fputs(help_rest, stdout);
			return 1;
		}
		rc = take(a, options[i].name, optarg);
	}
	if (rc == 0 && i == QUIRE_OPTION_BAD)
		return -EINVAL;
	for (; rc == 0 && optind < argc; optind++) {
		if (!strcmp(argv[optind], "-"))
			rc = add_prompt(a, "-", true);
		else
			rc = quire_fail(-EINVAL,
					"expected options only, found '%s'; a prompt "
					"stands behind --prompt",
					argv[optind]);
	}
	if (rc == 0)
		rc = check(a);
	if (rc == 0)
		return 0;
	quire_usage_error(argv[0], "%s", quire_failure());
	return -EINVAL;
}
