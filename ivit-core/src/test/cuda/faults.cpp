/* Kernels with the faults that the emulation must notice. */
#include <stdlib.h>
#include <string.h>

#include <string>

#include "cluster.cuh"
#include "memory.h"
#include "platform.cuh"
#include "registry.h"

namespace {

struct FaultArguments {
  ivit::Global<const int8_t> in; /* 512 bytes that count up */
  ivit::Global<int32_t> out;     /* [32], 0 where all is well */
  ivit::TensorMap map;           /* of `in`, boxes of 4 rows */
};

using ivit::Shared;

void beyond_global(const FaultArguments &a) { a.out[(int)threadIdx.x + 1] = 0; }

void misaligned(const FaultArguments &a) {
  a.out[(int)threadIdx.x] = *ivit::as<const int32_t>(a.in + 2) & 0;
}

void beyond_shared(const FaultArguments &a) {
  Shared<unsigned char> memory = ivit::shared_memory();
  memory[512 * (int)(threadIdx.x / 31)] = 1;
  a.out[(int)threadIdx.x] = 0;
}

/* Reads what its neighbours write: without the barrier, some before they do. */
template <bool BARRIER>
void exchange(const FaultArguments &a) {
  int lane = (int)threadIdx.x;
  Shared<unsigned char> memory = ivit::shared_memory();
  memory[lane] = (unsigned char)lane;
  if (BARRIER) {
    ivit::block_barrier();
  }
  a.out[lane] = memory[lane ^ 1] ^ lane ^ 1;
}

/* Reads what it copied itself: without the wait, too early. */
template <bool WAIT>
void copy(const FaultArguments &a) {
  int lane = (int)threadIdx.x;
  Shared<unsigned char> memory = ivit::shared_memory();
  ivit::copy16(memory + 16 * lane, a.in + 16 * lane, true);
  ivit::copies_commit();
  if (WAIT) {
    ivit::copies_done<0>();
  }
  a.out[lane] = memory[16 * lane + 3] ^ (uint8_t)(16 * lane + 3);
}

void different_barriers(const FaultArguments &a) {
  if (threadIdx.x < 16) {
    ivit::warp_barrier();
  } else {
    ivit::block_barrier();
  }
  a.out[(int)threadIdx.x] = 0;
}

void unequal_products(const FaultArguments &a) {
  ivit::Accumulator c = {{0, 0, 0, 0}};
  if (threadIdx.x != 7) {
    ivit::multiply(c, ivit::Left{{1, 1, 1, 1}}, ivit::Right{{1, 1}});
  }
  ivit::products_done();
  a.out[(int)threadIdx.x] = 0;
}

/* A barrier of one arrival at the beginning of shared memory, behind it a place for boxes. */
Shared<uint64_t> phases_of_one() {
  Shared<uint64_t> barrier = ivit::as<uint64_t>(ivit::shared_memory());
  if (threadIdx.x == 0) {
    ivit::phases_init(barrier, 1);
  }
  ivit::cluster_barrier();
  return barrier;
}

/* Block 1 copies to both blocks, which read: without the wait, too early. */
template <bool WAIT>
void copy_to_cluster(const FaultArguments &a) {
  int lane = (int)threadIdx.x;
  Shared<uint64_t> barrier = phases_of_one();
  Shared<unsigned char> box = ivit::shared_memory() + 1024;
  if (lane == 0) {
    ivit::phases_expect(barrier, 512);
    if (ivit::cluster_rank() == 1) {
      ivit::copy_box_to_cluster(box, a.map, barrier, 0, 0);
    }
  }
  /* Byte 5 of row 2, whose chunks are swizzled by 2. */
  const int at = 2 * 128 + (2 << 4) + 5;
  int found = box[at];
  ivit::phases_wait(barrier, 0);
  found = WAIT ? box[at] : found;
  ivit::cluster_barrier();
  if (lane < 16) {
    a.out[16 * ivit::cluster_rank() + lane] = found ^ (uint8_t)(2 * 128 + 5);
  }
}

/* Beyond the matrix there are zeros. */
void copy_beyond(const FaultArguments &a) {
  Shared<uint64_t> barrier = phases_of_one();
  Shared<unsigned char> box = ivit::shared_memory() + 1024;
  if (threadIdx.x == 0) {
    ivit::phases_expect(barrier, 512);
    ivit::copy_box(box, a.map, barrier, 64, 3);
  }
  ivit::phases_wait(barrier, 0);
  int inside = box[7];
  int right = box[64 + 7];
  int below = box[128 + 7];
  ivit::cluster_barrier();
  a.out[(int)threadIdx.x] = inside ^ (3 * 128 + 64 + 7) % 256 ^ right ^ below;
}

void endless_phase(const FaultArguments &a) {
  Shared<uint64_t> barrier = phases_of_one();
  ivit::phases_wait(barrier, 0);
  a.out[(int)threadIdx.x] = 0;
}

void arrival_too_many(const FaultArguments &a) {
  Shared<uint64_t> barrier = phases_of_one();
  if (threadIdx.x == 0) {
    ivit::phases_expect(barrier, 512);
    ivit::phases_arrive(barrier, ivit::cluster_rank());
  }
  a.out[(int)threadIdx.x] = 0;
}

void copy_left_alone(const FaultArguments &a) {
  Shared<uint64_t> barrier = phases_of_one();
  if (threadIdx.x == 0) {
    ivit::phases_expect(barrier, 512);
    ivit::copy_box(ivit::shared_memory() + 1024, a.map, barrier, 0, 0);
  }
  a.out[(int)threadIdx.x] = 0;
}

/* A product of what is left in shared memory; operands are written again before or after the wait. */
template <bool WAIT>
void product_of_group(const FaultArguments &a) {
  ivit::Accumulator sums[2][1][16];
  ivit::group_multiply(sums, ivit::operand_of_128(0), ivit::operand_of_128(8192), false);
  ivit::group_commit();
  if (WAIT) {
    ivit::group_done(sums);
    emulation::group_barrier();
  }
  ivit::shared_memory()[8192 + (int)threadIdx.x] = 0;
  emulation::group_barrier();
  ivit::group_done(sums);
  if (threadIdx.x < 32) {
    a.out[(int)threadIdx.x] = sums[0][0][0].r[0] ^ 32 * 0x5a * 0x5a;
  }
}

void product_left_alone(const FaultArguments &a) {
  ivit::Accumulator sums[2][1][16];
  ivit::group_multiply(sums, ivit::operand_of_128(0), ivit::operand_of_128(8192), false);
  a.out[(int)threadIdx.x % 32] = 0;
}

/* An operand in the 64-byte swizzle. */
void product_otherwise(const FaultArguments &a) {
  ivit::Accumulator sums[2][1][16];
  uint64_t other = ivit::operand_of_128(0) ^ (uint64_t)3 << 62;
  ivit::group_multiply(sums, other, ivit::operand_of_128(8192), false);
  ivit::group_commit();
  ivit::group_done(sums);
  a.out[(int)threadIdx.x % 32] = 0;
}

/* Started beside the grid in front. */
template <bool WAIT>
void depend(const FaultArguments &a) {
  if (WAIT) {
    ivit::await_previous_grid();
  }
  a.out[(int)threadIdx.x] = 0;
}

void skip_dependency(const FaultArguments &a) {
  if (threadIdx.x != 3) {
    ivit::await_previous_grid();
    a.out[(int)threadIdx.x] = 0;
  }
}

template <void (*body)(const FaultArguments &)>
void call(const void *arguments) {
  body(*(const FaultArguments *)arguments);
}

#define FAULT(name, ...) \
  emulation::Kernel { name, 32, sizeof(FaultArguments), call<__VA_ARGS__> }

#define CLUSTER_FAULT(name, ...) \
  emulation::Kernel { name, 32, sizeof(FaultArguments), call<__VA_ARGS__>, ivit::CLUSTER_BLOCKS }

#define GROUP_FAULT(name, ...) \
  emulation::Kernel { name, 128, sizeof(FaultArguments), call<__VA_ARGS__> }

const emulation::Kernel faults[] = {
    FAULT("beyond global", beyond_global),
    FAULT("misaligned", misaligned),
    FAULT("beyond shared", beyond_shared),
    FAULT("no barrier", exchange<false>),
    FAULT("barrier", exchange<true>),
    FAULT("no wait", copy<false>),
    FAULT("wait", copy<true>),
    FAULT("different barriers", different_barriers),
    FAULT("unequal products", unequal_products),
    CLUSTER_FAULT("no phase", copy_to_cluster<false>),
    CLUSTER_FAULT("phase", copy_to_cluster<true>),
    CLUSTER_FAULT("beyond the matrix", copy_beyond),
    CLUSTER_FAULT("endless phase", endless_phase),
    CLUSTER_FAULT("arrival too many", arrival_too_many),
    CLUSTER_FAULT("copy left alone", copy_left_alone),
    GROUP_FAULT("operand written early", product_of_group<false>),
    GROUP_FAULT("operand written after", product_of_group<true>),
    GROUP_FAULT("product left alone", product_left_alone),
    GROUP_FAULT("operand of another swizzle", product_otherwise),
    FAULT("beside: no dependency", depend<false>),
    FAULT("beside: dependency", depend<true>),
    FAULT("beside: skipped dependency", skip_dependency),
};

std::string run(const emulation::Kernel &fault) {
  int8_t *in = (int8_t *)emulation::allocate(512);
  int32_t *out = (int32_t *)emulation::allocate(32 * sizeof(int32_t));
  for (int i = 0; i < 512; i++) {
    in[i] = (int8_t)i;
  }
  FaultArguments arguments = {{in}, {out}, {}};
  std::string error = emulation::encode_map(&arguments.map, in, 128, 4, 128, 128, 4);
  bool beside = strncmp(fault.name, "beside", 6) == 0;
  bool simple = fault.threads == 32 && fault.cluster == 1;
  if (error.empty()) {
    error = emulation::run_grid(
        fault, Index3{(unsigned)fault.cluster, 1, 1}, fault.threads, simple ? 512 : 48 * 1024,
        &arguments, beside ? emulation::Start::BESIDE : emulation::Start::AFTER);
  }
  for (int i = 0; i < 32 && error.empty(); i++) {
    if (out[i] != 0) {
      error = "wrong result";
    }
  }
  emulation::release(in);
  emulation::release(out);
  return error;
}

}  // namespace

/* Returns what was noticed in a kernel, or null. */
extern "C" __attribute__((visibility("default"))) const char *emulator_fault(const char *name) {
  std::lock_guard<std::mutex> lock(emulation::mutex);
  thread_local std::string found;
  for (const emulation::Kernel &fault : faults) {
    if (strcmp(fault.name, name) == 0) {
      found = run(fault);
      return found.empty() ? nullptr : found.c_str();
    }
  }
  return "no such kernel";
}
