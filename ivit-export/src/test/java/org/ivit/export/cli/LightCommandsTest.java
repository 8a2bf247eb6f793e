package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands on an integer checkpoint start without Deeplearning4j, which takes seconds to load. */
class LightCommandsTest {
  private static final List<String> HEAVY =
      List.of("org.nd4j.", "org.deeplearning4j.", "org.bytedeco.");

  @TempDir static Path folder;

  private static Path checkpoint;
  private static Path pictures;

  @BeforeAll
  static void files() throws Exception {
    checkpoint = MicroModel.checkpoint(folder.resolve("micro.ivit.safetensors"));
    pictures = MicroModel.pictures(folder.resolve("pictures"), MicroModel.CLASSES, 1);
  }

  private static List<String> loaded(Object... args) throws Exception {
    ChildJvm.Outcome outcome = ChildJvm.run(List.of("-Xlog:class+load"), args);
    assertThat(outcome.code()).as(outcome.output()).isZero();
    List<String> classes =
        outcome.output().lines().filter(line -> line.contains(" source: ")).toList();
    assertThat(classes).anyMatch(line -> line.contains("org.ivit.core."));
    return classes;
  }

  private static void assertLight(Object... args) throws Exception {
    assertThat(loaded(args)).noneMatch(line -> HEAVY.stream().anyMatch(line::contains));
  }

  @Test
  void inspect() throws Exception {
    assertLight("inspect", checkpoint);
  }

  /** Kernels of training are a matter of training, also where a float network uses them. */
  @Test
  void onlyTrainingSpeaksOfItsKernels() throws Exception {
    Path weights = MicroModel.weights(folder.resolve("micro.safetensors"));
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            List.of(),
            "evaluate",
            "--model",
            weights,
            "--architecture",
            MicroModel.DESCRIPTION,
            "--data",
            pictures);
    assertThat(outcome.code()).as(outcome.output()).isZero();
    assertThat(outcome.output()).contains("top-1").doesNotContain("training", "native kernels");
  }

  @Test
  void predict() throws Exception {
    assertLight("predict", "--model", checkpoint, pictures.resolve("ant/0.png"));
  }

  @Test
  void bench() throws Exception {
    assertLight("bench", "--model", checkpoint, "--batch", "1");
  }

  /** OpenBLAS is what calibration needs of the libraries that Deeplearning4j brings. */
  @Test
  void quantizeKnowsNoNetworkOfDeeplearning4j() throws Exception {
    assertThat(
            loaded(
                "quantize",
                "--weights",
                MicroModel.weights(folder.resolve("float.safetensors")),
                "--architecture",
                MicroModel.DESCRIPTION,
                "--data",
                pictures,
                "--output",
                folder.resolve("quantized.ivit.safetensors")))
        .noneMatch(line -> line.contains("org.nd4j.") || line.contains("org.deeplearning4j."));
  }

  @Test
  void evaluate() throws Exception {
    assertLight("evaluate", "--model", checkpoint, "--data", pictures);
  }
}
