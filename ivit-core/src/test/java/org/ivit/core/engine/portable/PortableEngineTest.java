package org.ivit.core.engine.portable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.engine.jni.KernelSets;
import org.ivit.core.engine.jni.NativeEngine;
import org.ivit.core.engine.jni.NativeLibrary;
import org.ivit.core.engine.jni.RefusedGraphException;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.testing.GoldenModel;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class PortableEngineTest {
  @SuppressWarnings("unused")
  static final List<String> MODELS = GoldenModel.NAMES;

  @ParameterizedTest
  @FieldSource("MODELS")
  void equalsTheGoldenLogits(String name) {
    GoldenModel model = new GoldenModel(name);
    IntegerGraph graph = model.graph();
    byte[] codes = model.evalCodes(graph);
    int[] golden = model.file("trace").get("head").ints();
    int pictures = model.pictures();
    for (int threads : new int[] {1, 2, 3, 5}) {
      try (WorkerPool pool = new WorkerPool(threads);
          PortableEngine engine = new PortableEngine(graph, pool, "test")) {
        assertThat(engine.logits(codes, pictures)).isEqualTo(golden);
        int classes = golden.length / pictures;
        for (int i = 0; i < pictures; i++) {
          int size = codes.length / pictures;
          assertThat(engine.logits(Arrays.copyOfRange(codes, i * size, (i + 1) * size), 1))
              .isEqualTo(Arrays.copyOfRange(golden, i * classes, (i + 1) * classes));
        }
      }
    }
  }

  /** image, patch, dim, depth, heads, hidden, classes. */
  @SuppressWarnings("unused")
  static final List<int[]> SIZES =
      List.of(
          new int[] {4, 4, 1, 1, 1, 1, 1},
          new int[] {3, 3, 3, 2, 1, 5, 2},
          new int[] {6, 3, 33, 2, 3, 7, 5},
          new int[] {15, 3, 10, 3, 2, 41, 3},
          new int[] {18, 2, 21, 2, 3, 84, 17},
          new int[] {40, 4, 24, 1, 3, 96, 769});

  @ParameterizedTest
  @FieldSource("SIZES")
  void equalsTheReferenceOnRandomGraphs(int[] s) {
    for (boolean distilled : new boolean[] {false, true}) {
      equalsTheReference(
          new Vit("random", s[0], s[1], s[2], s[3], s[4], s[5], s[6], 1e-6, distilled)
              .architecture());
    }
  }

  private static void equalsTheReference(Architecture vit) {
    int form = 0;
    for (Scheme scheme : schemes(vit)) {
      Random random = new Random(vit.stem().dim() + 31L * form++);
      IntegerGraph graph = ObservedModel.graph(vit, scheme, random);
      byte[] codes = new byte[7 * vit.pixels()];
      random.nextBytes(codes);
      // One picture at each extreme.
      int size = codes.length / 7;
      Arrays.fill(codes, size, 2 * size, (byte) -128);
      Arrays.fill(codes, 2 * size, 3 * size, (byte) 127);
      int[] expected;
      try (ReferenceEngine reference = new ReferenceEngine(graph)) {
        expected = reference.logits(codes, 7);
      }
      for (int threads : new int[] {1, 2, 3}) {
        try (WorkerPool pool = new WorkerPool(threads);
            PortableEngine engine = new PortableEngine(graph, pool, "test")) {
          for (int count : new int[] {1, 2, 3, 7}) {
            assertThat(engine.logits(Arrays.copyOf(codes, count * size), count))
                .isEqualTo(Arrays.copyOf(expected, count * vit.classes()));
          }
        }
      }
    }
  }

  @SuppressWarnings("unused")
  static final List<Architecture> SWINS =
      List.of(
          swin(4, 2, 1, 4, List.of(1), List.of(2)),
          swin(8, 1, 2, 6, List.of(2, 1), List.of(3, 2)),
          swin(24, 2, 3, 10, List.of(3, 2), List.of(2, 5)),
          swin(24, 3, 4, 33, List.of(2, 2), List.of(1, 3)),
          swin(48, 2, 6, 12, List.of(1, 2, 2), List.of(2, 2, 4)));

  private static Architecture swin(
      int image, int patch, int window, int dim, List<Integer> depths, List<Integer> heads) {
    return new Swin("random", image, patch, window, dim, depths, heads, 7, 1e-6).architecture();
  }

  @ParameterizedTest
  @FieldSource("SWINS")
  void equalsTheReferenceOnRandomSwins(Architecture swin) {
    int form = 0;
    for (Scheme scheme : schemes(swin)) {
      Random random = new Random(swin.stem().dim() + 31L * form++);
      IntegerGraph graph = ObservedModel.graph(swin, scheme, random);
      int size = swin.pixels();
      byte[] codes = new byte[3 * size];
      random.nextBytes(codes);
      Arrays.fill(codes, size, 2 * size, (byte) 127);
      int[] expected;
      try (ReferenceEngine reference = new ReferenceEngine(graph)) {
        expected = reference.logits(codes, 3);
      }
      for (int threads : new int[] {1, 3}) {
        try (WorkerPool pool = new WorkerPool(threads);
            PortableEngine engine = new PortableEngine(graph, pool, "test")) {
          for (int count : new int[] {1, 3}) {
            assertThat(engine.logits(Arrays.copyOf(codes, count * size), count))
                .isEqualTo(Arrays.copyOf(expected, count * 7));
          }
        }
      }
    }
  }

  private static List<Scheme> schemes(Architecture architecture) {
    TreeMap<String, OutlierChannels> outliers = new TreeMap<>();
    Block site = architecture.blocks().get(0);
    if (site.dim() > 2 && site.hidden() > 2) {
      int last = site.dim() - 1;
      outliers.put(site.node("norm1"), new OutlierChannels(new int[] {0, last}, 2));
      outliers.put(site.node("attn.context"), new OutlierChannels(new int[] {1}, 1));
      outliers.put(site.node("norm2"), new OutlierChannels(new int[] {last}, 3));
      int[] hidden = {0, site.hidden() - 1};
      outliers.put(site.node("mlp.fc1"), new OutlierChannels(hidden, 4));
      outliers.put(site.node("mlp.act"), new OutlierChannels(hidden, 3));
      if (!architecture.head().pooled()) {
        outliers.put("norm", new OutlierChannels(new int[] {1}, 2));
      } else if (architecture.nodes().containsKey("layers.0.downsample.norm")) {
        outliers.put("layers.0.downsample.norm", new OutlierChannels(new int[] {1, last}, 2));
      }
    }
    return List.of(
        new Scheme(GeluForm.EXACT, SoftmaxForm.EXACT, 16, outliers),
        new Scheme(GeluForm.ASYMMETRIC, SoftmaxForm.EXACT, 8, outliers),
        new Scheme(GeluForm.EXACT, SoftmaxForm.EXACT, 8, new TreeMap<>()),
        new Scheme(GeluForm.ASYMMETRIC, SoftmaxForm.DEFERRED, 8, outliers),
        new Scheme(GeluForm.ELEMENT, SoftmaxForm.SHIFT, 8, new TreeMap<>()),
        Scheme.of(GeluForm.ROW, SoftmaxForm.SHIFT));
  }

  @Test
  void servesManyThreadsAtOnce() throws InterruptedException {
    Architecture vit = new Vit("random", 18, 3, 24, 2, 3, 50, 5, 1e-6).architecture();
    IntegerGraph graph = ObservedModel.graph(vit, Scheme.EXACT, new Random(5));
    int size = 3 * 18 * 18;
    byte[] codes = new byte[6 * size];
    new Random(6).nextBytes(codes);
    int[] expected;
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      expected = reference.logits(codes, 6);
    }
    AtomicInteger right = new AtomicInteger();
    try (PortableEngine engine = new PortableEngine(graph)) {
      Thread[] threads = new Thread[12];
      for (int t = 0; t < threads.length; t++) {
        int count = 1 + t % 6;
        threads[t] =
            new Thread(
                () -> {
                  for (int call = 0; call < 20; call++) {
                    int[] logits = engine.logits(Arrays.copyOf(codes, count * size), count);
                    if (Arrays.equals(logits, Arrays.copyOf(expected, count * 5))) {
                      right.incrementAndGet();
                    }
                  }
                });
        threads[t].start();
      }
      for (Thread thread : threads) {
        thread.join();
      }
    }
    assertThat(right).hasValue(12 * 20);
  }

  @ParameterizedTest
  @ValueSource(strings = {"exact", "paper"})
  void equalsTheReferenceOnTheRealWeights(String forms) throws RefusedGraphException {
    FloatWeights weights =
        FloatWeights.of(
            Safetensors.read(Shared.path("weights/vit_tiny_patch16_224.safetensors")).tensors());
    Architecture vit =
        new Vit("vit_tiny_patch16_224", 224, 16, 192, 12, 3, 768, 1000, 1e-6).architecture();
    TreeMap<String, OutlierChannels> outliers = new TreeMap<>();
    outliers.put("blocks.7.mlp.fc1", new OutlierChannels(new int[] {417}, 5));
    outliers.put("blocks.7.mlp.act", new OutlierChannels(new int[] {417}, 5));
    Scheme scheme =
        forms.equals("paper")
            ? Scheme.of(GeluForm.ROW, SoftmaxForm.SHIFT)
            : new Scheme(GeluForm.EXACT, SoftmaxForm.EXACT, 16, outliers);
    Random random = new Random(1);
    float[] pixels = new float[2 * 3 * 224 * 224];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) Math.max(-1, Math.min(1, Math.sin(i * 0.01) + random.nextGaussian() / 9));
    }
    ObservingForward observing =
        new ObservingForward(
            vit, weights, scheme, new PortableMatrixProducts(), new PublishedObserver());
    int[] observed = observing.run(pixels, 2);
    SortedMap<String, Range> ranges = observing.ranges();
    IntegerGraph graph = GraphBuilder.build(vit, weights, scheme, ranges);
    byte[] codes = Quantizer.codes8("pixels", pixels, graph.inputScale());
    int size = codes.length / 2;
    try (ReferenceEngine reference = new ReferenceEngine(graph);
        PortableEngine engine = new PortableEngine(graph)) {
      // The first batch is observed whole, so its forward pass is already the frozen one.
      assertThat(engine.logits(codes, 2)).isEqualTo(observed);
      byte[] one = Arrays.copyOf(codes, size);
      int[] expected =
          forms.equals("exact") ? reference.logits(one, 1) : Arrays.copyOf(observed, vit.classes());
      assertThat(engine.logits(one, 1)).isEqualTo(expected);
    }
    for (String kernels : KernelSets.all()) {
      if (NativeLibrary.unavailable(kernels) == null) {
        try (NativeEngine engine = new NativeEngine(graph, WorkerPool.shared(), kernels, "test")) {
          assertThat(engine.logits(codes, 2)).as(kernels).isEqualTo(observed);
        }
      }
    }
  }

  @Test
  void refusesABlockBehindThePool() {
    IntegerGraph graph = ObservedModel.blockBehindPool();
    assertThatThrownBy(() -> new PortableEngine(graph))
        .isInstanceOf(InputException.class)
        .hasMessage("engine cpu: blocks.1: found a block behind a pool, expected none");
  }

  @Test
  void refusesWrongInputAndUseAfterClose() {
    IntegerGraph graph =
        ObservedModel.graph(
            new Vit("v", 4, 2, 4, 1, 2, 4, 2, 1e-6).architecture(), Scheme.EXACT, new Random(1));
    PortableEngine engine = new PortableEngine(graph);
    assertThat(engine.name()).isEqualTo("cpu");
    assertThat(engine.graph()).isSameAs(graph);
    assertThat(engine.description()).startsWith("cpu: portable Java on ");
    assertThatThrownBy(() -> engine.logits(new byte[47], 1))
        .isInstanceOf(InputException.class)
        .hasMessage("input: found 47 codes for 1 pictures, expected 48 a picture");
    assertThatThrownBy(() -> engine.logits(new byte[0], 0)).isInstanceOf(InputException.class);
    engine.close();
    assertThatThrownBy(() -> engine.logits(new byte[48], 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("engine cpu is closed");
  }
}
