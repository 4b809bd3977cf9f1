/*
 * fuzz.h - what the fuzzers of the readers share.
 *
 * A fuzzer is one file fuzz_<what>.c with a LLVMFuzzerTestOneInput(); its seeds lie
 * in corpus/<what>/, small and our own.  What a reader lets through must hold, and
 * what it refuses must be told in one sentence: anything else ends in fuzz_fail().
 * An input that once failed stays in the corpus, named after what it broke.
 *
 *	tests/fuzz/run			each for 10 seconds
 *	tests/fuzz/run 3600 sharegpt	one for an hour
 */
#ifndef QUIRE_FUZZ_H
#define QUIRE_FUZZ_H

#include "core/trace/workload.h"
#include <stddef.h>
#include <stdint.h>

/* The entry point that libFuzzer calls.  Return: 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Say what is wrong and abort. */
_Noreturn void fuzz_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The path of a file in memory that holds @head and the data.  One at a time. */
const char *fuzz_file(const char *head, const uint8_t *data, size_t size);
/* The data as a string; without what stands behind a 0.  Valid until the next call. */
const char *fuzz_text(const uint8_t *data, size_t size);

/* Was the last failure told, with a sentence that fits one line? */
void fuzz_check_failure(int rc);
/* All that a workload promises; and it is the same when it is written and read. */
void fuzz_check_workload(struct quire_workload *w);

/* Read @head and the data as a trace, and check what comes of it.  Return: 0. */
int fuzz_trace(const char *head, const uint8_t *data, size_t size);

#endif /* QUIRE_FUZZ_H */
