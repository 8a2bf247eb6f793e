package org.ivit.export.model;

import java.util.List;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.ClassNames;
import org.ivit.core.engine.Backend;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.export.features.Features;

/**
 * A model that can be asked for the logits or the features of pictures, whatever it is made of. For
 * one thread at a time.
 */
public interface Model extends AutoCloseable {
  /** What identifies it. */
  ModelIdentity identity();

  /** Sizes; the number of classes is among them. */
  Architecture architecture();

  /** What it answers with: logits or features. */
  default Answer answer() {
    return architecture().answer();
  }

  /** What runs it, such as {@code cpu}, {@code reference} or {@code float}. */
  String engine();

  /** Which kernels run it, why, and on which processor. */
  Backend backend();

  /** How it wants its pictures. */
  Preprocess preprocess();

  /** Its classes; {@link ClassNames#UNKNOWN} where it does not name them. */
  ClassNames classes();

  /**
   * The logits of a batch, of a model that answers with classes.
   *
   * @param pictures at least one, each crop × crop
   */
  Logits logits(List<Rgb> pictures);

  /**
   * The features of a batch, of a model that answers with them.
   *
   * @param pictures at least one, each crop × crop
   */
  Features features(List<Rgb> pictures);

  /** Frees what it holds. */
  @Override
  void close();
}
