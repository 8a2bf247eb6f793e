package org.ivit.train.device;

import org.ivit.core.cuda.Arguments;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;

/**
 * Products of matrices of reals, or of codes that are read as reals: {@code C = α·f·A·B (+ C)}, f a
 * factor a column. Sums are taken in one order for given sizes and device, so results do not change
 * from run to run.
 */
final class Product {
  private static final int THREADS = 256;
  private static final int DEPTH = 16;

  /** Fewer sums are not worth a part. */
  private static final int LEAST_PART = 256;

  private static final int MOST_BATCH = 65535;

  private final Device device;
  private final DeviceBuffers scratch;
  private final ProductPrecision precision;

  /** Which index of an operand runs along its rows in memory, and what operands hold. */
  enum Kind {
    /** A[m][k], B[k][n], reals. */
    NN_REAL_REAL,
    /** A[m][k] of reals, B[k][n] of 8-bit codes. */
    NN_REAL_CODE8,
    /** A[m][k] of reals, B[n][k] of 8-bit codes. */
    NT_REAL_CODE8,
    /** A[k][m] of reals, B[k][n] of 8-bit codes. */
    TN_REAL_CODE8,
    /** A[k][m] of 16-bit codes, B[k][n] of reals. */
    TN_CODE16_REAL,
    /** A[k][m], B[k][n], reals. */
    TN_REAL_REAL
  }

  /** Sizes of a tile; those of {@code ProductShape} in C++. */
  private enum Shape {
    LARGE(128),
    SMALL(64);

    private final int side;

    Shape(int side) {
      this.side = side;
    }

    int across(int n) {
      return (n + side - 1) / side;
    }

    int sharedBytes() {
      return 2 * DEPTH * (side + 4) * 4;
    }
  }

  Product(Device device, DeviceBuffers scratch, ProductPrecision precision) {
    this.device = device;
    this.scratch = scratch;
    this.precision = precision;
  }

  /** In what it multiplies. */
  ProductPrecision precision() {
    return precision;
  }

  /**
   * One product. Where there are few tiles, the sum over K is split.
   *
   * @param factors address of a factor a column, or 0
   * @param add whether to add to what is in C
   */
  void run(
      Kind kind,
      int m,
      int n,
      long k,
      float alpha,
      Matrix a,
      Matrix b,
      Matrix c,
      long factors,
      boolean add) {
    Shape shape = shape(m, n, 1);
    long tiles = (long) shape.across(m) * shape.across(n);
    long parts = Math.min(2L * device.multiprocessors() / tiles, k / LEAST_PART);
    if (parts < 2) {
      launch(kind, shape, m, n, 1, arguments(m, n, k, 0, 1, 0, alpha, a, b, c, 0, factors, add));
      return;
    }
    long perPart = ((k + parts - 1) / parts + DEPTH - 1) / DEPTH * DEPTH;
    int count = Math.toIntExact((k + perPart - 1) / perPart);
    long memory = scratch.of("product.parts", (long) count * m * n, 4);
    byte[] arguments = arguments(m, n, k, perPart, 1, 0, alpha, a, b, c, memory, factors, add);
    launch(kind, shape, m, n, count, arguments);
    int blocks = (int) Math.min(8L * device.multiprocessors(), ((long) m * n + 255) / THREADS);
    device.launch(new Launch("product_parts", blocks, 1, 1, THREADS, 0, arguments));
  }

  /** As {@link #run}, one a group and head, without factors and not added. */
  void batch(
      Kind kind,
      int m,
      int n,
      long k,
      int groups,
      int heads,
      float alpha,
      Matrix a,
      Matrix b,
      Matrix c) {
    int count = Math.multiplyExact(groups, heads);
    Shape shape = shape(m, n, count);
    for (int first = 0; first < count; first += MOST_BATCH) {
      launch(
          kind,
          shape,
          m,
          n,
          Math.min(MOST_BATCH, count - first),
          arguments(m, n, k, 0, heads, first, alpha, a, b, c, 0, 0, false));
    }
  }

  private Shape shape(int m, int n, int batch) {
    Shape large = Shape.LARGE;
    boolean fills = (long) large.across(m) * large.across(n) * batch >= device.multiprocessors();
    return fills && m > 64 && n > 64 ? large : Shape.SMALL;
  }

  private static byte[] arguments(
      int m,
      int n,
      long k,
      long perPart,
      int heads,
      int first,
      float alpha,
      Matrix a,
      Matrix b,
      Matrix c,
      long parts,
      long factors,
      boolean add) {
    Arguments arguments =
        new Arguments()
            .address(a.address())
            .address(b.address())
            .address(c.address())
            .address(parts)
            .address(factors);
    for (Matrix matrix : new Matrix[] {a, b, c}) {
      arguments.longs(matrix.groupStride(), matrix.headStride(), matrix.rowStride());
    }
    return arguments
        .ints(m, n)
        .longs(k, perPart)
        .ints(heads, first)
        .floats(alpha)
        .ints(add ? 1 : 0)
        .bytes();
  }

  private void launch(Kind kind, Shape shape, int m, int n, int z, byte[] arguments) {
    device.launch(
        new Launch(
            "product_" + name(kind) + "_" + name(shape),
            shape.across(n),
            shape.across(m),
            z,
            THREADS,
            shape.sharedBytes(),
            arguments));
  }

  private static String name(Enum<?> value) {
    return value.name().toLowerCase(java.util.Locale.ROOT);
  }
}
