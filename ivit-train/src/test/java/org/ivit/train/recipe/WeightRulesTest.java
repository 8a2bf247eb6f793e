package org.ivit.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.family.Architectures;
import org.ivit.core.weight.WeightCoding;
import org.ivit.train.recipe.WeightRules.Choice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WeightRulesTest {
  private static final String RECIPE =
      """
      architecture: deit_tiny_distilled_patch16_224
      data: {train: pictures}
      optimizer: {learningRate: 1.0e-6, batchSize: 4}
      schedule: {epochs: 2}
      """;

  private static Quantization parse(String... overrides) {
    return Recipe.parse("run.yaml", RECIPE, List.of(overrides)).quantization();
  }

  private static Map<String, Choice> choices(WeightRules rules) {
    Map<String, Choice> choices = new TreeMap<>();
    for (LinearSpec layer : Architectures.byName("deit_tiny_distilled_patch16_224").linears()) {
      choices.put(layer.node().name(), rules.choose(layer));
    }
    return choices;
  }

  @Test
  void weightsHaveEightBitsWhereNothingIsSaid() {
    assertThat(choices(parse().weights()).values()).noneMatch(Choice::fewer);
    assertThat(parse().weights().fewer()).isFalse();
  }

  @Test
  void patchesAndClassifiersKeepEight() {
    Quantization fewer = parse("quantization.weights.bits=4");
    Map<String, Choice> choices = choices(fewer.weights());
    assertThat(choices.remove("patch_embed").fewer()).isFalse();
    assertThat(choices.remove("head").fewer()).isFalse();
    assertThat(choices.remove("head_dist").fewer()).isFalse();
    assertThat(choices).hasSize(48);
    assertThat(choices.values()).containsOnly(new Choice(4, WeightCoding.GROUP));
    assertThat(fewer.weightRounding()).isEqualTo(WeightRounding.SECOND_ORDER);
  }

  @Test
  void theLastPatternThatMatchesWins() {
    Map<String, Choice> choices =
        choices(
            parse(
                    "quantization.weights={bits: 4, codes: table, overrides: [{pattern: '*.attn.*',"
                        + " bits: 5}, {pattern: 'blocks.1?.attn.qkv', bits: 6, codes: uniform},"
                        + " {pattern: head, bits: 6}]}")
                .weights());
    assertThat(choices.get("blocks.3.mlp.fc1")).isEqualTo(new Choice(4, WeightCoding.TABLE));
    assertThat(choices.get("blocks.1.attn.qkv")).isEqualTo(new Choice(5, WeightCoding.TABLE));
    assertThat(choices.get("blocks.11.attn.qkv")).isEqualTo(new Choice(6, WeightCoding.UNIFORM));
    assertThat(choices.get("head")).isEqualTo(new Choice(6, WeightCoding.TABLE));
    assertThat(choices.get("head_dist").fewer()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{bits: 7}|bits: found 7, expected 8, 6, 5 or 4",
        "{bits: 3}|bits",
        "{bits: 4, codes: log}|codes",
        "{overrides: [{bits: 4}]}|pattern",
        "{overrides: [{pattern: head}]}|bits",
        "{bitts: 4}|bitts"
      })
  void whatCannotBeIsRefused(String weights, String message) {
    assertThatThrownBy(() -> parse("quantization.weights=" + weights))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("run.yaml: quantization.weights.")
        .hasMessageContaining(message);
  }

  @Test
  void fewerBitsAreRoundedBySecondOrder() {
    assertThatThrownBy(() -> parse("quantization={weights: {bits: 6}, weightRounding: nearest}"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("secondOrder for weights of fewer than 8 bits");
  }
}
