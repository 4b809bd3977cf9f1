/*
 * load_old.c - is not bad: an allocator that was built when the ops table ended with
 * visit().  What lies behind that in memory is none of the loader's business, and
 * here it is a trap.
 */
#include "pages.h"

#include <stdlib.h>

static bool trap_fits(struct quire_kv *kv, const struct quire_seq *seq, uint32_t tokens)
{
	(void)kv, (void)seq, (void)tokens;
	abort();
}

static uint32_t trap_largest(const struct quire_kv *kv)
{
	(void)kv;
	abort();
}

static int trap_check(const struct quire_kv *kv)
{
	(void)kv;
	abort();
}

static const struct quire_kv_ops ops = {
	.name = "old",
	.summary = "pages of four, as in the old days",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = pages_grow,
	.fork = pages_fork,
	.release = pages_release,
	.map = pages_map,
	.visit = pages_visit,
	.fits = trap_fits,
	.largest = trap_largest,
	.check = trap_check,
};

__attribute__((visibility("default"))) extern const struct quire_module quire_module;
const struct quire_module quire_module = {QUIRE_ABI, QUIRE_KV, offsetof(struct quire_kv_ops, fits),
					  &ops};
