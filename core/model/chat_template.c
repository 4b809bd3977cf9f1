/*
 * chat_template.c - is a chat template one that we know?
 *
 * A template is condensed: white space that Jinja does not print, comments, kinds of quotes
 * and ways to write a field make no difference.  Then what it prints, expression by
 * expression, is compared with what the templates of each family print.  All that a
 * family must print has to be there, and nothing else may be; but a template that knows
 * of tools may print more, as without tools it does not.
 */
#include "chat_template.h"

#include "tokenizer_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEMPLATE_BYTES_MAX (1 << 18)

/* ---- condensing ---- */

static bool is_blank(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (!isspace((unsigned char)text[i]))
			return false;
	return true;
}

/*
 * Does Jinja print @text, which stands between two tags, or one and an end (0)?  As
 * transformers runs it, with trim_blocks and lstrip_blocks.
 */
static bool is_printed(const char *text, size_t bytes, bool block_before, bool minus_before,
		       bool block_behind, bool minus_behind)
{
	const char *line;

	if (!is_blank(text, bytes))
		return true;
	if (minus_before || minus_behind || bytes == 0)
		return false;
	if (block_before && *text == '\n') {
		text++;
		bytes--;
	}
	for (line = text + bytes; block_behind && line > text && line[-1] != '\n'; line--)
		bytes--;
	return bytes > 0;
}

/* A text in quotes: always '...', with its line ends as they are.  Return: its length. */
static int condense_text(struct quire_text *out, const char *text, size_t bytes, size_t *length)
{
	const char quote = *text;
	size_t at = 1;
	int rc = quire_text_add(out, "'", 1);

	for (; rc == 0 && at < bytes && text[at] != quote; at++) {
		if (text[at] == '\\' && at + 1 < bytes && text[at + 1] == 'n') {
			rc = quire_text_add(out, "\n", 1);
			at++;
		} else if (text[at] == '\\' && at + 1 < bytes) {
			rc = quire_text_add(out, text + at, 2);
			at++;
		} else {
			rc = quire_text_add(out, text + at, 1);
		}
	}
	*length = at < bytes ? at + 1 : bytes;
	return rc ? rc : quire_text_add(out, "'", 1);
}

/* What stands in a tag. */
static int condense_code(struct quire_text *out, const char *text, size_t bytes)
{
	static const char *const fields[] = {".role", ".content"};
	int rc = 0;

	for (size_t at = 0, length; rc == 0 && at < bytes; at += length) {
		length = 1;
		if (text[at] == '\'' || text[at] == '"') {
			rc = condense_text(out, text + at, bytes - at, &length);
			continue;
		}
		for (int i = 0; i < 2; i++) {
			const size_t name = strlen(fields[i]);

			if (bytes - at >= name && memcmp(text + at, fields[i], name) == 0 &&
			    (bytes - at == name ||
			     (!isalnum((unsigned char)text[at + name]) && text[at + name] != '_')))
				length = name;
		}
		if (length > 1) {
			rc = quire_text_add(out, "['", 2);
			if (rc == 0)
				rc = quire_text_add(out, text + at + 1, length - 1);
			if (rc == 0)
				rc = quire_text_add(out, "']", 2);
		} else if (!isspace((unsigned char)text[at])) {
			rc = quire_text_add(out, text + at, 1);
		}
	}
	return rc;
}

/* 'a'+'b' is 'ab'. */
static void join_texts(struct quire_text *text)
{
	size_t kept = 0;

	for (size_t at = 0; at < text->bytes; at++) {
		if (text->bytes - at > 3 && memcmp(text->text + at, "'+'", 3) == 0 && kept > 0 &&
		    text->text[kept - 1] != '\\') {
			at += 2;
			continue;
		}
		text->text[kept++] = text->text[at];
	}
	text->bytes = kept;
}

/*
 * Tags as "{{expression}}" and "{%statement%}", one behind the other, with a 0 at the end.
 * Return: 0; -ENOTSUP text between tags; -ENOMEM.
 */
