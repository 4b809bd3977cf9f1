/*
 * pretokenize_pattern.c - a pattern of Oniguruma, run by PCRE2.
 *
 * What the two read alike is copied: letters, groups that are not captured, looking
 * ahead and behind, |, ? * +, {n,m}, classes.  The rest is
 *
 *	\s	PCRE2 counts U+180E as white space, Oniguruma does not: it is spelled out
 *	\d	\p{Nd}
 *	\p{X}	a general category; or a script, which PCRE2 would take for an extended one
 *	\v	one character, not all that are vertical
 *
 * and all else is refused: back references, anchors, \w and \b (their letters differ),
 * classes in classes, {n,m}+ (possessive in PCRE2 alone), (?i) without a colon, and where
 * case is ignored what folds to more than one character.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "pretokenize.h"
#include "tokenizer_text.h"

#include <ctype.h>
#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN_BYTES_MAX = 4096, DEPTH_MAX = 64 };

#define SPACES "\\t-\\r\\x20\\x{85}\\p{Z}" /* White_Space, within a class */

struct quire_pattern {
	pcre2_code *code;
};

struct quire_pattern_work {
	pcre2_match_data *match;
};

/* ---- writing it anew ---- */

struct translation {
	const struct quire_node *node;
	const char *at; /* in the pattern */
	struct quire_text out;
	uint32_t depth;	       /* of groups that are open */
	uint32_t ignores_case; /* the outermost group that does, or 0 */
};

static int refuse(const struct translation *t, const char *what)
{
	return quire_node_fail(t->node, -ENOTSUP, "pattern: %s is not built, at '%.40s'", what,
			       t->at);
}

static int put(struct translation *t, const char *text)
{
	return quire_text_add(&t->out, text, strlen(text));
}

/* Copy @count bytes of the pattern. */
static int copy(struct translation *t, size_t count)
{
	const int rc = quire_text_add(&t->out, t->at, count);

	t->at += count;
	return rc;
}

/* \p{Lu}, \P{N}, \p{^L}, \p{Han} */
static int property(struct translation *t)
{
	static const char categories[] = "C Cc Cf Cn Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No "
					 "P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs ";
	const char *name = t->at + 3;
	const bool inverse = t->at[2] == '{' && *name == '^';
	bool category = false;
	size_t length;
	int rc;

	name += inverse;
	length = t->at[2] == '{' ? strcspn(name, "}") : 0;
	for (size_t i = 0; i < length; i++)
		if (!isalpha((unsigned char)name[i]) && name[i] != '_')
			return refuse(t, "this property");
	if (length == 0 || length > 40 || name[length] != '}')
		return refuse(t, "this property");
	for (const char *c = categories; *c && !category; c += strcspn(c, " ") + 1)
		category = strcspn(c, " ") == length && strncmp(c, name, length) == 0;
	if (!category && length <= 2)
		return refuse(t, "this property");
	if (t->ignores_case &&
	    (!strncmp(name, "Ll", 2) || !strncmp(name, "Lu", 2) || !strncmp(name, "Lt", 2)))
		return refuse(t, "the case of a letter where case is ignored");
	rc = put(t, (t->at[1] == 'P') != inverse ? "\\P{" : "\\p{");
	if (rc == 0 && !category)
		rc = put(t, "sc:");
	if (rc == 0)
		rc = quire_text_add(&t->out, name, length + 1);
	t->at = name + length + 1;
	return rc;
}

/* \x41, \x{1F600}, \u4E2D */
static int hexadecimal(struct translation *t)
{
	const bool braces = t->at[1] == 'x' && t->at[2] == '{';
	const char *digits = t->at + 2 + braces;
	const size_t count = strspn(digits, "0123456789abcdefABCDEF");
	const size_t wanted = braces ? count : t->at[1] == 'x' ? 2 : 4;
	int rc;

	/* A \x80 would be a byte, not a character. */
	if (count < wanted || (braces && (count == 0 || count > 6 || digits[count] != '}')) ||
	    (wanted == 2 && !braces && digits[0] > '7'))
		return refuse(t, "this number of a character");
	rc = put(t, "\\x{");
	if (rc == 0)
		rc = quire_text_add(&t->out, digits, wanted);
	if (rc == 0)
		rc = put(t, "}");
	t->at = digits + wanted + braces;
	return rc;
}

