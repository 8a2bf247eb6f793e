package org.ivit.train.loading;

import java.util.List;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.image.Rgb;

/**
 * A set several times over: index {@code i + k·size} is sight k of picture i. Closing it leaves the
 * set open.
 */
public record RepeatedPictures(Dataset base, int repeats) implements Dataset {
  @Override
  public int size() {
    return Math.multiplyExact(base.size(), repeats);
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
    return base.name(i % base.size());
  }

  @Override
  public int label(int i) {
    return base.label(i % base.size());
  }

  @Override
  public Rgb picture(int i) {
    return base.picture(i % base.size());
  }

  @Override
  public void close() {}
}
