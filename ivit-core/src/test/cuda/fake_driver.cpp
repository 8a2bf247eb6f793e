/*
 * The functions of the CUDA driver that IVIT calls, with their types, over the emulation: so the host
 * code for a GPU, the capture of graphs and the order of its calls run without one. What is put into a
 * stream runs as late as it may, or in streams other than the default one as early as it may. A test
 * sets that, what the driver says of itself and which call fails.
 */
#include <stdlib.h>
#include <string.h>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cluster.h"
#include "memory.h"
#include "registry.h"

namespace {

enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_FOUND = 500, LAUNCH_FAILED = 719, CAPTURE_UNSUPPORTED = 900 };

struct Launch {
  const emulation::Kernel *kernel;
  Index3 grid;
  int block;
  size_t shared_bytes;
  std::vector<unsigned char> arguments;
  emulation::Start start;
};

/* A node of a graph, which runs after the one before: a kernel or a copy. */
struct Node {
  bool is_kernel;
  std::function<int()> work;
};

using Graph = std::vector<Node>;

struct Stream {
  bool capturing = false;
  Graph captured;
  std::deque<std::function<int()>> waiting;
  int error = SUCCESS; /* the first of what ran */

  /* Runs what waits, or only until something is so. */
  template <typename Until>
  void run(Until until) {
    while (!waiting.empty() && !until()) {
      std::function<int()> first = waiting.front();
      waiting.pop_front();
      int found = first();
      error = error == SUCCESS ? found : error;
    }
  }

  void run() {
    run([] { return false; });
  }

  int take_error() {
    int found = error;
    error = SUCCESS;
    return found;
  }
};

/* Where an event was recorded how often, and how many of these were reached. */
struct Event {
  Stream *stream = nullptr;
  int recorded = 0;
  int reached = 0;
  bool timed = false;
  std::chrono::steady_clock::time_point time; /* when it was reached last */
};
using EventHandle = std::shared_ptr<Event>;

struct Settings {
  int version = 13000;
  int devices = 1;
  int capability = 90;
  std::string failing;
};

Settings settings;
int error_code = 2;
int live;
int beside; /* launches that ran with programmatic stream serialization */
int copied; /* copies of graphs that ran */
bool early;
Stream default_stream;
std::set<Stream *> streams = {&default_stream};
std::map<const char *, size_t> page_locked;

Stream &stream_of(Stream *stream) { return stream == nullptr ? default_stream : *stream; }

bool capturing(Stream *stream) { return stream != nullptr && stream->capturing; }

int put(Stream *stream, std::function<int()> work) {
  stream_of(stream).waiting.push_back(std::move(work));
  if (early && stream != nullptr) {
    stream->run();
  }
  return SUCCESS;
}

int finish(Stream *stream) {
  stream_of(stream).run();
  return stream_of(stream).take_error();
}

/* What frees memory waits for everything. */
void finish_all() {
  for (Stream *stream : streams) {
    stream->run();
  }
}

bool is_page_locked(const void *from, size_t bytes) {
  auto after = page_locked.upper_bound((const char *)from);
  if (after == page_locked.begin()) {
    return false;
  }
  --after;
  return (const char *)from + bytes <= after->first + after->second;
}

bool on_device(const void *device, size_t bytes) {
  try {
    emulation::check_global(device, bytes, 1);
    return true;
  } catch (const std::string &) {
    return false;
  }
}

thread_local const void *current;
thread_local bool capturing_here;

int fails(const char *call) {
  return settings.failing == call ? error_code : SUCCESS;
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
  beside += launch.start == emulation::Start::BESIDE ? 1 : 0;
  std::string error = emulation::run_grid(
      *launch.kernel, launch.grid, launch.block, launch.shared_bytes, launch.arguments.data(),
      launch.start);
  return error.empty() ? SUCCESS : LAUNCH_FAILED;
}

/* The host's memory is touched when the copy runs, and must be there still. */
int copy(void *to, const void *from, size_t bytes, const void *host) {
  if (!is_page_locked(host, bytes)) {
    return INVALID_VALUE;
  }
  memcpy(to, from, bytes);
  return SUCCESS;
}

/* Into the graph that is captured, or into the stream. */
int put_copy(Stream *stream, void *to, const void *from, size_t bytes, const void *host) {
  if (!capturing(stream)) {
    return put(stream, [=] { return copy(to, from, bytes, host); });
  }
  stream->captured.push_back(Node{false, [=] {
                                    copied++;
                                    return copy(to, from, bytes, host);
                                  }});
  return SUCCESS;
}

int put_launch(Stream *stream, const Launch &launch) {
  bool serialized = launch.start == emulation::Start::BESIDE;
  if (!capturing(stream)) {
    return serialized ? (int)INVALID_VALUE : put(stream, [=] { return run(launch); });
  }
  /* Only kernels have programmatic edges, and only to kernels; drivers know them from 12.3 on. */
  Graph &graph = stream->captured;
  if (serialized && (graph.empty() || !graph.back().is_kernel || settings.version < 12030)) {
    return INVALID_VALUE;
  }
  graph.push_back(Node{true, [=] { return run(launch); }});
  return SUCCESS;
}

}  // namespace

