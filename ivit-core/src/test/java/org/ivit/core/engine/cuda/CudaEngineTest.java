package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.BlockSite;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.Scheme;
import org.ivit.core.testing.ForgedGraphs;
import org.ivit.core.testing.GoldenModel;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The engine on the emulated kernels gives the reference engine's integers. */
class CudaEngineTest {
  private static final int SHARED_BYTES = 99 * 1024;

  /** Large, medium and small tiles: the fewest multiprocessors make the largest. */
  private static final int[] MULTIPROCESSORS = {1, 6, 10_000};

  @SuppressWarnings("unused")
  static final List<String> MODELS = GoldenModel.NAMES;

  @ParameterizedTest
  @FieldSource("MODELS")
  void equalsTheGoldenLogits(String name) {
    GoldenModel model = new GoldenModel(name);
    IntegerGraph graph = model.graph();
    int[] golden = model.file("trace").get("head").ints();
    for (int multiprocessors : MULTIPROCESSORS) {
      check(name, graph, model.evalCodes(graph), model.pictures(), golden, multiprocessors);
    }
  }

  /** image, patch, dim, depth, heads, hidden, classes. */
  private static final List<int[]> SIZES =
      List.of(
          new int[] {4, 4, 1, 1, 1, 1, 1},
          new int[] {6, 3, 33, 2, 3, 7, 5},
          new int[] {15, 3, 10, 2, 2, 41, 3},
          new int[] {18, 2, 66, 1, 1, 84, 17},
          new int[] {16, 4, 130, 1, 1, 67, 133},
          new int[] {32, 8, 64, 2, 1, 256, 10});

  @Test
  void equalsTheReferenceOnOddSizes() {
    for (int[] s : SIZES) {
      int form = 0;
      Vit plain = new Vit("random", s[0], s[1], s[2], s[3], s[4], s[5], s[6], 1e-6);
      for (Scheme scheme : schemes(plain)) {
        boolean distilled = form % 2 == 1;
        Vit vit = new Vit("random", s[0], s[1], s[2], s[3], s[4], s[5], s[6], 1e-6, distilled);
        long seed = (long) Arrays.hashCode(s) + form++;
        compare(vit + " " + form, ObservedModel.graph(vit, scheme, new Random(seed)), seed);
      }
    }
  }

  private static final List<Swin> SWINS =
      List.of(
          swin(4, 2, 1, 4, List.of(1), List.of(2)),
          swin(8, 1, 2, 6, List.of(2, 1), List.of(3, 2)),
          swin(24, 2, 3, 10, List.of(3, 2), List.of(2, 5)),
          swin(24, 3, 4, 33, List.of(2, 2), List.of(1, 3)),
          swin(18, 1, 9, 8, List.of(2, 2), List.of(2, 1)));

  private static Swin swin(
      int image, int patch, int window, int dim, List<Integer> depths, List<Integer> heads) {
    return new Swin("random", image, patch, window, dim, depths, heads, 7, 1e-6);
  }

  @Test
  void equalsTheReferenceOnSwins() {
    for (Swin swin : SWINS) {
      int form = 0;
      for (Scheme scheme : schemes(swin)) {
        long seed = swin.dim() + 31L * form++;
        compare(swin + " " + form, ObservedModel.graph(swin, scheme, new Random(seed)), seed);
      }
    }
  }

  @Test
  void equalsTheReferenceOnForgedConstants() {
    Vit vit = new Vit("random", 12, 3, 40, 2, 2, 70, 5, 1e-6, true);
    Swin swin = swin(12, 1, 3, 12, List.of(2, 2), List.of(2, 3));
    for (long seed = 0; seed < 20; seed++) {
      Architecture architecture = seed % 2 == 0 ? vit : swin;
      Scheme scheme = schemes(architecture).get((int) (seed / 2 % 5));
      IntegerGraph observed = ObservedModel.graph(architecture, scheme, new Random(seed));
      compare(architecture + ", seed " + seed, new ForgedGraphs(seed).of(observed), seed);
    }
  }

