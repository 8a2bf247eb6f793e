package org.ivit.export.onnx;

import static org.ivit.export.onnx.OnnxGraph.attribute;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.arithmetic.Bounds;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.Gating;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Pool;
import org.ivit.core.graph.Residual;

/**
 * The layers of an integer model. 8-bit codes are bytes, code + 128; 16-bit codes and what is on
 * its way to a requantization are int64.
 *
 * <p>Products are of unsigned bytes on both sides: those of unsigned by signed bytes saturate in
 * ONNX Runtime on processors without VNNI.
 */
final class IntegerLayers {
  private static final int CODES = 256;
  private static final long LARGEST_CODE16 = 1L << 15;
  private static final String POOL = "pool";

  private final OnnxGraph graph;
  private final Tokens tokens;
  private final IntegerMath math;

  IntegerLayers(OnnxGraph graph) {
    this.graph = graph;
    this.tokens = new Tokens(graph);
    this.math = new IntegerMath(graph);
  }

  private String product(String x, String y, String zeroX, String zeroY, String name) {
    return graph.node("MatMulInteger", name + "/product", List.of(x, y, zeroX, zeroY));
  }

  private String zero(int code) {
    return graph.zeroPoint(DataType.UINT8, code);
  }

  /**
   * @param x bytes [rows, inputs]
   * @return accumulators, requantized and not clamped, int64 [rows, outputs]
   */
  String linear(Linear linear, String name, String x) {
    int inputs = linear.inputs();
    int outputs = linear.outputs();
    OutlierChannels apart = linear.inputOutliers();
    byte[] weights = linear.weight();
    byte[] main = new byte[weights.length];
    byte[] high = new byte[apart.channels().length * outputs];
    Arrays.fill(main, (byte) 128);
    for (int c = 0; c < outputs; c++) {
      int member = 0;
      for (int k = 0; k < inputs; k++) {
        byte code = (byte) (weights[c * inputs + k] + 128);
        if (apart.contains(k)) {
          high[member++ * outputs + c] = code;
        } else {
          main[k * outputs + c] = code;
        }
      }
    }
    String weight = graph.bytes(name + ".weight", DataType.UINT8, main, inputs, outputs);
    String acc = product(x, weight, zero(128), zero(128), name);
    if (!apart.isEmpty()) {
      acc = addOutliers(acc, x, apart, high, outputs, name);
    }
    if (Arrays.stream(linear.bias()).anyMatch(b -> b != 0)) {
      acc = math.add(acc, graph.ints(name + ".bias", linear.bias(), outputs), name);
    }
    long[] bounds = Bounds.accumulators(weights, linear.bias(), outputs, inputs, apart);
    return math.requantize(math.wide(acc, name), linear.requantization(), bounds, name);
  }

  private String addOutliers(
      String acc, String x, OutlierChannels apart, byte[] high, int outputs, String name) {
    String outlier = name + "/outliers";
    int count = apart.channels().length;
    String weight = graph.bytes(name + ".outlier_weight", DataType.UINT8, high, count, outputs);
    String part = tokens.gather(x, outlier, apart.channels(), 1);
    String sum = product(part, weight, zero(128), zero(128), outlier);
    String factor = graph.ints(outlier + "/factor", new int[] {1 << apart.shift()});
    return math.add(acc, math.multiply(sum, factor, outlier), outlier);
  }

  /** Bytes of a linear layer with 8-bit codes. */
  String linear8(Linear linear, String x) {
    return math.toBytes(linear(linear, linear.name(), x), linear.name());
  }

  /** Codes of a linear layer with 16-bit ones. */
  String linear16(Linear linear, String x) {
    return math.clamp16(linear(linear, linear.name(), x), linear.name());
  }

  /** int64 codes of bytes. */
  String centred(String bytes, String name) {
    return math.subtract(math.wide(bytes, name), graph.scalar(128L), name);
  }

  /**
   * @param x codes, int64 [rows, channels]
   * @return not clamped, int64 [rows, channels]
   */
  private String normalised(LayerNorm norm, String x) {
    String name = norm.name();
    int channels = norm.channels();
    ILayerNorm.Constants constants = norm.constants();
    String last = graph.vector(-1);
    String sum = graph.node("ReduceSum", name + "/sum", List.of(x, last));
    // floor((2·sum + C) / 2C), raised above zero for a division that truncates.
    String twice = math.multiply(sum, graph.scalar(2L), name);
    long raise = 2L * channels * LARGEST_CODE16;
    String numerator = math.add(twice, graph.scalar(channels + raise), name);
    String raised = math.divide(numerator, graph.scalar(2L * channels), name);
    String mean = math.subtract(raised, graph.scalar(LARGEST_CODE16), name);
    String y = math.subtract(x, mean, name);
    String squares =
        graph.node("ReduceSum", name + "/squares", List.of(math.multiply(y, y, name), last));
    long epsilon = constants.epsilon();
    String variance =
        epsilon == 0 ? squares : math.add(squares, graph.scalar(epsilon), name + "/epsilon");
    long most = 4 * LARGEST_CODE16 * LARGEST_CODE16 * channels + epsilon;
    String root = math.squareRoot(variance, ILayerNorm.isqrt(most), name);
    String std = graph.node("Max", name + "/std", List.of(root, graph.scalar(1L)));
    String factor = math.divide(graph.scalar((long) Integer.MAX_VALUE), std, name);
    String scaled = math.shift(math.multiply(y, factor, name), 1, 1L << 32, name);
    return math.affine(scaled, constants.multiplier(), constants.offset(), constants.shift(), name);
  }

