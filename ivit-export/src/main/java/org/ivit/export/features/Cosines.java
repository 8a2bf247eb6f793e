package org.ivit.export.features;

/**
 * Cosines between rows of features. Inner products and squared norms of codes are exact ({@link
 * ExactProducts}), those of float32 values are float64 sums in the order of the channels; the
 * quotient is float64. So the same codes give the same cosines everywhere. A row of zeros has
 * cosine 0 with every row.
 */
public final class Cosines {
  private final Features rows;
  private final double[] squares;

  /** Largest absolute value of a code; of no account for float32 values. */
  private final long largest;

  /** Between these rows and others. */
  public Cosines(Features rows) {
    this.rows = rows;
    this.largest = rows.integer() ? ExactProducts.largest(rows.codes()) : 0;
    this.squares = new double[rows.count()];
    for (int i = 0; i < squares.length; i++) {
      squares[i] = product(i, this, i);
    }
  }

  /** The rows. */
  public Features rows() {
    return rows;
  }

  /**
   * The cosine of a row with a row of others, from −1 to 1.
   *
   * @param others as wide as these
   */
  public double of(int row, Cosines others, int other) {
    double squared = squares[row] * others.squares[other];
    if (squared == 0) {
      return 0;
    }
    double cosine = product(row, others, other) / Math.sqrt(squared);
    return Math.max(-1, Math.min(1, cosine));
  }

  /** Σ a·b of a row and a row of others, in codes where they are codes. */
  double product(int row, Cosines others, int other) {
    Features a = rows;
    Features b = others.rows;
    int width = a.width();
    int from = row * width;
    int at = other * width;
    if (a.integer() && b.integer()) {
      return ExactProducts.fit64(largest, others.largest, width)
          ? ExactProducts.of64(a.codes(), from, b.codes(), at, width)
          : ExactProducts.of(a.codes(), from, b.codes(), at, width);
    }
    double sum = 0;
    for (int i = 0; i < width; i++) {
      sum += element(a, from + i) * element(b, at + i);
    }
    return sum;
  }

  private static double element(Features features, int at) {
    return features.integer() ? features.codes()[at] : features.values()[at];
  }
}
