/*
 * cpu_math_avx2.c - cpu_math_body.h for processors with AVX2.  The build compiles this file
 * for them alone; where it does not, there is nothing here.
 */
#include "cpu_math.h"

#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__) && !defined(__AVX512F__)
#define MATH "avx2"
#include "cpu_math_body.h"
const struct cpu_math *const cpu_math_avx2 = &math;
#else
const struct cpu_math *const cpu_math_avx2 = NULL;
#endif
