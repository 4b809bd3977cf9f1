/*
 * pretokenize.c - the steps by which a text falls into words.
 *
 * A step cuts a text into parts, and each part goes through the steps behind it before
 * the next one does.  So nothing is stored but what a step has changed.
 */
#include "pretokenize.h"

#include "tokenizer_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of GPT-2: ByteLevel's own. */
#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/* ---- reading ---- */

static struct quire_pre_step *add_step(struct quire_pretokenizer *p, enum quire_pre kind)
{
	struct quire_pre_step *step = &p->steps[p->count++];

	*step = (struct quire_pre_step){.kind = kind};
	return step;
}

static int read_split(struct quire_pretokenizer *p, const struct quire_node *node)
{
	const json_t *pattern = json_object_get(node->json, "pattern");
	const struct quire_node inner = {node->path, node->where, pattern};
	const char *regex = NULL, *text = NULL, *behavior = NULL;
	struct quire_pre_step *step;
	bool invert = false;
	int rc;

	if ((rc = quire_node_keys(node, "type|pattern|behavior|invert")) ||
	    (rc = quire_node_keys(&inner, "Regex|String")) ||
	    (rc = quire_node_text(&inner, "Regex", &regex)) ||
	    (rc = quire_node_text(&inner, "String", &text)) ||
	    (rc = quire_node_name(node, "behavior", &behavior)) ||
	    (rc = quire_node_flag(node, "invert", &invert)))
		return rc;
	if (!regex == !text)
		return quire_node_fail(node, -EINVAL, "expected a Regex or a String in 'pattern'");
	if (strcmp(behavior, "Isolated") != 0 && strcmp(behavior, "Removed") != 0)
		return quire_node_fail(node, -ENOTSUP,
				       "behavior '%.40s' is not built; Isolated and Removed are",
				       behavior);
	step = add_step(p, QUIRE_PRE_SPLIT);
	if (*behavior == 'R')
		*(invert ? &step->drop_between : &step->drop_matches) = true;
	return quire_pattern_make(&step->pattern, node, regex ? regex : text, !regex);
}

static int read_digits(struct quire_pretokenizer *p, const struct quire_node *node)
{
	struct quire_pre_step *step;
	bool each = false;
	int rc;

	if ((rc = quire_node_keys(node, "type|individual_digits")) ||
	    (rc = quire_node_flag(node, "individual_digits", &each)))
		return rc;
	step = add_step(p, QUIRE_PRE_SPLIT);
	return quire_pattern_make(&step->pattern, node, each ? "\\p{N}" : "\\p{N}+", false);
}

static int read_byte_level(struct quire_pretokenizer *p, const struct quire_node *node)
{
	bool prefix = true, regex = true, trim = true; /* trim: of offsets, which we have none of */
	int rc;

	if ((rc = quire_node_keys(node, "type|add_prefix_space|trim_offsets|use_regex")) ||
	    (rc = quire_node_flag(node, "add_prefix_space", &prefix)) ||
	    (rc = quire_node_flag(node, "trim_offsets", &trim)) ||
	    (rc = quire_node_flag(node, "use_regex", &regex)))
		return rc;
	p->byte_level = true;
	add_step(p, QUIRE_PRE_BYTE_LEVEL)->prepend =
		prefix ? QUIRE_PREPEND_ALWAYS : QUIRE_PREPEND_NEVER;
	if (!regex)
		return 0;
	return quire_pattern_make(&add_step(p, QUIRE_PRE_SPLIT)->pattern, node, GPT2, false);
}

int quire_prepend_read(const struct quire_node *node, enum quire_prepend *prepend)
{
	const char *scheme = NULL;
	bool prefix = true;
	int rc;

	if ((rc = quire_node_flag(node, "add_prefix_space", &prefix)) ||
	    (rc = quire_node_text(node, "prepend_scheme", &scheme)))
		return rc;
	if (!scheme)
		*prepend = prefix ? QUIRE_PREPEND_ALWAYS : QUIRE_PREPEND_NEVER;
	else if (strcmp(scheme, "always") == 0)
		*prepend = QUIRE_PREPEND_ALWAYS;
	else if (strcmp(scheme, "first") == 0)
		*prepend = QUIRE_PREPEND_FIRST;
	else if (strcmp(scheme, "never") == 0)
		*prepend = QUIRE_PREPEND_NEVER;
	else
		return quire_node_fail(node, -ENOTSUP, "prepend_scheme '%.40s' is not built",
				       scheme);
	if (!prefix && *prepend != QUIRE_PREPEND_NEVER)
		return quire_node_fail(node, -EINVAL,
				       "add_prefix_space and prepend_scheme contradict each other");
	return 0;
}

static int read_metaspace(struct quire_pretokenizer *p, const struct quire_node *node)
{
	struct quire_pre_step *step = add_step(p, QUIRE_PRE_METASPACE);
	const char *replacement = NULL;
	size_t length = 0;
	int rc;

	step->splits = true;
	if ((rc = quire_node_keys(node, "type|replacement|add_prefix_space|prepend_scheme|split|"
					"str_rep")) ||
	    (rc = quire_node_name(node, "replacement", &replacement)) ||
	    (rc = quire_node_flag(node, "split", &step->splits)) ||
	    (rc = quire_prepend_read(node, &step->prepend)))
		return rc;
	if (*replacement)
		quire_utf8_next(replacement, strlen(replacement), &length);
	if (length == 0 || replacement[length])
		return quire_node_fail(node, -EINVAL, "replacement must be one character");
	memcpy(step->replacement, replacement, length + 1);
	return 0;
}