int emulation::in_default_stream(std::function<int()> work) {
  std::lock_guard<std::mutex> lock(emulation::mutex);
  return default_stream.waiting.empty() ? work() : put(nullptr, std::move(work));
}

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

/* Sets the error that a failing call returns. */
EXPORT void fake_driver_error(int code) {
  LOCKED;
  error_code = code;
}

/* Whether streams other than the default one run as early as they may. */
EXPORT void fake_driver_early(int value) {
  LOCKED;
  early = value != 0;
}

/* Launches that ran beside the one in front so far. */
EXPORT int fake_driver_beside() {
  LOCKED;
  return beside;
}

/* Copies of graphs that ran so far. */
EXPORT int fake_driver_copied() {
  LOCKED;
  return copied;
}

/* Contexts, modules, streams, events, graphs and memory that were not given back. */
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

/* The error log is the one option that is read: what does not compile is named there. */
EXPORT int cuModuleLoadDataEx(
    void **module, const unsigned char *image, unsigned count, const int *options, void **values) {
  LOCKED;
  int error = ready("cuModuleLoadDataEx");
  for (unsigned i = 0; error == 218 && i < count; i++) {
    if (options[i] == 5) {
      strcpy((char *)values[i], "ptxas fatal : Unsupported .version\nptxas fatal : aborted");
    }
  }
  if (error != SUCCESS) {
    return error;
  }
  bool known = memcmp(image, "\177ELF", 4) == 0 || memcmp(image, "//\n", 3) == 0;
  return known ? give(module, new int()) : 200;
}

EXPORT int cuModuleUnload(int *module) {
  READY("cuModuleUnload");
  finish_all();
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
  finish_all();
  live--;
  return emulation::release((void *)address) ? SUCCESS : INVALID_VALUE;
}

/*
 * Bytes in two dimensions, not interleaved, in the 128-byte swizzle, with zeros outside: what the kernels
 * expect of their copies.
 */
EXPORT int cuTensorMapEncodeTiled(
    void *map, int type, unsigned rank, void *address, const uint64_t *sizes,
    const uint64_t *strides, const unsigned *box, const unsigned *element_strides, int interleave,
    int swizzle, int promotion, int fill) {
  LOCKED;
  if (int error = fails("cuTensorMapEncodeTiled")) {
    return error;
  }
  if (type != 0 || rank != 2 || element_strides[0] != 1 || element_strides[1] != 1
      || interleave != 0 || swizzle != 3 || promotion < 0 || promotion > 3 || fill != 0
      || !on_device(address, (size_t)(strides[0] * (sizes[1] - 1) + sizes[0]))) {
    return INVALID_VALUE;
  }
  std::string wrong =
      emulation::encode_map(map, address, sizes[0], sizes[1], strides[0], box[0], box[1]);
  return wrong.empty() ? SUCCESS : INVALID_VALUE;
}

/* Not within a capture, and at most a gigabyte. */
EXPORT int cuMemHostAlloc(void **host, size_t bytes, unsigned) {
  READY("cuMemHostAlloc");
  if (capturing_here) {
    return CAPTURE_UNSUPPORTED;
  }
  if (bytes > 1u << 30) {
    return OUT_OF_MEMORY;
  }
  *host = malloc(bytes);
  page_locked[(char *)*host] = bytes;
  live++;
  return SUCCESS;
}

EXPORT int cuMemFreeHost(void *host) {
  READY("cuMemFreeHost");
  page_locked.erase((char *)host);
  free(host);
  live--;
  return SUCCESS;
}

EXPORT int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) {
  READY("cuMemcpyHtoD_v2");
  if (!on_device((void *)to, bytes)) {
    return INVALID_VALUE;
  }
  int error = finish(nullptr);
  memcpy((void *)to, from, bytes);
  return error;
}

EXPORT int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, Stream *stream) {
  READY("cuMemcpyHtoDAsync_v2");
  if (!on_device((void *)to, bytes) || !is_page_locked(from, bytes)) {
    return INVALID_VALUE;
  }
  return put_copy(stream, (void *)to, from, bytes, from);
}

EXPORT int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, Stream *stream) {
  READY("cuMemcpyDtoHAsync_v2");
  if (!on_device((void *)from, bytes) || (capturing(stream) && !is_page_locked(to, bytes))) {
    return INVALID_VALUE;
  }
  if (capturing(stream)) {
    return put_copy(stream, to, (void *)from, bytes, to);
  }
  return put(stream, [=] {
    memcpy(to, (void *)from, bytes);
    return (int)SUCCESS;
  });
}

EXPORT int cuStreamCreate(void **stream, unsigned flags) {
  READY("cuStreamCreate");
  if (flags != 1) {
    return INVALID_VALUE;
  }
  Stream *made = new Stream();
  streams.insert(made);
  return give(stream, made);
}

EXPORT int cuStreamSynchronize(Stream *stream) {
  READY("cuStreamSynchronize");
  return finish(stream);
}

