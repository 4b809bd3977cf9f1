/*
 * sweep.c - see sweep.h.
 *
 * What a child writes: one byte for each percent of progress, then the byte
 * REPORT_FOLLOWS, what run() filled in of the extras, and a struct quire_report.
 */
#include "sweep.h"

#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REPORT_FOLLOWS = 255 };

#define WATCH_MS 20 /* between two looks at an isolated child */

struct child {
	pid_t pid;
	int fd; /* its pipe */
	uint32_t index;
	uint32_t percent;
	bool reports;	 /* its report has begun */
	size_t received; /* bytes of the extra and of it */
	struct quire_report report;
	struct quire_isolate *isolate; /* NULL: it is not */
	bool killed;
};

struct state {
	const struct quire_sweep *sweep;
	struct child *children; /* [children_count] that run now */
	struct pollfd *fds;	/* [children_count] */
	uint32_t children_count, started, ended;
	double begin_s;
	bool line_shown;
};

/* Whom a child's progress goes to; in this process, the terminal. */
struct progress {
	int fd; /* -1: this process */
	struct state *state;
	uint32_t index, percent;
	struct quire_isolate *isolate;
};

static volatile sig_atomic_t stopped_by;

static void stop(int signal_number)
{
	stopped_by = signal_number;
}

int quire_sweep_signal(void)
{
	return (int)stopped_by;
}

uint32_t quire_sweep_cores(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores > 0 ? (uint32_t)cores : 1;
}

double quire_sweep_clock_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct quire_small_text quire_sweep_left(double begin_s, double done, uint32_t count)
{
	double spent_s = quire_sweep_clock_s() - begin_s;
	double left_s = spent_s / done * (count - done);
	struct quire_small_text text = {""};

	if (spent_s < 1 || !(done > 0) || left_s > 1e8)
		return text;
	if (left_s < 100)
		snprintf(text.s, sizeof(text.s), ", %.0f s left", left_s);
	else if (left_s < 100 * 60)
		snprintf(text.s, sizeof(text.s), ", %.0f min left", left_s / 60);
	else
		snprintf(text.s, sizeof(text.s), ", %.1f h left", left_s / 3600);
	return text;
}

static void erase_line(struct state *st)
{
	if (st->line_shown)
		fputs("\r\033[K", st->sweep->progress);
	st->line_shown = false;
}

/* One line that never wraps: "3/6 runs, static x paged 45%, ...". */
static void show_line(struct state *st, const struct progress *here)
{
	const struct quire_sweep *sweep = st->sweep;
	char line[1024], label[2 * QUIRE_REPORT_NAME_MAX + 8];
	uint32_t percents = here ? here->percent : 0;
	size_t n, columns;

	if (!sweep->progress)
		return;
	for (uint32_t i = 0; i < st->children_count; i++)
		percents += st->children[i].percent;
	n = (size_t)snprintf(
		line, sizeof(line), "%u/%u runs%s", sweep->before + st->ended,
		sweep->before + sweep->count,
		quire_sweep_left(st->begin_s, st->ended + percents / 100.0, sweep->count).s);
	for (uint32_t i = 0; i < st->children_count + (here ? 1 : 0) && n < sizeof(line); i++) {
		uint32_t index = here ? here->index : st->children[i].index;
		uint32_t percent = here ? here->percent : st->children[i].percent;

		quire_report_label(&sweep->reports[index], label, sizeof(label));
		n += (size_t)snprintf(line + n, sizeof(line) - n, ", %s %u%%", label, percent);
	}
	columns = quire_terminal_columns(sweep->progress, 80);
	if (columns < sizeof(line))
		line[columns - 1] = '\0';
	fprintf(sweep->progress, "\r\033[K%s", line);
	fflush(sweep->progress);
	st->line_shown = true;
}

static void write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(QUIRE_EXIT_FAILURE); /* nobody listens any more */
		at += n;
		size -= (size_t)n;
	}
}

void quire_sweep_progress(void *arg, uint64_t now_ns, uint32_t finished, uint32_t count)
{
	struct progress *p = arg;
	uint32_t percent = count ? (uint32_t)((uint64_t)finished * 100 / count) : 100;
	unsigned char byte = (unsigned char)percent;

	(void)now_ns;
	if (!p || percent == p->percent)
		return;
	p->percent = percent;
	if (p->fd >= 0)
		write_all(p->fd, &byte, 1);
	else
		show_line(p->state, p);
}

struct quire_sink *quire_sweep_sink(void *progress)
{
	struct progress *p = progress;

