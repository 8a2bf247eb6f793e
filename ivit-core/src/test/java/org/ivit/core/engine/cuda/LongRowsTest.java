package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.engine.cuda.layer.AttentionGrid;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.InlineDescription;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention over rows whose keys and values do not fit a block's memory at once. */
class LongRowsTest {
  /** The smallest tiles of products fit, and not much more. */
  private static final int SHARED_BYTES = 20 * 1024;

  private static Architecture vit(String image, int dim, int heads, String options) {
    return InlineDescription.parse(
        "'kind':'vit','patch':1,'depth':1,'hidden':9,'classes':0",
        "'image':%s,'dim':%d,'heads':%d".formatted(image, dim, heads),
        options);
  }

  static Scheme scheme(SoftmaxForm softmax, int bits) {
    return new Scheme(GeluForm.EXACT, softmax, bits, new TreeMap<>(), true);
  }

  private static void agree(Architecture architecture, Scheme scheme, int sharedBytes) {
    IntegerGraph graph = ObservedModel.graph(architecture, scheme, new Random(1));
    byte[] codes = MicroModels.pictures(graph, 1, 2);
    EmulatedDevice device = new EmulatedDevice(10_000, sharedBytes);
    Block site = architecture.blocks().get(0);
    assertThat(new AttentionGrid(site).span(device)).isLessThan(site.rowTokens());
    int[] expected;
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      expected = reference.logits(codes, 1);
    }
    try (PortableEngine engine = new PortableEngine(graph)) {
      assertThat(engine.logits(codes, 1)).isEqualTo(expected);
    }
    try (CudaEngine engine = new CudaEngine(graph, device, "test")) {
      assertThat(engine.logits(codes, 1)).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @EnumSource(SoftmaxForm.class)
  void agreeInEveryForm(SoftmaxForm form) {
    agree(vit("[11,25]", 34, 2, "'pool':'avg'"), scheme(form, 8), SHARED_BYTES);
    if (form != SoftmaxForm.DEFERRED) {
      agree(vit("[11,25]", 34, 2, "'pool':'avg'"), scheme(form, 16), SHARED_BYTES);
    }
  }

  /** One token more than a span, whole spans, one token fewer. */
  @ParameterizedTest
  @ValueSource(ints = {128, 255, 254})
  void agreeAtTheEndsOfSpans(int patches) {
    Scheme scheme = scheme(SoftmaxForm.EXACT, 16);
    agree(vit("[1,%d]".formatted(patches), 5, 1, "'pool':'avg'"), scheme, 16 * 1024);
  }

  @Test
  void agreeWhereHeadsAreWide() {
    agree(vit("[11,25]", 70, 1, "'pool':'avg'"), scheme(SoftmaxForm.EXACT, 16), 40 * 1024);
    agree(vit("[11,13]", 200, 1, "'pool':'avg'"), scheme(SoftmaxForm.EXACT, 8), 60 * 1024);
  }

  @Test
  void agreeWhereOneTokenIsRead() {
    agree(vit("[11,25]", 34, 2, "'pool':'token'"), scheme(SoftmaxForm.EXACT, 16), SHARED_BYTES);
  }

  @Test
  void agreeWithABiasForEachPair() {
    agree(
        vit("[11,25]", 34, 2, "'pool':'avg','relative_positions':true"),
        scheme(SoftmaxForm.EXACT, 16),
        SHARED_BYTES);
  }

  /** The tokens of DINOv2 at 518 pixels on a GPU of 99 KiB. */
  @Test
  void agreeAtThePublishedLength() {
    agree(
        vit("[37,37]", 32, 1, "'pool':'token'"),
        scheme(SoftmaxForm.EXACT, 16),
        CudaEngineTest.SHARED_BYTES);
  }

  @Test
  void areRefusedWhereARowOfScoresDoesNotFit() {
    IntegerGraph graph =
        ObservedModel.graph(
            vit("[11,25]", 34, 2, "'pool':'avg'"), scheme(SoftmaxForm.EXACT, 16), new Random(1));
    EmulatedDevice device = new EmulatedDevice(1, 9_000);
    assertThatThrownBy(() -> new CudaEngine(graph, device, "test"))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "engine cuda: blocks.0.attn: 276 tokens need 14864 bytes of shared memory, emulator has"
                + " 9000");
    assertThat(device.live()).isZero();
  }
}