  private static List<Scheme> schemes(Architecture architecture) {
    TreeMap<String, OutlierChannels> outliers = new TreeMap<>();
    BlockSite site = architecture.blocks().get(0);
    if (site.dim() > 2 && site.hidden() > 2) {
      int last = site.dim() - 1;
      outliers.put(site.node("norm1"), new OutlierChannels(new int[] {0, last}, 2));
      outliers.put(site.node("attn.context"), new OutlierChannels(new int[] {1}, 1));
      outliers.put(site.node("norm2"), new OutlierChannels(all(site.dim() - 1), 3));
      int[] hidden = {0, site.hidden() - 1};
      outliers.put(site.node("mlp.fc1"), new OutlierChannels(hidden, 4));
      outliers.put(site.node("mlp.act"), new OutlierChannels(hidden, 3));
      if (architecture instanceof Vit) {
        outliers.put("norm", new OutlierChannels(new int[] {1}, 2));
      } else if (((Swin) architecture).depths().size() > 1) {
        outliers.put("layers.0.downsample.norm", new OutlierChannels(new int[] {1, last}, 2));
      }
    }
    return List.of(
        new Scheme(GeluForm.EXACT, SoftmaxForm.EXACT, 16, outliers),
        new Scheme(GeluForm.ASYMMETRIC, SoftmaxForm.EXACT, 8, new TreeMap<>()),
        new Scheme(GeluForm.ELEMENT, SoftmaxForm.SHIFT, 8, new TreeMap<>()),
        Scheme.of(GeluForm.ROW, SoftmaxForm.SHIFT),
        new Scheme(GeluForm.EXACT, SoftmaxForm.DEFERRED, 8, outliers));
  }

  private static int[] all(int n) {
    int[] channels = new int[n];
    Arrays.setAll(channels, i -> i);
    return channels;
  }

