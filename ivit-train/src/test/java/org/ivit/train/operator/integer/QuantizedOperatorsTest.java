package org.ivit.train.operator.integer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.AsymmetricGelu;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.GoldenModel;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.CrossEntropy;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.LogitOperator;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.parameter.ParameterKind;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Whole micro models of quantized operators against golden logits, gradients and ranges. */
class QuantizedOperatorsTest {
  @SuppressWarnings("unused")
  static final List<String> MODELS = GoldenModel.NAMES;

  private static final WorkerPool POOL = new WorkerPool(2);
  private static final double LABEL_SMOOTHING = 0.1;

  @AfterAll
  static void closePool() {
    POOL.close();
  }

  /** A chain of operators with their parameters and activations. */
  private static final class Chain {
    final Architecture architecture;
    final List<QuantizedOperator> operators = new ArrayList<>();
    final List<String> prefixes = new ArrayList<>();
    final List<Reals> weights = new ArrayList<>();
    final List<Reals> gradients = new ArrayList<>();
    final List<Reals> activations = new ArrayList<>();
    final Execution run = new Execution(POOL, RealType.FLOAT32);
    final int batch;
    final LogitOperator head;

    Chain(GoldenModel model, FloatWeights values) {
      this.architecture = model.architecture();
      this.batch = model.pictures();
      for (PartSpec spec : PartSpec.of(architecture, 0)) {
        QuantizedOperator operator = QuantizedOperators.of(spec, model.scheme());
        add(operator, spec.prefix(), values, model.ranges(), spec.outputs());
      }
      head = (LogitOperator) operators.get(operators.size() - 1);
    }

    private void add(
        QuantizedOperator operator,
        String prefix,
        FloatWeights values,
        Map<String, Range> ranges,
        int outputs) {
      Reals parameters = Reals.allocate(RealType.FLOAT32, operator.layout().size());
      for (ParameterLayout.Entry entry : operator.layout().entries()) {
        if (entry.kind() == ParameterKind.RANGE) {
          Range range = ranges.get(operator.rangeNodes().get(entry.key()));
          parameters.put(entry.from(), range.min());
          parameters.put(entry.from() + 1, range.max());
        } else if (entry.kind().learned()) {
          float[] value = values.get(prefix + entry.key());
          parameters.put(entry.from(), value, 0, value.length);
        }
      }
      operators.add(operator);
      prefixes.add(prefix);
      weights.add(parameters);
      gradients.add(Reals.allocate(RealType.FLOAT32, operator.layout().size()));
      activations.add(Reals.allocate(RealType.FLOAT32, batch * outputs));
    }

    int[] forward(float[] pixels, boolean training) {
      Reals x = Reals.allocate(RealType.FLOAT32, pixels.length);
      x.put(0, pixels, 0, pixels.length);
      for (int i = 0; i < operators.size(); i++) {
        operators.get(i).forward(weights.get(i), x, activations.get(i), batch, training, run);
        x = activations.get(i);
      }
      return head.logits();
    }

    void backward(Reals gradient) {
      Reals g = gradient;
      for (int i = operators.size() - 1; i >= 0; i--) {
        Reals x = i == 0 ? null : activations.get(i - 1);
        Reals gx = i == 0 ? null : Reals.allocate(RealType.FLOAT32, x.size());
        operators.get(i).backward(weights.get(i), x, g, gx, gradients.get(i), batch, run);
        g = gx;
      }
    }

    SortedMap<String, Range> seen() {
      SortedMap<String, Range> seen = new TreeMap<>();
      operators.forEach(operator -> seen.putAll(operator.seenRanges()));
      return seen;
    }
  }

  @ParameterizedTest
  @FieldSource("MODELS")
  void logitsEqualTheGoldenTraceInEveryMode(String name) {
    GoldenModel model = new GoldenModel(name);
    Chain chain = new Chain(model, model.weights());
    int[] golden = model.file("trace").get("head").ints();
    assertThat(chain.forward(model.evalPixels(), false)).isEqualTo(golden);
    assertThat(chain.forward(model.evalPixels(), true)).isEqualTo(golden);
    chain.run.rangeMode(RangeMode.LAGGED);
    assertThat(chain.forward(model.evalPixels(), true)).isEqualTo(golden);
    assertThat(chain.head.logitScale())
        .isEqualTo(model.file("trace").get("scale/head").floats()[0]);
  }