	return p && p->isolate ? quire_isolate_sink(p->isolate) : NULL;
}

static char *extra_of(const struct quire_sweep *sweep, uint32_t index)
{
	return (char *)sweep->extras + index * sweep->extra_size;
}

static _Noreturn void child_main(const struct quire_sweep *sweep, uint32_t index, int fd,
				 struct quire_isolate *isolate)
{
	struct progress p = {.fd = fd, .index = index, .percent = UINT32_MAX, .isolate = isolate};
	unsigned char byte = REPORT_FOLLOWS;

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	if (isolate && quire_isolate_enter(isolate)) {
		fprintf(stderr, "quire: %s\n", quire_failure());
		_exit(QUIRE_EXIT_FAILURE);
	}
	sweep->run(sweep->arg, index, &p);
	fflush(NULL);
	write_all(fd, &byte, 1);
	if (sweep->extras)
		write_all(fd, extra_of(sweep, index), sweep->extra_size);
	write_all(fd, &sweep->reports[index], sizeof(struct quire_report));
	_exit(QUIRE_EXIT_OK);
}

static int start_child(struct state *st, uint32_t index)
{
	struct child *c = &st->children[st->children_count];
	int ends[2], rc;

	*c = (struct child){.index = index};
	if (st->sweep->isolation) {
		c->isolate = quire_isolate_new(st->sweep->isolation);
		if (!c->isolate)
			return -ENOMEM;
	}
	if (pipe(ends) != 0) {
		rc = quire_fail(-errno, "cannot make a pipe: %s", strerror(errno));
		quire_isolate_free(c->isolate);
		return rc;
	}
	fflush(NULL); /* or the child would print it again */
	c->pid = fork();
	if (c->pid == 0) {
		close(ends[0]);
		child_main(st->sweep, index, ends[1], c->isolate);
	}
	if (c->pid < 0) {
		rc = quire_fail(-errno, "cannot start a process: %s", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		quire_isolate_free(c->isolate);
		return rc;
	}
	close(ends[1]);
	c->fd = ends[0];
	st->children_count++;
	return 0;
}

static const char *signal_name(int number)
{
	static const struct {
		int number;
		const char *name;
	} known[] = {
		{SIGSEGV, "SIGSEGV"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},
		{SIGFPE, "SIGFPE"},   {SIGILL, "SIGILL"},   {SIGKILL, "SIGKILL"},
		{SIGTERM, "SIGTERM"}, {SIGTRAP, "SIGTRAP"}, {SIGSYS, "SIGSYS"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].number == number)
			return known[i].name;
	return NULL;
}

/* How an isolated child died, and what it did last. */
static void tell_verdict(struct state *st, const struct child *c, int status)
{
	struct quire_report *r = &st->sweep->reports[c->index];
	char label[2 * QUIRE_REPORT_NAME_MAX + 8];

	erase_line(st);
	quire_report_label(r, label, sizeof(label));
	fprintf(stderr, "%s\n", label);
	quire_isolate_verdict(c->isolate, status, r->sentence, sizeof(r->sentence), stderr);
}

static int end_run(struct state *st, uint32_t index)
{
	st->ended++;
	return st->sweep->done ? st->sweep->done(st->sweep->arg, index) : 0;
}

/* It has closed its pipe: take its report, or tell how it died. */
static int end_child(struct state *st, uint32_t which)
{
	struct child *c = &st->children[which];
	const uint32_t index = c->index;
	struct quire_report *r = &st->sweep->reports[index];
	int status = 0;

	close(c->fd);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (c->received == st->sweep->extra_size + sizeof(c->report) && !c->killed) {
		*r = c->report;
		if (c->isolate && !quire_report_sound(r)) {
			r->end = QUIRE_RUN_CRASHED;
			snprintf(r->sentence, sizeof(r->sentence),
				 "its figures do not add up: a module wrote to the core's memory");
		}
	} else {
		r->end = QUIRE_RUN_CRASHED;
		if (st->sweep->extras)
			memset(extra_of(st->sweep, c->index), 0, st->sweep->extra_size);
		if (c->isolate)
			tell_verdict(st, c, status);
		else if (WIFSIGNALED(status) && signal_name(WTERMSIG(status)))
			snprintf(r->sentence, sizeof(r->sentence), "signal %s",
				 signal_name(WTERMSIG(status)));
		else if (WIFSIGNALED(status))
			snprintf(r->sentence, sizeof(r->sentence), "signal %d", WTERMSIG(status));
		else
			snprintf(r->sentence, sizeof(r->sentence),
				 "it left with exit status %d and no report", WEXITSTATUS(status));
	}
	quire_isolate_free(c->isolate);
	*c = st->children[--st->children_count];
	return end_run(st, index);
}

/* Return: is there more to come? */
static bool read_child(const struct quire_sweep *sweep, struct child *c)
{
	const size_t size = sweep->extra_size;
	unsigned char buffer[16384];
	ssize_t got = read(c->fd, buffer, sizeof(buffer));
	size_t at = 0, n;

	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	for (; at < (size_t)got && !c->reports; at++) {
		c->reports = buffer[at] == REPORT_FOLLOWS;
		c->percent = c->reports ? 100 : buffer[at];
	}
	for (; at < (size_t)got && c->received < size + sizeof(c->report); at += n) {
		bool extra = c->received < size;
		size_t into = extra ? c->received : c->received - size;

		n = (extra ? size : sizeof(c->report)) - into;
		if (n > (size_t)got - at)
			n = (size_t)got - at;
		memcpy((extra ? extra_of(sweep, c->index) : (char *)&c->report) + into, buffer + at,
		       n);
		c->received += n;
	}
	return got > 0;
}

/* End the isolated children that take too long, or too much. */
static void watch_children(struct state *st)
{
	for (uint32_t i = 0; i < st->children_count; i++) {
		struct child *c = &st->children[i];

		if (!c->isolate || c->killed || c->reports ||
		    !quire_isolate_watch(c->isolate, c->pid))
			continue;
		c->killed = true;
		kill(c->pid, SIGKILL); /* which closes its pipe */
	}
}

static int wait_children(struct state *st)
{
	int timeout_ms = st->sweep->isolation ? WATCH_MS : -1;
	int rc = 0;

	for (uint32_t i = 0; i < st->children_count; i++)
		st->fds[i] = (struct pollfd){.fd = st->children[i].fd, .events = POLLIN};
	if (poll(st->fds, st->children_count, timeout_ms) < 0)
		return errno == EINTR ? 0 : quire_fail(-errno, "poll: %s", strerror(errno));
	for (uint32_t i = st->children_count; rc == 0 && i-- > 0;) /* end_child() moves the last */
		if (st->fds[i].revents && !read_child(st->sweep, &st->children[i]))
			rc = end_child(st, i);
	watch_children(st);
	show_line(st, NULL);
	return rc;
}

static int start_next(struct state *st)
{
	const struct quire_sweep *sweep = st->sweep;
	uint32_t index = st->started++;
	struct progress here = {.fd = -1, .state = st, .index = index, .percent = UINT32_MAX};
	int rc = sweep->prepare(sweep->arg, index);

	if (rc < 0)
		return rc;
	if (rc == 0 && sweep->jobs)
		return start_child(st, index);
	if (rc == 0)
		sweep->run(sweep->arg, index, &here);
	return end_run(st, index);
}

int quire_sweep_run(const struct quire_sweep *sweep)
{
	struct state st = {.sweep = sweep, .begin_s = quire_sweep_clock_s()};
	struct sigaction action = {.sa_handler = stop}, old_int, old_term;
	uint32_t jobs = sweep->jobs < sweep->count ? sweep->jobs : sweep->count;
	int rc = 0;

	st.children = calloc(jobs + 1, sizeof(*st.children));
	st.fds = calloc(jobs + 1, sizeof(*st.fds));
	if (!st.children || !st.fds) {
		rc = quire_fail(-ENOMEM, "no memory for %u runs", sweep->count);
		goto out_free;
	}
	if (jobs) {
		sigaction(SIGINT, &action, &old_int); /* no SA_RESTART: poll() shall return */
		sigaction(SIGTERM, &action, &old_term);
	}
	while (rc == 0 && !stopped_by && st.ended < sweep->count) {
		if (st.started < sweep->count && (!jobs || st.children_count < jobs))
			rc = start_next(&st);
		else
			rc = wait_children(&st);
	}
	for (; st.children_count; st.children_count--) {
		kill(st.children[st.children_count - 1].pid, SIGKILL);
		waitpid(st.children[st.children_count - 1].pid, NULL, 0);
		close(st.children[st.children_count - 1].fd);
		quire_isolate_free(st.children[st.children_count - 1].isolate);
	}
	erase_line(&st);
	if (jobs) {
		sigaction(SIGINT, &old_int, NULL);
		sigaction(SIGTERM, &old_term, NULL);
	}
	if (rc == 0 && stopped_by)
		rc = -EINTR;
out_free:
	free(st.fds);
	free(st.children);
	return rc;
}
