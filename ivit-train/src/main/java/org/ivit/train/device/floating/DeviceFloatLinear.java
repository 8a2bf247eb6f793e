package org.ivit.train.device.floating;

import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.product.Matrix;
import org.ivit.train.device.product.Product;

/** A linear layer of the float network on the device: {@code y = x·Wᵀ + b}, b if any. */
final class DeviceFloatLinear {
  private static final int NONE = -1;

  private final int inputs;
  private final int outputs;
  private final int weightAt;
  private final int biasAt;

  private static final class FillRowsArguments extends Structure {
    private final Field<Long> row = address();
    private final Field<Long> to = address();
    private final Field<Long> rows = int64();
    private final Field<Divisor> ofColumns = divisor();
    private final Field<Integer> columns = int32();
    private final Field<Integer> unused = unused();
  }

  /**
   * @param layout of the part
   * @param layer names and sizes
   */
  DeviceFloatLinear(NodeLayout layout, LinearSpec layer) {
    inputs = layer.inputs();
    outputs = layer.outputs();
    weightAt = layout.at(layout.spec().local(layer.weight()));
    biasAt = layer.biased() ? layout.at(layout.spec().local(layer.bias())) : NONE;
  }

  private Matrix weight(Pass pass) {
    return Matrix.of(pass.parameters + 4L * weightAt, inputs);
  }

  /**
   * @param x address, [rows][inputs]
   * @param y receives [rows][outputs]
   */
  void forward(Pass pass, long x, int rows, long y) {
    boolean biased = biasAt != NONE;
    if (biased) {
      FillRowsArguments a = new FillRowsArguments();
      a.row.set(pass.parameters + 4L * biasAt);
      a.to.set(y);
      a.rows.set((long) rows);
      a.ofColumns.set(Divisor.of(outputs));
      a.columns.set(outputs);
      pass.each("fill_rows", (long) rows * outputs, 0, a);
    }
    Matrix in = Matrix.of(x, inputs);
    Matrix out = Matrix.of(y, outputs);
    pass.product.run(
        Product.Kind.NT_REAL_REAL, rows, outputs, inputs, 1, in, weight(pass), out, 0, biased);
  }

  /**
   * @param x of the forward pass
   * @param gy gradient by the output, [rows][outputs]
   * @param gx receives that by the input, [rows][inputs]; 0 where nobody wants it
   */
  void backward(Pass pass, long x, long gy, long gx, int rows) {
    Matrix g = Matrix.of(gy, outputs);
    Matrix in = Matrix.of(x, inputs);
    Matrix byWeight = Matrix.of(pass.gradients + 4L * weightAt, inputs);
    pass.product.run(
        Product.Kind.TN_REAL_REAL, outputs, inputs, rows, 1, g, in, byWeight, 0, pass.added());
    if (biasAt != NONE) {
      long to = pass.gradients + 4L * biasAt;
      pass.columnSums(gy, rows, outputs, outputs, to, pass.added());
    }
    if (gx != 0) {
      Matrix byInput = Matrix.of(gx, inputs);
      pass.product.run(
          Product.Kind.NN_REAL_REAL, rows, inputs, outputs, 1, g, weight(pass), byInput, 0, false);
    }
  }
}