  @ParameterizedTest
  @FieldSource("MODELS")
  void gradientsEqualTheGoldenOnesToFloat32Rounding(String name) {
    GoldenModel model = new GoldenModel(name);
    Chain chain = new Chain(model, model.weights());
    chain.forward(model.evalPixels(), true);
    chain.backward(lossGradient(chain, model.file("calibration").get("labels").longs()));
    TensorFile golden = model.file("gradients");
    int compared = 0;
    for (int i = 0; i < chain.operators.size(); i++) {
      String prefix = chain.prefixes.get(i);
      for (ParameterLayout.Entry entry : chain.operators.get(i).layout().entries()) {
        if (!entry.kind().learned()) {
          continue;
        }
        double[] expected = golden.get("grad/" + prefix + entry.key()).doubles();
        double[] found = new double[entry.size()];
        chain.gradients.get(i).get(entry.from(), found, 0, found.length);
        assertClose(prefix + entry.key(), found, expected);
        compared++;
      }
    }
    assertThat(compared).isEqualTo(chain.architecture.parameters().size());
  }

  private static Reals lossGradient(Chain chain, long[] labels) {
    int classes = chain.architecture.classes();
    Reals gradient = Reals.allocate(RealType.FLOAT32, chain.batch * classes);
    CrossEntropy loss = new CrossEntropy(0, 1);
    double scale = chain.head.logitScale();
    int[] logits = chain.head.logits();
    for (int n = 0; n < chain.batch; n++) {
      double[] row = new double[classes];
      double[] targets = new double[classes];
      double[] g = new double[classes];
      for (int c = 0; c < classes; c++) {
        row[c] = logits[n * classes + c] * scale;
        targets[c] = LABEL_SMOOTHING / classes + (labels[n] == c ? 1 - LABEL_SMOOTHING : 0);
      }
      loss.row(row, targets, g);
      for (int c = 0; c < classes; c++) {
        g[c] /= chain.batch;
      }
      gradient.put(n * classes, g, 0, classes);
    }
    return gradient;
  }

