/*
 * cpu_math_avx512.c - cpu_math_body.h for processors with AVX-512.  The build compiles this file
 * for them alone; where it does not, there is nothing here.
 */
#include "cpu_math.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define MATH "avx512"
#include "cpu_math_body.h"
const struct cpu_math *const cpu_math_avx512 = &math;
#else
const struct cpu_math *const cpu_math_avx512 = NULL;
#endif
