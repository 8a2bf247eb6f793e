package org.ivit.core.tensor;

import java.io.Closeable;
import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.io.FileFailures;

/**
 * What a file of tensors holds, before it is known which of them are wanted: names, and tensors
 * that are read one by one. A name is the path to the tensor: where a checkpoint nests maps, their
 * keys joined with dots, such as {@code model.blocks.0.norm1.weight}.
 */
public final class TensorContents implements Closeable {
  /** Reads one tensor. */
  interface Reader {
    Tensor read() throws IOException;
  }

  private final String source;
  private final String format;
  private final Map<String, String> metadata;
  private final Map<String, Reader> readers;
  private final Map<String, String> others;
  private final Closeable file;

  /**
   * @param format what kind of file it is, for people
   * @param others what is there that is no tensor, or none of a known type, by path
   * @param file is open as long as tensors are read; null for none
   */
  TensorContents(
      String source,
      String format,
      Map<String, String> metadata,
      Map<String, Reader> readers,
      Map<String, String> others,
      Closeable file) {
    this.source = source;
    this.format = format;
    this.metadata = metadata;
    this.readers = readers;
    this.others = others;
    this.file = file;
  }

  static TensorContents of(String format, TensorFile tensors, Map<String, String> others) {
    Map<String, Reader> readers = new LinkedHashMap<>();
    tensors.tensors().forEach((name, tensor) -> readers.put(name, () -> tensor));
    return new TensorContents(
        tensors.source(), format, tensors.metadata(), readers, others, () -> {});
  }

  /** Whether tensors are read from a file that must stay open for it. */
  boolean reads(Closeable open) {
    return file == open;
  }

  /** The file, as messages call it. */
  public String source() {
    return source;
  }

  /** What kind of file it is, for people: {@code PyTorch checkpoint}, {@code safetensors}, … */
  public String format() {
    return format;
  }

  /** Free text by key; only safetensors have it. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** The paths of all tensors, in the order of the file. */
  public Set<String> names() {
    return Collections.unmodifiableSet(readers.keySet());
  }

  /**
   * What else lies there by path: the class of an object, or the type of a tensor that is not read.
   */
  public Map<String, String> others() {
    return Collections.unmodifiableMap(others);
  }

  /**
   * Reads a tensor; it stays valid after closing.
   *
   * @param name one of {@link #names}
   * @throws InputException if the file is damaged there, or has no such tensor
   */
  public Tensor read(String name) {
    Reader reader = readers.get(name);
    if (reader == null) {
      throw new InputException(
          "%s: no tensor %s among its %d"
              .formatted(source, MessageText.quote(name), readers.size()));
    }
    try {
      return reader.read();
    } catch (IOException e) {
      throw new InputException(source + ": cannot be read: " + FileFailures.reason(e), e);
    }
  }

  /** Reads all tensors. */
  public TensorFile all() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    names().forEach(name -> tensors.put(name, read(name)));
    return new TensorFile(tensors, metadata, source);
  }

  @Override
  public void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw new InputException(source + ": cannot be read: " + FileFailures.reason(e), e);
    }
  }
}
