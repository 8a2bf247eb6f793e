package org.ivit.export.freeze;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.PixelTable;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Normalisation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.export.model.IntegerModel;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.TransformerNetwork;
import org.ivit.train.parameter.GridPoints;

/**
 * Whether engines give the logits of a judge, such as the training network, integer by integer:
 * pictures go to the judge as normalised floats and into the engines as codes of the pixel table.
 *
 * @param judge in words, with its article
 * @param pictures that were compared
 * @param engines that were asked
 * @param differences logits that differ, over all engines
 */
public record IdentityCheck(String judge, int pictures, List<String> engines, long differences) {
  private static final int BATCH = 8;

  /** What engines are compared with. */
  @FunctionalInterface
  public interface Judge {
    /**
     * @param pixels normalised, [pictures][3][image][image]
     * @param pictures number of pictures
     * @return integer logits, [pictures][classes]
     */
    int[] logits(float[] pixels, int pictures);
  }

  /**
   * Compares with the training network.
   *
   * @param frozen what was frozen; its weights, scheme and ranges go to the network
   * @param checkpoint the integer model, as frozen or as read back
   * @param count how many pictures at most
   * @param engines names of {@link Engines}
   * @param progress told how many pictures more are done
   */
  public static IdentityCheck run(
      Frozen frozen,
      IntegerCheckpoint checkpoint,
      Dataset set,
      int count,
      List<String> engines,
      IntConsumer progress) {
    Architecture architecture = checkpoint.graph().architecture();
    TransformerNetwork network =
        TransformerNetwork.build(
            NetworkOptions.inference(architecture, frozen.scheme())
                .withGrids(GridPoints.forms(frozen.weights().grids(), false)),
            WorkerPool.shared());
    network.load(frozen.weights());
    network.ranges(frozen.ranges());
    return run(
        "the training network", network::integerLogits, checkpoint, set, count, engines, progress);
  }

  /**
   * Compares on pictures spread evenly over a set. Those that cannot be read are named in a warning
   * and left out.
   *
   * @param judge in words, with its article
   * @param expected the judge
   * @param checkpoint the integer model, as frozen or as read back
   * @param count how many pictures at most
   * @param engines names of {@link Engines}
   * @param progress told how many pictures more are done
   */
  public static IdentityCheck run(
      String judge,
      Judge expected,
      IntegerCheckpoint checkpoint,
      Dataset set,
      int count,
      List<String> engines,
      IntConsumer progress) {
    Preprocess p = checkpoint.preprocess();
    EvaluationTransform transform = new EvaluationTransform(p);
    Normalisation normalisation = new Normalisation(p);
    PixelTable table = PixelTable.of(p.mean(), p.std(), checkpoint.graph().inputScale());
    int total = Math.min(count, set.size());
    int[] order =
        IntStream.range(0, total).map(i -> (int) ((long) i * set.size() / total)).toArray();
    int compared = 0;
    long differences = 0;
    List<Engine> opened = new ArrayList<>();
    try (PictureLoader<Rgb> loader =
        new PictureLoader<>(
            set,
            order,
            (picture, index) -> transform.apply(picture),
            OnCorrupt.SKIP,
            WorkerPool.shared().threads(),
            2 * BATCH)) {
      engines.forEach(name -> opened.add(Engines.open(checkpoint.graph(), name)));
      while (loader.hasNext()) {
        List<Rgb> batch = new ArrayList<>();
        while (batch.size() < BATCH && loader.hasNext()) {
          batch.add(loader.next().value());
        }
        int[] logits = expected.logits(normalisation.apply(batch), batch.size());
        byte[] codes = table.apply(IntegerModel.bytes(batch), batch.size());
        for (Engine engine : opened) {
          differences += differences(logits, engine.logits(codes, batch.size()));
        }
        compared += batch.size();
        progress.accept(batch.size());
      }
    } finally {
      opened.forEach(Engine::close);
    }
    return new IdentityCheck(judge, compared, List.copyOf(engines), differences);
  }

  private static long differences(int[] expected, int[] found) {
    long count = Math.abs(expected.length - found.length);
    for (int i = 0; i < Math.min(expected.length, found.length); i++) {
      count += expected[i] == found[i] ? 0 : 1;
    }
    return count;
  }

  /**
   * Refuses a model whose logits differ.
   *
   * @throws IllegalStateException saying how many
   */
  public void require() {
    if (differences > 0) {
      throw new IllegalStateException(
          "%s logits of %s pictures differ between %s and %s"
              .formatted(differences, pictures, judge, String.join(", ", engines)));
    }
  }
}
