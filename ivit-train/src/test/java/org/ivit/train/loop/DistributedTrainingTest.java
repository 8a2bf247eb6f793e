package org.ivit.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.ivit.core.InputException;
import org.ivit.core.cuda.Gpu;
import org.ivit.train.distributed.GradientCluster;
import org.ivit.train.distributed.GradientJob;
import org.ivit.train.distributed.GradientPart;
import org.ivit.train.distributed.GradientService;
import org.ivit.train.distributed.GradientWorker;
import org.ivit.train.distributed.StepRequest;
import org.ivit.train.distributed.StepSlice;
import org.ivit.train.monitor.TrainingMonitor;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.recipe.TrainingDevice;
import org.ivit.train.run.RunDirectory;
import org.ivit.train.run.TrainingCheckpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs whose gradients come from workers, all of them in this process, beside runs without. */
class DistributedTrainingTest {
  @TempDir Path folder;

  /** Workers one after the other; what passes between them and the run is serialized. */
  private record Workers(int count) implements GradientCluster {
    @Override
    public GradientService gradients(GradientJob job) {
      List<GradientWorker> workers = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        workers.add(GradientWorker.open(sent(job), 2));
      }
      return new GradientService() {
        @Override
        public GradientPart gradients(float[] parameters, StepRequest request) {
          GradientPart sum = GradientPart.none();
          for (int i = 0; i < count; i++) {
            sum =
                sum.plus(
                    sent(workers.get(i).gradients(parameters.clone(), sent(request), i, count)));
          }
          return sum;
        }

        @Override
        public String description() {
          return count + " workers";
        }

        @Override
        public void close() {
          workers.forEach(GradientWorker::close);
        }
      };
    }
  }

  @SuppressWarnings("unchecked")
  private static <T> T sent(T object) {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
        out.writeObject(object);
      }
      return (T) new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();
    } catch (IOException | ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  private Path weights() {
    Path path = folder.resolve("float");
    if (!Files.exists(path)) {
      String yaml =
          """
          architecture: {kind: vit, image: 16, patch: 8, dim: 12, depth: 2, heads: 2, classes: 10}
          precision: float
          data: {train: {procedural: {pictures: 16, size: 16, seed: 1}}}
          augmentation: {randomResizedCrop: none, flip: 0, colorJitter: 0, randomErasing: 0}
          optimizer: {learningRate: 0.002, batchSize: 8}
          schedule: {epochs: 1}
          threads: 2
          """;
      Trainer.start(
          Recipe.parse("test.yaml", yaml, List.of()).withOutput(path), TrainingMonitor.SILENT);
    }
    return path.resolve("checkpoints/2/weights.safetensors");
  }

  /**
   * Everything that depends on seed, epoch and picture: augmentation, mixing, drop path, teacher.
   */
  private Recipe recipe(String output) {
    String yaml =
        """
        architecture: {kind: vit, image: 16, patch: 8, dim: 12, depth: 2, heads: 2, classes: 10}
        weights: %s
        quantization: {calibration: {pictures: 16, batchSize: 8}, freezeEpoch: 1}
        data:
          train: {procedural: {pictures: 31, size: 16, seed: 1}, repeats: 2}
          validation: {procedural: {pictures: 10, size: 16, seed: 2}}
        augmentation: {flip: 0.5, colorJitter: 0.3, mixup: 0.8, cutmix: 1, randomErasing: 0.25}
        distillation: {weight: 0.5, temperature: 2}
        optimizer: {learningRate: 0.0005, batchSize: 5, accumulation: 2, clipNorm: 1}
        schedule: {epochs: 2}
        stochasticDepth: 0.2
        ema: {decay: 0.9}
        threads: 2
        checkpoints: {every: 1, keep: 9}
        """
            .formatted(weights());
    return Recipe.parse("test.yaml", yaml, List.of()).withOutput(folder.resolve(output));
  }

  private static double loss(RunDirectory run, int step) throws IOException {
    List<String> lines = Files.readAllLines(run.metrics());
    int column = List.of(lines.get(0).split(",", -1)).indexOf("loss");
    return Double.parseDouble(lines.get(step).split(",", -1)[column]);
  }

  @Test
  void oneWorkerLearnsTheSameToTheLastBit() throws IOException {
    TrainingCheckpoint local = Trainer.start(recipe("local"), TrainingMonitor.SILENT).latest();
    TrainingCheckpoint worker =
        Trainer.start(recipe("one"), new Workers(1), Gpu.FIRST, TrainingMonitor.SILENT).latest();
    assertThat(worker.state()).isEqualTo(local.state());
    assertThat(worker.ranges()).isEqualTo(local.ranges());
    local
        .weights()
        .values()
        .forEach((name, w) -> assertThat(worker.weights().get(name)).as(name).isEqualTo(w));
    local
        .average()
        .values()
        .forEach((name, w) -> assertThat(worker.average().get(name)).as(name).isEqualTo(w));
    assertThat(worker.optimizer()).isEqualTo(local.optimizer());
  }

  @Test
  void severalWorkersDifferByTheOrderOfSums() throws IOException {
    RunDirectory local = Trainer.start(recipe("local"), TrainingMonitor.SILENT);
    for (int count : new int[] {2, 3, 7}) {
      RunDirectory run =
          Trainer.start(
              recipe("run" + count), new Workers(count), Gpu.FIRST, TrainingMonitor.SILENT);
      assertThat(loss(run, 1)).isCloseTo(loss(local, 1), within(1e-6));
      assertThat(run.latest().state().step()).isEqualTo(local.latest().state().step());
      local
          .latest()
          .weights()
          .values()
          .forEach(
              (name, w) ->
                  assertThat(distance(w, run.latest().weights().get(name)))
                      .as(name)
                      .isLessThan(0.02));
    }
  }

  /** Rounding may turn a code here and there, so the distance counts and not each number. */
  private static double distance(float[] a, float[] b) {
    double distance = 0;
    double length = 1e-12;
    for (int i = 0; i < a.length; i++) {
      distance += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
      length += (double) a[i] * a[i];
    }
    return Math.sqrt(distance / length);
  }

  @Test
  void partsSumToTheWholeGradient() {
    Recipe recipe = recipe("sum");
    List<GradientPart> whole = new ArrayList<>();
    List<GradientPart> sums = new ArrayList<>();
    GradientCluster recording =
        job -> {
          GradientService all = new Workers(1).gradients(job);
          GradientService three = new Workers(3).gradients(job);
          return new GradientService() {
            @Override
            public GradientPart gradients(float[] parameters, StepRequest request) {
              whole.add(all.gradients(parameters, request));
              sums.add(three.gradients(parameters, request));
              return sent(whole.get(whole.size() - 1));
            }

            @Override
            public String description() {
              return "both";
            }

            @Override
            public void close() {
              all.close();
              three.close();
            }
          };
        };
    Trainer.start(recipe, recording, Gpu.FIRST, TrainingMonitor.SILENT);
    assertThat(whole).hasSize(6);
    for (int step = 0; step < whole.size(); step++) {
      assertThat(sums.get(step).pictures()).isEqualTo(10).isEqualTo(whole.get(step).pictures());
      assertThat(sums.get(step).sums().seen()).isEqualTo(whole.get(step).sums().seen());
      assertThat(sums.get(step).sums().loss())
          .isCloseTo(whole.get(step).sums().loss(), within(1e-5));
      assertThat(distance(whole.get(step).gradient(), sums.get(step).gradient())).isLessThan(1e-5);
    }
  }

  @Test
  void goesOnWithoutWorkersAndBack() {
    TrainingCheckpoint whole = Trainer.start(recipe("whole"), TrainingMonitor.SILENT).latest();
    GradientCluster lost =
        job -> {
          GradientService inner = new Workers(1).gradients(job);
          return new GradientService() {
            private int steps;

            @Override
            public GradientPart gradients(float[] parameters, StepRequest request) {
              if (++steps > 4) {
                throw new IllegalStateException("the cluster is gone");
              }
              return inner.gradients(parameters, request);
            }

            @Override
            public String description() {
              return "for a while";
            }

            @Override
            public void close() {
              inner.close();
            }
          };
        };
    assertThatThrownBy(() -> Trainer.start(recipe("lost"), lost, Gpu.FIRST, TrainingMonitor.SILENT))
        .hasMessage("the cluster is gone");
    RunDirectory stopped = RunDirectory.open(folder.resolve("lost"));
    assertThat(stopped.latest().state().step()).isEqualTo(4);
    TrainingCheckpoint resumed =
        Trainer.resume(stopped, TrainingDevice.CPU, null, Gpu.FIRST, TrainingMonitor.SILENT)
            .latest();
    assertThat(resumed.optimizer()).isEqualTo(whole.optimizer());
  }

  @Test
  void aWorkerThatSeesOtherFilesRefuses() {
    GradientCluster other =
        job -> {
          GradientJob wrong =
              new GradientJob(job.recipe(), job.scheme(), job.grids(), "0", job.teacher());
          return new Workers(1).gradients(wrong);
        };
    assertThatThrownBy(
            () -> Trainer.start(recipe("other"), other, Gpu.FIRST, TrainingMonitor.SILENT))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("data.train")
        .hasMessageContaining("a worker sees other files");
  }

  @Test
  void refusalsTravel() {
    GradientPart refused = sent(GradientPart.refused("x.jpg: is corrupt"));
    GradientPart sum = GradientPart.none().plus(refused).plus(GradientPart.none());
    assertThatThrownBy(sum::gradient)
        .isInstanceOf(InputException.class)
        .hasMessage("x.jpg: is corrupt");
  }

  @Test
  void refusesOtherDevices() {
    Recipe recipe = recipe("device").withDevice(TrainingDevice.CUDA);
    assertThatThrownBy(
            () -> Trainer.start(recipe, new Workers(1), Gpu.FIRST, TrainingMonitor.SILENT))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("expected cpu on a cluster");
  }

  @Property
  void everyPictureIsSomeonesWithItsPartner(
      @ForAll @IntRange(min = 1, max = 70) int batch,
      @ForAll @IntRange(min = 1, max = 40) int parts) {
    int[] taken = new int[batch];
    for (int part = 0; part < parts; part++) {
      int[] places = StepSlice.places(batch, part, parts);
      assertThat(places).isSorted();
      for (int place : places) {
        taken[place]++;
        assertThat(places).contains(batch - 1 - place);
      }
    }
    assertThat(Arrays.stream(taken)).allMatch(n -> n == 1);
  }
}
