package org.ivit.export.model;

import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.PixelTable;
import org.ivit.core.checkpoint.ClassNames;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.engine.Backend;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.export.features.Features;

/** An integer graph run by an engine. */
public final class IntegerModel implements Model {
  private final ModelIdentity identity;
  private final IntegerCheckpoint checkpoint;
  private final ClassNames classes;
  private final WorkerPool pool;
  private final Engine engine;
  private final PixelTable pixels;

  /** Codes of the last batch: a new array each time would soon fill a small heap. */
  private byte[] input = new byte[0];

  /**
   * Opens an engine.
   *
   * @param config which, on what
   * @throws org.ivit.core.InputException as {@link Engines#open(org.ivit.core.graph.IntegerGraph,
   *     EngineConfig)}
   */
  public IntegerModel(ModelIdentity identity, IntegerCheckpoint checkpoint, EngineConfig config) {
    this.identity = identity;
    this.checkpoint = checkpoint;
    this.classes = ClassNames.parse(checkpoint.classes());
    this.pool = config.pool();
    this.engine = Engines.open(checkpoint.graph(), config);
    Preprocess p = checkpoint.preprocess();
    this.pixels = PixelTable.of(p.mean(), p.std(), checkpoint.graph().inputScale());
  }

  @Override
  public ModelIdentity identity() {
    return identity;
  }

  @Override
  public Architecture architecture() {
    return checkpoint.graph().architecture();
  }

  @Override
  public String engine() {
    return engine.name();
  }

  @Override
  public Backend backend() {
    return engine.backend();
  }

  @Override
  public Preprocess preprocess() {
    return checkpoint.preprocess();
  }

  @Override
  public ClassNames classes() {
    return classes;
  }

  @Override
  public Logits logits(List<Rgb> pictures) {
    return Logits.ofCodes(
        codes(pictures), checkpoint.graph().logitScale(), architecture().classes());
  }

  @Override
  public Features features(List<Rgb> pictures) {
    return Features.ofCodes(
        codes(pictures), checkpoint.graph().logitScale(), architecture().classes());
  }

  private int[] codes(List<Rgb> pictures) {
    int length = pictures.get(0).data().length;
    int size = Math.multiplyExact(length, pictures.size());
    if (input.length != size) {
      input = new byte[size];
    }
    pool.run(
        pictures.size(), i -> pixels.apply(pictures.get(i).data(), 0, input, i * length, length));
    return engine.logits(input, pictures.size());
  }

  /** Pictures as [pictures][height][width][3] bytes. */
  public static byte[] bytes(List<Rgb> pictures) {
    int length = pictures.get(0).data().length;
    byte[] rgb = new byte[Math.multiplyExact(length, pictures.size())];
    for (int i = 0; i < pictures.size(); i++) {
      System.arraycopy(pictures.get(i).data(), 0, rgb, i * length, length);
    }
    return rgb;
  }

  @Override
  public void close() {
    engine.close();
  }
}
