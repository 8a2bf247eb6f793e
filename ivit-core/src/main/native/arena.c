#include "ivit.h"

#include <stdlib.h>
#include <string.h>

/* Its memory begins within the same allocation, aligned; not every C library allocates aligned. */
struct block {
  struct block *next;
};

struct ivit_arena {
  struct block *blocks;
  int failed;
};

struct ivit_arena *ivit_arena_new(void) {
  return calloc(1, sizeof(struct ivit_arena));
}

void *ivit_arena_take(struct ivit_arena *arena, size_t bytes) {
  /* Kernels read whole vectors, so a block ends on a cache line and has one to spare. */
  size_t size = ivit_round_up(bytes, IVIT_ALIGN) + IVIT_ALIGN;
  size_t before = sizeof(struct block) + IVIT_ALIGN - 1;
  struct block *block = size < bytes || size + before < size ? NULL : malloc(before + size);
  if (block == NULL) {
    arena->failed = 1;
    return NULL;
  }
  void *memory = (void *)ivit_round_up((uintptr_t)(block + 1), IVIT_ALIGN);
  memset(memory, 0, size);
  block->next = arena->blocks;
  arena->blocks = block;
  return memory;
}

int ivit_arena_whole(const struct ivit_arena *arena) {
  return !arena->failed;
}

void ivit_arena_free(struct ivit_arena *arena) {
  if (arena == NULL) {
    return;
  }
  struct block *block = arena->blocks;
  while (block != NULL) {
    struct block *next = block->next;
    free(block);
    block = next;
  }
  free(arena);
}
