package org.ivit.core.dataset;

import java.util.List;
import org.ivit.core.image.Rgb;

/** Labelled pictures in a fixed order. Safe for use by several threads. */
public interface Dataset extends AutoCloseable {
  /** How many pictures there are. */
  int size();

  /** How many classes the labels count, whether or not each has pictures. */
  default int classes() {
    return classNames().size();
  }

  /** A readable name for each class, in the order of the labels. */
  List<String> classNames();

  /** The identifier of each class, such as the name of its folder: the readable name if none. */
  default List<String> classIds() {
    return classNames();
  }

  /** The name of picture {@code i}: for files the path below the root, with {@code /} in it. */
  String name(int i);

  /** The class of picture {@code i}, from 0. */
  int label(int i);

  /**
   * Picture {@code i}, decoded or drawn anew at each call.
   *
   * @throws org.ivit.core.InputException naming the file, if it cannot be read or is corrupt
   */
  Rgb picture(int i);

  /** Gives back files held open, if any. */
  @Override
  default void close() {}
}