static int read_step(const struct quire_node *node, const char *type, void *arg)
{
	struct quire_pretokenizer *p = arg;

	if (p->byte_level)
		return quire_node_fail(node, -ENOTSUP, "%.40s behind ByteLevel is not built", type);
	if (strcmp(type, "Split") == 0)
		return read_split(p, node);
	if (strcmp(type, "Digits") == 0)
		return read_digits(p, node);
	if (strcmp(type, "ByteLevel") == 0)
		return read_byte_level(p, node);
	if (strcmp(type, "Metaspace") == 0)
		return read_metaspace(p, node);
	return quire_node_fail(node, -ENOTSUP,
			       "'%.40s' is not built; Split, Digits, ByteLevel and Metaspace are",
			       type);
}

int quire_pretokenizer_read(struct quire_pretokenizer *p, const struct quire_node *node)
{
	return quire_node_each(node, "pretokenizers", read_step, p);
}

void quire_pretokenizer_free(struct quire_pretokenizer *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		quire_pattern_free(p->steps[i].pattern);
	p->count = 0;
}

/* ---- running ---- */

struct pass {
	const struct quire_pretokenizer *p;
	struct quire_pre_work *work;
	int (*word)(void *arg, const char *text, size_t bytes);
	void *arg;
};

static int run(const struct pass *pass, uint32_t at, const char *text, size_t bytes, bool first);

static int split(const struct pass *pass, uint32_t at, const char *text, size_t bytes, bool first)
{
	const struct quire_pre_step *step = &pass->p->steps[at];
	size_t done = 0, begin, end;
	int found = 1, rc = 0;

	while (rc == 0 && found && done < bytes) {
		found = quire_pattern_next(step->pattern, &pass->work->patterns, text, bytes, done,
					   &begin, &end);
		if (found < 0)
			return found;
		if (!found)
			begin = end = bytes;
		if (begin > done && !step->drop_between)
			rc = run(pass, at + 1, text + done, begin - done, first && done == 0);
		if (rc == 0 && found && !step->drop_matches)
			rc = run(pass, at + 1, text + begin, end - begin, first && begin == 0);
		done = end;
	}
	return rc;
}

/* Let each word begin where @mark stands. */
static int split_before(const struct pass *pass, uint32_t at, const char *text, size_t bytes,
			bool first)
{
	const char *mark = pass->p->steps[at].replacement;
	const size_t length = strlen(mark);
	size_t begin = 0, end = 0;
	int rc = 0;

	while (rc == 0 && begin < bytes) {
		end = begin + 1;
		while (end < bytes && (bytes - end < length || memcmp(text + end, mark, length)))
			end++;
		rc = run(pass, at + 1, text + begin, end - begin, first && begin == 0);
		begin = end;
	}
	return rc;
}

static int metaspace(const struct pass *pass, uint32_t at, const char *text, size_t bytes,
		     bool first)
{
	const struct quire_pre_step *step = &pass->p->steps[at];
	const size_t length = strlen(step->replacement);
	struct quire_text *out = &pass->work->texts[at];
	int rc = 0;

	out->bytes = 0;
	if ((step->prepend == QUIRE_PREPEND_ALWAYS ||
	     (step->prepend == QUIRE_PREPEND_FIRST && first)) &&
	    *text != ' ' && (bytes < length || memcmp(text, step->replacement, length)))
		rc = quire_text_add(out, step->replacement, length);
	for (size_t done = 0; rc == 0 && done < bytes;) {
		const char *space = memchr(text + done, ' ', bytes - done);
		const size_t end = space ? (size_t)(space - text) : bytes;

		rc = quire_text_add(out, text + done, end - done);
		if (rc == 0 && space)
			rc = quire_text_add(out, step->replacement, length);
		done = end + (space != NULL);
	}
	if (rc)
		return rc;
	return step->splits ? split_before(pass, at, out->text, out->bytes, first)
			    : run(pass, at + 1, out->text, out->bytes, first);
}

static int byte_level(const struct pass *pass, uint32_t at, const char *text, size_t bytes,
		      bool first)
{
	struct quire_text *out = &pass->work->texts[at];
	int rc;

	if (pass->p->steps[at].prepend == QUIRE_PREPEND_NEVER || *text == ' ')
		return run(pass, at + 1, text, bytes, first);
	out->bytes = 0;
	rc = quire_text_add(out, " ", 1);
	if (rc == 0)
		rc = quire_text_add(out, text, bytes);
	return rc ? rc : run(pass, at + 1, out->text, out->bytes, first);
}

/* @bytes > 0. */
static int run(const struct pass *pass, uint32_t at, const char *text, size_t bytes, bool first)
{
	if (at == pass->p->count)
		return pass->word(pass->arg, text, bytes);
	switch (pass->p->steps[at].kind) {
	case QUIRE_PRE_SPLIT:
		return split(pass, at, text, bytes, first);
	case QUIRE_PRE_METASPACE:
		return metaspace(pass, at, text, bytes, first);
	default:
		return byte_level(pass, at, text, bytes, first);
	}
}

int quire_pretokenize(const struct quire_pretokenizer *p, struct quire_pre_work *work,
		      const char *text, size_t bytes, bool first,
		      int (*word)(void *arg, const char *text, size_t bytes), void *arg)
{
	const struct pass pass = {.p = p, .work = work, .word = word, .arg = arg};

	return bytes ? run(&pass, 0, text, bytes, first) : 0;
}

void quire_pre_work_free(struct quire_pre_work *work)
{
	for (size_t i = 0; i < sizeof(work->texts) / sizeof(work->texts[0]); i++)
		quire_text_free(&work->texts[i]);
	quire_pattern_work_free(work->patterns);
	work->patterns = NULL;
}
