package org.ivit.core.arithmetic;

import java.net.URISyntaxException;
import java.nio.file.Path;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.TensorFile;

/** The golden tensors of the operators, in the test resources. */
final class GoldenOps {
  private final TensorFile file;

  GoldenOps(TensorFile file) {
    this.file = file;
  }

  static GoldenOps of(String operator) {
    try {
      return new GoldenOps(
          Safetensors.read(
              Path.of(
                  GoldenOps.class
                      .getResource("/golden/ops/" + operator + ".safetensors")
                      .toURI())));
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  boolean has(String name) {
    return file.tensors().containsKey(name);
  }

  int rows(String name) {
    return (int) file.get(name).shape()[0];
  }

  int columns(String name) {
    return (int) file.get(name).shape()[1];
  }

  byte[] bytes(String name) {
    return file.get(name).bytes();
  }

  short[] shorts(String name) {
    return file.get(name).shorts();
  }

  int[] ints(String name) {
    return file.get(name).ints();
  }

  long[] longs(String name) {
    return file.get(name).longs();
  }

  float[] floats(String name) {
    return file.get(name).floats();
  }

  double[] doubles(String name) {
    return file.get(name).doubles();
  }

  /** The single element of a float32 tensor. */
  float scalar(String name) {
    return floats(name)[0];
  }

  /** The single element of an I64 tensor. */
  int integer(String name) {
    return (int) longs(name)[0];
  }
}
