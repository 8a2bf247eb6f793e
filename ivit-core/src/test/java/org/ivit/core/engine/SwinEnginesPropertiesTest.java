package org.ivit.core.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.testing.RandomSwin;

/** Engines agree on Swins of random sizes, whatever the batch and the threads. */
class SwinEnginesPropertiesTest {
  @Property(tries = 40)
  void engineLogitsAreTheReferenceLogitsOfEachPicture(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll GeluForm gelu,
      @ForAll SoftmaxForm softmax,
      @ForAll boolean narrow,
      @ForAll @IntRange(min = 1, max = 4) int threads,
      @ForAll @IntRange(min = 1, max = 4) int pictures) {
    Architecture swin = RandomSwin.of(seed);
    Scheme scheme = ObservedModel.scheme(gelu, softmax, narrow, new TreeMap<>());
    Random random = new Random(seed);
    IntegerGraph graph = ObservedModel.provedGraph(swin, scheme, random);
    int size = swin.pixels();
    byte[] codes = new byte[pictures * size];
    random.nextBytes(codes);
    int[] expected = new int[pictures * swin.classes()];
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      for (int i = 0; i < pictures; i++) {
        int[] one = reference.logits(Arrays.copyOfRange(codes, i * size, (i + 1) * size), 1);
        System.arraycopy(one, 0, expected, i * swin.classes(), swin.classes());
      }
      assertThat(reference.logits(codes, pictures)).isEqualTo(expected);
    }
    try (WorkerPool pool = new WorkerPool(threads);
        PortableEngine engine = new PortableEngine(graph, pool, "test")) {
      assertThat(engine.logits(codes, pictures)).isEqualTo(expected);
    }
  }
}
