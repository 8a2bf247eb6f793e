package org.ivit.train.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.ivit.core.architecture.Architecture;
import org.ivit.train.step.MicroBatch;

/**
 * The pictures of a step.
 *
 * @param batches its micro-batches
 */
public record StepPictures(List<MicroBatch> batches) {

  /**
   * Normally distributed pixels and targets of two classes each.
   *
   * @param teacher whether targets of a teacher follow those of the classes
   * @param sizes of the micro-batches
   */
  public static StepPictures random(
      SplittableRandom random, Architecture architecture, boolean teacher, int... sizes) {
    List<MicroBatch> batches = new ArrayList<>();
    for (int pictures : sizes) {
      float[] pixels = TrainingCase.normal(random, pictures * architecture.pixels(), 1);
      batches.add(batch(random, architecture.classes(), teacher, pixels, pictures));
    }
    return new StepPictures(batches);
  }

  private static MicroBatch batch(
      SplittableRandom random, int classes, boolean teacher, float[] pixels, int pictures) {
    int columns = teacher ? 2 * classes : classes;
    float[] targets = new float[pictures * columns];
    long[] keys = new long[pictures];
    for (int i = 0; i < pictures; i++) {
      keys[i] = random.nextLong();
      for (int from = i * columns; from < (i + 1) * columns; from += classes) {
        targets[from + random.nextInt(classes)] = 0.75f;
        targets[from + random.nextInt(classes)] += 0.25f;
      }
    }
    return new MicroBatch(pixels, targets, pictures, keys);
  }

  /** The pixels of all micro-batches, one picture after the other. */
  float[] pixels() {
    int length = batches.stream().mapToInt(batch -> batch.images().pixels().length).sum();
    float[] all = new float[length];
    int at = 0;
    for (MicroBatch batch : batches) {
      float[] pixels = batch.images().pixels();
      System.arraycopy(pixels, 0, all, at, pixels.length);
      at += pixels.length;
    }
    return all;
  }

  /** How many pictures it has. */
  int pictures() {
    return batches.stream().mapToInt(MicroBatch::pictures).sum();
  }
}
