package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.testing.RandomFamilies;
import org.ivit.core.testing.RandomFamilies.Case;

/** The emulated kernels give the reference engine's integers on models of every family. */
class CudaEnginePropertiesTest {
  private static final int PICTURES = 2;

  @Property(tries = 60)
  void vitsOfEveryFamilyAgree(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll GeluForm gelu,
      @ForAll SoftmaxForm softmax,
      @ForAll boolean narrow,
      @ForAll boolean epsilon) {
    agree(RandomFamilies.vit(seed), seed, gelu, softmax, narrow, epsilon);
  }

  @Property(tries = 60)
  void rotaryPositionsAndGatesAgree(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll GeluForm gelu,
      @ForAll SoftmaxForm softmax,
      @ForAll boolean narrow,
      @ForAll boolean epsilon) {
    agree(RandomFamilies.rotaryOrGated(seed), seed, gelu, softmax, narrow, epsilon);
  }

  @Property(tries = 20)
  void swinsOfEveryShapeAgree(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll GeluForm gelu,
      @ForAll SoftmaxForm softmax,
      @ForAll boolean narrow,
      @ForAll boolean epsilon) {
    agree(RandomFamilies.swin(seed), seed, gelu, softmax, narrow, epsilon);
  }

  @Property(tries = 20)
  void weightsOfFewerBitsAgree(
      @ForAll @IntRange(min = 0) int seed, @ForAll GeluForm gelu, @ForAll SoftmaxForm softmax) {
    Random random = new Random(seed);
    Architecture architecture =
        random.nextInt(4) == 0 ? RandomFamilies.swin(seed) : RandomFamilies.vit(seed);
    Case drawn = Case.of(architecture, gelu, softmax, true, true, PICTURES, random);
    agree(drawn.withFewerBits(seed), random);
  }

  private static void agree(
      Architecture architecture,
      long seed,
      GeluForm gelu,
      SoftmaxForm softmax,
      boolean narrow,
      boolean epsilon) {
    Random random = new Random(seed);
    agree(Case.of(architecture, gelu, softmax, narrow, epsilon, PICTURES, random), random);
  }

  private static void agree(Case drawn, Random random) {
    EmulatedDevice device =
        new EmulatedDevice(
            random.nextBoolean() ? 1 : 10_000,
            CudaEngineTest.SHARED_BYTES,
            random.nextBoolean(),
            random.nextBoolean());
    try (CudaEngine engine = new CudaEngine(drawn.graph(), device, "test")) {
      assertThat(engine.logits(drawn.codes(), PICTURES)).isEqualTo(drawn.expected());
    }
    assertThat(device.live()).isZero();
  }
}
