package org.ivit.train.device.product;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.FloatByReference;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.PointerByReference;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.cuda.Device;
import org.ivit.train.device.memory.DeviceBuffers;

/**
 * Products of single matrices of reals by NVIDIA's cuBLASLt, where it is installed. Matrices lie in
 * rows; the library, whose matrices lie in columns, is asked for {@code Cᵀ = Bᵀ·Aᵀ}. One thread at
 * a time.
 */
public final class ProductLibrary implements AutoCloseable {
  /** The system property that names the library's file, or says {@code none}. */
  public static final String PROPERTY = "ivit.cuda.cublasLt";

  private static final String NONE = "none";
  private static final List<String> NAMES =
      List.of("libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11", "cublasLt");

  private static final int FLOAT32 = 0;
  private static final int COMPUTE_FLOAT32 = 68;
  private static final int COMPUTE_BF16 = 75;
  private static final int COMPUTE_TF32 = 77;
  private static final int TRANSPOSED_A = 3;
  private static final int TRANSPOSED_B = 4;
  private static final int MOST_WORKSPACE = 1;

  /** Least alignment of A, B, C and D; three more follow. */
  private static final int LEAST_ALIGNMENT = 5;

  private static final int OPERANDS = 4;
  private static final int BEST_ALIGNMENT = 256;

  /** Bytes of a result of the search for an algorithm, whose first 64 are the algorithm. */
  private static final int RESULT_BYTES = 96;

  private static final int WORKSPACE_AT = 64;

  /** What NVIDIA advises for Hopper. */
  private static final int WORKSPACE_BYTES = 32 << 20;

  private final CublasLt library;
  private final DeviceBuffers memory;
  private final int computeType;
  private final Map<Shape, Plan> plans = new HashMap<>();
  private final Pointer handle;

  /** All that an algorithm depends on. */
  private record Shape(
      boolean transposedA,
      boolean transposedB,
      int m,
      int n,
      int k,
      long strideA,
      long strideB,
      long strideC,
      int alignmentA,
      int alignmentB,
      int alignmentC) {}

  /**
   * How a shape is multiplied.
   *
   * @param algorithm null where the library has none
   */
  private record Plan(
      Pointer description,
      Pointer left,
      Pointer right,
      Pointer sum,
      Memory algorithm,
      long workspace) {}

  private ProductLibrary(CublasLt library, Device device, ProductPrecision precision) {
    this.library = library;
    memory = new DeviceBuffers(device);
    computeType =
        switch (precision) {
          case FLOAT32 -> COMPUTE_FLOAT32;
          case TF32 -> COMPUTE_TF32;
          case BF16 -> COMPUTE_BF16;
        };
    // The library works in the context of the thread, which the device sets when it allocates.
    memory.of("workspace", WORKSPACE_BYTES, 1);
    handle = created("cublasLtCreate", library::cublasLtCreate);
  }

  /**
   * Opens the library.
   *
   * @param device on which it multiplies
   * @param precision in what
   * @return null where it is not installed, or not wanted
   * @throws InputException if the property names a file that does not load
   */
  public static ProductLibrary open(Device device, ProductPrecision precision) {
    String named = System.getProperty(PROPERTY);
    if (NONE.equals(named)) {
      return null;
    }
    for (String name : named == null ? NAMES : List.of(named)) {
      try {
        return new ProductLibrary(Native.load(name, CublasLt.class), device, precision);
      } catch (UnsatisfiedLinkError e) {
        if (named != null) {
          throw new InputException(
              "property %s: '%s' does not load, expected the file of cuBLASLt or none"
                  .formatted(PROPERTY, named),
              e);
        }
      }
    }
    return null;
  }

  /** Name and version. */
  String description() {
    long version = library.cublasLtGetVersion();
    return "cuBLASLt %d.%d".formatted(version / 10_000, version / 100 % 100);
  }

  private interface Creation {
    int call(PointerByReference reference);
  }

  private static Pointer created(String call, Creation creation) {
    PointerByReference reference = new PointerByReference();
    check(call, creation.call(reference));
    return reference.getValue();
  }

  private static void check(String call, int code) {
    if (code != 0) {
      throw new InputException("%s: error %d of cuBLASLt".formatted(call, code));
    }
  }

