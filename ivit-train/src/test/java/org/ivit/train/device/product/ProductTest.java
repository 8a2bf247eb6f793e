package org.ivit.train.device.product;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Library;
import com.sun.jna.Native;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.train.device.memory.DeviceBuffers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Products on emulated kernels, beside sums in float64 and, without tensor cores, beside their
 * bits.
 */
class ProductTest {
  /** Fewer products of a launch than a batch has. */
  private static final int MOST_OF_LAUNCH = 4;

  private static final int SHARED = 200_000;

  /** Takes large tiles wherever they waste nothing. */
  private static final int FEW = 1;

  /** Takes small tiles. */
  private static final int MANY = 1000;

  private final SplittableRandom random = new SplittableRandom(5);

  private enum Type {
    REAL(4),
    CODE8(1),
    CODE16(2);

    private final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }
  }

  /**
   * Sizes and places.
   *
   * @param gap elements between rows, and before the first
   */
  private record Size(int m, int n, int k, int groups, int heads, int gap) {
    static Size of(int m, int n, int k, int gap) {
      return new Size(m, n, k, 1, 1, gap);
    }

    int count() {
      return groups * heads;
    }
  }

  /** Matrices of a product as they lie in memory, rows of the heads of a group side by side. */
  private final class Operand {
    final Type type;
    final Size size;
    final int columns;
    final int stride;
    final int rows;
    final float[] values;

    Operand(Type type, Size size, int rows, int columns) {
      this.type = type;
      this.size = size;
      this.rows = rows;
      this.columns = columns;
      stride = size.heads * (columns + size.gap);
      values = new float[size.gap + size.groups * rows * stride];
      Arrays.fill(values, type == Type.REAL ? Float.NaN : 99);
      for (int z = 0; z < size.count(); z++) {
        for (int i = 0; i < rows; i++) {
          for (int j = 0; j < columns; j++) {
            values[place(z, i, j)] = value();
          }
        }
      }
    }

    private float value() {
      return switch (type) {
        case REAL -> (float) random.nextGaussian();
        case CODE8 -> random.nextInt(-128, 128);
        case CODE16 -> random.nextInt(-32768, 32768);
      };
    }

    int place(int z, int row, int column) {
      int group = z / size.heads;
      int head = z % size.heads;
      return size.gap + (group * rows + row) * stride + head * (columns + size.gap) + column;
    }

    Matrix on(EmulatedDevice device) {
      ByteBuffer bytes = direct(values.length * type.bytes);
      for (float value : values) {
        switch (type) {
          case REAL -> bytes.putFloat(value);
          case CODE8 -> bytes.put((byte) value);
          case CODE16 -> bytes.putShort((short) value);
        }
      }
      long address = device.allocate(bytes.capacity());
      device.write(address, bytes.flip());
      long first = address + (long) size.gap * type.bytes;
      return new Matrix(first, (long) rows * stride, columns + size.gap, stride);
    }
  }

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A product's operands, and what it adds to. */
  private final class Case {
    final Product.Kind kind;
    final Size size;
    final Operand a;
    final Operand b;
    final Operand c;
    final boolean transposedA;
    final boolean transposedB;
    final float[] factors;

    Case(Product.Kind kind, Size size, boolean factored) {
      this.kind = kind;
      this.size = size;
      String[] parts = kind.name().split("_", -1);
      transposedA = parts[0].charAt(0) == 'T';
      transposedB = parts[0].charAt(1) == 'T';
      a = operand(parts[1], transposedA, size.m, size.k);
      b = operand(parts[2], transposedB, size.k, size.n);
      c = new Operand(Type.REAL, size, size.m, size.n);
      factors = factored ? new float[size.n] : null;
      for (int j = 0; factored && j < size.n; j++) {
        factors[j] = 0.5f + random.nextInt(100) / 37f;
      }
    }

    private Operand operand(String type, boolean transposed, int rows, int columns) {
      return transposed
          ? new Operand(Type.valueOf(type), size, columns, rows)
          : new Operand(Type.valueOf(type), size, rows, columns);
    }

    float left(int z, int i, int k) {
      return a.values[transposedA ? a.place(z, k, i) : a.place(z, i, k)];
    }

    float right(int z, int k, int j) {
      return b.values[transposedB ? b.place(z, j, k) : b.place(z, k, j)];
    }

    /** Runs the product and returns all of C's memory. */
    float[] run(int multiprocessors, ProductPrecision precision, float alpha, boolean add) {
      return run(multiprocessors, precision, false, alpha, add);
    }

    float[] run(
        int multiprocessors,
        ProductPrecision precision,
        boolean byLibrary,
        float alpha,
        boolean add) {
      EmulatedDevice device = new EmulatedDevice(multiprocessors, SHARED);
      float[] found = new float[c.values.length];
      try (DeviceBuffers scratch = new DeviceBuffers(device);
          ProductLibrary library = byLibrary ? ProductLibrary.open(device, precision) : null) {
        Product product = new Product(device, scratch, precision, library, MOST_OF_LAUNCH);
        Matrix to = c.on(device);
        if (size.count() > 1) {
          product.batch(
              kind,
              size.m,
              size.n,
              size.k,
              size.groups,
              size.heads,
              alpha,
              a.on(device),
              b.on(device),
              to);
        } else {
          long columns = 0;
          if (factors != null) {
            ByteBuffer bytes = direct(4 * size.n);
            bytes.asFloatBuffer().put(factors);
            columns = device.allocate(bytes.capacity());
            device.write(columns, bytes);
          }
          product.run(
              kind, size.m, size.n, size.k, alpha, a.on(device), b.on(device), to, columns, add);
        }
        ByteBuffer bytes = direct(4 * found.length);
        device.read(bytes, to.address() - 4L * size.gap);
        bytes.asFloatBuffer().get(found);
      }
      return found;
    }

    /** Fused multiplications along K in parts, as float32 products are defined. */
    float exact(int z, int i, int j, int part, float alpha, boolean add) {
      float sum = 0;
      for (int first = 0; first < size.k; first += part) {
        float sumOfPart = 0;
        for (int k = first; k < Math.min(size.k, first + part); k++) {
          sumOfPart = Math.fma(left(z, i, k), right(z, k, j), sumOfPart);
        }
        sum += sumOfPart;
      }
      float value = (factors == null ? alpha : alpha * factors[j]) * sum;
      return add ? c.values[c.place(z, i, j)] + value : value;
    }

    /** Bounds are of the rounding of sums: that of operands is done here too. */
    void check(float[] found, ProductPrecision precision, float alpha, boolean add) {
      for (int z = 0; z < size.count(); z++) {
        for (int i = 0; i < size.m; i++) {
          for (int j = 0; j < size.n; j++) {
            double sum = 0;
            double magnitude = 0;
            for (int k = 0; k < size.k; k++) {
              double term = round(left(z, i, k), precision) * round(right(z, k, j), precision);
              sum += term;
              magnitude += Math.abs(term);
            }
            double scale = factors == null ? alpha : (double) alpha * factors[j];
            double old = add ? c.values[c.place(z, i, j)] : 0;
            double bound =
                Math.scalb((size.k + 4) * Math.abs(scale) * magnitude + Math.abs(old), -24);
            assertThat((double) found[c.place(z, i, j)])
                .as("%s %s, product %d, %d %d", kind, precision, z, i, j)
                .isCloseTo(old + scale * sum, within(bound));
          }
        }
      }
    }

    /** What lies beside C is as it was. */
    void checkBeside(float[] found) {
      float[] left = found.clone();
      for (int z = 0; z < size.count(); z++) {
        for (int i = 0; i < size.m; i++) {
          for (int j = 0; j < size.n; j++) {
            left[c.place(z, i, j)] = Float.NaN;
          }
        }
      }
      assertThat(left).containsOnly(Float.NaN);
    }
  }

  /** To 11 bits, ties away from zero, or to 8 bits, ties to even. */
  private static double round(float value, ProductPrecision precision) {
    if (precision == ProductPrecision.FLOAT32 || value == 0) {
      return value;
    }
    double scale = Math.scalb(1.0, Math.getExponent(value));
    return precision == ProductPrecision.TF32
        ? Math.copySign(Math.floor(Math.abs(value) / scale * 1024 + 0.5) / 1024 * scale, value)
        : Math.rint(value / scale * 128) / 128 * scale;
  }

  static Stream<Arguments> forms() {
    List<Arguments> forms = new ArrayList<>();
    for (Product.Kind kind : Product.Kind.values()) {
      for (ProductPrecision precision : ProductPrecision.values()) {
        forms.add(Arguments.of(kind, precision));
      }
    }
    return forms.stream();
  }

  @ParameterizedTest
  @MethodSource("forms")
  void multiply(Product.Kind kind, ProductPrecision precision) {
    for (Size size :
        List.of(
            Size.of(1, 1, 1, 0),
            Size.of(5, 3, 7, 1),
            Size.of(3, 64, 70, 4),
            Size.of(67, 70, 33, 3),
            Size.of(64, 8, 32, 8),
            Size.of(50, 66, 34, 2),
            Size.of(125, 250, 41, 5),
            Size.of(128, 256, 48, 4))) {
      Case c = new Case(kind, size, false);
      float[] found = c.run(FEW, precision, 1, false);
      c.check(found, precision, 1, false);
      c.checkBeside(found);
      if (size.m < 125) {
        continue;
      }
      assertThat(c.run(MANY, precision, 1, false)).as("small tiles").isEqualTo(found);
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void multiplyInBatches(Product.Kind kind, ProductPrecision precision) {
    for (int gap : new int[] {0, 1, 4}) {
      Case c = new Case(kind, new Size(17, 24, 12, 2, 3, gap), false);
      float[] found = c.run(MANY, precision, -0.25f, false);
      c.check(found, precision, -0.25f, false);
      c.checkBeside(found);
    }
  }

  /** K in 4 parts, the sums scaled and added to what is there. */
  @ParameterizedTest
  @MethodSource("forms")
  void multiplyInParts(Product.Kind kind, ProductPrecision precision) {
    for (int gap : new int[] {0, 1}) {
      Case c = new Case(kind, Size.of(5, 9 + gap, 1100, gap), true);
      float[] found = c.run(MANY, precision, 0.3f, true);
      c.check(found, precision, 0.3f, true);
      c.checkBeside(found);
      if (precision == ProductPrecision.FLOAT32) {
        checkBits(c, found, 288, 0.3f, true);
      }
    }
  }

  private static void checkBits(Case c, float[] found, int part, float alpha, boolean add) {
    for (int i = 0; i < c.size.m; i++) {
      for (int j = 0; j < c.size.n; j++) {
        assertThat(found[c.c.place(0, i, j)]).isEqualTo(c.exact(0, i, j, part, alpha, add));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Product.Kind.class)
  void sumsOfSinglePrecisionHaveOneOrder(Product.Kind kind) {
    for (boolean add : new boolean[] {false, true}) {
      Case c = new Case(kind, Size.of(67, 35, 90, 1), true);
      checkBits(c, c.run(FEW, ProductPrecision.FLOAT32, 0.7f, add), 90, 0.7f, add);
    }
  }

  /** How a test looks into the emulated library. */
  interface FakeLibrary extends Library {
    void fake_cublaslt_refuse(int columns);

    int fake_cublaslt_live();

    int fake_cublaslt_products();
  }

  private static FakeLibrary fake() {
    String library = System.getProperty("ivit.cuda.emulator", "none");
    assumeTrue(Files.exists(Path.of(library)), "skipped: no C++ compiler, so no emulator of CUDA");
    return Native.load(library, FakeLibrary.class);
  }

  @ParameterizedTest
  @EnumSource(Product.Kind.class)
  void multiplyByLibrary(Product.Kind kind) {
    FakeLibrary fake = fake();
    int live = fake.fake_cublaslt_live();
    boolean codes = kind == Product.Kind.TN_REAL_CODE8;
    for (Size size :
        List.of(
            Size.of(1, 1, 1, 0),
            Size.of(5, 3, 7, 1),
            Size.of(67, 70, 33, 3),
            Size.of(64, 8, 320, 0),
            Size.of(2, 66, 34, 4))) {
      for (boolean add : new boolean[] {false, true}) {
        int before = fake.fake_cublaslt_products();
        Case c = new Case(kind, size, codes);
        float[] found = c.run(FEW, ProductPrecision.FLOAT32, true, 0.7f, add);
        c.check(found, ProductPrecision.FLOAT32, 0.7f, add);
        c.checkBeside(found);
        boolean served = kind.name().endsWith("REAL_REAL") || (codes && size.gap == 0);
        assertThat(fake.fake_cublaslt_products() - before)
            .as("%s %s", kind, size)
            .isEqualTo(served ? 1 : 0);
      }
    }
    assertThat(fake.fake_cublaslt_live()).as("what was not freed").isEqualTo(live);
  }

  @Test
  void multiplyByOwnKernelsWhatTheLibraryRefuses() {
    FakeLibrary fake = fake();
    fake.fake_cublaslt_refuse(65);
    try {
      int before = fake.fake_cublaslt_products();
      Case c = new Case(Product.Kind.NN_REAL_REAL, Size.of(9, 64, 40, 1), false);
      checkBits(c, c.run(FEW, ProductPrecision.FLOAT32, true, 0.7f, true), 40, 0.7f, true);
      assertThat(fake.fake_cublaslt_products()).isEqualTo(before);
    } finally {
      fake.fake_cublaslt_refuse(0);
    }
  }

  @Test
  void theLibraryIsAnOption() {
    String file = System.getProperty(ProductLibrary.PROPERTY);
    EmulatedDevice device = new EmulatedDevice(FEW, SHARED);
    try {
      System.setProperty(ProductLibrary.PROPERTY, "none");
      assertThat(ProductLibrary.open(device, ProductPrecision.TF32)).isNull();
      System.setProperty(ProductLibrary.PROPERTY, "nothing.so");
      assertThatThrownBy(() -> ProductLibrary.open(device, ProductPrecision.TF32))
          .isInstanceOf(InputException.class)
          .hasMessage(
              "property ivit.cuda.cublasLt: 'nothing.so' does not load, expected the file of"
                  + " cuBLASLt or none");
    } finally {
      System.setProperty(ProductLibrary.PROPERTY, file);
    }
    fake();
    try (ProductLibrary library = ProductLibrary.open(device, ProductPrecision.BF16)) {
      assertThat(library.description()).isEqualTo("cuBLASLt 12.6");
    }
    assertThat(device.live()).isZero();
  }
}
