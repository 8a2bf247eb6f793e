package org.ivit.core.engine.jni;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The sets of native kernels, as the list {@code kernel_sets} beside the C has them. */
public final class KernelSets {
  /** The set in portable C, which any processor runs and which is slower than portable Java. */
  public static final String PORTABLE = "c";

  private static final String ENGINE = "engine";
  private static final String TRAINING = "training";

  private record Entry(String kind, String name, String processor) {}

  private static final List<Entry> ENTRIES = read();

  private KernelSets() {}

  /** Returns the engine's sets for every processor, fastest first, the portable one among them. */
  public static List<String> all() {
    return ENTRIES.stream().filter(entry -> entry.kind().equals(ENGINE)).map(Entry::name).toList();
  }

  /**
   * Returns the engine's sets that a build for this kind of processor may have, fastest first,
   * without the portable one.
   */
  public static List<String> fast() {
    return fast(ENGINE);
  }

  /** The same for the row kernels of training. */
  public static List<String> fastTraining() {
    return fast(TRAINING);
  }

  private static List<String> fast(String kind) {
    return ENTRIES.stream()
        .filter(entry -> entry.kind().equals(kind))
        .filter(entry -> entry.processor().equals(Platform.here().processor()))
        .map(Entry::name)
        .toList();
  }

  private static List<Entry> read() {
    try (InputStream in = KernelSets.class.getResourceAsStream("kernel_sets")) {
      if (in == null) {
        throw new IOException("kernel_sets is not in this jar");
      }
      List<Entry> entries = new ArrayList<>();
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n", -1)) {
        String[] words = line.strip().split("\\s+", 4);
        if (words.length == 4 && !words[0].equals("#")) {
          entries.add(new Entry(words[0], words[1], words[2]));
        }
      }
      return List.copyOf(entries);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
