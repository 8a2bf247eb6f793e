package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Swin;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.ForgedGraphs;
import org.ivit.core.testing.InlineDescription;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Attention whose warps share queries and split the keys, beside warps with queries of their own.
 */
class SharedQueriesTest {
  private static final int[] MULTIPROCESSORS = {1, 10_000};

  private static final List<Scheme> SCHEMES =
      List.of(
          LongRowsTest.scheme(SoftmaxForm.EXACT, 16),
          LongRowsTest.scheme(SoftmaxForm.EXACT, 8),
          LongRowsTest.scheme(SoftmaxForm.SHIFT, 16),
          LongRowsTest.scheme(SoftmaxForm.DEFERRED, 8));

  private static Architecture vit(String image, int dim, int heads, String options) {
    return InlineDescription.parse(
        "'kind':'vit','patch':1,'depth':1,'hidden':9,'classes':3",
        "'image':%s,'dim':%d,'heads':%d".formatted(image, dim, heads),
        options);
  }

  /** As observed, then with constants that no training would give. */
  private static void agree(Architecture architecture, Scheme scheme) {
    IntegerGraph observed = ObservedModel.graph(architecture, scheme, new Random(1));
    for (IntegerGraph graph : List.of(observed, new ForgedGraphs(2).of(observed))) {
      byte[] codes = MicroModels.pictures(graph, 1, 2);
      int[] expected;
      try (ReferenceEngine reference = new ReferenceEngine(graph)) {
        expected = reference.logits(codes, 1);
      }
      for (int multiprocessors : MULTIPROCESSORS) {
        EmulatedDevice device = new EmulatedDevice(multiprocessors, CudaEngineTest.SHARED_BYTES);
        try (CudaEngine engine = new CudaEngine(graph, device, "test")) {
          assertThat(engine.logits(codes, 1))
              .as("%s, %d multiprocessors", scheme, multiprocessors)
              .isEqualTo(expected);
        }
      }
    }
  }

  /** One key in the last 32, and all of them. */
  @ParameterizedTest
  @ValueSource(ints = {96, 127, 160, 255})
  void agreeInEveryForm(int patches) {
    for (Scheme scheme : SCHEMES) {
      agree(vit("[1,%d]".formatted(patches), 10, 2, "'pool':'avg'"), scheme);
    }
  }

  @Test
  void agreeAtEveryWidthOfHeads() {
    for (int dim : new int[] {31, 32, 33, 64, 65, 130}) {
      agree(vit("[4,25]", dim, 1, "'pool':'avg'"), SCHEMES.get(dim % SCHEMES.size()));
    }
  }

  @Test
  void agreeWhereOneTokenIsRead() {
    for (Scheme scheme : SCHEMES) {
      agree(vit("[11,13]", 10, 2, "'pool':'token'"), scheme);
    }
  }

  @Test
  void agreeWithABiasForEachPair() {
    for (Scheme scheme : SCHEMES) {
      agree(vit("[9,12]", 68, 2, "'pool':'avg','relative_positions':true"), scheme);
    }
  }

  /** Windows of 100 tokens, half of them shifted. */
  @Test
  void agreeInWindowsWithMasks() {
    Architecture swin =
        new Swin("large windows", 20, 1, 10, 4, List.of(2), List.of(2), 3, 1e-6).architecture();
    for (Scheme scheme : SCHEMES) {
      agree(swin, scheme);
    }
  }
}
