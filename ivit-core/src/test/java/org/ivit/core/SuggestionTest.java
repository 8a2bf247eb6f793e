package org.ivit.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SuggestionTest {
  private static final List<String> KNOWN =
      List.of("evaluate", "export", "--model", "--data", "learningRate", "deit_tiny_patch16_224");

  @ParameterizedTest
  @CsvSource({
    "evaluat, evaluate",
    "evalaute, evaluate",
    "exprot, export",
    "--modle, --model",
    "--Data, --data",
    "learning_rate, learningRate",
    "learninrate, learningRate",
    "deit_tiny_patch16_244, deit_tiny_patch16_224",
    "deit_tny_patch16_224, deit_tiny_patch16_224",
  })
  void findsTheWordThatWasMeant(String found, String meant) {
    assertThat(Suggestion.of(found, KNOWN)).isEqualTo(" (did you mean " + meant + "?)");
  }

  @ParameterizedTest
  @CsvSource({"x", "lr", "quantize", "--output", "resnet50", "''"})
  void saysNothingWhereNothingIsNear(String found) {
    assertThat(Suggestion.of(found, KNOWN)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"'', '', 0", "a, '', 1", "abc, acb, 1", "kitten, sitting, 3", "Ab, aB, 0"})
  void countsEdits(String a, String b, int edits) {
    assertThat(Suggestion.distance(a, b)).isEqualTo(edits);
  }

  @Property
  void isSymmetricAndZeroForTheSameWord(
      @ForAll @AlphaChars @StringLength(max = 12) String a,
      @ForAll @AlphaChars @StringLength(max = 12) String b) {
    assertThat(Suggestion.distance(a, b)).isEqualTo(Suggestion.distance(b, a));
    assertThat(Suggestion.distance(a, a)).isZero();
    assertThat(Suggestion.distance(a, b))
        .isBetween(Math.abs(a.length() - b.length()), Math.max(a.length(), b.length()));
  }

  @Test
  void ofTwoThatAreAsNearTheFirstIsTaken() {
    assertThat(Suggestion.nearest("bat", List.of("cat", "hat"))).contains("cat");
  }
}
