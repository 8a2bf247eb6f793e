package org.ivit.core.image;

import java.util.List;

/** Bytes to the float32 values that a network reads: {@code ((p/255) − mean[c]) / std[c]}. */
public final class Normalisation {
  private final float[][] table = new float[3][256];
  private final float[] mean;
  private final float[] std;

  /** Makes the 256 values of each channel, each operation rounded to float32. */
  public Normalisation(float[] mean, float[] std) {
    this.mean = mean.clone();
    this.std = std.clone();
    for (int c = 0; c < 3; c++) {
      for (int p = 0; p < 256; p++) {
        float value = p / 255f;
        value = value - mean[c];
        table[c][p] = value / std[c];
      }
    }
  }

  /** The normalisation of a model's pictures. */
  public Normalisation(Preprocess preprocess) {
    this(preprocess.mean(), preprocess.std());
  }

  /** The mean of each channel. */
  public float[] mean() {
    return mean.clone();
  }

  /** The standard deviation of each channel. */
  public float[] std() {
    return std.clone();
  }

  /** One value. */
  public float value(int channel, int pixel) {
    return table[channel][pixel];
  }

  /** Writes a picture as [3][height][width] floats from {@code offset} on. */
  public void apply(Rgb picture, float[] out, int offset) {
    byte[] data = picture.data();
    int pixels = picture.width() * picture.height();
    for (int c = 0; c < 3; c++) {
      float[] values = table[c];
      int to = offset + c * pixels;
      for (int i = 0; i < pixels; i++) {
        out[to + i] = values[data[3 * i + c] & 0xff];
      }
    }
  }

  /** Pictures of one size, at least one, as [pictures][3][height][width] floats. */
  public float[] apply(List<Rgb> pictures) {
    int length = pictures.get(0).data().length;
    float[] out = new float[Math.multiplyExact(length, pictures.size())];
    for (int i = 0; i < pictures.size(); i++) {
      apply(pictures.get(i), out, i * length);
    }
    return out;
  }

  /** A picture as [3][height][width] floats. */
  public float[] apply(Rgb picture) {
    float[] out = new float[3 * picture.width() * picture.height()];
    apply(picture, out, 0);
    return out;
  }
}
