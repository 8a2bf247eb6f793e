package org.ivit.core.cuda;

import com.sun.jna.Library;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;

/**
 * The functions of the CUDA driver API that the engine calls, but for those of {@link
 * DirectDriver}, by their names in the library. Each returns 0 or an error, which {@link
 * DriverCalls#check} turns into a message.
 */
interface Driver extends Library {
  int cuInit(int flags);

  int cuDriverGetVersion(IntByReference version);

  int cuDeviceGetCount(IntByReference count);

  int cuDeviceGet(IntByReference device, int ordinal);

  int cuDeviceGetName(byte[] name, int length, int device);

  int cuDeviceGetAttribute(IntByReference value, int attribute, int device);

  int cuDevicePrimaryCtxRetain(PointerByReference context, int device);

  int cuDevicePrimaryCtxRelease_v2(int device);

  int cuModuleLoadDataEx(
      PointerByReference module, byte[] image, int count, int[] options, Pointer[] values);

  int cuModuleUnload(Pointer module);

  int cuModuleGetFunction(PointerByReference function, Pointer module, String name);

  int cuFuncSetAttribute(Pointer function, int attribute, int value);

  int cuMemAlloc_v2(LongByReference address, long bytes);

  int cuMemFree_v2(long address);

  int cuTensorMapEncodeTiled(
      Pointer map,
      int dataType,
      int rank,
      long address,
      long[] sizes,
      long[] strides,
      int[] box,
      int[] elementStrides,
      int interleave,
      int swizzle,
      int promotion,
      int fill);

  int cuMemHostAlloc(PointerByReference host, long bytes, int flags);

  int cuMemFreeHost(Pointer host);

  int cuMemcpyHtoD_v2(long to, Pointer from, long bytes);

  int cuMemcpyHtoDAsync_v2(long to, Pointer from, long bytes, Pointer stream);

  int cuMemcpyDtoHAsync_v2(Pointer to, long from, long bytes, Pointer stream);

  int cuStreamCreate(PointerByReference stream, int flags);

  int cuStreamDestroy_v2(Pointer stream);

  int cuStreamWaitEvent(Pointer stream, Pointer event, int flags);

  int cuEventCreate(PointerByReference event, int flags);

  int cuEventRecord(Pointer event, Pointer stream);

  int cuEventSynchronize(Pointer event);

  int cuEventDestroy_v2(Pointer event);

  int cuStreamBeginCapture_v2(Pointer stream, int mode);

  int cuStreamEndCapture(Pointer stream, PointerByReference graph);

  int cuGraphInstantiateWithFlags(PointerByReference executable, Pointer graph, long flags);

  int cuGraphDestroy(Pointer graph);

  int cuGraphExecDestroy(Pointer executable);

  int cuGetErrorName(int error, PointerByReference name);

  int cuGetErrorString(int error, PointerByReference text);
}
