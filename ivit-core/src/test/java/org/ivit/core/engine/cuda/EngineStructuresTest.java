package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.cuda.KernelStructures;
import org.ivit.core.cuda.Structure.Place;
import org.ivit.core.engine.cuda.layer.LinearArguments;
import org.junit.jupiter.api.Test;

/** What the engine's kernels take. */
class EngineStructuresTest extends KernelStructures {
  EngineStructuresTest() {
    super(
        LinearArguments.class,
        "kernels.cu",
        "ivit-core/src/test/cuda/engine_kernels.inc",
        List.of("ivit-core/src/test/cuda", "ivit-core/src/main/cuda"));
  }

  /** Each change of the structure in Java, one at a time. */
  @Test
  void areNotThoseOfTheHeadersOnceChanged() throws Exception {
    int size = new LinearArguments().size();
    List<Place> places = new LinearArguments().places();
    Place last = places.get(places.size() - 1);
    assertThat(last).isEqualTo(new Place("accumulate", size - 4, 4, "integral"));

    assertThat(errors(size, places, List.of())).contains(String.valueOf(places.size() - 1));
    assertThat(errors(size, places, List.of(last, new Place("unknown", size, 4, "integral"))))
        .contains("unknown");
    assertThat(errors(size, places, List.of(new Place("accumulate", size - 8, 4, "integral"))))
        .contains("LinearArguments.accumulate");
    assertThat(errors(size, places, List.of(new Place("accumulate", size - 4, 8, "integral"))))
        .contains("LinearArguments.accumulate");
    assertThat(errors(size, places, List.of(new Place("accumulate", size - 4, 4, "address"))))
        .contains("LinearArguments.accumulate");
    assertThat(errors(size + 8, places, List.of(last))).contains("size of LinearArguments");
  }

  /** With others in the place of the last field. */
  private String errors(int size, List<Place> places, List<Place> others) throws Exception {
    List<Place> changed = new ArrayList<>(places.subList(0, places.size() - 1));
    changed.addAll(others);
    return compile(checks("LinearArguments", size, changed));
  }
}
