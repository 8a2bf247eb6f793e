package org.ivit.train.device.product;

import com.sun.jna.Library;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.FloatByReference;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.PointerByReference;

/**
 * The functions of NVIDIA's cuBLASLt that products call, by their names in the library, of version
 * 11 or newer. Each but the version returns 0 or an error.
 */
interface CublasLt extends Library {
  long cublasLtGetVersion();

  int cublasLtCreate(PointerByReference handle);

  int cublasLtDestroy(Pointer handle);

  int cublasLtMatmulDescCreate(PointerByReference description, int computeType, int scaleType);

  int cublasLtMatmulDescSetAttribute(
      Pointer description, int attribute, IntByReference value, long bytes);

  int cublasLtMatmulDescDestroy(Pointer description);

  int cublasLtMatrixLayoutCreate(
      PointerByReference layout, int type, long rows, long columns, long stride);

  int cublasLtMatrixLayoutDestroy(Pointer layout);

  int cublasLtMatmulPreferenceCreate(PointerByReference preference);

  int cublasLtMatmulPreferenceSetAttribute(
      Pointer preference, int attribute, Pointer value, long bytes);

  int cublasLtMatmulPreferenceDestroy(Pointer preference);

  int cublasLtMatmulAlgoGetHeuristic(
      Pointer handle,
      Pointer description,
      Pointer a,
      Pointer b,
      Pointer c,
      Pointer d,
      Pointer preference,
      int wanted,
      Pointer results,
      IntByReference found);

  int cublasLtMatmul(
      Pointer handle,
      Pointer description,
      FloatByReference alpha,
      long aAddress,
      Pointer a,
      long bAddress,
      Pointer b,
      FloatByReference beta,
      long cAddress,
      Pointer c,
      long dAddress,
      Pointer d,
      Pointer algorithm,
      long workspace,
      long workspaceBytes,
      Pointer stream);
}
