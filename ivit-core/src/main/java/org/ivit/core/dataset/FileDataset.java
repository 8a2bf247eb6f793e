package org.ivit.core.dataset;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.ivit.core.image.ImageDecoder;
import org.ivit.core.image.Rgb;

/** Picture files with labels, sorted by path. */
final class FileDataset implements Dataset {
  /** One file: its path below the root and its class. */
  record Item(String path, int label) {}

  private final PictureSource source;
  private final List<String> classNames;
  private final List<Item> items;

  FileDataset(PictureSource source, List<String> classNames, List<Item> items) {
    this.source = source;
    this.classNames = List.copyOf(classNames);
    List<Item> sorted = new ArrayList<>(items);
    sorted.sort(Comparator.comparing(Item::path));
    this.items = List.copyOf(sorted);
  }

  @Override
  public int size() {
    return items.size();
  }

  @Override
  public List<String> classNames() {
    return classNames;
  }

  @Override
  public String name(int i) {
    return items.get(i).path();
  }

  @Override
  public int label(int i) {
    return items.get(i).label();
  }

  @Override
  public Rgb picture(int i) {
    String path = items.get(i).path();
    return ImageDecoder.decode(source.read(path), source.describe(path));
  }

  @Override
  public void close() {
    source.close();
  }
}
