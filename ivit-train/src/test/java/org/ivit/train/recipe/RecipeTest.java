package org.ivit.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.family.Architectures;
import org.ivit.train.device.product.ProductPrecision;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecipeTest {
  private static final String SMALL =
      """
      architecture: vit_tiny_patch16_224
      weights: w.safetensors
      data: {train: pictures}
      optimizer: {batchSize: 8}
      schedule: {epochs: 2}
      """;

  private static final String FULL =
      """
      architecture: {kind: vit, image: 32, patch: 8, dim: 32, depth: 2, heads: 2, classes: 10}
      weights: w.safetensors
      precision: quantized
      quantization:
        gelu: exact
        softmax: shift
        attentionBits: 8
        outliers:
          blocks.7.mlp.fc1: {channels: [417, 3], shift: 5}
        observers:
          default: {name: percentile, percent: 99.9}
          overrides:
            - pattern: "blocks.*.mlp.act"
              observer: mse
            - pattern: input
              range: [-1, 1]
        calibration:
          data: {path: calibration, every: 4}
          pictures: 64
          batchSize: 16
          select: first
        freezeEpoch: 1
      data:
        train: {path: pictures, exceptEvery: 5}
        validation: {procedural: {pictures: 100, size: 32, seed: 3}}
        classes: classes.txt
        validationInterval: 2
        onCorrupt: fatal
        preprocessing: {resize: 40, mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6]}
      augmentation:
        randomResizedCrop: none
        padding: 4
        flip: 0
        colorJitter: 0.3
        mixup: 0.8
        cutmix: 1
        labelSmoothing: 0
        randomErasing: {probability: 0.1, mode: const, count: 2}
      optimizer: {name: adamw, learningRate: 1e-4, weightDecay: 0.05, betas: [0.9, 0.98], epsilon: 1e-7, batchSize: 8, accumulation: 4, clipNorm: 1}
      schedule: {epochs: 10, warmupEpochs: 1.5, minimumRate: 1e-6, warmupRate: 1e-7}
      stochasticDepth: 0.1
      ema: {decay: 0.999}
      distillation: {weight: 0.7, temperature: 2, teacher: {architecture: deit_small_patch16_224, weights: t.safetensors, weightsKey: ema.module}}
      seed: 7
      threads: 2
      checkpoints: {every: 100, keep: 3}
      output: runs/x
      """;

  private static Recipe parse(String text, String... overrides) {
    return Recipe.parse("run.yaml", text, List.of(overrides));
  }

  @Test
  void fillsInTheDefaultsOfThePaper() {
    Recipe recipe = parse(SMALL);
    assertThat(recipe.precision()).isEqualTo(Precision.QUANTIZED);
    assertThat(recipe.optimizer().learningRate()).isEqualTo(1e-6);
    assertThat(recipe.augmentation().labelSmoothing()).isEqualTo(0.1);
    assertThat(recipe.augmentation().randomResizedCrop().scale()).containsExactly(0.08, 1.0);
    assertThat(recipe.data().preprocessing().mean()).containsExactly(0.5, 0.5, 0.5);
    assertThat(recipe.threads()).isPositive();
    assertThat(parse(SMALL, "architecture=deit_tiny_patch16_224").data().preprocessing().mean())
        .containsExactly(0.485, 0.456, 0.406);
    assertThat(
            parse(SMALL, "architecture=swin_tiny_patch4_window7_224").data().preprocessing().mean())
        .containsExactly(0.485, 0.456, 0.406);
  }

  @Test
  void quantizesTheBestWayThatWasMeasuredUnlessAskedOtherwise() {
    Quantization best = parse(SMALL).quantization();
    assertThat(best.gelu()).isEqualTo(GeluForm.ASYMMETRIC);
    assertThat(best.softmax()).isEqualTo(SoftmaxForm.EXACT);
    assertThat(best.attentionBits()).isEqualTo(16);
    assertThat(best.normEpsilon()).isTrue();
    assertThat(parse(SMALL, "quantization.normEpsilon=false").quantization().normEpsilon())
        .isFalse();
    assertThat(parse(SMALL, "quantization={softmax: deferred}").quantization().attentionBits())
        .isEqualTo(8);
    assertThat(best.outliers().mode()).isEqualTo(OutlierChoice.Mode.AUTO);
    assertThat(best.equalize()).isTrue();
    assertThat(best.rangeSearch()).isEqualTo(RangeSearch.OUTPUT_ERROR);
    assertThat(best.freezeEpoch()).isZero();
    assertThat(best.weightRounding()).isEqualTo(WeightRounding.NEAREST);
    assertThat(
            parse(SMALL, "schedule.epochs=0", "quantization.calibration.data=pictures")
                .quantization()
                .weightRounding())
        .isEqualTo(WeightRounding.SECOND_ORDER);

    Quantization moving = parse(SMALL, "quantization.freezeEpoch=1").quantization();
    assertThat(moving.rangeSearch()).isEqualTo(RangeSearch.NONE);
    assertThat(moving.freezeEpoch()).isEqualTo(1);
    assertThat(parse(SMALL, "quantization.rangeSearch=none").quantization().freezeEpoch())
        .isEqualTo(2);

    Quantization paper = parse(SMALL, "quantization.gelu=row").quantization();
    assertThat(paper.rangeSearch()).isEqualTo(RangeSearch.NONE);
    assertThat(paper.equalize()).isFalse();
    assertThat(paper.freezeEpoch()).isEqualTo(2);
  }

  @Test
  void readsEveryKey() {
    Recipe recipe = parse(FULL);
    assertThat(recipe.optimizer().learningRate()).isEqualTo(1e-4);
    assertThat(recipe.quantization().outliers().given().get("blocks.7.mlp.fc1").channels())
        .containsExactly(3, 417);
    assertThat(recipe.quantization().calibration().data().path()).isEqualTo("calibration");
    assertThat(recipe.augmentation().randomResizedCrop()).isNull();
    assertThat(recipe.emaDecay()).isEqualTo(0.999);
    assertThat(recipe.distillation().teacher().architecture().asText())
        .isEqualTo("deit_small_patch16_224");
  }

  @Test
  void writesWhatItReads() {
    for (String text : List.of(SMALL, FULL, SMALL + "distillation: {}\n")) {
      Recipe recipe = parse(text);
      assertThat(parse(recipe.toYaml())).isEqualTo(recipe);
    }
    Recipe scratch = parse(SMALL.replace("weights: w.safetensors", "precision: float"));
    assertThat(parse(scratch.toYaml())).isEqualTo(scratch);
    Recipe ptq =
        parse(
            """
            architecture: deit_tiny_patch16_224
            weights: w.safetensors
            quantization: {outliers: none, calibration: {data: pictures}}
            schedule: {epochs: 0}
            """);
    assertThat(parse(ptq.toYaml())).isEqualTo(ptq);
  }

  @Test
  void noPicturesDoNotCalibrateOnAll() {
    assertThatThrownBy(() -> parse(SMALL, "quantization.calibration.pictures=0"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("quantization.calibration.pictures: found 0");
  }

  @Test
  void choosesTheLastObserverThatMatches() {
    ObserverRules rules = parse(FULL).quantization().observers();
    assertThat(rules.choose("blocks.11.mlp.act")).isEqualTo(new ObserverChoice.Mse());
    assertThat(rules.choose("input")).isEqualTo(new ObserverChoice.Fixed(-1, 1));
    assertThat(rules.choose("inputs")).isEqualTo(new ObserverChoice.Percentile(99.9));
    assertThat(rules.choose("blocksX11Xmlp.act")).isEqualTo(new ObserverChoice.Percentile(99.9));
  }

  @Test
  void aGpuMultipliesInTf32UnlessToldOtherwise() {
    assertThat(parse(FULL).device()).isEqualTo(TrainingDevice.CPU);
    assertThat(parse(FULL).gpu()).isEqualTo(new GpuChoice(ProductPrecision.TF32, false));
    Recipe recipe = parse(FULL, "device=cuda", "gpu={products: bf16, recompute: true}");
    assertThat(recipe.device()).isEqualTo(TrainingDevice.CUDA);
    assertThat(recipe.gpu()).isEqualTo(new GpuChoice(ProductPrecision.BF16, true));
    assertThat(parse(recipe.toYaml())).isEqualTo(recipe);
  }

  @Test
  void appliesOverrides() {
    Recipe recipe =
        parse(
            FULL,
            "optimizer.learningRate=2e-5",
            "quantization.observers.overrides.0.observer={name: percentile, percent: 99}",
            "quantization.observers.default=mse",
            "distillation=none",
            "checkpoints.keep=9");
    assertThat(recipe.optimizer().learningRate()).isEqualTo(2e-5);
    assertThat(recipe.quantization().observers().choose("blocks.0.mlp.act"))
        .isEqualTo(new ObserverChoice.Percentile(99));
    assertThat(recipe.distillation()).isNull();
    assertThat(recipe.checkpoints().keep()).isEqualTo(9);
    assertThat(parse(SMALL, "augmentation.randomErasing.mode=rand").augmentation().randomErasing())
        .isEqualTo(new Augmentation.RandomErasing(0.25, Augmentation.Fill.RAND, 1, 1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "optimizer.lr=1 | run.yaml: optimizer.lr: unknown key, expected one of name, learningRate, weightDecay, betas, epsilon, batchSize, accumulation, clipNorm",
        "optimiser.lr=1 | run.yaml: optimiser: unknown key (did you mean optimizer?), expected one of architecture, weights,",
        "optimizer.learningRate=fast | run.yaml: optimizer.learningRate: found \"fast\", expected a number from 0 to 10",
        "optimizer.batchSize=1.5 | run.yaml: optimizer.batchSize: found 1.5, expected an integer from 1 to",
        "optimizer.batchSize=null | run.yaml: optimizer.batchSize: missing key, expected an integer",
        "optimizer.betas=[0.9] | run.yaml: optimizer.betas: found the list [0.9], expected a list of 2 numbers",
        "schedule.epochs=-1 | run.yaml: schedule.epochs: found -1, expected an integer from 0",
        "schedule.epochs=null | run.yaml: schedule.epochs: missing key",
        "schedule.warmupEpochs=3 | run.yaml: schedule.warmupEpochs: found 3, expected at most epochs (2)",
        "device=tpu | run.yaml: device: found \"tpu\", expected one of cpu, cuda",
        "gpu.products=fp8 | run.yaml: gpu.products: found \"fp8\", expected one of float32, tf32, bf16",
        "gpu={recompute: 2} | run.yaml: gpu.recompute: found 2, expected true or false",
        "gpu.memory=40 | run.yaml: gpu.memory: unknown key, expected one of products, recompute",
        "precision=int8 | run.yaml: precision: found \"int8\", expected one of float, quantized",
        "data=pictures | run.yaml: data: found \"pictures\", expected a map",
        "data.train=null | run.yaml: data.train: missing key, expected a path",
        "data.train=7 | run.yaml: data.train: found 7, expected a path",
        "data.onCorrupt=ignore | run.yaml: data.onCorrupt: found \"ignore\", expected one of skip, fatal",
        "architecture=null | run.yaml: architecture: missing key, expected a timm name",
        "quantization.attentionBits=12 | run.yaml: quantization.attentionBits: found 12, expected 8 or 16",
        "quantization={softmax: deferred, attentionBits: 16} | run.yaml: quantization.attentionBits: found 16, expected 8 with softmax: deferred",
        "quantization.observers.default=median | run.yaml: quantization.observers.default: found \"median\", expected movingMinMax",
        "quantization.observers.overrides=[{pattern: a}] | run.yaml: quantization.observers.overrides.0.observer: missing key",
        "quantization.observers.overrides=[{pattern: a, range: [2, 1]}] | run.yaml: quantization.observers.overrides.0.range: found the list [2,1], expected the smaller end first",
        "quantization.outliers=[1] | run.yaml: quantization.outliers: found the list [1], expected auto, none",
        "quantization={gelu: row, outliers: {blocks.0.mlp.fc1: {channels: [1], shift: 2}}} | run.yaml: quantization.gelu: found \"row\", expected exact",
        "quantization={rangeSearch: outputError, freezeEpoch: 1} | run.yaml: quantization.freezeEpoch: found 1, expected 0 beside rangeSearch",
        "quantization.rangeSearch=best | run.yaml: quantization.rangeSearch: found \"best\", expected one of none, outputError",
        "augmentation.randAugment=rand-m9-q1 | run.yaml: augmentation.randAugment: found \"rand-m9-q1\", expected a RandAugment such as rand-m9-mstd0.5-inc1 (rand, then m, n, p, mstd, mmax, inc with their numbers), or none: cannot read \"q1\"",
        "augmentation.randAugment=7 | run.yaml: augmentation.randAugment: found 7, expected a RandAugment",
        "augmentation.mixupMode=half | run.yaml: augmentation.mixupMode: found \"half\", expected one of batch, pair, elem",
        "augmentation.randomErasing={count: 2, minCount: 3} | run.yaml: augmentation.randomErasing.minCount: found 3, expected at most count (2)",
        "data.train={path: pictures, repeats: 0} | run.yaml: data.train.repeats: found 0, expected an integer from 1 to 1000",
        "data.validation={path: pictures, repeats: 2} | run.yaml: data.validation.repeats: found 2, expected an integer from 1 to 1",
        "schedule={epochs: 0, cooldownEpochs: 2} | run.yaml: schedule.cooldownEpochs: found 2, expected 0 beside epochs: 0",
        "augmentation.flip=2 | run.yaml: augmentation.flip: found 2, expected a number from 0 to 1",
        "ema={rate: 0.9} | run.yaml: ema.rate: unknown key, expected one of decay",
        "seed=a | run.yaml: seed: found \"a\", expected an integer of at least 0",
        "threads=true | run.yaml: threads: found true, expected an integer from 0 to 4096",
        "distillation.teacher.weights=null | run.yaml: distillation.teacher.weights: missing key",
        "weightsKey=3 | run.yaml: weightsKey: found 3, expected the path of the weights in their file",
        "nothing | --set nothing: expected key.path=value",
        "quantization.observers.overrides.0.pattern=x | run.yaml: quantization.observers.overrides: found a map, expected a list of maps",
      })
  void refusesInOneLine(String override, String message) {
    assertThatThrownBy(() -> parse(SMALL, override))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(message)
        .hasMessageNotContaining("\n");
  }

  @Test
  void theKeyOfWeightsNeedsWeights() {
    assertThat(parse(SMALL, "weightsKey=model_ema").weightsKey()).isEqualTo("model_ema");
    assertThat(parse(SMALL).weightsKey()).isNull();
    assertThatThrownBy(() -> parse(SMALL, "weights=none", "weightsKey=model_ema"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(
            "weightsKey: found \"model_ema\", expected no such key without weights");
  }

  @Test
  void refusesTextThatIsNotYaml() {
    assertThatThrownBy(() -> parse("a: [1\nb: 2\n"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("run.yaml: line ")
        .hasMessageNotContaining("\n");
    assertThatThrownBy(() -> parse("seed: 1\nseed: 2\n"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("seed")
        .hasMessageNotContaining("\n");
    assertThatThrownBy(() -> parse("- 1\n")).hasMessageContaining("expected a YAML map");
    assertThatThrownBy(() -> parse("")).hasMessageContaining("expected a YAML map");
  }

  @Test
  void refusesAMissingFile(@TempDir Path dir) {
    assertThatThrownBy(() -> Recipe.read(dir.resolve("none.yaml")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no such file");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'a: 1\n\tb: 2' | line 2: found a tab, expected spaces",
        "'a:\n\t- 1' | line 2: found a tab, expected spaces",
        "'a: 1\nb: 2\na: 3' | line 3: found the key a twice, expected once",
        "'a: {b: 1, b: 2}' | line 1: found the key b twice, expected once",
        "'a: [1, 2\nb: 3' | line 2: not valid YAML: ",
        "'a: \"open' | line 1: not valid YAML: ",
        "'a: &x 1\nb: *y' | ",
        "'- 1' | found a list, expected a YAML map",
        "'text' | found no keys, expected a YAML map",
        "'' | found no keys, expected a YAML map",
        "'# nothing' | found no keys, expected a YAML map"
      })
  void namesTheLineOfWhatIsNoYaml(String text, String message) {
    String yaml = text.replace("\\n", "\n").replace("\\t", "\t");
    assertThatThrownBy(() -> Recipe.parse("run.yaml", yaml, List.of()))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("run.yaml: " + (message == null ? "" : message))
        .hasMessageNotContainingAny("Source", "Exception", "\n");
  }

  @Test
  void namesAKeyThatStandsForAMissingOne() {
    assertThatThrownBy(
            () -> Recipe.parse("run.yaml", "architectur: vit_tiny_patch16_224\n", List.of()))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("run.yaml: architecture: missing key (found architectur), ");
  }

  @Test
  void anArchitectureThatIsNearlyKnownIsNamed() {
    assertThatThrownBy(() -> Architectures.byName("deit_tny_patch16_224"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("(did you mean deit_tiny_patch16_224?)");
    assertThatThrownBy(() -> Architectures.parse("{\"kind\": \"vit\", \"image\": 32, \"pach\": 8}"))
        .isInstanceOf(InputException.class)
        .hasMessage("architecture: patch is missing (found pach)");
    String description =
        "{\"kind\":\"vit\",\"image\":32,\"patch\":8,\"dim\":96,\"depth\":4,\"heads\":3,"
            + "\"classes\":10,\"hiden\":384}";
    assertThatThrownBy(() -> Architectures.parse(description))
        .isInstanceOf(InputException.class)
        .hasMessage("architecture: unknown key hiden (did you mean hidden?)");
  }
}
