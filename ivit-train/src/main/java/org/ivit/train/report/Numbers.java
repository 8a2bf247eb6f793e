package org.ivit.train.report;

import java.util.Locale;

/** Numbers as people read them; the decimal sign is a point everywhere. */
public final class Numbers {
  private Numbers() {}

  /** A fraction as a percentage with two decimals. */
  public static String percent(double fraction) {
    return String.format(Locale.ROOT, "%.2f %%", 100 * fraction);
  }

  /** A value with about four significant digits, without an exponent where it can be read. */
  public static String value(double v) {
    double size = Math.abs(v);
    if (v == 0) {
      return "0";
    }
    if (size >= 1e6 || size < 1e-4) {
      return String.format(Locale.ROOT, "%.2e", v);
    }
    int decimals = Math.max(0, 3 - (int) Math.floor(Math.log10(size)));
    String text = String.format(Locale.ROOT, "%." + Math.min(decimals, 7) + "f", v);
    return text.contains(".") ? text.replaceAll("0+$", "").replaceAll("\\.$", "") : text;
  }

  /** Bytes, in MB of 10^6 or kB of 10^3. */
  public static String bytes(long n) {
    if (n >= 1_000_000) {
      return String.format(Locale.ROOT, "%.2f MB", n / 1e6);
    }
    return n >= 1000 ? String.format(Locale.ROOT, "%.1f kB", n / 1e3) : n + " B";
  }

  /** A coordinate of a drawing. */
  public static String coordinate(double v) {
    return String.format(Locale.ROOT, "%.1f", v);
  }
}
