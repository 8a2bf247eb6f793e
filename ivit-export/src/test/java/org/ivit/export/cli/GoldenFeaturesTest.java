package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import org.ivit.core.testing.Shared;
import org.ivit.export.features.FeatureFile;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The way of a user who has a folder of a model that answers with features. */
class GoldenFeaturesTest {
  private static String run(Object... args) {
    Commands.Outcome outcome = Commands.run(args);
    assertThat(outcome.code()).as(outcome.err()).isZero();
    return outcome.out();
  }

  /** Of each way in which a chain ends in a feature one. */
  @ParameterizedTest
  @CsvSource({
    "vit_headless, 48",
    "vit_headless_avg, 32",
    "vit_headless_avg_fcnorm, 32",
    "clip_quickgelu, 20",
    "siglip_map, 32"
  })
  void fromAFolderToNeighbours(String family, int width, @TempDir Path folder) throws Exception {
    Path source = Shared.path("golden/families/" + family);
    Path pictures = MicroModel.pictures(folder.resolve("pictures"), MicroModel.CLASSES, 6);
    Path model = folder.resolve("model.ivit.safetensors");
    run("quantize", "--weights", source, "--data", pictures, "--output", model);
    assertThat(run("inspect", model)).contains("features " + width);
    Path index = folder.resolve("index.safetensors");
    run("embed", "--model", model, "--data", pictures, "--output", index);
    FeatureFile features = FeatureFile.read(index);
    assertThat(features.features().width()).isEqualTo(width);
    assertThat(features.features().integer()).isTrue();
    Path asked = pictures.resolve("cat/3.png");
    assertThat(run("search", "--index", index, "--model", model, "--top", 1, asked))
        .contains("1.0000  " + asked);
    JsonNode result =
        new ObjectMapper()
            .readTree(
                run(
                    "evaluate",
                    "--model",
                    model,
                    "--data",
                    pictures,
                    "--gallery",
                    pictures,
                    "--neighbours",
                    1,
                    "--against",
                    source,
                    "--json",
                    "-"));
    JsonNode cosine = result.path("against").path("cosine");
    assertThat(cosine.path("mean").asDouble()).isBetween(0.99, 1.0);
    assertThat(cosine.path("worst").asDouble()).isGreaterThan(0.97);
  }
}
