#include "ivit.h"

#include <stdlib.h>
#include <string.h>

struct block {
  struct block *next;
  void *memory;
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
  struct block *block = malloc(sizeof *block);
  void *memory = NULL;
  if (block == NULL || size < bytes || posix_memalign(&memory, IVIT_ALIGN, size) != 0) {
    free(block);
    arena->failed = 1;
    return NULL;
  }
  memset(memory, 0, size);
  block->memory = memory;
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
    free(block->memory);
    free(block);
    block = next;
  }
  free(arena);
}
