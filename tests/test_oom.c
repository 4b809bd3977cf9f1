/*
 * test_oom.c - the n-th allocation fails, for every n, over whole small runs.
 *
 * A command runs in a child of this program, once for each n, until it gets through
 * without asking for so much.  Whatever n is:
 *
 *	- it ends with 0, 1 or 2, and by itself;
 *	- not with 0: one line on stderr says that memory was short;
 *	- with 0: all is as if nothing had failed, or one line on stderr warns;
 *	- every block and every stream that it took is given back;
 *	- no file lies half written under its name, and none that is temporary stays.
 *
 * What fails, and what does not, stands in oom.h.
 *
 * QUIRE_OOM_EVERY=8 tries every eighth n; that is the default under AddressSanitizer, and
 * 1 otherwise.  QUIRE_TEST_SEED=1 to 7 tries others than 0 does.
 *
 * A failure prints the call that failed; addr2line -e tests/test_oom tells its line.
 */
#include "core/cli/cli.h"
#include "core/trace/record.h"
#include "oom.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { STDOUT_BYTES = 1 << 16 };

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#endif
#ifdef SANITIZED
enum { EVERY = 8 }; /* to look for leaks in each child takes ten times as long as its run */
#else
enum { EVERY = 1 };
#endif

/* ---- the runs ---- */

static char folder[] = "/tmp/quire-oom-XXXXXX";

/* With 0, is all as if nothing had failed?  A real clock never tells the same twice. */
enum how { EXACT, TERSE /* names may be missing */, REAL };

