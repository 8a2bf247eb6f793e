package org.ivit.export.model;

import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.engine.Backend;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;

/**
 * A model that can be asked for the logits of pictures, whatever it is made of. For one thread at a
 * time.
 */
public interface Model extends AutoCloseable {
  /** What identifies it. */
  ModelIdentity identity();

  /** Sizes; the number of classes is among them. */
  Architecture architecture();

  /** What runs it, such as {@code cpu}, {@code reference} or {@code float}. */
  String engine();

  /** Which kernels run it, why, and on which processor. */
  Backend backend();

  /** How it wants its pictures. */
  Preprocess preprocess();

  /** Its classes; {@link ClassNames#UNKNOWN} where it does not name them. */
  ClassNames classes();

  /**
   * The logits of a batch.
   *
   * @param pictures at least one, each crop × crop
   */
  Logits logits(List<Rgb> pictures);

  /** Frees what it holds. */
  @Override
  void close();
}