static int condense(struct quire_text *out, const char *text)
{
	bool block = false, minus = false; /* of the tag before */
	int rc = 0;

	while (rc == 0 && *text) {
		const char *tag = strchr(text, '{'), *end;
		char close[3] = "}}";
		bool inner_minus;

		while (tag && !strchr("{%#", tag[1]))
			tag = strchr(tag + 1, '{');
		if (tag && !tag[1])
			tag = NULL;
		if (!tag) {
			if (is_printed(text, strlen(text), true, minus, false, false))
				return -ENOTSUP;
			break;
		}
		inner_minus = tag[2] == '-';
		if (is_printed(text, (size_t)(tag - text), block, minus, tag[1] != '{',
			       inner_minus))
			return -ENOTSUP;
		close[0] = tag[1] == '{' ? '}' : tag[1];
		end = strstr(tag + 2, close);
		if (!end)
			return -ENOTSUP;
		block = tag[1] != '{';
		minus = end[-1] == '-' && end > tag + 2;
		if (tag[1] != '#') {
			const char *code = tag + 2 + inner_minus;
			const char *code_end = end - minus;

			rc = quire_text_add(out, tag, 2);
			if (rc == 0 && code < code_end)
				rc = condense_code(out, code, (size_t)(code_end - code));
			if (rc == 0)
				rc = quire_text_add(out, close, 2);
		}
		text = end + 2;
	}
	join_texts(out);
	return rc ? rc : quire_text_add(out, "", 1);
}

/* ---- recognising ---- */

#define HEADER(role) "'<|start_header_id|>" role "<|end_header_id|>\n\n"
#define TURN	     HEADER("'+message['role']+'") "'+message['content']|trim+'<|eot_id|>'"
#define SYS_TURN     "'<<SYS>>\n'+system_message+'\n<</SYS>>\n\n'+message['content']"

/*
 * A style, and what its template says: @needs has to be there; of what it prints only
 * that and @may.
 */
struct known {
	struct quire_chat_style style;
	const char *needs[8];
	const char *may[4];
};

#define MISTRAL(before_, after_, answer_, trims, printed, where, condition)                        \
	{                                                                                          \
		.style = {.family = QUIRE_MISTRAL,                                                 \
			  .before = before_,                                                       \
			  .after = after_,                                                         \
			  .answer = answer_,                                                       \
			  .trims_answer = trims,                                                   \
			  .system_turn = where},                                                   \
		.needs = {"{{bos_token}}", "{{'" before_ "'+message['content']+'" after_ "'}}",    \
			  "{{" printed "+eos_token}}", "raise_exception(", condition},             \
		.may = {"{{'" before_ "'+system_message+'\n\n'+message['content']+'" after_        \
			"'}}"},                                                                    \
	}
#define SYSTEM_BEGIN "{{'<|im_start|>system\n"
#define SYSTEM_END   "<|im_end|>\n'}}"
#define SYSTEM_SAID  SYSTEM_BEGIN "'+messages[0]['content']+'" SYSTEM_END
#define SYSTEM_TOOLS SYSTEM_BEGIN "'}}" /* tools follow */
#define LAST	     "{%ifloop.lastandsystem_messageisdefined%}"
#define FIRST	     "{%ifloop.firstandsystem_messageisdefined%}"
#define SAYS	     "message['content']"

static const struct known all_known[] = {
	{.style = {.family = QUIRE_CHATML},
	 .needs = {"{{'<|im_start|>'+message['role']+'\n'+message['content']+'<|im_end|>\n'}}",
		   "{{'<|im_start|>assistant\n'}}"},
	 .may = {SYSTEM_SAID, SYSTEM_TOOLS}},
	{.style = {.family = QUIRE_CHATML},
	 .needs = {"{{'<|im_start|>'+message['role']+'\n'+content+'<|im_end|>\n'}}",
		   "{{'<|im_start|>assistant\n'}}"},
	 .may = {SYSTEM_SAID, SYSTEM_TOOLS}},
	{.style = {.family = QUIRE_LLAMA3},
	 .needs = {"{%setcontent=" TURN "%}", "{%setcontent=bos_token+content%}", "{{content}}",
		   "{{" HEADER("assistant") "'}}"}},
	{.style = {.family = QUIRE_LLAMA3, .dated = true},
	 .needs = {"{{bos_token}}", "{{" HEADER("system") "'}}", "{{" TURN "}}",
		   "{{" HEADER("assistant") "'}}", "{{'Cutting Knowledge Date: December 2023\n'}}",
		   "{{'Today Date: '+date_string+'\n\n'}}", "date_string='26 Jul 2024'",
		   "{{system_message}}"},
	 .may = {"{{'<|eot_id|>'}}"}},
	{.style = {.family = QUIRE_LLAMA2},
	 .needs = {"{{bos_token+'[INST] '+content.strip()+' [/INST]'}}",
		   "{{' '+content.strip()+' '+eos_token}}", "{%setcontent=" SYS_TURN "%}",
		   "{%setsystem_message=messages[0]['content']%}", "{%setsystem_message=false%}",
		   "raise_exception("},
	 .may = {"{{'<<SYS>>\n'+content.strip()+'\n<</SYS>>\n\n'}}"}},
	MISTRAL("[INST] ", "[/INST]", " ", true, "' '+" SAYS "|trim", QUIRE_SYSTEM_LAST, LAST),
	MISTRAL("[INST]", "[/INST]", "", false, SAYS, QUIRE_SYSTEM_LAST, LAST),
	MISTRAL(" [INST] ", " [/INST]", " ", false, "' '+" SAYS, QUIRE_SYSTEM_FIRST, FIRST),
	MISTRAL("[INST] ", " [/INST]", "", false, SAYS, QUIRE_SYSTEM_NEVER, NULL),
};

