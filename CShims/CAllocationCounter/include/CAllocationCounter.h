// Counts heap allocations of the calling thread, for the benchmark executable alone: linking this replaces malloc.
#pragma once
#include <stdint.h>

// Allocations (malloc, calloc, realloc, aligned_alloc, posix_memalign) made by the calling thread so far.
uint64_t tickring_allocation_count(void);
