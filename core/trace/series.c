/*
 * series.c - see series.h.
 */
#include "series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BIN_FIRST_NS ((uint64_t)1 << 20) /* about a millisecond */

uint32_t quire_series_bins(const struct quire_series *s)
{
	return s->bin_ns ? (uint32_t)((s->end_ns + s->bin_ns - 1) / s->bin_ns) : 0;
}

static void merge(struct quire_series *s)
{
	for (uint32_t k = 0; k < QUIRE_SERIES_COUNT; k++) {
		double *sum = s->sum[k];

		for (uint32_t i = 0; i < QUIRE_SERIES_BINS / 2; i++)
			sum[i] = sum[2 * i] + sum[2 * i + 1];
		memset(sum + QUIRE_SERIES_BINS / 2, 0, QUIRE_SERIES_BINS / 2 * sizeof(*sum));
	}
	s->bin_ns *= 2;
}

static void reach(struct quire_series *s, uint64_t until_ns)
{
	if (!s->bin_ns)
		s->bin_ns = BIN_FIRST_NS;
	while (until_ns > s->bin_ns * QUIRE_SERIES_BINS)
		merge(s);
	if (until_ns > s->end_ns)
		s->end_ns = until_ns;
}

/* Add @amount per nanosecond. */
static void add(struct quire_series *s, double *sum, uint64_t from_ns, uint64_t until_ns,
		double amount)
{
	while (from_ns < until_ns) {
		uint64_t bin = from_ns / s->bin_ns, edge_ns = (bin + 1) * s->bin_ns;
		uint64_t here_ns = edge_ns < until_ns ? edge_ns : until_ns;

		sum[bin] += amount * (double)(here_ns - from_ns);
		from_ns = here_ns;
	}
}

void quire_series_hold(struct quire_series *s, enum quire_series_kind kind, uint64_t from_ns,
		       uint64_t until_ns, double value)
{
	reach(s, until_ns);
	if (value != 0)
		add(s, s->sum[kind], from_ns, until_ns, value);
}

void quire_series_spread(struct quire_series *s, enum quire_series_kind kind, uint64_t from_ns,
			 uint64_t until_ns, double amount)
{
	reach(s, until_ns);
	if (amount == 0)
		return;
	if (from_ns < until_ns) {
		add(s, s->sum[kind], from_ns, until_ns, amount / (double)(until_ns - from_ns));
	} else {
		uint64_t bin = until_ns / s->bin_ns;

		s->sum[kind][bin < QUIRE_SERIES_BINS ? bin : QUIRE_SERIES_BINS - 1] += amount;
	}
}

uint32_t quire_series_means(const struct quire_series *s, enum quire_series_kind kind,
			    enum quire_series_per per, uint32_t group, double *x, double *y)
{
	uint32_t bins = quire_series_bins(s), points = 0;

	for (uint32_t first = 0; group && first < bins; first += group) {
		uint32_t last = first + group < bins ? first + group : bins;
		double from_ns = (double)(first * s->bin_ns);
		double until_ns = fmin((double)(last * s->bin_ns), (double)s->end_ns);
		double over = until_ns - from_ns, sum = 0, steps = 0;

		for (uint32_t i = first; i < last; i++) {
			sum += s->sum[kind][i];
			steps += s->sum[QUIRE_SERIES_STEPS][i];
		}
		if (kind >= QUIRE_SERIES_STEPS)
			over = per == QUIRE_PER_STEP ? steps : over / 1e9;
		x[points] = (from_ns + until_ns) / 2e9;
		y[points++] = over > 0 ? sum / over : NAN;
	}
	return points;
}

uint32_t quire_series_points(const struct quire_series *s, enum quire_series_kind kind,
			     enum quire_series_per per, uint32_t points_max, double *x, double *y)
{
	uint32_t bins = quire_series_bins(s);

	return quire_series_means(s, kind, per,
				  points_max ? (bins + points_max - 1) / points_max : 0, x, y);
}

void quire_series_coarsen(struct quire_series *s, uint64_t bin_ns)
{
	while (s->bin_ns && s->bin_ns < bin_ns)
		merge(s);
}

/* ---- the sink ---- */

/* Rows that are kept are told from answers that go on. */
static void mark_kept(struct quire_series_sink *s, uint32_t seq, bool kept)
{
	size_t word = seq / 64, words = s->kept_words ? s->kept_words : 64;
	uint64_t *bits;

	if (!kept) {
		if (word < s->kept_words)
			s->kept_bits[word] &= ~((uint64_t)1 << seq % 64);
		return;
	}
	if (word >= s->kept_words) {
		while (words <= word)
			words *= 2;
		bits = realloc(s->kept_bits, words * sizeof(*bits));
		if (!bits) {
			s->short_of_memory = true;
			return;
		}
		memset(bits + s->kept_words, 0, (words - s->kept_words) * sizeof(*bits));
		s->kept_bits = bits;
		s->kept_words = words;
	}
	s->kept_bits[word] |= (uint64_t)1 << seq % 64;
}

static bool is_kept(const struct quire_series_sink *s, uint32_t seq)
{
	return seq / 64 < s->kept_words && s->kept_bits[seq / 64] >> seq % 64 & 1;
}

/* Nothing ran from the end of the last step until now: what was held then is still
 * held, unless nobody is left. */
