package org.ivit.export.features;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.ivit.core.parallel.WorkerPool;
import org.junit.jupiter.api.Test;

class GalleryTest {
  private static List<Integer> rows(List<Neighbour> neighbours) {
    return neighbours.stream().map(Neighbour::row).toList();
  }

  private static List<List<Neighbour>> nearest(Features gallery, Features asked, int most) {
    return new Gallery(gallery).nearest(asked, most, i -> -1, WorkerPool.shared());
  }

  /** Few different rows, so that many cosines are equal. */
  @Test
  void equalCosinesComeInTheOrderOfTheGallery() {
    Random random = new Random(1);
    for (int test = 0; test < 100; test++) {
      int size = 1 + random.nextInt(30);
      int[] codes = IntStream.range(0, 2 * size).map(i -> random.nextInt(3) - 1).toArray();
      Features gallery = Features.ofCodes(codes, 1, 2);
      Features asked = Features.ofCodes(random.ints(6, -2, 3).toArray(), 1, 2);
      int most = 1 + random.nextInt(35);
      List<List<Neighbour>> found = nearest(gallery, asked, most);
      Cosines known = new Cosines(gallery);
      Cosines query = new Cosines(asked);
      for (int i = 0; i < 3; i++) {
        int row = i;
        List<Integer> expected =
            IntStream.range(0, size)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer g) -> -query.of(row, known, g)))
                .limit(most)
                .toList();
        assertThat(rows(found.get(i))).isEqualTo(expected);
        assertThat(found.get(i)).allMatch(n -> n.cosine() == query.of(row, known, n.row()));
      }
    }
  }

  @Test
  void aPictureOfTheGalleryIsNotItsOwnNeighbour() {
    Features rows = Features.ofCodes(new int[] {1, 0, 1, 1, 0, 1, 1, 0}, 1, 2);
    List<List<Neighbour>> found = new Gallery(rows).nearest(rows, 9, i -> i, WorkerPool.shared());
    assertThat(found.stream().map(GalleryTest::rows))
        .containsExactly(List.of(3, 1, 2), List.of(0, 2, 3), List.of(1, 0, 3), List.of(0, 1, 2));
    Features alone = Features.ofCodes(new int[] {1, 0}, 1, 2);
    assertThat(new Gallery(alone).nearest(alone, 1, i -> i, WorkerPool.shared()).get(0)).isEmpty();
  }

  @Test
  void theNumberOfThreadsChangesNothing() {
    Random random = new Random(2);
    Features gallery = Features.ofCodes(random.ints(7 * 200).toArray(), 1, 7);
    Features asked = Features.ofCodes(random.ints(7 * 40).toArray(), 1, 7);
    List<List<Neighbour>> expected = nearest(gallery, asked, 5);
    try (WorkerPool one = new WorkerPool(1)) {
      assertThat(new Gallery(gallery).nearest(asked, 5, i -> -1, one)).isEqualTo(expected);
    }
    assertThat(expected).allMatch(neighbours -> neighbours.size() == 5);
  }
}
