/* Which kernels run here. */
#include "kernels.h"

#include "ivit.h"
#include "kernel_sets.h"

#include <string.h>

#define DECLARE(name, features) extern const struct ivit_training_kernels ivit_training_##name;
#define ENTRY(name, features) {&ivit_training_##name, features},

IVIT_TRAINING_SETS(DECLARE)

static const struct {
  const struct ivit_training_kernels *kernels;
  const char *features;
} sets[] = {IVIT_TRAINING_SETS(ENTRY)};

const struct ivit_training_kernels *ivit_training_find(const char *name) {
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    if (strcmp(sets[i].kernels->name, name) == 0) {
      return ivit_features_lacking(sets[i].features) == NULL ? sets[i].kernels : NULL;
    }
  }
  return NULL;
}
