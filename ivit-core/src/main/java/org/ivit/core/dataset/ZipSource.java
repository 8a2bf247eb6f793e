package org.ivit.core.dataset;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.ivit.core.InputException;
import org.ivit.core.io.FileFailures;

/** The files below one folder of a ZIP file, read in place; their check sums are verified. */
final class ZipSource implements PictureSource {
  /** No picture file is larger; an entry that claims to be is not unpacked. */
  private static final long MAX_BYTES = 1L << 30;

  private final Path file;
  private final String prefix;
  private final ZipFile zip;
  private final Map<String, List<String>> files = new TreeMap<>();

  /**
   * @param prefix the folder inside, "" for the root, else without a slash at either end
   */
  ZipSource(Path file, String prefix) {
    this.file = file;
    this.prefix = prefix.isEmpty() ? "" : prefix + "/";
    try {
      this.zip = new ZipFile(file.toFile());
    } catch (IOException e) {
      throw new InputException(
          file + ": the ZIP file cannot be read: " + FileFailures.reason(e), e);
    }
    files.put("", new ArrayList<>());
    boolean found = false;
    for (Enumeration<? extends ZipEntry> entries = zip.entries(); entries.hasMoreElements(); ) {
      String name = entries.nextElement().getName();
      if (name.startsWith(this.prefix)) {
        found = true;
        add(name.substring(this.prefix.length()));
      }
    }
    if (!found) {
      close();
      throw new InputException(file + ": found no folder '" + prefix + "' in it");
    }
  }

  private void add(String path) {
    int slash = path.indexOf('/');
    String folder = slash < 0 ? "" : path.substring(0, slash);
    String name = path.substring(slash + 1);
    if (Stream.of(path.split("/")).anyMatch(PictureSource::isHidden)) {
      return;
    }
    List<String> names = files.computeIfAbsent(folder, f -> new ArrayList<>());
    if (!name.isEmpty() && !name.endsWith("/")) {
      names.add(name);
    }
  }

  @Override
  public String root() {
    return file + (prefix.isEmpty() ? "" : "/" + prefix.substring(0, prefix.length() - 1));
  }

  @Override
  public List<String> folders() {
    return files.keySet().stream().filter(f -> !f.isEmpty()).toList();
  }

  @Override
  public List<String> files(String folder) {
    return files.getOrDefault(folder, List.of());
  }

  @Override
  public byte[] read(String path) {
    ZipEntry entry = zip.getEntry(prefix + path);
    if (entry == null) {
      throw new InputException(describe(path) + ": no such file in the ZIP file");
    }
    if (entry.getSize() > MAX_BYTES) {
      throw new InputException(describe(path) + ": claims " + entry.getSize() + " bytes");
    }
    byte[] bytes;
    try (InputStream in = zip.getInputStream(entry)) {
      bytes = in.readNBytes((int) MAX_BYTES);
    } catch (IOException e) {
      throw new InputException(describe(path) + ": cannot be read: " + FileFailures.reason(e), e);
    }
    CRC32 sum = new CRC32();
    sum.update(bytes);
    if (sum.getValue() != entry.getCrc()) {
      throw new InputException(describe(path) + ": the ZIP file's check sum does not match");
    }
    return bytes;
  }

  @Override
  public void close() {
    try {
      zip.close();
    } catch (IOException e) {
      throw new InputException(file + ": cannot be closed: " + FileFailures.reason(e), e);
    }
  }
}
