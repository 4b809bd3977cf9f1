/*
 * units.h - figures as people read them.
 *
 * Each function returns a small text by value, to be used within the call it is
 * made for:  printf("%s\n", quire_text_count(n).s);
 */
#ifndef QUIRE_UNITS_H
#define QUIRE_UNITS_H

#include <stdint.h>

struct quire_small_text {
	char s[40];
};

/* 7615616512: "7,615,616,512" */
struct quire_small_text quire_text_count(uint64_t count);
/* 6.528e13, 4, "FLOP": "65.28 TFLOP"; @digits that count, 1 to 9 */
struct quire_small_text quire_text_si(double value, int digits, const char *unit);
/* 0.441: "441 ms"; 21.3: "21.3 s"; three digits that count */
struct quire_small_text quire_text_seconds(double seconds);
/* 2297.3: "2,297"; 60.31: "60.3" */
struct quire_small_text quire_text_rate(double per_s);

#endif /* QUIRE_UNITS_H */
