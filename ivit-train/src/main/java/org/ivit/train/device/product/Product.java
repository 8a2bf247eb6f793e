package org.ivit.train.device.product;

import java.util.Locale;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;
import org.ivit.train.device.memory.DeviceBuffers;

/**
 * Products of matrices of reals, or of codes that are read as reals: {@code C = α·f·A·B (+ C)}, f a
 * factor a column. Sums are taken in one order for given sizes and device, so results do not change
 * from run to run.
 */
public final class Product {
  private static final int SUM_THREADS = 128;
  private static final int REAL_THREADS = 256;

  /** Parts of K begin at multiples of it. */
  private static final int DEPTH = 32;

  /** Fewer sums are not worth a part. */
  private static final int LEAST_PART = 256;

  /** Blocks a multiprocessor that parts of K make, at most. */
  private static final int BLOCKS = 4;

  /** Of a grid in y and z. */
  private static final int MOST_BLOCKS = 65535;

  /** As {@code PRODUCT_A_WIDE} and so on in C++. */
  private static final int A_WIDE = 1;

  private static final int B_WIDE = 2;
  private static final int C_WIDE = 4;
  private static final int ADD = 8;

  private final Device device;
  private final DeviceBuffers scratch;
  private final ProductPrecision precision;
  private final ProductLibrary library;
  private final int mostBlocks;

  private static final class ProductArguments extends Structure {
    private final Field<Long> a = address();
    private final Field<Long> b = address();
    private final Field<Long> c = address();
    private final Field<Long> factor = address();
    private final Field<Long> partial = address();
    private final Field<Long> aGroup = int64();
    private final Field<Long> aHead = int64();
    private final Field<Long> bGroup = int64();
    private final Field<Long> bHead = int64();
    private final Field<Long> cGroup = int64();
    private final Field<Long> cHead = int64();
    private final Field<Integer> aStride = int32();
    private final Field<Integer> bStride = int32();
    private final Field<Integer> cStride = int32();
    private final Field<Integer> rows = int32();
    private final Field<Integer> columns = int32();
    private final Field<Integer> depth = int32();
    private final Field<Integer> heads = int32();
    private final Field<Integer> first = int32();
    private final Field<Integer> splits = int32();
    private final Field<Integer> splitDepth = int32();
    private final Field<Float> alpha = float32();
    private final Field<Integer> options = int32();
  }

  private static final class CodesArguments extends Structure {
    private final Field<Long> codes = address();
    private final Field<Long> factors = address();
    private final Field<Long> to = address();
    private final Field<Long> rows = int64();
    private final Field<Divisor> ofColumns = divisor();
    private final Field<Integer> columns = int32();
    private final Field<Integer> unused = unused();
  }

  /** Which index of an operand runs along its rows in memory, and what operands hold. */
  public enum Kind {
    /** A[m][k], B[k][n], reals. */
    NN_REAL_REAL(4, 4),
    /** A[m][k] of reals, B[k][n] of 8-bit codes. */
    NN_REAL_CODE8(4, 1),
    /** A[m][k], B[n][k], reals. */
    NT_REAL_REAL(4, 4),
    /** A[m][k] of reals, B[n][k] of 8-bit codes. */
    NT_REAL_CODE8(4, 1),
    /** A[k][m] of reals, B[k][n] of 8-bit codes. */
    TN_REAL_CODE8(4, 1),
    /** A[k][m] of 16-bit codes, B[k][n] of reals. */
    TN_CODE16_REAL(2, 4),
    /** A[k][m], B[k][n], reals. */
    TN_REAL_REAL(4, 4);

    private final int bytesA;
    private final int bytesB;

    Kind(int bytesA, int bytesB) {
      this.bytesA = bytesA;
      this.bytesB = bytesB;
    }

    /** Whether A lies as [k][m]. */
    private boolean alongRowsA() {
      return name().startsWith("TN");
    }

    /** Whether B lies as [n][k]. */
    private boolean alongRowsB() {
      return name().startsWith("NT");
    }
  }

  /**
   * Sizes and operands of products, one a group and head.
   *
   * @param factors address of a factor a column, or 0
   * @param add whether to add to what is in C
   */
  private record Job(
      Kind kind,
      int m,
      int n,
      int k,
      int groups,
      int heads,
      float alpha,
      Matrix a,
      Matrix b,
      Matrix c,
      long factors,
      boolean add) {
    int count() {
      return Math.multiplyExact(groups, heads);
    }

    int options() {
      return (a.aligned(4, kind.bytesA) ? A_WIDE : 0)
          | (b.aligned(4, kind.bytesB) ? B_WIDE : 0)
          | (c.aligned(2, Float.BYTES) ? C_WIDE : 0)
          | (add ? ADD : 0);
    }

    byte[] arguments(int first, Parts parts, long memory) {
      ProductArguments to = new ProductArguments();
      to.a.set(a.address());
      to.b.set(b.address());
      to.c.set(c.address());
      to.factor.set(factors);
      to.partial.set(memory);
      to.aGroup.set(a.groupStride());
      to.aHead.set(a.headStride());
      to.bGroup.set(b.groupStride());
      to.bHead.set(b.headStride());
      to.cGroup.set(c.groupStride());
      to.cHead.set(c.headStride());
      to.aStride.set(Math.toIntExact(a.rowStride()));
      to.bStride.set(Math.toIntExact(b.rowStride()));
      to.cStride.set(Math.toIntExact(c.rowStride()));
      to.rows.set(m);
      to.columns.set(n);
      to.depth.set(k);
      to.heads.set(heads);
      to.first.set(first);
      to.splits.set(parts.count);
      to.splitDepth.set(parts.depth);
      to.alpha.set(alpha);
      to.options.set(options());
      return to.bytes();
    }
  }

