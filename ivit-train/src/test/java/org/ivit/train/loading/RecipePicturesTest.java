package org.ivit.train.loading;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.dataset.Cifar10;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.Vit;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.train.augment.EpochOrder;
import org.ivit.train.recipe.Calibration;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.run.RunDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecipePicturesTest {
  private static Recipe recipe(String... overrides) {
    return Recipe.parse(
        "test.yaml",
        """
        architecture: {kind: vit, image: 32, patch: 8, dim: 12, depth: 1, heads: 2, classes: 10}
        precision: float
        data: {train: {procedural: {pictures: 40, size: 16, seed: 1}}}
        optimizer: {batchSize: 4}
        schedule: {epochs: 1}
        """,
        List.of(overrides));
  }

  private static Dataset open(String... overrides) {
    Recipe recipe = recipe(overrides);
    return RecipePictures.open(recipe.data().train(), recipe, RunDirectory.architecture(recipe));
  }

  private static List<String> names(Dataset set) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < set.size(); i++) {
      names.add(set.name(i));
    }
    return names;
  }

  @Test
  void placesElsewhereStayAsTheyAreWritten() {
    String there = "hdfs://host:8020/pictures//val";
    Recipe recipe =
        recipe("data.train=" + there, "data.validation={path: 'file:///a b', limit: 3}");
    for (Recipe same : List.of(recipe, recipe.withAbsolutePaths())) {
      assertThat(same.data().train().path()).isEqualTo(there);
      assertThat(same.data().validation().path()).isEqualTo("file:///a b");
    }
    assertThatThrownBy(() -> open("data.train=" + there))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(there + ": ")
        .hasMessageContaining("scripts/ivit-spark");
    Path folder = Path.of("a").toAbsolutePath();
    assertThat(recipe("data.train=a/").withAbsolutePaths().data().train().path())
        .isEqualTo(folder.toString());
  }

  @Test
  void everyAndExceptEveryPartASet() {
    List<String> all = names(open());
    List<String> held = names(open("data.train.every=5"));
    List<String> rest = names(open("data.train.exceptEvery=5"));
    assertThat(all).hasSize(40);
    assertThat(held).hasSize(8).doesNotContainAnyElementsOf(rest);
    assertThat(rest).hasSize(32);
    assertThat(held.get(1)).isEqualTo(all.get(5));
    List<String> both = new ArrayList<>(held);
    both.addAll(rest);
    assertThat(both).containsExactlyInAnyOrderElementsOf(all);
  }

  @Test
  void limitIsSpreadOverTheSet() {
    List<String> all = names(open());
    assertThat(names(open("data.train.limit=4")))
        .containsExactly(all.get(0), all.get(10), all.get(20), all.get(30));
    assertThat(names(open("data.train.limit=400"))).isEqualTo(all);
    assertThat(names(open("data.train.limit=39"))).hasSize(39);
  }

  @Test
  void refusesAnotherClassCountAndAnEmptySelection() {
    assertThatThrownBy(() -> open("architecture.classes=11"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("found 10 classes, expected 11");
    assertThatThrownBy(() -> open("data.train.exceptEvery=1"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("found no pictures that the recipe selects");
  }

  @Test
  void validationMustHaveTheClassesOfTraining() {
    Dataset shapes = open();
    RecipePictures.requireSameClasses(shapes, open("data.train.procedural.seed=2"));
    assertThatThrownBy(() -> RecipePictures.requireSameClasses(new Named(Cifar10.CLASSES), shapes))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("data.validation: found '" + shapes.classIds().get(0) + "'")
        .hasMessageContaining("expected 'airplane' as in data.train");
    List<String> swapped = new ArrayList<>(Cifar10.CLASSES);
    Collections.swap(swapped, 8, 9);
    assertThatThrownBy(
            () -> RecipePictures.requireSameClasses(new Named(Cifar10.CLASSES), new Named(swapped)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("found 'truck' as class 8 counted from 0, expected 'ship'");
    RecipePictures.requireSameClasses(
        shapes, new Named(IntStream.range(0, 10).mapToObj(String::valueOf).toList()));
  }

  private record Named(List<String> classNames) implements Dataset {
    @Override
    public int size() {
      return 0;
    }

    @Override
    public String name(int i) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int label(int i) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Rgb picture(int i) {
      throw new UnsupportedOperationException();
    }
  }

  @Test
  void calibrationTakesFirstSpreadOrRandomPictures() {
    Calibration first = new Calibration(null, 4, 256, 2, Calibration.Select.FIRST);
    Calibration spread = new Calibration(null, 4, 256, 2, Calibration.Select.SPREAD);
    Calibration random = new Calibration(null, 4, 256, 2, Calibration.Select.RANDOM);
    assertThat(RecipePictures.calibrationOrder(first, 9, 1)).containsExactly(0, 1, 2, 3);
    assertThat(RecipePictures.calibrationOrder(spread, 9, 1)).containsExactly(0, 2, 4, 6);
    int[] drawn = RecipePictures.calibrationOrder(random, 1000, 1);
    assertThat(drawn).hasSize(4).isEqualTo(RecipePictures.calibrationOrder(random, 1000, 1));
    assertThat(drawn).isNotEqualTo(RecipePictures.calibrationOrder(random, 1000, 2));
    for (Calibration.Select select : Calibration.Select.values()) {
      Calibration all = new Calibration(null, 7, 256, 2, select);
      assertThat(RecipePictures.calibrationOrder(all, 7, 3))
          .containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6);
      Calibration more = new Calibration(null, 50, 256, 2, select);
      assertThat(RecipePictures.calibrationOrder(more, 7, 3)).hasSize(7);
    }
  }

  private static final String FOLDER =
      """
      {"model_type": "deit", "image_size": 32, "patch_size": 8, "hidden_size": 32,
       "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128,
       "hidden_act": "gelu", "layer_norm_eps": 1e-6, "architectures": []}
      """;

  /** A folder or a run as weights brings its transform; what the recipe says comes before it. */
  @Test
  void weightsBringTheirTransform(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("config.json"), FOLDER);
    Safetensors.write(
        folder.resolve("model.safetensors"),
        Map.of("cls_token", Tensor.of(new float[32], 1, 1, 32)),
        Map.of());
    Files.writeString(
        folder.resolve("preprocessor_config.json"),
        """
        {"size": 40, "resample": 2, "image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}
        """);
    String weights = "weights=" + folder;
    Architecture vit = new Vit("mine", 32, 8, 32, 2, 2, 128, 10, 1e-6).architecture();
    String sizes =
        "architecture={kind: vit, image: 32, patch: 8, dim: 32, depth: 2, heads: 2, classes: 10}";
    Preprocess own =
        new Preprocess(
            40,
            32,
            Interpolation.BILINEAR,
            CropMode.SQUASH,
            new float[] {0.1f, 0.2f, 0.3f},
            new float[] {0.4f, 0.5f, 0.6f});
    Recipe recipe = recipe(weights, sizes);
    assertThat(RecipePictures.preprocess(recipe, vit)).isEqualTo(own);
    Recipe read = Recipe.parse("config.yaml", recipe.toYaml(), List.of());
    assertThat(RecipePictures.preprocess(read, vit)).isEqualTo(own);
    Preprocess other =
        RecipePictures.preprocess(
            recipe(weights, sizes, "data.preprocessing={cropMode: center, mean: [0, 0, 0]}"), vit);
    assertThat(other)
        .isEqualTo(
            new Preprocess(
                40,
                32,
                Interpolation.BILINEAR,
                CropMode.CENTER,
                new float[3],
                new float[] {0.4f, 0.5f, 0.6f}));
    Architecture large = new Vit("mine", 64, 8, 32, 2, 2, 128, 10, 1e-6).architecture();
    Recipe larger = recipe(weights, sizes.replace("image: 32", "image: 64"));
    assertThat(RecipePictures.preprocess(larger, large).resize()).isEqualTo(Size.of(80));

    Path run = Files.createDirectory(folder.resolve("run"));
    Files.writeString(run.resolve("config.yaml"), recipe.toYaml());
    assertThat(RecipePictures.preprocess(recipe("weights=" + run, sizes), vit)).isEqualTo(own);
  }

  @Test
  void orderIsAPermutationOfSeedAndEpoch() {
    int[] order = EpochOrder.shuffled(100, 1, 0);
    int[] sorted = order.clone();
    Arrays.sort(sorted);
    assertThat(sorted).isEqualTo(IntStream.range(0, 100).toArray());
    assertThat(order)
        .isEqualTo(EpochOrder.shuffled(100, 1, 0))
        .isNotEqualTo(EpochOrder.shuffled(100, 1, 1))
        .isNotEqualTo(EpochOrder.shuffled(100, 2, 0));
    assertThat(EpochOrder.shuffled(1, 5, 5)).containsExactly(0);
  }

  @Test
  void repeatsShowAPictureInARowAndKeepTheEpochsLength() {
    int[] shuffled = EpochOrder.shuffled(10, 4, 2);
    assertThat(EpochOrder.repeated(10, 1, 4, 2)).isEqualTo(shuffled);
    int[] sights = EpochOrder.repeated(10, 3, 4, 2);
    assertThat(sights).hasSize(10).doesNotHaveDuplicates();
    RepeatedPictures set = new RepeatedPictures(open("data.train.limit=10"), 3);
    assertThat(set.size()).isEqualTo(30);
    for (int i = 0; i < 10; i++) {
      assertThat(sights[i]).isEqualTo(shuffled[i / 3] + i % 3 * 10);
      assertThat(set.name(sights[i])).isEqualTo(set.base().name(shuffled[i / 3]));
      assertThat(set.label(sights[i])).isEqualTo(set.base().label(shuffled[i / 3]));
    }
    assertThat(set.picture(29)).isEqualTo(set.base().picture(9));
  }

  @Test
  void hashTellsSetsApart() {
    assertThat(Datasets.digest(open())).isEqualTo(Datasets.digest(open()));
    assertThat(Datasets.digest(open())).isNotEqualTo(Datasets.digest(open("data.train.limit=39")));
  }

  @Test
  void evaluationSizesFollowTimm() {
    Architecture vit = Architectures.byName("vit_tiny_patch16_224");
    assertThat(RecipePictures.preprocess(recipe(), vit)).isEqualTo(Preprocess.half(248, 224));
    Recipe small = recipe();
    assertThat(RecipePictures.preprocess(small, RunDirectory.architecture(small)))
        .isEqualTo(Preprocess.half(32, 32));
    assertThat(RecipePictures.preprocess(recipe("data.preprocessing.resize=256"), vit).resize())
        .isEqualTo(Size.of(256));
    assertThat(
            RecipePictures.preprocess(
                recipe(
                    "data.preprocessing.mean=[0.485, 0.456, 0.406]",
                    "data.preprocessing.std=[0.229, 0.224, 0.225]"),
                vit))
        .isEqualTo(Preprocess.imagenet(248, 224));
  }
}
