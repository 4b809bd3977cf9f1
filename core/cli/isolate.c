/*
 * isolate.c - see isolate.h.
 *
 * Memory is watched rather than limited: arenas are taken as large as the worst
 * case and touched as they are used, so what counts is what is resident.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "isolate.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RING  64 /* decisions that are kept */
#define SHOWN 8	 /* of them are told */

/* Written by the child, read by the parent, which trusts none of it. */
struct shared {
	struct quire_sink sink;	       /* first: the sink and the page are one pointer */
	_Atomic uint64_t steps;	       /* that have ended: the heartbeat */
	_Atomic uint64_t decisions;    /* that were ever written to the ring */
	struct quire_event ring[RING]; /* the newest of them */
};

struct quire_isolate {
	struct quire_isolation limits;
	struct shared *shared;
	uint64_t steps;		 /* at the last change of it ... */
	double changed_s;	 /* ... which was seen then */
	uint64_t resident_first; /* bytes, when the watch began; 0: not yet */
	char killed[160];	 /* the verdict, if it was the parent's */
};

static double clock_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void beat(struct quire_sink *sink, const struct quire_event *event)
{
	struct shared *s = (struct shared *)sink;

	if (event->kind == QUIRE_EV_DONE) {
		atomic_fetch_add_explicit(&s->steps, 1, memory_order_release);
		return;
	}
	s->ring[s->decisions % RING] = *event;
	atomic_fetch_add_explicit(&s->decisions, 1, memory_order_release);
}

struct quire_isolate *quire_isolate_new(const struct quire_isolation *limits)
{
	struct quire_isolate *iso = calloc(1, sizeof(*iso));
	void *page = mmap(NULL, sizeof(*iso->shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (!iso || page == MAP_FAILED) {
		quire_fail(-ENOMEM, "no memory to watch a run");
		if (page != MAP_FAILED)
			munmap(page, sizeof(*iso->shared));
		free(iso);
		return NULL;
	}
	iso->limits = *limits;
	iso->shared = page;
#define X(kind, decides, a, b, c) ((decides) ? QUIRE_EV_BIT(kind) : 0) |
	iso->shared->sink.kinds = QUIRE_EVENTS(X) QUIRE_EV_BIT(DONE);
#undef X
	iso->shared->sink.emit = beat;
	iso->changed_s = clock_s();
	return iso;
}

struct quire_sink *quire_isolate_sink(struct quire_isolate *iso)
{
	return &iso->shared->sink;
}

void quire_isolate_free(struct quire_isolate *iso)
{
	if (!iso)
		return;
	munmap(iso->shared, sizeof(*iso->shared));
	free(iso);
}

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#define LOAD(field)   BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define DENY(syscall) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##syscall, 0, 1), KILL
#define KILL	      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define ALLOW	      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* The kernel ends whoever starts a process, or signals one but itself. */
int quire_isolate_enter(struct quire_isolate *iso)
{
#ifdef ARCH
	uint32_t self = (uint32_t)getpid();
	struct sock_filter filter[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
		KILL,
		LOAD(nr),
#ifdef __NR_fork
		DENY(fork),
		DENY(vfork),
#endif
		DENY(clone),
#ifdef __NR_clone3
		DENY(clone3),
#endif
		DENY(execve),
		DENY(execveat),
		DENY(ptrace),
		DENY(process_vm_writev),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_kill, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_tgkill, 1, 0),
		ALLOW,
		LOAD(args[0]), /* its lower half, on little-endian machines */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, self, 0, 1),
		ALLOW,
		KILL,
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return quire_fail(-errno, "--isolate: the kernel refuses a filter: %s",
				  strerror(errno));
#endif
	(void)iso;
	return 0;
}

/* Bytes of memory that process @pid has in use; 0: it is gone. */
static uint64_t resident(pid_t pid)
{
	unsigned long long total, pages = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu %llu", &total, &pages) != 2)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

const char *quire_isolate_watch(struct quire_isolate *iso, pid_t pid)
{
	uint64_t steps = atomic_load_explicit(&iso->shared->steps, memory_order_acquire);
	uint64_t bytes = resident(pid);
	double now_s = clock_s();

	if (!iso->resident_first)
		iso->resident_first = bytes;
	if (steps != iso->steps) {
		iso->steps = steps;
		iso->changed_s = now_s;
	}
	if (now_s - iso->changed_s > iso->limits.seconds)
		snprintf(iso->killed, sizeof(iso->killed),
			 "no step ended for %g s, the limit: killed", iso->limits.seconds);
	else if (bytes > iso->resident_first + iso->limits.memory_bytes)
		snprintf(iso->killed, sizeof(iso->killed),
			 "it took more than %.0f MiB of memory, the limit: killed",
			 (double)iso->limits.memory_bytes / 1048576);
	return *iso->killed ? iso->killed : NULL;
}

/* One decision, in the words of the event table. */
static void tell_event(FILE *out, const struct quire_event *e)
{
	static const struct {
		const char *kind, *field[3];
	} names[] = {
#define X(kind, decides, a, b, c) {#kind, {a, b, c}},
		QUIRE_EVENTS(X)
#undef X
	};
	const uint32_t value[] = {e->a, e->b, e->c};

	if (e->kind >= QUIRE_EV_COUNT)
		return; /* the module wrote here too */
	fprintf(out, "    step %u at %.6f s: %s", e->step, (double)e->at_ns / 1e9,
		names[e->kind].kind);
	if (e->seq)
		fprintf(out, " sequence %u", e->seq);
	for (int i = 0; i < 3; i++)
		if (*names[e->kind].field[i])
			fprintf(out, "%s %s %u", i ? "," : ":", names[e->kind].field[i], value[i]);
	fputc('\n', out);
}

void quire_isolate_verdict(const struct quire_isolate *iso, int status, char *sentence, size_t size,
			   FILE *out)
{
	const struct shared *s = iso->shared;
	uint64_t count = atomic_load_explicit(&s->decisions, memory_order_acquire);
	uint64_t first = count > SHOWN ? count - SHOWN : 0;
	char how[sizeof(iso->killed) + 64];

	if (*iso->killed)
		snprintf(how, sizeof(how), "%s", iso->killed);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		snprintf(how, sizeof(how),
			 "it tried to start or to signal another process: killed");
	else if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(how, sizeof(how), "it left with exit status %d and no report",
			 WEXITSTATUS(status));
	snprintf(sentence, size, "%s, after step %llu", how,
		 (unsigned long long)atomic_load_explicit(&s->steps, memory_order_acquire));
	if (!count)
		fprintf(out, "  it died before its first decision\n");
	else
		fprintf(out, "  its last decisions, of %llu:\n", (unsigned long long)count);
	for (uint64_t i = first; i < count; i++)
		tell_event(out, &s->ring[i % RING]);
}
