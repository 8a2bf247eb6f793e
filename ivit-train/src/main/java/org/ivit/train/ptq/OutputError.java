package org.ivit.train.ptq;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import org.ivit.core.arithmetic.AsymmetricGelu;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.RealMatrix;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;

/**
 * What the quantization of a node costs where it is read: the mean of {@code ‖W·(f(q(x)) − f(x))‖²}
 * over rows x of the node, by their weights, with q the 8-bit quantizer, f what lies between the
 * node and the linear layer (nothing, or an activation function) and W the weights of that layer;
 * where more lies between, a {@link Path} says what it makes of the errors. Where that layer's
 * output is a feature, the mean of {@code 1 − cosine(W·f(q(x)) + b, W·f(x) + b)}. Not thread-safe.
 */
final class OutputError {
  /** What errors of a row meet on their way to the weights. */
  @FunctionalInterface
  interface Path {
    /**
     * @param row index of the row's first number in all rows
     * @param error of the row's channels behind f, to be replaced
     */
    void pass(int row, float[] error);
  }

  private static final int BITS = 8;
  private static final int CODES = 1 << BITS;

  /** Near this number float32 holds integers alone. */
  private static final float WHOLE = 1.5f * (1 << 23);

  private final float[] rows;
  private final float[] weights;
  private final float[] exact;
  private final int inputs;
  private final int outputs;
  private final DoubleUnaryOperator between;
  private final boolean asymmetric;

  /** Null where errors reach the weights as they are. */
  private final Path path;

  private final Gemm gemm;
  private final Reals weight;
  private final Reals errors;
  private final Reals products;
  private final float[] error;
  private final float[] product;

  /** What the layer answers without an error, [rows][outputs]; null where that is no feature. */
  private final float[] features;

  /** A node whose reader's output is no feature; parameters as those below. */
  OutputError(
      float[] rows,
      int inputs,
      float[] weight,
      DoubleUnaryOperator between,
      boolean asymmetric,
      Gemm gemm) {
    this(rows, null, inputs, weight, between, asymmetric, null, null, gemm);
  }

  /**
   * A node of symmetric codes whose errors go along a path; parameters as those of the constructor.
   */
  static OutputError along(
      Path path,
      float[] rows,
      float[] weights,
      int inputs,
      float[] weight,
      DoubleUnaryOperator between,
      Gemm gemm) {
    return new OutputError(rows, weights, inputs, weight, between, false, path, null, gemm);
  }

  /**
   * @param rows values of the node, [rows][inputs]
   * @param weights what each row counts, 1 on average; null where all count alike
   * @param inputs channels of the node
   * @param weight weights of the layer that reads it, [outputs][inputs]
   * @param between f, or null for nothing
   * @param asymmetric whether q has the codes of {@link AsymmetricGelu}, with {@code between} null
   * @param bias of a layer whose output is a feature, [outputs]; null for other layers
   * @param gemm products
   */
  OutputError(
      float[] rows,
      float[] weights,
      int inputs,
      float[] weight,
      DoubleUnaryOperator between,
      boolean asymmetric,
      float[] bias,
      Gemm gemm) {
    this(rows, weights, inputs, weight, between, asymmetric, null, bias, gemm);
  }

  private OutputError(
      float[] rows,
      float[] weights,
      int inputs,
      float[] weight,
      DoubleUnaryOperator between,
      boolean asymmetric,
      Path path,
      float[] bias,
      Gemm gemm) {
    this.rows = rows;
    this.path = path;
    this.weights = weights;
    this.inputs = inputs;
    this.outputs = weight.length / inputs;
    this.between = between;
    this.asymmetric = asymmetric;
    this.gemm = gemm;
    this.exact = between == null ? rows : through(rows, between);
    this.weight = Reals.allocate(RealType.FLOAT32, weight.length);
    this.weight.put(0, weight, 0, weight.length);
    this.error = new float[inputs];
    this.product = new float[outputs];
    this.errors = Reals.allocate(RealType.FLOAT32, rows.length);
    this.products = Reals.allocate(RealType.FLOAT32, rows.length / inputs * outputs);
    this.features = bias == null ? null : features(bias);
  }

  private float[] features(float[] bias) {
    errors.put(0, exact, 0, exact.length);
    multiply();
    float[] answers = new float[products.size()];
    products.get(0, answers, 0, answers.length);
    for (int i = 0; i < answers.length; i++) {
      answers[i] += bias[i % outputs];
    }
    return answers;
  }

  private static float[] through(float[] rows, DoubleUnaryOperator between) {
    float[] exact = new float[rows.length];
    for (int i = 0; i < rows.length; i++) {
      exact[i] = (float) between.applyAsDouble(rows[i]);
    }
    return exact;
  }

