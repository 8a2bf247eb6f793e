package org.ivit.train.layer;

import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.memory.LayerMemoryReport;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.ivit.train.operator.Operator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.regularization.Regularization;

/**
 * Configuration of a layer that runs one {@link Operator}. Parameters carry the operator's keys
 * with {@code _} written as {@code -}, because Deeplearning4j splits names at the last underscore.
 * Ranges and frozen scales have no updater; weight decay applies to matrices only.
 */
public abstract class OperatorLayer extends FeedForwardLayer {
  private static final long serialVersionUID = 1L;

  private double weightDecay;

  /** For Jackson. */
  protected OperatorLayer() {}

  /** Returns the coefficient of decoupled weight decay, multiplied by the learning rate. */
  public double getWeightDecay() {
    return weightDecay;
  }

  /** Sets the coefficient of decoupled weight decay, multiplied by the learning rate. */
  public void setWeightDecay(double weightDecay) {
    this.weightDecay = weightDecay;
  }

  /** A new operator of these sizes and forms. */
  public abstract Operator operator();

  /** Shape of the output for an input of the given shape. */
  public abstract long[] outputShape(long[] input);

  /** What the operator counts as its batch: pictures, the first axis, unless it works on rows. */
  public int batch(long[] input) {
    return Math.toIntExact(input[0]);
  }

  /** Whether a gradient by the input exists. */
  public boolean hasInputGradient() {
    return true;
  }

  /** The parameter's name in Deeplearning4j. */
  public static String layerKey(String operatorKey) {
    return operatorKey.replace('_', '-');
  }

  @Override
  public Layer instantiate(
      NeuralNetConfiguration conf,
      Collection<TrainingListener> listeners,
      int index,
      INDArray parameters,
      boolean initialise,
      DataType type) {
    OperatorLayerRuntime layer = new OperatorLayerRuntime(conf, type);
    layer.setListeners(listeners);
    layer.setIndex(index);
    layer.setParamsViewArray(parameters);
    layer.setParamTable(initializer().init(conf, parameters, initialise));
    layer.setConf(conf);
    return layer;
  }

  @Override
  public ParamInitializer initializer() {
    return OperatorParameters.INSTANCE;
  }

  @Override
  public void setNIn(InputType inputType, boolean override) {
    // Sizes are given by the configuration itself.
  }

  @Override
  public InputPreProcessor getPreProcessorForInputType(InputType inputType) {
    return null;
  }

  @Override
  public List<Regularization> getRegularizationByParam(String key) {
    boolean decays =
        operator().layout().entries().stream()
            .anyMatch(entry -> layerKey(entry.key()).equals(key) && entry.kind().decays());
    return decays && weightDecay > 0
        ? List.of(new DecoupledDecay(weightDecay))
        : Collections.emptyList();
  }

  @Override
  public IUpdater getUpdaterByParam(String key) {
    boolean constant =
        operator().layout().entries().stream()
            .anyMatch(entry -> layerKey(entry.key()).equals(key) && !entry.kind().learned());
    return constant ? new NoOp() : super.getUpdaterByParam(key);
  }

  @Override
  public LayerMemoryReport getMemoryReport(InputType inputType) {
    long parameters = operator().layout().size();
    return new LayerMemoryReport.Builder(getLayerName(), getClass(), inputType, inputType)
        .standardMemory(parameters, 2 * parameters)
        .workingMemory(0, 0, 0, 0)
        .cacheMemory(0, 0)
        .build();
  }

  @Override
  public OperatorLayer clone() {
    return (OperatorLayer) super.clone();
  }
}
