/*
 * asan.h - AddressSanitizer, where it is: ASAN is defined, and memory can be poisoned.
 */
#ifndef QUIRE_EMULATOR_ASAN_H
#define QUIRE_EMULATOR_ASAN_H

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#endif

#ifdef ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes)   ((void)(address), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif

#endif /* QUIRE_EMULATOR_ASAN_H */
