package org.ivit.export.model;

import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.ClassNames;
import org.ivit.core.engine.Backend;
import org.ivit.core.engine.Processor;
import org.ivit.core.image.Normalisation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.export.features.Features;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.TransformerNetwork;

/** Float weights run by the training network in float precision. */
public final class FloatModel implements Model {
  private final ModelIdentity identity;
  private final Architecture architecture;
  private final Preprocess preprocess;
  private final ClassNames classes;
  private final Normalisation normalisation;
  private final WorkerPool pool;
  private final TransformerNetwork network;

  /**
   * Builds the network.
   *
   * @param pool the threads to use
   */
  public FloatModel(FloatSource source, WorkerPool pool) {
    this.pool = pool;
    this.identity = source.identity();
    this.architecture = source.architecture();
    this.preprocess = source.preprocess();
    this.classes = source.classes();
    this.normalisation = new Normalisation(preprocess);
    this.network = TransformerNetwork.build(NetworkOptions.inference(architecture, null), pool);
    network.load(source.weights());
  }

  @Override
  public ModelIdentity identity() {
    return identity;
  }

  @Override
  public Architecture architecture() {
    return architecture;
  }

  @Override
  public String engine() {
    return "float";
  }

  @Override
  public Backend backend() {
    return new Backend("float", "a network in float32", Processor.name(), pool.threads());
  }

  @Override
  public Preprocess preprocess() {
    return preprocess;
  }

  @Override
  public ClassNames classes() {
    return classes;
  }

  @Override
  public Logits logits(List<Rgb> pictures) {
    return Logits.ofValues(values(pictures), architecture.classes());
  }

  @Override
  public Features features(List<Rgb> pictures) {
    return Features.ofValues(values(pictures), architecture.classes());
  }

  private float[] values(List<Rgb> pictures) {
    return values(normalisation.apply(pictures), pictures.size());
  }

  /**
   * The answers to pictures that were normalised already.
   *
   * @param pixels [pictures][3][height][width]
   * @param pictures at least 1
   * @return [pictures][classes], or channels of a feature
   */
  public float[] values(float[] pixels, int pictures) {
    double[] answers = network.logits(pixels, pictures);
    float[] values = new float[answers.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) answers[i];
    }
    return values;
  }

  @Override
  public void close() {
    network.graph().clear();
  }
}
