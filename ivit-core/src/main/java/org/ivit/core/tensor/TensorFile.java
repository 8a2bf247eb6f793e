package org.ivit.core.tensor;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.InputException;

/**
 * Named tensors and text beside them.
 *
 * @param tensors by name, in the order of the file
 * @param metadata free text by key
 * @param source what messages call it: the file's path
 */
public record TensorFile(Map<String, Tensor> tensors, Map<String, String> metadata, String source) {
  /** Keeps the order of both maps and makes them unmodifiable. */
  public TensorFile {
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
  }

  /** Tensors that come from no file. */
  public TensorFile(Map<String, Tensor> tensors, Map<String, String> metadata) {
    this(tensors, metadata, "tensors in memory");
  }

  /**
   * Finds a tensor that must be there.
   *
   * @param name a tensor's name
   * @return the tensor
   * @throws InputException naming file and tensor, if there is none
   */
  public Tensor get(String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new InputException(
          "%s: no tensor %s among its %d".formatted(source, name, tensors.size()));
    }
    return tensor;
  }
}
