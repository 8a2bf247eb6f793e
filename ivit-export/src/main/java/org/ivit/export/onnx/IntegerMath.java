package org.ivit.export.onnx;

import static org.ivit.export.onnx.OnnxGraph.attribute;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.DyadicVector;

/**
 * The integer arithmetic of {@code docs/arithmetic.md} in standard ONNX operators, on int64 values.
 * Only unsigned integers can be shifted there: a value is raised above zero by a multiple of the
 * divisor, shifted, and lowered again by the quotient.
 */
final class IntegerMath {
  /** What raises a value whose size is not known better, a multiple of every 2^e, e up to 62. */
  private static final long LIFT = 1L << 62;

  private final OnnxGraph graph;

  IntegerMath(OnnxGraph graph) {
    this.graph = graph;
  }

  String cast(String x, String name, DataType type) {
    return graph.node("Cast", name, List.of(x), attribute("to", (long) type.getNumber()));
  }

  String wide(String x, String name) {
    return cast(x, name + "/int64", DataType.INT64);
  }

  String add(String x, String y, String name) {
    return graph.node("Add", name + "/add", List.of(x, y));
  }

  String multiply(String x, String y, String name) {
    return graph.node("Mul", name + "/mul", List.of(x, y));
  }

  String subtract(String x, String y, String name) {
    return graph.node("Sub", name + "/sub", List.of(x, y));
  }

  String divide(String x, String y, String name) {
    return graph.node("Div", name + "/div", List.of(x, y));
  }

  String clip(String x, long least, long most, String name) {
    return graph.node("Clip", name + "/clip", List.of(x, graph.scalar(least), graph.scalar(most)));
  }

  /** A signed 8-bit code as the byte code + 128, whose zero point is 128. */
  String toBytes(String x, String name) {
    String raised = add(x, graph.scalar(128L), name);
    return cast(clip(raised, 0, 255, name), name, DataType.UINT8);
  }

  /** Clamps to 16 bits. */
  String clamp16(String x, String name) {
    return clip(x, Short.MIN_VALUE, Short.MAX_VALUE, name);
  }

  /**
   * {@code x >> bits}, rounding towards −∞.
   *
   * @param lift a multiple of 2^bits that x is never below the negative of
   */
  String shift(String x, int bits, long lift, String name) {
    String raised = lift == 0 ? x : add(x, graph.scalar(lift), name);
    String shifted = shiftUp(raised, graph.unsigned(bits), name);
    return lift == 0 ? shifted : subtract(shifted, graph.scalar(lift >> bits), name);
  }

  private String shiftUp(String raised, String bits, String name) {
    String unsigned = cast(raised, name + "/uint64", DataType.UINT64);
    String shifted =
        graph.node(
            "BitShift", name + "/shift", List.of(unsigned, bits), attribute("direction", "RIGHT"));
    return wide(shifted, name);
  }

  /**
   * {@code (z·m + 2^(e−1)) >> e}.
   *
   * @param z int64
   * @param bound largest absolute value of z, at most 2^31
   */
  String requantize(String z, Dyadic dyadic, long bound, String name) {
    int e = dyadic.shift();
    long half = 1L << (e - 1);
    String product =
        multiply(z, graph.scalar(multiplier(name, dyadic.multiplier(), bound, half)), name);
    String raised = add(product, graph.scalar(half + LIFT), name);
    return subtract(shiftUp(raised, graph.unsigned(e), name), graph.scalar(LIFT >> e), name);
  }

  /**
   * The same with a multiplier a channel, the last axis.
   *
   * @param bounds [channels] largest absolute values of z, at most 2^31
   */
  String requantize(String z, DyadicVector dyadic, long[] bounds, String name) {
    int n = dyadic.multiplier().length;
    long[] multiplier = new long[n];
    long[] addend = new long[n];
    for (int c = 0; c < n; c++) {
      long half = 1L << (dyadic.shift()[c] - 1);
      multiplier[c] = multiplier(name, dyadic.multiplier()[c], bounds[c], half);
      addend[c] = half + LIFT;
    }
    String product = multiply(z, graph.longs(name + ".multiplier", multiplier, n), name);
    String raised = add(product, graph.longs(name + ".half", addend, n), name);
    return lower(raised, dyadic.shift(), name);
  }

  private String lower(String raised, byte[] shift, String name) {
    int n = shift.length;
    long[] bits = new long[n];
    long[] lift = new long[n];
    for (int c = 0; c < n; c++) {
      bits[c] = shift[c];
      lift[c] = LIFT >> shift[c];
    }
    String shifted = shiftUp(raised, graph.unsigned(name + ".shift", bits, n), name);
    return subtract(shifted, graph.longs(name + ".lift", lift, n), name);
  }

  /** {@code (x·m[c] + B[c] + 2^(e−1)) >> e}, |x| up to 2^30. */
  String affine(String x, int[] multiplier, long[] offset, int e, String name) {
    int n = multiplier.length;
    long half = 1L << (e - 1);
    long[] m = new long[n];
    long[] addend = new long[n];
    for (int c = 0; c < n; c++) {
      check(name, multiplier[c], 1L << 30, Math.abs(offset[c]) + half);
      m[c] = multiplier[c];
      addend[c] = offset[c] + half + LIFT;
    }
    String product = multiply(x, graph.longs(name + ".multiplier", m, n), name);
    String raised = add(product, graph.longs(name + ".offset", addend, n), name);
    return subtract(shiftUp(raised, graph.unsigned(e), name), graph.scalar(LIFT >> e), name);
  }

  /** The multiplier; 0 where its products never reach a half. */
  private static long multiplier(String name, int multiplier, long bound, long half) {
    if (multiplier * bound < half) {
      return 0;
    }
    check(name, multiplier, bound, half);
    return multiplier;
  }

  /** 64 bits must hold the sum above the lift, and the lift the sum below zero. */
  private static void check(String name, long multiplier, long bound, long addend) {
    if (Math.abs(multiplier) * bound >= LIFT - addend) {
      throw new InputException(
          "%s: refused, a requantization may reach %d·%d + %d, expected less than 2^62 for ONNX"
              .formatted(name, multiplier, bound, addend));
    }
  }

  /**
   * The exact floor of the square root, bit by bit.
   *
   * @param x int64, not negative
   * @param most largest root that there may be
   */
  String squareRoot(String x, long most, String name) {
    String root = null;
    for (int bit = 63 - Long.numberOfLeadingZeros(most); bit >= 0; bit--) {
      String value = graph.scalar(1L << bit);
      String trial = root == null ? value : add(root, value, name + "/root");
      String square =
          root == null ? graph.scalar(1L << (2 * bit)) : multiply(trial, trial, name + "/root");
      String fits = graph.node("LessOrEqual", name + "/root/fits", List.of(square, x));
      String without = root == null ? graph.scalar(0L) : root;
      root = graph.node("Where", name + "/root", List.of(fits, trial, without));
    }
    return root;
  }
}