static void pass(struct quire_series_sink *s, uint64_t until_ns)
{
	for (uint32_t k = QUIRE_SERIES_TOKEN_STATES; k <= QUIRE_SERIES_WAITING; k++) {
		if (s->alive + s->kept == 0)
			s->value[k] = 0;
		quire_series_hold(s->series, k, s->end_ns, until_ns, s->value[k]);
	}
	s->end_ns = until_ns;
}

static void step_ends(struct quire_series_sink *s, const struct quire_event *e)
{
	double *v = s->value;

	s->end_ns = e->at_ns;
	v[QUIRE_SERIES_SEQUENCES] = e->c;
	v[QUIRE_SERIES_WAITING] =
		s->alive + s->kept > e->c ? (double)(s->alive + s->kept - e->c) : 0;
	v[QUIRE_SERIES_STEPS] = 1;
	v[QUIRE_SERIES_OUTPUT] = e->b;
	for (uint32_t k = 0; k < QUIRE_SERIES_STEPS; k++)
		quire_series_hold(s->series, k, s->begin_ns, s->end_ns, v[k]);
	for (uint32_t k = QUIRE_SERIES_STEPS; k < QUIRE_SERIES_COUNT; k++)
		quire_series_spread(s->series, k, s->begin_ns, s->end_ns, v[k]);
	v[QUIRE_SERIES_DECODE] = v[QUIRE_SERIES_PROMPT] = 0;
}

static void series_emit(struct quire_sink *sink, const struct quire_event *e)
{
	struct quire_series_sink *s = (struct quire_series_sink *)sink; /* its first member */
	double *v = s->value;

	switch (e->kind) {
	case QUIRE_EV_ARRIVE:
		if (e->at_ns > s->end_ns)
			pass(s, e->at_ns);
		s->alive++;
		s->arrival_step = e->step;
		v[QUIRE_SERIES_WAITING]++;
		break;
	case QUIRE_EV_REFUSE: /* at its arrival; a later one is finished, too */
		s->alive -= e->step == s->arrival_step && s->alive;
		break;
	case QUIRE_EV_FORK:
		s->alive++;
		break;
	case QUIRE_EV_FINISH:
		s->alive -= s->alive > 0;
		s->kept += e->b;
		if (e->b)
			mark_kept(s, e->seq, true);
		break;
	case QUIRE_EV_DROP:
		s->kept -= s->kept > 0;
		mark_kept(s, e->seq, false);
		break;
	case QUIRE_EV_RUN:
		if (s->kept && is_kept(s, e->seq))
			break; /* padding */
		v[e->a == 1 && e->b + 1 == e->c ? QUIRE_SERIES_DECODE : QUIRE_SERIES_PROMPT] +=
			e->a;
		break;
	case QUIRE_EV_MEMORY:
		if (e->at_ns > s->end_ns)
			pass(s, e->at_ns);
		v[QUIRE_SERIES_TOKEN_STATES] = e->a;
		v[QUIRE_SERIES_RESERVED] = e->b;
		v[QUIRE_SERIES_INTERNAL] = e->c;
		s->begin_ns = e->at_ns;
		break;
	case QUIRE_EV_STEP:
		v[QUIRE_SERIES_PADDING] =
			fmax(0, e->b - v[QUIRE_SERIES_DECODE] - v[QUIRE_SERIES_PROMPT]);
		break;
	case QUIRE_EV_DONE:
		step_ends(s, e);
		break;
	default:
		break;
	}
}

struct quire_sink *quire_series_sink_init(struct quire_series_sink *s, struct quire_series *series)
{
	*s = (struct quire_series_sink){
		.sink = {.kinds = QUIRE_EV_BIT(ARRIVE) | QUIRE_EV_BIT(REFUSE) | QUIRE_EV_BIT(FORK) |
				  QUIRE_EV_BIT(FINISH) | QUIRE_EV_BIT(DROP) | QUIRE_EV_BIT(RUN) |
				  QUIRE_EV_BIT(MEMORY) | QUIRE_EV_BIT(STEP) | QUIRE_EV_BIT(DONE),
			 .emit = series_emit},
		.series = series,
	};
	return &s->sink;
}

void quire_series_sink_free(struct quire_series_sink *s)
{
	free(s->kept_bits);
	s->kept_bits = NULL;
	s->kept_words = 0;
}

void quire_quantiles_make(struct quire_quantiles *q, const double *values, size_t count)
{
	q->count = count < QUIRE_QUANTILES ? (uint32_t)count : QUIRE_QUANTILES;
	for (uint32_t i = 0; i < q->count; i++)
		q->value[i] = values[q->count > 1 ? (count - 1) * i / (q->count - 1) : 0];
}

void quire_plot_check(struct quire_plot *plot)
{
	const struct quire_series *s = &plot->series;

	if ((s->end_ns && !s->bin_ns) || s->end_ns / QUIRE_SERIES_BINS > s->bin_ns ||
	    quire_series_bins(s) > QUIRE_SERIES_BINS || plot->ttft_s.count > QUIRE_QUANTILES ||
	    plot->tpot_s.count > QUIRE_QUANTILES || plot->e2e_s.count > QUIRE_QUANTILES ||
	    plot->normalized_latency_s.count > QUIRE_QUANTILES)
		memset(plot, 0, sizeof(*plot));
}