  private static void assertClose(String name, double[] found, double[] expected) {
    double largest = 0;
    for (double value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertThat(largest).as(name).isPositive();
    for (int i = 0; i < expected.length; i++) {
      assertThat(Math.abs(found[i] - expected[i]))
          .as("%s[%s]: found %s, expected %s", name, i, found[i], expected[i])
          .isLessThanOrEqualTo(1e-5 * largest);
    }
  }

  @ParameterizedTest
  @FieldSource("MODELS")
  void collectsTheExtremesOfEveryNode(String name) {
    GoldenModel model = new GoldenModel(name);
    Chain chain = new Chain(model, model.weights());
    chain.run.rangeMode(RangeMode.LAGGED);
    chain.forward(model.evalPixels(), true);
    SortedMap<String, Range> expected = new TreeMap<>();
    org.ivit.core.calibration.ObservingForward forward =
        new org.ivit.core.calibration.ObservingForward(
            model.architecture(),
            model.weights(),
            model.scheme(),
            new org.ivit.core.engine.reference.ReferenceMatrixProducts(),
            values -> {
              expected.put(
                  values.node().name(),
                  org.ivit.core.calibration.PublishedObserver.rangeOf(
                      values.node().name(), values.included()));
              return model.ranges().get(values.node().name());
            });
    forward.run(model.evalPixels(), model.pictures());
    assertThat(chain.seen()).isEqualTo(expected);
  }

  @Test
  void seesNothingWhileRangesAreFrozen() {
    GoldenModel model = new GoldenModel("micro_vit");
    Chain chain = new Chain(model, model.weights());
    chain.forward(model.evalPixels(), true);
    assertThat(chain.seen()).isEmpty();
  }

  @Test
  void equalsTheReferenceEngineWhereSumsPassTheFloatGemm() {
    GoldenModel model = new GoldenModel("micro_vit_outliers");
    SortedMap<String, org.ivit.core.arithmetic.OutlierChannels> outliers = new TreeMap<>();
    outliers.put(
        "blocks.0.norm2", new org.ivit.core.arithmetic.OutlierChannels(new int[] {3, 4, 9}, 9));
    Scheme scheme = model.scheme().withOutliers(outliers);
    IntegerGraph graph =
        GraphBuilder.build(model.architecture(), model.weights(), scheme, model.ranges());
    Map<String, Object> trace = new TreeMap<>();
    try (ReferenceEngine engine = new ReferenceEngine(graph)) {
      engine.logits(model.evalCodes(graph), 4, trace::put);
    }
    Chain chain = new Chain(model, model.weights());
    QuantizedOperator block =
        QuantizedOperators.of(PartSpec.of(model.architecture(), 0).get(1), scheme);
    chain.forward(model.evalPixels(), false);
    Reals y = Reals.allocate(RealType.FLOAT32, 4 * 17 * 32);
    block.forward(chain.weights.get(1), chain.activations.get(0), y, 4, false, chain.run);
    short[] codes = new short[y.size()];
    Codes.recover(
        y,
        0,
        block.outputScale(chain.weights.get(1)),
        codes,
        codes.length,
        new Buffers(RealType.FLOAT32));
    assertThat(codes).isEqualTo((short[]) trace.get("blocks.0.residual2"));
  }

  @Test
  void weightsAfterAsymmetricGeluLearnFromItsValues() {
    GoldenModel model = new GoldenModel("micro_vit_outliers");
    Scheme golden = model.scheme();
    Scheme scheme =
        new Scheme(
            GeluForm.ASYMMETRIC, golden.softmax(), golden.attentionBits(), golden.outliers());
    Block site = model.architecture().blocks().get(1);
    String act = site.node("mlp.act");
    OutlierChannels outliers = scheme.outliers(site.act());
    assertThat(outliers.isEmpty()).isFalse();
    Map<String, Object> trace = new TreeMap<>();
    IntegerGraph graph =
        GraphBuilder.build(model.architecture(), model.weights(), scheme, model.ranges());
    try (ReferenceEngine engine = new ReferenceEngine(graph)) {
      engine.logits(model.evalCodes(graph), model.pictures(), trace::put);
    }
    byte[] codes = (byte[]) trace.get(act);
    float scale = scheme.scale(site.act(), model.ranges().get(act));

    Chain chain = new Chain(model, model.weights());
    QuantizedOperator block =
        QuantizedOperators.of(PartSpec.of(model.architecture(), 0).get(2), scheme);
    chain.forward(model.evalPixels(), false);
    QuantizedOperators.of(PartSpec.of(model.architecture(), 0).get(1), scheme)
        .forward(
            chain.weights.get(1),
            chain.activations.get(0),
            chain.activations.get(1),
            model.pictures(),
            false,
            chain.run);
    int rows = model.pictures() * site.tokens();
    Reals y = Reals.allocate(RealType.FLOAT32, rows * site.dim());
    Reals x = chain.activations.get(1);
    block.forward(chain.weights.get(2), x, y, model.pictures(), true, chain.run);
    short[] output = new short[y.size()];
    Buffers buffers = new Buffers(RealType.FLOAT32);
    Codes.recover(y, 0, block.outputScale(chain.weights.get(2)), output, output.length, buffers);
    assertThat(output).isEqualTo((short[]) trace.get(site.node("residual2")));

    Reals gradients = Reals.allocate(RealType.FLOAT32, block.layout().size());
    Reals gy = Reals.allocate(RealType.FLOAT32, rows * site.dim());
    for (int i = 0; i < gy.size(); i++) {
      gy.put(i, Math.sin(i));
    }
    block.backward(chain.weights.get(2), x, gy, null, gradients, model.pictures(), chain.run);

    int hidden = site.hidden();
    double[] expected = new double[site.dim() * hidden];
    for (int r = 0; r < rows; r++) {
      for (int k = 0; k < hidden; k++) {
        float step = outliers.scale(scale, k);
        double value = (codes[r * hidden + k] + AsymmetricGelu.offset(step)) * (double) step;
        for (int c = 0; c < site.dim(); c++) {
          expected[c * hidden + k] += gy.get(r * site.dim() + c) * value;
        }
      }
    }
    double[] found = new double[expected.length];
    gradients.get(block.layout().from("mlp.fc2.weight"), found, 0, found.length);
    assertClose("mlp.fc2.weight", found, expected);
  }

  @Test
  void namesTheWeightThatIsNotANumber() {
    GoldenModel model = new GoldenModel("micro_vit");
    FloatWeights weights = model.weights();
    weights.get("blocks.1.mlp.fc1.weight")[7] = Float.NaN;
    Chain chain = new Chain(model, weights);
    assertThatThrownBy(() -> chain.forward(model.evalPixels(), false))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("blocks.1.mlp.fc1");
  }

  @Test
  void namesTheNodeWithoutARange() {
    GoldenModel model = new GoldenModel("micro_vit");
    Chain chain = new Chain(model, model.weights());
    int from = chain.operators.get(1).layout().from("range.mlp.act");
    chain.weights.get(1).put(from, 1);
    chain.weights.get(1).put(from + 1, -1);
    assertThatThrownBy(() -> chain.forward(model.evalPixels(), false))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "blocks.0.mlp.act: found no range, expected one from calibration or a checkpoint");
  }
}
