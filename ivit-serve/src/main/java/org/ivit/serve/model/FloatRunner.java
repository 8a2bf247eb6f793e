package org.ivit.serve.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.image.Normalisation;
import org.ivit.core.model.ClassLabel;
import org.ivit.export.model.FloatModel;

/** Float weights run by the training network. */
final class FloatRunner implements Runner {
  private final FloatModel model;
  private final Normalisation normalisation;
  private final ModelDescription description;

  FloatRunner(FloatModel model, long bytes) {
    this.model = model;
    this.normalisation = new Normalisation(model.preprocess());
    Architecture architecture = model.architecture();
    this.description =
        new ModelDescription(
            false,
            architecture.name(),
            architecture.family(),
            model.answer(),
            ClassLabel.of(model.classes().toList(architecture)),
            architecture.classes(),
            1,
            model.preprocess(),
            model.engine(),
            model.backend(),
            bytes,
            Layer.of(architecture));
  }

  @Override
  public ModelDescription description() {
    return description;
  }

  @Override
  public List<Answer> run(List<Input> inputs) {
    int size = 3 * model.preprocess().crop().area();
    float[] pixels = new float[Math.multiplyExact(size, inputs.size())];
    for (int i = 0; i < inputs.size(); i++) {
      if (inputs.get(i) instanceof Input.Normalised normalised) {
        System.arraycopy(normalised.values(), 0, pixels, i * size, size);
      } else {
        normalisation.apply(((Input.Pixels) inputs.get(i)).picture(), pixels, i * size);
      }
    }
    float[] values = model.values(pixels, inputs.size());
    int width = values.length / inputs.size();
    List<Answer> answers = new ArrayList<>(inputs.size());
    for (int at = 0; at < values.length; at += width) {
      answers.add(Answer.ofValues(Arrays.copyOfRange(values, at, at + width)));
    }
    return answers;
  }

  @Override
  public void close() {
    model.close();
  }
}
