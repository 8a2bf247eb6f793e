package org.ivit.djl;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractSymbolBlock;
import ai.djl.nn.ParameterList;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Answer;
import org.ivit.core.arithmetic.PixelTable;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.engine.Engine;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Preprocess;

/**
 * An engine as a block of DJL. Its input is one array of n pictures of the model's size, either
 *
 * <ul>
 *   <li>float32 [n][3][height][width], normalised as the checkpoint says, which is quantized onto
 *       the scale of the input codes, or
 *   <li>uint8 [n][height][width][3], red first, as decoded.
 * </ul>
 *
 * <p>Its output is one float32 array [n][classes]: logits or, where the model answers with them,
 * features; each is the integer that every engine computes times the scale of the answer.
 */
public final class IvitBlock extends AbstractSymbolBlock implements AutoCloseable {
  private static final String INPUT = "input";

  private final IntegerCheckpoint checkpoint;
  private final Engine engine;
  private final PixelTable pixels;
  private final EvaluationTransform transform;

  /**
   * @param engine of the checkpoint's graph; closed with the block
   */
  IvitBlock(IntegerCheckpoint checkpoint, Engine engine) {
    this.checkpoint = checkpoint;
    this.engine = engine;
    Preprocess preprocess = checkpoint.preprocess();
    transform = new EvaluationTransform(preprocess);
    pixels = PixelTable.of(preprocess.mean(), preprocess.std(), checkpoint.graph().inputScale());
  }

  /**
   * The block of a loaded model.
   *
   * @param model one of this engine's, as it is or from a zoo
   * @throws InputException if it is another engine's, or not loaded
   */
  public static IvitBlock of(Model model) {
    if (model.getBlock() instanceof IvitBlock block) {
      return block;
    }
    throw new InputException(
        "model %s: found no integer checkpoint, expected one loaded by the engine %s"
            .formatted(model.getName(), IvitEngine.NAME));
  }

  /** What was loaded. */
  public IntegerCheckpoint checkpoint() {
    return checkpoint;
  }

  /** What runs it, for those who want integers. */
  public Engine engine() {
    return engine;
  }

  Answer answer() {
    return checkpoint.graph().architecture().answer();
  }

  /** What makes the model's pictures of any. */
  EvaluationTransform transform() {
    return transform;
  }

  /**
   * The classes in the order of the logits, as DJL's lists of ImageNet have them: an identifier, a
   * space and the names, or what else the checkpoint calls them. None of a model of features.
   */
  public List<String> classNames() {
    return checkpoint.classes().stream().map(name -> name.replace('\t', ' ')).toList();
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore parameterStore,
      NDList inputs,
      boolean training,
      PairList<String, Object> params) {
    if (training) {
      throw new UnsupportedOperationException("training: an integer checkpoint is frozen");
    }
    NDArray input = inputs.singletonOrThrow();
    int pictures = pictures(input);
    byte[] codes =
        input.getDataType() == DataType.UINT8
            ? pixels.apply(input.toByteArray(), pictures)
            : Quantizer.codes8(INPUT, input.toFloatArray(), checkpoint.graph().inputScale());
    int[] answer = engine.logits(codes, pictures);
    float scale = checkpoint.graph().logitScale();
    float[] values = new float[answer.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = answer[i] * scale;
    }
    return new NDList(
        input.getManager().create(values, new Shape(pictures, values.length / pictures)));
  }

  /** Checks type and shape. */
  private int pictures(NDArray input) {
    Size size = checkpoint.preprocess().crop();
    Shape expected =
        input.getDataType() == DataType.UINT8
            ? new Shape(size.height(), size.width(), 3)
            : new Shape(3, size.height(), size.width());
    Shape shape = input.getShape();
    boolean known =
        input.getDataType() == DataType.UINT8 || input.getDataType() == DataType.FLOAT32;
    if (!known || shape.dimension() != 4 || shape.get(0) < 1 || !shape.slice(1).equals(expected)) {
      throw new InputException(
          ("input: found %s %s, expected float32 (n, 3, %d, %d), normalised, or uint8 (n, %3$d,"
                  + " %4$d, 3); %s makes them of any picture")
              .formatted(
                  input.getDataType(),
                  shape,
                  size.height(),
                  size.width(),
                  IvitTranslatorFactory.class.getSimpleName()));
    }
    return Math.toIntExact(shape.get(0));
  }

  @Override
  public PairList<String, Shape> describeInput() {
    Size size = checkpoint.preprocess().crop();
    PairList<String, Shape> description = new PairList<>();
    description.add(INPUT, new Shape(-1, 3, size.height(), size.width()));
    return description;
  }

  @Override
  public PairList<String, Shape> describeOutput() {
    PairList<String, Shape> description = new PairList<>();
    description.add(
        answer() == Answer.FEATURES ? "features" : "logits",
        new Shape(-1, checkpoint.graph().architecture().classes()));
    return description;
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputShapes) {
    return new Shape[] {
      new Shape(inputShapes[0].get(0), checkpoint.graph().architecture().classes())
    };
  }

  /** Returns none: the integers of a checkpoint are not arrays that DJL could train. */
  @Override
  public ParameterList getDirectParameters() {
    return new ParameterList();
  }

  @Override
  public boolean isInitialized() {
    return true;
  }

  /** Frees the engine, as closing the model does; later calls throw an exception. */
  @Override
  public void close() {
    engine.close();
  }
}
