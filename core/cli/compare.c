/*
 * compare.c - "quire compare": how two runs differ, from their recordings or reports.
 *
 * Two recordings: the first decision that is not the same, in words; then, as for two
 * reports, the settings and figures that are not the same.  A file of several reports
 * is compared with another one in order.
 */
#include "compare.h"
#include "cli.h"
#include "compare_charts.h"
#include "core/trace/json_build.h"
#include "core/trace/record_metrics.h"
#include "json.h"

#include <errno.h>
#include <quire/quire.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: quire compare A B [--json FILE] [--report FILE.html] [--plot DIR]\n"
	"\n"
	"How do two runs differ?  A and B are recordings (quire sim --record) or reports\n"
	"(quire sim --json), or one of each.\n"
	"\n"
	"Of two recordings it tells the first decision that is not the same: what was planned,\n"
	"preempted, mapped, finished, in which step and at what time.  Then come settings and\n"
	"figures that are not the same, and how many are.  Reports of several runs are compared\n"
	"in their order.  A recording that was cut off counts as far as it goes.\n"
	"\n"
	"  --json FILE         write the same as JSON; '-': to standard output, nothing else\n"
	"  --report FILE.html  one page with all of it and charts of both: distributions, memory,\n"
	"                      batch, steps and throughput over time, request by request; of\n"
	"                      reports what they hold\n"
	"  --plot DIR          the same charts in a folder, as SVG, PNG and PDF\n"
	"  --help              this text\n"
	"\n"
	"Exit status, as diff(1): 0 the same, 1 different, 2 trouble.\n"
	"\n"
	"  quire compare before.qrec after.qrec\n"
	"  quire compare monday.json tuesday.json --json -\n"
	"  quire compare measured.qrec predicted.qrec --report fit.html\n";

enum { SAME = 0, DIFFERENT = 1, TROUBLE = 2 }; /* exit statuses */

/* The report of a recording that holds none: made of its events. */
static json_t *remake(const struct quire_record *r)
{
	struct quire_report *report = malloc(sizeof(*report));
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *json = NULL, *config;

	if (report && out && quire_record_report(r, report) == 0 &&
	    quire_report_json(out, report, 1, false) == 0 && fflush(out) == 0)
		json = json_loads(text, 0, NULL);
	if (out)
		fclose(out);
	free(text);
	free(report);
	config = r->config ? json_loadb(r->config, r->config_bytes, 0, NULL) : NULL;
	if (json && config)
		json_object_set_new(json, "config", config);
	return json;
}

static int load_record(struct quire_compared *side)
{
	struct quire_record *r;
	json_error_t error = {.text = "no memory"};
	json_t *json;
	int rc = quire_record_open(&side->record, side->path);

	if (rc)
		return rc;
	r = side->record;
	json = r->report ? json_loadb(r->report, r->report_bytes, 0, &error) : remake(r);
	if (!json)
		return quire_fail(-EINVAL, "%s: its report cannot be read: %s", side->path,
				  error.text);
	side->reports = json_array();
	if (json_array_append_new(side->reports, json))
		return quire_fail(-ENOMEM, "no memory for %s", side->path);
	return 0;
}

static int load(struct quire_compared *side, const char *path)
{
	json_error_t error;
	json_t *json;

	side->path = path;
	if (quire_record_is(path))
		return load_record(side);
	json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!json && error.line < 0)
		return quire_fail(-EINVAL, "cannot read %s: %s", path,
				  errno ? strerror(errno) : error.text);
	if (!json)
		return quire_fail(-EINVAL,
				  "%s is neither a recording nor a report in JSON (line %d: %s)",
				  path, error.line, error.text);
	side->array = json_is_array(json);
	side->reports = side->array ? json : json_pack("[o]", json);
	if (side->array && !json_array_size(json))
		return quire_fail(-EINVAL, "%s: an empty list of reports", path);
	for (size_t i = 0; i < json_array_size(side->reports); i++)
		if (!json_object_get(json_array_get(side->reports, i), "schema"))
			return quire_fail(-EINVAL,
					  "%s is JSON, but no report of quire: it has no "
					  "\"schema\"",
					  path);
	return side->reports ? 0 : quire_fail(-ENOMEM, "no memory for %s", path);
}

static int make(struct quire_comparison *p, const struct quire_compared *a,
		const struct quire_compared *b, size_t index)
{
	memset(p, 0, sizeof(*p));
	p->a = a;
	p->b = b;
	p->report_a = json_array_get(a->reports, index);
	p->report_b = json_array_get(b->reports, index);
	if (a->record && b->record) {
		uint32_t kinds = quire_deciding_kinds();

		p->recorded = true;
		p->all = quire_parting_find(a->record, b->record, kinds);
		p->scheduler = quire_parting_find(a->record, b->record,
						  kinds & ~QUIRE_DECISIONS_OF_ALLOCATOR);
		p->time = quire_parting_find_time(a->record, b->record);
		if (p->scheduler.differ && p->time.a.step >= p->scheduler.a.step)
			p->time.differ = false; /* other work takes another time */
		p->requests_part = quire_requests_part(a->record, b->record, &p->request);
	}
	return quire_differences_find(&p->values, p->report_a, p->report_b);
}

