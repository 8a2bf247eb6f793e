/*
 * Runs a test whose main is called ivit_test once for each place, in vectors of 64 bytes, that the
 * 16 bytes to which Windows aligns the stack leave it.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int ivit_test(int count, char **words);

static __attribute__((noinline)) int lower(int steps, char **words) {
  char *room = __builtin_alloca((size_t)steps * 16 + 16);
  memset(room, steps, 16);
  printf("stack at %d of 64\n", (int)((uintptr_t)room % 64));
  fflush(stdout);
  int result = ivit_test(1, words);
  return result != 0 || room[15] != steps;
}

int main(int count, char **words) {
  (void)count;
  for (int steps = 0; steps < 4; steps++) {
    if (lower(steps, words) != 0) {
      return 1;
    }
  }
  return 0;
}
