/*
 * compare_print.c - a comparison for people.
 */
#include "compare.h"
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void print_side(FILE *out, const char *name, const struct quire_record *r,
		       const struct quire_parting_side *side)
{
	char text[256];

	quire_parting_text(r, side, text, sizeof(text));
	fprintf(out, "  %s  step %s at %.6f s: %s\n", name, quire_text_count(side->step).s,
		(double)side->at_ns / 1e9, text);
}

static void print_parting(FILE *out, const struct quire_comparison *p,
			  const struct quire_parting *parting, const char *what)
{
	fprintf(out, "%s, after %s that are the same:\n", what, quire_text_count(parting->equal).s);
	print_side(out, "A", p->a->record, &parting->a);
	print_side(out, "B", p->b->record, &parting->b);
}

/* Slots follow from plans: does the allocator differ in an earlier step than they do? */
static bool allocator_parts_first(const struct quire_comparison *p)
{
	uint32_t all = p->all.a.step < p->all.b.step ? p->all.a.step : p->all.b.step;
	const struct quire_parting *s = &p->scheduler;

	return !s->differ || all < (s->a.step < s->b.step ? s->a.step : s->b.step);
}

/* Does a parting say no more than that a file was cut off? */
static bool is_cut(const struct quire_comparison *p, const struct quire_parting *parting)
{
	return (!parting->a.event && !p->a->record->complete) ||
	       (!parting->b.event && !p->b->record->complete);
}

static bool only_cut(const struct quire_comparison *p)
{
	return is_cut(p, &p->all);
}

const struct quire_parting *quire_comparison_parting(const struct quire_comparison *p,
						     const char **what)
{
	if (!p->recorded || !p->all.differ || only_cut(p))
		return NULL;
	if (p->scheduler.differ && !is_cut(p, &p->scheduler)) {
		*what = allocator_parts_first(p) ? "first decision of the scheduler that differs"
						 : "first decision that differs";
		return &p->scheduler;
	}
	*what = "first decision of the allocator that differs";
	return &p->all;
}

void quire_comparison_print_decisions(FILE *out, const struct quire_comparison *p)
{
	const struct quire_record *records[] = {p->a->record, p->b->record};

	for (int i = 0; i < 2; i++) {
		struct quire_parting_side end = quire_parting_end(records[i]);

		if (!records[i]->complete)
			fprintf(out, "%c was %s; it counts up to step %s at %.6f s\n", "AB"[i],
				records[i] -> trouble, quire_text_count(end.step).s,
				(double)end.at_ns / 1e9);
	}
	if (p->requests_part)
		fprintf(out, "the workloads differ, first in request %u\n", p->request);
	if (p->time.differ)
		fprintf(out,
			"times differ first in step %s, which takes %.6f ms in A, %.6f ms in B\n",
			quire_text_count(p->time.a.step).s, (double)p->time.a.at_ns / 1e6,
			(double)p->time.b.at_ns / 1e6);
	if (!p->all.differ)
		fprintf(out, "all %s decisions are the same\n", quire_text_count(p->all.equal).s);
	else if (only_cut(p))
		fprintf(out, "the %s decisions up to there are the same\n",
			quire_text_count(p->all.equal).s);
	else if (!allocator_parts_first(p))
		print_parting(out, p, &p->scheduler, "first decision that differs");
	else
		print_parting(out, p, &p->all, "first decision that differs, of the allocator");
	if (!p->all.differ || only_cut(p))
		;
	else if (!p->scheduler.differ)
		fprintf(out, "all %s decisions of the scheduler are the same\n",
			quire_text_count(p->scheduler.equal).s);
	else if (allocator_parts_first(p))
		print_parting(out, p, &p->scheduler, "and of the scheduler");
}

static size_t longest(const struct quire_differences *d, bool config, int column)
{
	size_t most = 1;

	for (size_t i = 0; i < d->count; i++) {
		size_t n = column == 0	 ? strlen(d->at[i].key)
			   : column == 1 ? strlen(quire_value_text(d->at[i].a).s)
					 : strlen(quire_value_text(d->at[i].b).s);

		if (d->at[i].config == config && n > most)
			most = n;
	}
	return most;
}

/* Settings stand below each other, as they may be long. */
static void print_config(const struct quire_differences *d)
{
	int key = (int)longest(d, true, 0);
	bool any = false;

	for (size_t i = 0; i < d->count; i++) {
		if (!d->at[i].config)
			continue;
		if (!any)
			puts("settings that differ");
		any = true;
		printf("  %-*s  A  %s\n", key, d->at[i].key, quire_value_text(d->at[i].a).s);
		printf("  %-*s  B  %s\n", key, "", quire_value_text(d->at[i].b).s);
	}
	puts(any ? "" : "all settings are the same\n");
}

static void print_figures(const struct quire_differences *d)
{
	int key = (int)longest(d, false, 0), a = (int)longest(d, false, 1),
	    b = (int)longest(d, false, 2);
	bool any = false;

	key = key > 20 ? key : 20;
	for (size_t i = 0; i < d->count; i++) {
		const struct quire_difference *row = &d->at[i];
		bool numbers = json_is_number(row->a) && json_is_number(row->b);
		double x = json_number_value(row->a), y = json_number_value(row->b);

		if (row->config)
			continue;
		if (!any)
			printf("%-*s  %*s  %*s  %11s  %9s\n", key, "figures that differ", a, "A", b,
			       "B", "B - A", "%");
		any = true;
		printf("%-*s  %*s  %*s", key, row->key, a, quire_value_text(row->a).s, b,
		       quire_value_text(row->b).s);
		if (json_is_integer(row->a) && json_is_integer(row->b))
			printf("  %+11.0f", y - x);
		else if (numbers)
			printf("  %+11.4g", y - x);
		if (numbers && x > 0)
			printf(fabs(y - x) < x ? "  %+9.3g" : "  %+9.0f", (y - x) / x * 100);
		putchar('\n');
	}
	printf("%s%zu figures are the same\n", any ? "" : "all ", d->equal);
}

void quire_comparison_print(const struct quire_comparison *p, size_t index, size_t count)
{
	if (count > 1)
		printf("%s---- %zu of %zu: %s, %s\n", index ? "\n" : "", index + 1, count,
		       quire_value_text(
			       json_object_get(json_object_get(p->report_a, "config"), "scheduler"))
			       .s,
		       quire_value_text(
			       json_object_get(json_object_get(p->report_a, "config"), "allocator"))
			       .s);
	else
		printf("A  %s\nB  %s\n\n", p->a->path, p->b->path);
	if (p->recorded) {
		quire_comparison_print_decisions(stdout, p);
		putchar('\n');
	}
	print_config(&p->values);
	print_figures(&p->values);
}
