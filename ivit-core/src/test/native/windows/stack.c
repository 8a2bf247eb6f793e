/*
 * Runs a test whose main is called ivit_test once for each place, in vectors of 64 bytes, that the
 * 16 bytes to which Windows aligns the stack leave it.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int ivit_test(void);

static __attribute__((noinline)) int lower(int steps) {
  char *room = __builtin_alloca((size_t)steps * 16 + 16);
  memset(room, steps, 16);
  printf("stack at %d of 64\n", (int)((uintptr_t)room % 64));
  fflush(stdout);
  int result = ivit_test();
  return result != 0 || room[15] != steps;
}

int main(void) {
  for (int steps = 0; steps < 4; steps++) {
    if (lower(steps) != 0) {
      return 1;
    }
  }
  return 0;
}
