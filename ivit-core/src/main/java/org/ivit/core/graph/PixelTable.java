package org.ivit.core.graph;

import org.ivit.core.InputException;
import org.ivit.core.arithmetic.Quantizer;

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
    int pixels = rgb.length / (3 * pictures);
    byte[] out = new byte[rgb.length];
    for (int n = 0; n < pictures; n++) {
      int base = n * 3 * pixels;
      for (int c = 0; c < 3; c++) {
        byte[] table = codes[c];
        for (int p = 0; p < pixels; p++) {
          out[base + c * pixels + p] = table[rgb[base + 3 * p + c] & 0xFF];
        }
      }
    }
    return out;
  }
}
