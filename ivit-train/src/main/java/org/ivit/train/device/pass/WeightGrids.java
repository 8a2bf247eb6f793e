package org.ivit.train.device.pass;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.TableGrid;
import org.ivit.train.device.memory.Upload;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.GridForm;

/**
 * The grids of a network's weights of fewer than 8 bits: in each step the host makes scales and
 * integers of their points, which it knows, as the processor does; kernels quantize by them, and
 * turn the gradient of dequantized weights into that of weights and points ({@code
 * docs/arithmetic.md#straight-through-gradients}).
 */
public final class WeightGrids implements AutoCloseable {
  private static final int THREADS = 256;
  private static final int SHARE_BYTES = 16;

  private final List<Site> sites = new ArrayList<>();
  private final Upload upload;
  private GridForm.Rounded[] rounded = {};
  private int[] scales = {};
  private int[] integers = {};
  private int[] orders = {};

  /** A layer with a grid. */
  private record Site(
      GridForm form, int weightAt, int pointsAt, int points, int outputs, int inputs) {

    GridForm.Rounded rounded(Reals weights) {
      float[] values = new float[outputs * points];
      weights.get(pointsAt, values, 0, values.length);
      return form.rounded(values, outputs, inputs);
    }
  }

  private static final class GridGradientArguments extends Structure {
    private final Field<Long> weight = address();
    private final Field<Long> gradient = address();
    private final Field<Long> scales = address();
    private final Field<Long> order = address();
    private final Field<Long> points = address();
    private final Field<WeightGridFields> grid = structure(new WeightGridFields());
    private final Field<Double> slope = float64();
    private final Field<Integer> outputs = int32();
    private final Field<Integer> inputs = int32();
    private final Field<Integer> run = int32();
    private final Field<Integer> unused = unused();
  }

  WeightGrids(Device device) {
    upload = new Upload(device);
  }

  /**
   * Adds the grid of a matrix, if it has one.
   *
   * @param layout of the part
   * @param key of the matrix within the part
   * @return its number, or -1 where its weights have 8 bits
   */
  public int add(NodeLayout layout, String key, int outputs, int inputs) {
    GridForm form = layout.layout().grids().get(key);
    if (form == null) {
      return -1;
    }
    sites.add(
        new Site(
            form,
            layout.at(key),
            layout.at(FloatWeights.gridName(key)),
            form.points(inputs),
            outputs,
            inputs));
    return sites.size() - 1;
  }

  /**
   * Makes the grids of a step and brings them to the device.
   *
   * @param weights of the network, of which the points are read
   * @param pool threads
   */
  public void prepare(Reals weights, WorkerPool pool) {
    int count = sites.size();
    rounded = new GridForm.Rounded[count];
    scales = new int[count];
    integers = new int[count];
    orders = new int[count];
    pool.run(count, i -> rounded[i] = sites.get(i).rounded(weights));
    upload.begin();
    for (int i = 0; i < count; i++) {
      GridForm.Rounded made = rounded[i];
      scales[i] = upload.floats(made.scale());
      if (made.grid() instanceof TableGrid table) {
        integers[i] = upload.bytes(table.table());
        orders[i] = upload.ints(made.order());
      } else if (made.grid() instanceof GroupGrid group) {
        integers[i] = upload.bytes(group.multiplier());
      }
    }
    upload.send();
  }

  /** The scales of a grid in this step, before a bias raises them. */
  public float[] scales(int number) {
    return rounded[number].scale();
  }

  /** Where the scales lie on the device. */
  public long scalesAt(int number) {
    return upload.at(scales[number]);
  }

  /** The grid of this step. */
  public WeightGridFields fields(int number) {
    Site site = sites.get(number);
    GridForm form = site.form();
    boolean table = rounded[number].grid() instanceof TableGrid;
    boolean group = rounded[number].grid() instanceof GroupGrid;
    WeightGridFields fields = new WeightGridFields();
    fields.table.set(table ? upload.at(integers[number]) : 0);
    fields.multipliers.set(group ? upload.at(integers[number]) : 0);
    fields.size.set(Divisor.of(group ? form.size() : site.inputs()));
    fields.groups.set(site.points());
    fields.bits.set(form.bits());
    fields.shift.set(form.shift());
    return fields;
  }

  /**
   * Turns the gradients of dequantized weights, summed over the micro-batches of the step, into
   * those of weights and of points.
   */
  public void gradients(Pass pass) {
    for (int i = 0; i < sites.size(); i++) {
      Site site = sites.get(i);
      GridForm form = site.form();
      GridGradientArguments a = new GridGradientArguments();
      a.weight.set(pass.parameters + 4L * site.weightAt());
      a.gradient.set(pass.gradients + 4L * site.weightAt());
      a.scales.set(scalesAt(i));
      a.order.set(rounded[i].order() == null ? 0 : upload.at(orders[i]));
      a.points.set(form.learned() ? pass.gradients + 4L * site.pointsAt() : 0);
      a.grid.set(fields(i));
      a.slope.set(form.slope());
      a.outputs.set(site.outputs());
      a.inputs.set(site.inputs());
      a.run.set(rounded[i].grid() instanceof GroupGrid group ? group.size() : site.inputs());
      int blocks = Math.toIntExact((32L * site.outputs() + THREADS - 1) / THREADS);
      pass.grid("grid_gradient", blocks, 1, SHARE_BYTES * THREADS, a);
    }
  }

  @Override
  public void close() {
    upload.close();
  }
}
