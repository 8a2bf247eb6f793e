#include "memory.h"

#include <stdlib.h>
#include <string.h>

#include <iterator>
#include <map>
#include <string>

#include "emulation.h"

namespace emulation {

/* Ends by beginning. */
static std::map<const unsigned char *, const unsigned char *> allocations;

/* The allocation that was found last, for each of the few that a kernel goes between. */
struct Range {
  const unsigned char *begin, *end;
};
static Range recent[8];
static unsigned next_recent;

void *allocate(size_t bytes) {
  void *p = nullptr;
  if (posix_memalign(&p, 256, bytes == 0 ? 1 : bytes) != 0) {
    return nullptr;
  }
  memset(p, 0xa5, bytes);
  allocations[(unsigned char *)p] = (unsigned char *)p + bytes;
  return p;
}

bool release(void *address) {
  if (allocations.erase((unsigned char *)address) == 0) {
    return false;
  }
  memset(recent, 0, sizeof recent);
  free(address);
  return true;
}

static void refuse(const char *what, const void *p, size_t bytes) {
  throw std::string(what) + " of " + std::to_string(bytes) + " bytes at "
      + std::to_string((uintptr_t)p);
}

void check_global(const void *pointer, size_t bytes, size_t alignment) {
  const unsigned char *p = (const unsigned char *)pointer;
  if (must_wait) {
    refuse("access to global memory before the grid in front has ended", p, bytes);
  }
  if ((uintptr_t)p % alignment != 0) {
    refuse("misaligned access to global memory", p, bytes);
  }
  for (const Range &r : recent) {
    if (p >= r.begin && p + bytes <= r.end) {
      return;
    }
  }
  auto after = allocations.upper_bound(p);
  if (after != allocations.begin()) {
    auto found = std::prev(after);
    if (p + bytes <= found->second) {
      recent[next_recent++ % 8] = Range{found->first, found->second};
      return;
    }
  }
  refuse("access beyond global memory", p, bytes);
}

}  // namespace emulation
