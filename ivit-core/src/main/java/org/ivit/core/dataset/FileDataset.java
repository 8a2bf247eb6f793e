package org.ivit.core.dataset;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Picture files with labels, sorted by path. */
final class FileDataset extends EncodedDataset {
  /** One file: its path below the root and its class. */
  record Item(String path, int label) {}

  private final PictureSource source;
  private final List<Item> items;

  FileDataset(PictureSource source, ClassList classes, List<Item> items) {
    super(classes);
    this.source = source;
    List<Item> sorted = new ArrayList<>(items);
    sorted.sort(Comparator.comparing(Item::path));
    this.items = List.copyOf(sorted);
  }

  @Override
  public int size() {
    return items.size();
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
  public byte[] encoded(int i) {
    return source.read(items.get(i).path());
  }

  @Override
  protected String describe(int i) {
    return source.describe(items.get(i).path());
  }

  @Override
  public void close() {
    source.close();
  }
}