static const struct run {
	const char *name;
	int (*command)(int argc, char **argv);
	const char *line; /* of the command; @ is the folder */
	enum how how;
} runs[] = {
#define TINY	QUIRE_SOURCE_DIR "/labs/models/tiny"
#define FIXTURE QUIRE_SOURCE_DIR "/tests/fixtures/models/"
#define SMALL                                                                                      \
	" --model llama-3-8b --gpu a100-80g --kv-slots 256 --max-model-len 128"                    \
	" --max-num-seqs 6 --max-num-batched-tokens 128"
	{"all files", quire_cmd_sim,
	 "sim --trace @/clients.csv.gz --jobs 0 --scheduler continuous --allocator paged,block=4"
	 " --samples 2 --json @/out.json --csv @/out.csv --record @/out.quire"
	 " --perfetto @/out.perfetto --report @/out.html" SMALL,
	 EXACT},
	{"several runs", quire_cmd_sim,
	 "sim --trace @/blocks.jsonl.zst --shuffle --jobs 0 --scheduler static,batch=4"
	 " --scheduler splitfuse,budget=64 --allocator contiguous --audit --rate 50 --rate 100"
	 " --json @/out.json --csv @/out.csv --report @/out.html" SMALL,
	 EXACT},
	{"array", quire_cmd_sim,
	 "sim --trace @/chat.json --rate 20 --jobs 0 --json @/out.json"
	 " --time-model @/distserve.json" SMALL,
	 EXACT},
	{"client mix", quire_cmd_sim,
	 "sim --workload @/mix.csv --requests 20 --jobs 0 --intervals --json @/out.json"
	 " --record @/out.quire" SMALL,
	 EXACT},
	{"children", quire_cmd_sim,
	 "sim --trace @/clients.csv.gz --jobs 1 --scheduler static --scheduler continuous"
	 " --allocator paged --json @/out.json --csv @/out.csv --report @/out.html" SMALL,
	 EXACT},
	{"isolated", quire_cmd_sim,
	 "sim --trace @/clients.csv.gz --isolate --jobs 1 --json @/out.json --record "
	 "@/out.quire" SMALL,
	 EXACT},
	{"trace info", quire_cmd_trace, "trace info @/blocks.jsonl.zst --json @/out.json", EXACT},
	{"trace convert", quire_cmd_trace, "trace convert @/clients.csv.gz --output @/out.csv",
	 EXACT},
	{"plan", quire_cmd_plan,
	 "plan --model llama-3-8b --gpu a100-80g --batch 1:64 --prompt 64 --output 8"
	 " --price 2 --json @/out.json --chart @/out.svg",
	 EXACT},
	{"plan on all", quire_cmd_plan,
	 "plan --model llama-3-8b --gpu a100-80g --gpu t4 --output 8 --json @/out.json", EXACT},
	{"model", quire_cmd_model, "model llama-3-8b --json @/out.json", EXACT},
	{"model folder", quire_cmd_model, "model " FIXTURE "llama-3.1 --tensors --json @/out.json",
	 EXACT},
	{"model file", quire_cmd_model, "model " FIXTURE "qwen2/model.safetensors --tensors",
	 EXACT},
	{"model tokenizer", quire_cmd_model, "model " TINY " --json @/out.json", EXACT},
	{"compare", quire_cmd_compare, "compare @/a.quire @/b.quire --json @/out.json", TERSE},
	{"compare, a page", quire_cmd_compare, "compare @/a.quire @/b.quire --report @/out.html",
	 TERSE},
	{"replay", quire_cmd_sim,
	 "sim --trace @/clients.csv.gz --jobs 0 --scheduler continuous --json @/out.json"
	 " --time-model @/a.quire" SMALL,
	 EXACT},
	{"text", quire_cmd_run,
	 "run --model " TINY " --exec cpu --threads 2 --prompt The --prompt A --max-tokens 3"
	 " --samples 2 --seed 1 --logprobs 1 --stop zebra --json @/out.json --record @/out.quire",
	 REAL},
	{"beams", quire_cmd_run,
	 "run --model " TINY " --exec cpu --threads 1 --prompt The --max-tokens 3 --beams 2"
	 " --scheduler static --allocator contiguous",
	 REAL},
	{"numbers", quire_cmd_run,
	 "run --model " FIXTURE "qwen3 --exec cpu --threads 1 --skip-tokenizer-init"
	 " --prompt 1,2,3 --max-tokens 3 --logprobs 2",
	 REAL},
	{"bench", quire_cmd_bench,
	 "bench --model " FIXTURE "llama-gqa --exec cpu --threads 2 --kv-memory 256KiB"
	 " --workload synthetic,prompt=uniform:3:40,output=uniform:2:6 --requests 6 --samples 2"
	 " --arrivals burst --scheduler continuous --scheduler splitfuse --json @/out.json"
	 " --csv @/out.csv --record @/out.quire --perfetto @/out.perfetto --report @/out.html",
	 REAL},
	{"random weights", quire_cmd_bench,
	 "bench --model " FIXTURE "mistral --load-format dummy --exec cpu --threads 1"
	 " --fast-products --trace @/clients.csv.gz --requests 4 --arrivals closed,users=2"
	 " --kv-slots 256 --max-model-len 128",
	 REAL},
};
enum { RUNS = sizeof(runs) / sizeof(*runs) };

static void path_of(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%.80s", folder, name);
}

/* Put the words of @line into @argv, @text holding them. */
static int split(const char *line, char *text, size_t size, char **argv, int limit)
{
	size_t n = 0;
	int argc = 0;
	char *rest = NULL;

	for (; *line && n + sizeof(folder) + 1 < size; line++) {
		if (*line == '@')
			n += (size_t)snprintf(text + n, size - n, "%s", folder);
		else
			text[n++] = *line;
	}
	text[n] = '\0';
	for (char *word = strtok_r(text, " ", &rest); word && argc < limit - 1;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc] = NULL;
	return argc;
}

static void redirect(int fd, const char *name)
{
	char path[128];
	int to;

	path_of(path, sizeof(path), name);
	to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (to < 0 || dup2(to, fd) < 0)
		_exit(99);
	close(to);
}

/* Run it with the n-th allocation failing.  Return: as waitpid() has it. */
static int run_at(const struct run *run, unsigned long n)
{
	char text[2048], *argv[80];
	int argc = split(run->line, text, sizeof(text), argv, 80), status = 0;
	pid_t pid;

	memset((void *)oom, 0, sizeof(*oom));
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		redirect(STDOUT_FILENO, "out.stdout");
		redirect(STDERR_FILENO, "stderr");
		setvbuf(stdout, malloc(STDOUT_BYTES), _IOFBF, STDOUT_BYTES);
		optind = 1;
		oom_begin(n);
		status = run->command(argc, argv);
		fflush(stdout);
		oom_end();
		exit(status);
	}
	if (pid < 0)
		ck_abort_msg("fork: %s", strerror(errno));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* The whole of a file, 0 behind it; NULL: there is none.  To be freed. */
