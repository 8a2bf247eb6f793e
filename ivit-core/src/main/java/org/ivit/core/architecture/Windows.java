package org.ivit.core.architecture;

/**
 * How one block of a Swin cuts its square grid of tokens into square windows, and which tokens of a
 * window see each other ({@code docs/arithmetic.md#windows-and-merging}).
 *
 * @param resolution height and width of the grid in tokens, a multiple of {@code window}
 * @param window height and width of a window in tokens
 * @param shift by how many tokens the grid is rolled up and left before it is cut, below {@code
 *     window}; 0 for none
 */
public record Windows(int resolution, int window, int shift) {
  /** Checks the sizes. */
  public Windows {
    if (window < 1 || resolution < window || resolution % window != 0) {
      throw new IllegalArgumentException(
          "windows of " + window + " do not divide a resolution of " + resolution);
    }
    if (shift < 0 || shift >= window) {
      throw new IllegalArgumentException("shift " + shift + " in a window of " + window);
    }
  }

  /**
   * The windows of a block: where the grid is no larger than a window it is one window, and nothing
   * shifts.
   *
   * @param resolution height and width of the grid in tokens
   * @param window height and width of a window as the model gives it
   * @param shifted whether the block's number in its stage is odd
   */
  public static Windows of(int resolution, int window, boolean shifted) {
    return resolution <= window
        ? new Windows(resolution, resolution, 0)
        : new Windows(resolution, window, shifted ? window / 2 : 0);
  }

  /** Windows of a picture. */
  public int count() {
    return (resolution / window) * (resolution / window);
  }

  /** Tokens of a window. */
  public int tokens() {
    return window * window;
  }

  /** Rows of the relative position table: (2w−1)². */
  public int relativePositions() {
    return (2 * window - 1) * (2 * window - 1);
  }

  /**
   * Where the tokens of a window come from.
   *
   * @return index in the picture, row-major, of each token in window order, [count·tokens]
   */
  public int[] order() {
    int[] order = new int[resolution * resolution];
    int columns = resolution / window;
    for (int i = 0; i < order.length; i++) {
      int number = i / tokens();
      int inside = i % tokens();
      int row = (number / columns * window + inside / window + shift) % resolution;
      int column = (number % columns * window + inside % window + shift) % resolution;
      order[i] = row * resolution + column;
    }
    return order;
  }

  /**
   * Where the tokens of the picture go: the inverse of {@link #order}.
   *
   * @return place in window order of each token of the picture, [resolution²]
   */
  public int[] places() {
    int[] order = order();
    int[] places = new int[order.length];
    for (int i = 0; i < order.length; i++) {
      places[order[i]] = i;
    }
    return places;
  }

  /**
   * Row of the relative position table for a query and a key: {@code (Δrow + w−1)(2w−1) + Δcolumn +
   * w−1}, Δ = query − key.
   *
   * @return [query][key] of a window, row-major
   */
  public int[] relativeIndex() {
    int n = tokens();
    int[] index = new int[n * n];
    for (int query = 0; query < n; query++) {
      for (int key = 0; key < n; key++) {
        int rows = query / window - key / window + window - 1;
        int columns = query % window - key % window + window - 1;
        index[query * n + key] = rows * (2 * window - 1) + columns;
      }
    }
    return index;
  }

  /**
   * The mask of one window: the rolled grid is cut at −w and −shift on each axis, and two tokens
   * are masked where their regions differ.
   *
   * @param number number of the window, 0 to {@link #count} − 1
   * @return [query][key] of the window, row-major and symmetric, true where masked; null where no
   *     score of the window is masked
   */
  public boolean[] mask(int number) {
    int columns = resolution / window;
    boolean lastRow = number / columns == columns - 1;
    boolean lastColumn = number % columns == columns - 1;
    if (shift == 0 || !(lastRow || lastColumn)) {
      return null;
    }
    int n = tokens();
    boolean[] mask = new boolean[n * n];
    for (int query = 0; query < n; query++) {
      for (int key = 0; key < n; key++) {
        mask[query * n + key] =
            (lastRow && wrapped(query / window) != wrapped(key / window))
                || (lastColumn && wrapped(query % window) != wrapped(key % window));
      }
    }
    return mask;
  }

  /** Whether a row or column of an outermost window came from the other side of the picture. */
  private boolean wrapped(int inside) {
    return inside >= window - shift;
  }
}
