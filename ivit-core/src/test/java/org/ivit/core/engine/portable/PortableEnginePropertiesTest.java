package org.ivit.core.engine.portable;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.testing.ForgedGraphs;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.testing.RandomFamilies;

/** The engine gives the reference engine's integers on models of every family. */
class PortableEnginePropertiesTest {
  @Property(tries = 150)
  void vitsOfEveryFamilyAgree(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll GeluForm gelu,
      @ForAll SoftmaxForm softmax,
      @ForAll boolean narrow,
      @ForAll boolean epsilon) {
    agree(RandomFamilies.vit(seed), seed, gelu, softmax, narrow, epsilon);
  }

  @Property(tries = 60)
  void swinsOfEveryShapeAgree(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll GeluForm gelu,
      @ForAll SoftmaxForm softmax,
      @ForAll boolean narrow,
      @ForAll boolean epsilon) {
    agree(RandomFamilies.swin(seed), seed, gelu, softmax, narrow, epsilon);
  }

  private static void agree(
      Architecture architecture,
      long seed,
      GeluForm gelu,
      SoftmaxForm softmax,
      boolean narrow,
      boolean epsilon) {
    Random random = new Random(seed);
    IntegerGraph observed =
        ObservedModel.provedGraph(
            architecture,
            RandomFamilies.scheme(architecture, gelu, softmax, narrow, epsilon, random),
            random);
    IntegerGraph graph = random.nextInt(3) == 0 ? new ForgedGraphs(seed).of(observed) : observed;
    byte[] codes = new byte[3 * architecture.pixels()];
    random.nextBytes(codes);
    // Without variance all that a norm divides by is its epsilon.
    Arrays.fill(codes, architecture.pixels(), 2 * architecture.pixels(), (byte) 1);
    int[] expected;
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      expected = reference.logits(codes, 3);
    }
    try (WorkerPool pool = new WorkerPool(1 + random.nextInt(3));
        PortableEngine engine = new PortableEngine(graph, pool, "test")) {
      assertThat(engine.logits(codes, 3)).isEqualTo(expected);
    }
  }
}
