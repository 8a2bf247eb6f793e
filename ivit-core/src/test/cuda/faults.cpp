/* Kernels with the faults that the emulation must notice. */
#include <stdlib.h>
#include <string.h>

#include <string>

#include "memory.h"
#include "platform.cuh"
#include "registry.h"

namespace {

struct FaultArguments {
  ivit::Global<const int8_t> in; /* 512 bytes that count up */
  ivit::Global<int32_t> out;     /* [32], 0 where all is well */
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
  FaultArguments arguments = {{in}, {out}};
  bool beside = strncmp(fault.name, "beside", 6) == 0;
  std::string error = emulation::run_grid(
      fault, Index3{1, 1, 1}, 32, 512, &arguments,
      beside ? emulation::Start::BESIDE : emulation::Start::AFTER);
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
