#include "cluster.h"

#include <string.h>

#include <deque>
#include <map>
#include <vector>

#include "emulation.h"

namespace emulation {

namespace {

enum { SWIZZLE_BYTES = 128, CHUNK = 16 };

const uint64_t ENCODED = 0x6d61702d32642d38ull;

struct Phases {
  int arrivals;
  int missing;
  int64_t bytes; /* announced, and not arrived; below zero where they arrived first */
  int ended;
};

struct Map {
  uint64_t encoded; /* ENCODED */
  const int8_t *address;
  uint64_t width, rows, stride;
  uint32_t box_width, box_rows;
};

struct Box {
  Map map;
  size_t to, barrier; /* offsets in shared memory */
  int rank, x, y;
};

struct Product {
  int32_t *sums;
  uint64_t rows, columns;
  bool add;
};

std::map<const void *, Phases> barriers;
std::deque<Box> boxes;
std::vector<std::vector<std::vector<Product>>> products;
bool newest_first;

Phases &phases_at(const void *barrier) {
  auto found = barriers.find(barrier);
  if (found == barriers.end()) {
    throw std::string("a barrier that nobody initialised");
  }
  return found->second;
}

void end_phase(Phases &p) {
  if (p.missing == 0 && p.bytes == 0) {
    p.missing = p.arrivals;
    p.ended++;
  }
}

void check_block(int rank) {
  if (block_ended(rank)) {
    throw std::string("something came to a block of the cluster that had ended");
  }
}

void arrive(Phases &p) {
  if (p.missing == 0) {
    throw std::string("more arrivals at a barrier than it waits for");
  }
  p.missing--;
  end_phase(p);
}

/* Bits 4 to 6 of an address by bits 7 to 9. */
size_t swizzled(size_t offset) { return offset ^ ((offset >> 7 & 7) << 4); }

/* 16 bytes of an operand: `row` of it, from a byte along K on. */
const int8_t *chunk_of(uint64_t operand, int row, int k) {
  const uint64_t fields = 0xc00e3fff3fff3fffull;
  if ((operand & ~fields) != 0 || operand >> 62 != 1 || (operand >> 49 & 7) != 0) {
    throw std::string("an operand of wgmma that is not swizzled by 128 bytes: ")
        + std::to_string(operand);
  }
  size_t begin = (size_t)(operand & 0x3fff) << 4;
  size_t group = (size_t)(operand >> 32 & 0x3fff) << 4;
  size_t at = begin + (size_t)(row / 8) * group + (size_t)(row % 8 * SWIZZLE_BYTES + k);
  const unsigned char *p = shared_memory() + swizzled(at);
  check_shared(p, CHUNK, CHUNK);
  return (const int8_t *)p;
}

int32_t dot(const int8_t *a, const int8_t *b) {
  int32_t sum = 0;
  for (int i = 0; i < CHUNK; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

/* A thread's share: of each 8 columns two, in two rows of its warp's 16. */
void compute(const Product &p) {
  int warp = thread_number() / 32 % 4;
  int lane = thread_number() % 32;
  for (int half = 0; half < 2; half++) {
    int row = warp * 16 + lane / 4 + 8 * half;
    const int8_t *a[2] = {chunk_of(p.rows, row, 0), chunk_of(p.rows, row, CHUNK)};
    for (int i = 0; i < 64; i++) {
      int column = i / 2 * 8 + lane % 4 * 2 + i % 2;
      int32_t &sum = p.sums[i / 2 * 4 + half * 2 + i % 2];
      int32_t found = dot(a[0], chunk_of(p.columns, column, 0))
          + dot(a[1], chunk_of(p.columns, column, CHUNK));
      sum = (int32_t)((p.add ? (uint32_t)sum : 0u) + (uint32_t)found);
    }
  }
}

void copy(const Box &box) {
  unsigned char *shared = shared_of(box.rank);
  for (uint32_t r = 0; r < box.map.box_rows; r++) {
    uint64_t row = (uint64_t)box.y + r;
    for (uint32_t c = 0; c < box.map.box_width; c++) {
      uint64_t column = (uint64_t)box.x + c;
      bool inside = box.x >= 0 && box.y >= 0 && column < box.map.width && row < box.map.rows;
      const int8_t *from = box.map.address + row * box.map.stride + column;
      if (inside) {
        check_global(from, 1, 1);
      }
      shared[swizzled(box.to + r * box.map.box_width + c)] = inside ? (unsigned char)*from : 0;
    }
  }
  Phases &p = phases_at(shared + box.barrier);
  p.bytes -= (int64_t)box.map.box_width * box.map.box_rows;
  end_phase(p);
}

}  // namespace

void phases_init(void *barrier, int arrivals) {
  check_shared(barrier, 8, 8);
  barriers[barrier] = Phases{arrivals, arrivals, 0, 0};
}

void phases_expect(void *barrier, int bytes) {
  Phases &p = phases_at(barrier);
  p.bytes += bytes;
  arrive(p);
}

void phases_arrive(void *barrier, int rank) {
  check_block(rank);
  arrive(phases_at(shared_of(rank) + ((unsigned char *)barrier - shared_memory())));
}

bool phase_ended(const void *barrier, int parity) {
  return (phases_at(barrier).ended & 1) != parity;
}

std::string encode_map(
    void *map, const void *address, uint64_t width, uint64_t rows, uint64_t stride,
    uint32_t box_width, uint32_t box_rows) {
  if ((uintptr_t)map % 64 != 0 || (uintptr_t)address % 16 != 0 || stride % 16 != 0) {
    return "a map at 64 bytes, of a matrix at 16 bytes with rows at 16 bytes";
  }
  if (width == 0 || width > stride || rows == 0 || rows >> 32 != 0 || stride >> 40 != 0) {
    return "a matrix that has bytes and rows, and rows that do not overlap";
  }
  if (box_width != SWIZZLE_BYTES || box_rows == 0 || box_rows > 256) {
    return "boxes of 128 bytes and at most 256 rows";
  }
  Map encoded = {
      ENCODED, (const int8_t *)address, width, rows, stride, box_width, box_rows};
  memset(map, 0, 128);
  memcpy(map, &encoded, sizeof encoded);
  return "";
}

void copy_box(void *to, const void *map, void *barrier, int x, int y, int first, int last) {
  Box box;
  memcpy(&box.map, map, sizeof box.map);
  if (box.map.encoded != ENCODED || (uintptr_t)map % 64 != 0) {
    throw std::string("a copy by a map that was not encoded, or does not lie at 64 bytes");
  }
  size_t bytes = (size_t)box.map.box_width * box.map.box_rows;
  check_shared(to, bytes, 1024);
  box.to = (size_t)((unsigned char *)to - shared_memory());
  box.barrier = (size_t)((unsigned char *)barrier - shared_memory());
  box.x = x;
  box.y = y;
  for (int rank = first; rank <= last; rank++) {
    memset(shared_of(rank) + box.to, 0xcc, bytes);
    box.rank = rank;
    boxes.push_back(box);
  }
}

bool finish_copy() {
  if (boxes.empty()) {
    return false;
  }
  Box box = newest_first ? boxes.back() : boxes.front();
  if (newest_first) {
    boxes.pop_back();
  } else {
    boxes.pop_front();
  }
  copy(box);
  return true;
}

void group_multiply(int32_t *sums, uint64_t rows, uint64_t columns, bool add) {
  products[(size_t)thread_number()].back().push_back(Product{sums, rows, columns, add});
}

void group_commit() { products[(size_t)thread_number()].emplace_back(); }

void group_done(int under_way) {
  /* The last list is of products that are not yet a group. */
  std::vector<std::vector<Product>> &groups = products[(size_t)thread_number()];
  while ((int)groups.size() - 1 > under_way) {
    for (const Product &p : groups.front()) {
      compute(p);
    }
    groups.erase(groups.begin());
  }
}

bool products_under_way() {
  const std::vector<std::vector<Product>> &groups = products[(size_t)thread_number()];
  return groups.size() > 1 || !groups.back().empty();
}

void begin_cluster(int threads) {
  barriers.clear();
  boxes.clear();
  products.assign((size_t)threads, std::vector<std::vector<Product>>(1));
  newest_first = !newest_first;
}

std::string left_undone() { return boxes.empty() ? "" : "ended before all copies had arrived"; }

}  // namespace emulation
