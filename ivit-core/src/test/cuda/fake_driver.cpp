/*
 * The functions of the CUDA driver that IVIT calls, with their types, over the emulation: so the host
 * code for a GPU, the capture of graphs and the order of its calls run without one. A test sets what
 * the driver says of itself and which call fails.
 */
#include <stdlib.h>
#include <string.h>

#include <chrono>
#include <string>
#include <vector>

#include "memory.h"
#include "registry.h"

namespace {

enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_FOUND = 500, LAUNCH_FAILED = 719 };

struct Launch {
  const emulation::Kernel *kernel;
  Index3 grid;
  int block;
  size_t shared_bytes;
  std::vector<unsigned char> arguments;
};

using Graph = std::vector<Launch>;

struct Stream {
  bool capturing = false;
  Graph captured;
};

struct Event {
  std::chrono::steady_clock::time_point recorded;
};

struct Settings {
  int version = 13000;
  int devices = 1;
  int capability = 90;
  std::string failing;
};

Settings settings;
int live;
thread_local const void *current;

int fails(const char *call) {
  return settings.failing == call ? OUT_OF_MEMORY : SUCCESS;
}

/* The thread must have set the context that was retained. */
int ready(const char *call) { return current == nullptr ? 201 : fails(call); }

template <typename T>
int give(void **to, T *object) {
  *to = object;
  live++;
  return SUCCESS;
}

template <typename T>
int take(T *object) {
  delete object;
  live--;
  return SUCCESS;
}

int run(const Launch &launch) {
  std::string error = emulation::run_grid(
      *launch.kernel, launch.grid, launch.block, launch.shared_bytes, launch.arguments.data());
  return error.empty() ? SUCCESS : LAUNCH_FAILED;
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))
#define LOCKED std::lock_guard<std::mutex> lock(emulation::mutex)
#define READY(call)                \
  LOCKED;                          \
  if (int error = ready(call)) {   \
    return error;                  \
  }

/* Sets what the driver is, and the call that fails from now on; empty for none. */
EXPORT void fake_driver_set(int version, int devices, int capability, const char *failing) {
  LOCKED;
  settings = Settings{version, devices, capability, failing};
}

/* Contexts, modules, streams, graphs and memory that were not given back. */
EXPORT int fake_driver_live() {
  LOCKED;
  return live;
}

EXPORT int cuInit(unsigned) { return fails("cuInit"); }

EXPORT int cuDriverGetVersion(int *version) {
  *version = settings.version;
  return fails("cuDriverGetVersion");
}

EXPORT int cuDeviceGetCount(int *count) {
  *count = settings.devices;
  return fails("cuDeviceGetCount");
}

EXPORT int cuDeviceGet(int *device, int ordinal) {
  *device = 40 + ordinal;
  return fails("cuDeviceGet");
}

EXPORT int cuDeviceGetName(char *name, int length, int) {
  strncpy(name, "Emulated GPU", (size_t)length);
  return fails("cuDeviceGetName");
}

EXPORT int cuDeviceGetAttribute(int *value, int attribute, int device) {
  if (device < 40) {
    return INVALID_VALUE;
  }
  *value = attribute == 16 ? 6
      : attribute == 75    ? settings.capability / 10
      : attribute == 76    ? settings.capability % 10
      : attribute == 97    ? 99 * 1024
                           : -1;
  return fails("cuDeviceGetAttribute");
}

EXPORT int cuDevicePrimaryCtxRetain(void **context, int) {
  LOCKED;
  int error = fails("cuDevicePrimaryCtxRetain");
  return error != SUCCESS ? error : give(context, new int());
}

/* The object is kept: a thread may still have it set. */
EXPORT int cuDevicePrimaryCtxRelease_v2(int) {
  LOCKED;
  live--;
  return fails("cuDevicePrimaryCtxRelease_v2");
}

EXPORT int cuCtxSetCurrent(void *context) {
  current = context;
  return fails("cuCtxSetCurrent");
}

EXPORT int cuModuleLoadData(void **module, const unsigned char *image) {
  READY("cuModuleLoadData");
  bool known = memcmp(image, "\177ELF", 4) == 0 || memcmp(image, "//\n", 3) == 0;
  return known ? give(module, new int()) : 200;
}

EXPORT int cuModuleUnload(int *module) {
  READY("cuModuleUnload");
  return take(module);
}

EXPORT int cuModuleGetFunction(const void **function, void *, const char *name) {
  READY("cuModuleGetFunction");
  *function = emulation::kernel(name);
  return *function == nullptr ? NOT_FOUND : SUCCESS;
}

EXPORT int cuFuncSetAttribute(void *, int attribute, int) {
  READY("cuFuncSetAttribute");
  return attribute == 8 ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  READY("cuMemAlloc_v2");
  *address = (uint64_t)emulation::allocate(bytes);
  live++;
  return SUCCESS;
}