static int escape(struct translation *t, bool in_class)
{
	static const struct {
		char name;
		const char *outside, *inside; /* of a class; NULL: refused */
	} known[] = {
		{'s', "[" SPACES "]", SPACES}, {'S', "[^" SPACES "]", NULL},
		{'d', "\\p{Nd}", "\\p{Nd}"},   {'D', "\\P{Nd}", "\\P{Nd}"},
		{'v', "\\x{0b}", "\\x{0b}"},   {'t', "\\t", "\\t"},
		{'n', "\\n", "\\n"},	       {'r', "\\r", "\\r"},
		{'f', "\\f", "\\f"},
	};
	const char c = t->at[1];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *text = in_class ? known[i].inside : known[i].outside;

		if (known[i].name == c && text) {
			t->at += 2;
			return put(t, text);
		}
	}
	if (c == 'p' || c == 'P')
		return property(t);
	if (c == 'x' || c == 'u')
		return hexadecimal(t);
	if (ispunct((unsigned char)c))
		return copy(t, 2);
	return refuse(t, "this escape");
}

static int class(struct translation *t)
{
	int rc = copy(t, t->at[1] == '^' ? 2 : 1);

	if (*t->at == ']')
		return refuse(t, "a class that begins with ']'");
	while (rc == 0 && *t->at != ']') {
		if (!*t->at)
			return refuse(t, "a class without an end");
		if (*t->at == '[' || (t->at[0] == '&' && t->at[1] == '&'))
			return refuse(t, "a class within a class");
		if (t->ignores_case && (uint8_t)*t->at >= 0x80)
			return refuse(t, "this character where case is ignored");
		rc = *t->at == '\\' ? escape(t, true) : copy(t, 1);
	}
	return rc ? rc : copy(t, 1);
}

static int group(struct translation *t)
{
	static const char *const known[] = {"(?:", "(?i:", "(?=", "(?!", "(?<=", "(?<!", "(?>"};

	if (++t->depth > DEPTH_MAX)
		return refuse(t, "a group this deep");
	if (t->at[1] != '?')
		return t->at[1] == '*' ? refuse(t, "this group") : copy(t, 1);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strncmp(t->at, known[i], strlen(known[i])) == 0) {
			if (known[i][2] == 'i' && !t->ignores_case)
				t->ignores_case = t->depth;
			return copy(t, strlen(known[i]));
		}
	}
	return refuse(t, "this group");
}

static int interval(struct translation *t)
{
	size_t length = 1 + strspn(t->at + 1, "0123456789");

	if (length == 1)
		return refuse(t, "this repetition");
	if (t->at[length] == ',')
		length += 1 + strspn(t->at + length + 1, "0123456789");
	if (t->at[length] != '}' || t->at[length + 1] == '+' || t->at[length + 1] == '?')
		return refuse(t, "this repetition");
	return copy(t, length + 1);
}

/*
 * Where case is ignored, Oniguruma takes a ligature for its letters (U+FB06 for "st", U+00DF
 * for "ss"), which PCRE2 does not.
 */
static int letter(struct translation *t)
{
	static const char *const ligatures[] = {"ff", "fi", "fl", "ss", "st"};
	const char two[] = {(char)tolower((unsigned char)t->at[0]),
			    (char)tolower((unsigned char)t->at[1]), '\0'};

	if (t->ignores_case && (uint8_t)*t->at >= 0x80)
		return refuse(t, "this character where case is ignored");
	for (size_t i = 0; t->ignores_case && i < sizeof(ligatures) / sizeof(ligatures[0]); i++)
		if (strcmp(two, ligatures[i]) == 0)
			return refuse(t, "a ligature's letters where case is ignored");
	return copy(t, 1);
}

static int translate(struct translation *t)
{
	int rc = 0;

	while (rc == 0 && *t->at) {
		switch (*t->at) {
		case '\\':
			rc = escape(t, false);
			break;
		case '[':
			rc = class(t);
			break;
		case '(':
			rc = group(t);
			break;
		case ')':
			if (t->ignores_case == t->depth)
				t->ignores_case = 0;
			t->depth -= t->depth > 0;
			rc = copy(t, 1);
			break;
		case '{':
			rc = interval(t);
			break;
		case '^':
		case '$':
			rc = refuse(t, "an anchor");
			break;
		default:
			rc = letter(t);
		}
	}
	return rc;
}

