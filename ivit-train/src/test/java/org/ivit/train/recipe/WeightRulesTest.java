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
import org.junit.jupiter.params.provider.ValueSource;

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

  /** Layers of the blocks are open, what an override names is not. */
  @Test
  void automaticBitsAreOpenUntilTheyAreChosen() {
    WeightRules rules =
        parse(
                "quantization.weights={bits: auto, size: 3.5MB, overrides: [{pattern: '*.fc2',"
                    + " bits: 6}]}")
            .weights();
    assertThat(rules.automatic()).isTrue();
    assertThat(rules.fewer()).isTrue();
    assertThat(rules.size()).isEqualTo(3_500_000);
    Map<String, Choice> chosen = new TreeMap<>();
    for (LinearSpec layer : Architectures.byName("deit_tiny_distilled_patch16_224").linears()) {
      String name = layer.node().name();
      if (rules.candidates(layer).size() > 1) {
        assertThat(rules.candidates(layer)).extracting(Choice::bits).containsExactly(4, 5, 6, 8);
        assertThatThrownBy(() -> rules.choose(layer)).isInstanceOf(IllegalStateException.class);
        int bits = name.endsWith("qkv") ? 8 : name.endsWith("0.attn.proj") ? 4 : 5;
        chosen.put(name, new Choice(bits, WeightCoding.GROUP));
      }
    }
    assertThat(chosen).hasSize(36);
    WeightRules resolved = rules.resolved(chosen);
    assertThat(resolved.automatic()).isFalse();
    assertThat(resolved.bits()).isEqualTo(5);
    assertThat(resolved.overrides()).hasSize(1 + 12 + 2);
    Map<String, Choice> all = choices(resolved);
    assertThat(all).containsAllEntriesOf(chosen);
    assertThat(all.get("blocks.3.mlp.fc2").bits()).isEqualTo(6);
    assertThat(all.get("patch_embed").fewer()).isFalse();
    assertThat(all.get("head").fewer()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"size: 850kB", "size: 850000", "size: 0.85 mb", "size: '850000'"})
  void sizesAreReadInUnits(String size) {
    assertThat(parse("quantization.weights={bits: auto, " + size + "}").weights().size())
        .isEqualTo(850_000);
  }

  @ParameterizedTest
  @ValueSource(strings = {"size: 3.5MB", "kl: 0.02"})
  void automaticBitsAreWrittenAsTheyAreRead(String budget) {
    Recipe recipe =
        Recipe.parse(
            "run.yaml", RECIPE, List.of("quantization.weights={bits: auto, " + budget + "}"));
    assertThat(recipe.toYaml()).contains("bits: auto");
    assertThat(Recipe.parse("again.yaml", recipe.toYaml(), List.of())).isEqualTo(recipe);
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
        "{bitts: 4}|bitts",
        "{bits: auto}|bits: found \"auto\", expected size or kl beside it",
        "{bits: auto, size: 3MB, kl: 0.1}|kl: found 0.1, expected no such key beside size",
        "{bits: 4, size: 3MB}|size: found \"3MB\", expected no such key without bits: auto",
        "{kl: 0.1}|kl: found 0.1, expected no such key without bits: auto",
        "{bits: auto, kl: -1}|kl: found -1, expected a number",
        "{bits: auto, size: 3GB}|size: found \"3GB\", expected bytes, such as 3500000, 850kB or 3.5MB",
        "{bits: auto, size: 0}|size: found 0, expected bytes",
        "{bits: auto, size: [3]}|size: found the list [3], expected bytes",
        "{overrides: [{pattern: head, bits: auto}]}|bits: found \"auto\", expected 8, 6, 5 or 4"
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
