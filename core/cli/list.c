/*
 * list.c - "quire list": what can be named on a command line.
 */
#include "cli.h"

#include "core/model/model.h"
#include "core/sim/gpu.h"
#include "core/trace/workload.h"
#include "core/util.h"
#include "module_text.h"

#include <string.h>

static void list_options(const struct quire_option *options)
{
	char range[128];

	for (const struct quire_option *o = options; o && o->name; o++) {
		quire_option_range(o, range, sizeof(range));
		printf("    %-10s %-6s %-20s %s\n", o->name, o->initial, range, o->summary);
	}
}

static void list_modules(enum quire_module_kind kind)
{
	const struct quire_module *m;
	struct quire_sched_ops sched;
	struct quire_kv_ops kv;

	for (size_t i = 0; (m = quire_module_builtin(i)); i++) {
		if (m->kind != kind)
			continue;
		if (kind == QUIRE_SCHED) {
			quire_module_sched_ops(m, &sched);
			printf("  %-12s %s\n", sched.name, sched.summary);
			list_options(sched.options);
		} else {
			quire_module_kv_ops(m, &kv);
			printf("  %-12s %s\n", kv.name, kv.summary);
			list_options(kv.options);
		}
	}
}

static void list_schedulers(void)
{
	list_modules(QUIRE_SCHED);
}

static void list_allocators(void)
{
	list_modules(QUIRE_KV);
}

static void list_presets(void)
{
	const struct quire_preset_info *p;

	for (size_t i = 0; (p = quire_preset_info(i)); i++)
		printf("  %-22s %s\n", p->name, p->summary);
}

static void list_models(void)
{
	const struct quire_model *m;
	struct quire_params params;

	printf("  %-18s %10s %7s %7s %9s %12s %10s\n", "", "parameters", "layers", "hidden",
	       "heads/KV", "KV bytes/tok", "context");
	for (size_t i = 0; (m = quire_model_builtin(i)); i++) {
		quire_model_params(m, &params);
		printf("  %-18s %8.2f B %7u %7u %6u/%-2u %12llu %10u\n", m->name,
		       (double)params.total / 1e9, m->layers, m->hidden, m->heads, m->kv_heads,
		       (unsigned long long)quire_model_kv_bytes(m, 16), m->positions_max);
	}
}

static void list_gpus(void)
{
	const struct quire_gpu *g;

	printf("  %-12s %12s %12s %12s\n", "", "bf16 TFLOP/s", "memory TB/s", "memory GiB");
	for (size_t i = 0; (g = quire_gpu_builtin(i)); i++)
		printf("  %-12s %12.0f %12.2f %12.1f\n", g->name, g->peak_flops / 1e12,
		       g->bandwidth / 1e12, g->memory_bytes / 1073741824.0);
}

static const struct section {
	const char *name;
	const char *title;
	void (*print)(void);
} sections[] = {
	{"schedulers", "Schedulers: --scheduler NAME[,option=value..], or the path of a .so",
	 list_schedulers},
	{"allocators", "Allocators: --allocator NAME[,option=value..], or the path of a .so",
	 list_allocators},
	{"presets", "Workload presets: --workload NAME", list_presets},
	{"models", "Models: --model NAME, or the path of a config.json", list_models},
	{"gpus", "GPUs: --gpu NAME, or the path of a profile", list_gpus},
};
enum { SECTIONS = sizeof(sections) / sizeof(*sections) };

static int help(void)
{
	puts("usage: quire list [SECTION..]\n\n"
	     "Name what can be used on a command line.  Without a section all are listed:");
	for (size_t i = 0; i < SECTIONS; i++)
		printf("  %s\n", sections[i].name);
	puts("\nThe columns of a module's options: name, default, what it takes, meaning.\n\n"
	     "  --help  this text");
	return QUIRE_EXIT_OK;
}

static int find(const char *name)
{
	for (int i = 0; i < SECTIONS; i++)
		if (quire_same_name(sections[i].name, name))
			return i;
	return -1;
}

int quire_cmd_list(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 0},
		{NULL, 0, NULL, 0},
	};
	const char *names[SECTIONS + 1] = {NULL}, *nearest;
	bool wanted[SECTIONS] = {false}, any = false;
	int i = quire_next_option(argc, argv, options);

	if (i == QUIRE_OPTION_BAD)
		return QUIRE_EXIT_USAGE;
	if (i >= 0)
		return help();
	for (i = 0; i < SECTIONS; i++)
		names[i] = sections[i].name;
	for (; optind < argc; optind++) {
		i = find(argv[optind]);
		nearest = quire_nearest(argv[optind], names);
		if (i < 0 && nearest)
			return quire_usage_error(argv[0], "no section '%s'; did you mean '%s'?",
						 argv[optind], nearest);
		if (i < 0)
			return quire_usage_error(argv[0], "no section '%s'; see quire list --help",
						 argv[optind]);
		wanted[i] = any = true;
	}
	for (i = 0; i < SECTIONS; i++) {
		if (any && !wanted[i])
			continue;
		printf("%s\n", sections[i].title);
		sections[i].print();
		if (!any && i + 1 < SECTIONS)
			putchar('\n');
	}
	return QUIRE_EXIT_OK;
}
