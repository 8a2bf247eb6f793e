package org.ivit.core.dataset;

import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.ivit.core.image.Rgb;

/**
 * Some pictures of a set, in their order there, with its classes. Closing it leaves the set open.
 */
public final class Subset implements Dataset {
  private final Dataset base;
  private final int[] indices;

  private Subset(Dataset base, int[] indices) {
    this.base = base;
    this.indices = indices;
  }

  /** The pictures whose index the predicate takes. */
  public static Subset where(Dataset base, IntPredicate index) {
    return new Subset(base, IntStream.range(0, base.size()).filter(index).toArray());
  }

  /** The first pictures, or all where there are fewer. */
  public static Subset first(Dataset base, int count) {
    return where(base, i -> i < count);
  }

  @Override
  public int size() {
    return indices.length;
  }

  @Override
  public int classes() {
    return base.classes();
  }

  @Override
  public List<String> classNames() {
    return base.classNames();
  }

  @Override
  public List<String> classIds() {
    return base.classIds();
  }

  @Override
  public String name(int i) {
    return base.name(indices[i]);
  }

  @Override
  public int label(int i) {
    return base.label(indices[i]);
  }

  @Override
  public Rgb picture(int i) {
    return base.picture(indices[i]);
  }
}
