package org.ivit.core.engine.portable;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.testing.RandomFamilies;
import org.ivit.core.testing.RandomFamilies.Case;

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

  @Property(tries = 100)
  void rotaryPositionsAndGatedMlpsAgree(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll SoftmaxForm softmax,
      @ForAll boolean narrow,
      @ForAll boolean epsilon) {
    Architecture vit = RandomFamilies.rotaryOrGated(seed);
    agree(vit, seed, GeluForm.EXACT, softmax, narrow, epsilon);
  }

  @Property(tries = 60)
  void weightsOfFewerBitsAgree(
      @ForAll @IntRange(min = 0) int seed, @ForAll GeluForm gelu, @ForAll SoftmaxForm softmax) {
    Random random = new Random(seed);
    Architecture architecture =
        random.nextInt(4) == 0 ? RandomFamilies.swin(seed) : RandomFamilies.vit(seed);
    agree(Case.of(architecture, gelu, softmax, true, true, 3, random).withFewerBits(seed), random);
  }

  private static void agree(
      Architecture architecture,
      long seed,
      GeluForm gelu,
      SoftmaxForm softmax,
      boolean narrow,
      boolean epsilon) {
    Random random = new Random(seed);
    agree(Case.of(architecture, gelu, softmax, narrow, epsilon, 3, random), random);
  }

  private static void agree(Case drawn, Random random) {
    try (WorkerPool pool = new WorkerPool(1 + random.nextInt(3));
        PortableEngine engine = new PortableEngine(drawn.graph(), pool, "test")) {
      assertThat(engine.logits(drawn.codes(), 3)).isEqualTo(drawn.expected());
    }
  }
}