static char *slurp(const char *name, size_t *size)
{
	struct stat st;
	char path[128], *text;
	FILE *in;

	path_of(path, sizeof(path), name);
	in = stat(path, &st) == 0 ? fopen(path, "rb") : NULL;
	if (!in)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	ck_assert_ptr_nonnull(text);
	*size = fread(text, 1, (size_t)st.st_size, in);
	text[*size] = '\0';
	fclose(in);
	return text;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), n = strlen(end);

	return length >= n && !strcmp(text + length - n, end);
}

/* Is it whole, by what it says itself? */
static bool is_whole(const char *name, const char *text, size_t size)
{
	struct quire_record *record;
	char path[128];
	json_t *json;

	if (ends_with(name, ".stdout") && !size)
		return true;
	if (ends_with(name, ".json") || ends_with(name, ".perfetto")) {
		json = json_loadb(text, size, 0, NULL);
		json_decref(json);
		return json != NULL;
	}
	if (ends_with(name, ".html"))
		return ends_with(text, "</html>\n");
	if (ends_with(name, ".quire")) { /* sound where it was cut off, by its format */
		path_of(path, sizeof(path), name);
		if (quire_record_open(&record, path))
			return false;
		quire_record_close(record);
		return true;
	}
	return size && text[size - 1] == '\n';
}

struct file {
	char name[64];
	char *text;
	size_t size;
};

enum { FILES_MAX = 24 };

/* How a run ended, and what it left. */
struct outcome {
	int status; /* as waitpid() has it */
	char *said; /* on stderr */
	int count;
	struct file files[FILES_MAX]; /* [count] those that begin with "out", by name */
};

/* Remove the files whose names begin with @begin. */
static void clear_of(const char *begin)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	char path[128];

	while (dir && (entry = readdir(dir))) {
		path_of(path, sizeof(path), entry->d_name);
		if (!strncmp(entry->d_name, begin, strlen(begin)))
			unlink(path);
	}
	if (dir)
		closedir(dir);
}

static void outcome_of(struct outcome *o, const struct run *run, unsigned long n)
{
	struct dirent **entries;
	int count;
	size_t size;

	clear_of("out");
	*o = (struct outcome){.status = run_at(run, n)};
	o->said = slurp("stderr", &size);
	count = scandir(folder, &entries, NULL, alphasort);
	ck_assert_int_ge(count, 0);
	for (int i = 0; i < count; i++) {
		if (!strncmp(entries[i]->d_name, "out", 3) && o->count < FILES_MAX) {
			struct file *f = &o->files[o->count++];

			snprintf(f->name, sizeof(f->name), "%.63s", entries[i]->d_name);
			f->text = slurp(f->name, &f->size);
			ck_assert_ptr_nonnull(f->text);
		}
		free(entries[i]);
	}
	free(entries);
}

static void outcome_free(struct outcome *o)
{
	for (int i = 0; i < o->count; i++)
		free(o->files[i].text);
	free(o->said);
}

static bool same_files(const struct outcome *a, const struct outcome *b)
{
	for (int i = 0; i < a->count && i < b->count; i++)
		if (strcmp(a->files[i].name, b->files[i].name) != 0 ||
		    a->files[i].size != b->files[i].size ||
		    memcmp(a->files[i].text, b->files[i].text, a->files[i].size) != 0)
			return false;
	return a->count == b->count;
}

/* The next character that is no part of a number. */
static const char *word(const char *text)
{
	return text + strspn(text, "0123456789.+-e");
}

