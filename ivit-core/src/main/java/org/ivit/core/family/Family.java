package org.ivit.core.family;

import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;

/** The sizes of a member of a family of models, from which its chain of parts follows. */
public interface Family {
  /** The timm name, or what an inline description calls itself. */
  String name();

  /** Size of the picture in pixels. */
  Size image();

  /** Number of classes; 0 where the answer is a feature of tokens. */
  int classes();

  /** Makes the chain of parts. */
  Architecture architecture();

  /**
   * The same for pictures of another size, which the name says, and another number of classes.
   *
   * @param size in pixels
   * @param count number of classes; 0 for features
   * @throws org.ivit.core.InputException if patches or windows do not divide the size
   */
  Family with(Size size, int count);
}
