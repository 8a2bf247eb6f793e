package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.testing.ForgedGraphs;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.testing.RandomFamilies;

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

  @Property(tries = 20)
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
    byte[] codes = new byte[PICTURES * architecture.pixels()];
    random.nextBytes(codes);
    // Without variance all that a norm divides by is its epsilon.
    Arrays.fill(codes, architecture.pixels(), 2 * architecture.pixels(), (byte) 1);
    int[] expected;
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      expected = reference.logits(codes, PICTURES);
    }
    EmulatedDevice device =
        new EmulatedDevice(
            random.nextBoolean() ? 1 : 10_000, CudaEngineTest.SHARED_BYTES, random.nextBoolean());
    try (CudaEngine engine = new CudaEngine(graph, device, "test")) {
      assertThat(engine.logits(codes, PICTURES)).isEqualTo(expected);
    }
    assertThat(device.live()).isZero();
  }
}