/* But for figures, in what should be alike. */
static bool same_words(const struct run *run, const struct outcome *now, const struct outcome *good)
{
	for (int i = 0; i < now->count && i < good->count; i++) {
		const char *name = now->files[i].name;
		const char *a = word(now->files[i].text), *b = word(good->files[i].text);

		if (!ends_with(name, ".json") && !ends_with(name, ".csv") &&
		    !(ends_with(name, ".stdout") && run->command == quire_cmd_run))
			continue;
		for (; *a && *a == *b; a = word(a + 1), b = word(b + 1))
			;
		if (*a != *b)
			return false;
	}
	return now->count == good->count;
}

/* One line that says what was missing?  Of a run that tells what it does, the last. */
static const char *judge_line(const struct run *run, const char *said)
{
	const char *newline = strchr(said, '\n');
	char *table;
	size_t size;
	bool told;

	while (run->how == REAL && newline && newline[1]) {
		said = newline + 1;
		newline = strchr(said, '\n');
	}
	told = strstr(said, "memory") != NULL;
	if (!newline || newline[1])
		return "not one line on stderr";
	if (strstr(said, "see above")) { /* of several runs the table says why */
		table = slurp("out.stdout", &size);
		told = table && strstr(table, "memory");
		free(table);
	}
	return told && !strncmp(said, "quire ", 6) ? NULL
						   : "the line on stderr does not speak of memory";
}

/* What is wrong with the run that was just made?  NULL: nothing. */
static const char *judge(const struct run *run, const struct outcome *now,
			 const struct outcome *good)
{
	if (!WIFEXITED(now->status))
		return "it was ended by a signal";
	if (WEXITSTATUS(now->status) > 2)
		return "its exit status is none of 0, 1, 2";
	for (int i = 0; i < now->count; i++) {
		const struct file *f = &now->files[i];

		if (strstr(f->name, ".tmp"))
			return "a temporary file stays";
		if (!is_whole(f->name, f->text, f->size))
			return "a file is half written";
	}
	if (oom->left)
		return "something was not given back";
	if (now->status != good->status || (run->how != REAL && strcmp(now->said, good->said) != 0))
		return judge_line(run, now->said);
	if (run->how == REAL)
		return same_words(run, now, good) ? NULL : "it is content, but words are missing";
	return same_files(now, good) || run->how == TERSE
		       ? NULL
		       : "it is content, but something is missing";
}

/* Of the environment. */
static unsigned long number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);
	unsigned long n = text ? strtoul(text, NULL, 10) : 0;

	return n ? n : otherwise;
}

START_TEST(test_every_allocation)
{
	const struct run *run = &runs[_i];
	struct outcome good, now;
	const unsigned long every = number("QUIRE_OOM_EVERY", EVERY);
	unsigned long n = 1 + (number("QUIRE_TEST_SEED", 0) + (unsigned long)_i) % every;
	unsigned long refused = 0;
	int faults = 0;
	bool hit = true;

	outcome_of(&good, run, 0);
	ck_assert_msg(WIFEXITED(good.status) &&
			      WEXITSTATUS(good.status) <= (run->command == quire_cmd_compare),
		      "%s: %s", run->name, good.said);
	ck_assert_uint_eq(oom->left, 0);
	for (int i = 0; i < good.count; i++)
		ck_assert_msg(is_whole(good.files[i].name, good.files[i].text, good.files[i].size),
			      "%s", good.files[i].name);
	for (; hit && faults < 10; n += every) {
		const char *wrong;

		outcome_of(&now, run, n);
		hit = atomic_load(&oom->hit);
		wrong = judge(run, &now, &good);
		refused += now.status != good.status;
		if (wrong) {
			fprintf(stderr, "%s, allocation %lu: %s (status 0x%x, %u left)\n%s",
				run->name, n, wrong, (unsigned int)now.status, oom->left, now.said);
			backtrace_symbols_fd(oom->caller, oom->callers, STDERR_FILENO);
		}
		faults += wrong != NULL;
		outcome_free(&now);
	}
	if (faults)
		ck_abort_msg("%s: see above", run->name);
	ck_assert_uint_gt(refused, 0);
	printf("%s: of %lu allocations every %lu. failed; %lu ended the run, the others did no "
	       "harm\n",
	       run->name, (unsigned long)atomic_load(&oom->count), every, refused);
	outcome_free(&good);
}
END_TEST

