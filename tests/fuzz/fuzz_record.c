/*
 * fuzz_record.c - a recording.  Its checksums are made good first: they would keep
 * the fuzzer from everything behind them.
 */
#include "fuzz.h"

#include "core/trace/record_metrics.h"
#include "core/trace/record_state.h"

#include <string.h>
#include <zlib.h>

static uint8_t sealed[1 << 16];
static volatile uint64_t sum; /* of all that is read, so that it is */

static void seal(uint8_t *data, size_t size)
{
	size_t at = sizeof(struct quire_record_header);
	struct quire_record_chunk chunk;

	while (at + sizeof(chunk) <= size) {
		memcpy(&chunk, data + at, sizeof(chunk));
		if (chunk.bytes > size - at - sizeof(chunk))
			return;
		chunk.crc32 = 0;
		chunk.crc32 = (uint32_t)crc32_z(crc32_z(0, (const Bytef *)&chunk, sizeof(chunk)),
						data + at + sizeof(chunk), chunk.bytes);
		memcpy(data + at, &chunk, sizeof(chunk));
		at += sizeof(chunk) + (chunk.bytes + QUIRE_RECORD_ALIGN - 1) / QUIRE_RECORD_ALIGN *
					      QUIRE_RECORD_ALIGN;
	}
}

static void read_tokens(const struct quire_record *r)
{
	const struct quire_record_chunk *chunk;
	const uint32_t *ids;
	const char *bytes;
	size_t at = 0;

	while ((chunk = quire_record_find(r, QUIRE_RECORD_TOKENS, &at))) {
		const struct quire_record_tokens *t = quire_record_tokens(chunk, &ids);

		for (uint32_t i = 0; t && i < t->count; i++)
			sum += ids[i];
	}
	at = 0;
	while ((chunk = quire_record_find(r, QUIRE_RECORD_TEXT, &at))) {
		const struct quire_record_text *t = quire_record_text(chunk, &bytes);

		for (uint32_t i = 0; t && i < t->bytes; i++)
			sum += (uint64_t)bytes[i];
	}
}

static void read_states(const struct quire_record *r)
{
	struct quire_record_cursor at = {.record = r};
	struct quire_record_state s;
	uint64_t events = 0;

	while (quire_record_next(&at))
		events++;
	if (events != r->events_count)
		fuzz_fail("%llu events, not %llu", (unsigned long long)events,
			  (unsigned long long)r->events_count);
	if (!r->requests || quire_record_state_init(&s, r->run->requests_count))
		return;
	quire_record_seek(r, r->events_count, &s);
	quire_record_seek(r, r->events_count / 2, &s);
	quire_record_state_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct quire_report report;
	struct quire_record *r;
	int rc;

	size = size < sizeof(sealed) ? size : sizeof(sealed);
	memcpy(sealed, data, size);
	seal(sealed, size);
	rc = quire_record_open(&r, fuzz_file("", sealed, size));
	if (rc < 0) {
		fuzz_check_failure(rc);
		return 0;
	}
	read_tokens(r);
	read_states(r);
	if (r->requests)
		quire_record_report(r, &report);
	quire_record_close(r);
	return 0;
}
