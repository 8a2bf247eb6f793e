package org.ivit.core.pretrained;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Stem;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/**
 * Fits pretrained weights to another picture size, window or number of classes. What is changed is
 * said; whatever else differs is left for {@link org.ivit.core.pretrained.WeightCheck} to list.
 */
public final class WeightAdaptation {
  private static final double HEAD_DEVIATION = 0.02;

  private final Architecture architecture;
  private final Consumer<String> said;
  private final Map<String, long[]> expected;

  /**
   * @param architecture what the weights shall fit
   * @param said hears a line for each kind of change
   */
  public WeightAdaptation(Architecture architecture, Consumer<String> said) {
    this.architecture = architecture;
    this.said = said;
    this.expected = architecture.parameters();
  }

  /**
   * Interpolates position embeddings for another picture size, as timm's {@code
   * resample_abs_pos_embed}: bicubic with antialiasing, the class token's as it is; and tables of
   * relative positions for another window, as the Swin release: bicubic.
   *
   * @param file weights under timm's names
   * @return the same, or with tables of the sizes that the architecture has
   */
  public TensorFile positions(TensorFile file) {
    Map<String, Tensor> tensors = new LinkedHashMap<>(file.tensors());
    Set<String> tables =
        architecture.blocks().stream().map(Block::positionTable).collect(Collectors.toSet());
    int resized = 0;
    for (Map.Entry<String, long[]> parameter : expected.entrySet()) {
      String name = parameter.getKey();
      Tensor tensor = file.tensors().get(name);
      long[] shape = parameter.getValue();
      if (tensor == null || Arrays.equals(tensor.shape(), shape)) {
        continue;
      }
      if (name.equals(Stem.POSITION) && tensor.shape().length == 3) {
        Tensor resampled = embedding(tensor, shape);
        if (resampled != null) {
          said.accept(
              "%s: position embeddings of %d tokens interpolated to %d, for pictures of %s"
                  .formatted(file.source(), tensor.shape()[1], shape[1], architecture.image()));
          tensors.put(name, resampled);
        }
      } else if (tables.contains(name) && tensor.shape().length == 2) {
        Tensor resampled = table(tensor, shape);
        if (resampled != null) {
          resized++;
          tensors.put(name, resampled);
        }
      }
    }
    if (resized > 0) {
      said.accept(
          "%s: %d tables of relative positions interpolated to another window"
              .formatted(file.source(), resized));
    }
    return new TensorFile(tensors, file.metadata(), file.source());
  }

  /** Null where the two are no square grids behind the same leading tokens. */
  private Tensor embedding(Tensor tensor, long[] shape) {
    int grid = architecture.stem().grid().side();
    int leading = (int) shape[1] - grid * grid;
    int side = root(tensor.shape()[1] - leading);
    int channels = (int) shape[2];
    if (side == 0 || tensor.shape()[0] != 1 || tensor.shape()[2] != channels) {
      return null;
    }
    float[] old = tensor.floats();
    float[] values = Arrays.copyOf(old, (int) (shape[1] * channels));
    float[] resampled =
        BicubicGrid.resample(
            Arrays.copyOfRange(old, leading * channels, old.length), side, grid, channels, true);
    System.arraycopy(resampled, 0, values, leading * channels, resampled.length);
    return Tensor.of(values, shape);
  }

  private static Tensor table(Tensor tensor, long[] shape) {
    int from = root(tensor.shape()[0]);
    int to = root(shape[0]);
    int heads = (int) shape[1];
    if (from == 0 || to == 0 || tensor.shape()[1] != heads) {
      return null;
    }
    return Tensor.of(BicubicGrid.resample(tensor.floats(), from, to, heads, false), shape);
  }

  private static int root(long square) {
    int root = (int) Math.rint(Math.sqrt((double) Math.max(0, square)));
    return (long) root * root == square ? root : 0;
  }

  /**
   * Replaces a head of another number of classes by a new one, to be trained: normal weights of
   * deviation 0.02, no bias.
   *
   * @param file weights under timm's names
   * @param seed of the new weights
   * @return the same, or with new heads
   */
  public TensorFile newHead(TensorFile file, long seed) {
    Map<String, Tensor> tensors = new LinkedHashMap<>(file.tensors());
    Random random = new Random(seed);
    for (Map.Entry<String, long[]> parameter : expected.entrySet()) {
      String name = parameter.getKey();
      Tensor tensor = file.tensors().get(name);
      long[] shape = parameter.getValue();
      boolean other =
          name.startsWith("head")
              && tensor != null
              && tensor.shape().length == shape.length
              && tensor.shape()[0] != shape[0];
      if (other) {
        float[] values =
            new float[Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact))];
        if (shape.length > 1) {
          said.accept(
              "%s: %s has %d classes: replaced by a new head of %d"
                  .formatted(file.source(), name, tensor.shape()[0], shape[0]));
          for (int i = 0; i < values.length; i++) {
            values[i] = (float) (HEAD_DEVIATION * random.nextGaussian());
          }
        }
        tensors.put(name, Tensor.of(values, shape));
        tensors.remove(name + "_scale");
      }
    }
    return new TensorFile(tensors, file.metadata(), file.source());
  }
}
