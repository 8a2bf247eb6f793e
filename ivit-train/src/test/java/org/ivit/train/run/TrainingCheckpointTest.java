package org.ivit.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.tensor.TensorFiles;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingCheckpointTest {
  @TempDir Path folder;

  private static Architecture architecture(String name) {
    return Architectures.parse(
        ("{\"kind\":\"vit\",\"name\":\"%s\",\"image\":8,\"patch\":4,\"dim\":4,\"depth\":1,"
                + "\"heads\":1,\"classes\":2}")
            .formatted(name));
  }

  private static FloatWeights ones(Architecture architecture) {
    Map<String, float[]> values = new HashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              float[] value = new float[(int) product(shape)];
              Arrays.fill(value, 1);
              values.put(name, value);
            });
    return new FloatWeights(
        values,
        Map.of("blocks.0.attn.qkv.weight", new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3}));
  }

  private static long product(long[] shape) {
    long product = 1;
    for (long side : shape) {
      product *= side;
    }
    return product;
  }

  private List<String> written(String name) throws IOException {
    Architecture architecture = architecture(name);
    FloatWeights weights = ones(architecture);
    Path into = folder.resolve(name);
    new TrainingCheckpoint(
            weights, weights, null, new TreeMap<>(), new float[0], TrainingState.start("", ""))
        .write(into, architecture);
    assertThat(TrainingCheckpoint.read(into, architecture).weights().scales())
        .containsKey("blocks.0.attn.qkv.weight");
    try (Stream<Path> files = Files.list(into)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /** timm's DeiT-III has LayerScale, which is folded here. */
  @Test
  void timmsParametersLieBesideOthers() throws IOException {
    assertThat(written("deit3_micro"))
        .contains("weights.safetensors", "timm_weights.safetensors", "timm_ema.safetensors");
    assertThat(
            TensorFiles.open(folder.resolve("deit3_micro/timm_weights.safetensors"))
                .tensors()
                .keySet())
        .contains("blocks.0.ls1.gamma", "blocks.0.attn.qkv.weight")
        .doesNotContain("blocks.0.attn.qkv.weight_scale");
  }

  @Test
  void sameNamesAreWrittenOnce() throws IOException {
    assertThat(written("vit_micro"))
        .containsExactly(
            "ema.safetensors", "optimizer.safetensors", "state.json", "weights.safetensors");
  }
}
