package org.ivit.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.ivit.core.architecture.Architectures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every recipe in {@code configs} is one. */
class ShippedConfigsTest {
  @SuppressWarnings("unused")
  static List<Path> configs() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("..", "configs"))) {
      return files.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void readsAndNamesAnArchitecture(Path config) {
    Recipe recipe = Recipe.read(config);
    if (recipe.architecture().isTextual()) {
      assertThat(Architectures.names()).contains(recipe.architecture().asText());
    } else {
      assertThat(Architectures.parse(recipe.architecture()).classes()).isPositive();
    }
    assertThat(Recipe.parse("again", recipe.toYaml(), List.of())).isEqualTo(recipe);
  }
}
