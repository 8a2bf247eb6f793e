package org.ivit.train.device.pass;

import org.ivit.train.device.memory.DeviceBuffers;

/**
 * The first tokens of pictures, which the next part reads.
 *
 * @param count how many
 * @param of tokens of a picture
 * @param channels of a token
 */
public record FirstTokens(int count, int of, int channels) {
  /**
   * Takes them, one picture after the other.
   *
   * @param memory of the copy where there are more tokens, under the name {@code tokens}
   * @param bytes of an element: 2 or 4
   * @param x address of [pictures][of][channels]
   * @return address of [pictures][count][channels]
   */
  public long take(Pass pass, DeviceBuffers memory, int bytes, long x, int pictures) {
    if (count == of) {
      return x;
    }
    long tokens = memory.of("tokens", (long) pictures * count * channels, bytes);
    RowGather.slice(pass, bytes, x, tokens, pictures, 0, count, of, channels);
    return tokens;
  }

  /**
   * The gradient by all tokens: 0 by those that nobody read.
   *
   * @param memory of it, under the name {@code gx}
   * @param g address of the gradient by the first tokens, float32, [pictures][count][channels]
   * @return address of [pictures][of][channels]
   */
  public long gradient(Pass pass, DeviceBuffers memory, long g, int pictures) {
    if (count == of) {
      return g;
    }
    long size = (long) pictures * of * channels;
    long gx = memory.of("gx", size, 4);
    pass.clear(gx, size);
    RowGather.spread(pass, 4, g, gx, pictures, count, of, channels);
    return gx;
  }
}
