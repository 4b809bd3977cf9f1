/*
 * presets.c - the built-in workloads: one entry each, numbers only.
 *
 * Fitted by us to public traces, or taken from the descriptions of published
 * experiments; docs/formats.md names the sources and tells how far each fit is
 * from its trace.  Prompt and output are drawn independently of each other.
 */
#include "preset.h"

#include <stddef.h>

/* One line a distribution. */
/* clang-format off */
#define CONSTANT(v)		   { .kind = QUIRE_DIST_CONSTANT, .a = (v) }
#define UNIFORM(low, high)	   { .kind = QUIRE_DIST_UNIFORM, .a = (low), .b = (high) }
#define EXPONENTIAL(mean, at_most) { .kind = QUIRE_DIST_EXPONENTIAL, .a = (mean), .max = (at_most) }
#define GAMMA(shape, scale)	   { .kind = QUIRE_DIST_GAMMA, .a = (shape), .b = (scale) }
#define WEIBULL(shape, scale)	   { .kind = QUIRE_DIST_WEIBULL, .a = (shape), .b = (scale) }
#define NORMAL(mean, relative_sd)  { .kind = QUIRE_DIST_NORMAL, .a = (mean), .b = (relative_sd) }
#define LOGNORMAL(mu, sigma)	   { .kind = QUIRE_DIST_LOGNORMAL, .a = (mu), .b = (sigma) }
#define ZIPF(exponent, at_most)	   { .kind = QUIRE_DIST_ZIPF, .a = (exponent), .max = (at_most) }
#define MIX2_CUT(weight, mu, sigma, mu2, sigma2, at_most, cuts)                                    \
	{ .kind = QUIRE_DIST_LOGNORMAL2, .w = { (weight) }, .a = (mu), .b = (sigma),               \
	  .a2 = (mu2), .b2 = (sigma2), .max = (at_most), .cut = (cuts) }
#define MIX2(weight, mu, sigma, mu2, sigma2, at_most)                                              \
	MIX2_CUT(weight, mu, sigma, mu2, sigma2, at_most, false)
#define HYPEREXP3(w0, w1, mean0, mean1, mean2)                                                     \
	{ .kind = QUIRE_DIST_HYPEREXP3, .w = { (w0), (w1) }, .a = (mean0), .b = (mean1),           \
	  .a2 = (mean2) }