  /**
   * The error of a quantizer.
   *
   * @param limit the range is [−limit, limit], or up to limit where it is asymmetric
   * @param outliers channels with a scale of their own
   * @return mean over the rows
   */
  double of(float limit, OutlierChannels outliers) {
    float scale = asymmetric ? AsymmetricGelu.scale(limit) : Quantizer.scale(-limit, limit, BITS);
    float outlierScale = outliers.isEmpty() ? scale : outliers.outlierScale(scale);
    float[] scales = new float[inputs];
    float[] reciprocals = new float[inputs];
    Arrays.fill(scales, scale);
    Arrays.fill(reciprocals, Quantizer.reciprocal(scale));
    for (int c : outliers.channels()) {
      scales[c] = outlierScale;
      reciprocals[c] = Quantizer.reciprocal(outlierScale);
    }
    if (between == null) {
      float[] lowest = new float[inputs];
      for (int c = 0; c < inputs; c++) {
        lowest[c] = (asymmetric ? AsymmetricGelu.offset(scales[c]) : 0) - CODES / 2;
      }
      float[] x = new float[inputs];
      for (int row = 0; row < rows.length; row += inputs) {
        System.arraycopy(rows, row, x, 0, inputs);
        quantize(x, reciprocals, lowest, scales, error);
        putError(row);
      }
    } else {
      throughTables(outliers, scale, outlierScale, reciprocals);
    }
    multiply();
    int count = rows.length / inputs;
    double sum = 0;
    for (int row = 0; row < count; row++) {
      products.get(row * outputs, product, 0, outputs);
      double cost = features == null ? squares(product) : distance(row * outputs);
      sum += weights == null ? cost : weights[row] * cost;
    }
    return sum / count;
  }

  private void putError(int row) {
    if (path != null) {
      path.pass(row, error);
    }
    errors.put(row, error, 0, inputs);
  }

  private void multiply() {
    int count = rows.length / inputs;
    gemm.multiply(
        1,
        new RealMatrix(errors, 0, count, inputs),
        new RealMatrix(weight, 0, outputs, inputs).transpose(),
        0,
        new RealMatrix(products, 0, count, outputs));
  }

  /**
   * 1 − cosine of a feature y and y + d, d the product. With a = y·y, b = y·d and c = d·d that is
   * {@code (ac − b²) / (n·(n + a + b))}, n = √(a·(a + 2b + c)), which does not cancel where d is
   * small. A feature of zeros is like none.
   */
  private double distance(int from) {
    double a = 0;
    double b = 0;
    double c = 0;
    for (int i = 0; i < outputs; i++) {
      double y = features[from + i];
      double d = product[i];
      a += y * y;
      b += y * d;
      c += d * d;
    }
    double n = Math.sqrt(Math.max(0, a * (a + 2 * b + c)));
    if (n == 0) {
      return c == 0 ? 0 : 1;
    }
    double cosine = (a + b) / n;
    return cosine > 0 ? Math.max(0, a * c - b * b) / (n * (n + a + b)) : 1 - cosine;
  }

  /** What q changes of a row. Arrays indexed by the loop variable alone are what C2 vectorizes. */
  private static void quantize(
      float[] x, float[] reciprocals, float[] lowest, float[] scales, float[] error) {
    for (int c = 0; c < error.length; c++) {
      error[c] = code(x[c], reciprocals[c], lowest[c]) * scales[c] - x[c];
    }
  }

  /** Four sums, since a loop over one is as slow as an addition takes. */
  private static double squares(float[] x) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int i = 0;
    for (; i + 4 <= x.length; i += 4) {
      a += (double) x[i] * x[i];
      b += (double) x[i + 1] * x[i + 1];
      c += (double) x[i + 2] * x[i + 2];
      d += (double) x[i + 3] * x[i + 3];
    }
    for (; i < x.length; i++) {
      a += (double) x[i] * x[i];
    }
    return (a + b) + (c + d);
  }

  private void throughTables(
      OutlierChannels outliers, float scale, float outlierScale, float[] reciprocals) {
    float[] rest = table(scale);
    float[] apart = outliers.isEmpty() ? rest : table(outlierScale);
    float[][] tables = new float[inputs][];
    for (int c = 0; c < inputs; c++) {
      tables[c] = outliers.contains(c) ? apart : rest;
    }
    for (int row = 0; row < rows.length; row += inputs) {
      for (int c = 0; c < inputs; c++) {
        int code = (int) code(rows[row + c], reciprocals[c], -CODES / 2);
        error[c] = tables[c][code + CODES / 2] - exact[row + c];
      }
      putError(row);
    }
  }

  /**
   * The code ({@code docs/arithmetic.md#from-float-to-codes}) as a number. In float32 a loop over
   * it vectorizes: clamped, a number is so small that adding {@link #WHOLE} rounds it to an
   * integer, half to even; limits are integers, so it makes no difference that they come first.
   */
  private static float code(float x, float reciprocal, float lowest) {
    float clamped = Math.max(lowest, Math.min(lowest + CODES - 1, reciprocal * x));
    return clamped + WHOLE - WHOLE;
  }

  /** f of every code's value. */
  private float[] table(float scale) {
    float[] table = new float[CODES];
    for (int i = 0; i < CODES; i++) {
      table[i] = (float) between.applyAsDouble((double) scale * (i - CODES / 2));
    }
    return table;
  }
}
