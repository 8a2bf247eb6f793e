package org.ivit.train.layer;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.ivit.core.graph.NodeNames;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.floating.FloatHead;
import org.ivit.train.operator.integer.QuantizedHead;
import org.ivit.train.parameter.HeadShape;

/**
 * Final norm of the leading tokens and a classifier for each: [batch, tokens, dim] to [batch,
 * classes], the mean of the classifiers.
 */
public final class ClassificationHead extends NormBlockLayer {
  private static final long serialVersionUID = 1L;

  private int tokens;
  private int dim;
  private int classes;
  private int depth;
  private List<String> heads = List.of(NodeNames.HEAD);

  /** For Jackson. */
  public ClassificationHead() {}

  /**
   * @param shape sizes
   * @param depth number of blocks before it
   * @param epsilon of the norm; the integer arithmetic has none
   * @param scheme JSON of {@link org.ivit.core.graph.SchemeJson} for integers, null for floating
   *     point
   */
  public ClassificationHead(HeadShape shape, int depth, double epsilon, String scheme) {
    super(shape.dim(), shape.classes(), epsilon, scheme);
    this.tokens = shape.tokens();
    this.dim = shape.dim();
    this.classes = shape.classes();
    this.depth = depth;
    this.heads = shape.heads();
  }

  @Override
  public Operator operator() {
    HeadShape shape = new HeadShape(tokens, dim, classes, heads);
    return quantized()
        ? new QuantizedHead(shape, NodeNames.stream(depth), parsedScheme())
        : new FloatHead(shape, getEpsilon());
  }

  @Override
  public long[] outputShape(long[] input) {
    return new long[] {input[0], classes};
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType inputType) {
    return InputType.feedForward(classes);
  }

  /** Returns the parameter prefixes of the classifiers. */
  public List<String> getHeads() {
    return heads;
  }

  /** Sets the parameter prefixes of the classifiers. */
  public void setHeads(List<String> heads) {
    this.heads = List.copyOf(heads);
  }

  /** Returns the number of tokens, leading ones included. */
  public int getTokens() {
    return tokens;
  }

  /** Sets the number of tokens, leading ones included. */
  public void setTokens(int tokens) {
    this.tokens = tokens;
  }

  /** Returns the number of channels. */
  public int getDim() {
    return dim;
  }

  /** Sets the number of channels. */
  public void setDim(int dim) {
    this.dim = dim;
  }

  /** Returns the number of classes. */
  public int getClasses() {
    return classes;
  }

  /** Sets the number of classes. */
  public void setClasses(int classes) {
    this.classes = classes;
  }

  /** Returns the number of blocks before it. */
  public int getDepth() {
    return depth;
  }

  /** Sets the number of blocks before it. */
  public void setDepth(int depth) {
    this.depth = depth;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof ClassificationHead that
        && tokens == that.tokens
        && dim == that.dim
        && classes == that.classes
        && depth == that.depth
        && heads.equals(that.heads);
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof ClassificationHead;
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), tokens, dim, classes, depth, heads);
  }
}