bool quire_comparison_differs(const struct quire_comparison *p)
{
	return p->values.count || p->all.differ || p->time.differ || p->requests_part;
}

/* What is written, beside standard output.  Files are opened before anything is read. */
struct outputs {
	const char *json_path; /* NULL: none; "-": instead of the text */
	struct quire_output json;
	struct quire_compare_charts charts;
};

static void print_missing(const struct quire_comparison *p)
{
	char text[256];

	quire_comparison_missing(p, text, sizeof(text));
	if (*text)
		printf("\ncharts: %s\n", text);
}

static int compare(const char *command, const struct quire_compared *a,
		   const struct quire_compared *b, struct outputs *o)
{
	size_t count = json_array_size(a->reports);
	json_t *json = json_array(), *one;
	const bool quiet = o->json_path && !strcmp(o->json_path, "-");
	int status = SAME;
	struct quire_comparison p;

	if (count != json_array_size(b->reports)) {
		json_decref(json);
		quire_usage_error(command, "A has %zu runs and B has %zu: they do not pair up",
				  count, json_array_size(b->reports));
		return TROUBLE;
	}
	for (size_t i = 0; i < count; i++) {
		if (make(&p, a, b, i) || quire_compare_charts_add(&o->charts, &p, i, count)) {
			quire_command_failed(command, "%s", quire_failure());
			quire_differences_free(&p.values);
			json_decref(json);
			return TROUBLE;
		}
		if (quire_comparison_differs(&p))
			status = DIFFERENT;
		if (!quiet)
			quire_comparison_print(&p, i, count);
		if (!quiet && (o->charts.html.file || o->charts.plot))
			print_missing(&p);
		json = quire_json_append(json, quire_comparison_json(&p));
		quire_differences_free(&p.values);
	}
	if (quire_compare_charts_close(&o->charts)) {
		quire_command_failed(command, "%s", quire_failure());
		status = TROUBLE;
	}
	one = a->array && b->array ? json_incref(json) : json_incref(json_array_get(json, 0));
	json_decref(json);
	if (!o->json_path)
		json_decref(one);
	else if ((quiet ? quire_json_write(command, one, "-")
			: quire_json_commit(command, one, &o->json)) != QUIRE_EXIT_OK)
		return TROUBLE;
	return status;
}

static void side_free(struct quire_compared *side)
{
	quire_record_close(side->record);
	json_decref(side->reports);
}

static int check_outputs(const char *json, const char *report, const char *plot)
{
	const struct quire_named_file files[] = {
		{"--json", json}, {"--report", report}, {"--plot", plot}};

	for (size_t i = 1; i < 3; i++) /* JSON alone goes to standard output */
		if (files[i].path && !strcmp(files[i].path, "-"))
			return quire_fail(-EINVAL, "%s: expected the name of a %s, found '-'",
					  files[i].flag, i == 1 ? "file" : "folder");
	if (report && *report && quire_check_page("--report", report))
		return -EINVAL;
	return quire_check_files(files, 3);
}

static int open_outputs(struct outputs *o, const char *json, const char *report, const char *plot,
			int argc, char *const *argv)
{
	int rc = 0;

	o->json_path = json;
	if (json && strcmp(json, "-") != 0)
		rc = quire_output_open(&o->json, json);
	return rc ? rc : quire_compare_charts_open(&o->charts, report, plot, argc, argv);
}

int quire_cmd_compare(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", required_argument, NULL, 0},
		{"report", required_argument, NULL, 0},
		{"plot", required_argument, NULL, 0},
		{"help", no_argument, NULL, 0},
		{NULL, 0, NULL, 0},
	};
	struct quire_compared a = {.path = NULL}, b = {.path = NULL};
	struct outputs o = {.json_path = NULL};
	const char *files[3] = {NULL, NULL, NULL}; /* in the order of the options */
	int i, status;

	while ((i = quire_next_option(argc, argv, options)) >= 0) {
		if (!strcmp(options[i].name, "help")) {
			fputs(help, stdout);
			return QUIRE_EXIT_OK;
		}
		files[i] = optarg;
	}
	if (i == QUIRE_OPTION_BAD)
		return TROUBLE;
	if (check_outputs(files[0], files[1], files[2]))
		return quire_usage_error(argv[0], "%s", quire_failure());
	if (argc - optind != 2)
		return quire_usage_error(argv[0], "expected two recordings or reports, found %d",
					 argc - optind);
	if (open_outputs(&o, files[0], files[1], files[2], argc, argv) || load(&a, argv[optind]) ||
	    load(&b, argv[optind + 1])) {
		quire_command_failed(argv[0], "%s", quire_failure());
		status = TROUBLE;
	} else {
		status = compare(argv[0], &a, &b, &o);
	}
	quire_compare_charts_free(&o.charts);
	quire_output_discard(&o.json);
	side_free(&a);
	side_free(&b);
	return status;
}
