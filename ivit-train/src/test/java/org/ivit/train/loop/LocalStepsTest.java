package org.ivit.train.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.ProceduralPictures;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.image.Preprocess;
import org.ivit.train.augment.BatchMixer;
import org.ivit.train.augment.PictureBatch;
import org.ivit.train.augment.PlannedPictures;
import org.ivit.train.augment.TrainingTransform;
import org.ivit.train.loading.BatchAssembly;
import org.ivit.train.loading.EpochBatches;
import org.ivit.train.recipe.Augmentation;
import org.ivit.train.step.MicroBatch;
import org.ivit.train.step.NetworkStep;
import org.ivit.train.step.StepResult;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LocalStepsTest {
  private static final int PICTURES = 22;
  private static final int BATCH = 3;

  private static final Augmentation AUGMENTATION =
      new Augmentation(
          null,
          0,
          0.5,
          null,
          new Augmentation.ColorJitter(0.2, 0, 0),
          0.8,
          1,
          1,
          0.5,
          Augmentation.MixupMode.PAIR,
          0,
          0.1,
          new Augmentation.RandomErasing(0.5, Augmentation.Fill.PIXEL, 2, 1));

  /** Remembers its batches, and asks for those after them as a device does. */
  private static final class Recorder implements NetworkStep {
    private final List<MicroBatch> taken = new ArrayList<>();
    private PictureBatch promised;

    @Override
    public StepResult run(List<MicroBatch> batches) {
      return run(batches, () -> null);
    }

    @Override
    public StepResult run(List<MicroBatch> batches, Supplier<PictureBatch> next) {
      if (promised != null) {
        assertThat(batches.get(0).images()).isSameAs(promised);
      }
      taken.addAll(batches);
      promised = next.get();
      return new StepResult(1, 1, new TreeMap<>());
    }

    @Override
    public String description() {
      return "recorder";
    }

    @Override
    public void synchronise() {
      throw new AssertionError("not asked for");
    }

    @Override
    public FloatWeights average() {
      return null;
    }

    @Override
    public void close() {
      // Holds nothing.
    }
  }

  private static <T> Recorder run(
      BatchAssembly<T> assembly, int accumulation, List<Integer> positions) {
    ProceduralPictures set =
        new ProceduralPictures(1, 0, PICTURES, 12, ProceduralPictures.Strengths.DEFAULT);
    Recorder recorder = new Recorder();
    EpochBatches<T> batches =
        new EpochBatches<>(set, assembly, BATCH, 5, 1, 1, 2, OnCorrupt.FAIL, 2);
    int loaded = 0;
    try (LocalSteps steps = new LocalSteps(batches, null, recorder, accumulation)) {
      for (EpochSteps.Taken step = steps.next(); step != null; step = steps.next()) {
        positions.add(step.position());
        loaded += step.work().pictures();
      }
      assertThat(batches.work().pictures()).isEqualTo(PICTURES - 2).isGreaterThanOrEqualTo(loaded);
    }
    return recorder;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void batchesAndPositionsAreTheSameWhoeverPreparesThem(int accumulation) {
    TrainingTransform transform = new TrainingTransform(AUGMENTATION, Preprocess.half(12, 12), 5);
    BatchMixer mixer = new BatchMixer(AUGMENTATION, 10, 5);
    List<Integer> positions = new ArrayList<>();
    List<Integer> devicePositions = new ArrayList<>();
    Recorder host = run(new BatchAssembly.Normalised(transform, mixer), accumulation, positions);
    Recorder device =
        run(new BatchAssembly.Planned(transform, mixer), accumulation, devicePositions);
    assertThat(positions).isEqualTo(devicePositions).endsWith(2 + 6 * BATCH);
    assertThat(positions.get(0)).isEqualTo(2 + accumulation * BATCH);
    assertThat(host.taken).hasSize(6);
    assertThat(device.taken).hasSize(6);
    for (int i = 0; i < 6; i++) {
      MicroBatch expected = host.taken.get(i);
      MicroBatch found = device.taken.get(i);
      assertThat(found.images()).isInstanceOf(PlannedPictures.class);
      assertThat(found.pixels()).isEqualTo(expected.pixels());
      assertThat(found.targets()).isEqualTo(expected.targets());
      assertThat(found.keys()).isEqualTo(expected.keys());
      assertThat(found.pictures()).isEqualTo(BATCH);
    }
  }
}
