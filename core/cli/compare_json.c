/*
 * compare_json.c - a comparison for programs.
 */
#include "compare.h"

#include "core/trace/json_build.h"

static json_t *side_json(const struct quire_record *r, const struct quire_parting_side *side)
{
#define X(kind, decides, a, b, c) #kind,
	static const char *const name[] = {QUIRE_EVENTS(X)};
#undef X
	const struct quire_event *e = side->event;
	char text[256];

	quire_parting_text(r, side, text, sizeof(text));
	return json_pack("{s:I, s:f, s:s?, s:I, s:s}", "step", (json_int_t)side->step, "at_s",
			 (double)side->at_ns / 1e9, "kind", e ? name[e->kind] : NULL, "sequence",
			 (json_int_t)(e ? e->seq : 0), "text", text);
}

static json_t *parting_json(const struct quire_comparison *p, const struct quire_parting *parting)
{
	if (!parting->differ)
		return json_null();
	return json_pack("{s:I, s:o, s:o}", "equal_before", (json_int_t)parting->equal, "a",
			 side_json(p->a->record, &parting->a), "b",
			 side_json(p->b->record, &parting->b));
}

static json_t *value_json(const json_t *value)
{
	return value ? json_deep_copy(value) : json_null();
}

json_t *quire_comparison_json(const struct quire_comparison *p)
{
	json_t *figures = json_array(), *config = json_array(), *json;

	for (size_t i = 0; i < p->values.count; i++) {
		const struct quire_difference *row = &p->values.at[i];
		json_t *entry = json_pack("{s:s, s:o, s:o}", "key", row->key, "a",
					  value_json(row->a), "b", value_json(row->b));

		if (!row->config && json_is_number(row->a) && json_is_number(row->b)) {
			double x = json_number_value(row->a), y = json_number_value(row->b);

			entry = quire_json_with(entry, "difference", json_real(y - x));
			entry = quire_json_with(entry, "relative",
						x > 0 ? json_real((y - x) / x) : json_null());
		}
		if (row->config)
			config = quire_json_append(config, entry);
		else
			figures = quire_json_append(figures, entry);
	}
	json = json_pack("{s:b, s:o, s:o, s:I}", "same", !quire_comparison_differs(p), "config",
			 config, "figures", figures, "figures_equal", (json_int_t)p->values.equal);
	if (!p->recorded)
		return json;
	json = quire_json_with(json, "first_decision", parting_json(p, &p->all));
	json = quire_json_with(json, "first_scheduler_decision", parting_json(p, &p->scheduler));
	json = quire_json_with(json, "first_request",
			       p->requests_part ? json_integer(p->request) : json_null());
	json = quire_json_with(json, "first_time",
			       p->time.differ ? json_pack("{s:I, s:f, s:f}", "step",
							  (json_int_t)p->time.a.step, "a_s",
							  (double)p->time.a.at_ns / 1e9, "b_s",
							  (double)p->time.b.at_ns / 1e9)
					      : json_null());
	return json;
}
