package org.ivit.djl;

import ai.djl.Device;
import ai.djl.Model;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.ObservedModel;

/** Checkpoints of random models for pictures of 8×8, and what the reference engine answers. */
final class SmallModels {
  static final int SIDE = 8;

  /** Shorter sides become 10, of which 8 are cut. */
  static final Preprocess PREPROCESS = Preprocess.imagenet(10, SIDE);

  private SmallModels() {}

  private static IntegerGraph graph(int classes) {
    return ObservedModel.graph(
        new Vit("small", SIDE, 4, 8, 1, 2, 16, classes, 1e-6).architecture(),
        Scheme.EXACT,
        new Random(3));
  }

  /** A model of three classes. */
  static IntegerCheckpoint classifier(Preprocess preprocess) {
    return new IntegerCheckpoint(
        graph(3), preprocess, List.of("n1\tcat", "n2\tdog", "n3\tcat"), Provenance.UNKNOWN);
  }

  /** A model of features. */
  static IntegerCheckpoint features() {
    return new IntegerCheckpoint(graph(0), PREPROCESS, List.of(), Provenance.UNKNOWN);
  }

  /** Writes a checkpoint of three classes. */
  static Path write(Path folder, String name) {
    return write(folder, name, classifier(PREPROCESS));
  }

  static Path write(Path folder, String name, IntegerCheckpoint checkpoint) {
    Path file = folder.resolve(name + ".ivit.safetensors");
    CheckpointFile.write(file, checkpoint);
    return file;
  }

  /** A loaded model; close it. */
  static Model load(Path file) throws Exception {
    Model model = Model.newInstance("small", Device.cpu(), IvitEngine.NAME);
    model.load(file);
    return model;
  }

  /** A picture of noise. */
  static Rgb noise(int width, int height, int seed) {
    byte[] data = new byte[3 * width * height];
    new Random(seed).nextBytes(data);
    return new Rgb(width, height, data);
  }

  /** The same for DJL. */
  static BufferedImage buffered(Rgb picture) {
    BufferedImage image =
        new BufferedImage(picture.width(), picture.height(), BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < picture.height(); y++) {
      for (int x = 0; x < picture.width(); x++) {
        image.setRGB(
            x, y, picture.at(x, y, 0) << 16 | picture.at(x, y, 1) << 8 | picture.at(x, y, 2));
      }
    }
    return image;
  }

  /**
   * What the reference engine answers to pictures, by the model's transform.
   *
   * @return [pictures][classes] answers times their scale
   */
  static float[] expected(IntegerCheckpoint checkpoint, Rgb... pictures) {
    EvaluationTransform transform = new EvaluationTransform(checkpoint.preprocess());
    IntegerGraph graph = checkpoint.graph();
    int classes = graph.architecture().classes();
    float[] values = new float[pictures.length * classes];
    try (Engine engine = Engines.open(graph, "reference")) {
      for (int n = 0; n < pictures.length; n++) {
        int[] answer =
            engine.logits(
                Quantizer.codes8("input", transform.normalised(pictures[n]), graph.inputScale()),
                1);
        for (int c = 0; c < classes; c++) {
          values[n * classes + c] = answer[c] * graph.logitScale();
        }
      }
    }
    return values;
  }
}
