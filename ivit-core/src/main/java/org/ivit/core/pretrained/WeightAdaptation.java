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
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/**
 * Fits pretrained weights to another picture size, window or number of classes. What is changed is
 * said; whatever else differs is left for {@link org.ivit.core.pretrained.WeightCheck} to list.
 */
public final class WeightAdaptation {
  private static final double HEAD_DEVIATION = 0.02;
  private static final String PROJECTION = Stem.PROJECTION + ".weight";

  private final Architecture architecture;
  private final GridResampling resampling;
  private final Consumer<String> said;
  private final Map<String, long[]> expected;

  /**
   * @param architecture what the weights shall fit
   * @param said hears a line for each kind of change
   */
  public WeightAdaptation(Architecture architecture, Consumer<String> said) {
    this(architecture, GridResampling.BICUBIC_ANTIALIAS, said);
  }

  /**
   * @param architecture what the weights shall fit
   * @param resampling the rule of their source for positions
   * @param said hears a line for each kind of change
   */
  WeightAdaptation(Architecture architecture, GridResampling resampling, Consumer<String> said) {
    this.architecture = architecture;
    this.resampling = resampling;
    this.said = said;
    this.expected = architecture.parameters();
  }

  /**
   * Interpolates position embeddings for another picture size by the rule of their source, those of
   * tokens before the patches as they are; tables of relative positions for another window, as the
   * Swin release: bicubic; and the projection of patches for another patch size, as FlexiViT.
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
      } else if (isProjection(name, tensor, shape)) {
        int patch = (int) shape[2];
        said.accept(
            "%s: the projection of patches of %d pixels is resampled to %d"
                .formatted(file.source(), tensor.shape()[2], patch));
        tensors.put(name, projection(tensor, patch, resampling));
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
    Stem stem = architecture.stem();
    int leading = stem.positionRows() - stem.patches();
    boolean fits = tensor.shape()[0] == 1 && tensor.shape()[2] == shape[2];
    return fits ? PositionGrid.fit(tensor, leading, stem.grid(), resampling) : null;
  }

  /** Whether it is the projection, of squares of another size alone. */
  private static boolean isProjection(String name, Tensor tensor, long[] shape) {
    long[] found = tensor.shape();
    return name.equals(PROJECTION)
        && found.length == 4
        && found[0] == shape[0]
        && found[1] == shape[1]
        && found[2] == found[3];
  }

  /**
   * The projection of patches for another patch size.
   *
   * @param kernel [dim][3][patch][patch]
   * @param patch the new size
   * @param rule that of the source's positions
   */
  static Tensor projection(Tensor kernel, int patch, GridResampling rule) {
    GridResampling filter =
        rule == GridResampling.BILINEAR ? rule : GridResampling.BICUBIC_ANTIALIAS;
    long[] shape = kernel.shape();
    float[] resampled = PatchResampling.resample(kernel.floats(), (int) shape[2], patch, filter);
    return Tensor.of(resampled, shape[0], shape[1], patch, patch);
  }

  private static Tensor table(Tensor tensor, long[] shape) {
    int from = PositionGrid.root(tensor.shape()[0]);
    int to = PositionGrid.root(shape[0]);
    int heads = (int) shape[1];
    if (from == 0 || to == 0 || tensor.shape()[1] != heads) {
      return null;
    }
    return Tensor.of(
        GridResampling.BICUBIC.resample(tensor.floats(), from, from, to, to, heads), shape);
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
        tensors.remove(FloatWeights.scaleName(name));
        tensors.remove(FloatWeights.gridName(name));
      }
    }
    return new TensorFile(tensors, file.metadata(), file.source());
  }
}
