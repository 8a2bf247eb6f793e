package org.ivit.train.network;

import java.util.function.Consumer;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.io.Digests;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.tensor.TensorFiles;
import org.ivit.train.recipe.Distillation;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.step.MicroBatch;
import org.ivit.train.step.TeacherModel;

/** The float model whose probabilities, or features, a student learns. */
public final class Teacher {
  private final TeacherModel model;
  private final double temperature;
  private final WorkerPool pool;
  private TransformerNetwork network;

  /**
   * Opens the teacher of a recipe.
   *
   * @param architecture of the student
   * @param start what the student starts from: the teacher where the recipe names no other
   * @param say hears how its file was read
   * @return null without distillation
   * @throws InputException if it does not fit the student, or cannot be read
   */
  public static Teacher open(
      Recipe recipe,
      Architecture architecture,
      FloatWeights start,
      WorkerPool pool,
      Consumer<String> say) {
    Distillation distillation = recipe.distillation();
    if (distillation == null) {
      return null;
    }
    Distillation.Teacher named = distillation.teacher();
    Architecture model = architecture;
    if (named.architecture() != null) {
      model =
          named.architecture().isTextual()
              ? Architectures.byName(named.architecture().asText())
              : Architectures.parse(named.architecture());
    }
    if (model.answer() != architecture.answer()
        || model.classes() != architecture.classes()
        || !model.image().equals(architecture.image())) {
      throw new InputException(
          "distillation.teacher: found %s and pictures of %s, expected %s and %s"
              .formatted(
                  answers(model), model.image(), answers(architecture), architecture.image()));
    }
    FloatWeights weights =
        named.weights() == null
            ? start
            : StartWeights.read(named.weights(), model, named.weightsKey(), say);
    return new Teacher(model, weights, distillation.temperature(), pool);
  }

  private static String answers(Architecture architecture) {
    return architecture.answer() == Answer.CLASSES
        ? architecture.classes() + " classes"
        : "features " + architecture.classes() + " wide";
  }

  /** The SHA-256 of the teacher's file; empty without distillation. */
  public static String digest(Recipe recipe) {
    if (recipe.distillation() == null) {
      return "";
    }
    Distillation.Teacher named = recipe.distillation().teacher();
    return Digests.file(
        TensorFiles.file(named.weights() == null ? recipe.weights() : named.weights()));
  }

  private Teacher(
      Architecture architecture, FloatWeights weights, double temperature, WorkerPool pool) {
    this.model = new TeacherModel(architecture, weights);
    this.temperature = temperature;
    this.pool = pool;
  }

  /** What it knows, for those who ask it elsewhere. */
  public TeacherModel model() {
    return model;
  }

  private TransformerNetwork network() {
    if (network == null) {
      network =
          TransformerNetwork.build(NetworkOptions.inference(model.architecture(), null), pool);
      network.load(model.weights());
    }
    return network;
  }

  /**
   * A batch with the teacher's probabilities behind its targets; with its features in their place
   * where it answers with them.
   */
  public MicroBatch extend(MicroBatch batch) {
    float[] targets =
        model.architecture().answer() == Answer.FEATURES
            ? features(batch.pixels(), batch.pictures())
            : extend(batch.pixels(), batch.targets(), batch.pictures());
    return new MicroBatch(batch.images(), targets, batch.pictures(), batch.keys());
  }

  /**
   * The teacher's features.
   *
   * @param pixels normalised, as the student sees them
   * @return [pictures][width]
   */
  public float[] features(float[] pixels, int pictures) {
    double[] answers = network().logits(pixels, pictures);
    float[] features = new float[answers.length];
    for (int i = 0; i < features.length; i++) {
      features[i] = (float) answers[i];
    }
    return features;
  }

  /**
   * Puts the teacher's probabilities behind the targets of each picture.
   *
   * @param pixels normalised, as the student sees them
   * @param targets [pictures][classes]
   * @return [pictures][2·classes]
   */
  private float[] extend(float[] pixels, float[] targets, int pictures) {
    int classes = targets.length / pictures;
    double[] logits = network().logits(pixels, pictures);
    float[] extended = new float[2 * targets.length];
    for (int n = 0; n < pictures; n++) {
      System.arraycopy(targets, n * classes, extended, 2 * n * classes, classes);
      softmax(logits, n * classes, classes, extended, (2 * n + 1) * classes);
    }
    return extended;
  }

  private void softmax(double[] logits, int from, int classes, float[] out, int at) {
    double max = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < classes; c++) {
      max = Math.max(max, logits[from + c]);
    }
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      sum += Math.exp((logits[from + c] - max) / temperature);
    }
    for (int c = 0; c < classes; c++) {
      out[at + c] = (float) (Math.exp((logits[from + c] - max) / temperature) / sum);
    }
  }
}
