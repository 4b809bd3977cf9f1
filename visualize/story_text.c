/*
 * story_text.c - which token stands at a position, and its words.
 *
 * What was sampled is in the tracks; ids and text of prompts, and words of outputs, come in
 * pieces.  Pieces are sorted by request, sequence, ids before text, first position.
 */
#include "live.h"
#include "story_front.h"

#include <stdlib.h>
#include <string.h>

static int compare(const struct quire_piece *a, const struct quire_piece *b)
{
	if (a->request != b->request)
		return a->request < b->request ? -1 : 1;
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	if (!a->ids != !b->ids)
		return a->ids ? -1 : 1;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return 0;
}

/* How many pieces are not behind @key. */
static uint32_t place(const struct quire_story *story, const struct quire_piece *key)
{
	uint32_t low = 0, high = story->pieces_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare(&story->pieces[middle], key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int insert(struct quire_story *story, struct quire_piece piece)
{
	uint32_t at;

	if (!piece.count)
		return 0;
	if (STORY_GROW(story->pieces, story->pieces_limit, (uint64_t)story->pieces_count + 1))
		return -ENOMEM;
	at = place(story, &piece);
	memmove(&story->pieces[at + 1], &story->pieces[at],
		(story->pieces_count - at) * sizeof(piece));
	story->pieces[at] = piece;
	story->pieces_count++;
	return 0;
}

int quire_story_add_piece(struct quire_story *story, const struct quire_piece *piece)
{
	struct quire_piece ids = *piece, text = *piece;
	int rc = 0;

	ids.text = NULL;
	ids.bytes = 0;
	text.ids = NULL;
	if (piece->ids)
		rc = insert(story, ids);
	if (rc == 0 && piece->text)
		rc = insert(story, text);
	return rc;
}

/* ---- sources ---- */

/* In the order of the file where nothing else decides. */
static int compare_read(const void *a, const void *b)
{
	const struct quire_piece *x = a, *y = b;
	int order = compare(x, y);

	if (order)
		return order;
	if (x->ids)
		return x->ids < y->ids ? -1 : x->ids > y->ids;
	return x->text < y->text ? -1 : x->text > y->text;
}

static int append(struct quire_story *story, struct quire_piece piece)
{
	if (!piece.count)
		return 0;
	if (STORY_GROW(story->pieces, story->pieces_limit, (uint64_t)story->pieces_count + 1))
		return -ENOMEM;
	story->pieces[story->pieces_count++] = piece;
	return 0;
}

int story_pieces_read(struct quire_story *story)
{
	const struct quire_record_chunk *chunk;
	const struct quire_record_tokens *tokens;
	const struct quire_record_text *text;
	struct quire_piece piece;
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && (chunk = quire_record_find(story->record, QUIRE_RECORD_TOKENS, &at))) {
		piece = (struct quire_piece){0};
		tokens = quire_record_tokens(chunk, &piece.ids);
		if (!tokens)
			continue;
		piece.request = tokens->request;
		piece.seq = tokens->seq;
		piece.first = tokens->first;
		piece.count = tokens->count;
		rc = append(story, piece);
	}
	at = 0;
	while (rc == 0 && (chunk = quire_record_find(story->record, QUIRE_RECORD_TEXT, &at))) {
		piece = (struct quire_piece){0};
		text = quire_record_text(chunk, &piece.text);
		if (!text)
			continue;
		piece.request = text->request;
		piece.seq = text->seq;
		piece.first = text->first;
		piece.count = text->count;
		piece.bytes = text->bytes;
		rc = append(story, piece);
	}
	if (story->pieces_count)
		qsort(story->pieces, story->pieces_count, sizeof(*story->pieces), compare_read);
	return rc;
}

int story_pieces_follow(struct quire_story *story)
{
	struct quire_piece piece;
	int rc = 0;

	while (rc == 0 && quire_live_piece(story->live, story->front->live_pieces, &piece)) {
		rc = insert(story, piece);
		story->front->live_pieces += rc == 0;
	}
	return rc;
}

/* ---- a token ---- */

/* The piece of ids, or of text, that covers a position of @seq (0: of the prompt). */
static const struct quire_piece *piece_at(const struct quire_story *story, uint32_t request,
					  uint32_t seq, uint32_t position, bool ids)
{
	static const uint32_t none;
	struct quire_piece key = {
		.request = request,
		.seq = seq,
		.first = position,
		.ids = ids ? &none : NULL,
	};
	uint32_t at = place(story, &key);
	const struct quire_piece *piece = at ? &story->pieces[at - 1] : NULL;

	if (!piece || piece->request != request || piece->seq != seq || !piece->ids != !ids ||
	    position - piece->first >= piece->count)
		return NULL;
	return piece;
}

static void read_pieces(const struct quire_story *story, uint32_t request, uint32_t seq,
			uint32_t position, struct quire_token *token)
{
	const struct quire_piece *piece = piece_at(story, request, seq, position, true);

	if (piece && !token->has_id) {
		token->has_id = true;
		token->id = piece->ids[position - piece->first];
	}
	piece = piece_at(story, request, seq, position, false);
	if (piece && !token->text) {
		token->text = piece->text;
		token->bytes = position == piece->first ? piece->bytes : 0;
	}
}

struct quire_token quire_story_token(const struct quire_story *story, uint32_t seq,
				     uint32_t position)
{
	struct quire_token token = {0};
	const struct quire_track *track;

	if (!seq || seq >= story->tracks_count)
		return token;
	track = &story->tracks[seq];
	token.output = position >= track->prompt_tokens;
	if (!token.output)
		read_pieces(story, track->request, 0, position, &token);
	/* What was there before it was forked is its parent's. */
	for (; seq; seq = position < track->told_first ? track->parent : 0) {
		track = &story->tracks[seq];
		if (position >= track->told_first &&
		    position - track->told_first < track->told_count) {
			token.has_id = true;
			token.id = track->told[position - track->told_first].token;
		}
		read_pieces(story, track->request, seq, position, &token);
	}
	return token;
}
