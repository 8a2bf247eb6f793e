package org.ivit.export.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.ivit.core.Size;
import org.ivit.core.architecture.Answer;
import org.ivit.core.engine.Timings;
import org.ivit.core.image.Rgb;

/** Times models on pictures of random pixels, one call of each after the other. */
public final class ModelTimes {
  private ModelTimes() {}

  /**
   * Warms up for half of the time, then times calls.
   *
   * @param models at least one; each gets pictures of its own size
   * @param batch pictures a call, at least 1
   * @param seconds of calls of each model, on average; each is called once at least
   * @return seconds a call, a model each, in their order
   */
  public static List<Timings> inTurns(List<Model> models, int batch, double seconds) {
    List<List<Rgb>> pictures = models.stream().map(model -> pictures(model, batch)).toList();
    turns(models, pictures, seconds / 2 * models.size());
    return turns(models, pictures, seconds * models.size());
  }

  private static List<Rgb> pictures(Model model, int batch) {
    Size size = model.preprocess().crop();
    Random random = new Random(1);
    List<Rgb> pictures = new ArrayList<>();
    for (int i = 0; i < batch; i++) {
      byte[] pixels = new byte[3 * size.area()];
      random.nextBytes(pixels);
      pictures.add(new Rgb(size.width(), size.height(), pixels));
    }
    return pictures;
  }

  private static List<Timings> turns(List<Model> models, List<List<Rgb>> pictures, double seconds) {
    List<List<Double>> times =
        models.stream().map(model -> (List<Double>) new ArrayList<Double>()).toList();
    long start = System.nanoTime();
    do {
      for (int i = 0; i < models.size(); i++) {
        times.get(i).add(call(models.get(i), pictures.get(i)));
      }
    } while (System.nanoTime() - start < seconds * 1e9);
    return IntStream.range(0, models.size())
        .mapToObj(i -> new Timings(times.get(i).stream().mapToDouble(t -> t).toArray()))
        .toList();
  }

  private static double call(Model model, List<Rgb> pictures) {
    long start = System.nanoTime();
    if (model.answer() == Answer.FEATURES) {
      model.features(pictures);
    } else {
      model.logits(pictures);
    }
    return (System.nanoTime() - start) / 1e9;
  }
}