/* ---- making it, and matching ---- */

static int compile(struct quire_pattern *pattern, const struct quire_node *node, const char *text,
		   size_t bytes, bool literal)
{
	const uint32_t how = literal ? PCRE2_UTF | PCRE2_LITERAL : PCRE2_UTF | PCRE2_UCP;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	uint32_t matches_empty = 1;
	PCRE2_SIZE offset = 0;
	char why[128] = "";
	int error = 0;

	if (!context)
		return quire_fail(-ENOMEM, "tokenizer: out of memory");
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	pattern->code = pcre2_compile((PCRE2_SPTR)text, bytes, how, &error, &offset, context);
	pcre2_compile_context_free(context);
	if (!pattern->code) {
		const size_t rest = offset < bytes ? bytes - offset : 0;

		pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof(why));
		return quire_node_fail(node, -EINVAL, "pattern: %s, at '%.*s'", why,
				       (int)(rest < 40 ? rest : 40), text + bytes - rest);
	}
	pcre2_pattern_info(pattern->code, PCRE2_INFO_MATCHEMPTY, &matches_empty);
	if (matches_empty)
		return quire_node_fail(node, -ENOTSUP,
				       "a pattern that matches nothing at all is not built");
	/* Without a just-in-time compiler, or where it may not write code, it is interpreted. */
	(void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
	return 0;
}

int quire_pattern_make(struct quire_pattern **pattern, const struct quire_node *node,
		       const char *text, bool literal)
{
	struct translation t = {.node = node, .at = text};
	struct quire_pattern *made = NULL;
	int rc = 0;

	if (strlen(text) > PATTERN_BYTES_MAX)
		return quire_node_fail(node, -ENOTSUP,
				       "a pattern of %zu bytes, expected %d at most", strlen(text),
				       PATTERN_BYTES_MAX);
	if (!*text)
		return quire_node_fail(node, -EINVAL, "an empty pattern");
	rc = literal ? put(&t, text) : translate(&t);
	if (rc)
		goto out_free;
	made = calloc(1, sizeof(*made));
	if (!made) {
		rc = quire_fail(-ENOMEM, "tokenizer: out of memory");
		goto out_free;
	}
	rc = compile(made, node, t.out.text, t.out.bytes, literal);
	if (rc) {
		quire_pattern_free(made);
		made = NULL;
	}
out_free:
	quire_text_free(&t.out);
	*pattern = made;
	return rc;
}

void quire_pattern_free(struct quire_pattern *pattern)
{
	if (pattern)
		pcre2_code_free(pattern->code);
	free(pattern);
}

int quire_pattern_next(const struct quire_pattern *pattern, struct quire_pattern_work **work,
		       const char *text, size_t bytes, size_t at, size_t *begin, size_t *end)
{
	const PCRE2_SIZE *where;
	int rc;

	if (!*work) {
		struct quire_pattern_work *made = calloc(1, sizeof(*made));

		if (made)
			made->match = pcre2_match_data_create(1, NULL);
		if (!made || !made->match) {
			free(made);
			return quire_fail(-ENOMEM, "tokenizer: out of memory");
		}
		*work = made;
	}
	rc = pcre2_match(pattern->code, (PCRE2_SPTR)text, bytes, at, PCRE2_NO_UTF_CHECK,
			 (*work)->match, NULL);
	if (rc == PCRE2_ERROR_JIT_STACKLIMIT) /* the interpreter has no such limit */
		rc = pcre2_match(pattern->code, (PCRE2_SPTR)text, bytes, at,
				 PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, (*work)->match, NULL);
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	if (rc == PCRE2_ERROR_NOMEMORY)
		return quire_fail(-ENOMEM, "tokenizer: out of memory");
	if (rc < 0)
		return quire_fail(-ELOOP,
				  "tokenizer: its pattern for words backtracks without end in this "
				  "text (PCRE2 error %d)",
				  rc);
	where = pcre2_get_ovector_pointer((*work)->match);
	*begin = where[0];
	*end = where[1];
	return 1;
}

void quire_pattern_work_free(struct quire_pattern_work *work)
{
	if (work)
		pcre2_match_data_free(work->match);
	free(work);
}
