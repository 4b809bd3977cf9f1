/*
 * kernel_times.c - see kernel_times.h.
 *
 * In the table of prompts, rows with fewer heads of K and V than of queries cannot be
 * what their columns say: they would run at up to 260 times the peak.  With g = heads /
 * kv_heads, their times are those of prompts of isl / g tokens over the whole range of
 * g from 2 to 64, without a trend in g.  That is what a kernel does that packs g
 * queries into a row of a tile, if its grid was made for unpacked rows: it stops after
 * isl / g queries.  We read them so, and keep them apart from the rows that need no such
 * reading.
 */
#include "kernel_times.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define COLUMNS_MAX 128
#define LINE_BYTES  8192

const char *const kernel_kind_names[KERNEL_KINDS] = {
	"GEMM, n and k >= 1,024",
	"decode attention > 50 us",
	"prefill attention",
	"prefill attention, grouped",
};
const char *const kernel_gpus[] = {"A100-80G", "H100", "H200", NULL};

struct csv {
	gzFile file;
	char header[LINE_BYTES], line[LINE_BYTES];
	const char *names[COLUMNS_MAX], *values[COLUMNS_MAX];
	size_t columns;
};

static size_t split(char *line, const char **cells)
{
	size_t count = 0;

	line[strcspn(line, "\r\n")] = 0;
	for (char *next = line; next && count < COLUMNS_MAX; count++) {
		cells[count] = next;
		next = strchr(next, ',');
		if (next)
			*next++ = 0;
	}
	return count;
}

static int csv_open(struct csv *csv, const char *folder, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	csv->file = gzopen(path, "rb");
	if (!csv->file)
		return quire_fail(-ENOENT, "%s: %s", path, strerror(errno));
	if (!gzgets(csv->file, csv->header, sizeof(csv->header)))
		return quire_fail(-EINVAL, "%s: no header", path);
	csv->columns = split(csv->header, csv->names);
	return 0;
}

static bool csv_next(struct csv *csv)
{
	return gzgets(csv->file, csv->line, sizeof(csv->line)) &&
	       split(csv->line, csv->values) == csv->columns;
}

static double csv_value(const struct csv *csv, const char *name)
{
	for (size_t i = 0; i < csv->columns; i++) {
		if (!strcmp(csv->names[i], name))
			return *csv->values[i] ? atof(csv->values[i]) : NAN;
	}
	return NAN;
}

static uint32_t csv_count(const struct csv *csv, const char *name)
{
	const double value = csv_value(csv, name);

	return value >= 0 ? (uint32_t)value : 0;
}

/* FNV-1a over the shape. */
static bool holds_back(const struct kernel_row *row)
{
	const uint32_t shape[] = {row->n, row->k, row->heads, row->kv_heads, row->head_dim};
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < sizeof(shape); i++)
		hash = (hash ^ ((const unsigned char *)shape)[i]) * 16777619u;
	return hash >> 16 & 1;
}

static int add_row(struct kernel_table *t, const struct kernel_row *row)
{
	struct kernel_row *rows;

	if (t->rows_count == t->rows_limit) {
		t->rows_limit = t->rows_limit ? 2 * t->rows_limit : 4096;
		rows = realloc(t->rows, t->rows_limit * sizeof(*rows));
		if (!rows)
			return quire_fail(-ENOMEM, "no memory for the tables");
		t->rows = rows;
	}
	t->rows[t->rows_count] = *row;
	t->rows[t->rows_count++].held_back = holds_back(row);
	return 0;
}

static double measured_ns(const struct csv *csv)
{
	return (csv_value(csv, "latency_ms_min") + csv_value(csv, "latency_ms_max")) / 2 * 1e6;
}

static int add_gemm(struct kernel_table *t, uint32_t m, uint32_t n, uint32_t k, double ns)
{
	const struct kernel_row row = {
		.kind = KERNEL_GEMM, .m = m, .n = n, .k = k, .measured_ns = ns};

	return m && n >= 1024 && k >= 1024 && ns > 0 ? add_row(t, &row) : 0;
}

/* aiconfigurator: m,n,k or batch_size,isl[,step],num_heads,num_key_value_heads,head_dim */
static int read_aiconfigurator(struct kernel_table *t, const char *folder, const char *name)
{
	static struct csv csv;
	int rc = csv_open(&csv, folder, name);

	if (rc)
		return rc;
	while (rc == 0 && csv_next(&csv)) {
		struct kernel_row row = {
			.seqs = csv_count(&csv, "batch_size"),
			.tokens = csv_count(&csv, "isl"),
			.cached = csv_count(&csv, "step"),
			.heads = csv_count(&csv, "num_heads"),
			.kv_heads = csv_count(&csv, "num_key_value_heads"),
			.head_dim = csv_count(&csv, "head_dim"),
			.measured_ns = measured_ns(&csv),
		};

		if (!row.heads) {
			rc = add_gemm(t, csv_count(&csv, "m"), csv_count(&csv, "n"),
				      csv_count(&csv, "k"), row.measured_ns);
			continue;
		}
		row.kind = row.cached		       ? KERNEL_DECODE
			   : row.kv_heads == row.heads ? KERNEL_PREFILL
						       : KERNEL_PREFILL_GQA;
		if (row.kind == KERNEL_PREFILL_GQA) {
			row.tokens = row.tokens * row.kv_heads / row.heads;
			row.tokens = row.tokens ? row.tokens : 1;
		}
		if (row.kind != KERNEL_DECODE || row.measured_ns > 50e3)
			rc = add_row(t, &row);
	}
	gzclose(csv.file);
	return rc;
}

