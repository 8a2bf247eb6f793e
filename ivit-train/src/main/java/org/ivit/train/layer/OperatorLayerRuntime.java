package org.ivit.train.layer;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.BaseLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.memory.Reals;
import org.ivit.train.nd4j.NdMemory;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.RangeMode;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Runs an {@link OperatorLayer}: hands the memory of Deeplearning4j's arrays to the operator. */
public final class OperatorLayerRuntime extends BaseLayer<OperatorLayer> {
  private static final long serialVersionUID = 1L;

  private transient Operator operator;
  private transient Execution execution;

  OperatorLayerRuntime(NeuralNetConfiguration conf, DataType type) {
    super(conf, type);
  }

  /** The operator, which keeps what its backward pass needs. */
  public Operator operator() {
    if (operator == null) {
      operator = layerConf().operator();
    }
    return operator;
  }

  /** Shares threads, scratch memory and the state of the step with other layers. */
  public void execution(Execution shared) {
    execution = shared;
  }

  private Execution execution() {
    if (execution == null) {
      execution = new Execution(WorkerPool.shared(), NdMemory.realType(dataType));
    }
    return execution;
  }

  /** Sets what training passes do with the ranges. */
  public void rangeMode(RangeMode mode) {
    execution().rangeMode(mode);
  }

  /** All parameters, by the operator's layout, to be read. */
  public Reals parameters() {
    return paramsFlattened == null ? none() : NdMemory.read(paramsFlattened);
  }

  /** All parameters, by the operator's layout, to be changed. */
  public Reals parameters(NdMemory.Writes writes) {
    return paramsFlattened == null ? none() : writes.to(paramsFlattened);
  }

  /** The parameters of an operator that has none, for which Deeplearning4j keeps no array. */
  private Reals none() {
    return Reals.allocate(NdMemory.realType(dataType), 0);
  }

  @Override
  public boolean isPretrainLayer() {
    return false;
  }

  /** A copy: ND4J's own array is shared by all arrays of that shape. */
  private static long[] shape(INDArray array) {
    return array.shape().clone();
  }

  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    assertInputSet(false);
    INDArray x = NdMemory.rowMajor(input, dataType);
    INDArray y =
        workspaces.createUninitialized(
            ArrayType.ACTIVATIONS, dataType, layerConf().outputShape(shape(x)), 'c');
    try (NdMemory.Writes writes = NdMemory.writes()) {
      operator()
          .forward(
              parameters(),
              NdMemory.read(x),
              writes.to(y),
              layerConf().batch(shape(x)),
              training,
              execution());
    }
    return y;
  }

  @Override
  public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    assertInputSet(true);
    INDArray x = NdMemory.rowMajor(input, dataType);
    INDArray gy = NdMemory.rowMajor(epsilon, dataType);
    INDArray gx = null;
    if (layerConf().hasInputGradient()) {
      gx = workspaces.createUninitialized(ArrayType.ACTIVATION_GRAD, dataType, input.shape(), 'c');
    }
    try (NdMemory.Writes writes = NdMemory.writes()) {
      operator()
          .backward(
              parameters(),
              NdMemory.read(x),
              NdMemory.read(gy),
              gx == null ? null : writes.to(gx),
              gradientsFlattened == null ? none() : writes.to(gradientsFlattened),
              layerConf().batch(shape(x)),
              execution());
    }
    Gradient gradient = new DefaultGradient(gradientsFlattened);
    if (gradientViews != null) {
      gradientViews.forEach(gradient::setGradientFor);
    }
    return new Pair<>(gradient, gx);
  }
}