EXPORT int cuMemFree_v2(uint64_t address) {
  READY("cuMemFree_v2");
  live--;
  return emulation::release((void *)address) ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuMemHostAlloc(void **host, size_t bytes, unsigned) {
  READY("cuMemHostAlloc");
  *host = malloc(bytes);
  live++;
  return SUCCESS;
}

EXPORT int cuMemFreeHost(void *host) {
  READY("cuMemFreeHost");
  free(host);
  live--;
  return SUCCESS;
}

static int copy(void *to, const void *from, size_t bytes, const void *device) {
  try {
    emulation::check_global(device, bytes, 1);
  } catch (const std::string &) {
    return INVALID_VALUE;
  }
  memcpy(to, from, bytes);
  return SUCCESS;
}

EXPORT int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) {
  READY("cuMemcpyHtoD_v2");
  return copy((void *)to, from, bytes, (void *)to);
}

EXPORT int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, Stream *) {
  READY("cuMemcpyHtoDAsync_v2");
  return copy((void *)to, from, bytes, (void *)to);
}

EXPORT int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, Stream *) {
  READY("cuMemcpyDtoHAsync_v2");
  return copy(to, (void *)from, bytes, (void *)from);
}

EXPORT int cuStreamCreate(void **stream, unsigned flags) {
  READY("cuStreamCreate");
  return flags == 1 ? give(stream, new Stream()) : INVALID_VALUE;
}

EXPORT int cuStreamSynchronize(Stream *) {
  READY("cuStreamSynchronize");
  return SUCCESS;
}

EXPORT int cuStreamDestroy_v2(Stream *stream) {
  READY("cuStreamDestroy_v2");
  return take(stream);
}

EXPORT int cuStreamBeginCapture_v2(Stream *stream, int mode) {
  READY("cuStreamBeginCapture_v2");
  stream->capturing = true;
  return mode == 1 ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuStreamEndCapture(Stream *stream, void **graph) {
  READY("cuStreamEndCapture");
  stream->capturing = false;
  return give(graph, new Graph(stream->captured));
}

EXPORT int cuGraphInstantiateWithFlags(void **executable, Graph *graph, unsigned long long) {
  READY("cuGraphInstantiateWithFlags");
  return give(executable, new Graph(*graph));
}

EXPORT int cuGraphDestroy(Graph *graph) {
  READY("cuGraphDestroy");
  return take(graph);
}

EXPORT int cuGraphLaunch(Graph *executable, Stream *) {
  READY("cuGraphLaunch");
  for (const Launch &launch : *executable) {
    if (int error = run(launch)) {
      return error;
    }
  }
  return SUCCESS;
}

EXPORT int cuGraphExecDestroy(Graph *executable) {
  READY("cuGraphExecDestroy");
  return take(executable);
}

EXPORT int cuLaunchKernel(
    const emulation::Kernel *kernel, unsigned x, unsigned y, unsigned z, unsigned block_x,
    unsigned block_y, unsigned block_z, unsigned shared_bytes, Stream *stream, void **parameters,
    void **extra) {
  READY("cuLaunchKernel");
  if (block_y != 1 || block_z != 1 || extra != nullptr || y > 65535 || z > 65535) {
    return INVALID_VALUE;
  }
  const unsigned char *from = (const unsigned char *)parameters[0];
  Launch launch = {
      kernel, Index3{x, y, z}, (int)block_x, shared_bytes,
      std::vector<unsigned char>(from, from + kernel->argument_bytes)};
  if (stream != nullptr && stream->capturing) {
    stream->captured.push_back(launch);
    return SUCCESS;
  }
  return run(launch);
}

EXPORT int cuEventCreate(void **event, unsigned) {
  READY("cuEventCreate");
  return give(event, new Event());
}

EXPORT int cuEventRecord(Event *event, Stream *) {
  READY("cuEventRecord");
  event->recorded = std::chrono::steady_clock::now();
  return SUCCESS;
}

EXPORT int cuEventSynchronize(Event *) {
  READY("cuEventSynchronize");
  return SUCCESS;
}

EXPORT int cuEventElapsedTime(float *milliseconds, Event *start, Event *end) {
  READY("cuEventElapsedTime");
  *milliseconds = std::chrono::duration<float, std::milli>(end->recorded - start->recorded).count();
  return SUCCESS;
}

EXPORT int cuEventDestroy_v2(Event *event) {
  READY("cuEventDestroy_v2");
  return take(event);
}

EXPORT int cuGetErrorName(int error, const char **name) {
  *name = error == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_OF_THE_FAKE";
  return SUCCESS;
}

EXPORT int cuGetErrorString(int error, const char **text) {
  *text = error == OUT_OF_MEMORY ? "out of memory" : nullptr;
  return SUCCESS;
}
