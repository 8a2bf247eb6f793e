package org.ivit.serve.protocol;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.Size;
import org.ivit.serve.model.ModelDescription;

/**
 * A tensor that a model takes or gives.
 *
 * @param name by which requests ask for it
 * @param type of its elements
 * @param shape its sizes, -1 where any is possible
 */
public record TensorSpec(String name, DataType type, List<Integer> shape) {
  /** Picture files. */
  public static final String IMAGE = "image";

  /** Decoded pictures. */
  public static final String PIXELS = "pixels";

  /** Normalised pictures. */
  public static final String NORMALISED = "normalised";

  /** Logits as the model computes them. */
  public static final String LOGITS = "logits";

  /** Logits as real numbers. */
  public static final String SCORES = "scores";

  /** The softmax of the logits. */
  public static final String PROBABILITIES = "probabilities";

  /** A feature as an integer model computes it. */
  public static final String CODES = "codes";

  /** A feature as real numbers. */
  public static final String FEATURES = "features";

  /** The forms in which a model takes pictures; a request has one of them. */
  public static List<TensorSpec> inputs(ModelDescription model) {
    Size size = model.preprocess().crop();
    return List.of(
        new TensorSpec(IMAGE, DataType.BYTES, List.of(-1)),
        new TensorSpec(PIXELS, DataType.UINT8, List.of(-1, -1, -1, 3)),
        new TensorSpec(NORMALISED, DataType.FP32, List.of(-1, 3, size.height(), size.width())));
  }

  /** What a model answers. */
  public static List<TensorSpec> outputs(ModelDescription model) {
    List<Integer> shape = List.of(-1, model.outputs());
    List<TensorSpec> specs = new ArrayList<>();
    if (model.classifies()) {
      specs.add(new TensorSpec(LOGITS, model.integer() ? DataType.INT32 : DataType.FP32, shape));
      specs.add(new TensorSpec(SCORES, DataType.FP32, shape));
      specs.add(new TensorSpec(PROBABILITIES, DataType.FP32, shape));
    } else {
      if (model.integer()) {
        specs.add(new TensorSpec(CODES, DataType.INT32, shape));
      }
      specs.add(new TensorSpec(FEATURES, DataType.FP32, shape));
    }
    return specs;
  }
}
