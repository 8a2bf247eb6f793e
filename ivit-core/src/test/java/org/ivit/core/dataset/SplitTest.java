package org.ivit.core.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.dataset.ProceduralPictures.Strengths;
import org.junit.jupiter.api.Test;

class SplitTest {
  private static final Dataset SET = new ProceduralPictures(1, 0, 35, 8, Strengths.DEFAULT);

  private static List<Integer> indices(Subset subset) {
    return IntStream.range(0, subset.size()).mapToObj(subset::baseIndex).toList();
  }

  @Test
  void everyKthOfEachClassIsHeldOut() {
    Split split = Split.everyKth(SET, 3);
    // Kinds repeat every ten pictures; the third of each class is 20 to 29.
    assertThat(indices(split.validation())).isEqualTo(IntStream.range(20, 30).boxed().toList());
    assertThat(split.training().size()).isEqualTo(25);
    assertThat(indices(split.training())).doesNotContainAnyElementsOf(indices(split.validation()));
  }

  @Test
  void subsetsKeepNamesLabelsAndPictures() {
    Subset subset = Subset.where(SET, i -> SET.label(i) == 3);
    assertThat(indices(subset)).containsExactly(3, 13, 23, 33);
    assertThat(subset.classNames()).isEqualTo(SET.classNames());
    assertThat(subset.name(2)).isEqualTo(SET.name(23));
    assertThat(subset.label(2)).isEqualTo(3);
    assertThat(subset.picture(2)).isEqualTo(SET.picture(23));
    assertThat(indices(Subset.first(subset, 2))).containsExactly(0, 1);
    assertThat(Subset.first(SET, 99).size()).isEqualTo(35);
    assertThat(indices(Subset.firstOfEachClass(SET, 1)))
        .isEqualTo(IntStream.range(0, 10).boxed().toList());
  }

  @Test
  void uselessIntervalsAreRefused() {
    assertThatThrownBy(() -> Split.everyKth(SET, 1)).isInstanceOf(InputException.class);
    assertThatThrownBy(() -> Split.everyKth(SET, 5))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no class has that many");
  }
}