/* Vidur: a row per tokens and GPUs, a group of columns per operator, in ms. */
static int read_vidur(struct kernel_table *t, const char *folder, const char *name)
{
	static struct csv csv;
	int rc = csv_open(&csv, folder, name);

	if (rc)
		return rc;
	while (rc == 0 && csv_next(&csv)) {
		const uint32_t tp = csv_count(&csv, "num_tensor_parallel_workers");
		const uint32_t hidden = csv_count(&csv, "n_embd");
		const uint32_t heads = csv_count(&csv, "n_head");
		const uint32_t kv_heads = csv_count(&csv, "n_kv_head");
		const uint32_t width = csv_count(&csv, "n_expanded_embd");
		const uint32_t gated = strcmp("True", csv.values[csv.columns - 3]) ? 1 : 2;
		const uint32_t tokens = csv_count(&csv, "num_tokens");
		uint32_t dim, qkv;

		if (!tp || !heads)
			continue;
		dim = hidden / heads;
		qkv = (heads / tp + 2 * (kv_heads >= tp ? kv_heads / tp : 1)) * dim;
#define MS(op) (csv_value(&csv, "time_stats." op ".median") * 1e6)
		if ((rc = add_gemm(t, tokens, qkv, hidden, MS("attn_pre_proj"))) ||
		    (rc = add_gemm(t, tokens, hidden, heads / tp * dim, MS("attn_post_proj"))) ||
		    (rc = add_gemm(t, tokens, width / tp * gated, hidden, MS("mlp_up_proj"))) ||
		    (rc = add_gemm(t, tokens, hidden, width / tp, MS("mlp_down_proj"))))
			break;
#undef MS
	}
	gzclose(csv.file);
	return rc;
}

int kernel_table_read(struct kernel_table *t, const char *folder, const char *gpu)
{
	int rc;

	memset(t, 0, sizeof(*t));
	t->gpu = gpu;
	if (!strcmp(gpu, "H200")) {
		if ((rc = read_aiconfigurator(t, folder, "h200_gemm_perf.csv.gz")) ||
		    (rc = read_aiconfigurator(t, folder,
					      "h200_generation_attention_perf.csv.gz")) ||
		    (rc = read_aiconfigurator(t, folder, "h200_context_attention_perf.csv.gz")))
			return rc;
	} else if (!strcmp(gpu, "H100")) {
		rc = read_vidur(t, folder, "vidur/h100_meta-llama_Llama-2-7b-hf_mlp.csv.gz");
	} else {
		if ((rc = read_vidur(t, folder,
				     "vidur/a100_meta-llama_Llama-2-7b-hf_mlp.csv.gz")) ||
		    (rc = read_vidur(t, folder,
				     "vidur/a100_meta-llama_Meta-Llama-3-8B_mlp.csv.gz")))
			return rc;
	}
	return rc;
}

void kernel_table_free(struct kernel_table *t)
{
	free(t->rows);
	memset(t, 0, sizeof(*t));
}

double kernel_predict_ns(const struct quire_gpu *gpu, const struct kernel_row *row)
{
	const struct quire_model model = {
		.layers = 1,
		.hidden = 1,
		.heads = row->heads,
		.kv_heads = row->kv_heads,
		.head_dim = row->head_dim,
		.intermediate = 1,
		.vocab = 1,
	};
	const struct quire_cost_config config = {.tp = 1, .weight_bits = 16, .kv_bits = 16};
	struct quire_cost_batch batch = {.tokens = 0};
	struct quire_cost_parts parts;
	struct quire_cost cost;

	if (row->kind == KERNEL_GEMM)
		return quire_gemm_ns(gpu, QUIRE_UNITS_16, 16, row->m, row->k, row->n);
	if (quire_cost_init(&cost, &model, gpu, &config))
		return NAN;
	quire_cost_batch_add(&cost, &batch, row->seqs, row->tokens, row->cached, false);
	quire_cost_batch_parts(&cost, &batch, &parts);
	quire_cost_free(&cost);
	return (double)parts.attention_ns;
}

struct kernel_score kernel_score(const struct kernel_table *t, const struct quire_gpu *gpu,
				 enum kernel_kind kind, bool held_back)
{
	const double stated = kind == KERNEL_GEMM ? gpu->gemm_error : gpu->attention_error;
	struct kernel_score s = {.rows = 0};

	for (size_t i = 0; i < t->rows_count; i++) {
		const struct kernel_row *row = &t->rows[i];
		double predicted, off;

		if (row->kind != kind || row->held_back != held_back)
			continue;
		predicted = kernel_predict_ns(gpu, row);
		off = predicted / row->measured_ns - 1;
		s.rows++;
		s.error += fabs(off);
		s.bias += off;
		off = row->measured_ns / predicted - 1;
		s.deviation += off * off;
		s.covered += fabs(off) <= 1.645 * stated;
	}
	if (s.rows) {
		s.error /= (double)s.rows;
		s.bias /= (double)s.rows;
		s.deviation = sqrt(s.deviation / (double)s.rows);
		s.covered /= (double)s.rows;
	}
	return s;
}
