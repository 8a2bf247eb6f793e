package org.ivit.core.pretrained;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.NumberedNames;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/** Compares the tensors of a file with the parameters of an architecture, all at once. */
public final class WeightCheck {
  private static final String SCALE = "_scale";
  private static final String GRID = "_grid";

  private WeightCheck() {}

  /**
   * Checks that a file holds exactly the float parameters of an architecture, each with its shape.
   * Beside the weight of a linear layer its frozen scale may lie, one value an output: {@code
   * head.weight_scale}; or what the grid of its codes follows from, some values an output: {@code
   * head.weight_grid}.
   *
   * @param file float weights under timm names
   * @param architecture what they are for
   * @throws InputException one line with all missing, unexpected and mis-shaped tensors; where the
   *     heads alone differ, it says that the class count does not match the weights; where all fit,
   *     but a value is not finite, it names that
   */
  public static void check(TensorFile file, Architecture architecture) {
    Map<String, long[]> expected = architecture.parameters();
    Map<String, long[]> optional = scales(expected);
    List<String> missing = new ArrayList<>();
    List<String> wrong = new ArrayList<>();
    boolean headsAlone = true;
    for (Map.Entry<String, long[]> parameter : expected.entrySet()) {
      String name = parameter.getKey();
      Tensor tensor = file.tensors().get(name);
      if (tensor == null) {
        missing.add(name);
      } else {
        String reason = difference(tensor, parameter.getValue());
        if (reason != null) {
          wrong.add(name + " is " + reason);
          headsAlone &= differsInOutputsAlone(name, tensor, parameter.getValue());
        }
      }
    }
    List<String> unexpected = new ArrayList<>();
    file.tensors()
        .forEach(
            (name, tensor) -> {
              if (optional.containsKey(name)) {
                String reason =
                    name.endsWith(GRID)
                        ? gridDifference(tensor, optional.get(name)[0])
                        : scaleDifference(tensor, optional.get(name));
                if (reason != null) {
                  wrong.add(name + " is " + reason);
                }
              } else if (!expected.containsKey(name)) {
                unexpected.add(MessageText.quote(name));
              }
            });
    if (missing.isEmpty() && unexpected.isEmpty() && wrong.isEmpty()) {
      expected.keySet().forEach(name -> requireFinite(file, name));
      return;
    }
    if (missing.isEmpty() && unexpected.isEmpty() && headsAlone) {
      throw new InputException(
          "%s: class count that does not match the weights: %s has %d classes, but %s"
              .formatted(
                  file.source(),
                  MessageText.quote(architecture.name()),
                  architecture.classes(),
                  NumberedNames.list(wrong)));
    }
    List<String> parts = new ArrayList<>();
    part(parts, "missing", missing);
    part(parts, "unexpected", unexpected);
    part(parts, "wrong", wrong);
    throw new InputException(
        "%s: not the weights of %s: %s"
            .formatted(
                file.source(), MessageText.quote(architecture.name()), String.join("; ", parts)));
  }

  private static void requireFinite(TensorFile file, String name) {
    Tensor tensor = file.tensors().get(name);
    int at = tensor.firstNotFinite();
    if (at >= 0) {
      throw new InputException(
          "%s: tensor %s: element %d of %d is %s, expected finite numbers: the weights are damaged, or"
                  .formatted(file.source(), name, at, tensor.size(), tensor.doubles()[at])
              + " their training diverged");
    }
  }

  /**
   * The names that a file of weights may have: the parameters, and the frozen scales or grids of
   * linear layers.
   */
  public static Set<String> names(Architecture architecture) {
    Map<String, long[]> expected = architecture.parameters();
    Set<String> names = new LinkedHashSet<>(expected.keySet());
    names.addAll(scales(expected).keySet());
    return names;
  }

  private static void part(List<String> parts, String what, List<String> items) {
    if (!items.isEmpty()) {
      parts.add("%d %s: %s".formatted(items.size(), what, NumberedNames.list(items)));
    }
  }

  private static Map<String, long[]> scales(Map<String, long[]> parameters) {
    Map<String, long[]> scales = new LinkedHashMap<>();
    parameters.forEach(
        (name, shape) -> {
          if (name.endsWith(".weight") && shape.length > 1) {
            scales.put(name + SCALE, new long[] {shape[0]});
            scales.put(name + GRID, new long[] {shape[0]});
          }
        });
    return scales;
  }

  /** What a tensor is and should be, or null if it is as it should be. */
  private static String difference(Tensor tensor, long[] shape) {
    if (!tensor.dtype().isFloating()) {
      return tensor.dtype() + ", expected F32, F16, BF16 or F64";
    }
    if (!Arrays.equals(tensor.shape(), shape)) {
      return MessageText.line(Arrays.toString(tensor.shape()))
          + ", expected "
          + Arrays.toString(shape);
    }
    return null;
  }

  private static String scaleDifference(Tensor tensor, long[] shape) {
    String reason = difference(tensor, shape);
    if (reason != null) {
      return reason;
    }
    if (tensor.dtype() == DType.F64) {
      return "F64, expected F32: frozen scales are not rounded";
    }
    float[] scales = tensor.floats();
    for (int c = 0; c < scales.length; c++) {
      if (!(scales[c] > 0) || Float.isInfinite(scales[c])) {
        return scales[c] + " at element " + c + ", expected positive scales";
      }
    }
    return null;
  }

  private static String gridDifference(Tensor tensor, long outputs) {
    long[] shape = tensor.shape();
    if (tensor.dtype() != DType.F32 || shape.length != 2 || shape[0] != outputs) {
      return "%s %s, expected F32 [%d, numbers of a channel's grid]"
          .formatted(tensor.dtype(), MessageText.line(Arrays.toString(shape)), outputs);
    }
    int at = tensor.firstNotFinite();
    return at < 0 ? null : tensor.floats()[at] + " at element " + at + ", expected finite numbers";
  }

  private static boolean differsInOutputsAlone(String name, Tensor tensor, long[] shape) {
    long[] found = tensor.shape();
    if (!name.startsWith("head") || found.length != shape.length) {
      return false;
    }
    return Arrays.equals(found, 1, found.length, shape, 1, shape.length);
  }
}
