/*
 * cpu_math_body.h - cpu_math.h in lanes.  A file that includes it is compiled for one
 * kind of registers, defines MATH, the name of that kind, and gets `math`.
 */
#include "cpu_math.h"
#include "lanes.h"

#include <math.h>

#include "cpu_math_elements.h"
#include "cpu_math_product.h"

#include "cpu_math_attend.h"

static const struct cpu_math math = {
	.name = MATH,
	.product = product,
	.attend = attend,
	.norm = norm,
	.gate = gate,
	.add = add,
	.widen = widen,
	.narrow = narrow,
};
