/* The interface of the driver that the Java host code needs, over emulated kernels. */
#include <string.h>

#include <string>

#include "cluster.h"
#include "cluster.cuh"
#include "divide.cuh"
#include "memory.h"
#include "registry.h"
#include "root.cuh"

namespace {

thread_local std::string error;

/* Returns null after success, otherwise a message that stays until the thread's next call. */
const char *result(const std::string &message) {
  error = message;
  return error.empty() ? nullptr : error.c_str();
}

template <typename Body>
const char *checked(Body body) {
  std::lock_guard<std::mutex> lock(emulation::mutex);
  try {
    return result(body());
  } catch (const std::string &message) {
    return result(message);
  }
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT void *emulator_allocate(int64_t bytes) {
  std::lock_guard<std::mutex> lock(emulation::mutex);
  return emulation::allocate((size_t)bytes);
}

EXPORT const char *emulator_free(void *address) {
  return checked([=] {
    return emulation::release(address) ? std::string() : std::string("free: no such allocation");
  });
}

EXPORT const char *emulator_write(char *to, const void *from, int64_t bytes) {
  return checked([=] {
    emulation::check_global(to, (size_t)bytes, 1);
    memcpy(to, from, (size_t)bytes);
    return std::string();
  });
}

EXPORT const char *emulator_read(void *to, const char *from, int64_t bytes) {
  return checked([=] {
    emulation::check_global(from, (size_t)bytes, 1);
    memcpy(to, from, (size_t)bytes);
    return std::string();
  });
}

EXPORT const char *emulator_launch(
    const char *name, int x, int y, int z, int block, int shared_bytes, const void *arguments,
    int argument_bytes, int beside) {
  return checked([=] {
    const emulation::Kernel *kernel = emulation::kernel(name);
    if (kernel == nullptr) {
      return std::string("no kernel ") + name;
    }
    if (kernel->argument_bytes != (size_t)argument_bytes) {
      return std::string(name) + ": " + std::to_string(argument_bytes)
          + " bytes of arguments, expected " + std::to_string(kernel->argument_bytes);
    }
    return emulation::run_grid(
        *kernel, Index3{(unsigned)x, (unsigned)y, (unsigned)z}, block, (size_t)shared_bytes,
        arguments, beside != 0 ? emulation::Start::BESIDE : emulation::Start::AFTER);
  });
}

/* To `map`, 128 bytes, as the driver encodes a matrix for copies of boxes. */
EXPORT const char *emulator_map(
    unsigned char *map, const char *address, int64_t width, int64_t rows, int64_t stride,
    int box_width, int box_rows) {
  alignas(64) unsigned char encoded[128];
  error = emulation::encode_map(
      encoded, address, (uint64_t)width, (uint64_t)rows, (uint64_t)stride, (uint32_t)box_width,
      (uint32_t)box_rows);
  memcpy(map, encoded, sizeof encoded);
  return result(error);
}

EXPORT int emulator_kernels(const char **names, int most) {
  int count = 0;
  while (count < most && emulation::kernel(count) != nullptr) {
    names[count] = emulation::kernel(count)->name;
    count++;
  }
  return count;
}

EXPORT uint64_t emulator_operand_of_128(uint32_t address) {
  return ivit::operand_of_128(address);
}

/* Exact integer methods by themselves. */
EXPORT uint32_t emulator_divide_most(uint32_t d) { return ivit::divide_most(d); }

EXPORT uint32_t emulator_square_root(uint64_t v) { return ivit::square_root(v); }

EXPORT uint32_t emulator_divide(uint32_t n, uint32_t multiplier, uint32_t shift) {
  return ivit::divide(n, ivit::Divisor{multiplier, shift});
}
