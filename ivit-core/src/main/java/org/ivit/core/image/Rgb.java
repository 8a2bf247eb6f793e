package org.ivit.core.image;

import java.util.Arrays;

/**
 * A picture of 8-bit RGB.
 *
 * @param width pixels a row, at least 1
 * @param height rows, at least 1
 * @param data [height][width][3] unsigned bytes; held, not copied: whoever shares a picture does
 *     not write to it
 */
@SuppressWarnings("ArrayRecordComponent")
public record Rgb(int width, int height, byte[] data) {
  /** Checks the sizes. */
  public Rgb {
    if (width < 1 || height < 1 || data.length != 3L * width * height) {
      throw new IllegalArgumentException(
          "a picture of " + width + "x" + height + " with " + data.length + " bytes");
    }
  }

  /** The value 0…255 of one channel of one pixel. */
  public int at(int x, int y, int channel) {
    return data[(y * width + x) * 3 + channel] & 0xff;
  }

  /** A copy of the rectangle whose left upper corner is (x, y); it must lie inside. */
  public Rgb crop(int x, int y, int cropWidth, int cropHeight) {
    if (x < 0 || y < 0 || x > width - cropWidth || y > height - cropHeight) {
      throw new IllegalArgumentException(
          "rectangle " + x + "," + y + " " + cropWidth + "x" + cropHeight + " outside " + this);
    }
    byte[] out = new byte[3 * cropWidth * cropHeight];
    for (int row = 0; row < cropHeight; row++) {
      System.arraycopy(data, ((y + row) * width + x) * 3, out, row * cropWidth * 3, cropWidth * 3);
    }
    return new Rgb(cropWidth, cropHeight, out);
  }

  /** A mirrored copy, left and right exchanged. */
  public Rgb flipped() {
    byte[] out = new byte[data.length];
    for (int y = 0; y < height; y++) {
      int row = y * width * 3;
      for (int x = 0; x < width; x++) {
        int from = row + x * 3;
        int to = row + (width - 1 - x) * 3;
        out[to] = data[from];
        out[to + 1] = data[from + 1];
        out[to + 2] = data[from + 2];
      }
    }
    return new Rgb(width, height, out);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Rgb that
        && width == that.width
        && height == that.height
        && Arrays.equals(data, that.data);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * width + height) + Arrays.hashCode(data);
  }

  @Override
  public String toString() {
    return "Rgb[" + width + "x" + height + "]";
  }
}