  /** How K is split. */
  private record Parts(int count, int depth) {
    /** At most so many parts. */
    static Parts of(int k, long most) {
      long depth = (k + most - 1) / most;
      int rounded = (int) Math.min(Integer.MAX_VALUE - DEPTH, (depth + DEPTH - 1) / DEPTH * DEPTH);
      return new Parts((k + rounded - 1) / rounded, rounded);
    }
  }

  /**
   * @param library that multiplies single matrices; null for kernels of our own
   */
  public Product(
      Device device, DeviceBuffers scratch, ProductPrecision precision, ProductLibrary library) {
    this(device, scratch, precision, library, MOST_BLOCKS);
  }

  /**
   * @param mostBlocks products of a launch
   */
  public Product(
      Device device,
      DeviceBuffers scratch,
      ProductPrecision precision,
      ProductLibrary library,
      int mostBlocks) {
    this.library = library;
    this.device = device;
    this.scratch = scratch;
    this.precision = precision;
    this.mostBlocks = mostBlocks;
  }

  /** In what it multiplies, and what multiplies. */
  public String description() {
    return name(precision) + " by " + (library == null ? "own kernels" : library.description());
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
  public void run(
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
    Job job = new Job(kind, m, n, Math.toIntExact(k), 1, 1, alpha, a, b, c, factors, add);
    if (library != null && byLibrary(job)) {
      return;
    }
    long most = Math.max(1, k / LEAST_PART);
    ProductShape shape = ProductShape.of(m, n, most, device.multiprocessors());
    long wanted = (long) BLOCKS * device.multiprocessors() / shape.tiles(m, n);
    Parts parts = Parts.of(job.k, Math.max(1, Math.min(wanted, most)));
    if (parts.count == 1) {
      launch(job, shape, 0, 1, parts, 0);
      return;
    }
    long memory = scratch.of("product.parts", (long) parts.count * m * n, Float.BYTES);
    launch(job, shape, 0, 1, parts, memory);
    int across = (n + 2 * SUM_THREADS - 1) / (2 * SUM_THREADS);
    device.launch(
        new Launch(
            "product_sum",
            across,
            Math.min(m, MOST_BLOCKS),
            1,
            SUM_THREADS,
            0,
            job.arguments(0, parts, memory)));
  }

  /** Whether the library has done it. */
  private boolean byLibrary(Job job) {
    boolean codes = job.kind == Kind.TN_REAL_CODE8;
    boolean served =
        codes
            ? job.b.rowStride() == job.n
            : job.factors == 0 && job.kind.bytesA == Float.BYTES && job.kind.bytesB == Float.BYTES;
    if (!served) {
      return false;
    }
    Matrix b = codes ? reals(job) : job.b;
    return library.multiply(
        job.kind.alongRowsA(),
        job.kind.alongRowsB(),
        job.m,
        job.n,
        job.k,
        job.alpha,
        job.a,
        b,
        job.c,
        job.add);
  }

  /** The codes of B as reals, factors included: exact where those are powers of 2. */
  private Matrix reals(Job job) {
    long count = (long) job.k * job.n;
    long reals = scratch.of("product.reals", count, Float.BYTES);
    CodesArguments a = new CodesArguments();
    a.codes.set(job.b.address());
    a.factors.set(job.factors);
    a.to.set(reals);
    a.rows.set((long) job.k);
    a.ofColumns.set(Divisor.of(job.n));
    a.columns.set(job.n);
    int blocks = BLOCKS * 2 * device.multiprocessors();
    int needed = (int) Math.min(blocks, (count + REAL_THREADS - 1) / REAL_THREADS);
    device.launch(new Launch("codes_to_reals", needed, 1, 1, REAL_THREADS, 0, a.bytes()));
    return Matrix.of(reals, job.n);
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
    Job job = new Job(kind, m, n, Math.toIntExact(k), groups, heads, alpha, a, b, c, 0, false);
    int count = job.count();
    ProductShape shape = ProductShape.of(m, n, count, device.multiprocessors());
    Parts whole = Parts.of(job.k, 1);
    for (int first = 0; first < count; first += mostBlocks) {
      launch(job, shape, first, Math.min(mostBlocks, count - first), whole, 0);
    }
  }

  private void launch(Job job, ProductShape shape, int first, int count, Parts parts, long memory) {
    device.launch(
        new Launch(
            "product_%s_%s_%s".formatted(name(job.kind), name(precision), name(shape)),
            shape.across(job.n),
            shape.across(job.m),
            count * parts.count,
            shape.threads(),
            shape.sharedBytes(),
            job.arguments(first, parts, memory)));
  }

  private static String name(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
