package org.ivit.train.layer;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.ivit.train.nd4j.NdMemory;
import org.ivit.train.parameter.ParameterKind;
import org.ivit.train.parameter.ParameterLayout;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Lays an operator's parameters out in Deeplearning4j's flat vector, and initialises them as timm.
 */
public final class OperatorParameters implements ParamInitializer {
  static final OperatorParameters INSTANCE = new OperatorParameters();

  private static final double DEVIATION = 0.02;
  private static final double TOKEN_DEVIATION = 1e-6;

  private OperatorParameters() {}

  private static ParameterLayout layout(Layer layer) {
    return ((OperatorLayer) layer).operator().layout();
  }

  @Override
  public long numParams(NeuralNetConfiguration conf) {
    return numParams(conf.getLayer());
  }

  @Override
  public long numParams(Layer layer) {
    return layout(layer).size();
  }

  @Override
  public List<String> paramKeys(Layer layer) {
    return layout(layer).entries().stream()
        .map(entry -> OperatorLayer.layerKey(entry.key()))
        .toList();
  }

  private static List<String> keys(Layer layer, boolean decaying) {
    return layout(layer).entries().stream()
        .filter(entry -> entry.kind().decays() == decaying)
        .map(entry -> OperatorLayer.layerKey(entry.key()))
        .toList();
  }

  @Override
  public List<String> weightKeys(Layer layer) {
    return keys(layer, true);
  }

  @Override
  public List<String> biasKeys(Layer layer) {
    return keys(layer, false);
  }

  @Override
  public boolean isWeightParam(Layer layer, String key) {
    return weightKeys(layer).contains(key);
  }

  @Override
  public boolean isBiasParam(Layer layer, String key) {
    return biasKeys(layer).contains(key);
  }

  @Override
  public Map<String, INDArray> init(
      NeuralNetConfiguration conf, INDArray parameters, boolean initialise) {
    Map<String, INDArray> views = views(conf, parameters);
    views.keySet().forEach(conf::addVariable);
    if (initialise) {
      long seed = conf.getSeed() * 31 + conf.getLayer().getLayerName().hashCode();
      SplittableRandom random = new SplittableRandom(seed);
      for (ParameterLayout.Entry entry : layout(conf.getLayer()).entries()) {
        initialise(entry, views.get(OperatorLayer.layerKey(entry.key())), random);
      }
    }
    return views;
  }

  private static void initialise(
      ParameterLayout.Entry entry, INDArray view, SplittableRandom random) {
    double[] values = new double[entry.size()];
    ParameterKind kind = entry.kind();
    long inputs = entry.size() / entry.shape().get(0);
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (kind) {
            case WEIGHT, POSITION -> truncatedNormal(random, DEVIATION);
            case TOKEN -> TOKEN_DEVIATION * random.nextGaussian();
            case CONVOLUTION -> (2 * random.nextDouble() - 1) / Math.sqrt((double) inputs);
            case BIAS, NORM_BIAS, WEIGHT_SCALE, WEIGHT_GRID, FIXED_GRID -> 0;
            case NORM_WEIGHT -> 1;
            case RANGE -> i == 0 ? 1 : -1;
          };
    }
    try (NdMemory.Writes writes = NdMemory.writes()) {
      writes.to(view).put(0, values, 0, values.length);
    }
  }

  /** timm's {@code trunc_normal_}: bounds ±2 in absolute value, which are never met here. */
  private static double truncatedNormal(SplittableRandom random, double deviation) {
    double value;
    do {
      value = deviation * random.nextGaussian();
    } while (Math.abs(value) > 2);
    return value;
  }

  @Override
  public Map<String, INDArray> getGradientsFromFlattened(
      NeuralNetConfiguration conf, INDArray gradients) {
    return views(conf, gradients);
  }

  /** Deeplearning4j has no array for a layer without parameters. */
  private static Map<String, INDArray> views(NeuralNetConfiguration conf, INDArray flat) {
    Map<String, INDArray> views = new LinkedHashMap<>();
    if (flat == null) {
      return views;
    }
    INDArray vector = flat.reshape(flat.length());
    for (ParameterLayout.Entry entry : layout(conf.getLayer()).entries()) {
      INDArray part =
          vector.get(NDArrayIndex.interval(entry.from(), (long) entry.from() + entry.size()));
      views.put(OperatorLayer.layerKey(entry.key()), part.reshape('c', entry.shapeArray()));
    }
    return views;
  }
}
