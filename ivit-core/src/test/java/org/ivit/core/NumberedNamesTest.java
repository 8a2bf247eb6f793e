package org.ivit.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NumberedNamesTest {
  @Test
  void joinsWhatDiffersInTheLastNumber() {
    List<String> names = new ArrayList<>(List.of("cls_token"));
    IntStream.range(0, 12).forEach(i -> names.add("blocks." + i + ".norm1.weight"));
    names.addAll(List.of("layers.1.blocks.0.x", "layers.1.blocks.3.x", "layers.2.blocks.0.x"));
    names.addAll(List.of("blocks.7.norm2.bias is I8, expected F32", "v1.0", "head"));
    assertThat(NumberedNames.list(names))
        .isEqualTo(
            "cls_token, blocks.{0-11}.norm1.weight, layers.1.blocks.{0,3}.x, layers.2.blocks.0.x,"
                + " blocks.7.norm2.bias is I8, expected F32, v1.0, head");
  }

  @Test
  void endsSomewhere() {
    List<String> names = IntStream.range(0, 100).mapToObj(i -> "unknown" + i).toList();
    assertThat(NumberedNames.list(names)).endsWith("unknown59 and 40 more");
    assertThat(NumberedNames.list(List.of())).isEmpty();
    assertThat(NumberedNames.list(List.of("a.99999999999.b"))).isEqualTo("a.99999999999.b");
  }
}
