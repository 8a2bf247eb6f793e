package org.ivit.core.architecture;

/** The sizes of a member of a family of models, from which its chain of parts follows. */
public interface Family {
  /** The timm name, or what an inline description calls itself. */
  String name();

  /** Height and width of the picture in pixels. */
  int image();

  /** Number of classes. */
  int classes();

  /** Makes the chain of parts. */
  Architecture architecture();

  /**
   * The same for pictures of another size, which the name says, and another number of classes.
   *
   * @param size height and width in pixels
   * @param count at least 1
   * @throws org.ivit.core.InputException if patches or windows do not divide the size
   */
  Family with(int size, int count);
}