  /** Bytes of a norm. */
  String norm8(LayerNorm norm, String x) {
    return math.toBytes(normalised(norm, x), norm.name());
  }

  /** 16-bit codes of a norm. */
  String norm16(LayerNorm norm, String x) {
    return math.clamp16(normalised(norm, x), norm.name());
  }

  /**
   * @param z 16-bit codes of the branch
   * @param identity 16-bit codes of the same shape, or ones that are requantized already
   */
  String residual(Residual residual, String z, String identity) {
    String name = residual.name();
    return math.clamp16(
        math.add(branch(residual, z), requantized(residual.identity(), identity, name), name),
        name);
  }

  private String requantized(Dyadic dyadic, String x, String name) {
    return math.requantize(x, dyadic, LARGEST_CODE16, name);
  }

  private String branch(Residual residual, String z) {
    return requantized(residual.branch(), z, residual.name() + "/branch");
  }

  /**
   * @param z 16-bit codes [batch, tokens, channels]
   * @param constant codes added to those of every picture [tokens·channels]
   */
  String residual(Residual residual, String z, short[] constant, int channels) {
    long[] identity = new long[constant.length];
    for (int i = 0; i < identity.length; i++) {
      identity[i] = residual.identity().apply(constant[i]);
    }
    String name = residual.name();
    String added =
        graph.longs(name + "/identity", identity, 1, identity.length / channels, channels);
    return math.clamp16(math.add(branch(residual, z), added, name), name);
  }

  /**
   * @param x int64 of {@code mlp.fc1}, not clamped, [rows, channels]
   * @return bytes
   */
  String gelu(Gelu gelu, String x, int channels) {
    String name = gelu.name();
    String index = math.clip(math.add(x, graph.scalar(128L), name), 0, 255, name);
    if (gelu instanceof GeluTable table) {
      return byTable(table, index, channels);
    }
    String most =
        graph.node("ReduceMax", name + "/max", List.of(index), attribute("axes", new long[] {-1}));
    String row = math.multiply(most, graph.scalar((long) CODES), name);
    byte[] tables = new byte[CODES * CODES];
    for (int max = 0; max < CODES; max++) {
      for (int code = 0; code <= max; code++) {
        tables[max * CODES + code] = (byte) (((GeluRow) gelu).apply(code - 128, max - 128) + 128);
      }
    }
    return look(
        graph.bytes(name + ".tables", DataType.UINT8, tables, tables.length),
        math.add(row, index, name),
        name);
  }

  private String look(String table, String index, String name) {
    return graph.node("Gather", name, List.of(table, index));
  }

  private String byTable(GeluTable gelu, String index, int channels) {
    String name = gelu.name();
    String main = look(bytes(name + ".table", gelu.table()), index, name);
    OutlierChannels apart = gelu.outputOutliers();
    if (apart.isEmpty()) {
      return main;
    }
    String high = look(bytes(name + ".outlier_table", gelu.outlierTable()), index, name);
    byte[] set = new byte[channels];
    for (int c : apart.channels()) {
      set[c] = 1;
    }
    String outliers = graph.bytes(name + ".outliers", DataType.BOOL, set, channels);
    return graph.node("Where", name + "/either", List.of(outliers, high, main));
  }

  /**
   * SwiGLU.
   *
   * @param gate int64 of {@code mlp.fc1_g}, not clamped, [rows, channels]
   * @param value int64 of {@code mlp.fc1_x}, not clamped, of the same shape
   * @return bytes
   */
  String gated8(Gating gating, String gate, String value) {
    return math.toBytes(gated(gating, gate, value), gating.name());
  }

  /** As {@link #gated8}, 16-bit codes. */
  String gated16(Gating gating, String gate, String value) {
    return math.clamp16(gated(gating, gate, value), gating.name());
  }

  private String gated(Gating gating, String gate, String value) {
    String name = gating.name();
    long[] table = new long[CODES];
    for (int i = 0; i < CODES; i++) {
      table[i] = gating.table()[i];
    }
    String index = math.clip(math.add(gate, graph.scalar(128L), name), 0, 255, name);
    String silu = look(graph.longs(name + ".table", table, CODES), index, name);
    String codes = math.clip(value, Byte.MIN_VALUE, Byte.MAX_VALUE, name + "/value");
    long[] bounds = new long[gating.product().size()];
    Arrays.fill(bounds, LARGEST_CODE16 * 128);
    return math.requantize(math.multiply(silu, codes, name), gating.product(), bounds, name);
  }

  /**
   * Sums over tokens.
   *
   * @param x codes, int64 [batch, tokens, channels]
   * @return int64 [batch, channels]
   */
  String sum(String x, String name) {
    return graph.node(
        "ReduceSum", name + "/sum", List.of(x, graph.vector(1)), attribute("keepdims", 0L));
  }

  /**
   * @param sum of 8-bit codes over the tokens, int64
   * @return bytes
   */
  String pool8(Pool pool, String sum) {
    return math.toBytes(pooled(pool, sum, 8), POOL);
  }

  /**
   * @param sum of 16-bit codes over the tokens, int64
   * @return 16-bit codes, int64
   */
  String pool16(Pool pool, String sum) {
    return math.clamp16(pooled(pool, sum, 16), POOL);
  }

  private String pooled(Pool pool, String sum, int bits) {
    return math.requantize(sum, pool.multiplier(), Bounds.sum(pool.tokens(), bits), POOL);
  }

  private String bytes(String name, byte[] codes) {
    byte[] bytes = new byte[codes.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (codes[i] + 128);
    }
    return graph.bytes(name, DataType.UINT8, bytes, bytes.length);
  }
}