  /**
   * {@code C = α·op(A)·op(B) (+ C)}.
   *
   * @param transposedA whether A lies as [k][m]; otherwise [m][k]
   * @param transposedB whether B lies as [n][k]; otherwise [k][n]
   * @param add whether to add to what is in C
   * @return false, with nothing done, where the library has no algorithm for it
   */
  boolean multiply(
      boolean transposedA,
      boolean transposedB,
      int m,
      int n,
      int k,
      float alpha,
      Matrix a,
      Matrix b,
      Matrix c,
      boolean add) {
    Shape shape =
        new Shape(
            transposedA,
            transposedB,
            m,
            n,
            k,
            a.rowStride(),
            b.rowStride(),
            c.rowStride(),
            alignment(a.address()),
            alignment(b.address()),
            alignment(c.address()));
    Plan plan = plans.computeIfAbsent(shape, this::plan);
    if (plan.algorithm == null) {
      return false;
    }
    check(
        "cublasLtMatmul",
        library.cublasLtMatmul(
            handle,
            plan.description,
            new FloatByReference(alpha),
            b.address(),
            plan.left,
            a.address(),
            plan.right,
            new FloatByReference(add ? 1 : 0),
            c.address(),
            plan.sum,
            c.address(),
            plan.sum,
            plan.algorithm,
            memory.of("workspace", WORKSPACE_BYTES, 1),
            plan.workspace,
            null));
    return true;
  }

  private static int alignment(long address) {
    return (int) Math.min(BEST_ALIGNMENT, Long.lowestOneBit(address));
  }

  private Plan plan(Shape s) {
    Pointer description =
        created(
            "cublasLtMatmulDescCreate",
            to -> library.cublasLtMatmulDescCreate(to, computeType, FLOAT32));
    set(description, TRANSPOSED_A, s.transposedB);
    set(description, TRANSPOSED_B, s.transposedA);
    Pointer left = s.transposedB ? layout(s.k, s.n, s.strideB) : layout(s.n, s.k, s.strideB);
    Pointer right = s.transposedA ? layout(s.m, s.k, s.strideA) : layout(s.k, s.m, s.strideA);
    Pointer sum = layout(s.n, s.m, s.strideC);
    Pointer preference =
        created("cublasLtMatmulPreferenceCreate", library::cublasLtMatmulPreferenceCreate);
    prefer(preference, MOST_WORKSPACE, WORKSPACE_BYTES, Long.BYTES);
    int[] alignments = {s.alignmentB, s.alignmentA, s.alignmentC, s.alignmentC};
    for (int i = 0; i < OPERANDS; i++) {
      prefer(preference, LEAST_ALIGNMENT + i, alignments[i], Integer.BYTES);
    }
    Memory result = new Memory(RESULT_BYTES);
    result.clear();
    IntByReference found = new IntByReference();
    int code =
        library.cublasLtMatmulAlgoGetHeuristic(
            handle, description, left, right, sum, sum, preference, 1, result, found);
    check("cublasLtMatmulPreferenceDestroy", library.cublasLtMatmulPreferenceDestroy(preference));
    boolean served = code == 0 && found.getValue() > 0;
    long workspace = result.getLong(WORKSPACE_AT);
    return new Plan(description, left, right, sum, served ? result : null, workspace);
  }

  private void set(Pointer description, int attribute, boolean value) {
    check(
        "cublasLtMatmulDescSetAttribute",
        library.cublasLtMatmulDescSetAttribute(
            description, attribute, new IntByReference(value ? 1 : 0), Integer.BYTES));
  }

  private Pointer layout(long rows, long columns, long stride) {
    return created(
        "cublasLtMatrixLayoutCreate",
        to -> library.cublasLtMatrixLayoutCreate(to, FLOAT32, rows, columns, stride));
  }

  private void prefer(Pointer preference, int attribute, long value, int bytes) {
    Memory memory = new Memory(Long.BYTES);
    memory.setLong(0, value);
    check(
        "cublasLtMatmulPreferenceSetAttribute",
        library.cublasLtMatmulPreferenceSetAttribute(preference, attribute, memory, bytes));
  }

  @Override
  public void close() {
    for (Plan plan : plans.values()) {
      library.cublasLtMatmulDescDestroy(plan.description);
      for (Pointer layout : List.of(plan.left, plan.right, plan.sum)) {
        library.cublasLtMatrixLayoutDestroy(layout);
      }
    }
    plans.clear();
    library.cublasLtDestroy(handle);
    memory.close();
  }
}
