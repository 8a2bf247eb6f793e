package org.ivit.serve.model;

import java.util.List;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.model.ImageModel;
import org.ivit.core.model.ModelInfo;
import org.ivit.core.model.ModelOptions;
import org.ivit.core.model.Picture;

/** An integer checkpoint run by an engine. */
final class IntegerRunner implements Runner {
  private final ImageModel model;
  private final ModelDescription description;

  IntegerRunner(IntegerCheckpoint checkpoint, ModelOptions options, long bytes) {
    this.model = ImageModel.open(checkpoint, options);
    ModelInfo info = model.info();
    this.description =
        new ModelDescription(
            true,
            info.name(),
            info.family(),
            info.answer(),
            info.classes(),
            info.outputs(),
            info.outputScale(),
            info.preprocess(),
            info.engine(),
            info.backend(),
            bytes,
            Layer.of(checkpoint.graph()));
  }

  @Override
  public ModelDescription description() {
    return description;
  }

  @Override
  public int batchesAtOnce() {
    return 2;
  }

  @Override
  public List<Answer> run(List<Input> inputs) {
    return model.answers(inputs.stream().map(IntegerRunner::picture).toList()).stream()
        .map(codes -> Answer.ofCodes(codes, description.scale()))
        .toList();
  }

  private static Picture picture(Input input) {
    return input instanceof Input.Pixels pixels
        ? Picture.transformed(pixels.size(), pixels.rgb(), pixels.from())
        : Picture.normalised(((Input.Normalised) input).values());
  }

  @Override
  public void close() {
    model.close();
  }
}
