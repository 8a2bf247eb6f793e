package org.ivit.core.dataset;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.ivit.core.InputException;
import org.ivit.core.image.Rgb;
import org.ivit.core.io.FileFailures;

/**
 * CIFAR-10's binary batches: records of one label byte and 3072 bytes, [3][32][32], red first. The
 * classes are in the published order, which is alphabetical too.
 */
public final class Cifar10 implements Dataset {
  /** Side of the pictures in pixels. */
  public static final int SIZE = 32;

  /** The published classes. */
  public static final List<String> CLASSES =
      List.of(
          "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");

  private static final int PLANE = SIZE * SIZE;
  private static final int RECORD = 1 + 3 * PLANE;

  private final List<String> names = new ArrayList<>();
  private final List<MappedByteBuffer> batches = new ArrayList<>();
  private final List<Integer> starts = new ArrayList<>();
  private int size;

  /**
   * Batches one after another.
   *
   * @throws InputException naming a file that is missing, has no whole number of records, or has a
   *     label above 9
   */
  public Cifar10(List<Path> files) {
    for (Path file : files) {
      add(file);
    }
  }

  /** The five training batches of a folder. */
  public static Cifar10 train(Path folder) {
    List<Path> files = new ArrayList<>();
    for (int i = 1; i <= 5; i++) {
      files.add(folder.resolve("data_batch_" + i + ".bin"));
    }
    return new Cifar10(files);
  }

  /** The test batch of a folder. */
  public static Cifar10 test(Path folder) {
    return new Cifar10(List.of(folder.resolve("test_batch.bin")));
  }

  private void add(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new InputException(file + ": no such CIFAR-10 batch");
    }
    MappedByteBuffer data;
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long length = channel.size();
      if (length == 0 || length % RECORD != 0 || length > Integer.MAX_VALUE) {
        throw new InputException(
            "%s: found %s bytes, expected a multiple of %s, the size of a CIFAR-10 record"
                .formatted(file, length, RECORD));
      }
      data = channel.map(FileChannel.MapMode.READ_ONLY, 0, length);
    } catch (IOException e) {
      throw new InputException(file + ": cannot be read: " + FileFailures.reason(e), e);
    }
    String base = String.valueOf(file.getFileName());
    int records = data.capacity() / RECORD;
    for (int i = 0; i < records; i++) {
      int label = data.get(i * RECORD) & 0xff;
      if (label >= CLASSES.size()) {
        throw new InputException(
            file + ": record " + i + " has the label " + label + ", expected 0 to 9");
      }
      names.add(String.format(Locale.ROOT, "%s/%05d", base, i));
    }
    starts.add(size);
    batches.add(data);
    size += records;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public List<String> classNames() {
    return CLASSES;
  }

  @Override
  public String name(int i) {
    return names.get(i);
  }

  @Override
  public int label(int i) {
    int batch = batch(i);
    return batches.get(batch).get((i - starts.get(batch)) * RECORD);
  }

  @Override
  public Rgb picture(int i) {
    int batch = batch(i);
    byte[] planes = new byte[3 * PLANE];
    batches.get(batch).get((i - starts.get(batch)) * RECORD + 1, planes);
    byte[] data = new byte[3 * PLANE];
    for (int p = 0; p < PLANE; p++) {
      data[3 * p] = planes[p];
      data[3 * p + 1] = planes[PLANE + p];
      data[3 * p + 2] = planes[2 * PLANE + p];
    }
    return new Rgb(SIZE, SIZE, data);
  }

  private int batch(int i) {
    Objects.checkIndex(i, size);
    int batch = batches.size() - 1;
    while (starts.get(batch) > i) {
      batch--;
    }
    return batch;
  }
}
