/*
 * theme.c - the colours: dark for a projector in a dark room, light for print and daylight,
 * and one for eyes that tell few hues apart.
 *
 * All inks reach the contrast that WCAG 2.1 asks of text against panel and ground (4.5, the
 * main ink 7), all marks the 3 that it asks of graphics; tests/test_draw.c measures them.
 * What matters differs in lightness or pattern too, never in hue alone.
 *
 * The third one uses the colours of Okabe and Ito ("Color Universal Design", 2008), on
 * black: there all of them are bright enough, on white their orange, sky blue and yellow
 * are not.  Where they are too few, tints of them follow.
 */
#include "draw.h"

/* clang-format off */
const struct quire_theme quire_themes[QUIRE_THEMES] = {
	[QUIRE_DARK] = {
		.name = "dark",
		.ground = 0x0c0f14, .panel = 0x141920, .grid = 0x2c3541,
		.ink = 0xf0f3f7, .faint = 0x9eabba, .accent = 0xffd166, .warn = 0xff7a6b,
		.free = 0x222b37, .unmapped = 0x5d6a7a, .reserved = 0x7f8ea3,
		.internal = 0xe06c75,
		.given = 0xfff3b0, .freed = 0x7fd8ff, .shared = 0xc9a7ff, .copied = 0xff8ad8,
		.taken = 0xff5d52,
		.span = {
			[QUIRE_SPAN_WAITING] = 0x7a8696,
			[QUIRE_SPAN_PROMPT] = 0x4ea8f5,
			[QUIRE_SPAN_DECODE] = 0x74cb97,
			[QUIRE_SPAN_RECOMPUTE] = 0xf59f4c,
			[QUIRE_SPAN_HELD] = 0x8d99a8,
			[QUIRE_SPAN_PREEMPTED] = 0xff6b5e,
			[QUIRE_SPAN_KEPT] = 0xa98fb8,
		},
		.series = {
			[QUIRE_SERIES_TOKEN_STATES] = 0x4fc3a8,
			[QUIRE_SERIES_RESERVED] = 0x7f8ea3,
			[QUIRE_SERIES_INTERNAL] = 0xe06c75,
			[QUIRE_SERIES_ROUNDING] = 0xd9a15c,
			[QUIRE_SERIES_FREE] = 0x222b37,
			[QUIRE_SERIES_LARGEST_FREE_RUN] = 0x6b7a8d,
			[QUIRE_SERIES_MAPPED] = 0x7f8ea3,
			[QUIRE_SERIES_WAITING] = 0x7a8696,
			[QUIRE_SERIES_RUNNING] = 0x74cb97,
			[QUIRE_SERIES_KEPT] = 0xa98fb8,
			[QUIRE_SERIES_PROMPT_TOKENS] = 0x4ea8f5,
			[QUIRE_SERIES_DECODE_TOKENS] = 0x74cb97,
			[QUIRE_SERIES_RECOMPUTE_TOKENS] = 0xf59f4c,
			[QUIRE_SERIES_PAD_TOKENS] = 0xa98fb8,
			[QUIRE_SERIES_PREEMPTIONS] = 0xff6b5e,
			[QUIRE_SERIES_COPIES] = 0xff8ad8,
		},
		.owner = {
			0x5aa9f0, 0xf4a259, 0x7ccf8a, 0xf08cba, 0xe8cc63, 0xa993f5,
			0x52c9c0, 0xf07f74, 0xaecb5a, 0x79c7ee, 0xd58be0, 0xcfae8a,
		},
		.low = 0x34506e, .high = 0xffe08a,
		.refs = {0x4d7fb3, 0x5fc3a5, 0xf2c95c, 0xff8a6b},
	},
	[QUIRE_LIGHT] = {
		.name = "light",
		.ground = 0xf4f1ea, .panel = 0xfffefb, .grid = 0xddd8cd,
		.ink = 0x1d2129, .faint = 0x5b6270, .accent = 0xa8450c, .warn = 0xc0202f,
		.free = 0xf0ece3, .unmapped = 0x8d8676, .reserved = 0x7a828f,
		.internal = 0xb8434f,
		.given = 0xe09a00, .freed = 0x1489c2, .shared = 0x7b46d1, .copied = 0xc9218e,
		.taken = 0xd3261a,
		.span = {
			[QUIRE_SPAN_WAITING] = 0x868d98,
			[QUIRE_SPAN_PROMPT] = 0x1f5f9f,
			[QUIRE_SPAN_DECODE] = 0x42a06c,
			[QUIRE_SPAN_RECOMPUTE] = 0xd0741a,
			[QUIRE_SPAN_HELD] = 0x868d98,
			[QUIRE_SPAN_PREEMPTED] = 0xc9302c,
			[QUIRE_SPAN_KEPT] = 0x8c6f9c,
		},
		.series = {
			[QUIRE_SERIES_TOKEN_STATES] = 0x1d8a76,
			[QUIRE_SERIES_RESERVED] = 0x7a828f,
			[QUIRE_SERIES_INTERNAL] = 0xb8434f,
			[QUIRE_SERIES_ROUNDING] = 0xb07a24,
			[QUIRE_SERIES_FREE] = 0xf0ece3,
			[QUIRE_SERIES_LARGEST_FREE_RUN] = 0x868d98,
			[QUIRE_SERIES_MAPPED] = 0x7a828f,
			[QUIRE_SERIES_WAITING] = 0x868d98,
			[QUIRE_SERIES_RUNNING] = 0x42a06c,
			[QUIRE_SERIES_KEPT] = 0x8c6f9c,
			[QUIRE_SERIES_PROMPT_TOKENS] = 0x1f5f9f,
			[QUIRE_SERIES_DECODE_TOKENS] = 0x42a06c,
			[QUIRE_SERIES_RECOMPUTE_TOKENS] = 0xd0741a,
			[QUIRE_SERIES_PAD_TOKENS] = 0x8c6f9c,
			[QUIRE_SERIES_PREEMPTIONS] = 0xc9302c,
			[QUIRE_SERIES_COPIES] = 0xc9218e,
		},
		.owner = {
			0x2f7cc4, 0xd06a1e, 0x2f9150, 0xc9488a, 0x9c7a12, 0x7459c9,
			0x158a84, 0xc74742, 0x6d8818, 0x258cb0, 0xa54bb5, 0x8f6b46,
		},
		.low = 0xb9cfe4, .high = 0x9a3a00,
		.refs = {0x6d9fce, 0x2a8f7c, 0xb07400, 0xb02a1a},
	},
	[QUIRE_COLOUR_BLIND] = {
		.name = "colour-blind",
		.ground = 0x000000, .panel = 0x0b0b0d, .grid = 0x303036,
		.ink = 0xffffff, .faint = 0xb4b4bc, .accent = 0xf0e442, .warn = 0xff8a3c,
		.free = 0x26262d, .unmapped = 0x6e6e78, .reserved = 0x9a9aa4,
		.internal = 0xd55e00,
		.given = 0xf0e442, .freed = 0x56b4e9, .shared = 0xcc79a7, .copied = 0xffffff,
		.taken = 0xd55e00,
		.span = {
			[QUIRE_SPAN_WAITING] = 0x8a8a94,
			[QUIRE_SPAN_PROMPT] = 0x0072b2,
			[QUIRE_SPAN_DECODE] = 0x56b4e9,
			[QUIRE_SPAN_RECOMPUTE] = 0xe69f00,
			[QUIRE_SPAN_HELD] = 0x8a8a94,
			[QUIRE_SPAN_PREEMPTED] = 0xd55e00,
			[QUIRE_SPAN_KEPT] = 0xcc79a7,
		},
		.series = {
			[QUIRE_SERIES_TOKEN_STATES] = 0x009e73,
			[QUIRE_SERIES_RESERVED] = 0x9a9aa4,
			[QUIRE_SERIES_INTERNAL] = 0xd55e00,
			[QUIRE_SERIES_ROUNDING] = 0xf0e442,
			[QUIRE_SERIES_FREE] = 0x26262d,
			[QUIRE_SERIES_LARGEST_FREE_RUN] = 0x8a8a94,
			[QUIRE_SERIES_MAPPED] = 0x9a9aa4,
			[QUIRE_SERIES_WAITING] = 0x8a8a94,
			[QUIRE_SERIES_RUNNING] = 0x56b4e9,
			[QUIRE_SERIES_KEPT] = 0xcc79a7,
			[QUIRE_SERIES_PROMPT_TOKENS] = 0x0072b2,
			[QUIRE_SERIES_DECODE_TOKENS] = 0x56b4e9,
			[QUIRE_SERIES_RECOMPUTE_TOKENS] = 0xe69f00,
			[QUIRE_SERIES_PAD_TOKENS] = 0xcc79a7,
			[QUIRE_SERIES_PREEMPTIONS] = 0xd55e00,
			[QUIRE_SERIES_COPIES] = 0xffffff,
		},
		.owner = {
			0x56b4e9, 0xe69f00, 0x009e73, 0xcc79a7, 0xf0e442, 0x0072b2,
			0xd55e00, 0xbfe2f7, 0xffd98a, 0x8fd6bd, 0xf2d3e4, 0xffb48a,
		},
		.low = 0x1d4a6b, .high = 0xf0e442,
		.refs = {0x0072b2, 0x56b4e9, 0xe69f00, 0xf0e442},
	},
};
/* clang-format on */
