package org.ivit.core.arithmetic;

import org.ivit.core.InputException;

/**
 * Input codes of 8-bit pixels ({@code docs/arithmetic.md#from-float-to-codes}): a table of 256
 * codes a channel, so an engine normalises and quantizes a picture without floating point.
 *
 * @param codes [3][256]
 */
public record PixelTable(byte[][] codes) {

  /**
   * @param mean mean of each channel, on the scale 0 to 1
   * @param std standard deviation of each channel, on the scale 0 to 1
   * @param inputScale scale of the input codes
   * @return the table
   */
  public static PixelTable of(float[] mean, float[] std, float inputScale) {
    if (mean.length != 3 || std.length != 3) {
      throw new InputException(
          "preprocess: found %s means and %s standard deviations, expected 3 of each"
              .formatted(mean.length, std.length));
    }
    byte[][] codes = new byte[3][];
    for (int c = 0; c < 3; c++) {
      codes[c] = Quantizer.pixelTable(mean[c], std[c], inputScale);
    }
    return new PixelTable(codes);
  }

  /**
   * @param rgb pictures, u8, [pictures][height][width][3]
   * @param pictures number of pictures
   * @return input codes, [pictures][3][height][width]
   */
  public byte[] apply(byte[] rgb, int pictures) {
    int length = rgb.length / pictures;
    byte[] out = new byte[rgb.length];
    for (int n = 0; n < pictures; n++) {
      apply(rgb, n * length, out, n * length, length);
    }
    return out;
  }

  /**
   * @param rgb a picture, u8, [height][width][3], from {@code from} on
   * @param out where its codes go from {@code to} on, [3][height][width]
   * @param length of both, 3 bytes a pixel
   */
  public void apply(byte[] rgb, int from, byte[] out, int to, int length) {
    int pixels = length / 3;
    byte[] red = codes[0];
    byte[] green = codes[1];
    byte[] blue = codes[2];
    for (int p = 0; p < pixels; p++) {
      int at = from + 3 * p;
      out[to + p] = red[rgb[at] & 0xFF];
      out[to + pixels + p] = green[rgb[at + 1] & 0xFF];
      out[to + 2 * pixels + p] = blue[rgb[at + 2] & 0xFF];
    }
  }
}
