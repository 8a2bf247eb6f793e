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
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.GoldenModel;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.testing.ShiftedWindow;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The engine on the emulated kernels gives the reference engine's integers. */
class CudaEngineTest {
  static final int SHARED_BYTES = 99 * 1024;

  /** Large, medium and small tiles: the fewest multiprocessors make the largest. */
  private static final int[] MULTIPROCESSORS = {1, 6, 10_000, -1, -2};

  /** As few as can be, large tiles by warpgroups. */
  private static final int WARPGROUPS = -1;

  /** As few as can be, large tiles by clusters. */
  private static final int CLUSTERS = -2;

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

  @Test
  void equalsTheReferenceOnOddSizes() {
    for (MicroModels.Micro micro : MicroModels.vits()) {
      compare(micro.name(), micro.graph(), micro.seed());
    }
  }

  @Test
  void equalsTheReferenceOnSwins() {
    for (MicroModels.Micro micro : MicroModels.swins()) {
      compare(micro.name(), micro.graph(), micro.seed());
    }
  }

  @Test
  void equalsTheReferenceOnEveryFamily() {
    for (MicroModels.Micro micro : MicroModels.families()) {
      compare(micro.name(), micro.graph(), micro.seed());
    }
  }

  @Test
  void equalsTheReferenceOnRotaryPositionsAndGates() {
    for (MicroModels.Micro micro : MicroModels.rotaryOrGated()) {
      compare(micro.name(), micro.graph(), micro.seed());
    }
  }

  @Test
  void equalsTheReferenceWhereTheOnlyWindowIsShifted() {
    compare("shifted", ShiftedWindow.graph(), 3);
  }

  /**
   * The rows, heads and windows of DeiT-Tiny and Swin-T, on as many multiprocessors as an H200's.
   */
  @Test
  void equalsTheCpuEngineAtPublishedSizes() {
    TreeMap<String, OutlierChannels> outliers = new TreeMap<>();
    outliers.put("blocks.0.norm1", new OutlierChannels(new int[] {5, 77, 191}, 3));
    outliers.put("blocks.0.mlp.fc1", new OutlierChannels(new int[] {0, 700}, 2));
    outliers.put("blocks.0.mlp.act", new OutlierChannels(new int[] {0, 700}, 2));
    Architecture vit = new Vit("two blocks", 224, 16, 192, 2, 3, 768, 1000, 1e-6).architecture();
    compareWithCpu(vit, new Scheme(GeluForm.EXACT, SoftmaxForm.EXACT, 16, outliers));
    compareWithCpu(vit, new Scheme(GeluForm.EXACT, SoftmaxForm.DEFERRED, 8, outliers));
    Architecture swin =
        new Swin("two stages", 112, 4, 7, 96, List.of(2, 2), List.of(3, 6), 1000, 1e-5)
            .architecture();
    compareWithCpu(swin, Scheme.EXACT);
  }

  private static void compareWithCpu(Architecture architecture, Scheme scheme) {
    IntegerGraph graph = ObservedModel.graph(architecture, scheme, new Random(1));
    byte[] codes = MicroModels.pictures(graph, 1, 2);
    try (Engine cpu = Engines.open(graph, "cpu")) {
      check(architecture.name(), graph, codes, 1, cpu.logits(codes, 1), 132);
    }
  }

  @Test
  void equalsTheReferenceOnForgedConstants() {
    for (MicroModels.Micro micro : MicroModels.forged()) {
      compare(micro.name(), micro.graph(), micro.seed());
    }
  }

  @Test
  void equalsTheReferenceOnWeightsOfFewerBits() {
    for (MicroModels.Micro micro : MicroModels.fewerBits()) {
      compare(micro.name(), micro.graph(), micro.seed());
    }
  }

  private static void compare(String what, IntegerGraph graph, long seed) {
    int pictures = 3;
    byte[] codes = MicroModels.pictures(graph, pictures, seed);
    int[] expected;
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      expected = reference.logits(codes, pictures);
    }
    int multiprocessors = MULTIPROCESSORS[(int) Math.floorMod(seed, 5L)];
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
    EmulatedDevice device =
        new EmulatedDevice(
            multiprocessors,
            SHARED_BYTES,
            multiprocessors == WARPGROUPS,
            multiprocessors == CLUSTERS);
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
  void refusesABlockBehindThePool() {
    EmulatedDevice device = new EmulatedDevice(1, SHARED_BYTES);
    assertThatThrownBy(() -> new CudaEngine(ObservedModel.blockBehindPool(), device, "test"))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "engine cuda: blocks.1: found a block or a merging of 1 of 5 tokens, expected none"
                + " behind a pool");
    assertThat(device.live()).isZero();
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
