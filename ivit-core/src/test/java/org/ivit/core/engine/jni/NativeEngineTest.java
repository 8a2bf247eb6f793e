package org.ivit.core.engine.jni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.GoldenModel;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.testing.RandomFamilies;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class NativeEngineTest {
  @SuppressWarnings("unused")
  static final List<String> KERNELS = Providers.ALL;

  @ParameterizedTest
  @FieldSource("KERNELS")
  void equalsTheGoldenLogits(String kernels) throws RefusedGraphException {
    Providers.require(kernels);
    for (String name : GoldenModel.NAMES) {
      GoldenModel model = new GoldenModel(name);
      IntegerGraph graph = model.graph();
      byte[] codes = model.evalCodes(graph);
      int[] golden = model.file("trace").get("head").ints();
      check(name, graph, kernels, codes, model.pictures(), golden);
    }
  }

  /** image, patch, dim, depth, heads, hidden, classes. */
  private static final List<int[]> SIZES =
      List.of(
          new int[] {4, 4, 1, 1, 1, 1, 1},
          new int[] {3, 3, 3, 2, 1, 5, 2},
          new int[] {6, 3, 33, 2, 3, 7, 5},
          new int[] {15, 3, 10, 3, 2, 41, 3},
          new int[] {18, 2, 21, 2, 3, 84, 17},
          new int[] {40, 4, 24, 1, 3, 96, 769},
          new int[] {16, 2, 130, 1, 2, 67, 33},
          new int[] {32, 8, 64, 2, 1, 256, 10});

  @ParameterizedTest
  @FieldSource("KERNELS")
  void equalsTheReferenceOnOddSizes(String kernels) throws RefusedGraphException {
    Providers.require(kernels);
    for (int[] s : SIZES) {
      int form = 0;
      Architecture plain =
          new Vit("random", s[0], s[1], s[2], s[3], s[4], s[5], s[6], 1e-6).architecture();
      for (Scheme scheme : schemes(plain)) {
        boolean distilled = form % 2 == 1;
        Architecture vit =
            new Vit("random", s[0], s[1], s[2], s[3], s[4], s[5], s[6], 1e-6, distilled)
                .architecture();
        long seed = (long) Arrays.hashCode(s) + form++;
        IntegerGraph graph = ObservedModel.graph(vit, scheme, new Random(seed));
        compare(vit + " " + form, graph, kernels, seed);
      }
    }
  }

  @ParameterizedTest
  @FieldSource("KERNELS")
  void equalsTheReferenceWithRegisters(String kernels) {
    Providers.require(kernels);
    for (boolean distilled : new boolean[] {false, true}) {
      Architecture vit =
          new Vit("registers", 18, 3, 24, 2, 2, 50, 5, 1e-6, distilled, 4).architecture();
      compare(vit.name(), ObservedModel.graph(vit, Scheme.EXACT, new Random(4)), kernels, 4);
    }
  }

  private static final List<Architecture> SWINS =
      List.of(
          swin(4, 2, 1, 4, List.of(1), List.of(2)),
          swin(8, 1, 2, 6, List.of(2, 1), List.of(3, 2)),
          swin(24, 2, 3, 10, List.of(3, 2), List.of(2, 5)),
          swin(24, 3, 4, 33, List.of(2, 2), List.of(1, 3)),
          swin(48, 2, 6, 12, List.of(1, 2, 2), List.of(2, 2, 4)),
          swin(36, 1, 9, 8, List.of(2, 2), List.of(2, 1)));

  private static Architecture swin(
      int image, int patch, int window, int dim, List<Integer> depths, List<Integer> heads) {
    return new Swin("random", image, patch, window, dim, depths, heads, 7, 1e-6).architecture();
  }

  @ParameterizedTest
  @FieldSource("KERNELS")
  void equalsTheReferenceOnSwins(String kernels) throws RefusedGraphException {
    Providers.require(kernels);
    for (Architecture swin : SWINS) {
      int form = 0;
      for (Scheme scheme : schemes(swin)) {
        long seed = swin.stem().dim() + 31L * form++;
        IntegerGraph graph = ObservedModel.graph(swin, scheme, new Random(seed));
        compare(swin + " " + form, graph, kernels, seed);
      }
    }
  }

  /** Options of a ViT of pictures that are no squares, 33 channels, 3 heads. */
  private static final List<String> OPTIONS =
      List.of(
          "'classes':0",
          "'classes':0,'pre_norm':true,'registers':3,'positions':'patches'",
          "'classes':40,'projection':true,'pre_norm':true,'activation':'quick_gelu'",
          "'classes':0,'pool':'avg','class_token':false",
          "'classes':0,'pool':'avg','registers':2,'activation':'gelu_tanh'",
          "'classes':0,'pool':'avg','fc_norm':true",
          "'classes':5,'pool':'avg','registers':4,'class_token':false",
          "'classes':37,'pool':'avg','fc_norm':true,'relative_positions':true,'positions':'none'",
          "'classes':6,'relative_positions':true",
          "'classes':0,'pool':'map','class_token':false,'activation':'gelu_tanh'",
          "'classes':0,'pool':'map','relative_positions':true,'pre_norm':true");

  private static Architecture withOptions(String options) {
    String sizes =
        "'kind':'vit','image':[12,30],'patch':3,'dim':33,'depth':2,'heads':3,'hidden':70";
    return Architectures.parse(("{" + sizes + "," + options + "}").replace('\'', '"'));
  }

  /** Options of rotary positions and gated MLPs; the heads have channels for them. */
  private static final List<String> ROTARY_OR_GATED =
      List.of(
          "'classes':0,'registers':4,'rotary':'dinov3','pool':'avg'",
          "'classes':7,'rotary':'cat','rotary_grid':[3,3],'mlp':'swiglu_norm'",
          "'classes':0,'rotary':'dinov3','mlp':'swiglu','class_token':false,'pool':'avg'",
          "'classes':0,'mlp':'swiglu_norm','registers':1",
          "'classes':40,'mlp':'swiglu','pool':'avg','fc_norm':true");

  @ParameterizedTest
  @FieldSource("KERNELS")
  void equalsTheReferenceOnRotaryPositionsAndGatedMlps(String kernels)
      throws RefusedGraphException {
    Providers.require(kernels);
    int seed = 0;
    for (String options : ROTARY_OR_GATED) {
      String sizes =
          "'kind':'vit','image':[12,30],'patch':3,'dim':60,'depth':2,'heads':3,'hidden':70";
      Architecture vit =
          Architectures.parse(("{" + sizes + "," + options + "}").replace('\'', '"'));
      for (SoftmaxForm softmax : SoftmaxForm.values()) {
        Scheme scheme =
            RandomFamilies.scheme(vit, GeluForm.EXACT, softmax, true, true, new Random(seed++));
        IntegerGraph graph = ObservedModel.graph(vit, scheme, new Random(seed));
        compare(options + " " + softmax, graph, kernels, seed);
      }
    }
  }

  private static Scheme withEpsilon(Scheme s) {
    return new Scheme(s.gelu(), s.softmax(), s.attentionBits(), s.outliers(), true);
  }

  @ParameterizedTest
  @FieldSource("KERNELS")
  void equalsTheReferenceOnEveryKindOfPart(String kernels) throws RefusedGraphException {
    Providers.require(kernels);
    int seed = 0;
    for (String options : OPTIONS) {
      Architecture vit = withOptions(options);
      List<Scheme> schemes = schemes(vit);
      for (int form = seed % 2; form < schemes.size(); form += 2) {
        Scheme scheme = withEpsilon(schemes.get(form));
        IntegerGraph graph = ObservedModel.graph(vit, scheme, new Random(seed++));
        compare(options + " " + form, graph, kernels, seed);
      }
    }
  }

  @ParameterizedTest
  @FieldSource("KERNELS")
  void equalsTheReferenceOnSwinsOfOtherShapes(String kernels) throws RefusedGraphException {
    Providers.require(kernels);
    for (int classes : new int[] {0, 7}) {
      for (Size image : List.of(new Size(24, 48), new Size(36, 12), new Size(12, 4))) {
        Architecture swin =
            new Swin("s", image, 2, 3, 10, List.of(2, 2), List.of(2, 5), classes, 1e-5)
                .architecture();
        IntegerGraph graph =
            ObservedModel.graph(swin, withEpsilon(schemes(swin).get(1)), new Random(classes));
        compare(swin.toString(), graph, kernels, image.width());
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
      Node norm = architecture.nodes().get("norm");
      if (norm != null && norm.kind() == NodeKind.NORM) {
        outliers.put("norm", new OutlierChannels(new int[] {1}, 2));
      } else if (architecture.nodes().containsKey("layers.0.downsample.norm")) {
        outliers.put("layers.0.downsample.norm", new OutlierChannels(new int[] {1, last}, 2));
      }
    }
    return List.of(
        new Scheme(GeluForm.EXACT, SoftmaxForm.EXACT, 16, outliers),
        new Scheme(GeluForm.ASYMMETRIC, SoftmaxForm.EXACT, 8, new TreeMap<>()),
        new Scheme(GeluForm.ASYMMETRIC, SoftmaxForm.DEFERRED, 8, outliers),
        new Scheme(GeluForm.ELEMENT, SoftmaxForm.SHIFT, 8, new TreeMap<>()),
        Scheme.of(GeluForm.ROW, SoftmaxForm.SHIFT));
  }

  private static void compare(String what, IntegerGraph graph, String kernels, long seed)
      throws RefusedGraphException {
    int size = graph.architecture().pixels();
    int pictures = 3;
    byte[] codes = new byte[pictures * size];
    new Random(seed).nextBytes(codes);
    Arrays.fill(codes, size, 2 * size, (byte) (seed % 2 == 0 ? -128 : 127));
    int[] expected;
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      expected = reference.logits(codes, pictures);
    }
    check(what, graph, kernels, codes, pictures, expected);
  }

  /** Costs by which the smallest model is split in each of the ways. */
  private static final List<Costs> COSTS =
      List.of(
          Costs.VNNI,
          new Costs(1, 1, 0, 0, 100, 0, 0),
          new Costs(1000, 0, 0, 100, 1e9, 0, 2000),
          new Costs(1, 1, 0, 0, 0.01, 0, 0));

  @Test
  void splitsInEveryWay() {
    List<StepWork> steps = StepWork.of(new Vit("v", 8, 4, 66, 2, 2, 130, 70, 1e-6).architecture());
    Set<Phase> phases = EnumSet.noneOf(Phase.class);
    for (Costs costs : COSTS) {
      Schedule.of(steps, 1, 4, costs).splits().stream()
          .filter(split -> split.parts() > 1)
          .forEach(split -> phases.add(split.work().phase()));
    }
    assertThat(phases).containsExactlyInAnyOrder(Phase.values());
  }

  /** Every batch size and split gives the same integers. */
  private static void check(
      String what, IntegerGraph graph, String kernels, byte[] codes, int pictures, int[] expected)
      throws RefusedGraphException {
    int classes = graph.architecture().classes();
    int size = codes.length / pictures;
    for (int threads : new int[] {1, 2, 3, 4, 7, 16}) {
      Costs costs = COSTS.get(threads % COSTS.size());
      try (WorkerPool pool = new WorkerPool(threads);
          NativeEngine engine = new NativeEngine(graph, pool, kernels, "test", costs)) {
        for (int count = 1; count <= pictures; count++) {
          assertThat(engine.logits(Arrays.copyOf(codes, count * size), count))
              .as("%s, %s, %d threads, %d pictures", what, kernels, threads, count)
              .isEqualTo(Arrays.copyOf(expected, count * classes));
        }
      }
    }
  }

  @ParameterizedTest
  @FieldSource("KERNELS")
  void servesManyThreadsAtOnce(String kernels) throws Exception {
    Providers.require(kernels);
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
    try (WorkerPool pool = new WorkerPool(3);
        NativeEngine engine = new NativeEngine(graph, pool, kernels, "test")) {
      Thread[] threads = new Thread[8];
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
    assertThat(right).hasValue(8 * 20);
  }

  @Test
  void refusesWrongInputAndUseAfterClose() throws RefusedGraphException {
    String kernels = Providers.here().get(0);
    IntegerGraph graph = ObservedModel.small();
    NativeEngine engine = new NativeEngine(graph, WorkerPool.shared(), kernels, "test");
    assertThat(engine.name()).isEqualTo("cpu");
    assertThat(engine.graph()).isSameAs(graph);
    assertThat(engine.description())
        .startsWith("cpu: native kernels " + kernels + " on ")
        .endsWith("(test)");
    assertThatThrownBy(() -> engine.logits(new byte[47], 1))
        .isInstanceOf(InputException.class)
        .hasMessage("input: found 47 codes for 1 pictures, expected 48 a picture");
    assertThatThrownBy(() -> engine.logits(new byte[0], 0)).isInstanceOf(InputException.class);
    engine.close();
    engine.close();
    assertThatThrownBy(() -> engine.logits(new byte[48], 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("engine cpu is closed");
  }
}