/* 1,000 prompts at once, the cap known to the server. */
#define ANYSCALE(preset, cap)                                                                      \
	{ .info = { preset,                                                                        \
		    "continuous batching: 1,000 prompts of 512 at once, outputs up to " #cap },    \
	  .count = 1000, .prompt = CONSTANT(512), .output = EXPONENTIAL(128, cap),                 \
	  .output_cap = cap, .burst = true }
/* clang-format on */

const struct quire_preset quire_presets[] = {
	{
		.info = {"demo",
			 "a busy chat service: up to 4,096 tokens each, bursty, 6 requests/s"},
		.count = 2000,
		.prompt = MIX2(0.7219, 6.5013, 1.1316, 6.9759, 0.055, 3072),
		.output = MIX2(0.7234, 4.6414, 0.7098, 6.0064, 0.0486, 1000),
		.total_max = 4096,
		.gap_s = GAMMA(0.25, 0.6666666666666666), /* cv 2 */
		.rate = 6.0,
	},
	{
		.info = {"demo_small",
			 "the same for a small real model: up to 512 tokens each, 20 requests/s"},
		/* An eighth of the prompts, a quarter of the answers. */
		.count = 100,
		.prompt = MIX2(0.7219, 4.4218, 1.1316, 4.8965, 0.055, 384),
		.output = MIX2(0.7234, 3.2551, 0.7098, 4.6201, 0.0486, 250),
		.total_max = 512,
		.gap_s = GAMMA(0.25, 0.2), /* cv 2 */
		.rate = 20.0,
	},
	{
		.info = {"notes_p6",
			 "32 prompts of 16 at once; every eighth wants 100 tokens, the others 10"},
		/* The long one is the first of each eight.  Static batches of 8 take
		 * 4 x 100 steps.  Continuous: the long ones begin in steps 1, 11, 21 and
		 * 31, so the last ends with step 130 (with prompts in steps of their own,
		 * in which nobody else moves: 2 later, for those of steps 41 and 51). */
		.count = 32,
		.prompt = CONSTANT(16),
		.output = CONSTANT(10),
		.every = 8,
		.every_output = 100,
		.burst = true,
	},
	{
		.info = {"azure_conv_2023",
			 "Azure's conversation service: long prompts, 5.53 requests/s"},
		.count = 19366,
		.prompt = MIX2(0.7219, 6.5013, 1.1316, 6.9759, 0.055, 14050),
		.output = MIX2(0.7234, 4.6414, 0.7098, 6.0064, 0.0486, 1000),
		.gap_s = GAMMA(0.871, 0.20762),
		.rate = 5.53,
	},
	{
		.info = {"azure_code_2023",
			 "Azure's code completion: tiny outputs, very bursty, 2.57 requests/s"},
		.count = 8819,
		/* 4 % of the trace stand at this limit: the service cuts. */
		.prompt = MIX2_CUT(0.3055, 5.5183, 1.3069, 7.6498, 0.7243, 7437, true),
		.output = MIX2(0.6587, 2.3651, 0.3829, 3.6047, 0.899, 1899),
		.gap_s = HYPEREXP3(0.34, 0.6452, 0.00159, 0.14249, 20.09653),
		.rate = 2.567,
	},
	{
		.info = {"mooncake_conversation",
			 "Kimi's chat service: prompts of 12,000 on average, 3.4 requests/s"},
		.count = 12031,
		.prompt = MIX2(0.095, 6.8098, 0.02, 8.9389, 1.0762, 126195),
		.output = MIX2(0.3384, 4.0237, 1.6167, 6.0079, 0.3457, 2000),
		.gap_s = EXPONENTIAL(1 / 3.4015, 0),
		.rate = 3.4015,
	},
	{
		.info = {"mooncake_synthetic",
			 "Mooncake's synthetic mix: prompts of 15,000, 3.9 requests/s"},
		.count = 3993,
		.prompt = MIX2(0.3199, 4.36, 1.3369, 9.6852, 0.8983, 191378),
		.output = MIX2(0.5703, 2.684, 1.3028, 5.552, 0.5785, 893),
		.gap_s = EXPONENTIAL(1 / 3.9069, 0),
		.rate = 3.9069,
	},
	{
		.info = {"sharegpt_opt_2k",
			 "ShareGPT in the vLLM paper: below 2,048 in all; needs a rate"},
		.count = 1000,
		.prompt = MIX2(0.7638, 3.2042, 0.9763, 6.0282, 0.7928, 0),
		.output = MIX2(0.2496, 4.0778, 1.2989, 5.8, 0.6656, 0),
		.total_max = 2047,
	},
	{
		.info = {"alpaca_like",
			 "short instructions: 19 in, 58 out on average; needs a rate"},
		.count = 1000,
		.prompt = LOGNORMAL(2.780623, 0.6), /* means 19.31 and 58.45: */
		.output = LOGNORMAL(3.663172, 0.9), /* mu = ln(mean) - sigma^2 / 2 */
	},
	{
		.info = {"openchat_sharegpt4_8k",
			 "chats of Sarathi-Serve: up to 8,192 in all; needs a rate"},
		.count = 1000,
		.prompt = MIX2(0.2829, 4.9986, 1.5333, 7.7988, 0.7346, 8141),
		.output = MIX2(0.2833, 4.6823, 1.1869, 6.1991, 0.4356, 1024),
		.total_max = 8192,
	},
	{
		.info = {"arxiv_16k",
			 "summaries in Sarathi-Serve: up to 16,384 in all; needs a rate"},
		.count = 1000,
		.prompt = LOGNORMAL(8.862, 0.4756),
		.output = LOGNORMAL(5.337, 0.4515),
		.total_max = 16384,
	},
	{
		.info = {"arxiv_4k", "summaries in Vidur: up to 4,096 in all; needs a rate"},
		.count = 1000,
		.prompt = WEIBULL(2.8794, 2859.6),
		.output = MIX2(0.8715, 5.0551, 0.5096, 6.0789, 1.5008, 0),
		.total_max = 4096,
	},
	{
		.info = {"arxiv_10k_vattn",
			 "summaries in vAttention: prompts of 10,000; needs a rate"},
		.count = 1000,
		.prompt = MIX2(0.7171, 8.8146, 0.2954, 9.7528, 0.2269, 0),
		.output = MIX2(0.9524, 5.7842, 0.4597, 7.558, 0.8326, 0),
	},
	{
		.info = {"arxiv_long_30k",
			 "vAttention's online set: prompts of 30,000; needs a rate"},
		.count = 1000,
		.prompt = MIX2(0.4257, 10.1298, 0.0591, 10.3868, 0.1618, 0),
		.output = LOGNORMAL(5.6999, 0.6107),
	},
	{
		.info = {"arxiv_long_87k",
			 "vAttention's offline set: prompts of 87,000; needs a rate"},
		.count = 427,
		.prompt = MIX2(0.4795, 11.1737, 0.0731, 11.506, 0.233, 0),
		.output = LOGNORMAL(5.7877, 0.72),
	},
	{
		.info = {"vattn_chat_1800_750",
			 "vAttention's chat set: 1,800 in, 750 out; needs a rate"},
		.count = 1000,
		.prompt = UNIFORM(1600, 2000),
		.output = UNIFORM(500, 1000),
	},
	ANYSCALE("anyscale_cb", 1536),
	ANYSCALE("anyscale_cb_32", 32),
	ANYSCALE("anyscale_cb_128", 128),
	ANYSCALE("anyscale_cb_512", 512),
	ANYSCALE("anyscale_cb_1536", 1536),
	{
		.info = {"anyscale_cb_latency",
			 "the same, its latency part: prompts of 128 to 384, 8 requests/s"},
		.count = 5000,
		.prompt = UNIFORM(128, 384),
		.output = EXPONENTIAL(128, 1536),
		.output_cap = 1536,
		.gap_s = EXPONENTIAL(1 / 8.0, 0),
		.rate = 8.0,
	},
	{
		.info = {"fastgen_2600_60",
			 "DeepSpeed-FastGen: 2,600 in, 60 out, a closed loop of 16 users"},
		.count = 512,
		.prompt = NORMAL(2600, 0.3),
		.output = NORMAL(60, 0.3),
		.closed_users = 16,
	},
	{
		.info = {"fastgen_1200_128",
			 "DeepSpeed-FastGen: 1,200 in, 128 out, a closed loop of 16 users"},
		.count = 512,
		.prompt = NORMAL(1200, 0.3),
		.output = NORMAL(128, 0.3),
		.closed_users = 16,
	},
	{
		.info = {"orca_osdi22",
			 "Orca: prompts of 32 to 512, outputs of 1 to 128; needs a rate"},
		.count = 1000,
		.prompt = UNIFORM(32, 512),
		.output = UNIFORM(1, 128),
	},
	{
		.info = {"vtc_overload",
			 "two clients at 1.5 and 3 requests/s, six minutes: who gets how much?"},
		.count = 1620,
		.prompt = CONSTANT(256),
		.output = CONSTANT(256),
		.client_rates = {1.5, 3.0},
		.rate = 4.5,
	},
	{
		.info = {"burstgpt_model",
			 "BurstGPT's generator: Zipf below 1,024, gaps of cv 2, 2 requests/s"},
		.count = 1000,
		.prompt = ZIPF(1.1, 1023),
		.output = ZIPF(1.1, 1023),
		.gap_s = GAMMA(0.25, 2.0),
		.rate = 2.0,
	},
	{.info = {NULL, NULL}},
};
