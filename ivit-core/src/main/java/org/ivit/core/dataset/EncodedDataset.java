package org.ivit.core.dataset;

import java.util.List;
import org.ivit.core.image.ImageDecoder;
import org.ivit.core.image.Rgb;

/** Pictures that lie somewhere as the bytes of JPEG and PNG files. */
public abstract class EncodedDataset implements Dataset {
  private final ClassList classes;

  /**
   * @param classes in the order of the labels
   */
  protected EncodedDataset(ClassList classes) {
    this.classes = classes;
  }

  /** The classes in the order of the labels, with their identifiers. */
  public final ClassList classList() {
    return classes;
  }

  @Override
  public final List<String> classNames() {
    return classes.names();
  }

  @Override
  public final List<String> classIds() {
    return classes.ids();
  }

  /**
   * The bytes of picture {@code i}, which need be no picture.
   *
   * @throws org.ivit.core.InputException naming it, if it is not there or damaged
   */
  public abstract byte[] encoded(int i);

  /** Picture {@code i} as messages call it. */
  protected abstract String describe(int i);

  @Override
  public final Rgb picture(int i) {
    return ImageDecoder.decode(encoded(i), describe(i));
  }
}
