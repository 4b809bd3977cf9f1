/*
 * reader.h - how a trace format is described; for the read_*.c files.
 *
 * A format is one file that exports one struct quire_format, and one line in
 * the table of read.c.  A CSV is told by the names in its header and is nothing
 * but a list of columns; the order of columns and columns it does not know are
 * no matter.  A format of JSON lines is told by its first line, and parses each
 * line itself (json_line.h) if its objects are flat; of others it gets the tree,
 * and such a file may be one long array, too (json_tree.c).
 *
 * Whatever is wrong with a line fails the whole file, by
 * "FILE:LINE: expected ..., found '...'".
 */
#ifndef QUIRE_READER_H
#define QUIRE_READER_H

#include "lines.h"
#include "workload.h"

#include <jansson.h>

#define QUIRE_TOKENS_MAX  0x7fffffffu	       /* of a prompt or an output */
#define QUIRE_ARRIVAL_MAX 1000000000000000000u /* ns; about 31 years */

struct quire_reader {
	struct quire_lines *lines;
	struct quire_workload *w;
	uint32_t requests_limit; /* room in w->requests, w->output_tokens and w->hash_first */
	uint32_t hashes_count, hashes_limit;
	/* [columns_count] what the columns of a CSV mean; NULL: not for us. */
	const struct quire_column *columns[64];
	uint32_t columns_count;
	/* Names of clients so far, by name; see client_names.c. */
	uint32_t *names_index; /* [names_size] a client + 1; 0: free */
	uint32_t names_size;
	bool in_array; /* of a JSON array: '[' was read */
};

/* What a line says; begins as { .output_tokens_max = UINT32_MAX }. */
struct quire_row {
	bool arrival_known;
	uint64_t arrival_ns;  /* since the start, or since 1970: see from_earliest */
	uint64_t deadline_ns; /* 0: none */
	uint32_t prompt_tokens, output_tokens, output_tokens_max;
	uint32_t client;
	int32_t priority;
	bool left_out; /* it was never answered: counted, not taken */
};

struct quire_column {
	const char *name; /* in the header; case does not matter */
	/* Return: 0; -EINVAL by quire_reader_wrong(). */
	int (*parse)(struct quire_reader *r, const char *name, const char *text,
		     struct quire_row *row);
	bool required;
};

struct quire_format {
	const char *name;     /* "azure csv" */
	const char *looks;    /* its first line, as far as it matters */
	bool from_earliest;   /* arrivals count from the earliest row, not from 0 */
	uint32_t hash_tokens; /* tokens of a block hash; 0: it has none */

	const struct quire_column *columns; /* of a CSV; ends with one without a name */
	/* of JSON lines: */
	bool (*is_first)(const char *line);
	/* one of these two */
	int (*line)(struct quire_reader *r, const char *line, struct quire_row *row);
	int (*object)(struct quire_reader *r, const json_t *object, struct quire_row *row);
};

/* Parsers of columns that several formats have. */
int quire_column_prompt(struct quire_reader *r, const char *name, const char *text,
			struct quire_row *row);
int quire_column_output(struct quire_reader *r, const char *name, const char *text,
			struct quire_row *row);
int quire_column_arrival_s(struct quire_reader *r, const char *name, const char *text,
			   struct quire_row *row);

/*
 * The whole of @text as a number that is exactly whole ("12", or "12.0" as some
 * programs write it), in min .. max.  Return: 0; -EINVAL, with a sentence.
 */
int quire_reader_count(const struct quire_reader *r, const char *name, const char *text,
		       uint64_t min, uint64_t max, uint64_t *out);
/* Seconds as nanoseconds, rounded; "1", "0.25", "3.1e-05"; at most @max.
 * @digits is 9; 6 where the text counts milliseconds. */
int quire_reader_time(const struct quire_reader *r, const char *name, const char *text, int digits,
		      uint64_t *out_ns);
/* Append a block hash to the row at hand. Return: 0; -ENOMEM or -EINVAL. */
int quire_reader_hash(struct quire_reader *r, uint64_t hash);

/* The number of the client called @name, a new one if need be.  A name begins with a
 * letter and has neither commas nor quotes in it.  Return: 0; -ENOMEM; -EINVAL. */
int quire_reader_client(struct quire_reader *r, const char *name, uint32_t *client);

/* The object that @line is.  Return: 0, to be freed with json_decref(); -EINVAL. */
int quire_json_tree(const struct quire_reader *r, const char *line, json_t **object);
/* The next object of a file that is an array of them.  Return: 1, to be freed; 0 the
 * array has ended; -EINVAL. */
int quire_json_next(struct quire_reader *r, json_t **object);

/* "FILE:LINE: expected EXPECTED, found 'FOUND'", of which the first part is shown. */
int quire_reader_wrong(const struct quire_reader *r, const char *found, const char *expected, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Which of @formats (NULL-terminated) has all its required columns in this
 * header?  The columns are bound.  *@format is NULL if none has.
 * Return: 0; -EINVAL if it is nearly one of them, with a sentence.
 */
int quire_csv_header(struct quire_reader *r, const char *line,
		     const struct quire_format *const *formats, const struct quire_format **format);
/* A row, in the columns of the header; @line is taken to pieces.  Return: 0; -EINVAL. */
int quire_csv_line(struct quire_reader *r, char *line, struct quire_row *row);

#endif /* QUIRE_READER_H */
