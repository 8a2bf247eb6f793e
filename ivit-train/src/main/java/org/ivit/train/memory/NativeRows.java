package org.ivit.train.memory;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.ivit.core.InputException;
import org.ivit.core.engine.jni.KernelSets;
import org.ivit.core.engine.jni.NativeLibrary;
import org.ivit.core.engine.jni.NotLoaded;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The row kernels of a step in C, float32 only: what surrounds the matrix products. They stand
 * beside the portable Java of the operators, which runs where there is no library, where numbers
 * are float64, and where the property {@value #PROPERTY} says {@code java}. Codes are the same in
 * every bit; sums of real numbers may be taken in another order.
 *
 * <p>Addresses are of {@link #address}; arrays have at least the elements that the sizes ask for.
 */
public final class NativeRows {
  /** The system property that names the kernels: avx512, avx2, c or java. */
  static final String PROPERTY = "ivit.train";

  /** Most channels of a row that the kernels hold in scratch memory of their own. */
  static final int MOST_CHANNELS = 4096;

  /** Most vectors that {@link #sum} takes. */
  public static final int MOST_PARTS = 64;

  private static final Logger LOG = LoggerFactory.getLogger(NativeRows.class);
  private static final String JAVA = "java";

  private static volatile String chosen = choose(System.getProperty(PROPERTY, ""));

  private NativeRows() {}

  private static String choose(String asked) {
    String wanted = asked.strip();
    if (!wanted.isEmpty() && !wanted.equals(JAVA) && !sets().contains(wanted)) {
      throw new InputException(
          "-D%s=%s: expected one of %s, java"
              .formatted(PROPERTY, wanted, String.join(", ", sets())));
    }
    if (wanted.equals(JAVA)) {
      LOG.debug("float networks: portable Java (asked for)");
      return JAVA;
    }
    NotLoaded missing = NativeLibrary.load(NativeRows.class, "libivit-train", System::load);
    String reason;
    if (missing == null) {
      for (String set : wanted.isEmpty() ? faster() : List.of(wanted)) {
        if (select(set)) {
          LOG.debug("float networks: native kernels {}", set);
          return set;
        }
      }
      reason =
          "this processor does not run "
              + (wanted.isEmpty() ? String.join(", ", faster()) : wanted);
    } else {
      reason = missing.line();
    }
    if (!wanted.isEmpty()) {
      throw new InputException("-D%s=%s: %s".formatted(PROPERTY, wanted, reason));
    }
    LOG.info("float networks: portable Java, which is slower; {}", reason);
    return JAVA;
  }

  /** Returns the kernels that a library for this kind of processor may have, fastest first. */
  public static List<String> sets() {
    List<String> sets = new ArrayList<>(KernelSets.fastTraining());
    sets.add(KernelSets.PORTABLE);
    return sets;
  }

  /**
   * What is taken unasked: portable C only for want of others, since on x86 without AVX2 the
   * compiler finds few vectors, and exponentials are faster in Java.
   */
  private static List<String> faster() {
    List<String> fast = KernelSets.fastTraining();
    return fast.isEmpty() ? List.of(KernelSets.PORTABLE) : fast;
  }

  /** What runs, in a few words: {@code native kernels avx512}, {@code portable Java}. */
  public static String description() {
    return chosen.equals(JAVA) ? "portable Java" : "native kernels " + chosen;
  }

  /** What runs: avx512, avx2, c or java. */
  public static String chosen() {
    return chosen;
  }

  /**
   * Takes other kernels from now on, for tests that compare them; no step may run meanwhile.
   *
   * @return whether they run here
   */
  public static boolean use(String kernels) {
    if (kernels.equals(JAVA)) {
      chosen = JAVA;
      return true;
    }
    if (NativeLibrary.load(NativeRows.class, "libivit-train", System::load) != null
        || !select(kernels)) {
      return false;
    }
    chosen = kernels;
    return true;
  }

  /** Whether the kernels take numbers of this memory. */
  public static boolean serves(Reals numbers) {
    return numbers instanceof Float32Reals && !chosen.equals(JAVA);
  }

  /** The same for rows of so many channels. */
  public static boolean serves(Reals numbers, int channels) {
    return channels <= MOST_CHANNELS && serves(numbers);
  }

  /** The same for operators on codes in a network of such numbers. */
  public static boolean serves(RealType type, int channels) {
    return type == RealType.FLOAT32 && channels <= MOST_CHANNELS && !chosen.equals(JAVA);
  }

  /**
   * Where {@code n} numbers from {@code from} on lie.
   *
   * @throws IndexOutOfBoundsException if they do not lie within the memory
   */
  public static long address(Reals numbers, int from, int n) {
    Objects.checkFromIndexSize(from, n, numbers.size());
    return ((Float32Reals) numbers).address(from);
  }

  /** The same of rows that lie {@code stride} apart. */
  public static long address(Reals numbers, int from, int rows, int stride, int channels) {
    return address(numbers, from, rows == 0 ? 0 : (rows - 1) * stride + channels);
  }

  private static native boolean select(String set);

  /** The address of a direct buffer's first number. */
  static native long start(FloatBuffer memory);

  public static native void recover(long x, double scale, short[] out, int n);

  public static native void dequantize(short[] codes, double scale, long y, int n);

  public static native void widen(
      byte[] codes, int rows, int channels, int[] apart, int shift, long y);

  public static native void requantize8(
      long product,
      int rows,
      int channels,
      int[] bias,
      int[] multiplier,
      long[] half,
      int[] shift,
      int[] min,
      int[] max,
      byte[] out);

  public static native void requantize16(
      long product,
      int rows,
      int channels,
      int[] bias,
      int[] multiplier,
      long[] half,
      int[] shift,
      int[] min,
      int[] max,
      short[] out);

  /** Dyadics: multiplier and shift of the branch, then of the identity. */
  public static native void residual(
      short[] branch,
      short[] identity,
      short[] out,
      int from,
      int n,
      long[] dyadics,
      double[] scales,
      double[] seen);

  /** To a {@code byte[]}, or where {@code wide} to a {@code short[]}. */
  public static native void normCodes(
      short[] x,
      int rows,
      int channels,
      int[] multiplier,
      long[] offset,
      int shift,
      long epsilon,
      int[] min,
      int[] max,
      boolean wide,
      Object out);

  public static native void normCodesBackward(
      short[] x,
      int rows,
      int channels,
      long epsilon,
      double scale,
      double[] gamma,
      long gy,
      long gx,
      int stride,
      double[] gammaGradient,
      double[] betaGradient);

  public static native void norm(
      long x,
      int stride,
      double[] gamma,
      double[] beta,
      double epsilon,
      long y,
      int rows,
      int channels);

  /** Rows of gx lie as far apart as those of x. */
  public static native void normBackward(
      long x,
      int stride,
      double[] gamma,
      double epsilon,
      long gy,
      long gx,
      int rows,
      int channels,
      double[] gammaGradient,
      double[] betaGradient);

  public static native void geluCodes(
      byte[] x,
      int rows,
      int channels,
      byte[] table,
      byte[] outlierTable,
      boolean[] isApart,
      int[] apart,
      boolean[] met,
      byte[] out);

  public static native void geluCodesBackward(
      byte[] x,
      long g,
      int rows,
      int channels,
      double[] slopes,
      double[] outlierSlopes,
      int[] apart);

  public static native void gelu(long x, long y, int n);

  public static native void geluBackward(long x, long g, int n);

  public static native void sigmoidGate(long x, long y, int n, double linear, double cubic);

  public static native void sigmoidGateBackward(long x, long g, int n, double linear, double cubic);

  public static native void multiply(long x, long z, int n);

  /** To a {@code byte[]}, or where {@code wide} to a {@code short[]}. */
  public static native void gate(
      byte[] gates,
      byte[] values,
      int rows,
      int channels,
      short[] table,
      int[] multiplier,
      long[] half,
      int[] shift,
      int[] min,
      int[] max,
      boolean wide,
      Object out);

  public static native void gateBackward(
      byte[] gates,
      byte[] values,
      int n,
      double[] silu,
      double[] slopes,
      double valueScale,
      long g,
      long gGate);

  /** Extends {@code seen}, smallest and largest sum. */
  public static native void turnCodes(
      short[] x,
      int pictures,
      int tokens,
      int heads,
      int headDim,
      int[] partner,
      short[] cos,
      short[] sin,
      int multiplier,
      int shift,
      byte[] out,
      int[] seen);

  public static native void turn(
      long x,
      int pictures,
      int tokens,
      int leading,
      int heads,
      int headDim,
      int[] partner,
      double[] cos,
      double[] sin,
      double direction);

  public static native void scores(
      long product, int n, long multiplier, int shift, byte[] out, int[] seen);

  public static native void probabilities(
      byte[] scores,
      int rows,
      int n,
      boolean[] masked,
      int[] exponentials,
      int rounding,
      int bits,
      boolean deferred,
      long p);

  public static native void divideSums(long p, int heads, int tokens, int headDim, long product);

  public static native void softmax(long x, int rows, int n);

  public static native void softmaxBackward(long p, double scale, long g, int rows, int n);

  public static native void probabilitiesOfCodes(long p, int rows, int n);

  public static native void addColumnSums(long g, int rows, int channels, long sums);

  public static native void fillRows(long row, long y, int rows, int channels);

  public static native void addOffsets(long y, int rows, int channels, double[] offsets);

  public static native void addScaled(long x, long z, double factor, long y, int n);

  public static native void scale(long x, double factor, long y, int n);

  public static native void dequantizeRows(
      byte[] codes, int rows, int channels, float[] scale, long y);

  static native void adam(
      long gradient, long m, long v, float beta1, float beta2, float rate, float epsilon, int n);

  public static native double squares(long x, int n);

  /** Answers 0 where there is no fast product of codes, or no memory. */
  public static native long newProduct(int inputs, int outputs, int[] outlier, int shift);

  public static native void freeProduct(long product);

  /** Answers whether there was memory. */
  public static native boolean loadProduct(long product, byte[] weight, int[] bias);

  /** Bytes of scratch memory. */
  public static native long scratchOfProduct(long product, int rows);

  public static native void runProduct(
      long product,
      byte[] x,
      int rows,
      int[] multiplier,
      long[] half,
      int[] shift,
      int[] min,
      int[] max,
      long scratch,
      boolean wide,
      Object out);

  public static native void sum(long[] parts, int count, long y, int n);
}
