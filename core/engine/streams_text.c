/*
 * streams_text.c - from tokens to text, and where it stops.
 *
 *	text = what is certain, then what may be the beginning of a stop string
 */
#include "streams_state.h"

#include <string.h>

/*
 * The first stop string whose last byte is at @from or behind.  It cannot begin in what
 * is certain.  Return: where it begins; SIZE_MAX: there is none.
 */
static size_t find_stop(const struct quire_sampling *s, const struct stream *stream, size_t from)
{
	const size_t certain = stream->shown.text_bytes;
	size_t begin = SIZE_MAX;

	for (size_t end = from + 1; end <= stream->text.bytes && begin == SIZE_MAX; end++) {
		for (uint32_t i = 0; i < s->stops_count; i++) {
			const size_t length = strlen(s->stops[i]);

			if (length <= end - certain && end - length < begin &&
			    !memcmp(stream->text.text + end - length, s->stops[i], length))
				begin = end - length;
		}
	}
	return begin;
}

/* Bytes at the end of the text that may be the beginning of a stop string. */
static size_t held_back(const struct quire_sampling *s, const struct stream *stream)
{
	const size_t uncertain = stream->text.bytes - stream->shown.text_bytes;
	size_t most = 0;

	for (uint32_t i = 0; i < s->stops_count; i++) {
		size_t length = strlen(s->stops[i]) - 1;

		if (length > uncertain)
			length = uncertain;
		for (; length > most; length--)
			if (!memcmp(stream->text.text + stream->text.bytes - length, s->stops[i],
				    length))
				most = length;
	}
	return most;
}

/* The text is certain up to @bytes. */
static void settle(struct quire_streams *streams, struct stream *stream, size_t bytes)
{
	const size_t before = stream->shown.text_bytes;

	stream->shown.text = stream->text.text;
	stream->shown.text_bytes = bytes;
	if (bytes > before && streams->config.said && !stream->silent)
		streams->config.said(streams->config.said_arg, stream->request,
				     stream->shown.sample, stream->text.text + before,
				     bytes - before);
}

/* There is more text than @before bytes.  Return: 1 a stop string ends it; 0. */
static int grown(struct quire_streams *streams, struct stream *stream, size_t before, bool last)
{
	const struct quire_sampling *s = &streams->config.requests[stream->request].sampling;
	const size_t stop = find_stop(s, stream, before);

	if (stop != SIZE_MAX)
		stream->text.bytes = stop;
	if (stop != SIZE_MAX || last)
		settle(streams, stream, stream->text.bytes);
	else
		settle(streams, stream, stream->text.bytes - held_back(s, stream));
	return stop != SIZE_MAX;
}

int text_next(struct quire_streams *streams, struct stream *stream, uint32_t token)
{
	const size_t before = stream->text.bytes;
	int rc;

	if (!streams->config.tokenizer)
		return 0;
	rc = quire_detokenizer_next(&stream->detokenizer, token, &stream->text);
	return rc ? rc : grown(streams, stream, before, false);
}

int text_end(struct quire_streams *streams, struct stream *stream)
{
	const size_t before = stream->text.bytes;
	int rc;

	stream->over = true;
	if (!streams->config.tokenizer)
		return 0;
	rc = quire_detokenizer_end(&stream->detokenizer, &stream->text);
	return rc ? rc : grown(streams, stream, before, true);
}
