package org.ivit.export.onnx;

import static org.ivit.export.onnx.OnnxGraph.attribute;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.PackedBits;
import org.ivit.core.weight.TableGrid;
import org.ivit.core.weight.WeightCodes;
import org.ivit.core.weight.WeightGrid;

/**
 * Weights of at most 4 bits in INT4 or UINT4, and the operators that decode them to the bytes of an
 * 8-bit model ({@code docs/arithmetic.md#weights-of-fewer-bits}). They depend on constants alone,
 * so a runtime folds them when it opens the file, and fuses the product as it does that of 8 bits.
 * DequantizeLinear knows blocks of 4-bit numbers itself, but ONNX Runtime 1.29 fuses no product of
 * quantized activations with them.
 */
final class NibbleWeights {
  private static final int BITS = 4;
  private static final int BYTE = 128;

  private final OnnxGraph graph;
  private final QdqWeights form;

  /**
   * @param form of the decoded bytes
   */
  NibbleWeights(OnnxGraph graph, QdqWeights form) {
    this.graph = graph;
    this.form = form;
  }

  /**
   * Whether weights can be written so.
   *
   * @param grid of their codes, or null where these have 8 bits
   */
  static boolean hold(WeightGrid grid) {
    return grid != null && grid.bits() <= BITS;
  }

  /**
   * Decoded weights in bytes.
   *
   * @param name of the constant
   * @param weights on a grid of at most 4 bits
   * @param outliers inputs whose weights are 0 here
   * @return [inputs, outputs]
   */
  String codes(String name, WeightCodes weights, OutlierChannels outliers) {
    int inputs = weights.inputs();
    byte[] indices = PackedBits.unpack(weights.stored(), inputs, weights.bits());
    byte[] turned = turned(indices, weights.outputs(), inputs);
    String codes =
        weights.grid() instanceof TableGrid table
            ? entries(name, table, turned, weights)
            : multiples(name, weights.grid(), turned, weights);
    if (!outliers.isEmpty()) {
      byte[] apart = new byte[inputs];
      for (int k : outliers.channels()) {
        apart[k] = 1;
      }
      String where = graph.bytes(name + "_outliers", DataType.BOOL, apart, inputs, 1);
      String zero = graph.scalar(form.zeroPoint());
      codes = graph.node("Where", name + "/rest", List.of(where, zero, codes));
    }
    return cast(codes, name + "/bytes", form.type());
  }

  /** Entries of the channels' tables, as INT32. */
  private String entries(String name, TableGrid grid, byte[] indices, WeightCodes weights) {
    int size = 1 << grid.bits();
    byte[] entries = turned(grid.table(), weights.outputs(), size);
    for (int i = 0; i < entries.length; i++) {
      entries[i] = (byte) (entries[i] + form.zeroPoint());
    }
    String table = graph.bytes(name + "_table", form.type(), entries, size, weights.outputs());
    return graph.node(
        "GatherElements",
        name + "/codes",
        List.of(
            cast(table, name + "/table", DataType.INT32),
            numbers(name, DataType.UINT4, indices, weights)),
        attribute("axis", 0L));
  }

  /** Signed numbers, times the multipliers of their groups if they have any, as INT32. */
  private String multiples(String name, WeightGrid grid, byte[] indices, WeightCodes weights) {
    byte[] signed = new byte[indices.length];
    for (int i = 0; i < signed.length; i++) {
      signed[i] = (byte) (indices[i] - (1 << (grid.bits() - 1)));
    }
    String codes = numbers(name, DataType.INT4, signed, weights);
    int raised = 0;
    if (grid instanceof GroupGrid groups) {
      codes = graph.node("Mul", name + "/multiples", List.of(codes, multipliers(name, groups)));
      if (groups.shift() > 0) {
        // Raised above zero for a division that truncates.
        int divisor = 1 << groups.shift();
        codes = add(codes, name + "/raised", BYTE * divisor + divisor / 2);
        codes = graph.node("Div", name + "/shifted", List.of(codes, graph.scalar(divisor)));
        raised = BYTE;
      }
    }
    int lack = form.zeroPoint() - raised;
    return lack == 0 ? codes : add(codes, name + "/codes", lack);
  }

  /** Of each input and output, [inputs, outputs]. */
  private String multipliers(String name, GroupGrid grid) {
    int groups = grid.groups();
    int outputs = grid.multiplier().length / groups;
    byte[] turned = turned(grid.multiplier(), outputs, groups);
    String constant = graph.bytes(name + "_multiplier", DataType.UINT8, turned, groups, outputs);
    return graph.node(
        "Gather",
        name + "/multipliers",
        List.of(cast(constant, name + "/multiplier", DataType.INT32), groupOfInput(grid)),
        attribute("axis", 0L));
  }

  private String groupOfInput(GroupGrid grid) {
    long[] group = new long[grid.inputs()];
    Arrays.setAll(group, k -> k / grid.size());
    String name = "groups.%dx%d".formatted(grid.inputs(), grid.size());
    return graph.shared(name, () -> graph.longs(name, group, group.length));
  }

  private String numbers(String name, DataType type, byte[] numbers, WeightCodes weights) {
    String constant = graph.nibbles(name, type, numbers, weights.inputs(), weights.outputs());
    return cast(constant, name + "/numbers", DataType.INT32);
  }

  private String add(String x, String name, int value) {
    return graph.node("Add", name, List.of(x, graph.scalar(value)));
  }

  private String cast(String x, String name, DataType type) {
    return graph.node("Cast", name, List.of(x), attribute("to", (long) type.getNumber()));
  }

  /** From [rows][columns] to [columns][rows]. */
  private static byte[] turned(byte[] matrix, int rows, int columns) {
    byte[] turned = new byte[matrix.length];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        turned[c * rows + r] = matrix[r * columns + c];
      }
    }
    return turned;
  }
}