/* Of "{{'<|im_start|>system\nTEXT<|im_end|>\n'}}" the length of TEXT; 0: it is not that. */
static size_t system_bytes(const char *printed, size_t bytes)
{
	const size_t begin = strlen(SYSTEM_BEGIN), end = strlen(SYSTEM_END);

	if (bytes <= begin + end || memcmp(printed, SYSTEM_BEGIN, begin) != 0 ||
	    memcmp(printed + bytes - end, SYSTEM_END, end) != 0 ||
	    memchr(printed + begin, '\'', bytes - begin - end))
		return 0;
	return bytes - begin - end;
}

static bool is_listed(const char *const *list, size_t count, const char *printed, size_t bytes)
{
	for (size_t i = 0; i < count && list[i]; i++)
		if (strlen(list[i]) == bytes && memcmp(list[i], printed, bytes) == 0)
			return true;
	return false;
}

/* Is all that it prints known?  @system is what it says where nobody does, or NULL. */
static bool prints_known(const struct known *known, const char *text, bool *several,
			 const char **system)
{
	const bool tools = strstr(text, "tools") != NULL;
	const bool chatml = known->style.family == QUIRE_CHATML;
	const char *end;

	/* Neither of these can be seen in what it prints. */
	if (chatml && (strstr(text, "bos_token") || strstr(text, "|trim")))
		return false;

	for (; (text = strstr(text, "{{")) && (end = strstr(text, "}}")); text = end) {
		const size_t bytes = (size_t)(end - text) + 2;

		if (chatml && system_bytes(text, bytes)) {
			*several = *system != NULL;
			*system = text;
			continue;
		}
		if (is_listed(known->needs, 8, text, bytes) ||
		    is_listed(known->may, 4, text, bytes) ||
		    strncmp(text, "{{raise_exception(", 18) == 0)
			continue;
		if (!tools || (chatml && strncmp(text, SYSTEM_BEGIN, strlen(SYSTEM_BEGIN)) == 0))
			return false;
	}
	return true;
}

static bool is_like(const struct known *known, const char *text, struct quire_chat_style *style,
		    const char **system)
{
	static const char drops[] = ".split('</think>')[-1].lstrip('\n')";
	bool several = false;

	*system = NULL;
	for (size_t i = 0; i < 8 && known->needs[i]; i++)
		if (!strstr(text, known->needs[i]))
			return false;
	if (!prints_known(known, text, &several, system) || several)
		return false;
	*style = known->style;
	style->drops_thoughts = strstr(text, drops) != NULL;
	/* Thoughts of other templates go other ways. */
	return style->drops_thoughts || !strstr(text, "</think>");
}

int quire_chat_style_find(struct quire_chat_style *style, const char *text)
{
	struct quire_text short_text = {.text = NULL};
	const char *system = NULL;
	bool found = false;
	int rc = -ENOTSUP;

	if (strlen(text) <= TEMPLATE_BYTES_MAX)
		rc = condense(&short_text, text);
	for (size_t i = 0; rc == 0 && !found && i < sizeof(all_known) / sizeof(all_known[0]); i++)
		found = is_like(&all_known[i], short_text.text, style, &system);
	if (rc == 0 && !found)
		rc = -ENOTSUP;
	if (rc == -ENOTSUP)
		quire_fail(rc, "chat template: it is of no family that is built: ChatML (Qwen), "
			       "Llama 2, Llama 3, Mistral");
	if (rc == 0 && system) {
		system += strlen(SYSTEM_BEGIN);
		style->system = strndup(system, (size_t)(strstr(system, SYSTEM_END) - system));
		if (!style->system)
			rc = quire_fail(-ENOMEM, "chat template: out of memory");
	}
	quire_text_free(&short_text);
	return rc;
}
