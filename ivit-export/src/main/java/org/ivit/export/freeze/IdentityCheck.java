package org.ivit.export.freeze;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.graph.PixelTable;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Normalisation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.export.evaluate.FloatModel;
import org.ivit.export.evaluate.IntegerModel;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.TransformerNetwork;

/**
 * Whether engines give the logits of the training network, integer by integer: pictures go into the
 * network as normalised floats and into the engines as codes of the pixel table.
 *
 * @param pictures that were compared
 * @param engines that were asked
 * @param differences logits that differ, over all engines
 */
public record IdentityCheck(int pictures, List<String> engines, long differences) {
  private static final int BATCH = 8;

  /**
   * Compares on pictures spread evenly over a set.
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
            NetworkOptions.inference(architecture, frozen.scheme()), WorkerPool.shared());
    network.load(frozen.weights());
    network.ranges(frozen.ranges());
    Preprocess p = checkpoint.preprocess();
    EvaluationTransform transform = new EvaluationTransform(p);
    Normalisation normalisation = new Normalisation(p);
    PixelTable table = PixelTable.of(p.mean(), p.std(), checkpoint.graph().inputScale());
    int total = Math.min(count, set.size());
    long differences = 0;
    List<Engine> opened = new ArrayList<>();
    try {
      engines.forEach(name -> opened.add(Engines.open(checkpoint.graph(), name)));
      for (int from = 0; from < total; from += BATCH) {
        List<Rgb> batch = new ArrayList<>();
        for (int i = from; i < Math.min(from + BATCH, total); i++) {
          batch.add(transform.apply(set.picture((int) ((long) i * set.size() / total))));
        }
        int[] expected =
            network.integerLogits(FloatModel.normalised(batch, normalisation), batch.size());
        byte[] codes = table.apply(IntegerModel.bytes(batch), batch.size());
        for (Engine engine : opened) {
          differences += differences(expected, engine.logits(codes, batch.size()));
        }
        progress.accept(batch.size());
      }
    } finally {
      opened.forEach(Engine::close);
    }
    return new IdentityCheck(total, List.copyOf(engines), differences);
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
          differences
              + " logits of "
              + pictures
              + " pictures differ between the training network and "
              + String.join(", ", engines));
    }
  }
}
