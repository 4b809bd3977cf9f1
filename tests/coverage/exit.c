/*
 * exit.c - counters are written before _exit() too.
 *
 * A run of quire is a child process that leaves by _exit(), where gcov does not look.
 * tests/coverage/run links every program with this and --wrap=_exit.
 */
#include <gcov.h>
#include <stdnoreturn.h>

noreturn void __real__exit(int status);
noreturn void __wrap__exit(int status);

void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}
