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
   * The same for another number of classes.
   *
   * @param count at least 1
   */
  Family withClasses(int count);

  /**
   * The same for pictures of another size; the name says so.
   *
   * @param size height and width in pixels
   * @throws org.ivit.core.InputException if patches or windows do not divide it
   */
  Family withImage(int size);
}
