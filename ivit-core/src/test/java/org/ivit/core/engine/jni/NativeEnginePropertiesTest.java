package org.ivit.core.engine.jni;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.ForgedGraphs;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.testing.RandomFamilies;
import org.ivit.core.testing.RandomSwin;

/** Kernels agree with the reference on graphs of random sizes and integers. */
class NativeEnginePropertiesTest {
  @Property(tries = 60)
  void forgedVitsAgree(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll GeluForm gelu,
      @ForAll SoftmaxForm softmax,
      @ForAll boolean narrow,
      @ForAll @IntRange(min = 0, max = 3) int outliers) {
    Random random = new Random(seed);
    int patch = 1 + random.nextInt(5);
    int heads = 1 + random.nextInt(4);
    Architecture vit =
        new Vit(
                "random",
                patch * (1 + random.nextInt(9)),
                patch,
                heads * (1 + random.nextInt(40)),
                1 + random.nextInt(2),
                heads,
                1 + random.nextInt(150),
                1 + random.nextInt(40),
                1e-6,
                random.nextBoolean())
            .architecture();
    int hiddenChannels = vit.blocks().get(0).hidden();
    TreeMap<String, OutlierChannels> sets = new TreeMap<>();
    if (outliers > 0 && vit.stem().dim() > 20) {
      sets.put("blocks.0.norm1", some(random, vit.stem().dim(), outliers));
      sets.put("blocks.0.attn.context", some(random, vit.stem().dim(), outliers));
      sets.put("blocks.0.norm2", some(random, vit.stem().dim(), outliers));
      sets.put("norm", some(random, vit.stem().dim(), outliers));
      if (gelu.isErf() && hiddenChannels > 20) {
        OutlierChannels hidden = some(random, hiddenChannels, outliers);
        sets.put("blocks.0.mlp.fc1", hidden);
        sets.put("blocks.0.mlp.act", hidden);
      }
    }
    agree(vit, ObservedModel.scheme(gelu, softmax, narrow, sets), random);
  }

  private static OutlierChannels some(Random random, int channels, int most) {
    int count = most == 3 ? channels / 2 : most;
    int[] set = random.ints(0, channels).distinct().limit(count).sorted().toArray();
    return new OutlierChannels(set, 1 + random.nextInt(6));
  }

  @Property(tries = 40)
  void forgedSwinsAgree(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll GeluForm gelu,
      @ForAll SoftmaxForm softmax,
      @ForAll boolean narrow) {
    Scheme scheme = ObservedModel.scheme(gelu, softmax, narrow, new TreeMap<>());
    agree(RandomSwin.of(seed), scheme, new Random(seed));
  }

  @Property(tries = 200)
  void forgedVitsOfEveryOptionAgree(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll GeluForm gelu,
      @ForAll SoftmaxForm softmax,
      @ForAll boolean narrow,
      @ForAll boolean epsilon,
      @ForAll @IntRange(min = 0, max = 3) int outliers) {
    Architecture vit = RandomVit.of(seed);
    Random random = new Random(seed);
    TreeMap<String, OutlierChannels> sets = new TreeMap<>();
    int dim = vit.stem().dim();
    if (outliers > 0 && dim > 20) {
      for (Node node : vit.nodes().values()) {
        if (node.kind() == NodeKind.NORM || node.kind() == NodeKind.CONTEXT) {
          sets.put(node.name(), some(random, dim, outliers));
        }
      }
    }
    int bits = narrow || softmax == SoftmaxForm.DEFERRED ? 8 : 16;
    agree(vit, new Scheme(gelu, softmax, bits, sets, epsilon), random);
  }

  @Property(tries = 150)
  void rotaryPositionsAndGatedMlpsAgree(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll SoftmaxForm softmax,
      @ForAll boolean narrow,
      @ForAll boolean epsilon) {
    Architecture vit = RandomFamilies.rotaryOrGated(seed);
    Random random = new Random(seed);
    agree(
        vit, RandomFamilies.scheme(vit, GeluForm.EXACT, softmax, narrow, epsilon, random), random);
  }

  @Property(tries = 150)
  void weightsOfFewerBitsAgree(
      @ForAll @IntRange(min = 0) int seed, @ForAll boolean narrow, @ForAll boolean epsilon) {
    Random random = new Random(seed);
    Architecture architecture =
        switch (random.nextInt(3)) {
          case 0 -> RandomSwin.of(seed);
          case 1 -> RandomFamilies.rotaryOrGated(seed);
          default -> RandomVit.of(seed);
        };
    Scheme scheme =
        RandomFamilies.scheme(
            architecture, GeluForm.EXACT, SoftmaxForm.EXACT, narrow, epsilon, random);
    IntegerGraph observed = ObservedModel.provedGraph(architecture, scheme, random);
    agree(ForgedGraphs.ofFewerBits(random.nextLong()).of(observed), random);
  }

  private static void agree(Architecture architecture, Scheme scheme, Random random) {
    IntegerGraph observed = ObservedModel.provedGraph(architecture, scheme, random);
    agree(
        random.nextInt(3) == 0 ? observed : new ForgedGraphs(random.nextLong()).of(observed),
        random);
  }

  private static void agree(IntegerGraph graph, Random random) {
    byte[] codes = new byte[2 * graph.architecture().pixels()];
    random.nextBytes(codes);
    int[] expected;
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      expected = reference.logits(codes, 2);
    }
    for (String kernels : Providers.here()) {
      try (WorkerPool pool = new WorkerPool(1 + random.nextInt(3));
          NativeEngine engine = new NativeEngine(graph, pool, kernels, "test")) {
        assertThat(engine.logits(codes, 2)).as(kernels).isEqualTo(expected);
      } catch (RefusedGraphException e) {
        throw new AssertionError(e);
      }
    }
  }
}