/* ---- the folder ---- */

static void save(const char *name, const char *text, size_t size)
{
	char path[128];
	FILE *out;

	path_of(path, sizeof(path), name);
	out = fopen(path, "wb");
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(text, 1, size, out), size);
	ck_assert_int_eq(fclose(out), 0);
}

/* A trace in which nothing is in order, packed. */
static void make_traces(void)
{
	char text[8192], packed[8192], path[128];
	size_t n = 0, bytes;
	gzFile gz;

	n = (size_t)snprintf(text, sizeof(text), "arrival_s,prompt_tokens,output_tokens,client\n");
	for (int i = 0; i < 20; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%.2f,%d,%d,user%d\n",
				      0.05 * (i * 7 % 20), 8 + 11 * i % 60, 2 + 5 * i % 23, i % 3);
	path_of(path, sizeof(path), "clients.csv.gz");
	gz = gzopen(path, "wb");
	ck_assert_int_eq(gzwrite(gz, text, (unsigned int)n), (int)n);
	ck_assert_int_eq(gzclose(gz), Z_OK);

	n = 0;
	for (int i = 0; i < 20; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "{\"timestamp\": %d, \"input_length\": %d, "
				      "\"output_length\": %d, \"hash_ids\": [1]}\n",
				      i * 7 % 20 * 30, 8 + 11 * i % 60, 2 + 5 * i % 23);
	bytes = ZSTD_compress(packed, sizeof(packed), text, n, 1);
	ck_assert(!ZSTD_isError(bytes));
	save("blocks.jsonl.zst", packed, bytes);

	n = (size_t)snprintf(text, sizeof(text), "[");
	for (int i = 0; i < 6; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "%s{\"id\": \"%d\", \"conversations\": ["
				      "{\"from\": \"human\", \"value\": \"Is this line %d?\"}, "
				      "{\"from\": \"gpt\", \"value\": \"It is.\"}]}\n",
				      i ? "," : "", i, i);
	n += (size_t)snprintf(text + n, sizeof(text) - n, "]\n");
	save("chat.json", text, n);

	n = (size_t)snprintf(text, sizeof(text),
			     "client,rate,prompt,output\nann,5,fixed:20,exp:9:max=30\n"
			     "bob,9,uniform:5:40,fixed:7\n");
	save("mix.csv", text, n);
	n = (size_t)snprintf(text, sizeof(text),
			     "{\"Llama-3-8B\": {\"1\": {\"decoding_large_small_bs_threshold\": 95, "
			     "\"prefill\": [8.7, 0.007, 2.2e-5], "
			     "\"decoding_smallbs\": [9.5, 5e-5, 0.07], "
			     "\"decoding_largebs\": [5.7, 1e-4, 0.07]}}}\n");
	save("distserve.json", text, n);
}

/* Two recordings of runs that differ. */
static void make_recordings(void)
{
	static const char *const scheduler[] = {"continuous", "splitfuse,budget=32"};

	for (int i = 0; i < 2; i++) {
		char line[512];
		const struct run run = {"recording", quire_cmd_sim, line, EXACT};

		snprintf(line, sizeof(line),
			 "sim --trace @/clients.csv.gz --jobs 0 --scheduler %s --record "
			 "@/%c.quire" SMALL,
			 scheduler[i], 'a' + i);
		ck_assert_int_eq(run_at(&run, 0), 0);
	}
}

static void make_folder(void)
{
	oom_make();
	ck_assert_ptr_nonnull(mkdtemp(folder));
	make_traces();
	make_recordings();
}

static void remove_folder(void)
{
	clear_of("");
	rmdir(folder);
}

int main(void)
{
	Suite *suite = suite_create("oom");
	TCase *all = tcase_create("every allocation");
	SRunner *runner;
	int failed;

	tcase_add_unchecked_fixture(all, make_folder, remove_folder);
	tcase_set_timeout(all, 300); /* for each run of the table */
	tcase_add_loop_test(all, test_every_allocation, 0, RUNS);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
