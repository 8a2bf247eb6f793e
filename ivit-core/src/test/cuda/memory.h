/* Device memory of the emulation: allocations whose bounds are known. */
#ifndef IVIT_MEMORY_H
#define IVIT_MEMORY_H

#include <stddef.h>
#include <stdint.h>

namespace emulation {

/* Memory full of rubbish, aligned to 256 bytes. */
void *allocate(size_t bytes);

/* Whether the address was one of allocate. */
bool release(void *address);

}  // namespace emulation

#endif
