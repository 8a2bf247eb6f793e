package org.ivit.export;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Families are known to their package and to readers of others' models, to nobody else. */
class FamiliesTest {
  private static final Pattern FAMILY = Pattern.compile("\\b(?:Vit|Swin)\\b");

  private static final Pattern KNOWS =
      Pattern.compile(
          "ivit-core/src/main/java/org/ivit/core/(?:family|pretrained)/(?:names/)?\\w+\\.java");

  @Test
  void noOtherSourceNamesThem() {
    List<String> naming =
        Sources.of("src/main/java").stream()
            .filter(source -> FAMILY.matcher(Sources.text(source)).find())
            .map(Sources::name)
            .toList();
    assertThat(naming).anyMatch(name -> name.endsWith("/family/Vit.java"));
    assertThat(naming).allMatch(name -> KNOWS.matcher(name).matches());
  }
}
