package org.ivit.core.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.function.Function;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Part;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.weight.WeightGrid;
import org.opentest4j.TestAbortedException;

/** Models of normally distributed weights, for tests that need any model. */
public final class ObservedModel {
  /** The forms that {@code ivit quantize} chooses, without outlier channels. */
  public static final Scheme USUAL =
      new Scheme(GeluForm.ASYMMETRIC, SoftmaxForm.EXACT, 16, Collections.emptySortedMap());

  private ObservedModel() {}

  /**
   * A scheme whose probabilities are as wide as its softmax asks.
   *
   * @param narrow whether they have 8 bits where both widths do
   */
  public static Scheme scheme(
      GeluForm gelu,
      SoftmaxForm softmax,
      boolean narrow,
      SortedMap<String, OutlierChannels> outliers) {
    return new Scheme(gelu, softmax, narrow || softmax == SoftmaxForm.DEFERRED ? 8 : 16, outliers);
  }

  /** Returns a graph of 5 tokens and 2 classes. */
  public static IntegerGraph small() {
    return graph(
        new Vit("small", 4, 2, 4, 1, 2, 4, 2, 1e-6).architecture(), Scheme.EXACT, new Random(1));
  }

  /** Returns a graph with a block behind its pool, as no family has. */
  public static IntegerGraph blockBehindPool() {
    Architecture vit = new Vit("small", 4, 2, 4, 1, 2, 4, 2, 1e-6).architecture();
    List<Part> parts =
        List.of(
            vit.stem(),
            vit.blocks().get(0),
            new MeanPooling(5, 1, 4),
            new Block("blocks.1", 4, 2, 4, 1, null, 1e-6),
            Head.ofFirstToken(1, 4));
    return graph(new Architecture("vit", "late block", parts), Scheme.EXACT, new Random(1));
  }

  /**
   * A graph whose ranges come from one random picture, so that others saturate here and there.
   *
   * @param architecture sizes
   * @param scheme forms, widths, outlier channels
   * @param random source of weights and picture
   */
  public static IntegerGraph graph(Architecture architecture, Scheme scheme, Random random) {
    return graph(architecture, weights(architecture, random), scheme, random);
  }

  /**
   * As {@link #graph}, with weights of fewer bits.
   *
   * @param grids of a layer's codes, or null where they have 8 bits
   */
  public static IntegerGraph ofFewerBits(
      Architecture architecture,
      Scheme scheme,
      Random random,
      Function<LinearSpec, WeightGrid> grids) {
    FloatWeights plain = weights(architecture, random);
    return graph(architecture, GridWeights.of(architecture, plain, grids), scheme, random);
  }

  /**
   * The same of given weights.
   *
   * @param architecture sizes
   * @param weights its parameters
   * @param scheme forms, widths, outlier channels
   * @param random source of the picture
   */
  public static IntegerGraph graph(
      Architecture architecture, FloatWeights weights, Scheme scheme, Random random) {
    ObservingForward observing =
        new ObservingForward(
            architecture, weights, scheme, new PortableMatrixProducts(), new PublishedObserver());
    observing.run(normal(random, architecture.pixels()), 1);
    return GraphBuilder.build(architecture, weights, scheme, observing.ranges());
  }

  /**
   * As {@link #graph}, for random sizes and seeds: now and then the bounds refuse a model, as where
   * a norm's range is tiny; then the test is aborted.
   */
  public static IntegerGraph provedGraph(Architecture architecture, Scheme scheme, Random random) {
    try {
      return graph(architecture, scheme, random);
    } catch (InputException e) {
      assertThat(e).hasMessageContaining(": refused, its ");
      throw new TestAbortedException("refused", e);
    }
  }

  /**
   * Normally distributed weights, norms' factors too.
   *
   * @param architecture sizes
   * @param random source
   */
  public static FloatWeights weights(Architecture architecture, Random random) {
    Map<String, Tensor> tensors = new HashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              int length = 1;
              for (long n : shape) {
                length *= (int) n;
              }
              tensors.put(name, Tensor.of(normal(random, length), shape));
            });
    return FloatWeights.of(tensors);
  }

  private static float[] normal(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
