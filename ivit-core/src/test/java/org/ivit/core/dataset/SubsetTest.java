package org.ivit.core.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.dataset.ProceduralPictures.Strengths;
import org.junit.jupiter.api.Test;

class SubsetTest {
  private static final Dataset SET = new ProceduralPictures(1, 0, 35, 8, Strengths.DEFAULT);

  private static List<String> names(Dataset set, int... indices) {
    return IntStream.of(indices).mapToObj(set::name).toList();
  }

  private static List<String> names(Dataset set) {
    return names(set, IntStream.range(0, set.size()).toArray());
  }

  @Test
  void subsetsKeepNamesLabelsAndPictures() {
    Subset subset = Subset.where(SET, i -> SET.label(i) == 3);
    assertThat(names(subset)).isEqualTo(names(SET, 3, 13, 23, 33));
    assertThat(subset.classNames()).isEqualTo(SET.classNames());
    assertThat(subset.label(2)).isEqualTo(3);
    assertThat(subset.picture(2)).isEqualTo(SET.picture(23));
    assertThat(names(Subset.first(subset, 2))).isEqualTo(names(SET, 3, 13));
    assertThat(Subset.first(SET, 99).size()).isEqualTo(35);
  }
}