EXPORT int cuStreamDestroy_v2(Stream *stream) {
  READY("cuStreamDestroy_v2");
  stream->run();
  streams.erase(stream);
  return take(stream);
}

EXPORT int cuStreamWaitEvent(Stream *stream, EventHandle *event, unsigned flags) {
  READY("cuStreamWaitEvent");
  EventHandle awaited = *event;
  int number = awaited->recorded;
  Stream *recorder = awaited->stream;
  if (flags != 0) {
    return INVALID_VALUE;
  }
  return put(stream, [=] {
    if (awaited->reached < number) {
      recorder->run([&] { return awaited->reached >= number; });
    }
    return (int)SUCCESS;
  });
}

EXPORT int cuEventCreate(void **event, unsigned flags) {
  READY("cuEventCreate");
  if (flags != 0 && flags != 2) {
    return INVALID_VALUE;
  }
  auto *created = new EventHandle(new Event());
  (*created)->timed = flags == 0;
  return give(event, created);
}

EXPORT int cuEventRecord(EventHandle *event, Stream *stream) {
  READY("cuEventRecord");
  EventHandle recorded = *event;
  recorded->stream = &stream_of(stream);
  int number = ++recorded->recorded;
  return put(stream, [=] {
    recorded->reached = number;
    recorded->time = std::chrono::steady_clock::now();
    return (int)SUCCESS;
  });
}

EXPORT int cuEventSynchronize(EventHandle *event) {
  READY("cuEventSynchronize");
  Event &awaited = **event;
  if (awaited.stream == nullptr) {
    return SUCCESS;
  }
  awaited.stream->run([&] { return awaited.reached == awaited.recorded; });
  return awaited.stream->take_error();
}

EXPORT int cuEventElapsedTime(float *milliseconds, EventHandle *start, EventHandle *end) {
  READY("cuEventElapsedTime");
  for (const EventHandle &event : {*start, *end}) {
    if (!event->timed || event->recorded == 0 || event->reached != event->recorded) {
      return INVALID_VALUE;
    }
  }
  *milliseconds = std::chrono::duration<float, std::milli>((*end)->time - (*start)->time).count();
  return SUCCESS;
}

EXPORT int cuEventDestroy_v2(EventHandle *event) {
  READY("cuEventDestroy_v2");
  return take(event);
}

EXPORT int cuStreamBeginCapture_v2(Stream *stream, int mode) {
  READY("cuStreamBeginCapture_v2");
  stream->capturing = true;
  capturing_here = true;
  return mode == 1 ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuStreamEndCapture(Stream *stream, void **graph) {
  capturing_here = false;
  READY("cuStreamEndCapture");
  stream->capturing = false;
  return give(graph, new Graph(std::move(stream->captured)));
}

EXPORT int cuGraphInstantiateWithFlags(void **executable, Graph *graph, unsigned long long) {
  READY("cuGraphInstantiateWithFlags");
  return give(executable, new Graph(*graph));
}

EXPORT int cuGraphDestroy(Graph *graph) {
  READY("cuGraphDestroy");
  return take(graph);
}

EXPORT int cuGraphLaunch(Graph *executable, Stream *stream) {
  READY("cuGraphLaunch");
  for (const Node &node : *executable) {
    put(stream, node.work);
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
  return put_launch(
      stream,
      Launch{
          kernel, Index3{x, y, z}, (int)block_x, shared_bytes,
          std::vector<unsigned char>(from, from + kernel->argument_bytes),
          emulation::Start::AFTER});
}

namespace {

/* CUlaunchAttribute and CUlaunchConfig. */
struct Attribute {
  int id;
  int padding;
  int value[16];
};

struct Config {
  unsigned grid[3];
  unsigned block[3];
  unsigned shared_bytes;
  Stream *stream;
  const Attribute *attributes;
  unsigned count;
};

static_assert(sizeof(Attribute) == 72 && sizeof(Config) == 56, "as in cuda.h");

}  // namespace

/* Machine code of capability 9.0 alone knows how to wait for the grid in front. */
EXPORT int cuLaunchKernelEx(
    const Config *config, const emulation::Kernel *kernel, void **parameters, void **extra) {
  READY("cuLaunchKernelEx");
  if (config->block[1] != 1 || config->block[2] != 1 || extra != nullptr || config->count != 1
      || config->attributes[0].id != 6 || config->attributes[0].value[0] != 1
      || settings.capability < 90) {
    return INVALID_VALUE;
  }
  const unsigned char *from = (const unsigned char *)parameters[0];
  return put_launch(
      config->stream,
      Launch{
          kernel, Index3{config->grid[0], config->grid[1], config->grid[2]}, (int)config->block[0],
          config->shared_bytes, std::vector<unsigned char>(from, from + kernel->argument_bytes),
          emulation::Start::BESIDE});
}

EXPORT int cuGetErrorName(int error, const char **name) {
  *name = error == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_OF_THE_FAKE";
  return SUCCESS;
}

EXPORT int cuGetErrorString(int error, const char **text) {
  *text = error == OUT_OF_MEMORY ? "out of memory" : nullptr;
  return SUCCESS;
}
