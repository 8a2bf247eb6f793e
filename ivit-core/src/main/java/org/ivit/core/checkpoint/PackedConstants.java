package org.ivit.core.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Stem;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/**
 * The tensors of version 3 ({@code docs/checkpoint.md#version-3}): weights and positions by name,
 * all other constants one after the other in {@value #NAME}, in zlib's format. They are many and
 * small: apart they would take a tenth of a small file of 4 bits.
 */
final class PackedConstants {
  /** The tensor that holds them. */
  static final String NAME = "constants";

  private PackedConstants() {}

  /** Whether a tensor is one of those packed. */
  static boolean holds(String name) {
    return !CheckpointNames.isOfWeight(name) && !name.equals(Stem.POSITION);
  }

  /** The tensors of a file of version 3. */
  static Map<String, Tensor> pack(Map<String, Tensor> tensors) {
    Map<String, Tensor> packed = new LinkedHashMap<>();
    ByteArrayOutputStream constants = new ByteArrayOutputStream();
    tensors.forEach(
        (name, tensor) -> {
          if (holds(name)) {
            ByteBuffer bytes = tensor.buffer();
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            constants.writeBytes(copy);
          } else {
            packed.put(name, tensor);
          }
        });
    byte[] deflated = deflate(constants.toByteArray());
    packed.put(NAME, Tensor.ofUnsigned(deflated, deflated.length));
    return packed;
  }

  private static byte[] deflate(byte[] bytes) {
    Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION);
    try {
      deflater.setInput(bytes);
      deflater.finish();
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      byte[] buffer = new byte[1 << 16];
      while (!deflater.finished()) {
        out.write(buffer, 0, deflater.deflate(buffer));
      }
      return out.toByteArray();
    } finally {
      deflater.end();
    }
  }

  /**
   * The tensors of a file of version 3 by name, as those of version 2 are.
   *
   * @param file as it was read
   * @param layout of its architecture
   * @throws InputException if the constants are missing, or are not those of the layout
   */
  static TensorFile unpack(TensorFile file, TensorLayout layout) {
    Tensor packed = file.tensors().get(NAME);
    if (packed == null || packed.dtype() != DType.U8 || packed.shape().length != 1) {
      throw new InputException(
          "tensor %s: %s, expected a row of U8"
              .formatted(NAME, packed == null ? "missing" : "is " + packed));
    }
    Map<String, Tensor> tensors = new LinkedHashMap<>(file.tensors());
    tensors.remove(NAME);
    for (String name : tensors.keySet()) {
      if (holds(name)) {
        throw new InputException(
            "tensor %s: unexpected beside %s, which holds it".formatted(name, NAME));
      }
    }
    ByteBuffer constants = ByteBuffer.wrap(inflate(packed.bytes(), layout.constantBytes()));
    layout
        .constants()
        .forEach(
            (name, form) -> {
              int size = Math.toIntExact(form.bytes());
              ByteBuffer slice = constants.slice(constants.position(), size);
              constants.position(constants.position() + size);
              tensors.put(name, Tensor.view(form.dtype(), slice, form.shape()));
            });
    return new TensorFile(tensors, file.metadata(), file.source());
  }

  private static byte[] inflate(byte[] deflated, long expected) {
    byte[] bytes = new byte[Math.toIntExact(expected)];
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(deflated);
      int at = 0;
      while (at < bytes.length) {
        int count = inflater.inflate(bytes, at, bytes.length - at);
        if (count == 0) {
          throw new InputException(
              "tensor %s: ends after %d bytes, expected the %d of the architecture"
                  .formatted(NAME, at, bytes.length));
        }
        at += count;
      }
      if (inflater.inflate(new byte[1]) != 0 || !inflater.finished()) {
        throw new InputException(
            "tensor %s: has more than the %d bytes of the architecture"
                .formatted(NAME, bytes.length));
      }
      if (inflater.getRemaining() != 0) {
        throw new InputException(
            "tensor %s: found %d bytes behind its end".formatted(NAME, inflater.getRemaining()));
      }
      return bytes;
    } catch (DataFormatException e) {
      throw new InputException("tensor " + NAME + ": is not in zlib's format", e);
    } finally {
      inflater.end();
    }
  }
}
