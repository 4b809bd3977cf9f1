/*
 * cpu_math_any.c - cpu_math_body.h for whatever the rest of quire is compiled for, and
 * which of the kinds this machine can run.
 */
#define MATH "any"
#include "cpu_math_body.h"

const struct cpu_math *const cpu_math_any = &math;

const struct cpu_math *cpu_math_pick(uint32_t index)
{
	const struct cpu_math *found[4] = {NULL};
	uint32_t count = 0;

#if defined(__x86_64__)
	if (cpu_math_avx512 && __builtin_cpu_supports("avx512f") &&
	    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512vl"))
		found[count++] = cpu_math_avx512;
	if (cpu_math_avx2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		found[count++] = cpu_math_avx2;
#endif
	found[count++] = cpu_math_any;
	return index < count ? found[index] : NULL;
}
