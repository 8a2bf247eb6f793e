package org.ivit.export;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Stem;
import org.ivit.core.family.Architectures;
import org.junit.jupiter.api.Test;

/** docs/checkpoint.md says of the architecture what is written. */
class CheckpointPageTest {
  private static final String PAGE = Sources.text(Sources.file("docs/checkpoint.md"));

  /** A row of the table of parts: the part or nothing, then one key or several. */
  private static final Pattern ROW =
      Pattern.compile(
          "^\\| (?:`(stem|block|merging|norm|meanPooling|attentionPooling|head)` )?"
              + "\\| (`\\w+`(?:, `\\w+`)*) \\|",
          Pattern.MULTILINE);

  private static final Pattern EXAMPLE = Pattern.compile("```json\\n(.*?)```", Pattern.DOTALL);

  private static Set<String> keys(Class<?> part) {
    return Stream.of(part.getRecordComponents())
        .map(RecordComponent::getName)
        .collect(TreeSet::new, Set::add, Set::addAll);
  }

  @Test
  void theTableHasTheKeysOfEachPart() {
    Map<String, Set<String>> table = new LinkedHashMap<>();
    String part = null;
    Matcher row = ROW.matcher(PAGE);
    while (row.find()) {
      part = row.group(1) == null ? part : row.group(1);
      table
          .computeIfAbsent(part, name -> new TreeSet<>())
          .addAll(Arrays.asList(row.group(2).replace("`", "").split(", ")));
    }
    assertThat(table)
        .isEqualTo(
            Map.of(
                "stem", keys(Stem.class),
                "block", keys(Block.class),
                "merging", keys(Merging.class),
                "norm", keys(Norm.class),
                "meanPooling", keys(MeanPooling.class),
                "attentionPooling", keys(AttentionPooling.class),
                "head", keys(Head.class)));
  }

  @Test
  void theExampleIsADistilledModelOfItsFamily() {
    Matcher example = EXAMPLE.matcher(PAGE);
    assertThat(example.find()).isTrue();
    Architecture described = Architectures.parse(example.group(1));
    assertThat(described)
        .isEqualTo(
            Architectures.parse(
                """
                {"kind": "vit", "name": "small", "image": 4, "patch": 2, "dim": 6, "depth": 2,
                "heads": 2, "hidden": 8, "classes": 3, "distilled": true}\
                """));
    assertThat(described.head().classifiers()).isEqualTo(List.of("head", "head_dist"));
  }
}
