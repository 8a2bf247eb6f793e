package org.ivit.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.TransformerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every recipe in {@code configs} is one. */
class ShippedConfigsTest {
  @SuppressWarnings("unused")
  static List<Path> configs() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("..", "configs"))) {
      return files.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    }
  }

  /** The models of the paper; later families have one recipe for all their models. */
  @Test
  void everyModelOfThePaperHasItsRecipes() {
    List<String> names = Architectures.names().subList(0, 13);
    assertThat(names).allMatch(name -> name.matches("(vit|deit|swin)_.*_224"));
    for (String name : names) {
      for (String kind : List.of("qat", "ptq")) {
        Path config = Path.of("..", "configs", "imagenet", name + "_" + kind + ".yaml");
        assertThat(Recipe.read(config).architecture().asText()).isEqualTo(name);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void readsAndBuildsItsModel(Path config) {
    Recipe recipe = Recipe.read(config);
    Architecture architecture = Architectures.parse(recipe.architecture());
    long parameters =
        architecture.parameters().values().stream()
            .mapToLong(shape -> Arrays.stream(shape).reduce(1, Math::multiplyExact))
            .sum();
    assertThat(parameters(NetworkOptions.inference(architecture, null))).isEqualTo(parameters);
    Quantization quantization = recipe.quantization();
    if (quantization != null) {
      Scheme scheme = Scheme.of(quantization.gelu(), quantization.softmax());
      assertThat(parameters(NetworkOptions.inference(architecture, scheme)))
          .as("with ranges and weight scales")
          .isGreaterThan(parameters);
    }
    assertThat(Recipe.parse("again", recipe.toYaml(), List.of())).isEqualTo(recipe);
  }

  private static long parameters(NetworkOptions options) {
    ComputationGraphConfiguration network = TransformerNetwork.configuration(options);
    return network.getVertices().values().stream()
        .mapToLong(vertex -> vertex.numParams(true))
        .sum();
  }
}