  private static void compare(String what, IntegerGraph graph, long seed) {
    int image = graph.architecture().image();
    int size = 3 * image * image;
    int pictures = 3;
    byte[] codes = new byte[pictures * size];
    new Random(seed).nextBytes(codes);
    Arrays.fill(codes, size, 2 * size, (byte) (seed % 2 == 0 ? -128 : 127));
    int[] expected;
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      expected = reference.logits(codes, pictures);
    }
    int multiprocessors = MULTIPROCESSORS[(int) Math.floorMod(seed, 3L)];
    check(what, graph, codes, pictures, expected, multiprocessors);
  }

  /** One picture, then all of them, and nothing is left over. */
  private static void check(
      String what,
      IntegerGraph graph,
      byte[] codes,
      int pictures,
      int[] expected,
      int multiprocessors) {
    int classes = graph.architecture().classes();
    int size = codes.length / pictures;
    EmulatedDevice device = new EmulatedDevice(multiprocessors, SHARED_BYTES);
    try (CudaEngine engine = new CudaEngine(graph, device, "test")) {
      for (int count : new int[] {1, pictures}) {
        assertThat(engine.logits(Arrays.copyOf(codes, count * size), count))
            .as("%s, %d pictures, %d multiprocessors", what, count, multiprocessors)
            .isEqualTo(Arrays.copyOf(expected, count * classes));
      }
    }
    assertThat(device.live()).isZero();
    assertThat(device.closed()).isTrue();
  }

  @Test
  void keepsFourBatchSizesAndLetsTheOldestGo() {
    IntegerGraph graph = ObservedModel.small();
    EmulatedDevice device = new EmulatedDevice(1, SHARED_BYTES);
    int size = 48;
    try (CudaEngine engine = new CudaEngine(graph, device, "test")) {
      for (int count : new int[] {1, 2, 3, 4, 1, 2}) {
        engine.logits(new byte[count * size], count);
      }
      assertThat(device.recorded()).isEqualTo(4);
      int before = device.live();
      engine.logits(new byte[5 * size], 5);
      assertThat(device.live()).isEqualTo(before);
      engine.logits(new byte[4 * size], 4);
      assertThat(device.recorded()).isEqualTo(5);
      engine.logits(new byte[3 * size], 3);
      assertThat(device.recorded()).isEqualTo(6);
    }
    assertThat(device.live()).isZero();
  }

  @Test
  void takesManyPicturesInTurns() {
    IntegerGraph graph = ObservedModel.small();
    byte[] codes = new byte[258 * 48];
    new Random(3).nextBytes(codes);
    int[] expected;
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      expected = reference.logits(codes, 258);
    }
    EmulatedDevice device = new EmulatedDevice(1, SHARED_BYTES);
    try (CudaEngine engine = new CudaEngine(graph, device, "test")) {
      assertThat(engine.logits(codes, 258)).isEqualTo(expected);
      assertThat(device.recorded()).isEqualTo(2);
    }
  }

  @Test
  void servesManyThreadsAtOnce() throws InterruptedException {
    IntegerGraph graph = ObservedModel.small();
    byte[] codes = new byte[6 * 48];
    new Random(6).nextBytes(codes);
    int[] expected;
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      expected = reference.logits(codes, 6);
    }
    AtomicInteger right = new AtomicInteger();
    EmulatedDevice device = new EmulatedDevice(1, SHARED_BYTES);
    try (CudaEngine engine = new CudaEngine(graph, device, "test")) {
      Thread[] threads = new Thread[6];
      for (int t = 0; t < threads.length; t++) {
        int count = 1 + t;
        threads[t] =
            new Thread(
                () -> {
                  for (int call = 0; call < 5; call++) {
                    int[] logits = engine.logits(Arrays.copyOf(codes, count * 48), count);
                    if (Arrays.equals(logits, Arrays.copyOf(expected, count * 2))) {
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
    assertThat(right).hasValue(6 * 5);
    assertThat(device.live()).isZero();
  }

  @Test
  void saysWhereMemoryIsShortAndFreesWhatItHad() {
    EmulatedDevice device = new EmulatedDevice(1, SHARED_BYTES);
    CudaEngine engine = new CudaEngine(ObservedModel.small(), device, "test");
    int before = device.live();
    device.limit(2000);
    assertThatThrownBy(() -> engine.logits(new byte[200 * 48], 200))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("emulator: ");
    assertThat(device.live()).isEqualTo(before);
    engine.logits(new byte[48], 1);
    engine.close();
    assertThat(device.live()).isZero();
  }

  @Test
  void refusesWhatDoesNotFitTheDevice() {
    EmulatedDevice device = new EmulatedDevice(1, 4000);
    assertThatThrownBy(() -> new CudaEngine(ObservedModel.small(), device, "test"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("engine cuda: blocks.0.attn: 5 tokens need ")
        .hasMessageEndingWith(" bytes of shared memory, emulator has 4000");
    assertThat(device.live()).isZero();
    assertThat(device.closed()).isTrue();
  }

  @Test
  void refusesWrongInputAndUseAfterClose() {
    IntegerGraph graph = ObservedModel.small();
    CudaEngine engine = new CudaEngine(graph, new EmulatedDevice(1, SHARED_BYTES), "test");
    assertThat(engine.name()).isEqualTo("cuda");
    assertThat(engine.graph()).isSameAs(graph);
    assertThat(engine.description()).isEqualTo("cuda: emulator (test)");
    assertThatThrownBy(() -> engine.logits(new byte[47], 1))
        .isInstanceOf(InputException.class)
        .hasMessage("input: found 47 codes for 1 pictures, expected 48 a picture");
    engine.close();
    engine.close();
    assertThatThrownBy(() -> engine.logits(new byte[48], 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("engine cuda is closed");
  }
}
