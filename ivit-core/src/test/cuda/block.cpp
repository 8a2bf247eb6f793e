/*
 * One block at a time, or the blocks of one cluster: threads are fibers that run from barrier to
 * barrier, in rising or falling order by turns, so that a missing barrier shows.
 */
#include <string.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "block.h"
#include "cluster.h"
#include "emulation.h"
#include "fiber.h"

Index3 threadIdx, blockIdx, blockDim, gridDim;

namespace emulation {

bool must_wait;

namespace {

const int WARP = 32;
const int GROUP = 128;

enum class Type { SIGNED, LEFT_UNSIGNED, TF32, BF16 };

struct Product {
  Type type;
  int32_t *sums; /* of integers, or null */
  float *real_sums;
  uint32_t a[4];
  uint32_t b[2];
};

struct Copy {
  unsigned char *to;
  const int8_t *from;
  bool valid;
};

enum class Waiting { NOT, WARP, GROUP, BLOCK, CLUSTER, PHASE };

struct Thread {
  Fiber fiber;
  Waiting waiting;
  std::vector<Product> products;
  std::vector<std::vector<Copy>> copies;
  uint32_t shuffled[2];
  int shuffles;
  const void *barrier; /* that a phase of some parity is awaited of */
  int parity;
  bool must_wait;
};

std::vector<std::unique_ptr<Thread>> threads;
int block_threads;
int thread_count; /* of all blocks that run together */
int current;
std::vector<unsigned char> shared;
unsigned char *shared_begin;
size_t shared_bytes;
size_t shared_stride; /* from one block's to the next one's */
Index3 first_block;
const Kernel *kernel;
const void *arguments;
bool beside;
std::string failure;

Thread &self() { return *threads[(size_t)current]; }

void body() {
  try {
    kernel->run(arguments);
    if (must_wait) {
      throw std::string("a thread ended before the grid in front");
    }
    if (!self().copies.empty() && !self().copies.back().empty()) {
      throw std::string("a thread ended with copies that nobody waited for");
    }
    if (products_under_way()) {
      throw std::string("a thread ended with products that nobody waited for");
    }
  } catch (const std::string &message) {
    failure = std::string(kernel->name) + ", block " + std::to_string(blockIdx.x) + " "
        + std::to_string(blockIdx.y) + " " + std::to_string(blockIdx.z) + ", thread "
        + std::to_string(threadIdx.x) + ": " + message;
  }
}

void run(int thread) {
  current = thread;
  threadIdx.x = (unsigned)(thread % block_threads);
  blockIdx = Index3{first_block.x + (unsigned)block_rank(), first_block.y, first_block.z};
  must_wait = self().must_wait;
  self().fiber.resume();
  must_wait = false;
}

void wait(Waiting what) {
  self().waiting = what;
  self().fiber.yield();
}

/* Of integers, all lanes' shares together. */
void compute_integers(int first, size_t number) {
  int16_t a[16][32];
  int16_t b[8][32];
  for (int lane = 0; lane < WARP; lane++) {
    const Product &p = threads[(size_t)(first + lane)]->products[number];
    for (int k = 0; k < 16; k++) {
      uint32_t byte = p.a[k / 4] >> (8 * (k % 4)) & 255u;
      int row = lane / 4 + (k / 4 % 2) * 8;
      int column = lane % 4 * 4 + k % 4 + (k / 8) * 16;
      a[row][column] =
          p.type == Type::LEFT_UNSIGNED ? (int16_t)byte : (int16_t)(int8_t)byte;
    }
    for (int k = 0; k < 8; k++) {
      b[lane / 4][lane % 4 * 4 + k % 4 + (k / 4) * 16] =
          (int16_t)(int8_t)(p.b[k / 4] >> (8 * (k % 4)) & 255u);
    }
  }
  for (int lane = 0; lane < WARP; lane++) {
    int32_t *c = threads[(size_t)(first + lane)]->products[number].sums;
    for (int k = 0; k < 4; k++) {
      const int16_t *row = a[lane / 4 + (k / 2) * 8];
      const int16_t *column = b[lane % 4 * 2 + k % 2];
      int32_t sum = 0;
      for (int i = 0; i < 32; i++) {
        sum += row[i] * column[i];
      }
      c[k] = (int32_t)((uint32_t)c[k] + (uint32_t)sum);
    }
  }
}

/* A part of a word as a tensor core reads it: tf32 without its last 13 bits, or half a word. */
float real(uint32_t word, Type type, int part) {
  uint32_t bits = type == Type::TF32 ? word & 0xffffe000u
      : part == 0                    ? word << 16
                                     : word & 0xffff0000u;
  float v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

/* Of reals; products are exact, sums are rounded in the order of K. */
void compute_reals(int first, size_t number) {
  float a[16][16];
  float b[8][16];
  Type type = threads[(size_t)first]->products[number].type;
  int parts = type == Type::TF32 ? 1 : 2;
  for (int lane = 0; lane < WARP; lane++) {
    const Product &p = threads[(size_t)(first + lane)]->products[number];
    for (int part = 0; part < parts; part++) {
      for (int k = 0; k < 4; k++) {
        int column = (lane % 4 + k / 2 * 4) * parts + part;
        a[lane / 4 + k % 2 * 8][column] = real(p.a[k], type, part);
      }
      for (int k = 0; k < 2; k++) {
        b[lane / 4][(lane % 4 + k * 4) * parts + part] = real(p.b[k], type, part);
      }
    }
  }
  for (int lane = 0; lane < WARP; lane++) {
    float *c = threads[(size_t)(first + lane)]->products[number].real_sums;
    for (int k = 0; k < 4; k++) {
      const float *row = a[lane / 4 + k / 2 * 8];
      const float *column = b[lane % 4 * 2 + k % 2];
      for (int i = 0; i < 8 * parts; i++) {
        c[k] += row[i] * column[i];
      }
    }
  }
}

void compute(int first, size_t number) {
  if (threads[(size_t)first]->products[number].sums != nullptr) {
    compute_integers(first, number);
  } else {
    compute_reals(first, number);
  }
}

void finish_products(int first) {
  size_t count = threads[(size_t)first]->products.size();
  for (int lane = 1; lane < WARP; lane++) {
    if (threads[(size_t)(first + lane)]->products.size() != count) {
      failure = std::string(kernel->name) + ": lanes of a warp multiplied unequally often";
      return;
    }
  }
  for (size_t i = 0; i < count; i++) {
    compute(first, i);
  }
  for (int lane = 0; lane < WARP; lane++) {
    threads[(size_t)(first + lane)]->products.clear();
  }
}

/* How many of a warp wait for something; those that ended wait for everything. */
int waiting(int first, Waiting what) {
  int count = 0;
  for (int lane = 0; lane < WARP; lane++) {
    Thread &t = *threads[(size_t)(first + lane)];
    count += t.fiber.ended() || t.waiting == what ? 1 : 0;
  }
  return count;
}

bool warp_ended(int first) {
  for (int lane = 0; lane < WARP; lane++) {
    if (!threads[(size_t)(first + lane)]->fiber.ended()) {
      return false;
    }
  }
  return true;
}

void release(int first) {
  for (int lane = 0; lane < WARP; lane++) {
    threads[(size_t)(first + lane)]->waiting = Waiting::NOT;
  }
}

bool can_run(const Thread &t) {
  return !t.fiber.ended()
      && (t.waiting == Waiting::NOT
          || (t.waiting == Waiting::PHASE && phase_ended(t.barrier, t.parity)));
}

/* Whether some thread of a warp waits for a phase: others may go on then only after it. */
bool waits_for_phase(int first) {
  return std::any_of(threads.begin() + first, threads.begin() + first + WARP, [](auto &t) {
    return !t->fiber.ended() && t->waiting == Waiting::PHASE;
  });
}

/* Runs a warp until all its threads wait for more than each other. Whether any of them ran. */
bool run_warp(int first, bool falling) {
  bool moved = false;
  while (failure.empty()) {
    for (int i = 0; i < WARP && failure.empty(); i++) {
      int thread = first + (falling ? WARP - 1 - i : i);
      Thread &t = *threads[(size_t)thread];
      if (can_run(t)) {
        t.waiting = Waiting::NOT;
        run(thread);
        moved = true;
      }
    }
    if (!failure.empty() || waits_for_phase(first)) {
      break;
    }
    finish_products(first);
    if (warp_ended(first) || waiting(first, Waiting::BLOCK) == WARP
        || waiting(first, Waiting::GROUP) == WARP || waiting(first, Waiting::CLUSTER) == WARP) {
      break;
    }
    if (waiting(first, Waiting::WARP) != WARP) {
      failure = std::string(kernel->name) + ": lanes of a warp wait at different barriers";
      break;
    }
    release(first);
    moved = true;
  }
  return moved;
}

/* Lets threads go on that have all come to a barrier; whether they had. */
bool pass(int first, int count, Waiting barrier) {
  bool any = false;
  for (int i = first; i < first + count; i++) {
    const Thread &t = *threads[(size_t)i];
    if (!t.fiber.ended()) {
      if (t.waiting != barrier) {
        return false;
      }
      any = true;
    }
  }
  for (int i = first; i < first + count; i += WARP) {
    release(i);
  }
  return any;
}

bool pass_barriers() {
  bool passed = pass(0, thread_count, Waiting::CLUSTER);
  for (int i = 0; i < thread_count; i += block_threads) {
    passed |= pass(i, block_threads, Waiting::BLOCK);
    for (int j = i; j + GROUP <= i + block_threads; j += GROUP) {
      passed |= pass(j, GROUP, Waiting::GROUP);
    }
  }
  return passed;
}

/* The blocks that run together. */
void run_blocks(bool falling) {
  begin_cluster(thread_count);
  for (int i = 0; i < thread_count; i++) {
    Thread &t = *threads[(size_t)i];
    t.waiting = Waiting::NOT;
    t.products.clear();
    t.copies.assign(1, {});
    t.shuffles = 0;
    t.must_wait = beside;
    t.fiber.start(body);
  }
  memset(shared_begin, 0x5a, shared_stride * (size_t)(thread_count / block_threads));
  int warps = thread_count / WARP;
  bool running = true;
  while (running && failure.empty()) {
    running = false;
    bool moved = false;
    for (int i = 0; i < warps && failure.empty(); i++) {
      int first = (falling ? warps - 1 - i : i) * WARP;
      if (!warp_ended(first)) {
        moved |= run_warp(first, falling);
        running = true;
      }
    }
    if (failure.empty() && running && !pass_barriers() && !moved && !finish_copy()) {
      failure = std::string(kernel->name) + ": threads wait for what nobody does";
    }
  }
  if (failure.empty() && !left_undone().empty()) {
    failure = std::string(kernel->name) + ": " + left_undone();
  }
}

}  // namespace

void check_shared(const void *pointer, size_t bytes, size_t alignment) {
  const unsigned char *p = (const unsigned char *)pointer;
  const unsigned char *begin = shared_memory();
  if ((uintptr_t)p % alignment != 0 || p < begin || p + bytes > begin + shared_bytes) {
    throw std::string("access to shared memory at ") + std::to_string(p - begin) + " of "
        + std::to_string(bytes) + " bytes aligned to " + std::to_string(alignment) + ", there are "
        + std::to_string(shared_bytes);
  }
}

int thread_number() { return current; }

bool block_ended(int rank) {
  for (int i = rank * block_threads; i < (rank + 1) * block_threads; i += WARP) {
    if (!warp_ended(i)) {
      return false;
    }
  }
  return true;
}

int block_rank() { return current / block_threads; }

unsigned char *shared_of(int rank) { return shared_begin + shared_stride * (size_t)rank; }

unsigned char *shared_memory() { return shared_of(block_rank()); }

void await_previous_grid() {
  must_wait = false;
  self().must_wait = false;
}

void block_barrier() { wait(Waiting::BLOCK); }

void warp_barrier() { wait(Waiting::WARP); }

void group_barrier() { wait(Waiting::GROUP); }

void cluster_barrier() { wait(Waiting::CLUSTER); }

void phases_wait(void *barrier, int parity) {
  if (!phase_ended(barrier, parity)) {
    self().barrier = barrier;
    self().parity = parity;
    wait(Waiting::PHASE);
  }
}

uint32_t shuffle_xor(uint32_t value, int lanes) {
  int slot = self().shuffles++ % 2;
  self().shuffled[slot] = value;
  warp_barrier();
  return threads[(size_t)(current ^ lanes)]->shuffled[slot];
}

void multiply(int32_t *c, const uint32_t *a, const uint32_t *b, bool left_unsigned) {
  Type type = left_unsigned ? Type::LEFT_UNSIGNED : Type::SIGNED;
  self().products.push_back(Product{type, c, nullptr, {a[0], a[1], a[2], a[3]}, {b[0], b[1]}});
}

void multiply_tf32(float *c, const uint32_t *a, const uint32_t *b) {
  self().products.push_back(
      Product{Type::TF32, nullptr, c, {a[0], a[1], a[2], a[3]}, {b[0], b[1]}});
}

void multiply_bf16(float *c, const uint32_t *a, const uint32_t *b) {
  self().products.push_back(
      Product{Type::BF16, nullptr, c, {a[0], a[1], a[2], a[3]}, {b[0], b[1]}});
}

void copy16(unsigned char *to, const int8_t *from, bool valid) {
  check_shared(to, 16, 16);
  if (valid) {
    check_global(from, 16, 16);
  }
  memset(to, 0xcc, 16);
  self().copies.back().push_back(Copy{to, from, valid});
}

void copies_commit() { self().copies.emplace_back(); }

void copies_done(int under_way) {
  /* The last list is of copies that are not yet a group. */
  std::vector<std::vector<Copy>> &groups = self().copies;
  while ((int)groups.size() - 1 > under_way) {
    for (const Copy &copy : groups.front()) {
      if (copy.valid) {
        memcpy(copy.to, copy.from, 16);
      } else {
        memset(copy.to, 0, 16);
      }
    }
    groups.erase(groups.begin());
  }
}

std::string run_grid(
    const Kernel &k, Index3 grid, int block, size_t bytes, const void *argument_bytes, Start start) {
  if (block < WARP || block > k.threads || block % WARP != 0) {
    return std::string(k.name) + ": " + std::to_string(block) + " threads a block, expected whole"
        + " warps of at most " + std::to_string(k.threads);
  }
  if (grid.x % (unsigned)k.cluster != 0) {
    return std::string(k.name) + ": " + std::to_string(grid.x) + " blocks, expected whole clusters";
  }
  block_threads = block;
  thread_count = block * k.cluster;
  while ((int)threads.size() < thread_count) {
    threads.push_back(std::make_unique<Thread>());
  }
  /* Copies of boxes need places at multiples of 1024. */
  const size_t alignment = 1024;
  shared_stride = (bytes + alignment - 1) / alignment * alignment;
  shared.resize(shared_stride * (size_t)k.cluster + alignment);
  shared_begin =
      (unsigned char *)(((uintptr_t)shared.data() + alignment - 1) & ~(uintptr_t)(alignment - 1));
  shared_bytes = bytes;
  kernel = &k;
  arguments = argument_bytes;
  beside = start == Start::BESIDE;
  failure.clear();
  gridDim = grid;
  blockDim = Index3{(unsigned)block, 1, 1};
  threadIdx = Index3{0, 0, 0};
  static bool falling = false;
  for (unsigned z = 0; z < grid.z; z++) {
    for (unsigned y = 0; y < grid.y; y++) {
      for (unsigned x = 0; x < grid.x && failure.empty(); x += (unsigned)k.cluster) {
        first_block = Index3{x, y, z};
        falling = !falling;
        run_blocks(falling);
      }
    }
  }
  return failure;
}

}  // namespace emulation
