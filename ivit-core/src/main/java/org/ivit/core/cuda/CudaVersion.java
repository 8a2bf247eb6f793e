package org.ivit.core.cuda;

import java.util.Comparator;

/**
 * A version of CUDA.
 *
 * @param major such as 13
 * @param minor such as 0
 */
public record CudaVersion(int major, int minor) implements Comparable<CudaVersion> {
  private static final Comparator<CudaVersion> ORDER =
      Comparator.comparingInt(CudaVersion::major).thenComparingInt(CudaVersion::minor);

  /** As {@code cuDriverGetVersion} gives it: 1000·major + 10·minor. */
  static CudaVersion ofDriver(int version) {
    return new CudaVersion(version / 1000, version % 1000 / 10);
  }

  /** Reads {@code 13.0}. */
  static CudaVersion parse(String text) {
    int dot = text.indexOf('.');
    return new CudaVersion(
        Integer.parseInt(text.substring(0, dot)), Integer.parseInt(text.substring(dot + 1)));
  }

  /** Says which driver brings it, as far as that is known here. */
  String driver() {
    return equals(new CudaVersion(12, 0)) ? "which is 525 or newer" : "see NVIDIA's release notes";
  }

  @Override
  public int compareTo(CudaVersion other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return major + "." + minor;
  }
}
